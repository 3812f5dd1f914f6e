package app

import (
	"context"
	"slices"

	"jedel/internal/call"
	"jedel/internal/ident"
	"jedel/internal/queue"
	"jedel/media"
	"jedel/signaling/wire"
)

// Do implements callctl.Doer.
func (a *App) Do(s call.State, e call.Effect) { a.hands.put(job{s, e}) }

// runHands carries out effects in the order of the decisions.
func (a *App) runHands(ctx context.Context) {
	for jobs := a.hands.take(ctx); jobs != nil; jobs = a.hands.take(ctx) {
		for _, j := range jobs {
			a.carryOut(ctx, j.state, j.effect)
		}
	}
}

func (a *App) carryOut(ctx context.Context, s call.State, e call.Effect) {
	switch e := e.(type) {
	case call.Ring:
		c := a.dossier(ctx, s)
		a.sendStaff(e.Offer.Operator, c.dossier.offer(s, e.Offer, a.people.name(s.Operator)))
	case call.StopRing:
		news := &wire.OfferWithdrawn{Call: string(s.ID), Epoch: e.Offer.Epoch, Why: e.Why}
		if e.Why == "taken" {
			news.By = a.people.name(s.Operator)
		}
		a.sendStaff(e.Offer.Operator, news)
	case call.Archive:
		a.openArchive(s)
	case call.Route, call.CloseMedia:
		a.connect(s.ID)
	case call.Seal:
		a.connect(s.ID)
		a.seal(s)
	}
}

// sendStaff sends news to where a member of staff sits.
func (a *App) sendStaff(id ident.StaffID, news wire.Body) {
	if st := a.people.seat(id); st.client != "" {
		a.edge.Hub().Send(st.client, news)
	}
}

// sendOperator sends news to the owner of a call.
func (a *App) sendOperator(s call.State, news wire.Body) {
	if s.Operator != "" {
		a.sendStaff(s.Operator, news)
	}
}

// connect makes taps and routes of a call what its state says. It may be called at any time and
// again: after a decision, when an archive is open, when a peer connection was made.
func (a *App) connect(id ident.CallID) {
	s, ok := a.desk.State(id)
	c := a.ledger.get(id)
	if !ok || c == nil {
		return
	}
	pages := a.pagesOf(s)
	if a.inText(s) {
		a.node.ClosePeer(s.Client, "waiting")
	}
	a.listen(c, s, pages)
	var routes []media.Route
	for _, l := range call.Routes(s) {
		r := media.Route{From: pages[l.From], To: pages[l.To], Kind: media.Audio, Slot: l.Slot}
		if l.Picture {
			r.Kind = media.Video
		}
		if l.To == call.Caller && c.dossier.thin() {
			continue // their network carries words only: sound would keep those back
		}
		if r.From != "" && r.To != "" {
			routes = append(routes, r)
		}
	}
	answers := s.Phase == call.Connecting
	if !answers {
		a.keepEarly(c, s, pages)
	}
	if err := a.node.SetRoutes(id, routes); err != nil {
		a.log.Error("routes", "call", id, "err", err)
	}
	if answers { // only now: what was kept went with these routes
		a.keepEarly(c, s, pages)
	}
	a.maybeConnected(s, pages[s.Operator])
}

// keepEarly lets what the caller says and shows be kept for the answer as long as there is none.
func (a *App) keepEarly(c *openCall, s call.State, pages map[ident.StaffID]ident.ClientID) {
	var early media.Early
	if call.KeptForAnswer(s) && !a.inText(s) {
		early = c.dossier.early()
	}
	a.node.SetEarly(s.Client, early)
	if owner := pages[s.Operator]; s.Live() && owner != "" {
		a.node.SetEarly(owner, media.Early{})
	}
}

// pagesOf returns where everybody in a call sits. A guest who has joined another call meanwhile is
// not in this one, whatever its newest record says.
func (a *App) pagesOf(s call.State) map[ident.StaffID]ident.ClientID {
	pages := map[ident.StaffID]ident.ClientID{call.Caller: s.Client}
	if s.Live() {
		pages[s.Operator] = a.people.seat(s.Operator).client
	}
	for _, g := range s.Guests {
		if a.visits(g.Staff, s.ID) {
			pages[g.Staff] = a.people.seat(g.Staff).client
		}
	}
	return pages
}

// inText reports whether a call waits beyond the limit of waiting peers: it has its place and its
// text, and gets sound and pictures when it comes near or rings.
func (a *App) inText(s call.State) bool {
	if s.Phase != call.Queued || len(s.Guests) > 0 {
		return false
	}
	waiting := a.desk.Line().Snapshot().Waiting
	at := slices.IndexFunc(waiting, func(q queue.Call) bool { return q.ID == s.ID })
	if at < 0 { // the queue has not heard of it yet
		at = len(waiting)
	}
	return at >= a.cfg.Media.WaitingPeers
}

// listen sets and removes the taps of a call. Whoever nobody hears is not recorded. Only the hands'
// goroutine calls it.
func (a *App) listen(c *openCall, s call.State, pages map[ident.StaffID]ident.ClientID) {
	arch := c.slot.get()
	want := map[ident.ClientID]tap{}
	if arch != nil && s.Open() && !a.inText(s) {
		want[s.Client] = tap{archive: arch, participant: "caller", role: "caller"}
		if owner := pages[s.Operator]; s.Live() && owner != "" {
			want[owner] = tap{archive: arch, participant: "operator-" + string(s.Operator), role: "operator"}
		}
		for _, g := range s.Guests {
			if page := pages[g.Staff]; g.Voice > 0 && page != "" {
				want[page] = tap{archive: arch, participant: string(g.As) + "-" + string(g.Staff), role: string(g.As)}
			}
		}
	}
	for client, t := range c.tapped {
		if _, still := want[client]; !still {
			if a.taps[client] == t { // else another call has it by now
				a.node.SetTap(client, nil)
				delete(a.taps, client)
			}
			delete(c.tapped, client)
		}
	}
	for client, t := range want {
		if c.tapped[client] != t || a.taps[client] != t {
			a.node.SetTap(client, t)
			c.tapped[client], a.taps[client] = t, t
		}
	}
}

// maybeConnected tells the call that media flows, once both ends have a transport.
func (a *App) maybeConnected(s call.State, owner ident.ClientID) {
	if s.Phase != call.Connecting {
		return
	}
	caller, ok1 := a.node.Stats(s.Client)
	operator, ok2 := a.node.Stats(owner)
	if ok1 && ok2 && caller.Connected && operator.Connected {
		a.post(s.ID, call.Connected{})
	}
}
