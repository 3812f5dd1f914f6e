package app

import (
	"context"
	"slices"
	"time"

	"jedel/internal/call"
	"jedel/internal/ident"
	"jedel/media"
	"jedel/recorder/evr"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// word returns the verdict on a link, as people read it. The bounds follow the loss at which
// plain Opus with in-band FEC is heard to suffer: 2 % hardly, 10 % clearly.
func word(lossUp, lossDown, rttMs float64) string {
	loss := max(lossUp, lossDown)
	switch {
	case loss > 0.10 || rttMs > 1000:
		return "poor"
	case loss > 0.02 || rttMs > 400:
		return "fair"
	}
	return "good"
}

// reportQuality joins what a page hears with what we hear of it.
func (a *App) reportQuality(who signaling.Who, b *wire.QualityReport) (wire.Body, error) {
	s, ok := a.callOf(who)
	if !ok {
		return &wire.OK{}, nil
	}
	now := time.Now()
	a.keep(s.ID, evr.Event, now, entry{Kind: "quality", By: string(who.Role), Body: b, AtMs: now.UnixMilli()})
	if who.Role != wire.RoleCaller {
		return &wire.OK{}, nil
	}
	q := wire.Quality{LossDown: max(b.LossDown, b.Concealed), RTTMs: b.RTTMs, FPS: b.FPS, Network: b.Network, Way: b.Transport, AtMs: now.UnixMilli()}
	if st, ok := a.node.Stats(who.Client); ok {
		q.LossUp = st.AudioLossUp
	}
	q.Word = word(q.LossUp, q.LossDown, q.RTTMs)
	a.quality(s, q)
	return &wire.OK{}, nil
}

// checkVoice tells a page what it should hear, and what is heard of it.
func (a *App) checkVoice(who signaling.Who) wire.Body {
	now, v := time.Now(), a.node.Voice(who.Client)
	age := func(at time.Time) int64 {
		if at.IsZero() {
			return -1
		}
		return max(0, now.Sub(at).Milliseconds())
	}
	return &wire.MediaChecked{PC: v.PC, SentMs: age(v.Sent), HeardMs: age(v.Heard)}
}

func (a *App) quality(s call.State, q wire.Quality) {
	c := a.ledger.open(s.ID)
	c.dossier.mu.Lock()
	c.dossier.quality = q
	c.dossier.mu.Unlock()
	news := &wire.QualityChanged{Call: string(s.ID), Quality: q}
	a.sendOperator(s, news)
	a.edge.Hub().Send(s.Client, news)
}

// recording takes the recorder's word on a call and tells both sides when it changes.
func (a *App) recording(id ident.CallID, r wire.Recording) {
	c := a.ledger.get(id)
	if c == nil {
		return
	}
	c.dossier.mu.Lock()
	old := c.dossier.record
	c.dossier.record = r
	c.dossier.mu.Unlock()
	if old.State == r.State && old.Reason == r.Reason {
		return
	}
	if s, ok := a.desk.State(id); ok {
		news := &wire.CallRecording{Call: string(id), Recording: r}
		a.sendOperator(s, news)
		a.edge.Hub().Send(s.Client, news)
	}
}

// lampEvery is how often the recorder's durable lag is looked at: the lamp may be this late.
const lampEvery = 500 * time.Millisecond

// runLamps keeps the recording lamps true.
func (a *App) runLamps(ctx context.Context) {
	tick := time.NewTicker(lampEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for id, c := range a.ledger.all() {
			if arch := c.slot.get(); arch != nil {
				st := arch.Status()
				a.recording(id, wire.Recording{State: string(st.State), LagMs: st.Lag.Milliseconds(), Reason: st.Reason})
			}
		}
	}
}

// runMedia follows the peers: transports that come and go, messages in data channels.
func (a *App) runMedia(ctx context.Context) {
	for {
		select {
		case ev := <-a.node.Events():
			a.mediaEvent(ev)
		case <-ctx.Done():
			return
		}
	}
}

func (a *App) mediaEvent(ev media.Event) {
	switch ev.Kind {
	case media.Data:
		lane := int(ev.Client[len(ev.Client)-1]) % lanes
		a.data[lane].put(dataMessage{ev.Client, ev.Data})
		return
	case media.Tuned:
		a.tuned(ev.Client)
		return
	case media.Silent:
		a.edge.Hub().Send(ev.Client, &wire.MediaLost{PC: ev.PC, Reason: "silence"})
		return
	case media.Failed, media.Closed:
		a.edge.Hub().Send(ev.Client, &wire.MediaLost{PC: ev.PC, Reason: ev.Reason})
	}
	a.wakePresence()
	for id := range a.ledger.all() {
		s, ok := a.desk.State(id)
		if !ok || !a.takesPart(s, ev.Client) {
			continue
		}
		if s.Client == ev.Client && (ev.Kind == media.Connected || ev.Kind == media.Disconnected || ev.Kind == media.Closed || ev.Kind == media.Failed) {
			a.again(s)
		}
		a.hands.put(job{state: s, effect: call.Route{}})
	}
}

// takesPart reports whether a page is the caller's, the operator's or a guest's of a call.
func (a *App) takesPart(s call.State, client ident.ClientID) bool {
	at := func(staff ident.StaffID) bool { return a.people.seat(staff).client == client }
	return s.Client == client || s.Operator != "" && at(s.Operator) || slices.ContainsFunc(s.Guests, func(g call.Guest) bool { return at(g.Staff) })
}
