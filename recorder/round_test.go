package recorder

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/disk"

	"pgregory.net/rapid"
)

// TestInARoundEachFailsAlone lets six archives write in one round. Of two of them the disk refuses a
// file, when it is begun to be written back and when it is waited for: they go on in another segment,
// the others in theirs, and nothing is lost.
func TestInARoundEachFailsAlone(t *testing.T) {
	dir, d := t.TempDir(), &trouble{}
	cfg := config(dir)
	cfg.FlushEvery = 40 * time.Millisecond
	cfg.Disk = disk.Faulty{Disk: disk.OS{Root: dir}, Decide: d.decide}
	r, _ := run(t, cfg)
	var archives []*Archive
	var streams []*Stream
	opened := time.Now()
	for range 6 {
		a := start(t, r, ident.New[ident.CallID](), opened)
		archives, streams = append(archives, a), append(streams, a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"}))
	}
	var mu sync.Mutex // guards failed
	failed := map[int]disk.Kind{}
	d.set(func(op disk.Op) (f disk.Fate) {
		mu.Lock()
		defer mu.Unlock()
		for i, k := range map[int]disk.Kind{1: disk.OpBegin, 4: disk.OpSync} {
			if op.Kind == k && failed[i] == "" && strings.HasSuffix(op.Name, ".evr") && strings.Contains(op.Name, string(archives[i].meta.Call)) {
				failed[i] = k
				f.Before = syscall.EIO
			}
		}
		return f
	})
	for n := 1; n <= 5; n++ {
		for _, s := range streams {
			s.RTP(time.Now(), packet(n), false)
		}
		eventually(t, "durable without being asked", func() bool {
			for _, a := range archives {
				if a.pending.Load() > 0 || a.flying.Load() > 0 || a.Status().Lag > 0 && !idle(a) {
					return false
				}
			}
			return true
		})
	}
	for i, a := range archives {
		archive := os.DirFS(filepath.Join(dir, Dir(a.meta.Call, opened)))
		rep := sealed(t, a, archive)
		if got := kept(t, archive); len(got) != 5 {
			t.Errorf("archive %d: %d of 5 packets", i, len(got))
		}
		want := 1
		if failed[i] != "" {
			want = 2
		}
		if n := len(rep.Manifest.Segments); n != want {
			t.Errorf("archive %d: %d segments, want %d", i, n, want)
		}
	}
	if len(failed) != 2 {
		t.Errorf("failures that came to pass: %v", failed)
	}
}

// idle tells whether nothing of an archive waits in its streams.
func idle(a *Archive) bool {
	for _, s := range a.all(nil) {
		if _, waits := s.oldest(); waits {
			return false
		}
	}
	return true
}

// TestRoundsAreSpreadAndFilled checks the moments of rounds and who is given which.
func TestRoundsAreSpreadAndFilled(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		begin := time.Now()
		b := newBeat(begin, time.Duration(rapid.Int64Range(1, int64(time.Second)).Draw(rt, "every")))
		round := rapid.IntRange(0, rounds-1).Draw(rt, "round")
		now := begin.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(rt, "now")))
		wait := b.wait(round, now)
		if wait <= 0 || wait > b.period {
			rt.Fatalf("waits %v of a period of %v", wait, b.period)
		}
		if again := b.wait(round, now.Add(wait)); again != b.period {
			rt.Fatalf("the moment after one comes in %v, not in a period of %v", again, b.period)
		}
		n := rapid.IntRange(0, 3*rounds*roundSize).Draw(rt, "archives")
		var seats []int
		for range n {
			seats = append(seats, b.sit())
		}
		used := map[int]int{}
		for _, s := range seats {
			used[s]++
		}
		most := max(roundSize, (n+rounds-1)/rounds)
		for s, k := range used {
			if k > most {
				rt.Fatalf("%d of %d archives in round %d", k, n, s)
			}
		}
		if want := min(rounds, (n+roundSize-1)/roundSize); len(used) != want {
			rt.Fatalf("%d archives in %d rounds, want %d", n, len(used), want)
		}
		for _, s := range seats {
			b.rise(s)
		}
		if b.taken != [rounds]int{} {
			rt.Fatal("not all places were given back")
		}
	})
}

// TestSlabsFit checks that what is lent has the room that was asked for, and goes back.
func TestSlabsFit(t *testing.T) {
	var s stock
	for _, n := range []int{0, 1, 1 << 10, 1<<10 + 1, 40_000, 1 << 18, 1<<18 + 1, 1 << 20} {
		x := s.get(n)
		if len(x.b) < n || n > 1 && len(x.b) >= 2*max(n, 1<<smallSlab) {
			t.Errorf("%d bytes for %d", len(x.b), n)
		}
		s.put(x)
	}
	s.put(nil)
}
