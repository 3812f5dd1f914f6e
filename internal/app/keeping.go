package app

import (
	"context"
	"errors"
	"time"

	"jedel/internal/access"
	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/retention"
	"jedel/internal/store"
	"jedel/signaling"
)

// keeping answers who asks how long recordings are kept.
type keeping struct{ a *App }

// State implements signaling.Keeping.
func (k keeping) State(ctx context.Context, who signaling.Who, id ident.CallID) (signaling.KeepingState, error) {
	s, err := k.a.keeper.State(ctx, id)
	if err != nil {
		return signaling.KeepingState{}, err
	}
	return k.shown(ctx, who, id, s)
}

// Do implements signaling.Keeping.
func (k keeping) Do(ctx context.Context, who signaling.Who, id ident.CallID, ev retention.Event) (signaling.KeepingState, error) {
	s, err := k.a.keeper.Do(ctx, id, ev)
	if err != nil {
		return signaling.KeepingState{}, err
	}
	return k.shown(ctx, who, id, s)
}

// Refuse implements signaling.Keeping.
func (k keeping) Refuse(ctx context.Context, id ident.CallID, ev retention.Event) error {
	return k.a.keeper.Refuse(ctx, id, ev)
}

// Gone implements signaling.Keeping.
func (k keeping) Gone(ctx context.Context, id ident.CallID) error { return k.a.keeper.Gone(ctx, id) }

// shown is a state as somebody sees it.
func (k keeping) shown(ctx context.Context, who signaling.Who, id ident.CallID, s retention.State) (signaling.KeepingState, error) {
	sum, _, err := k.a.db.LoadCall(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return signaling.KeepingState{}, fault.New(fault.NoSuchCall, "keeping", nil)
	case err != nil:
		return signaling.KeepingState{}, fault.New(fault.Unavailable, "keeping", err)
	case s.Stage == retention.Unknown: // the call is not over yet
		s.Stage, s.Class, s.Opened = retention.Kept, k.a.cfg.Retention.Default, sum.CreatedAt
		s.Until = k.a.cfg.Retention.Policy().Classes[s.Class].After(s.Opened)
	}
	out := signaling.KeepingState{
		Call: string(id), Number: sum.Number, Stage: string(s.Stage), Class: s.Class, ClassWords: k.words(s.Class), OpenedMs: millis(s.Opened),
		UntilMs: millis(s.Until), Holds: []signaling.KeepingHold{}, Root: s.Root, May: k.may(who, s),
	}
	for _, h := range s.Holds {
		out.Holds = append(out.Holds, signaling.KeepingHold{ID: string(h.ID), By: k.a.people.name(h.By), Case: h.Case, Reason: h.Reason, AtMs: millis(h.At)})
	}
	if w := s.Shorter; w != nil {
		out.Shorter = &signaling.KeepingShorter{By: k.a.people.name(w.By), UntilMs: millis(w.Until), Reason: w.Reason, Class: w.Class, Mine: w.By == who.Staff}
	}
	if d := s.Deletion; d != nil {
		out.Deletion = &signaling.KeepingDeletion{By: k.a.people.name(d.By), Reason: d.Reason, AtMs: millis(d.At), Approver: k.a.people.name(d.Approver), ApprovedMs: millis(d.ApprovedAt), Mine: d.By == who.Staff}
		if s.Stage == retention.Proposed {
			out.Deletion.FromMs = millis(d.At.Add(k.a.cfg.Retention.Wait))
		}
	}
	if s.Stage == retention.Gone {
		out.EndedMs = millis(s.At)
	}
	return out, nil
}

// may tells what somebody may do with an archive now, and what refuses the rest.
func (k keeping) may(who signaling.Who, s retention.State) map[string]string {
	until, by := s.Until, who.Staff
	confirm := retention.ConfirmShortening{By: by}
	if s.Shorter != nil {
		confirm.Until = s.Shorter.Until
	}
	acts := []struct {
		name string
		of   access.Action
		ev   retention.Event
	}{
		{"hold", access.Hold, retention.PlaceHold{ID: "?", By: by, Case: "?", Reason: "?"}},
		{"extend", access.Extend, retention.Extend{By: by, Until: until.Add(time.Hour), Reason: "?"}},
		{"shorten", access.Delete, retention.Shorten{By: by, Until: until.Add(-time.Millisecond), Reason: "?"}},
		{"confirm", access.Delete, confirm},
		{"withdraw", access.Object, retention.WithdrawShortening{By: by}},
		{"request", access.Delete, retention.ProposeDeletion{By: by, Reason: "?"}},
		{"approve", access.Delete, retention.ApproveDeletion{By: by}},
		{"cancel", access.Object, retention.CancelDeletion{By: by, Reason: "?"}},
	}
	out := map[string]string{}
	for _, a := range acts {
		if access.May(who.Roles, a.of) {
			out[a.name] = string(k.a.keeper.Ask(s, a.ev))
		}
	}
	return out
}

// words is what a class is called.
func (k keeping) words(class string) signaling.Words {
	for _, c := range k.a.cfg.Retention.Classes {
		if c.Key == class {
			return keepingWords(c.Words)
		}
	}
	return signaling.Words{KK: class, RU: class, EN: class} // of an earlier configuration
}

func keepingWords(t config.Text) signaling.Words {
	return signaling.Words{KK: t.KK, RU: t.RU, EN: t.EN}
}

// dueWithin is how far ahead the list of what is due looks.
const dueWithin = 30 * 24 * time.Hour

// List implements signaling.Keeping.
func (k keeping) List(ctx context.Context, list signaling.KeepingList, cursor string) ([]signaling.KeepingRow, string, error) {
	q := store.KeepingQuery{Cursor: cursor}
	switch list {
	case signaling.KeepingHeld:
		q.Held = true
	case signaling.KeepingPending:
		q.Stages = []string{string(retention.Proposed), string(retention.Approved), string(retention.Destroying)}
	case signaling.KeepingDue:
		q.Stages, q.By = []string{string(retention.Kept)}, time.Now().Add(dueWithin)
	case signaling.KeepingGone:
		q.Stages = []string{string(retention.Gone)}
	}
	found, next, err := k.a.db.ListKeeping(ctx, q)
	if errors.Is(err, store.ErrCursor) {
		return nil, "", fault.New(fault.BadValue, "keeping.list", err)
	}
	if err != nil {
		return nil, "", fault.New(fault.Unavailable, "keeping.list", err)
	}
	rows := []signaling.KeepingRow{}
	for _, c := range found {
		rows = append(rows, signaling.KeepingRow{
			Call: string(c.Call), Number: c.Number, CreatedMs: millis(c.CreatedAt), Stage: c.Stage, ClassWords: k.words(c.Class), UntilMs: millis(c.Until), Held: c.Held,
		})
	}
	return rows, next, nil
}
