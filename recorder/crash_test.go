package recorder

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/disk"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
)

// tape is a disk that notes what is done to it, in order, so that the state of any moment can be made
// again.
type tape struct {
	disk.OS
	mu  sync.Mutex // guards the rest
	ops []taped
}

// taped is one thing done. Kind durable is no operation: so many packets were said to be durable.
type taped struct {
	kind disk.Kind
	name string
	data []byte
	n    int
}

const opDurable disk.Kind = "durable"

func (d *tape) note(op taped) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops = append(d.ops, op)
}

// Create implements disk.Disk.
func (d *tape) Create(name string) (disk.File, error) {
	f, err := d.OS.Create(name)
	d.note(taped{kind: disk.OpCreate, name: name})
	return tapedFile{f, name, d}, err
}

// Append implements disk.Disk.
func (d *tape) Append(name string) (disk.File, error) {
	f, err := d.OS.Append(name)
	d.note(taped{kind: disk.OpAppend, name: name})
	return tapedFile{f, name, d}, err
}

// Replace implements disk.Disk.
func (d *tape) Replace(name string, data []byte) error {
	d.note(taped{kind: disk.OpWrite, name: name + ".tmp", data: bytes.Clone(data)})
	err := d.OS.Replace(name, data)
	d.note(taped{kind: disk.OpReplace, name: name, data: bytes.Clone(data)})
	return err
}

// MkdirAll implements disk.Disk.
func (d *tape) MkdirAll(dir string) error {
	err := d.OS.MkdirAll(dir)
	d.note(taped{kind: disk.OpMkdir, name: dir})
	return err
}

type tapedFile struct {
	disk.File
	name string
	tape *tape
}

// Write implements disk.File.
func (f tapedFile) Write(b []byte) (int, error) {
	f.tape.note(taped{kind: disk.OpWrite, name: f.name, data: bytes.Clone(b)})
	return f.File.Write(b)
}

// Sync implements disk.File.
func (f tapedFile) Sync() error {
	err := f.File.Sync()
	f.tape.note(taped{kind: disk.OpSync, name: f.name})
	return err
}

// content is a file at a moment: of its bytes so many are durable.
type content struct {
	data   []byte
	synced int
}

// state is a disk at a moment.
type state struct {
	dirs    []string
	files   map[string]content
	durable int
}

// after returns the state after the first n things done.
func after(ops []taped, n int) state {
	s := state{files: map[string]content{}}
	for _, op := range ops[:n] {
		c := s.files[op.name]
		switch op.kind {
		case disk.OpMkdir:
			s.dirs = append(s.dirs, op.name)
		case disk.OpCreate, disk.OpAppend:
			s.files[op.name] = c
		case disk.OpWrite:
			c.data = append(bytes.Clone(c.data), op.data...)
			s.files[op.name] = c
		case disk.OpSync:
			c.synced = len(c.data)
			s.files[op.name] = c
		case disk.OpReplace:
			delete(s.files, op.name+".tmp")
			s.files[op.name] = content{op.data, len(op.data)}
		case opDurable:
			s.durable = max(s.durable, op.n)
		}
	}
	return s
}

const sector = 512

// cuts returns what a cut of the power may leave of a file that has bytes which are not durable: all
// of them, none, and every combination of sectors that are as written, empty, or of an older file.
func (c content) cuts(old []byte) [][]byte {
	if c.synced == len(c.data) {
		return [][]byte{c.data}
	}
	out := [][]byte{c.data, c.data[:c.synced], c.data[:c.synced+(len(c.data)-c.synced)/2]}
	first, last := c.synced/sector, (len(c.data)-1)/sector
	n := min(last-first+1, 4) // more are torn four at a time
	for torn := 1; torn < 1<<n; torn++ {
		for _, stale := range []bool{false, true} {
			b := bytes.Clone(c.data)
			for i := range n {
				if torn>>i&1 == 0 {
					continue
				}
				from, to := max(c.synced, (first+i)*sector), min(len(b), (first+i+1)*sector)
				clear(b[from:to])
				if stale && len(old) > 0 {
					copy(b[from:to], old[(from*7)%len(old):])
				}
			}
			out = append(out, b)
		}
	}
	return out
}

// variants returns the states that a kill or a power cut at this moment may leave. At one moment at
// most one file has bytes that are not durable.
func (s state) variants() []map[string][]byte {
	base, open := map[string][]byte{}, ""
	var old []byte
	for name, c := range s.files {
		base[name] = c.data
		if c.synced < len(c.data) {
			open = name
		} else if strings.HasSuffix(name, ".evr") {
			old = c.data
		}
	}
	if open == "" {
		return []map[string][]byte{base}
	}
	if len(old) == 0 {
		old = s.files[open].data[:s.files[open].synced]
	}
	var out []map[string][]byte
	for _, data := range s.files[open].cuts(old) {
		v := map[string][]byte{}
		for name, raw := range base {
			v[name] = raw
		}
		v[open] = data
		out = append(out, v)
	}
	return out
}

// put makes a state on a real disk, beside the keys of the recorder and the second copies of keys.
func (s state) put(t *testing.T, dir, keys string, files map[string][]byte) {
	t.Helper()
	for _, d := range s.dirs {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, raw := range files {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "keystore"), os.DirFS(filepath.Join(keys, "keystore"))); err != nil {
		t.Fatal(err)
	}
}

// inMemory is a folder on a disk of memory where there is one: these disks are simulated anyway.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "crash")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// onTape records with a recorder whose disk is a tape, and returns the tape.
func onTape(t *testing.T, dir string, use func(d *tape, r *Recorder)) []taped {
	t.Helper()
	d := &tape{OS: disk.OS{Root: dir}}
	cfg := config(dir)
	cfg.Disk, cfg.FlushEvery, cfg.HeadEvery, cfg.SegmentBytes = d, time.Hour, time.Nanosecond, 6<<10
	r, err := Open(context.Background(), cfg, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	use(d, r)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return d.ops
}

// feedTaped gives packets first to last, each made durable, and says so on the tape.
func feedTaped(t *testing.T, d *tape, a *Archive, first, last int) {
	t.Helper()
	s := a.OpenStream(StreamInfo{Participant: "caller", Role: "caller", Kind: "audio"})
	for n := first; n <= last; n++ {
		s.RTP(time.Now(), append(bytes.Repeat([]byte{0x80, 0x55}, 300), byte(n)), false)
		if err := a.Append(20, time.Now(), []byte(`{"lat":43.2,"lon":76.9}`)); err != nil {
			t.Fatal(err)
		}
		flush(t, a)
		d.note(taped{kind: opDurable, n: n})
	}
}

// TestACrashAtEachMomentLosesNothingDurable stops a simulated disk at each moment of a call: opening
// with its key, first block, rotation, seal; then, within what is left of a crash, at each moment of
// the recovery. Every combination of torn, empty and stale sectors is tried. What was said to be
// durable is there, and the archive goes on, is sealed, and verifies.
func TestACrashAtEachMomentLosesNothingDurable(t *testing.T) {
	dir := inMemory(t)
	id, opened := ident.New[ident.CallID](), time.Now()
	ops := onTape(t, dir, func(d *tape, r *Recorder) {
		a := start(t, r, id, opened)
		feedTaped(t, d, a, 1, 12)
		if err := a.Seal(t.Context(), SealInfo{Ended: time.Now(), Cause: "caller"}); err != nil {
			t.Fatal(err)
		}
	})
	crashes := 0
	begun := slices.IndexFunc(ops, func(op taped) bool { return op.kind == disk.OpMkdir && strings.HasPrefix(op.name, "calls/") })
	for n := begun + 1; n <= len(ops); n++ {
		s := after(ops, n)
		for _, files := range s.variants() {
			crashes++
			recoverAt(t, crash{dir, s, files, id, opened})
		}
	}
	// The same within a recovery.
	half := after(ops, slices.IndexFunc(ops, func(op taped) bool { return op.kind == opDurable && op.n == 6 })+3)
	again := inMemory(t)
	half.put(t, again, dir, half.variants()[len(half.variants())-1])
	before := onTape(t, again, func(d *tape, r *Recorder) {
		feedTaped(t, d, start(t, r, id, opened), 21, 23)
	})
	for n := 0; n <= len(before); n++ {
		s := after(slices.Concat(replayed(half), before), n+len(replayed(half)))
		for _, files := range s.variants() {
			crashes++
			recoverAt(t, crash{again, s, files, id, opened})
		}
	}
	t.Logf("%d operations, %d crashes", len(ops)+len(before), crashes)
	if crashes < 200 {
		t.Error("not the crashes that were meant")
	}
}

// replayed makes the operations that lead to a state, all durable.
func replayed(s state) []taped {
	var out []taped
	for _, d := range s.dirs {
		out = append(out, taped{kind: disk.OpMkdir, name: d})
	}
	for name, c := range s.files {
		out = append(out, taped{kind: disk.OpReplace, name: name, data: c.data})
	}
	return append(out, taped{kind: opDurable, n: s.durable})
}

// crash is one state that a crash left.
type crash struct {
	keys   string // folder with the second copies of keys
	state  state
	files  map[string][]byte
	id     ident.CallID
	opened time.Time
}

// recoverAt goes on with what a crash left, seals and verifies it.
func recoverAt(t *testing.T, c crash) {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(c.keys), "state")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c.state.put(t, dir, c.keys, c.files)
	target := filepath.Join(dir, Dir(c.id, c.opened))
	_, missing := os.Stat(filepath.Join(target, "seal.note"))
	var key string
	onTape(t, dir, func(_ *tape, r *Recorder) {
		key = r.Key()
		if missing == nil {
			return // sealed: nothing is to be done
		}
		if old := r.unsealed[c.id]; old != nil && old.damage != "" {
			t.Fatalf("after %d durable packets the archive counts as damaged: %s", c.state.durable, old.damage)
		}
		a := start(t, r, c.id, c.opened)
		a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"}).RTP(time.Now(), packet(99), false)
		if err := a.Seal(t.Context(), SealInfo{Ended: time.Now(), Cause: "recorder-crash"}); err != nil {
			t.Fatal(err)
		}
	})
	var archive fs.FS = os.DirFS(target)
	rep, err := verify.Dir(archive, verify.Options{Keys: []string{key}, Ring: ring(t, archive)})
	if err != nil || rep.Exit > verify.ExitPartial {
		t.Fatalf("after %d durable packets: %v %+v", c.state.durable, err, rep)
	}
	got := payloadsOf(t, target)
	for n := 1; n <= c.state.durable; n++ {
		if n > 12 && n < 21 {
			continue
		}
		if c.state.durable >= 21 && n > 6 && n < 21 { // the first life ended after six
			continue
		}
		if !got[byte(n)] {
			t.Fatalf("packet %d was durable and is gone", n)
		}
	}
}
