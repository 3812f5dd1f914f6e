package callctl

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"jedel/internal/call"
	"jedel/internal/fault"
	"jedel/internal/store"
)

const (
	// appendTime bounds one append to the journal. Longer leaves the caller without a word,
	// shorter calls a busy disk broken.
	appendTime = 10 * time.Second
	// reloadPause is the first pause between attempts to reload a call whose last append is
	// unknown; it doubles up to reloadPauseMax.
	reloadPause    = 100 * time.Millisecond
	reloadPauseMax = 3 * time.Second
	// repeats bounds how often one event is decided again after a reload.
	repeats = 3
)

// actor is one call. Its goroutine alone writes the state.
type actor struct {
	desk  *Desk
	inbox chan letter
	done  chan struct{} // closed when the goroutine has ended
	seen  atomic.Pointer[call.State]

	// Owned by the goroutine.
	state call.State
	ref   string
	begin []call.Effect // to be carried out first
}

type letter struct {
	ev    call.Event
	reply chan error
}

func newActor(d *Desk, s call.State, ref string, begin []call.Effect) *actor {
	a := &actor{desk: d, inbox: make(chan letter), done: make(chan struct{}), state: s, ref: ref, begin: begin}
	a.seen.Store(&s)
	return a
}

// post lets ev happen and waits for the outcome.
func (a *actor) post(ctx context.Context, ev call.Event) error {
	reply := make(chan error, 1)
	select {
	case a.inbox <- letter{ev, reply}:
		return <-reply
	case <-a.done:
		return errGone
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "call", ctx.Err())
	}
}

// runActor is the loop of one call. It ends with ctx, when the call is over and owes nothing, or
// when another node owns it.
func (d *Desk) runActor(ctx context.Context, a *actor) {
	defer func() {
		d.forget(a)
		close(a.done)
	}()
	a.show(ctx, call.Record{})
	for _, e := range a.begin {
		d.cfg.Doer.Do(a.state, e)
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !a.over() {
		timer.Reset(a.untilDeadline())
		var err error
		select {
		case l := <-a.inbox:
			err = a.safeStep(ctx, l.ev)
			l.reply <- public(err)
		case <-timer.C:
			err = a.safeStep(ctx, call.Tick{})
		case <-ctx.Done():
			return
		}
		if errors.Is(err, store.ErrFenced) {
			d.cfg.Log.Warn("another node owns the call", "call", a.state.ID)
			return
		}
	}
}

// over reports whether nothing more can happen but what a revived actor could do as well.
func (a *actor) over() bool {
	return a.state.Phase == call.Ended && a.state.Closing.CallBack != call.CallBackPending
}

func (a *actor) untilDeadline() time.Duration {
	at := a.state.Deadline()
	if at.IsZero() {
		return time.Hour
	}
	return max(0, time.Until(at))
}

// public keeps refusals and hides everything else behind unavailable.
func public(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.New(fault.Unavailable, "call", err)
}

// safeStep is step; a broken invariant costs this call a reload and nobody else anything.
func (a *actor) safeStep(ctx context.Context, ev call.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.desk.met.panics.Inc()
			a.desk.cfg.Log.Error("panic in a call", "call", a.state.ID, "err", fmt.Sprint(p))
			err = errors.Join(fmt.Errorf("panic: %v", p), a.reload(ctx))
		}
	}()
	return a.step(ctx, ev)
}

// step decides, records, applies, acts. An append of unknown outcome is followed by a reload and
// the same event again: what was recorded after all then counts as a repetition.
func (a *actor) step(ctx context.Context, ev call.Event) error {
	for try := 0; ; try++ {
		rec, effects, err := call.Decide(a.state, time.Now(), ev)
		if err != nil || rec.Fact == nil {
			return err
		}
		next := call.Apply(a.state, rec)
		err = a.append(ctx, next, rec)
		if err == nil {
			a.state = next
			a.show(ctx, rec)
			for _, e := range effects {
				a.desk.cfg.Doer.Do(a.state, e)
			}
			return nil
		}
		if errors.Is(err, store.ErrFenced) || try == repeats {
			return err
		}
		a.desk.met.unknown.Inc()
		a.desk.cfg.Log.Warn("append outcome unknown", "call", a.state.ID, "err", err)
		if err := a.reload(ctx); err != nil {
			return err
		}
	}
}

func (a *actor) append(ctx context.Context, next call.State, rec call.Record) error {
	stored, err := storedRecord(next, rec)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, appendTime)
	defer cancel()
	sum := a.desk.summary(next)
	sum.Ref = a.ref
	begin := time.Now()
	err = a.desk.cfg.Journal.AppendCall(ctx, a.desk.cfg.Owner, a.state.Version, stored, sum)
	a.desk.met.append.Observe(time.Since(begin).Seconds())
	if err != nil {
		return fmt.Errorf("append %s: %w", stored.Kind, err)
	}
	return nil
}

// reload takes the state from the journal, however long that takes.
func (a *actor) reload(ctx context.Context) error {
	pause := reloadPause
	for {
		s, _, err := a.desk.load(ctx, a.state.ID)
		if err == nil {
			a.state = s
			a.show(ctx, call.Record{})
			for _, e := range call.Resume(s) {
				a.desk.cfg.Doer.Do(s, e)
			}
			return nil
		}
		a.desk.cfg.Log.Warn("reload", "call", a.state.ID, "err", err)
		select {
		case <-time.After(pause/2 + rand.N(pause/2)):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(2*pause, reloadPauseMax)
	}
}

// show publishes the state: to readers, to the queue, to those who draw it.
func (a *actor) show(ctx context.Context, rec call.Record) {
	s := a.state
	a.seen.Store(&s)
	if !s.Open() {
		a.desk.closeClient(s)
	}
	a.desk.met.observe(s, rec)
	a.desk.line.observe(ctx, s, rec)
	a.desk.cfg.Doer.Changed(s, rec)
}

// closeClient forgets which call the caller's tab has open.
func (d *Desk) closeClient(s call.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byClient[s.Client] == s.ID {
		delete(d.byClient, s.Client)
	}
}
