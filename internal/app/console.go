package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"jedel/internal/access"
	"jedel/internal/call"
	"jedel/internal/callctl"
	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/queue"
	"jedel/internal/store"
	"jedel/media"
	"jedel/recorder/evr"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// mayTakeCalls reports whether a member of staff is an operator.
func mayTakeCalls(roles []string) bool {
	return access.May(roles, access.TakeCalls)
}

// dutyKept is how an operator's duty is stored, so that a restart of the gateway does not take
// everybody off the line.
type dutyKept struct {
	State  wire.DutyState `json:"state"`
	Reason string         `json:"reason"`
}

func dutyKey(id ident.StaffID) string { return "duty:" + string(id) }

// setDuty takes what an operator asks to be. During a call it says what comes after it.
func (a *App) setDuty(ctx context.Context, who signaling.Who, b *wire.DutySet) (wire.Body, error) {
	if !mayTakeCalls(who.Roles) {
		return nil, fault.New(fault.Forbidden, "duty.set", nil)
	}
	switch b.State {
	case wire.DutyOff, wire.DutyReady, wire.DutyBusy, wire.DutyPause:
	default:
		return nil, fault.New(fault.BadValue, "duty.set", nil)
	}
	raw, err := json.Marshal(dutyKept{b.State, b.Reason})
	if err != nil {
		return nil, fmt.Errorf("encode duty: %w", err)
	}
	if err := a.db.PutSetting(ctx, dutyKey(who.Staff), raw); err != nil {
		return nil, fault.New(fault.Unavailable, "duty.set", err)
	}
	return &wire.OK{}, a.putOperator(ctx, who, b.State, b.Reason)
}

func (a *App) putOperator(ctx context.Context, who signaling.Who, state wire.DutyState, reason string) error {
	err := a.desk.Line().SetOperator(ctx, queue.Operator{
		ID: who.Staff, Name: a.people.name(who.Staff), Duty: queue.Duty(state), Reason: reason, Linked: true,
	})
	if err != nil {
		return fault.New(fault.Unavailable, "duty.set", err)
	}
	return nil
}

// restoreDuty gives an operator the duty of before: the board's where it knows them, else the
// stored one where the same tab comes back, else off.
func (a *App) restoreDuty(ctx context.Context, who signaling.Who, resumed bool) error {
	if st, ok := a.desk.Line().Snapshot().Standing(who.Staff); ok {
		return a.putOperator(ctx, who, wire.DutyState(st.Duty), st.Reason)
	}
	kept := dutyKept{State: wire.DutyOff}
	if resumed {
		raw, err := a.db.Setting(ctx, dutyKey(who.Staff))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fault.New(fault.Unavailable, "hello", err)
		}
		if err == nil {
			if err := json.Unmarshal(raw, &kept); err != nil {
				a.log.Warn("stored duty", "staff", who.Staff, "err", err)
			}
		}
	}
	return a.putOperator(ctx, who, kept.State, kept.Reason)
}

// ownedCall returns the call of an operator's request, if they own it.
func (a *App) ownedCall(who signaling.Who, id, op string) (call.State, error) {
	s, ok := a.desk.State(ident.CallID(id))
	if !ok || s.Operator != who.Staff {
		return call.State{}, fault.New(fault.NoSuchCall, op, nil)
	}
	return s, nil
}

func (a *App) accept(ctx context.Context, who signaling.Who, b *wire.OfferAccept) (wire.Body, error) {
	id := ident.CallID(b.Call)
	if s, ok := a.desk.State(id); ok && call.KeptForAnswer(s) { // their first words may be here before the answer is durable
		a.node.SetEarly(who.Client, media.Early{Audio: true, Video: true})
	}
	_, err := a.desk.Post(ctx, id, call.Accept{Operator: who.Staff, Epoch: b.Epoch})
	if fault.CodeOf(err) == fault.NoSuchCall {
		err = fault.New(fault.OfferExpired, "offer.accept", err)
	}
	if err != nil {
		a.node.SetEarly(who.Client, media.Early{})
		return &wire.OK{}, err
	}
	a.leaveOthers(ctx, who.Staff, id, "answered")
	return &wire.OK{}, nil
}

func (a *App) reject(ctx context.Context, who signaling.Who, b *wire.OfferReject) (wire.Body, error) {
	_, err := a.desk.Post(ctx, ident.CallID(b.Call), call.Reject{Operator: who.Staff, Epoch: b.Epoch})
	return &wire.OK{}, err
}

func (a *App) hold(ctx context.Context, who signaling.Who, b *wire.CallHold) (wire.Body, error) {
	s, err := a.ownedCall(who, b.Call, "call.hold")
	if err == nil {
		_, err = a.desk.Post(ctx, s.ID, call.SetHold{By: who.Staff, On: b.On})
	}
	return &wire.OK{}, err
}

// transfer lets the call ring at another operator. They are reserved first, so that the queue
// offers them nothing else meanwhile.
func (a *App) transfer(ctx context.Context, who signaling.Who, b *wire.CallTransfer) (wire.Body, error) {
	s, err := a.ownedCall(who, b.Call, "call.transfer")
	if err != nil {
		return nil, err
	}
	to := queue.Assignment{Call: s.ID, Operator: ident.StaffID(b.To)}
	if _, known := a.desk.Line().Snapshot().Standing(to.Operator); !known {
		return nil, fault.New(fault.NoSuchOperator, "call.transfer", nil)
	}
	free, err := a.desk.Line().Reserve(ctx, to)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "call.transfer", err)
	}
	if !free {
		return nil, fault.New(fault.NotReady, "call.transfer", nil)
	}
	if _, err = a.desk.Post(ctx, s.ID, call.Transfer{By: who.Staff, To: to.Operator}); err != nil {
		return nil, errors.Join(err, a.desk.Line().Release(ctx, to))
	}
	return &wire.OK{}, nil
}

func (a *App) wrapUp(ctx context.Context, who signaling.Who, b *wire.CallWrapUp) (wire.Body, error) {
	kind := known(a.cfg.Desk.Categories, b.Category) || slices.ContainsFunc(a.cfg.Cases.Kinds, func(k config.CaseKind) bool { return k.Key == b.Category })
	if !kind || !known(a.cfg.Desk.Outcomes, b.Outcome) {
		return nil, fault.New(fault.BadValue, "call.wrapup", nil)
	}
	_, err := a.desk.Post(ctx, ident.CallID(b.Call), call.Classify{By: who.Staff, Category: b.Category, Outcome: b.Outcome})
	return &wire.OK{}, err
}

func (a *App) callBackDone(ctx context.Context, who signaling.Who, b *wire.CallBackDone) (wire.Body, error) {
	if !mayTakeCalls(who.Roles) {
		return nil, fault.New(fault.Forbidden, "callback.done", nil)
	}
	_, err := a.desk.Post(ctx, ident.CallID(b.Call), call.CallBackMade{By: who.Staff, Outcome: b.Outcome})
	return &wire.OK{}, err
}

// ask passes a wish of the operator on to the caller's page and keeps it.
func (a *App) ask(who signaling.Who, id, op string, news wire.Body) (wire.Body, error) {
	s, err := a.ownedCall(who, id, op)
	if err != nil {
		return nil, err
	}
	if !s.Live() {
		return nil, fault.New(fault.WrongState, op, nil)
	}
	now := time.Now()
	a.keep(s.ID, evr.Event, now, entry{Kind: op, By: a.people.name(who.Staff), AtMs: now.UnixMilli()})
	a.edge.Hub().Send(s.Client, news)
	return &wire.OK{}, nil
}

func (a *App) saveNote(ctx context.Context, who signaling.Who, b *wire.NoteSave) (wire.Body, error) {
	s, err := a.ownedCall(who, b.Call, "note.save")
	if err != nil {
		return nil, err
	}
	if s.Phase == call.Ended {
		return nil, fault.New(fault.WrongState, "note.save", nil)
	}
	c := a.ledger.open(s.ID)
	d := c.dossier
	d.mu.Lock()
	n, same := noteItem{Text: b.Text, Rev: d.noteRev, By: string(who.Staff)}, d.note == b.Text
	d.mu.Unlock()
	if same {
		return &wire.NoteSaved{Rev: n.Rev}, nil
	}
	now := time.Now()
	for taken := true; taken; { // another save may have taken the number
		n.Rev++
		if _, taken, err = a.ledger.put(ctx, s.ID, itemNote, fmt.Sprint(n.Rev), now, n); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	if n.Rev > d.noteRev {
		d.note, d.noteRev = n.Text, n.Rev
	}
	d.mu.Unlock()
	a.keep(s.ID, evr.Event, now, entry{Kind: "note", By: a.people.name(who.Staff), Body: n, AtMs: now.UnixMilli()})
	return &wire.NoteSaved{Rev: n.Rev}, nil
}

// operatorRow is one operator in the list.
func (a *App) operatorRow(o callctl.Standing) wire.OperatorRow {
	row := wire.OperatorRow{
		Staff: string(o.ID), Name: o.Name, State: wire.DutyState(o.State), Reason: o.Reason, SinceMs: millis(o.Since),
	}
	if o.InHand != "" {
		if s, ok := a.desk.State(o.InHand); ok {
			row.Number = s.Number
			if s.Live() && s.Operator == o.ID {
				row.Call = string(s.ID)
			}
		}
		if o.Duty != queue.Ready {
			row.After = wire.DutyState(o.Duty)
		}
	}
	return row
}
