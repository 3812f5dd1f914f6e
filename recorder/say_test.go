package recorder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/proof"
)

// diary is a site's log of the test.
type diary struct {
	mu     sync.Mutex // guards the rest
	leaves []proof.Leaf
}

func (d *diary) Say(l proof.Leaf) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leaves = append(d.leaves, l)
}

func (d *diary) Sealed(l proof.Leaf, _ string) { d.Say(l) }

func (d *diary) LastHead(_ context.Context, call ident.CallID, part int, _ time.Time) (proof.Leaf, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := len(d.leaves) - 1; i >= 0; i-- {
		l := d.leaves[i]
		if l.Call != call || l.Facts["part"] != part || l.Kind != proof.LeafHead && l.Kind != proof.LeafSeal {
			continue
		}
		raw, err := l.Bytes()
		if err != nil {
			return l, false, err
		}
		l, err = proof.ParseLeaf(raw) // as a log gives it back
		return l, true, err
	}
	return proof.Leaf{}, false, nil
}

func (d *diary) kinds() map[proof.LeafKind]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[proof.LeafKind]int{}
	for _, l := range d.leaves {
		out[l.Kind]++
	}
	return out
}

func TestTheSiteIsToldWhatIsRecorded(t *testing.T) {
	dir, log := t.TempDir(), &diary{}
	cfg := config(dir)
	cfg.Log = log
	r, stop := run(t, cfg)
	id, opened := ident.New[ident.CallID](), time.Now()
	a := start(t, r, id, opened)
	a.OpenStream(StreamInfo{Participant: "caller", Role: "caller", Kind: "audio"}).RTP(time.Now(), packet(1), false)
	flush(t, a)
	stop()
	r, _ = run(t, cfg)
	b := start(t, r, id, opened)
	if err := b.Seal(t.Context(), SealInfo{Ended: time.Now(), Cause: "caller"}); err != nil {
		t.Fatal(err)
	}
	k := log.kinds()
	if k[proof.LeafOpen] != 1 || k[proof.LeafRecover] != 1 || k[proof.LeafSeal] != 1 || k[proof.LeafHead] < 2 {
		t.Fatal(k)
	}
	for _, l := range log.leaves {
		if raw, err := l.Bytes(); err != nil || len(raw) > 400 {
			t.Fatalf("%d bytes: %s %v", len(raw), raw, err)
		}
	}
}

// TestAFolderPutBackIsFound copies the folder of a running call and puts the copy back after more
// was recorded: segments and heads agree with one another, only the site's log knows better.
func TestAFolderPutBackIsFound(t *testing.T) {
	for name, forge := range map[string]func(dir string, old string) error{
		"earlier, with its heads": func(dir, old string) error {
			return errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(old)))
		},
		"its seal taken away": func(dir, _ string) error { return os.Remove(filepath.Join(dir, "seal.note")) },
	} {
		t.Run(name, func(t *testing.T) {
			root, log := t.TempDir(), &diary{}
			cfg := config(root)
			cfg.Log = log
			r, stop := run(t, cfg)
			id, opened := ident.New[ident.CallID](), time.Now()
			a := start(t, r, id, opened)
			s := a.OpenStream(StreamInfo{Participant: "caller", Role: "caller", Kind: "audio"})
			s.RTP(time.Now(), packet(1), false)
			flush(t, a)
			dir, old := filepath.Join(root, Dir(id, opened)), filepath.Join(t.TempDir(), "old")
			if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			for n := range 5 {
				s.RTP(time.Now(), packet(n), false)
				flush(t, a)
			}
			if err := a.Seal(t.Context(), SealInfo{Ended: time.Now(), Cause: "caller"}); err != nil {
				t.Fatal(err)
			}
			stop()
			if err := forge(dir, old); err != nil {
				t.Fatal(err)
			}
			r, _ = run(t, cfg)
			b := start(t, r, id, opened)
			if b.part != 2 {
				t.Fatalf("the forged folder is continued as part %d", b.part)
			}
			if k := log.kinds(); k[proof.LeafRecover] != 1 || log.leaves[len(log.leaves)-1].Facts["damaged"] != true {
				t.Fatalf("nobody is told: %v", log.leaves[len(log.leaves)-1])
			}
		})
	}
}
