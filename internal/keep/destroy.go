package keep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/retention"
	"jedel/recorder/verify"
)

var errUnsealed = errors.New("the archive is not sealed yet")

// destroyer carries approved deletions out.
type destroyer struct{ *Keeper }

// recheck looks for the last time whether an approved deletion may take place, and begins it.
func (k destroyer) recheck(ctx context.Context, s retention.State) error {
	dirs, ours, err := k.Archives.Folders(ctx, s.Call)
	if err != nil || !ours {
		return err // the node that has it does it
	}
	if _, sealed := k.copies.roots(dirs); len(dirs) > 0 && !sealed {
		return errUnsealed
	}
	held := false
	if k.Replica != nil {
		if held, err = k.Replica.Held(ctx, s.Call); err != nil {
			return fmt.Errorf("holds of the replica: %w", err)
		}
	}
	s, err = k.decide(ctx, s.Call, retention.Destroy{HeldElsewhere: held}, nil)
	switch code := fault.CodeOf(err); code {
	case "":
	case fault.OnHold, fault.ClockUnsure, fault.RetentionRunning, fault.TooEarly, fault.WrongState:
		k.Log.Warn("an approved deletion does not take place now", "call", s.Call, "code", code)
		return nil // the next look at everything asks again
	default:
		return err
	}
	if s.Stage != retention.Destroying {
		return nil
	}
	return k.destroy(ctx, s)
}

// destroy destroys the keys of an archive. Every step may be done again:
//
//  1. say in the site's log who asked, who approved, and the root of what is destroyed
//  2. keep the proof of that statement with what stays   killed here: said twice, which is no lie
//  3. write over and remove each copy of each key        killed here: the rest is found again
//  4. forget what was derived and what the store has
//  5. destroy the copies of the replica
//  6. remove the segments, where the class says so       only with the proof beside them
//  7. record that no key is left
func (k destroyer) destroy(ctx context.Context, s retention.State) error {
	dirs, ours, err := k.Archives.Folders(ctx, s.Call)
	if err != nil || !ours {
		return err
	}
	roots, _ := k.copies.roots(dirs)
	if err := k.finish(ctx, s, dirs, roots); err != nil {
		k.met.failed.Inc()
		return err
	}
	delete(k.said, s.Call)
	k.met.destroyed.Inc()
	k.Log.Info("keys of an archive were destroyed", "call", s.Call)
	return nil
}

func (k destroyer) finish(ctx context.Context, s retention.State, dirs []string, roots string) error {
	if err := k.tell(ctx, s, dirs, roots); err != nil { // 1, 2
		return err
	}
	left, err := k.unlock(ctx, s, dirs) // 3, 4, 5
	if err == nil && left == 0 && k.cfg.Erase[s.Class] {
		err = k.copies.erase(dirs) // 6
	}
	if err != nil {
		return err
	}
	return k.quiet(ctx, s.Call, retention.KeysDestroyed{Left: left, Root: roots}) // 7
}

// tell makes the destruction known. It is durable in the site's log when tell returns nil, and its
// proof lies in every folder.
func (k destroyer) tell(ctx context.Context, s retention.State, dirs []string, roots string) error {
	said, ok := k.said[s.Call]
	if !ok {
		d := *s.Deletion
		detail, err := json.Marshal(destruction{
			By: d.By, Approver: d.Approver, Class: s.Class, Root: roots, Segments: k.segments(s.Class), Reason: d.Reason,
			Asked: d.At.Format(time.RFC3339), Approved: d.ApprovedAt.Format(time.RFC3339),
		})
		if err == nil {
			said, err = k.Book.Write(ctx, Line{Who: retention.Scheduler, Action: "destroy", Call: s.Call, Detail: string(detail)})
		}
		if err != nil {
			return err
		}
		k.said[s.Call] = said
	}
	raw, err := k.Book.Prove(ctx, said)
	if err != nil {
		return fmt.Errorf("proof of the destruction: %w", err)
	}
	for _, dir := range dirs {
		if err := errors.Join(k.copies.disk.MkdirAll(dir+"/proofs"), k.copies.disk.Replace(dir+"/"+verify.DestroyedProof, raw)); err != nil {
			return fmt.Errorf("proof of the destruction: %w", err)
		}
	}
	return nil
}

// segments is what becomes of the segments of a class.
func (k destroyer) segments(class string) string {
	if k.cfg.Erase[class] {
		return "delete"
	}
	return "keep"
}

// unlock destroys what opens an archive and what was made of it, and returns how many copies of keys
// are left.
func (k destroyer) unlock(ctx context.Context, s retention.State, dirs []string) (left int, err error) {
	if _, err := k.copies.wipe(s.Call, dirs); err != nil {
		return 0, err
	}
	if err := errors.Join(k.Archives.Drop(ctx, s.Call), k.Store.ForgetCall(ctx, s.Call)); err != nil {
		return 0, err
	}
	if k.Replica != nil {
		if left, err = k.Replica.Destroy(ctx, s.Call); err != nil {
			return left, fmt.Errorf("replica: %w", err)
		}
	}
	return left + k.copies.left(s.Call, dirs), nil
}

// Gone refuses what can be done no more with an archive whose keys are destroyed or about to be.
func (k *Keeper) Gone(ctx context.Context, id ident.CallID) error {
	s, err := k.State(ctx, id)
	if err != nil {
		return err
	}
	if s.Stage == retention.Destroying || s.Stage == retention.Gone {
		return fault.New(fault.Destroyed, "evidence", nil)
	}
	return nil
}
