package sitelog

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/recorder/bag"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/proof"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
)

// specimen is one archive, or bag with an archive, as files in memory, with what verifies it and
// what is true of it.
type specimen struct {
	name   string
	files  fstest.MapFS
	below  string // "data/original/" in a bag
	sealed bool
	opts   verify.Options
	ids    []keys.Identity
	logged uint64 // leaves of the last head that the site's log has of it
	blocks map[string][]evr.Block
	honest *verify.Report
}

// corpus makes archives of every kind: sealed and running, encrypted and plain, gone on after a
// crash, exported; each with its statements in a log that a witness and an authority have signed.
func corpus(t *testing.T) []*specimen {
	t.Helper()
	root := fastDir(t)
	cfg := config(root)
	cfg.Archives = root
	l, stop := started(t, cfg) // makes the key
	stop()
	s, w := second(t, l.Key())
	var ca string
	cfg.TSA, ca = authority(t)
	cfg.TSAEvery = time.Second
	cfg.Policy = fmt.Sprintf("witness w1 %s %s\nquorum w1\n", w.Key(), s.URL)
	l, _ = started(t, cfg)
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	opts := verify.Options{Log: verify.Log{Keys: []string{l.Key()}, Policy: cfg.Policy, Roots: roots}}
	makers := map[string]*maker{"encrypted": {root: root, to: []keys.Recipient{id.Recipient("playback")}}, "plain": {root: root}}
	calls := map[string][]made{}
	for kind, m := range makers {
		calls[kind] = m.make(t)
		m.said.tell(t, l)
	}
	var out []*specimen
	for kind, m := range makers {
		for _, c := range calls[kind] {
			sp := &specimen{name: kind + " " + c.name, sealed: c.sealed, opts: opts, ids: []keys.Identity{id}}
			sp.opts.Keys = []string{m.key}
			dir := recorder.Dir(c.id, c.opened)
			if c.sealed {
				exists(t, filepath.Join(root, dir, verify.SealProof))
			}
			sp.files = inMemory(t, filepath.Join(root, dir))
			sp.logged = loggedLeaves(t, l, c.id, c.opened, sp.files)
			out = append(out, sp)
			if c.name == "sealed" {
				out = append(out, exported(t, sp))
			}
		}
	}
	slices.SortFunc(out, func(a, b *specimen) int { return strings.Compare(a.name, b.name) })
	for _, sp := range out {
		sp.index(t)
	}
	return out
}

// fastDir is a folder in memory where there is such a thing: these tests are not about the disk.
func fastDir(t testing.TB) string {
	if dir, err := os.MkdirTemp("/dev/shm", "proofs"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return dir
	}
	return t.TempDir()
}

// maker records calls, in a time of its own: a call of seconds takes none.
type maker struct {
	root string
	to   []keys.Recipient
	key  string
	said diary
}

type made struct {
	name   string
	id     ident.CallID
	opened time.Time
	sealed bool
}

// diary keeps what the recorder says until there is a log.
type diary struct {
	mu     sync.Mutex
	leaves []proof.Leaf
	sealed map[string]proof.Leaf // by folder
}

// Say implements recorder.Statements.
func (d *diary) Say(l proof.Leaf) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leaves = append(d.leaves, l)
}

// Sealed implements recorder.Statements.
func (d *diary) Sealed(l proof.Leaf, dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sealed[dir] = l
}

// LastHead implements recorder.Statements.
func (d *diary) LastHead(_ context.Context, call ident.CallID, _ int, _ time.Time) (proof.Leaf, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range slices.Backward(d.leaves) {
		if l.Call == call && l.Kind == proof.LeafHead {
			return l, true, nil
		}
	}
	return proof.Leaf{}, false, nil
}

// tell plays the diary into a log.
func (d *diary) tell(t *testing.T, l *Log) {
	t.Helper()
	for _, leaf := range d.leaves {
		l.Say(leaf)
	}
	for dir, leaf := range d.sealed {
		l.Sealed(leaf, dir)
	}
}

// life opens the recorder, lets work use it, and stops it.
func (m *maker) life(t *testing.T, work func(r *recorder.Recorder)) {
	t.Helper()
	r, err := recorder.Open(t.Context(), recorder.Config{
		Dir: m.root, Site: "test", FlushEvery: 250 * time.Millisecond, HeadEvery: time.Second, SegmentBytes: 9 << 10,
		SegmentTime: time.Hour, PendingCall: 4 << 20, PendingTotal: 1 << 30, Recipients: m.to, Log: &m.said,
	}, prometheus.NewRegistry(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	m.key = r.Key()
	work(r)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// make records five calls: two sealed, one left running, two that went on after a crash.
func (m *maker) make(t *testing.T) []made {
	m.said.sealed = map[string]proof.Leaf{}
	calls := []made{{name: "sealed", sealed: true}, {name: "sealed too", sealed: true}, {name: "running"}, {name: "recovered", sealed: true}, {name: "recovered running"}}
	synctest.Test(t, func(t *testing.T) {
		m.life(t, func(r *recorder.Recorder) {
			for i := range calls {
				c := &calls[i]
				c.id, c.opened = ident.New[ident.CallID](), time.Now()
				m.record(t, r, *c, c.sealed && i < 2)
			}
		})
		for _, c := range calls[3:] {
			m.crash(t, c)
		}
		m.life(t, func(r *recorder.Recorder) {
			for _, c := range calls[3:] {
				m.record(t, r, c, c.sealed)
			}
		})
	})
	return calls
}

// crash leaves what a crash does: half a block more than was signed.
func (m *maker) crash(t *testing.T, c made) {
	t.Helper()
	dir := filepath.Join(m.root, recorder.Dir(c.id, c.opened))
	names, err := evr.SegmentNames(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	last := filepath.Join(dir, names[len(names)-1])
	raw, err := os.ReadFile(last)
	if err == nil {
		err = os.WriteFile(last, append(raw, "EVB1 and then the light went out"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// record makes seven seconds of a call of two parties.
func (m *maker) record(t *testing.T, r *recorder.Recorder, c made, seal bool) {
	t.Helper()
	a, err := r.Start(t.Context(), recorder.Meta{Call: c.id, Number: "26-000007", Opened: c.opened, Zone: "Asia/Almaty"})
	if err != nil {
		t.Fatal(err)
	}
	var streams []*recorder.Stream
	for _, role := range []string{"caller", "operator"} {
		for _, kind := range []string{"audio", "video"} {
			streams = append(streams, a.OpenStream(recorder.StreamInfo{Participant: role, Role: role, Kind: kind, Codec: map[string]string{"audio": "opus", "video": "vp8"}[kind]}))
		}
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range 70 {
		now := <-tick.C
		for n, s := range streams {
			s.RTP(now, bytes.Repeat([]byte{0x80, byte(i), byte(n)}, 20+60*(n%2)), i%3 == 0)
		}
		if i%10 > 0 {
			continue
		}
		if err := a.Append(evr.Location, now, []byte(`{"lat":43.2,"lon":76.9}`)); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Blob(t.Context(), recorder.BlobMeta{ID: fmt.Sprint("p", i), Name: "photo.jpg", Mime: "image/jpeg"}, strings.NewReader(strings.Repeat("photo", 20))); err != nil {
			t.Fatal(err)
		}
	}
	if !seal {
		return
	}
	if err := a.Seal(t.Context(), recorder.SealInfo{Ended: time.Now(), Cause: "operator"}); err != nil {
		t.Fatal(err)
	}
}

func inMemory(t testing.TB, dir string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// loggedLeaves waits until the log has the last head of a call and returns its size.
func loggedLeaves(t *testing.T, l *Log, id ident.CallID, opened time.Time, files fstest.MapFS) uint64 {
	t.Helper()
	heads, _ := proof.SplitHeads(files["heads"].Data)
	text, _ := proof.NoteText(heads[len(heads)-1])
	last, err := proof.ParseHead(text)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		leaf, _, err := l.LastHead(t.Context(), id, 1, opened.Add(-time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := leaf.Number("n"); n == last.Size {
			return n
		}
		if time.Now().After(deadline) {
			t.Fatal("the last head does not come into the log")
		}
	}
}

// exported packs an archive as an export does and unpacks it again.
func exported(t *testing.T, s *specimen) *specimen {
	t.Helper()
	p, err := bag.New("call-export-1", time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	p.Info("External-Identifier", "26-000007")
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		to := "original/" + name
		if strings.HasPrefix(name, "proofs/") {
			to = name
		}
		if _, err := p.Add(t.Context(), to, bag.Bytes(s.files[name].Data)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"report/custody.json": `{"accesses":[]}`, "playable/caller.webm": strings.Repeat("webm", 300)} {
		if _, err := p.Add(t.Context(), name, bag.Bytes([]byte(text))); err != nil {
			t.Fatal(err)
		}
	}
	var packed bytes.Buffer
	if err := p.Zip(t.Context(), &packed); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := *s
	out.name, out.files, out.below = s.name+" bag", fstest.MapFS{}, "data/original/"
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(in)
		if err := errors.Join(err, in.Close()); err != nil {
			t.Fatal(err)
		}
		out.files[strings.TrimPrefix(f.Name, "call-export-1/")] = &fstest.MapFile{Data: raw}
	}
	return &out
}

// index notes where the blocks stand, and that the untouched archive passes.
func (s *specimen) index(t *testing.T) {
	t.Helper()
	s.blocks = map[string][]evr.Block{}
	for name, f := range s.files {
		if !strings.HasSuffix(name, ".evr") {
			continue
		}
		_, at, err := evr.DecodeSegmentHeader(f.Data)
		s.blocks[name] = nil
		for err == nil && at < len(f.Data) {
			var h evr.BlockHeader
			if h, err = evr.DecodeBlockHeader(f.Data[at:]); err == nil {
				end := at + evr.HeaderSize + int(h.Len)
				s.blocks[name] = append(s.blocks[name], evr.Block{Offset: int64(at), Header: h, Raw: f.Data[at:end]})
				at = end
			}
		}
	}
	var err error
	if s.honest, err = s.verify(s.files); err != nil {
		t.Fatal(err)
	}
	want := verify.ExitPartial
	if s.sealed {
		want = 0
	}
	if s.honest.Exit != want || len(s.blocks) < 3 {
		t.Fatalf("%s: exit %d, %d segments: %+v", s.name, s.honest.Exit, len(s.blocks), s.honest.Levels)
	}
}

// verify is what somebody does who has the keys: unwrap what opens the call, then look at everything.
func (s *specimen) verify(files fstest.MapFS) (*verify.Report, error) {
	dir, err := verify.Archive(files)
	if err != nil {
		return nil, err
	}
	opts := s.opts
	if opts.Ring, err = plain.Unwrap(dir, s.ids...); err != nil {
		return nil, err
	}
	return verify.Dir(files, opts)
}

// pick takes one of a list.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
