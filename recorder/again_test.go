package recorder

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jedel/internal/ident"
)

// TestASealedArchiveIsNotOpenedAgain holds that whoever did not hear of the seal neither damages the archive
// nor leaves keys in it.
func TestASealedArchiveIsNotOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	r, stop := run(t, config(dir))
	m := Meta{Call: ident.New[ident.CallID](), Opened: time.Now()}
	a, err := r.Start(t.Context(), m)
	if err == nil {
		err = a.Seal(t.Context(), SealInfo{Ended: time.Now()})
	}
	if err != nil {
		t.Fatal(err)
	}
	stop()
	again, stop := run(t, config(dir))
	defer stop()
	at := filepath.Join(dir, filepath.FromSlash(Dir(m.Call, m.Opened)))
	before, err := os.ReadDir(at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Start(t.Context(), m); !errors.Is(err, ErrSealed) {
		t.Fatal(err)
	}
	if after, err := os.ReadDir(at); err != nil || len(after) != len(before) {
		t.Fatal(len(before), len(after), err)
	}
}
