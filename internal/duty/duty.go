// Package duty carries out the rules of shifts (internal/shift) over the store, and joins them with
// the cases that people hand over to each other. It has no goroutine: nodes share the store, and who
// was slower reads again.
package duty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/shift"
	"jedel/internal/store"
)

// tries is how often a decision is made anew because another writer was first. Rosters are written
// by a few people: more than two at once is an accident.
const tries = 8

// Journal keeps what was decided.
type Journal interface {
	// ShiftState returns the state of the last record and its version; 0 before the first.
	ShiftState(ctx context.Context) (state []byte, version uint64, err error)
	// AppendShift keeps a record and the state it leads to, durably, or store.ErrConflict.
	AppendShift(ctx context.Context, version uint64, at time.Time, record, state []byte) error
}

// Cases are those that people have in hand.
type Cases interface {
	// Held returns the open cases that somebody owns.
	Held(ctx context.Context) ([]shift.Held, error)
	// HandOver offers a case of owner's to somebody, or takes the offer back where to is empty.
	HandOver(ctx context.Context, id ident.CaseID, owner, to ident.StaffID) error
	// Answer is what whom it was offered to says.
	Answer(ctx context.Context, id ident.CaseID, by ident.StaffID, accept bool) error
}

// Desk is who is on duty, and what they hand over. It is safe for concurrent use.
type Desk struct {
	journal Journal
	cases   Cases // nil: there are none
	now     func() time.Time
}

// New returns the desk of a journal. cases may be nil.
func New(j Journal, cases Cases) *Desk { return &Desk{j, cases, time.Now} }

// State returns how it stands now.
func (d *Desk) State(ctx context.Context) (shift.State, error) {
	raw, version, err := d.journal.ShiftState(ctx)
	if err != nil {
		return shift.State{}, fault.New(fault.Unavailable, "shift", err)
	}
	if version == 0 {
		return shift.State{}, nil
	}
	var s shift.State
	if err := json.Unmarshal(raw, &s); err != nil || s.Version != version {
		return s, fmt.Errorf("shift state %d of version %d: %w", s.Version, version, err)
	}
	return s, nil
}

// Do decides about an event and returns the state it leads to; it is durable then.
func (d *Desk) Do(ctx context.Context, ev shift.Event) (shift.State, error) {
	for range tries {
		s, err := d.State(ctx)
		if err != nil {
			return s, err
		}
		r, err := shift.Decide(s, d.now(), ev)
		if err != nil {
			return s, err
		}
		s = shift.Apply(s, r)
		record, err := shift.Encode(r)
		if err != nil {
			return s, err
		}
		state, err := json.Marshal(s)
		if err != nil {
			return s, fmt.Errorf("encode shift state: %w", err)
		}
		switch err := d.journal.AppendShift(ctx, r.Version, r.At, record, state); {
		case err == nil:
			return s, nil
		case !errors.Is(err, store.ErrConflict):
			return s, fault.New(fault.Unavailable, "shift", err)
		}
	}
	return shift.State{}, fault.Newf(fault.Unavailable, "shift", "%d others were faster", tries)
}

// MayAct refuses what somebody does to a case of owner's after their shift: shift_over.
func (d *Desk) MayAct(ctx context.Context, staff, owner ident.StaffID) error {
	s, err := d.State(ctx)
	if err != nil {
		return err
	}
	return s.MayAct(staff, owner, d.now())
}

// Held returns the open cases that somebody owns.
func (d *Desk) Held(ctx context.Context) ([]shift.Held, error) {
	if d.cases == nil {
		return nil, nil
	}
	return d.cases.Held(ctx)
}

// Give offers cases one by one and returns those that were offered. The first that is refused ends
// it: what was offered before stays offered, and its owner keeps each until it is accepted.
func (d *Desk) Give(ctx context.Context, h shift.Hand) ([]ident.CaseID, error) {
	s, err := d.State(ctx)
	if err != nil {
		return nil, err
	}
	held, err := d.Held(ctx)
	if err != nil {
		return nil, err
	}
	owners := map[ident.CaseID]shift.Held{}
	for _, c := range held {
		owners[c.Case] = c
	}
	var done []ident.CaseID
	for _, id := range h.Cases {
		c, ok := owners[id]
		if !ok {
			return done, fault.New(fault.NoSuchCase, "shift.give", nil)
		}
		if err := s.MayGive(h.By, c.Owner, h.To, h.Manages(c.Unit), d.now()); err != nil {
			return done, err
		}
		if err := d.cases.HandOver(ctx, id, c.Owner, h.To); err != nil {
			return done, err
		}
		done = append(done, id)
	}
	return done, nil
}

// Answer takes a case that was offered, or declines it. Declining needs no duty.
func (d *Desk) Answer(ctx context.Context, by ident.StaffID, id ident.CaseID, accept bool) error {
	if d.cases == nil {
		return fault.New(fault.NoSuchCase, "shift.answer", nil)
	}
	s, err := d.State(ctx)
	if err != nil {
		return err
	}
	if accept {
		if err := s.MayAccept(by, d.now()); err != nil {
			return err
		}
	}
	return d.cases.Answer(ctx, id, by, accept)
}
