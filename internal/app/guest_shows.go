package app

import (
	"context"
	"time"

	"jedel/internal/access"
	"jedel/internal/call"
	"jedel/internal/ident"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// shown is how a call was shown last, and to whom.
type shown struct {
	state  call.State
	guests []ident.StaffID
	view   wire.CallView // the caller's
}

// showGuests shows a call to its guests, and to those who are guests no more why that is.
func (a *App) showGuests(s call.State, rec call.Record, before []ident.StaffID) []ident.StaffID {
	var now []ident.StaffID
	for _, g := range s.Guests {
		now = append(now, g.Staff)
		a.sendStaff(g.Staff, &wire.GuestState{View: a.guestView(s, g.Staff)})
	}
	for _, staff := range before {
		if _, in := s.Guest(staff); in {
			continue
		}
		v := a.guestView(s, staff)
		v.Why = "ended"
		if f, ok := rec.Fact.(call.GuestGone); ok && f.Staff == staff {
			v.Why = f.Why
		} else if s.Operator == staff {
			v.Why = "owner"
		}
		a.sendStaff(staff, &wire.GuestState{View: v})
	}
	return now
}

// moved tells an operator that their call has another owner now.
func (a *App) moved(s call.State, rec call.Record, c *openCall, old ident.StaffID) {
	card := c.dossier.card(s, a.people.name(s.Operator))
	card.Phase, card.EndReason = wire.PhaseEnded, "moved"
	if _, taken := rec.Fact.(call.TakenOver); taken {
		card.EndReason = "taken_over"
	}
	a.sendStaff(old, &wire.CallCardNews{Card: card})
}

// helloStaff seats a member of staff. The lists go to those alone who may see them.
func (a *App) helloStaff(ctx context.Context, who signaling.Who, h *wire.Hello, w *wire.Welcome) error {
	var err error
	if access.May(who.Roles, access.Console) {
		w.Console, err = a.helloConsole(ctx, who, h.Resume != nil && h.Resume.Client == string(who.Client))
	} else {
		err = a.take(ctx, who, seat{client: who.Client})
	}
	if err != nil {
		return err
	}
	w.Staff = &wire.StaffSelf{Staff: string(who.Staff), Name: a.people.name(who.Staff), Roles: who.Roles}
	w.Guest = a.guestOf(who.Staff)
	return nil
}

// assignedEvery is how often it is asked whether a patrol in a call still belongs to its case.
const assignedEvery = 2 * time.Second

// guestPresence tells a call which of its guests have a link, and takes out who must not be there:
// a patrol whose task is over, somebody who has a call of their own.
func (a *App) guestPresence(seen absences, s call.State, now time.Time) {
	for _, g := range s.Guests {
		gone := a.absent(seen, a.people.seat(g.Staff).client, now)
		switch {
		case gone <= operatorSilence && !g.Gone.IsZero():
			a.post(s.ID, call.GuestCame{Staff: g.Staff})
		case gone > operatorSilence && g.Gone.IsZero():
			a.post(s.ID, call.GuestLeft{Staff: g.Staff})
		}
		if o, ok := a.desk.Line().Snapshot().Standing(g.Staff); ok && o.InHand != "" {
			if own, ok := a.desk.State(o.InHand); ok && own.Live() && own.Operator == g.Staff {
				a.post(s.ID, call.Leave{Staff: g.Staff, Why: "answered"})
			}
		}
		if g.As == call.Patrol && now.Sub(a.asked[g.Staff]) >= assignedEvery {
			a.asked[g.Staff] = now
			staff, id := g.Staff, s.ID // not the whole state, which would be copied for every call
			a.work.put(func(ctx context.Context) { a.checkAssigned(ctx, staff, id) })
		}
	}
}

// checkAssigned takes a patrol out of a call whose case it is no longer assigned to. A store that
// cannot be asked takes nobody out.
func (a *App) checkAssigned(ctx context.Context, staff ident.StaffID, id ident.CallID) {
	if ok, err := a.assigned(ctx, staff, id); err != nil || ok {
		return
	}
	if _, err := a.desk.Post(ctx, id, call.Leave{Staff: staff, Why: "unassigned"}); err != nil {
		a.log.Warn("a patrol without the task stays in a call", "call", id, "staff", staff, "err", err)
	}
}
