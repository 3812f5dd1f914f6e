package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling"
	"jedel/signaling/tus"
)

// TestADiskThatFillsUpEndsTheFilesThatAreComing holds that many files which were let in one by one leave the
// room of calls alone.
func TestADiskThatFillsUpEndsTheFilesThatAreComing(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key := phone()
	f := newFile("video/mp4", make([]byte, 24<<20))
	in := g.opened(key, g.report(key, f), f)
	n, err := in.Append(t.Context(), 0, &meanwhile{Reader: bytes.NewReader(f.raw), after: 8 << 20, do: func() { g.app.cfg.Reports.KeepFree = 1 << 60 }})
	if fault.CodeOf(err) != fault.NoRoom || n < 8<<20 || n > 16<<20 {
		t.Fatal(n, err)
	}
	if at, _, err := in.Look(t.Context()); err != nil || at != n {
		t.Fatal("what came before counts:", at, n, err)
	}
}

// TestOneAtATimeWritesAFile holds it for a file that has two addresses: that of the report, and that of what
// was added to it.
func TestOneAtATimeWritesAFile(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key := phone()
	first := g.report(key)
	more := newFile("image/jpeg", snap(t, 2, 20))
	g.ask("POST /api/v1/reports/{report}/amends", 200, key, `{"id":"more","text":"Тағы","files":[`+more.declaration()+`]}`, "{report}", first)
	one, two := g.opened(key, first, more), g.opened(key, first, more)
	n, err := one.Append(t.Context(), 0, &meanwhile{Reader: bytes.NewReader(more.raw), after: 1, do: func() {
		if n, err := two.Append(t.Context(), 0, bytes.NewReader(more.raw)); n != 0 || fault.CodeOf(err) != fault.Unavailable {
			t.Error("two at once:", n, err)
		}
	}})
	if err == nil {
		err = one.Finish(t.Context())
	}
	if err != nil || n != int64(len(more.raw)) {
		t.Fatal(n, err)
	}
}

// opened is a declared file as its phone opens it.
func (g *gateway) opened(key http.Header, report string, f sentFile) tus.File {
	g.t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(key.Get("X-Report-Key"))
	if err != nil {
		g.t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	in, err := g.app.uploads.Open(g.t.Context(), signaling.Sender{Key: signaling.ReportKey(hex.EncodeToString(sum[:]))}, ident.CallID(report), ident.FileID(f.id))
	if err != nil {
		g.t.Fatal(err)
	}
	return in
}

// meanwhile does something once so many bytes have been read.
type meanwhile struct {
	io.Reader
	after int
	do    func()
}

func (m *meanwhile) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if m.after -= n; m.after <= 0 && m.do != nil {
		do := m.do
		m.do = nil
		do()
	}
	return n, err
}

// TestFilesThatNeverComeHoldFewArchivesOpen declares many and sends none: others are recorded as before.
func TestFilesThatNeverComeHoldFewArchivesOpen(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	n := g.app.intake
	n.mu.Lock()
	n.most = 3
	n.mu.Unlock()
	for range 6 {
		g.report(phone(), newFile("image/jpeg", snap(t, 1, 20)))
	}
	key := phone()
	f := newFile("image/jpeg", snap(t, 2, 20))
	sent := g.report(key, f)
	sealed := func(id string) func() bool {
		return func() bool {
			row, err := g.app.db.ReportByID(t.Context(), ident.CallID(id))
			return err == nil && row.Sealed
		}
	}
	g.until("a report without files is not sealed", sealed(g.report(phone())))
	n.mu.Lock()
	open := len(n.open)
	n.mu.Unlock()
	if open > 3 {
		t.Errorf("%d archives are open", open)
	}
	if code := g.part(key, sent, f.id, 0, f.raw); code != "" {
		t.Fatal(code)
	}
	g.until("a report whose file has come is not sealed", sealed(sent))
}

// TestAnAmendmentIsInItsArchiveAsItCame holds it where its file opens the archive.
func TestAnAmendmentIsInItsArchiveAsItCame(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	n := g.app.intake
	n.mu.Lock()
	n.most = 0
	n.mu.Unlock()
	key := phone()
	first := g.report(key)
	more := newFile("image/jpeg", snap(t, 2, 20))
	g.ask("POST /api/v1/reports/{report}/amends", 200, key, `{"id":"more","text":"Қосымша","files":[`+more.declaration()+`]}`, "{report}", first)
	if code := g.part(key, first, more.id, 0, more.raw); code != "" {
		t.Fatal(code)
	}
	var added string
	for _, r := range g.ask(caseOf, 200, g.as("operator"), "", "{case}", first)["recordings"].([]any) {
		if id := r.(map[string]any)["call"].(string); id != first {
			added = id
		}
	}
	g.until("it is not sealed", func() bool {
		row, err := g.app.db.ReportByID(t.Context(), ident.CallID(added))
		return err == nil && row.Sealed
	})
	if said := g.journal(added); !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "Қосымша") && strings.Contains(s, more.sum) }) {
		t.Fatal(said)
	}
}
