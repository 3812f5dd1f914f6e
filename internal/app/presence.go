package app

import (
	"context"
	"time"

	"jedel/internal/call"
	"jedel/internal/ident"
)

const (
	// presenceTick is how often presence is compared with what the calls believe. The comparison
	// is by level, not by edge: a missed event heals itself.
	presenceTick = 250 * time.Millisecond
	// callerSilence is how long the media of a caller without a socket may be silent before they
	// count as gone; a page reload takes about this long.
	callerSilence = 1500 * time.Millisecond
	// operatorSilence is the same for an operator. With call.OperatorGrace it keeps invariant I8:
	// offered again within 3 s.
	operatorSilence = 400 * time.Millisecond
	// seatMemory is how long the seat of a vanished tab is kept.
	seatMemory = 10 * time.Minute
)

// absences remembers since when a client has had neither socket nor media. The presence loop owns
// it.
type absences map[ident.ClientID]time.Time

// absent returns for how long client has been without any link.
func (a *App) absent(seen absences, client ident.ClientID, now time.Time) time.Duration {
	if client == "" {
		return time.Hour
	}
	if a.edge.Hub().Linked(client) || a.mediaAlive(client, now) || a.sos.here(client, now) {
		delete(seen, client)
		return 0
	}
	since, ok := seen[client]
	if !ok {
		seen[client] = now
		return 0
	}
	return now.Sub(since)
}

// mediaAlive reports whether packets of client arrived within the last second.
func (a *App) mediaAlive(client ident.ClientID, now time.Time) bool {
	st, ok := a.node.Stats(client)
	return ok && st.Connected && !st.LastPacket.IsZero() && now.Sub(st.LastPacket) < time.Second
}

// runPresence tells calls and queue who is there.
func (a *App) runPresence(ctx context.Context) {
	seen := absences{}
	tick := time.NewTicker(presenceTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-a.nudge:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		for id := range a.ledger.all() {
			a.callerPresence(ctx, seen, id, now)
		}
		for staff, s := range a.people.all() {
			a.operatorPresence(ctx, seen, staff, s, now)
		}
		for client, since := range seen {
			if now.Sub(since) > seatMemory+time.Minute {
				delete(seen, client)
			}
		}
	}
}

func (a *App) callerPresence(ctx context.Context, seen absences, id ident.CallID, now time.Time) {
	s, ok := a.desk.State(id)
	if !ok || !s.Open() {
		return
	}
	if a.inText(s) && a.node.PC(s.Client) != "" { // others have come before it
		a.hands.put(job{state: s, effect: call.Route{}})
	}
	a.guestPresence(seen, s, now)
	gone := a.absent(seen, s.Client, now)
	switch {
	case gone == 0 && !s.CallerGone.IsZero():
		a.post(id, call.CallerCame{})
	case gone > callerSilence && s.CallerGone.IsZero():
		a.post(id, call.CallerLeft{})
	}
}

func (a *App) operatorPresence(ctx context.Context, seen absences, staff ident.StaffID, s seat, now time.Time) {
	standing, known := a.desk.Line().Snapshot().Standing(staff)
	gone := a.absent(seen, s.client, now)
	if gone > seatMemory && (!known || standing.InHand == "") {
		a.people.leave(staff, s.client)
	}
	if !known {
		return
	}
	linked := gone <= operatorSilence
	if linked {
		a.beat(ctx, staff, now)
	}
	if linked != standing.Linked {
		if _, err := a.desk.Line().Relink(ctx, staff, linked); err != nil {
			return
		}
	}
	if standing.InHand == "" {
		return
	}
	cs, ok := a.desk.State(standing.InHand)
	if !ok {
		return
	}
	rings := cs.Offer != nil && cs.Offer.Operator == staff
	owns := cs.Live() && cs.Operator == staff
	switch {
	case linked && owns && !cs.OperatorGone.IsZero():
		a.post(cs.ID, call.OperatorCame{Operator: staff})
	case !linked && (rings || owns && cs.OperatorGone.IsZero()):
		a.post(cs.ID, call.OperatorLeft{Operator: staff})
	}
}

// beatEvery is how often other nodes are told that an operator sits here.
const beatEvery = 5 * time.Second

// beat tells other nodes that an operator sits here: a hint, never the truth.
func (a *App) beat(ctx context.Context, staff ident.StaffID, now time.Time) {
	if now.Sub(a.beats[staff]) >= beatEvery {
		a.beats[staff] = now
		a.hints.Beat(ctx, "operator:"+string(staff), 3*beatEvery)
	}
}

// post lets ev happen without waiting for it. A refusal means that the call has moved on.
func (a *App) post(id ident.CallID, ev call.Event) {
	a.work.put(func(ctx context.Context) {
		if _, err := a.desk.Post(ctx, id, ev); err != nil {
			a.log.Debug("event refused", "call", id, "err", err)
		}
	})
}
