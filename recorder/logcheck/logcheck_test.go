package logcheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/recorder/proof"
	"jedel/recorder/sitelog"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
)

// kept is a site's folder after some calls: its log and its archives, in memory.
type kept struct {
	files fstest.MapFS
	key   string
	rows  map[uint64]string
	calls []ident.CallID // the last one is not sealed
	old   []byte         // a checkpoint of long ago
}

// keep records calls with a log, and lets people look at them.
func keep(t *testing.T) kept {
	t.Helper()
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	l, err := sitelog.Open(t.Context(), sitelog.Config{Dir: filepath.Join(dir, "site"), Archives: dir, Keys: filepath.Join(dir, "keys"), Origin: "test/log", Heartbeat: time.Hour}, prometheus.NewRegistry(), log)
	if err != nil {
		t.Fatal(err)
	}
	r, err := recorder.Open(t.Context(), recorder.Config{
		Dir: dir, Site: "test", FlushEvery: 5 * time.Millisecond, HeadEvery: time.Millisecond, SegmentBytes: 1 << 20, SegmentTime: time.Hour, PendingCall: 4 << 20, PendingTotal: 1 << 30, Log: l,
	}, prometheus.NewRegistry(), log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- l.Run(ctx) }()
	go func() { done <- r.Run(ctx) }()
	k := kept{key: l.Key(), rows: map[uint64]string{}}
	for n := range 4 {
		k.calls = append(k.calls, record(t, r, n < 3))
		row := fmt.Sprintf("row %d", n)
		at, err := l.Add(t.Context(), proof.Leaf{Kind: proof.LeafAccess, Call: k.calls[n], At: time.Now(), Facts: map[string]any{"what": "open", "row": row}})
		if err != nil {
			t.Fatal(err)
		}
		k.rows[at] = row
		if n == 1 {
			wait(t, func() bool { return l.Newest().Size > at })
			k.old = l.Newest().Checkpoint
		}
	}
	for range 600 { // more than two tiles
		l.Say(proof.Leaf{Kind: proof.LeafClock, At: time.Now()})
	}
	wait(t, func() bool {
		seals, err := filepath.Glob(filepath.Join(dir, "calls/*/*/*/*/"+verify.SealProof))
		size, errSize := l.Size(t.Context())
		return err == nil && errSize == nil && len(seals) == 3 && size > 620 && l.Newest().Size == size
	})
	cancel()
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	k.files = fstest.MapFS{}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(name)
		below, _ := filepath.Rel(dir, name)
		k.files[filepath.ToSlash(below)] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func wait(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it does not come about")
		}
	}
}

func record(t *testing.T, r *recorder.Recorder, seal bool) ident.CallID {
	t.Helper()
	id, opened := ident.New[ident.CallID](), time.Now()
	a, err := r.Start(t.Context(), recorder.Meta{Call: id, Number: "26-1", Opened: opened, Zone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := errors.Join(a.Append(1, opened.Add(time.Duration(i)*time.Second), []byte("{}")), a.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	if seal {
		if err := a.Seal(t.Context(), recorder.SealInfo{Ended: time.Now(), Cause: "operator"}); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// with returns the folder with a file changed; nil data removes it and all below it.
func (k kept) with(name string, data []byte) kept {
	files := fstest.MapFS{}
	for n, f := range k.files {
		if n != name && !strings.HasPrefix(n, name+"/") {
			files[n] = f
		}
	}
	if data != nil {
		files[name] = &fstest.MapFile{Data: data}
	}
	k.files = files
	return k
}

func (k kept) check(t *testing.T, change ...func(*Config)) (*Report, error) {
	t.Helper()
	dir, err := fs.Sub(k.files, "site")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: dir, Archives: k.files, Keys: []string{k.key}, Rows: k.rows, Older: [][]byte{k.old}}
	for _, f := range change {
		f(&cfg)
	}
	return Check(t.Context(), cfg)
}

// dirOf is the folder of a recording.
func (k kept) dirOf(t *testing.T, n int) string {
	t.Helper()
	for name := range k.files {
		if i := strings.Index(name, string(k.calls[n])+"/"); i > 0 && strings.HasPrefix(name, "calls/") {
			return name[:i+len(k.calls[n])]
		}
	}
	t.Fatal("no folder")
	return ""
}

func codes(r *Report) (out []Code) {
	for _, p := range r.Problems {
		out = append(out, p.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestALogIsChecked(t *testing.T) {
	k := keep(t)
	r, err := k.check(t)
	if err != nil || len(r.Problems) != 0 || r.Recordings != 4 || r.Compared < 4 || r.Rows != 4 || r.Kinds[proof.LeafSeal] != 3 || r.Kinds[proof.LeafClock] != 600 {
		t.Fatalf("%v %+v", err, r)
	}
	if !strings.Contains(r.Text(), "Nothing wrong was found") {
		t.Error(r.Text())
	}
	dir := k.dirOf(t, 0)
	seal := k.files[dir+"/seal.note"].Data
	other := k.files[k.dirOf(t, 1)+"/seal.note"].Data
	for name, c := range map[string]struct {
		k    kept
		code Code
	}{
		"a recording that is gone":      {k.with(dir, nil), Gone},
		"an open one that is gone":      {k.with(k.dirOf(t, 3), nil), Gone},
		"a seal that is gone":           {k.with(dir+"/seal.note", nil), OtherSeal},
		"a seal of another":             {k.with(dir+"/seal.note", other), OtherSeal},
		"a seal that is none":           {k.with(dir+"/seal.note", []byte("x\n\n")), OtherSeal},
		"one the log knows nothing of":  {k.with("calls/2026/11/23/"+string(ident.New[ident.CallID]())+"/seal.note", seal), Unknown},
		"a proof that was changed":      {k.with(dir+"/"+verify.SealProof, []byte("x")), Rewritten},
		"a proof of another log's":      {k.with(dir+"/"+verify.SealProof, bytes.Replace(k.files[dir+"/"+verify.SealProof].Data, []byte("test/log\n"), []byte("tost/log\n"), 1)), Rewritten},
		"a second part nobody wrote of": {k.with(dir+".2/seal.note", seal), Unknown},
	} {
		r, err := c.k.check(t)
		if err != nil || !slices.Contains(codes(r), c.code) {
			t.Errorf("%s: %v %+v", name, err, r.Problems)
		}
		if strings.Contains(r.Text(), "Nothing wrong") {
			t.Errorf("%s: the text says nothing of it", name)
		}
	}
	for name, c := range map[string]struct {
		change func(*Config)
		code   Code
	}{
		"a line that was changed": {func(c *Config) { c.Rows = changed(c.Rows, "other") }, RowChanged},
		"a line that is gone":     {func(c *Config) { c.Rows = changed(c.Rows, "") }, RowGone},
		"a line that was not said": {func(c *Config) {
			c.Rows = changed(c.Rows, "row")
			c.Rows[0] = "x"
		}, RowUnsaid},
	} {
		if r, err := k.check(t, c.change); err != nil || !slices.Contains(codes(r), c.code) {
			t.Errorf("%s: %v %v", name, err, codes(r))
		}
	}
	everyFlip(t, k)
	strangers(t, k)
}

func changed(rows map[uint64]string, to string) map[uint64]string {
	out := map[uint64]string{}
	first := true
	for i, r := range rows {
		if first && to != "row" {
			if first = false; to == "" {
				continue
			}
			r = to
		}
		out[i] = r
	}
	return out
}

// everyFlip changes single bits of the log's files, drops and cuts them. JEDEL_TEST_PROOFS says how often.
func everyFlip(t *testing.T, k kept) {
	t.Helper()
	var names []string
	for name := range k.files {
		if strings.HasPrefix(name, "site/tile/") || name == "site/checkpoint" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	size := uint64(0)
	if r, err := k.check(t); err == nil {
		size = r.Size
	}
	rng := rand.New(rand.NewPCG(1, 2))
	trials := 400
	if s := os.Getenv("JEDEL_TEST_PROOFS"); s != "" {
		var err error
		if trials, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for n := range trials {
		name := names[n%len(names)]
		if stale(name, size) {
			continue
		}
		raw := slices.Clone(k.files[name].Data)
		at, what := rng.IntN(len(raw)), "bit"
		switch {
		case n%7 == 5:
			raw, what = raw[:at], "cut"
		case n%7 == 6:
			raw, what = nil, "gone"
		default:
			raw[at] ^= 1 << rng.IntN(8)
		}
		r, err := k.with(name, raw).check(t)
		if err == nil && len(r.Problems) == 0 {
			t.Errorf("%s: %s at %d is not found", name, what, at)
		}
	}
}

// stale reports whether a file of a partial tile is of an earlier size: nobody reads it any more.
func stale(name string, size uint64) bool {
	dir, width, partial := strings.Cut(name, ".p/")
	if !partial {
		return false
	}
	level := strings.TrimPrefix(dir, "site/tile/")
	if kind, _, _ := strings.Cut(level, "/"); kind == "entries" || kind == "0" {
		return width != fmt.Sprint(size%256) || !strings.HasSuffix(dir, fmt.Sprintf("/%03d", size/256))
	}
	return width != fmt.Sprint(size/256%256)
}

// strangers are checks that cannot be made, and logs of others.
func strangers(t *testing.T, k kept) {
	t.Helper()
	other := keep(t)
	for name, change := range map[string]func(*Config){
		"no key": func(c *Config) { c.Keys = nil }, "no key at all": func(c *Config) { c.Keys = []string{"x"} }, "the key of another": func(c *Config) { c.Keys = []string{other.key} },
		"no log": func(c *Config) { c.Dir = fstest.MapFS{} },
	} {
		if _, err := k.check(t, change); !errors.Is(err, ErrKey) && !errors.Is(err, ErrGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r, err := k.check(t, func(c *Config) { c.Older = [][]byte{other.old} }); err != nil || !slices.Contains(codes(r), Rewritten) {
		t.Errorf("a checkpoint of another log: %v %v", err, codes(r))
	}
	// A log that was put back as it was: what it has seen since tells.
	if r, err := k.check(t, func(c *Config) {
		c.Older = [][]byte{k.files["site/checkpoint"].Data}
		dir, _ := fs.Sub(k.with("site/checkpoint", k.old).files, "site")
		c.Dir = dir
	}); err != nil || !slices.Contains(codes(r), Rewritten) {
		t.Errorf("a log put back: %v %v", err, codes(r))
	}
}
