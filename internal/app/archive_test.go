package app

import (
	"fmt"
	"testing"
	"time"

	"jedel/internal/call"
	"jedel/internal/ident"
	"jedel/recorder/evr"
	"jedel/signaling/wire"
)

// TestWhatComesWithTheTapIsKept holds that what is said before the effect that opens the archive
// was carried out is in the archive all the same.
func TestWhatComesWithTheTapIsKept(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for i := range 20 {
		s, err := g.app.desk.Create(t.Context(), fmt.Sprint(i), call.Create{Client: ident.New[ident.ClientID](), Kind: "voice", Priority: 2})
		if err != nil {
			t.Fatal(err)
		}
		g.app.keep(s.ID, evr.Location, time.Now(), wire.Fix{Lat: 54.87, Lon: 69.16})
		g.until("no archive", func() bool { return g.app.ledger.get(s.ID).slot.get() != nil })
		if err := g.app.ledger.get(s.ID).slot.get().Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		dir, err := g.app.archiveDir(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := g.app.vault.play(t.Context(), opening{s.ID, "test", dir})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(rec.Timeline().Positions); n != 1 {
			t.Fatalf("call %d: %d positions", i, n)
		}
	}
}
