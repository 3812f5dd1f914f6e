package app

import (
	"context"
	"errors"
	"fmt"

	"jedel/internal/access"
	"jedel/internal/call"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/queue"
	"jedel/internal/store"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// guestPart returns what a member of staff may be in a call that is not theirs: a supervisor in
// every call, a patrol in the calls of the case that it is assigned to.
func (a *App) guestPart(ctx context.Context, who signaling.Who, id ident.CallID, op string) (call.Part, error) {
	if access.May(who.Roles, access.Listen) {
		return call.Supervisor, nil
	}
	if !access.May(who.Roles, access.PatrolDuty) {
		return "", fault.New(fault.Forbidden, op, nil)
	}
	ok, err := a.assigned(ctx, who.Staff, id)
	switch {
	case err != nil:
		return "", fault.New(fault.Unavailable, op, err)
	case !ok:
		return "", fault.New(fault.NoSuchCall, op, nil)
	}
	return call.Patrol, nil
}

// assigned reports whether a patrol is assigned to the case of a call now.
func (a *App) assigned(ctx context.Context, staff ident.StaffID, id ident.CallID) (bool, error) {
	p, err := a.db.PatrolByID(ctx, staff)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.Case == "" {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("patrol: %w", err)
	}
	c, err := a.db.CaseOf(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("case: %w", err)
	}
	return c == p.Case, nil
}

// joinCall brings a guest into a call that runs here. It is durable before anything is routed.
func (a *App) joinCall(ctx context.Context, who signaling.Who, b *wire.CallJoin) (wire.Body, error) {
	const op = "call.join"
	id := ident.CallID(b.Call)
	part, err := a.guestPart(ctx, who, id, op)
	if err != nil {
		return nil, err
	}
	if _, ok := a.desk.State(id); !ok {
		return nil, fault.New(fault.NoSuchCall, op, nil)
	}
	if a.occupied(who.Staff, id) {
		return nil, fault.New(fault.NotReady, op, nil)
	}
	s, err := a.desk.Post(ctx, id, call.Join{Staff: who.Staff, Name: a.people.name(who.Staff), As: part, Mode: call.Mode(b.Mode)})
	if err != nil {
		return nil, err
	}
	a.leaveOthers(ctx, who.Staff, id, "other_call")
	a.people.visit(who.Staff, id)
	a.hands.put(job{state: s, effect: call.Route{}})
	return &wire.CallJoined{View: a.guestView(s, who.Staff)}, nil
}

// occupied reports whether a call other than id rings at staff, or is theirs and live.
func (a *App) occupied(staff ident.StaffID, id ident.CallID) bool {
	standing, ok := a.desk.Line().Snapshot().Standing(staff)
	if !ok || standing.InHand == "" || standing.InHand == id {
		return false
	}
	s, ok := a.desk.State(standing.InHand)
	return ok && (s.Live() || s.Waiting())
}

// ownsCall reports whether a member of staff has a call in hand, whatever the queue knows of them.
func (a *App) ownsCall(staff ident.StaffID) bool {
	for id := range a.ledger.all() {
		if s, ok := a.desk.State(id); ok && s.Operator == staff && (s.Live() || s.Phase == call.WrapUp) {
			return true
		}
	}
	return false
}

// leaveOthers takes a member of staff out of every call but one: a page has one ear.
func (a *App) leaveOthers(ctx context.Context, staff ident.StaffID, but ident.CallID, why string) {
	for id := range a.ledger.all() {
		s, ok := a.desk.State(id)
		if _, in := s.Guest(staff); !ok || !in || id == but {
			continue
		}
		if _, err := a.desk.Post(ctx, id, call.Leave{Staff: staff, Why: why}); err != nil {
			a.log.Warn("a guest stays in another call, unheard", "call", id, "staff", staff, "err", err)
		}
	}
}

func (a *App) guestMode(ctx context.Context, who signaling.Who, b *wire.CallMode) (wire.Body, error) {
	id := ident.CallID(b.Call)
	if b.Mode != wire.GuestListen { // nobody is kept from falling silent
		if _, err := a.guestPart(ctx, who, id, "call.mode"); err != nil {
			return nil, err
		}
	}
	if _, ok := a.desk.State(id); !ok {
		return nil, fault.New(fault.NoSuchCall, "call.mode", nil)
	}
	_, err := a.desk.Post(ctx, id, call.SetMode{Staff: who.Staff, Mode: call.Mode(b.Mode)})
	return &wire.OK{}, err
}

func (a *App) leaveCall(ctx context.Context, who signaling.Who, b *wire.CallLeave) (wire.Body, error) {
	id := ident.CallID(b.Call)
	if _, ok := a.desk.State(id); !ok {
		return &wire.OK{}, nil // it is over
	}
	_, err := a.desk.Post(ctx, id, call.Leave{Staff: who.Staff, Why: "left"})
	return &wire.OK{}, err
}

// takeOver makes a supervisor the owner of a call. The queue has to know them, so that their link
// is watched and nothing else rings at them.
func (a *App) takeOver(ctx context.Context, who signaling.Who, b *wire.CallTakeOver) (wire.Body, error) {
	const op = "call.take_over"
	if !access.May(who.Roles, access.Listen) {
		return nil, fault.New(fault.Forbidden, op, nil)
	}
	to := queue.Assignment{Call: ident.CallID(b.Call), Operator: who.Staff}
	s, ok := a.desk.State(to.Call)
	if !ok {
		return nil, fault.New(fault.NoSuchCall, op, nil)
	}
	if s.Live() && s.Operator == who.Staff {
		return &wire.OK{}, nil
	}
	if err := a.holdFree(ctx, who, to); err != nil {
		return nil, err
	}
	if _, err := a.desk.Post(ctx, to.Call, call.TakeOver{By: who.Staff}); err != nil {
		return nil, errors.Join(err, a.desk.Line().Release(ctx, to))
	}
	a.leaveOthers(ctx, who.Staff, to.Call, "answered")
	return &wire.OK{}, nil
}

// holdFree makes sure that the queue knows a supervisor who takes a call over, that they have no
// other call in hand, and that none comes before this one.
func (a *App) holdFree(ctx context.Context, who signaling.Who, to queue.Assignment) error {
	const op = "call.take_over"
	standing, known := a.desk.Line().Snapshot().Standing(who.Staff)
	if !known {
		return a.putOperator(ctx, who, wire.DutyOff, "")
	}
	if standing.Duty == queue.Ready {
		free, err := a.desk.Line().Reserve(ctx, to)
		if err != nil {
			return fault.New(fault.Unavailable, op, err)
		}
		if free {
			return nil
		}
	}
	if standing.Duty == queue.Ready || standing.InHand != "" {
		return fault.New(fault.NotReady, op, nil)
	}
	return nil
}

// guestOf returns the call in which a member of staff is a guest, for a page that has just come.
func (a *App) guestOf(staff ident.StaffID) *wire.GuestView {
	for id := range a.ledger.all() {
		s, ok := a.desk.State(id)
		if _, in := s.Guest(staff); ok && in && a.visits(staff, id) {
			v := a.guestView(s, staff)
			a.hands.put(job{state: s, effect: call.Route{}}) // the page may have another name now
			return &v
		}
	}
	return nil
}

// visits reports whether a guest's page belongs to a call: to the newest that they joined. After
// a restart it is the one they are found in.
func (a *App) visits(staff ident.StaffID, id ident.CallID) bool {
	now := a.people.visiting(staff)
	if now == id {
		return true
	}
	if s, ok := a.desk.State(now); ok {
		if _, in := s.Guest(staff); in {
			return false
		}
	}
	a.people.visit(staff, id)
	return true
}

// guestView is a call as one of its guests sees it, or as one who was.
func (a *App) guestView(s call.State, staff ident.StaffID) wire.GuestView {
	v := wire.GuestView{
		Call: string(s.ID), Number: s.Number, Kind: wire.CallKind(s.Kind), Phase: wire.Phase(s.Phase), Rev: s.Version,
		Operator: a.people.name(s.Operator), Guests: guestRows(s),
	}
	if g, in := s.Guest(staff); in {
		v.As, v.Mode = string(g.As), wire.GuestMode(g.Mode)
	}
	if c := a.ledger.get(s.ID); c != nil {
		c.dossier.mu.Lock()
		v.Recording = c.dossier.record
		c.dossier.mu.Unlock()
	}
	return v
}

// guestRows lists the guests of a call, as everybody but the caller sees them.
func guestRows(s call.State) []wire.GuestRow {
	out := []wire.GuestRow{}
	for _, g := range s.Guests {
		out = append(out, wire.GuestRow{
			Staff: string(g.Staff), Name: g.Name, As: string(g.As), Mode: wire.GuestMode(g.Mode), SinceMs: millis(g.Since), Link: g.Gone.IsZero(),
		})
	}
	return out
}

// companions lists the guests whom the caller hears.
func companions(s call.State) []wire.Companion {
	var out []wire.Companion
	for _, l := range call.Routes(s) {
		if g, in := s.Guest(l.From); in && l.To == call.Caller && !l.Picture {
			out = append(out, wire.Companion{Name: g.Name, As: string(g.As)})
		}
	}
	return out
}
