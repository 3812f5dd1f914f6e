package recorder

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/derive"
	"jedel/recorder/disk"
	"jedel/recorder/evr"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"
)

// trouble is a disk whose fate a test changes while the recorder runs.
type trouble struct {
	mu   sync.Mutex // guards the rest
	fate func(disk.Op) disk.Fate
	ops  []disk.Op
}

func (d *trouble) set(fate func(disk.Op) disk.Fate) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fate = fate
}

func (d *trouble) decide(op disk.Op) disk.Fate {
	d.mu.Lock()
	d.ops = append(d.ops, op)
	fate := d.fate
	d.mu.Unlock()
	if fate == nil {
		return disk.Fate{}
	}
	return fate(op)
}

// once lets one operation of a kind on a segment fail.
func (d *trouble) once(k disk.Kind, f disk.Fate) {
	var done sync.Once
	d.set(func(op disk.Op) (fate disk.Fate) {
		if op.Kind == k && strings.HasSuffix(op.Name, ".evr") {
			done.Do(func() { fate = f })
		}
		return fate
	})
}

// troubled runs a recorder on a disk in trouble and opens one archive.
func troubled(t testing.TB, change func(*Config)) (*trouble, *Archive, fs.FS) {
	t.Helper()
	dir, d := t.TempDir(), &trouble{}
	cfg := config(dir)
	cfg.Disk = disk.Faulty{Disk: disk.OS{Root: dir}, Decide: d.decide}
	if change != nil {
		change(&cfg)
	}
	r, _ := run(t, cfg)
	r.retry = 3 * time.Millisecond // before any archive is there to read it
	id, opened := ident.New[ident.CallID](), time.Now()
	return d, start(t, r, id, opened), os.DirFS(filepath.Join(dir, Dir(id, opened)))
}

// eventually waits until fact is true.
func eventually(t testing.TB, what string, fact func() bool) {
	t.Helper()
	tick, end := time.NewTicker(2*time.Millisecond), time.After(bound)
	defer tick.Stop()
	for !fact() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("not so after ", bound, ": ", what)
		}
	}
}

// sealed seals the archive, trying again as the app does, and verifies it from outside.
func sealed(t testing.TB, a *Archive, dir fs.FS) *verify.Report {
	t.Helper()
	var last error
	eventually(t, "sealed", func() bool {
		last = a.Seal(context.Background(), SealInfo{Ended: time.Now(), Cause: "operator"})
		return last == nil
	})
	r, err := verify.Dir(dir, verify.Options{Keys: []string{a.rec.Key()}, Ring: ring(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Exit > verify.ExitPartial {
		var text strings.Builder
		_ = r.Text(&text)
		t.Fatalf("exit %d\n%s", r.Exit, text.String())
	}
	return r
}

// kept returns the last byte of each RTP packet kept.
func kept(t testing.TB, dir fs.FS) map[byte]bool {
	t.Helper()
	marks, _ := payloads(t, dir)
	out := map[byte]bool{}
	for _, m := range marks {
		if out[m] {
			t.Errorf("packet %d is there twice", m)
		}
		out[m] = true
	}
	return out
}

func TestFailedWriteGoesOnInANewSegmentWithNothingLost(t *testing.T) {
	for name, c := range map[string]struct {
		op   disk.Kind
		fate disk.Fate
	}{
		"no space":                     {disk.OpWrite, disk.Fate{Before: syscall.ENOSPC}},
		"short write":                  {disk.OpWrite, disk.Fate{Before: syscall.ENOSPC, Short: 17}},
		"write done, answered EIO":     {disk.OpWrite, disk.Fate{After: syscall.EIO}},
		"fdatasync EIO":                {disk.OpSync, disk.Fate{Before: syscall.EIO}},
		"fdatasync done, answered EIO": {disk.OpSync, disk.Fate{After: syscall.EIO}},
	} {
		t.Run(name, func(t *testing.T) {
			d, a, dir := troubled(t, nil)
			s := a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"})
			s.RTP(time.Now(), packet(1), false)
			flush(t, a)
			d.once(c.op, c.fate)
			s.RTP(time.Now(), packet(2), false)
			eventually(t, "durable again", func() bool { return a.Flush(t.Context()) == nil && a.Status().State == Recording })
			s.RTP(time.Now(), packet(3), false)
			r := sealed(t, a, dir)
			if got := kept(t, dir); !got[1] || !got[2] || !got[3] {
				t.Fatalf("kept %v", got)
			}
			if len(r.Manifest.Segments) < 2 {
				t.Fatal("went on in the same file")
			}
		})
	}
}

func TestFileIsNotTouchedAfterAFailedFdatasync(t *testing.T) {
	d, a, _ := troubled(t, nil)
	d.once(disk.OpSync, disk.Fate{Before: syscall.EIO})
	a.OpenStream(StreamInfo{Kind: "audio"}).RTP(time.Now(), packet(1), false)
	eventually(t, "durable again", func() bool { return a.Flush(t.Context()) == nil })
	d.mu.Lock()
	defer d.mu.Unlock()
	failed := ""
	for _, op := range d.ops {
		if op.Kind == disk.OpSync && failed == "" && strings.HasSuffix(op.Name, "00000.evr") {
			failed = op.Name
			continue // Start's own fdatasync
		}
	}
	syncs := 0
	for _, op := range d.ops {
		if op.Name == failed && op.Kind == disk.OpSync {
			syncs++
		}
	}
	if syncs > 3 { // the header and all at Start, the failed one
		t.Fatalf("%d fdatasyncs of %s", syncs, failed)
	}
}

func TestFlushNeverSaysDurableWhileTheDiskRefuses(t *testing.T) {
	d, a, _ := troubled(t, nil)
	s := a.OpenStream(StreamInfo{Kind: "audio"})
	flush(t, a)
	d.set(func(op disk.Op) (f disk.Fate) {
		if op.Kind == disk.OpWrite || op.Kind == disk.OpCreate {
			f.Before = syscall.EIO
		}
		return f
	})
	s.RTP(time.Now(), packet(1), false)
	for range 20 {
		if err := a.Flush(t.Context()); err == nil {
			t.Fatal("said durable, and nothing was written")
		}
	}
	if _, err := a.Blob(t.Context(), BlobMeta{ID: "f"}, strings.NewReader("photo")); err == nil {
		t.Fatal("said the photo is durable")
	}
	if err := a.Seal(t.Context(), SealInfo{}); err == nil {
		t.Fatal("sealed without a disk")
	}
}

func TestSlowDiskCostsVideoFirstAndNothingWaits(t *testing.T) {
	d, a, dir := troubled(t, func(c *Config) { c.PendingCall = 64 << 10 })
	audio := a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"})
	video := a.OpenStream(StreamInfo{Role: "caller", Kind: "video"})
	flush(t, a)
	stuck, free := make(chan struct{}, 64), make(chan struct{})
	d.set(func(op disk.Op) disk.Fate {
		if op.Kind == disk.OpSync {
			stuck <- struct{}{}
			<-free
		}
		return disk.Fate{}
	})
	audio.RTP(time.Now(), packet(1), false)
	<-stuck
	begin := time.Now()
	for n := range 2000 { // 2.4 MB of video, 180 KB of audio
		video.RTP(begin, append(make([]byte, 1200), byte(n)), false)
		audio.RTP(begin, packet(2+n%200), false)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("ingest waited %v for the disk", took)
	}
	if n := a.pending.Load(); n > 4*(64<<10) {
		t.Errorf("%d bytes wait, more than four times the limit", n)
	}
	eventually(t, "the lamp is yellow", func() bool { return a.Status().State == Degraded })
	eventually(t, "the lamp is red", func() bool { return a.Status().State == Stopped })
	d.set(nil)
	close(free)
	eventually(t, "recording again", func() bool { return a.Flush(t.Context()) == nil && a.Status().State == Recording })
	r := sealed(t, a, dir)
	var lost [3]uint64
	for _, s := range r.Manifest.Streams {
		lost[s.ID] = s.Lost
		if want := map[uint16]uint64{1: 2001, 2: 2000}[s.ID]; s.Packets+s.Lost != want {
			t.Errorf("stream %d: %d packets and %d lost, want %d together", s.ID, s.Packets, s.Lost, want)
		}
	}
	if lost[1] != 0 || lost[2] == 0 || r.Manifest.Gaps == 0 {
		t.Errorf("audio lost %d, video %d, %d gaps declared", lost[1], lost[2], r.Manifest.Gaps)
	}
}

func TestLittleSpaceCostsPicturesAndSaysSo(t *testing.T) {
	d, a, dir := troubled(t, nil)
	audio, video := a.OpenStream(StreamInfo{Kind: "audio"}), a.OpenStream(StreamInfo{Kind: "video"})
	level := func(share float64) {
		d.set(func(disk.Op) disk.Fate { return disk.Fate{Free: share} })
		a.rec.checkSpace()
	}
	both := func(n int) {
		audio.RTP(time.Now(), packet(n), false)
		video.RTP(time.Now(), packet(100+n), false)
	}
	level(0.5)
	both(1)
	level(0.01)
	both(2)
	if st := a.Status(); st.State != Degraded || st.Reason != "no_space" {
		t.Errorf("%+v", st)
	}
	level(0.001)
	both(3)
	if st := a.Status(); st.State != Degraded || st.Reason != "no_space" {
		t.Errorf("%+v", st)
	}
	flush(t, a)
	level(0.0205) // not yet: it would change its mind with every packet
	both(5)
	level(0.5)
	both(4)
	sealed(t, a, dir)
	said := ""
	rec, err := derive.Load(dir, ring(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range rec.Timeline().Events {
		if e.Kind == "degrade" {
			said += string(e.Details)
		}
	}
	if !strings.Contains(said, `"without":"video","on":true,"cause":"no_space"`) || !strings.Contains(said, `"on":false`) {
		t.Errorf("what was given up is not said: %s", said)
	}
	got := kept(t, dir)
	for n, want := range map[byte]bool{1: true, 101: true, 2: true, 102: false, 3: true, 103: false, 5: true, 105: false, 4: true, 104: true} {
		if got[n] != want {
			t.Errorf("packet %d kept: %v", n, got[n])
		}
	}
}

func TestRecordsAfterTheSealAreRefusedAndHoldNoMemory(t *testing.T) {
	_, a, dir := troubled(t, nil)
	s := a.OpenStream(StreamInfo{Kind: "audio"})
	s.RTP(time.Now(), packet(1), false)
	sealed(t, a, dir)
	for range 1000 {
		s.RTP(time.Now(), packet(2), false)
	}
	a.OpenStream(StreamInfo{Kind: "audio"}).RTP(time.Now(), packet(3), false)
	if n := a.rec.pending.Load(); n != 0 {
		t.Fatalf("%d bytes wait for a writer that has ended", n)
	}
	if err := a.Append(evr.Chat, time.Now(), []byte(`{}`)); !errors.Is(err, ErrSealed) {
		t.Fatal(err)
	}
}

// TestAnyFailuresLoseNothingThatWasDurable lets operations fail before or after their effect, at
// random, while records are written. What Flush called durable is there, and the archive verifies.
func TestAnyFailuresLoseNothingThatWasDurable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, a, dir := troubled(t, nil)
		s := a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"})
		var mu sync.Mutex // guards odds and how
		odds := rapid.IntRange(0, 60).Draw(rt, "percent")
		dice := uint32(rapid.Uint32().Draw(rt, "seed"))
		d.set(func(op disk.Op) (f disk.Fate) {
			mu.Lock()
			defer mu.Unlock()
			dice = dice*1664525 + 1013904223
			if int(dice>>8)%100 >= odds || op.Kind == disk.OpFree {
				return f
			}
			if dice>>28&1 == 0 {
				return disk.Fate{Before: syscall.EIO, Short: int(dice>>16) % 60}
			}
			return disk.Fate{After: syscall.EIO}
		})
		durable := map[byte]bool{}
		for n := 1; n <= 8; n++ {
			s.RTP(time.Now(), packet(n), false)
			if a.Flush(context.Background()) == nil {
				for i := 1; i <= n; i++ {
					durable[byte(i)] = true
				}
			}
		}
		d.set(nil)
		sealed(t, a, dir)
		got := kept(t, dir)
		for n := range durable {
			if !got[n] {
				rt.Fatalf("packet %d was durable and is gone", n)
			}
		}
		if len(got) != 8 {
			rt.Fatalf("%d of 8 packets: nothing had to be dropped", len(got))
		}
	})
}

func TestRecorderEndsThoughTheDiskDoesNotAnswer(t *testing.T) {
	dir, d, free := t.TempDir(), &trouble{}, make(chan struct{})
	cfg := config(dir)
	cfg.Disk = disk.Faulty{Disk: disk.OS{Root: dir}, Decide: d.decide}
	r, err := Open(t.Context(), cfg, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r.stop = 30 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	a := start(t, r, ident.New[ident.CallID](), time.Now())
	stuck := make(chan struct{}, 8)
	d.set(func(op disk.Op) disk.Fate {
		if op.Kind == disk.OpSync {
			stuck <- struct{}{}
			<-free
		}
		return disk.Fate{}
	})
	a.OpenStream(StreamInfo{Kind: "audio"}).RTP(time.Now(), packet(1), false)
	<-stuck
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, errStuck) {
			t.Error(err)
		}
	case <-time.After(bound):
		t.Error("the recorder waits for a disk that does not answer")
	}
	if _, err := disk.Lock(dir); !errors.Is(err, disk.ErrLocked) {
		t.Error("the folder was given away while a writer may still write:", err)
	}
	close(free)
	<-a.done
	if err := r.release(); err != nil {
		t.Error(err)
	}
}
