package recorder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/disk"
	"jedel/recorder/evr"
	"jedel/recorder/verify"
)

// refusal is a way in which a disk says no.
type refusal struct {
	name string
	fate disk.Fate
	ops  map[disk.Kind]bool // nil: all but asking for free space
	last int                // how many operations in a row
}

func refusals() []refusal {
	write, sync := map[disk.Kind]bool{disk.OpWrite: true}, map[disk.Kind]bool{disk.OpSync: true}
	open := map[disk.Kind]bool{disk.OpCreate: true, disk.OpAppend: true, disk.OpReplace: true}
	return []refusal{
		{"no space", disk.Fate{Before: syscall.ENOSPC}, write, 1},
		{"no space for a while", disk.Fate{Before: syscall.ENOSPC}, nil, 5},
		{"short write", disk.Fate{Before: syscall.ENOSPC, Short: 29}, write, 1},
		{"over quota", disk.Fate{Before: syscall.EDQUOT, Short: 512}, write, 3},
		{"read-only", disk.Fate{Before: syscall.EROFS}, nil, 4},
		{"write error", disk.Fate{Before: syscall.EIO}, write, 1},
		{"write done, answered with an error", disk.Fate{After: syscall.EIO}, write, 1},
		{"fdatasync fails once", disk.Fate{Before: syscall.EIO}, sync, 1},
		{"fdatasync done, answered with an error", disk.Fate{After: syscall.EIO}, sync, 1},
		{"no descriptors left", disk.Fate{Before: syscall.EMFILE}, open, 3},
		{"no inodes left", disk.Fate{Before: syscall.ENOSPC}, open, 2},
	}
}

// TestEachRefusalAtEachMomentLosesNothing lets a disk say no in every way at every operation of a call
// with its rotations and its seal, and yes afterwards. All is kept, what follows a failed fdatasync
// stands in another file, and the archive verifies.
func TestEachRefusalAtEachMomentLosesNothing(t *testing.T) {
	for _, how := range refusals() {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			tried := 0
			for at := 0; ; at++ {
				if !refuseAt(t, how, at) {
					break
				}
				tried++
			}
			if tried < 5 {
				t.Errorf("only %d moments", tried)
			}
		})
	}
}

// refuseAt records a call on a disk that refuses from its operation no. at on; false where the call
// does not have as many.
func refuseAt(t *testing.T, how refusal, at int) bool {
	t.Helper()
	dir := inMemory(t)
	d := &trouble{}
	cfg := config(dir)
	cfg.SegmentBytes, cfg.HeadEvery, cfg.FlushEvery = 2<<10, time.Nanosecond, time.Hour
	cfg.Disk = disk.Faulty{Disk: disk.OS{Root: dir}, Decide: d.decide}
	r, stop := run(t, cfg)
	defer stop()
	r.retry = time.Nanosecond
	id, opened := ident.New[ident.CallID](), time.Now()
	a := start(t, r, id, opened)
	n, hit := 0, false
	d.set(func(op disk.Op) disk.Fate {
		if op.Kind == disk.OpFree || how.ops != nil && !how.ops[op.Kind] {
			return disk.Fate{}
		}
		n++
		if n <= at || n > at+how.last {
			return disk.Fate{}
		}
		hit = true
		return how.fate
	})
	s := a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"})
	for i := range 8 {
		s.RTP(time.Now(), append(make([]byte, 500), byte(i+1)), false)
		for range 50 {
			if a.Flush(context.Background()) == nil {
				break
			}
		}
	}
	archive := os.DirFS(filepath.Join(dir, Dir(id, opened)))
	rep := sealed(t, a, archive)
	if got := kept(t, archive); len(got) != 8 {
		t.Fatalf("operation %d: %d of 8 packets kept: %v", at, len(got), got)
	}
	if rep.Levels[0].State != verify.Passed || rep.Levels[1].State != verify.Passed {
		t.Fatalf("operation %d: %+v", at, rep.Levels)
	}
	return hit
}

// TestASecondVolumeThatRefusesTooCostsNoCall is nearly full here and unwilling there: the call begins
// here.
func TestASecondVolumeThatRefusesTooCostsNoCall(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "no folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config(dir)
	cfg.Second = file
	cfg.Disk = full{disk.OS{Root: dir}}
	r, _ := run(t, cfg)
	r.checkSpace()
	id, opened := ident.New[ident.CallID](), time.Now()
	a := start(t, r, id, opened)
	a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"}).RTP(time.Now(), packet(1), false)
	flush(t, a)
	if st, err := os.Lstat(filepath.Join(dir, Dir(id, opened))); err != nil || !st.IsDir() {
		t.Fatal(st, err)
	}
}

// full is a disk with 3 % left.
type full struct{ disk.OS }

// Free implements disk.Disk.
func (full) Free() (float64, error) { return 0.03, nil }

// TestTwoBlocksNeverHaveOneKeyAndNonce records over crashes and refusals, and looks at every block: no
// two have the same key and the same nonce.
func TestTwoBlocksNeverHaveOneKeyAndNonce(t *testing.T) {
	dir := inMemory(t)
	id, opened := ident.New[ident.CallID](), time.Now()
	for life := range 6 {
		d := &trouble{}
		cfg := config(dir)
		cfg.SegmentBytes, cfg.FlushEvery = 2<<10, time.Hour
		cfg.Disk = disk.Faulty{Disk: disk.OS{Root: dir}, Decide: d.decide}
		r, stop := run(t, cfg)
		r.retry = time.Nanosecond
		a := start(t, r, id, opened)
		n := 0
		d.set(func(op disk.Op) disk.Fate {
			if n++; op.Kind != disk.OpFree && n%7 == life {
				return disk.Fate{After: syscall.EIO} // it is there, and is written again elsewhere
			}
			return disk.Fate{}
		})
		s := a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"})
		for i := range 10 {
			s.RTP(time.Now(), append(make([]byte, 300), byte(i)), false)
			_ = a.Flush(context.Background()) // refused at times, and tried again
		}
		d.set(nil)
		stop()
	}
	seen, blocks := map[string]string{}, 0
	for _, part := range Parts(os.DirFS(dir), id, opened) {
		segments, err := filepath.Glob(filepath.Join(dir, part, "*.evr"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range segments {
			for _, b := range everyBlock(t, file) {
				blocks++
				if other := seen[b]; other != "" {
					t.Fatalf("%s and %s have a block of one key and nonce", other, file)
				}
				seen[b] = file
			}
		}
	}
	if blocks < 60 {
		t.Fatal(fmt.Sprint(blocks, " blocks: not what was meant"))
	}
}

// everyBlock lists, for each good block of a segment, also of one that does not count, what selects
// its key and its nonce.
func everyBlock(t *testing.T, file string) (out []string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h, at, err := evr.DecodeSegmentHeader(raw)
	for err == nil && at < len(raw) {
		var b evr.BlockHeader
		if b, err = evr.DecodeBlockHeader(raw[at:]); err == nil {
			out = append(out, fmt.Sprint(h.WrappedDEK, " ", b.Stream, " ", b.Epoch, " ", b.Leaf))
			at += evr.HeaderSize + int(b.Len)
		}
	}
	return out
}
