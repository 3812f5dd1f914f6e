package keep

import (
	"context"
	"errors"
	"fmt"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/retention"
	"jedel/internal/store"
)

// round is one look at everything.
type round struct{ *Keeper }

// Look looks at everything once: it begins what has not begun, does what is due and what a crash has
// left undone, and destroys keys that came back.
func (k *Keeper) Look(ctx context.Context) {
	r := round{k}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{{"begin", r.beginAll}, {"propose", r.proposeAll}, {"resume", r.resumeAll}, {"gone", r.goneAll}} {
		if err := step.do(ctx); err != nil && ctx.Err() == nil {
			k.Log.Warn("keeping", "step", step.what, "err", err)
		}
	}
}

// beginAll begins the keeping of calls that ended without: a crash came between, or nobody was there
// to do it.
func (k round) beginAll(ctx context.Context) error {
	var after ident.CallID
	var errs []error
	for {
		page, err := k.Store.ListUnkept(ctx, after, store.MaxPage)
		if err != nil || len(page) == 0 {
			return errors.Join(append(errs, err)...)
		}
		for _, sum := range page {
			after = sum.Call
			if err := k.Begin(ctx, sum); err != nil {
				errs = append(errs[:min(len(errs), 3)], fmt.Errorf("call %s: %w", sum.Call, err))
			}
		}
	}
}

// proposeAll asks for the deletion of what need not be kept any longer, where the site wants that.
func (k round) proposeAll(ctx context.Context) error {
	if !k.cfg.Propose {
		return nil
	}
	clock := k.clock()
	by := clock.Host
	if clock.Log.Before(by) {
		by = clock.Log
	}
	return k.each(ctx, store.KeepingQuery{Stages: []string{string(retention.Kept)}, By: by}, func(c store.KeptCall) error {
		if c.Held {
			return nil
		}
		_, err := k.Do(ctx, c.Call, retention.ProposeDeletion{By: retention.Scheduler, Reason: "kept until the end of class " + c.Class})
		if code := fault.CodeOf(err); code == fault.OnHold || code == fault.RetentionRunning {
			return nil // since the list was made
		}
		return err
	})
}

// resumeAll does what archives on their way to deletion, and replicas of those under a hold, ask for.
func (k round) resumeAll(ctx context.Context) error {
	do := func(c store.KeptCall) error { return k.resume(ctx, c.Call) }
	var errs []error
	for _, stage := range []retention.Stage{retention.Proposed, retention.Approved, retention.Destroying} {
		n := 0
		errs = append(errs, k.each(ctx, store.KeepingQuery{Stages: []string{string(stage)}}, func(c store.KeptCall) error {
			n++
			if stage == retention.Proposed {
				return nil
			}
			return do(c)
		}))
		k.met.stages.WithLabelValues(string(stage)).Set(float64(n))
	}
	if k.Replica != nil {
		errs = append(errs, k.each(ctx, store.KeepingQuery{Held: true}, do))
	}
	return errors.Join(errs...)
}

// goneAll destroys keys of destroyed archives that are there again: a backup was put back, or another
// node had a copy.
func (k round) goneAll(ctx context.Context) error {
	k.looks++
	if k.looks%goneEvery != 1 {
		return nil
	}
	return k.each(ctx, store.KeepingQuery{Stages: []string{string(retention.Gone)}}, func(c store.KeptCall) error {
		dirs, _, err := k.Archives.Folders(ctx, c.Call)
		if err != nil {
			return err
		}
		n, err := k.copies.wipe(c.Call, dirs)
		err = errors.Join(err, k.Archives.Drop(ctx, c.Call)) // who was playing it meanwhile may have made one more
		if n > 0 {
			k.met.returned.Add(float64(n))
			k.Log.Error("keys of a destroyed archive were there again and are destroyed again", "call", c.Call, "n", n)
		}
		return err
	})
}

// each passes every keeping that a query finds. What fails is passed over and reported at the end.
func (k round) each(ctx context.Context, q store.KeepingQuery, do func(store.KeptCall) error) error {
	q.Limit = store.MaxPage
	var errs []error
	for {
		page, next, err := k.Store.ListKeeping(ctx, q)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, c := range page {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := do(c); err != nil {
				errs = append(errs[:min(len(errs), 3)], fmt.Errorf("call %s: %w", c.Call, err))
			}
		}
		if q.Cursor = next; next == "" {
			return errors.Join(errs...)
		}
	}
}

// resume does what an archive's state asks for. It may be called at any time and again.
func (k *Keeper) resume(ctx context.Context, id ident.CallID) error {
	s, err := k.State(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range retention.Resume(s) {
		switch e := e.(type) {
		case retention.LockReplica:
			if k.Replica != nil {
				err = errors.Join(err, k.Replica.Lock(ctx, id, e.Until))
			}
		case retention.HoldReplica:
			if k.Replica != nil {
				err = errors.Join(err, k.Replica.Hold(ctx, id, e.On))
			}
		case retention.Recheck:
			err = errors.Join(err, destroyer{k}.recheck(ctx, s))
		case retention.DestroyKeys:
			err = errors.Join(err, destroyer{k}.destroy(ctx, s))
		}
	}
	return err
}
