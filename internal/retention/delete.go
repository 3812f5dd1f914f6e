package retention

import (
	"time"

	"jedel/internal/fault"
)

// deletable returns the code that forbids a deletion now, if any: it is asked at every step.
func (s State) deletable(now Clock) fault.Code {
	switch {
	case s.Held():
		return fault.OnHold
	case !now.sure(s.At):
		return fault.ClockUnsure
	case now.early().Before(s.Until):
		return fault.RetentionRunning
	}
	return ""
}

func proposeDeletion(s State, now Clock, e ProposeDeletion) (Record, []Effect, error) {
	const op = "retention.delete"
	switch {
	case e.By != Scheduler && !person(e.By):
		return refuse(fault.Forbidden, op)
	case !said(e.Reason):
		return refuse(fault.BadValue, op)
	case s.Stage == Destroying || s.Stage == Gone:
		return refuse(fault.BeingDestroyed, op)
	case s.Stage != Kept && (e.By == Scheduler || s.Stage == Proposed && s.Deletion.By == e.By):
		return nothing() // on its way already
	case s.Stage != Kept:
		return refuse(fault.WrongState, op)
	}
	if code := s.deletable(now); code != "" {
		return refuse(code, op)
	}
	return record(now.stamp(s.At), DeletionProposed{By: e.By, Reason: e.Reason})
}

func approveDeletion(p Policy, s State, now Clock, e ApproveDeletion) (Record, []Effect, error) {
	const op = "retention.delete.approve"
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, op)
	case s.Stage == Destroying || s.Stage == Gone:
		return refuse(fault.BeingDestroyed, op)
	case s.Held():
		return refuse(fault.OnHold, op)
	case s.Stage == Approved && s.Deletion.Approver == e.By:
		return nothing()
	case s.Stage != Proposed:
		return refuse(fault.WrongState, op)
	case s.Deletion.By == e.By:
		return refuse(fault.SecondPerson, op)
	}
	if code := s.deletable(now); code != "" {
		return refuse(code, op)
	}
	if now.early().Before(s.Deletion.At.Add(p.wait())) {
		return refuse(fault.TooEarly, op)
	}
	return record(now.stamp(s.At), DeletionApproved{By: e.By}, Recheck{})
}

func cancelDeletion(s State, at time.Time, e CancelDeletion) (Record, []Effect, error) {
	const op = "retention.delete.cancel"
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, op)
	case s.Stage == Kept:
		return nothing()
	case !said(e.Reason):
		return refuse(fault.BadValue, op)
	}
	return record(at, DeletionCancelled{By: e.By, Reason: e.Reason})
}

// destroy is the last moment at which a deletion can be stopped. Nothing of what was checked
// before is believed.
func destroy(p Policy, s State, now Clock, e Destroy) (Record, []Effect, error) {
	const op = "retention.destroy"
	switch {
	case s.Stage == Destroying:
		return Record{}, []Effect{DestroyKeys{}}, nil
	case s.Stage == Gone:
		return nothing()
	case s.Stage != Approved:
		return refuse(fault.WrongState, op)
	case e.HeldElsewhere:
		return refuse(fault.OnHold, op)
	case s.Deletion.By == s.Deletion.Approver || !person(s.Deletion.Approver):
		return refuse(fault.SecondPerson, op)
	}
	if code := s.deletable(now); code != "" {
		return refuse(code, op)
	}
	if now.early().Before(s.Deletion.At.Add(p.wait())) {
		return refuse(fault.TooEarly, op)
	}
	return record(now.stamp(s.At), DestructionBegun{}, DestroyKeys{})
}

func keysDestroyed(s State, at time.Time, e KeysDestroyed) (Record, []Effect, error) {
	const op = "retention.destroyed"
	switch {
	case s.Stage == Gone:
		return nothing()
	case s.Stage != Destroying:
		return refuse(fault.WrongState, op)
	case e.Left != 0:
		return refuse(fault.KeysRemain, op)
	case len(e.Root) > MaxText:
		return refuse(fault.BadValue, op)
	}
	return record(at, Destroyed{Root: e.Root})
}
