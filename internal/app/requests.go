package app

import (
	"context"
	"fmt"

	"jedel/internal/access"
	"jedel/internal/call"
	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/media"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// Hello implements signaling.Backend: everything a page needs to show the present state.
func (a *App) Hello(ctx context.Context, who signaling.Who, h *wire.Hello) (*wire.Welcome, error) {
	select {
	case <-a.desk.Ready():
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "hello", ctx.Err())
	}
	w := &wire.Welcome{ICEServers: a.iceServers(who), Centre: wire.Centre{
		Name: text(a.cfg.Site.Name), Phone: a.cfg.Site.Phone, Lat: a.cfg.Site.Lat, Lon: a.cfg.Site.Lon,
	}}
	var err error
	if who.Role == wire.RoleConsole {
		err = a.helloStaff(ctx, who, h, w)
	} else {
		err = a.helloCaller(ctx, who, w)
	}
	w.PC = a.node.PC(who.Client)
	a.tune(who.Client) // comes after the welcome
	a.wakePresence()
	return w, err
}

func (a *App) helloCaller(ctx context.Context, who signaling.Who, w *wire.Welcome) error {
	if s, ok := a.desk.OpenCallOf(who.Client); ok {
		a.dossier(ctx, s)
		v := a.view(s, true)
		w.Call = &v
	}
	if who.Caller == "" {
		return nil
	}
	c, err := a.db.CallerByID(ctx, who.Caller)
	if err != nil {
		a.log.Warn("registration cannot be read; the page goes on without it", "client", who.Client, "err", err)
		return nil
	}
	w.Caller = &wire.CallerSelf{Name: c.Name, Phone: c.Phone, IIN: c.IIN, Medical: c.Medical}
	return nil
}

// take seats a member of staff. An older tab of theirs is told and closed.
func (a *App) take(ctx context.Context, who signaling.Who, at seat) error {
	staff, err := a.db.StaffByID(ctx, who.Staff)
	if err != nil {
		return fault.New(fault.Unavailable, "hello", err)
	}
	if old := a.people.sit(who.Staff, staff.Name, at); old != "" && old != who.Client {
		a.edge.Hub().Send(old, &wire.SessionReplaced{})
		a.edge.Hub().Kick(old, signaling.CloseReplaced, "replaced")
		a.node.ClosePeer(old, "replaced")
	}
	return nil
}

// helloConsole seats somebody who sees the lists.
func (a *App) helloConsole(ctx context.Context, who signaling.Who, resumed bool) (*wire.ConsoleInit, error) {
	operator := mayTakeCalls(who.Roles)
	if err := a.take(ctx, who, seat{client: who.Client, operator: operator, console: true, roles: who.Roles, unit: who.Unit}); err != nil {
		return nil, err
	}
	if operator {
		if err := a.restoreDuty(ctx, who, resumed); err != nil {
			return nil, err
		}
	} else if _, known := a.desk.Line().Snapshot().Standing(who.Staff); known || a.ownsCall(who.Staff) { // they took calls before, or one over before the gateway was restarted
		if err := a.putOperator(ctx, who, wire.DutyOff, ""); err != nil {
			return nil, err
		}
	}
	init := &wire.ConsoleInit{
		State: *a.latest.Load(), Categories: choices(a.cfg.Desk.Categories), Outcomes: choices(a.cfg.Desk.Outcomes),
		Pauses: choices(a.cfg.Desk.Pauses),
	}
	snap := a.desk.Line().Snapshot()
	init.State.Me = a.me(snap, who.Staff)
	standing, ok := snap.Standing(who.Staff)
	if !ok || standing.InHand == "" {
		return init, nil
	}
	if s, ok := a.desk.State(standing.InHand); ok {
		a.inHand(ctx, init, s, who.Staff)
	}
	return init, nil
}

// inHand adds the call that the operator owns or that rings at them.
func (a *App) inHand(ctx context.Context, init *wire.ConsoleInit, s call.State, staff ident.StaffID) {
	c := a.dossier(ctx, s)
	if s.Operator == staff {
		card := c.dossier.card(s, a.transferTo(s))
		init.Card = &card
	}
	if s.Offer != nil && s.Offer.Operator == staff {
		init.Offer = c.dossier.offer(s, *s.Offer, a.people.name(s.Operator))
	}
}

func text(t config.Text) fault.Text { return fault.Text{KK: t.KK, RU: t.RU, EN: t.EN} }

func choices(cs []config.Choice) []wire.Choice {
	out := make([]wire.Choice, len(cs))
	for i, c := range cs {
		out[i] = wire.Choice{Key: c.Key, Words: text(c.Words)}
	}
	return out
}

func known(cs []config.Choice, key string) bool {
	for _, c := range cs {
		if c.Key == key {
			return true
		}
	}
	return false
}

// Gone implements signaling.Backend.
func (a *App) Gone(signaling.Who) { a.wakePresence() }

// Ended implements signaling.Backend: whoever is signed out hears and says nothing more, and what
// they have in hand is offered to others as if their line were lost.
func (a *App) Ended(who signaling.Who) {
	a.node.ClosePeer(who.Client, "signed out")
	a.wakePresence()
}

func (a *App) wakePresence() {
	select {
	case a.nudge <- struct{}{}:
	default:
	}
}

// Request implements signaling.Backend: one request of a client.
func (a *App) Request(ctx context.Context, who signaling.Who, body wire.Body) (wire.Body, error) {
	switch b := body.(type) {
	case *wire.MediaOffer:
		return a.mediaOffer(ctx, who, b)
	case *wire.MediaCandidate:
		return &wire.OK{}, a.node.AddCandidate(who.Client, b.PC, b.Candidate, b.Mid)
	case *wire.VoicePiece:
		return a.takePiece(ctx, who, b)
	case *wire.MediaStatus:
		return a.mediaStatus(ctx, who, b)
	case *wire.MediaCheck:
		return a.checkVoice(who), nil
	case *wire.ChatSend:
		return a.sendChat(ctx, who, b)
	case *wire.QualityReport:
		return a.reportQuality(who, b)
	case *wire.CallEnd:
		return a.endCall(ctx, who, b)
	}
	if who.Role == wire.RoleCaller {
		return a.callerRequest(ctx, who, body)
	}
	return a.consoleRequest(ctx, who, body)
}

func (a *App) callerRequest(ctx context.Context, who signaling.Who, body wire.Body) (wire.Body, error) {
	switch b := body.(type) {
	case *wire.CallCreate:
		return a.createCall(ctx, who, b)
	case *wire.PositionReport:
		return a.reportPosition(ctx, who, b)
	case *wire.ContactSet:
		return a.setContact(ctx, who, b)
	}
	return nil, fault.New(fault.UnknownType, body.WireType(), nil)
}

func (a *App) consoleRequest(ctx context.Context, who signaling.Who, body wire.Body) (wire.Body, error) {
	switch b := body.(type) {
	case *wire.CallJoin:
		return a.joinCall(ctx, who, b)
	case *wire.CallMode:
		return a.guestMode(ctx, who, b)
	case *wire.CallLeave:
		return a.leaveCall(ctx, who, b)
	}
	if !access.May(who.Roles, access.Console) {
		return nil, fault.New(fault.Forbidden, body.WireType(), nil)
	}
	switch b := body.(type) {
	case *wire.CallTakeOver:
		return a.takeOver(ctx, who, b)
	case *wire.DutySet:
		return a.setDuty(ctx, who, b)
	case *wire.OfferAccept:
		return a.accept(ctx, who, b)
	case *wire.OfferReject:
		return a.reject(ctx, who, b)
	case *wire.CallHold:
		return a.hold(ctx, who, b)
	case *wire.CallTransfer:
		return a.transfer(ctx, who, b)
	case *wire.CallWrapUp:
		return a.wrapUp(ctx, who, b)
	case *wire.CallBackDone:
		return a.callBackDone(ctx, who, b)
	case *wire.CameraRequest:
		return a.ask(who, b.Call, "camera.request", &wire.CameraRequested{Call: b.Call})
	case *wire.PositionRequest:
		return a.ask(who, b.Call, "position.request", &wire.PositionRequested{Call: b.Call})
	case *wire.NoteSave:
		return a.saveNote(ctx, who, b)
	}
	return nil, fault.New(fault.UnknownType, body.WireType(), nil)
}

// mediaOffer answers a browser's offer. Beyond the limit of waiting peers a waiting caller stays
// in text until an operator is offered the call.
func (a *App) mediaOffer(ctx context.Context, who signaling.Who, b *wire.MediaOffer) (wire.Body, error) {
	role := media.RoleCaller
	if who.Role == wire.RoleConsole {
		role = media.RoleOperator
	} else if s, ok := a.desk.OpenCallOf(who.Client); ok && a.inText(s) {
		return nil, fault.New(fault.MediaRefused, "media.offer", fmt.Errorf("more than %d waiting peers", a.cfg.Media.WaitingPeers))
	}
	answer, err := a.node.Negotiate(ctx, who.Client, role, b.PC, b.SDP)
	if err != nil {
		return nil, err
	}
	if s, ok := a.callOf(who); ok {
		a.hands.put(job{state: s, effect: call.Route{}})
	}
	return &wire.MediaAnswer{PC: b.PC, SDP: answer}, nil
}
