package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/staging"
	"jedel/internal/store"
	"jedel/signaling"
	"jedel/signaling/tus"

	"github.com/prometheus/client_golang/prometheus"
)

// uploads takes the content of declared files: into the staging folder as it comes, and when it is whole
// into the archive of the recording that declared it. It implements signaling.Uploads.
type uploads struct {
	a      *App
	staged *staging.Staging
	limits signaling.Limits
	turn   chan struct{}  // capacity settleAtOnce
	after  func(step int) // after each step of settle; nil but in tests, which end the process there

	ended *prometheus.CounterVec
	bytes prometheus.Counter

	mu   sync.Mutex               // guards busy
	busy map[string]chan struct{} // by name of the file; closed when whoever writes or settles it is done
}

// settleAtOnce bounds the files that are hashed and written into archives at the same time. More only
// takes turns on the disk; fewer makes phones wait behind a film.
const settleAtOnce = 2

func newUploads(a *App, dir string, secret []byte, reg prometheus.Registerer) (*uploads, error) {
	s, err := staging.Open(filepath.Join(dir, "uploads"), secret)
	if err != nil {
		return nil, err
	}
	u := &uploads{
		a: a, staged: s, limits: signaling.Limits{Photo: a.cfg.Reports.PhotoBytes, Video: a.cfg.Reports.VideoBytes, Files: a.cfg.Reports.Files},
		turn: make(chan struct{}, settleAtOnce), busy: map[string]chan struct{}{},
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jedel_uploads_ended_total", Help: "Declared files by what became of them: kept, wrong_hash (sent again), refused, given_up (never arrived).",
		}, []string{"outcome"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_uploads_received_bytes_total", Help: "Bytes of declared files that came and are durable."}),
	}
	reg.MustRegister(u.ended, u.bytes)
	return u, nil
}

// declaredFile is a file that was announced, and the recording it will stand in.
type declaredFile struct {
	kept keptReport
	signaling.DeclaredFile
}

func (d declaredFile) id() ident.FileID { return ident.FileID(d.File) }

// name is the file's name in the staging folder.
func (d declaredFile) name() string { return stagedName(d.kept.ID, d.File) }

func stagedName(recording ident.CallID, file string) string { return string(recording) + "-" + file }

// Open implements signaling.Uploads.
func (u *uploads) Open(ctx context.Context, by signaling.Sender, report ident.CallID, file ident.FileID) (tus.File, error) {
	const op = "upload"
	key := string(by.Key)
	if key == "" {
		key = staffKey(by.Staff)
	}
	row, err := u.a.db.ReportByID(ctx, report)
	if errors.Is(err, store.ErrNotFound) || err == nil && row.KeyHash != key {
		return nil, fault.New(fault.NoSuchFile, op, nil) // a stranger is told no more than that
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, op, err)
	}
	k, err := readReport(row)
	if err != nil {
		return nil, err
	}
	if d, ok := k.declared(file); ok {
		return incoming{u, declaredFile{k, d}}, nil
	}
	return u.openAdded(ctx, key, k, file)
}

// openAdded finds a file that was declared by what was added to a report later.
func (u *uploads) openAdded(ctx context.Context, key string, k keptReport, file ident.FileID) (tus.File, error) {
	all, err := u.a.reportsOf(ctx, key)
	if err != nil {
		return nil, err
	}
	for _, more := range all {
		if d, ok := more.declared(file); ok && more.Case == k.Case {
			row, err := u.a.db.ReportByID(ctx, more.ID)
			if err != nil {
				return nil, fault.New(fault.Unavailable, "upload", err)
			}
			more, err = readReport(row) // its archive begins with its bytes
			return incoming{u, declaredFile{more, d}}, err
		}
	}
	return nil, fault.New(fault.NoSuchFile, "upload", nil)
}

// incoming is a declared file that its declarer is sending. It implements tus.File.
type incoming struct {
	u *uploads
	d declaredFile
}

// Look implements tus.File. A file that came whole before the process ended is settled first: nobody is
// told of an end that is none.
func (f incoming) Look(ctx context.Context) (int64, int64, error) {
	here, err := f.u.here(ctx, f.d)
	if err != nil {
		return 0, 0, err
	}
	n, err := f.u.staged.Size(f.d.name())
	switch {
	case here:
		return f.d.Bytes, f.d.Bytes, nil
	case err != nil:
		return 0, 0, fault.New(fault.Unavailable, "upload", err)
	case f.d.kept.sealed || time.Now().After(f.u.a.intake.until(f.d.kept)):
		return 0, 0, fault.New(fault.TooLate, "upload", nil)
	case n < f.d.Bytes:
		return n, f.d.Bytes, nil
	}
	if err := f.u.settle(ctx, f.d); err != nil {
		return 0, 0, err
	}
	return f.d.Bytes, f.d.Bytes, nil
}

// Append implements tus.File.
func (f incoming) Append(ctx context.Context, offset int64, from io.Reader) (int64, error) {
	const op = "upload"
	if err := f.u.diskRoom(f.d.Bytes - offset); err != nil {
		return 0, err
	}
	done, other := f.u.claim(f.d.name())
	if other != nil { // by its other address: what a citizen added is found by two reports
		return 0, fault.Newf(fault.Unavailable, op, "the file is being sent or settled")
	}
	defer done()
	n, err := f.u.staged.Append(f.d.name(), offset, f.d.Bytes-offset, &roomy{Reader: from, u: f.u, left: f.d.Bytes - offset})
	f.u.bytes.Add(float64(n))
	switch {
	case fault.CodeOf(err) == fault.NoRoom:
		return n, err
	case errors.Is(err, staging.ErrElsewhere):
		return 0, fault.New(fault.WrongOffset, op, err)
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return n, fault.New(fault.NoRoom, op, err)
	case err != nil:
		return n, fault.New(fault.Unavailable, op, err)
	}
	return n, nil
}

// Finish implements tus.File.
func (f incoming) Finish(ctx context.Context) error { return f.u.settle(ctx, f.d) }

// diskRoom refuses files while the disk is nearly full: it is for calls first.
func (u *uploads) diskRoom(n int64) error {
	free, err := u.staged.Free()
	if err != nil {
		return fault.New(fault.Unavailable, "upload", err)
	}
	// In the staging folder, and then in the archive beside it.
	if free-2*n < u.a.cfg.Reports.KeepFree || !u.a.rec.Rung().Pictures() {
		return fault.Newf(fault.NoRoom, "upload", "%d bytes free, %d wanted", free, n)
	}
	return nil
}

// roomEvery is how often the disk is looked at while a file comes, in bytes: many come at once, and each was
// let in while there was room for one.
const roomEvery = 4 << 20

// roomy is the content of a file that ends where the disk is nearly full.
type roomy struct {
	io.Reader
	u         *uploads
	left      int64 // of the file
	unchecked int64
}

// Read implements io.Reader.
func (r *roomy) Read(to []byte) (int, error) {
	if r.unchecked >= roomEvery {
		r.unchecked = 0
		if err := r.u.diskRoom(r.left); err != nil {
			return 0, err
		}
	}
	n, err := r.Reader.Read(to)
	r.left, r.unchecked = r.left-int64(n), r.unchecked+int64(n)
	return n, err
}

// here reports whether a file is in its archive; what was refused is refused again.
func (u *uploads) here(ctx context.Context, d declaredFile) (bool, error) {
	rows, err := u.a.db.ReportFiles(ctx, d.kept.ID)
	if err != nil {
		return false, fault.Newf(fault.Unavailable, "upload", "what is here: %w", err)
	}
	at := slices.IndexFunc(rows, func(r store.ReportFile) bool { return r.ID == d.id() })
	if at < 0 {
		return false, nil
	}
	var f signaling.CaseFile
	if err := json.Unmarshal(rows[at].Body, &f); err != nil {
		return false, fault.New(fault.Internal, "upload", err)
	}
	if f.Refused != "" {
		return false, fault.New(fault.Code(f.Refused), "upload", nil)
	}
	return true, nil
}

// begin waits until nobody else settles a file, and then has it until done is called.
func (u *uploads) begin(ctx context.Context, name string) (done func(), err error) {
	for {
		done, other := u.claim(name)
		if other == nil {
			return done, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// claim has a file until done is called; other is closed when whoever has it is done.
func (u *uploads) claim(name string) (done func(), other <-chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if other, busy := u.busy[name]; busy {
		return nil, other
	}
	mine := make(chan struct{})
	u.busy[name] = mine
	return func() { u.end(name, mine) }, nil
}

func (u *uploads) end(name string, mine chan struct{}) {
	u.mu.Lock()
	delete(u.busy, name)
	u.mu.Unlock()
	close(mine)
}

// sweep removes what lies in the staging folder and belongs to nobody who is waited for: the file is in
// its archive, or its archive has ended.
func (u *uploads) sweep(ctx context.Context) error {
	names, err := u.staged.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		wanted, err := u.wanted(ctx, name)
		if err != nil {
			return fmt.Errorf("sweep %s: %w", name, err)
		}
		if wanted {
			continue // bring looks after it
		}
		if err := u.staged.Drop(name); err != nil {
			return err
		}
	}
	return nil
}

// wanted reports whether a staged file may still be asked for.
func (u *uploads) wanted(ctx context.Context, name string) (bool, error) {
	recording, file, _ := strings.Cut(name, "-")
	row, err := u.a.db.ReportByID(ctx, ident.CallID(recording))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || row.Sealed {
		return false, err
	}
	kept, err := u.a.db.ReportFiles(ctx, row.ID)
	return !slices.ContainsFunc(kept, func(f store.ReportFile) bool { return f.ID == ident.FileID(file) }), err
}
