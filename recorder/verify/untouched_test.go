package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
)

// batch records calls drawn by chance: how many streams, how much, how long, what segments, whether a
// crash comes between, whether it is sealed.
type batch struct {
	rnd  *rand.Rand
	dir  string
	cfg  recorder.Config
	id   keys.Identity
	key  string
	open []lived
}

type lived struct {
	id      ident.CallID
	opened  time.Time
	sealed  bool
	crashed bool
}

// TestUntouchedArchivesRaiseNoAlarm verifies archives that nobody touched: no level fails, ever.
// JEDEL_TEST_PROOFS says how many.
func TestUntouchedArchivesRaiseNoAlarm(t *testing.T) {
	want := 200
	if s := os.Getenv("JEDEL_TEST_PROOFS"); s != "" {
		var err error
		if want, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.MkdirTemp("/dev/shm", "untouched") // in memory where there is such a thing
	if err != nil {
		root = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	leaves, sealed, crashed := uint64(0), 0, 0
	for n := 0; n < want; {
		seed := rand.Uint64()
		b := &batch{rnd: rand.New(rand.NewPCG(seed, 2)), dir: filepath.Join(root, fmt.Sprint(n)), id: id}
		synctest.Test(t, b.record)
		for _, c := range b.open {
			r := b.look(t, c, seed)
			leaves += r.Leaves
			if c.sealed {
				sealed++
			}
			if c.crashed {
				crashed++
			}
			n++
		}
		if err := os.RemoveAll(b.dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d archives, %d of them sealed, %d gone on after a crash, %d leaves", want, sealed, crashed, leaves)
}

// record makes 25 calls in one or two lives of a recorder.
func (b *batch) record(t *testing.T) {
	b.cfg = recorder.Config{
		Dir: b.dir, Site: "untouched.test", FlushEvery: 250 * time.Millisecond, HeadEvery: time.Second,
		SegmentBytes: 1<<10 + b.rnd.Int64N(32<<10), SegmentTime: time.Duration(1+b.rnd.IntN(20)) * time.Second, PendingCall: 4 << 20, PendingTotal: 1 << 30,
	}
	if b.rnd.IntN(3) > 0 {
		b.cfg.Recipients = []keys.Recipient{b.id.Recipient("playback")}
	}
	b.life(t, func(r *recorder.Recorder) {
		for range 25 {
			c := lived{id: ident.New[ident.CallID](), opened: time.Now().Add(-time.Duration(b.rnd.IntN(100)) * time.Millisecond), sealed: b.rnd.IntN(2) == 0}
			b.call(t, r, &c)
			b.open = append(b.open, c)
		}
	})
	b.life(t, func(r *recorder.Recorder) {
		for i := range b.open {
			if c := &b.open[i]; !c.sealed && b.rnd.IntN(2) == 0 {
				b.tear(t, c)
			}
		}
	})
	b.life(t, func(r *recorder.Recorder) {
		for i := range b.open {
			if c := &b.open[i]; c.crashed {
				c.sealed = b.rnd.IntN(2) == 0
				b.call(t, r, c)
			}
		}
	})
}

func (b *batch) life(t *testing.T, work func(r *recorder.Recorder)) {
	t.Helper()
	r, err := recorder.Open(t.Context(), b.cfg, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	b.key = r.Key()
	work(r)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// call records up to some seconds.
func (b *batch) call(t *testing.T, r *recorder.Recorder, c *lived) {
	t.Helper()
	a, err := r.Start(t.Context(), recorder.Meta{Call: c.id, Number: "26-000008", Opened: c.opened, Zone: "Asia/Almaty"})
	if err != nil {
		t.Fatal(err)
	}
	var streams []*recorder.Stream
	tick := time.NewTicker(time.Duration(20+b.rnd.IntN(200)) * time.Millisecond)
	defer tick.Stop()
	for range b.rnd.IntN(40) {
		now := <-tick.C
		switch b.rnd.IntN(12) {
		case 0:
			streams = append(streams, a.OpenStream(recorder.StreamInfo{Participant: "caller", Role: "caller", Kind: []string{"audio", "video"}[b.rnd.IntN(2)]}))
		case 1:
			if err := a.Append(evr.Chat, now, []byte(`{"text":"fire"}`)); err != nil {
				t.Fatal(err)
			}
		case 2:
			if _, err := a.Blob(t.Context(), recorder.BlobMeta{ID: "p", Name: "p.jpg", Mime: "image/jpeg"}, strings.NewReader(strings.Repeat("p", b.rnd.IntN(3000)))); err != nil {
				t.Fatal(err)
			}
		case 3:
			if n := len(streams); n > 0 {
				streams[n-1].Close()
				streams = streams[:n-1]
			}
		}
		for _, s := range streams {
			s.RTP(now, bytes.Repeat([]byte{0x80}, 12+b.rnd.IntN(300)), b.rnd.IntN(9) == 0)
		}
	}
	if c.sealed {
		err = a.Seal(t.Context(), recorder.SealInfo{Ended: time.Now(), Cause: "caller"})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tear leaves what a crash leaves: a torn block after what was signed, half a head.
func (b *batch) tear(t *testing.T, c *lived) {
	t.Helper()
	c.crashed = true
	dir := filepath.Join(b.dir, recorder.Dir(c.id, c.opened))
	names, err := evr.SegmentNames(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	extra := map[string]string{names[len(names)-1]: strings.Repeat("EVB1\x20\x00", b.rnd.IntN(100)), "heads": "untouched.test/call/"[:b.rnd.IntN(20)]}
	for name, more := range extra {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(more)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// look verifies one archive, with and without the keys to its content.
func (b *batch) look(t *testing.T, c lived, seed uint64) *verify.Report {
	t.Helper()
	dir := os.DirFS(filepath.Join(b.dir, recorder.Dir(c.id, c.opened)))
	ring, err := plain.Unwrap(dir, b.id)
	if err != nil {
		t.Fatal(err)
	}
	opts := verify.Options{Keys: []string{b.key}}
	if b.rnd.IntN(2) == 0 {
		opts.Ring = ring
	}
	r, err := verify.Dir(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	if r.Exit > verify.ExitPartial || r.Sealed != c.sealed || c.sealed && (r.Levels[0].State != verify.Passed || r.Levels[1].State != verify.Passed || r.Levels[2].State != verify.Passed) {
		t.Errorf("seed %d: exit %d, %s: %+v", seed, r.Exit, states(r), r.Levels)
	}
	return r
}
