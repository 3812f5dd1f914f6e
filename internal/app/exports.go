package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/recorder/export"
	"jedel/recorder/keys"
	"jedel/recorder/ladder"
	"jedel/recorder/proof"
	"jedel/signaling"
)

// exports makes copies of recordings and keeps them for a day, encrypted under a key that only this
// process has. A restart forgets them: they are made again.
type exports struct {
	a       *App
	cache   *cache
	version string
	pages   fs.FS  // with the viewer
	tools   string // folder of programs that go along; empty: none
	todo    chan work

	mu   sync.Mutex   // guards the rest
	jobs []*exportJob // oldest first
}

// Bounds of the copies that are kept and made at once.
const (
	maxExports  = 50
	exportsKept = 24 * time.Hour
	exportsOnce = 2
)

// exportJob is one copy, made or being made.
type exportJob struct {
	id      string
	call    ident.CallID
	order   signaling.ExportOrder
	by      string
	at      time.Time
	dropped chan struct{} // closed when nobody wants it any more
	done    atomic.Int64
	total   atomic.Int64

	mu    sync.Mutex // guards the rest
	state string
	code  fault.Code
	name  string
	sum   string
	size  int64
}

// States of a copy.
const (
	exportMaking = "making"
	exportReady  = "ready"
	exportFailed = "failed"
)

func (j *exportJob) tell() signaling.ExportState {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := signaling.ExportState{
		Export: j.id, State: j.state, Code: string(j.code), Name: j.name, By: j.by, Case: j.order.Case, AtMs: j.at.UnixMilli(), Done: j.done.Load(), Total: j.total.Load(),
		Bytes: j.size, SHA256: j.sum, Encrypted: j.order.Recipient != "", Withheld: j.order.Withhold,
	}
	if s.Withheld == nil {
		s.Withheld = []signaling.Withheld{}
	}
	return s
}

func (j *exportJob) set(state string, code fault.Code) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state, j.code = state, code
}

func newExports(a *App, opt Options) *exports {
	return &exports{a: a, cache: newCache(opt.DataDir + "/exports"), version: opt.Version, pages: opt.Pages, tools: opt.Tools, todo: make(chan work, maxExports)}
}

// work is a copy to be made.
type work struct {
	job   *exportJob
	order order
}

// Run makes copies until ctx ends.
func (e *exports) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for range exportsOnce {
		wg.Go(func() {
			for {
				select {
				case w := <-e.todo:
					e.run(ctx, w.job, w.order)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	wg.Wait()
}

// Make implements signaling.Exports.
func (e *exports) Make(ctx context.Context, who signaling.Who, call ident.CallID, o signaling.ExportOrder) (signaling.ExportState, error) {
	const op = "evidence.export"
	if e.a.rec.Rung() >= ladder.NoExtras { // the room that is left is for recordings
		return signaling.ExportState{}, fault.New(fault.NoSpace, op, nil)
	}
	r := export.Request{
		ID: ident.New[string](), At: time.Now().Truncate(time.Second), By: e.a.people.name(who.Staff), Organization: o.Organization, Case: o.Case, Reason: o.Reason, Lang: o.Lang,
	}
	for _, w := range o.Withhold {
		r.Withhold = append(r.Withhold, export.Stretch{Stream: w.Stream, From: time.Duration(w.FromMs) * time.Millisecond, To: time.Duration(w.ToMs) * time.Millisecond})
	}
	if o.Recipient != "" {
		to, err := keys.ParseRecipients(o.Recipient)
		if err != nil || len(to) != 1 {
			return signaling.ExportState{}, fault.New(fault.BadValue, op, err)
		}
		r.Recipient = to[0]
	}
	if err := r.Check(); err != nil {
		return signaling.ExportState{}, fault.New(fault.BadValue, op, err)
	}
	sum, _, err := e.a.db.LoadCall(ctx, call)
	if errors.Is(err, store.ErrNotFound) {
		return signaling.ExportState{}, fault.New(fault.NoSuchCall, op, nil)
	}
	if err != nil {
		return signaling.ExportState{}, fault.New(fault.Unavailable, op, err)
	}
	dir, err := e.a.archiveDir(ctx, call)
	if err != nil {
		return signaling.ExportState{}, err
	}
	j := &exportJob{id: r.ID, call: call, order: o, by: r.By, at: r.At, dropped: make(chan struct{}), state: exportMaking}
	if err := e.begin(work{j, order{r, sum, dir}}); err != nil {
		return signaling.ExportState{}, err
	}
	return j.tell(), nil
}

// order is what a copy is made of.
type order struct {
	export.Request
	sum store.CallSummary
	dir folder
}

// begin takes a copy in.
func (e *exports) begin(w work) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(time.Now())
	if len(e.jobs) >= maxExports {
		return fault.New(fault.TooMany, "evidence.export", nil)
	}
	select {
	case e.todo <- w:
	default: // dropped ones still stand in line
		return fault.New(fault.TooMany, "evidence.export", nil)
	}
	e.jobs = append(e.jobs, w.job)
	return nil
}

// sweep forgets what is older than a day. The caller holds the lock.
func (e *exports) sweep(now time.Time) {
	e.jobs = slices.DeleteFunc(e.jobs, func(j *exportJob) bool {
		old := now.Sub(j.at) > exportsKept
		if old {
			close(j.dropped)
			e.cache.drop(j.id)
		}
		return old
	})
}

// run makes a copy and says so in the site's log before anybody can have it.
func (e *exports) run(ctx context.Context, j *exportJob, o order) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-j.dropped:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := e.copy(ctx, j, o); err != nil {
		if ctx.Err() == nil {
			e.a.log.Warn("export", "call", j.call, "err", err)
		}
		code := fault.Unavailable
		if errors.Is(err, keys.ErrNoKey) || errors.Is(err, export.ErrPlain) {
			code = fault.WrongState
		}
		j.set(exportFailed, code)
		return
	}
	j.set(exportReady, "")
}

func (e *exports) copy(ctx context.Context, j *exportJob, o order) error {
	site, err := e.site(ctx, j, o)
	if err != nil {
		return err
	}
	x, err := export.Prepare(ctx, o.dir, o.Request, site)
	if err != nil {
		return err
	}
	tags, err := x.TagSum(ctx)
	if err != nil {
		return err
	}
	j.total.Store(j.done.Load() + x.Size())
	h := sha256.New()
	size := int64(0)
	f, err := e.cache.open(j.id, forever, func(w io.Writer) (string, error) {
		return "", x.Pack(ctx, io.MultiWriter(w, h, counting{&size}), o.Recipient, j.order.Tar)
	})
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	sum := h.Sum(nil)
	leaf := proof.Leaf{Kind: proof.LeafExport, Call: j.call, At: time.Now(), Facts: map[string]any{
		"export": j.id, "tags": tags, "sum": hex.EncodeToString(sum), "withheld": len(o.Withhold),
	}}
	if _, err := e.a.site.Add(ctx, leaf); err != nil {
		return err
	}
	j.mu.Lock()
	j.name, j.sum, j.size = x.Name()+ending(j.order), hex.EncodeToString(sum), size
	j.mu.Unlock()
	if ctx.Err() != nil { // dropped while it was written
		e.cache.drop(j.id)
	}
	return ctx.Err()
}

// ending is that of a copy's file.
func ending(o signaling.ExportOrder) string {
	out := ".zip"
	if o.Tar {
		out = ".tar"
	}
	if o.Recipient != "" {
		out += ".age"
	}
	return out
}

// counting counts what is written.
type counting struct{ n *int64 }

func (c counting) Write(b []byte) (int, error) {
	*c.n += int64(len(b))
	return len(b), nil
}

// site is what the gateway adds to an archive.
func (e *exports) site(ctx context.Context, j *exportJob, o order) (export.Site, error) {
	a := e.a
	ring, err := a.vault.ring(ctx, opening{j.call, "export", o.dir})
	if err != nil {
		return export.Site{}, err
	}
	seen, err := a.accessed(ctx, j.call)
	if err != nil {
		return export.Site{}, err
	}
	viewer, err := fs.ReadFile(e.pages, "viewer.html")
	if err != nil {
		return export.Site{}, fmt.Errorf("viewer: %w", err)
	}
	tools, err := export.ToolsIn(e.tools)
	return export.Site{
		Key: a.rec.Key(), Log: a.verifyLog(), Ring: ring, About: a.about(o.sum), Accesses: seen.list, Proven: seen.proven, LogState: seen.log,
		Viewer: viewer, Tools: tools, Version: e.version, Progress: func(n int64) { j.done.Add(n) },
	}, err
}

// List implements signaling.Exports.
func (e *exports) List(call ident.CallID) []signaling.ExportState {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(time.Now())
	out := []signaling.ExportState{}
	for _, j := range slices.Backward(e.jobs) {
		if j.call == call {
			out = append(out, j.tell())
		}
	}
	return out
}

func (e *exports) find(call ident.CallID, id string) *exportJob {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, j := range e.jobs {
		if j.id == id && j.call == call {
			return j
		}
	}
	return nil
}

// Open implements signaling.Exports.
func (e *exports) Open(call ident.CallID, id string) (signaling.MediaFile, error) {
	const op = "evidence.export"
	j := e.find(call, id)
	if j == nil {
		return signaling.MediaFile{}, fault.New(fault.NotFound, op, nil)
	}
	s := j.tell()
	if s.State != exportReady {
		return signaling.MediaFile{}, fault.New(fault.WrongState, op, nil)
	}
	f, err := e.cache.open(id, forever, func(io.Writer) (string, error) { return "", fs.ErrNotExist })
	if err != nil {
		return signaling.MediaFile{}, fault.New(fault.NotFound, op, err)
	}
	kind := "application/zip"
	switch {
	case s.Encrypted:
		kind = "application/octet-stream"
	case j.order.Tar:
		kind = "application/x-tar"
	}
	return signaling.MediaFile{Mime: kind, Name: s.Name, ModTime: f.made, Content: f}, nil
}

// Drop implements signaling.Exports.
func (e *exports) Drop(call ident.CallID, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.jobs, func(j *exportJob) bool { return j.id == id && j.call == call })
	if i < 0 {
		return fault.New(fault.NotFound, "evidence.export", nil)
	}
	close(e.jobs[i].dropped)
	e.jobs = slices.Delete(e.jobs, i, i+1)
	e.cache.drop(id)
	return nil
}

// forget removes every copy of a recording, those that are being made included.
func (e *exports) forget(call ident.CallID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.jobs = slices.DeleteFunc(e.jobs, func(j *exportJob) bool {
		if j.call == call {
			close(j.dropped)
			e.cache.drop(j.id)
		}
		return j.call == call
	})
}
