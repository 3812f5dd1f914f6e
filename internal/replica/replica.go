// Package replica keeps a second copy of recordings in a bucket where nobody can delete it: each
// file, when it is closed, is put under Object Lock in COMPLIANCE mode, read back and compared. A
// dead bucket stops nothing: recordings go on, and an alarm tells of what waits.
package replica

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"jedel/internal/blob"
	"jedel/internal/ident"

	"github.com/prometheus/client_golang/prometheus"
)

// Bucket is what a replica needs of blob.Bucket.
type Bucket interface {
	Check(ctx context.Context) error
	Put(ctx context.Context, key string, body io.ReadSeeker, sum blob.Sum, l blob.Lock) (string, error)
	Read(ctx context.Context, v blob.Version, w io.Writer) (string, error)
	Versions(ctx context.Context, prefix string) ([]blob.Version, error)
	Locks
}

// Locks is how versions are protected.
type Locks interface {
	Lock(ctx context.Context, v blob.Version) (blob.Lock, error)
	Extend(ctx context.Context, v blob.Version, until time.Time) error
	SetHold(ctx context.Context, v blob.Version, on bool) error
	Remove(ctx context.Context, v blob.Version) error
}

// Config is how a replica works.
type Config struct {
	Every time.Duration // between two looks at what is new; 0: 10 s
	Alarm time.Duration // what waits longer raises an alarm; 0: an hour
	First time.Duration // lock of what has no retention yet; 0: 30 days. It can never be shortened
	Back  time.Duration // how old an archive may be that is looked at; 0: 90 days
}

// Parts are what a replica works with.
type Parts struct {
	Archives fs.FS // with calls/YYYY/MM/DD/ID below it
	Bucket   Bucket
	// Want returns how a call's copies are to be protected: Until is zero where nothing is decided yet.
	Want func(ctx context.Context, call ident.CallID) (blob.Lock, error)
	// Folders returns the folders of a call's archive below Archives.
	Folders func(ctx context.Context, call ident.CallID) ([]string, error)
	Log     *slog.Logger
	Reg     prometheus.Registerer
}

// Replica copies archives. Make it with New, then Run it.
type Replica struct {
	cfg Config
	Parts
	files folder
	met   *metrics

	mu       sync.Mutex           // guards the rest
	compared map[string]bool      // versions that were read back, by their names
	done     map[string]time.Time // archives that are whole there, and when their protection was looked at
	waiting  map[string]time.Time // files that wait, and since when
}

// maxKnown bounds what is remembered: what is forgotten is looked at again.
const maxKnown = 200_000

// lookAgain is how long nobody looks at an archive that is whole: what changes its protection is told
// by Lock and Hold, and this finds what failed.
const lookAgain = time.Hour

// New returns a replica that does nothing before Run.
func New(c Config, p Parts) *Replica {
	for _, d := range []struct {
		to    *time.Duration
		usual time.Duration
	}{{&c.Every, 10 * time.Second}, {&c.Alarm, time.Hour}, {&c.First, 30 * 24 * time.Hour}, {&c.Back, 90 * 24 * time.Hour}} {
		if *d.to == 0 {
			*d.to = d.usual
		}
	}
	return &Replica{cfg: c, Parts: p, files: folder{p.Archives}, met: newMetrics(p.Reg), compared: map[string]bool{}, done: map[string]time.Time{}, waiting: map[string]time.Time{}}
}

// Run copies until ctx ends.
func (r *Replica) Run(ctx context.Context) {
	tick := time.NewTicker(r.cfg.Every)
	defer tick.Stop()
	checked, alarmed := false, false
	for {
		if !checked {
			err := r.Bucket.Check(ctx)
			if checked = err == nil; !checked && ctx.Err() == nil {
				r.failed(err)
				r.Log.Error("the bucket for copies of recordings cannot be used", "err", err)
			}
		}
		if checked {
			if err := r.Pass(ctx); err != nil && ctx.Err() == nil {
				r.Log.Warn("copies of recordings wait", "err", err)
			}
		}
		oldest := r.measure(time.Now())
		if late := oldest > r.cfg.Alarm; late != alarmed {
			if alarmed = late; late {
				r.Log.Error("recordings have no second copy", "oldest", oldest.Round(time.Second))
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// measure tells what waits, and returns how long the oldest has.
func (r *Replica) measure(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := time.Duration(0)
	for _, since := range r.waiting {
		oldest = max(oldest, now.Sub(since))
	}
	r.met.waiting.Set(float64(len(r.waiting)))
	r.met.oldest.Set(oldest.Seconds())
	return oldest
}

// Pass looks at every archive once and copies what is new. What fails waits for the next pass.
func (r *Replica) Pass(ctx context.Context) error {
	since := time.Now().Add(-r.cfg.Back).UTC().Format("2006/01/02")
	var errs []error
	err := r.files.archives(ctx, since, func(a archive) error {
		if err := r.one(ctx, a); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.failed(err)
			errs = append(errs[:min(len(errs), 3)], fmt.Errorf("%s: %w", a.dir, err))
			if errors.Is(err, blob.ErrUnavailable) || errors.Is(err, blob.ErrDenied) || errors.Is(err, blob.ErrNoBucket) {
				return err // the next would fail alike
			}
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// one copies what is closed of an archive.
func (r *Replica) one(ctx context.Context, a archive) error {
	r.mu.Lock()
	looked, done := r.done[a.dir]
	r.mu.Unlock()
	if done && time.Since(looked) < lookAgain {
		return nil
	}
	want, err := r.want(ctx, a.call)
	if err != nil {
		return err
	}
	files, sealed, err := r.files.closed(a.dir)
	if err != nil || len(files) == 0 {
		return err
	}
	r.wait(a, files)
	there, err := r.versions(ctx, a.dir)
	if err != nil {
		return err
	}
	r.mu.Lock()
	steps := plan(files, there, r.compared)
	r.mu.Unlock()
	for _, s := range steps {
		if err := r.do(ctx, a, s, want); err != nil {
			return err
		}
		r.mu.Lock()
		delete(r.waiting, a.dir+"/"+s.file.name)
		r.mu.Unlock()
	}
	if err := r.protect(ctx, a, want); err != nil {
		return err
	}
	r.settle(a, files, sealed)
	return nil
}

// settle remembers an archive that is whole: sealed, with its proofs.
func (r *Replica) settle(a archive, files []file, sealed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range files {
		delete(r.waiting, a.dir+"/"+f.name)
	}
	proven := false
	for _, f := range files {
		proven = proven || f.name == proofsName+"/seal.tlog-proof"
	}
	if sealed && proven {
		if len(r.done) >= maxKnown {
			clear(r.done)
		}
		r.done[a.dir] = time.Now()
	}
}

// wait notes what is closed and not known to be there.
func (r *Replica) wait(a archive, files []file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, f := range files {
		name := a.dir + "/" + f.name
		if _, ok := r.waiting[name]; !ok && len(r.waiting) < maxKnown {
			r.waiting[name] = now
		}
	}
}

// want is how a call's copies are to be protected.
func (r *Replica) want(ctx context.Context, call ident.CallID) (blob.Lock, error) {
	l, err := r.Want(ctx, call)
	l.Until = l.Until.UTC().Truncate(time.Second)
	return l, err
}

// versions lists what the bucket has of an archive, with names below its folder.
func (r *Replica) versions(ctx context.Context, dir string) ([]blob.Version, error) {
	there, err := r.Bucket.Versions(ctx, dir+"/")
	for i := range there {
		there[i].Key = strings.TrimPrefix(there[i].Key, dir+"/")
	}
	return there, err
}

// ErrDiffers means that the bucket has another file under a name of ours.
var ErrDiffers = errors.New("the bucket has another file under this name")

// do takes a step.
func (r *Replica) do(ctx context.Context, a archive, s step, want blob.Lock) error {
	name := a.dir + "/" + s.file.name
	s.version.Key = name
	switch s.act {
	case actShow:
		r.alarm("hidden", name)
		return r.Bucket.Remove(ctx, s.version)
	case actDiffers:
		r.alarm("differs", name)
		return fmt.Errorf("%s: %w", name, ErrDiffers)
	case actCompare:
		sum, err := r.files.sum(ctx, name)
		if err != nil {
			return err
		}
		return r.readBack(ctx, s.version, sum)
	}
	return r.put(ctx, name, want)
}

// put stores a file and reads it back.
func (r *Replica) put(ctx context.Context, name string, want blob.Lock) error {
	sum, err := r.files.sum(ctx, name)
	if err != nil {
		return err
	}
	in, err := r.Archives.Open(name)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	defer in.Close()
	body, ok := in.(io.ReadSeeker)
	if !ok {
		return fmt.Errorf("archive: %s: %w", name, errors.ErrUnsupported)
	}
	if want.Until.IsZero() {
		want.Until = time.Now().Add(r.cfg.First).UTC().Truncate(time.Second)
	}
	id, err := r.Bucket.Put(ctx, name, body, sum, want)
	if err != nil {
		return err
	}
	r.met.put.Add(float64(sum.Size))
	return r.readBack(ctx, blob.Version{Key: name, ID: id, Size: sum.Size}, sum)
}

// readBack compares what the bucket gives with the file here.
func (r *Replica) readBack(ctx context.Context, v blob.Version, sum blob.Sum) error {
	h := sha256.New()
	said, err := r.Bucket.Read(ctx, v, h)
	if err != nil {
		return err
	}
	if got := h.Sum(nil); !bytes.Equal(got, sum.SHA256[:]) || said != "" && said != hex.EncodeToString(got) {
		r.alarm("differs", v.Key)
		return fmt.Errorf("%s: %w", v.Key, ErrDiffers)
	}
	r.met.compared.Inc()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.compared) >= maxKnown {
		clear(r.compared)
	}
	r.compared[v.ID] = true
	return nil
}

// protect locks all versions of an archive at least as they are to be.
func (r *Replica) protect(ctx context.Context, a archive, want blob.Lock) error {
	there, err := r.Bucket.Versions(ctx, a.dir+"/")
	if err != nil {
		return err
	}
	for _, v := range there {
		if v.Marker {
			continue
		}
		now, err := r.Bucket.Lock(ctx, v)
		if err != nil {
			return err
		}
		if want.Until.After(now.Until) {
			if err := r.Bucket.Extend(ctx, v, want.Until); err != nil {
				return err
			}
		}
		if want.Hold != now.Hold {
			if err := r.Bucket.SetHold(ctx, v, want.Hold); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Replica) alarm(kind, name string) {
	r.met.alarms.WithLabelValues(kind).Inc()
	r.Log.Error("the copy of a recording is not what it was", "what", kind, "name", name)
}

func (r *Replica) failed(err error) {
	r.met.failures.WithLabelValues(blob.Reason(err)).Inc()
}

// Lock extends the lock of a call's copies. It may be done twice.
func (r *Replica) Lock(ctx context.Context, call ident.CallID, until time.Time) error {
	return r.each(ctx, call, func(v blob.Version) error {
		now, err := r.Bucket.Lock(ctx, v)
		if err != nil || !until.Truncate(time.Second).After(now.Until) {
			return err
		}
		return r.Bucket.Extend(ctx, v, until)
	})
}

// Hold sets or clears the legal hold of a call's copies. It may be done twice.
func (r *Replica) Hold(ctx context.Context, call ident.CallID, on bool) error {
	return r.each(ctx, call, func(v blob.Version) error { return r.Bucket.SetHold(ctx, v, on) })
}

// Held reports whether any of a call's copies is under a legal hold.
func (r *Replica) Held(ctx context.Context, call ident.CallID) (held bool, err error) {
	err = r.each(ctx, call, func(v blob.Version) error {
		l, err := r.Bucket.Lock(ctx, v)
		held = held || l.Hold
		return err
	})
	return held, err
}

// Destroy destroys the copies of a call's keys and returns how many are left: keys are never put into
// the bucket, so that there is nothing to do. What is there is closed for ever with the keys.
func (r *Replica) Destroy(context.Context, ident.CallID) (left int, err error) { return 0, nil }

// each passes every version that the bucket has of a call.
func (r *Replica) each(ctx context.Context, call ident.CallID, do func(blob.Version) error) error {
	dirs, err := r.Folders(ctx, call)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		there, err := r.Bucket.Versions(ctx, dir+"/")
		if err != nil {
			return err
		}
		for _, v := range there {
			if v.Marker {
				continue
			}
			if err := do(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// reader ends with its context.
type reader struct {
	ended func() error
	in    io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ended(); err != nil {
		return 0, err
	}
	return r.in.Read(b)
}
