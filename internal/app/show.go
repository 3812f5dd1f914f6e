package app

import (
	"context"
	"reflect"
	"slices"
	"time"

	"jedel/internal/call"
	"jedel/internal/callctl"
	"jedel/internal/ident"
	"jedel/internal/queue"
	"jedel/recorder/evr"
	"jedel/signaling/wire"
)

// consoleEvery is the shortest time between two lists sent to a console. Lists go whole to everybody who is on duty, so
// that their cost grows with the square of a centre's size: they take a listShare'th of the time at the most.
const (
	consoleEvery = 200 * time.Millisecond
	listShare    = 10
)

// Changed implements callctl.Doer.
func (a *App) Changed(s call.State, rec call.Record) { a.shows.put(showing{state: s, rec: rec}) }

// BoardChanged implements callctl.Doer.
func (a *App) BoardChanged() { a.shows.put(showing{}) }

// again shows a call again, of which something is known that is no decision. Whoever asks may have an old state: what was shown
// last counts, and a call that has ended is shown no more.
func (a *App) again(s call.State) { a.shows.put(showing{state: s, again: true}) }

// runShows tells people what changed: calls at once, lists at most every consoleEvery.
func (a *App) runShows(ctx context.Context) {
	before := map[ident.CallID]shown{}
	next := time.Time{}
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	for {
		items := a.shows.takeOr(ctx, later.C)
		if ctx.Err() != nil {
			return
		}
		for _, it := range items {
			if it.again {
				it.state = before[it.state.ID].state
			}
			if it.state.Version > 0 {
				a.showCall(ctx, it, before)
			}
		}
		if wait := time.Until(next); wait > 0 {
			later.Reset(wait)
			continue
		}
		begin := time.Now()
		a.showLists(ctx)
		next = begin.Add(max(consoleEvery, listShare*time.Since(begin)))
		if len(items) > 0 {
			later.Reset(time.Hour)
		}
	}
}

// showCall shows one call to its caller and its operator, and writes the decision into its
// archive.
func (a *App) showCall(ctx context.Context, it showing, before map[ident.CallID]shown) {
	s := it.state
	c := a.dossier(ctx, s)
	if it.rec.Fact != nil {
		a.keep(s.ID, evr.Event, it.rec.At, entry{Kind: it.rec.Fact.Kind(), Body: it.rec.Fact, AtMs: it.rec.At.UnixMilli()})
		a.books.note(s, it.rec)
	} else {
		a.books.know(s)
	}
	a.caseCall(s, it.rec)
	// What they have seen already is not sent again: on a thin network it would keep back what is new.
	view := a.view(s, false)
	if !reflect.DeepEqual(view, before[s.ID].view) {
		a.edge.Hub().Send(s.Client, &wire.CallState{View: view})
	}
	if old := before[s.ID].state.Operator; old != "" && old != s.Operator {
		a.moved(s, it.rec, c, old)
	}
	guests := a.showGuests(s, it.rec, before[s.ID].guests)
	a.sendOperator(s, &wire.CallCardNews{Card: c.dossier.card(s, a.transferTo(s))})
	if s.Phase == call.Ended {
		delete(before, s.ID)
		return // the effect that seals its archive forgets it
	}
	before[s.ID] = shown{s, guests, view}
}

// dossier returns what is known of a call, read back from the store the first time it is asked.
func (a *App) dossier(ctx context.Context, s call.State) *openCall {
	c := a.ledger.open(s.ID)
	c.filled.Do(func() {
		if err := a.ledger.load(ctx, s, c.dossier); err != nil {
			a.log.Error("what was said in the call cannot be read back", "call", s.ID, "err", err)
		}
	})
	st, ok := a.node.Stats(s.Client)
	c.dossier.mu.Lock()
	c.dossier.media.Connected = ok && st.Connected
	c.dossier.mu.Unlock()
	return c
}

func (a *App) transferTo(s call.State) string {
	if s.Offer != nil && s.Offer.Transfer {
		return a.people.name(s.Offer.Operator)
	}
	return ""
}

// view is a call as its caller sees it.
func (a *App) view(s call.State, chat bool) wire.CallView {
	c := a.ledger.open(s.ID)
	ahead := 0
	if s.Waiting() {
		ahead = max(0, slices.IndexFunc(a.desk.Line().Snapshot().Waiting, func(q queue.Call) bool { return q.ID == s.ID }))
	}
	return c.dossier.callerView(s, a.people.name(s.Operator), ahead, chat)
}

// showLists sends every console what it lists, and every waiting caller their place.
func (a *App) showLists(ctx context.Context) {
	snap := a.desk.Line().Snapshot()
	common := a.lists(ctx, snap)
	a.latest.Store(&common)
	for staff, seat := range a.people.all() {
		if !seat.console {
			continue
		}
		state := common
		state.Me = a.me(snap, staff)
		a.edge.Hub().Send(seat.client, &state)
	}
	for i, q := range snap.Waiting {
		if a.places[q.ID] == i+1 {
			continue
		}
		if s, ok := a.desk.State(q.ID); ok {
			a.edge.Hub().Send(s.Client, &wire.CallState{View: a.view(s, false)})
		}
	}
	a.places = map[ident.CallID]int{}
	for i, q := range snap.Waiting {
		a.places[q.ID] = i + 1
	}
}

func (a *App) me(snap *callctl.Snapshot, staff ident.StaffID) wire.OperatorRow {
	if o, ok := snap.Standing(staff); ok {
		return a.operatorRow(o)
	}
	return wire.OperatorRow{Staff: string(staff), Name: a.people.name(staff), State: wire.DutyOff}
}

// lists is what every console shows.
func (a *App) lists(ctx context.Context, snap *callctl.Snapshot) wire.ConsoleState {
	out := wire.ConsoleState{
		Rev: snap.Rev, Waiting: []wire.WaitingRow{}, Operators: []wire.OperatorRow{}, CallBacks: a.books.callBacks(a.ledger),
		Target: a.books.targets(ctx, time.Now()), Alarms: a.alarms.list(ctx, time.Now()),
	}
	for i, q := range snap.Waiting {
		if i == wire.MaxQueueRows {
			out.More = len(snap.Waiting) - i
			break
		}
		s, ok := a.desk.State(q.ID)
		if !ok {
			continue
		}
		c := a.ledger.open(q.ID)
		out.Waiting = append(out.Waiting, c.dossier.row(s, a.people.name(q.Offered)))
	}
	for _, o := range snap.Operators {
		out.Operators = append(out.Operators, a.operatorRow(o))
	}
	return out
}
