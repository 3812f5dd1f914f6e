package broker

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/recorder/keys"
	"jedel/recorder/proof"
	"jedel/recorder/sitelog"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
)

// house is a site with two recorded calls and its log.
type house struct {
	dir   string
	log   *sitelog.Log
	id    keys.Identity
	calls [2]ident.CallID
	dirs  [2]string
}

func build(t *testing.T) *house {
	t.Helper()
	h := &house{dir: t.TempDir()}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if h.id, err = keys.NewIdentity(); err != nil {
		t.Fatal(err)
	}
	if h.log, err = sitelog.Open(t.Context(), sitelog.Config{Dir: filepath.Join(h.dir, "site"), Archives: h.dir, Keys: filepath.Join(h.dir, "keys"), Origin: "test/log", Heartbeat: time.Hour}, prometheus.NewRegistry(), quiet); err != nil {
		t.Fatal(err)
	}
	r, err := recorder.Open(t.Context(), recorder.Config{
		Dir: h.dir, Site: "test", FlushEvery: 5 * time.Millisecond, HeadEvery: time.Millisecond, SegmentBytes: 1 << 20, SegmentTime: time.Hour, PendingCall: 4 << 20, PendingTotal: 1 << 30,
		Log: h.log, Recipients: []keys.Recipient{h.id.Recipient("playback")},
	}, prometheus.NewRegistry(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 2)
	go func() { done <- h.log.Run(ctx) }()
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
	for i := range h.calls {
		opened := time.Now()
		h.calls[i] = ident.New[ident.CallID]()
		a, err := r.Start(t.Context(), recorder.Meta{Call: h.calls[i], Number: "26-1", Opened: opened, Zone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(a.Append(1, opened, []byte("{}")), a.Seal(t.Context(), recorder.SealInfo{Ended: time.Now(), Cause: "operator"})); err != nil {
			t.Fatal(err)
		}
		h.dirs[i] = recorder.Dir(h.calls[i], opened)
	}
	return h
}

// use makes the statement that a call's key is used.
func (h *house) use(t *testing.T, kind proof.LeafKind, call ident.CallID, at time.Time) uint64 {
	t.Helper()
	n, err := h.log.Add(t.Context(), proof.Leaf{Kind: kind, Call: call, At: at, Facts: map[string]any{"use": "play"}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAKeyIsGivenForAStatementAndOnce(t *testing.T) {
	h := build(t)
	b := New(os.DirFS(h.dir), []keys.Identity{h.id}, slog.New(slog.DiscardHandler))
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx, l) }()
	c := Dial(l.Addr().String())
	at := h.use(t, proof.LeafKeyUse, h.calls[0], time.Now())
	ring, err := c.Open(t.Context(), Request{h.dirs[0], at})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := fs.Sub(os.DirFS(h.dir), h.dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	if rep, err := verify.Dir(dir, verify.Options{Ring: ring}); err != nil || rep.Levels[4].State != verify.Passed {
		t.Errorf("%v %+v", err, rep)
	}
	if _, err := c.Open(t.Context(), Request{h.dirs[0], at}); !errors.Is(err, ErrRefused) {
		t.Error("one statement opens twice:", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := c.Open(t.Context(), Request{h.dirs[0], at}); err == nil {
		t.Error("nobody is there, and yet a key comes")
	}
}

func TestWhatIsNotSaidIsNotOpened(t *testing.T) {
	h := build(t)
	b := New(os.DirFS(h.dir), []keys.Identity{h.id}, slog.New(slog.DiscardHandler))
	mine := h.use(t, proof.LeafKeyUse, h.calls[0], time.Now())
	for name, c := range map[string]struct {
		r    Request
		want error
	}{
		"a statement that is not there":  {Request{h.dirs[0], mine + 1000}, ErrUnsaid},
		"a statement of another kind":    {Request{h.dirs[0], h.use(t, proof.LeafAccess, h.calls[0], time.Now())}, ErrUnsaid},
		"a statement of another call":    {Request{h.dirs[1], mine}, ErrUnsaid},
		"a statement of last week":       {Request{h.dirs[0], h.use(t, proof.LeafKeyUse, h.calls[0], time.Now().Add(-7*24*time.Hour))}, ErrOld},
		"a statement of next week":       {Request{h.dirs[0], h.use(t, proof.LeafKeyUse, h.calls[0], time.Now().Add(7*24*time.Hour))}, ErrOld},
		"a folder that leads out":        {Request{"calls/../../etc", mine}, ErrArchive},
		"no folder":                      {Request{"", mine}, ErrArchive},
		"a folder with another's blocks": {Request{swapped(t, h), h.use(t, proof.LeafKeyUse, h.calls[0], time.Now())}, ErrArchive},
	} {
		if got, err := b.Open(c.r); !errors.Is(err, c.want) || len(got) > 0 {
			t.Errorf("%s: %v, %d keys", name, err, len(got))
		}
	}
	stranger, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := New(os.DirFS(h.dir), []keys.Identity{stranger}, slog.New(slog.DiscardHandler)).Open(Request{h.dirs[0], mine}); err != nil || len(got) != 0 {
		t.Error("a stranger's identity opens it", err)
	}
}

// swapped is a folder with the name of the first call and the content of the second.
func swapped(t *testing.T, h *house) string {
	t.Helper()
	dir := h.dirs[0] + ".2"
	if err := os.CopyFS(filepath.Join(h.dir, dir), os.DirFS(filepath.Join(h.dir, h.dirs[1]))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestUsedStatementsAreForgottenWhenTheyAreTooOld(t *testing.T) {
	h := build(t)
	b := New(os.DirFS(h.dir), []keys.Identity{h.id}, slog.New(slog.DiscardHandler))
	now := time.Now()
	b.now = func() time.Time { return now }
	if _, err := b.Open(Request{h.dirs[0], h.use(t, proof.LeafKeyUse, h.calls[0], now)}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, err := b.Open(Request{h.dirs[0], h.use(t, proof.LeafKeyUse, h.calls[0], now)}); err != nil || len(b.used) != 1 {
		t.Fatal(err, len(b.used))
	}
}
