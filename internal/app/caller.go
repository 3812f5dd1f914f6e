package app

import (
	"context"
	"time"

	"jedel/internal/call"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/media"
	"jedel/recorder/evr"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// silentClass and callClass are the queue classes of calls: someone who cannot speak is served
// before someone who can.
const (
	silentClass = 1
	callClass   = 2
)

// createCall is the tap. A call that a datagram of the same tap has made is found, and learns what the tap adds.
func (a *App) createCall(ctx context.Context, who signaling.Who, b *wire.CallCreate) (wire.Body, error) {
	s, found := a.desk.OpenCallOf(who.Client) // one tab, one open call: a repeated tap finds it
	if !found {
		var err error
		a.node.SetEarly(who.Client, media.Early{Audio: true, Video: true}) // the first picture may be here before the call is durable
		if s, err = a.desk.Create(ctx, b.Ref, a.tapped(ctx, who, b)); err != nil {
			a.node.SetEarly(who.Client, media.Early{})
			return nil, err
		}
	}
	if found || s.Version > 1 {
		a.dossier(ctx, s)
	}
	if s.SOS && s.Open() && s.Caller == "" && s.Person == (call.Person{}) {
		a.introduce(ctx, s, a.tapped(ctx, who, b).Person)
	}
	if b.Fix != nil && s.Open() && (s.Version == 1 || s.SOS) {
		// The call stands whether or not its first position can be kept.
		if err := a.takeFix(ctx, s, "tap", *b.Fix); err != nil {
			a.log.Warn("first position", "call", s.ID, "err", err)
		}
	}
	return &wire.CallCreated{View: a.view(s, found || s.Version > 1)}, nil
}

// tapped is the call that a tap asks for.
func (a *App) tapped(ctx context.Context, who signaling.Who, b *wire.CallCreate) call.Create {
	c := call.Create{Client: who.Client, Caller: who.Caller, Kind: string(b.Kind), Lang: who.Lang, Priority: callClass}
	if b.Kind == wire.KindSilent {
		c.Priority = silentClass
	}
	if b.Contact != nil {
		c.Person = call.Person{Name: b.Contact.Name, Phone: b.Contact.Phone}
	}
	return a.registered(ctx, c)
}

// registered adds who the caller is where they have registered.
func (a *App) registered(ctx context.Context, c call.Create) call.Create {
	if c.Caller == "" {
		return c
	}
	reg, err := a.db.CallerByID(ctx, c.Caller)
	if err != nil {
		a.log.Warn("the call goes on without the caller's registration", "client", c.Client, "err", err)
		c.Caller = ""
		return c
	}
	c.Person = call.Person{Name: reg.Name, Phone: reg.Phone, Proven: true}
	return c
}

// introduce tells a call that nobody was known of who its caller says they are.
func (a *App) introduce(ctx context.Context, s call.State, p call.Person) {
	if p.Name == "" && p.Phone == "" {
		return
	}
	if _, err := a.desk.Post(ctx, s.ID, call.SetContact{Name: p.Name, Phone: p.Phone}); err != nil {
		a.log.Warn("who calls is not kept", "call", s.ID, "err", err)
	}
}

// ownCall returns the call of a caller's request, if it is theirs.
func (a *App) ownCall(who signaling.Who, id, op string) (call.State, error) {
	s, ok := a.desk.State(ident.CallID(id))
	if !ok || s.Client != who.Client {
		return call.State{}, fault.New(fault.NoSuchCall, op, nil)
	}
	return s, nil
}

func (a *App) reportPosition(ctx context.Context, who signaling.Who, b *wire.PositionReport) (wire.Body, error) {
	s, err := a.ownCall(who, b.Call, "position.report")
	if err != nil {
		return nil, err
	}
	if !s.Open() {
		return nil, fault.New(fault.WrongState, "position.report", nil)
	}
	return &wire.OK{}, a.takeFix(ctx, s, b.ID, b.Fix)
}

// takeFix makes a position durable, archives it and shows it.
func (a *App) takeFix(ctx context.Context, s call.State, id string, f wire.Fix) error {
	now := time.Now()
	f.ServerMs = now.UnixMilli()
	_, existed, err := a.ledger.put(ctx, s.ID, itemPosition, id, now, f)
	if err != nil || existed {
		return err
	}
	c := a.ledger.open(s.ID)
	c.dossier.mu.Lock()
	c.dossier.addFix(f)
	c.dossier.mu.Unlock()
	a.keep(s.ID, evr.Location, now, f)
	a.cardFix(s.ID, id, f, now)
	a.sendOperator(s, &wire.PositionMoved{Call: string(s.ID), Fix: f})
	if s.Waiting() {
		a.shows.put(showing{})
	}
	return nil
}

func (a *App) setContact(ctx context.Context, who signaling.Who, b *wire.ContactSet) (wire.Body, error) {
	s, err := a.ownCall(who, b.Call, "contact.set")
	if err != nil {
		return nil, err
	}
	_, err = a.desk.Post(ctx, s.ID, call.SetContact{Name: b.Contact.Name, Phone: b.Contact.Phone})
	return &wire.OK{}, err
}

// mediaStatus notes which devices the sender has on, and tells the other side.
func (a *App) mediaStatus(ctx context.Context, who signaling.Who, b *wire.MediaStatus) (wire.Body, error) {
	s, ok := a.callOf(who)
	if !ok {
		return &wire.OK{}, nil // nobody to tell yet; the page repeats it with the call
	}
	c := a.ledger.open(s.ID)
	d := c.dossier
	from := "caller"
	was, shut := d.thin(), false
	d.mu.Lock()
	if who.Role == wire.RoleCaller {
		d.media.Mic, d.media.Camera, d.media.Background, d.media.Rung = b.Mic, b.Camera, b.Background, b.Rung
		shut = (b.Mic != wire.DeviceOn || b.Camera != wire.DeviceOn) && s.Waiting()
		d.devices = true
	} else {
		from = "operator"
		d.opMedia = *b
	}
	d.mu.Unlock()
	now := time.Now()
	a.keep(s.ID, evr.Event, now, entry{Kind: "media.status", By: from, Body: b, AtMs: now.UnixMilli()})
	if who.Role == wire.RoleCaller {
		if _, _, err := a.ledger.put(ctx, s.ID, itemMedia, "newest", now, b); err != nil {
			a.log.Warn("device states are kept in memory only", "call", s.ID, "err", err)
		}
	}
	a.again(s)
	if d.thin() != was || shut {
		a.hands.put(job{state: s, effect: call.Route{}})
	}
	return &wire.OK{}, nil
}

// callOf returns the open call of whoever asks: the caller's own, or the one an operator has in
// hand.
func (a *App) callOf(who signaling.Who) (call.State, bool) {
	if who.Role == wire.RoleCaller {
		return a.desk.OpenCallOf(who.Client)
	}
	standing, ok := a.desk.Line().Snapshot().Standing(who.Staff)
	if !ok || standing.InHand == "" {
		return call.State{}, false
	}
	s, ok := a.desk.State(standing.InHand)
	return s, ok && s.Operator == who.Staff
}

// sendChat makes a line durable, then shows it to both sides.
func (a *App) sendChat(ctx context.Context, who signaling.Who, b *wire.ChatSend) (wire.Body, error) {
	s, err := a.partOf(who, b.Call, "chat.send")
	if err != nil {
		return nil, err
	}
	c := a.ledger.open(s.ID)
	now := time.Now()
	item := wire.ChatItem{ID: b.ID, From: "caller", Name: s.Person.Name, Text: b.Text, AtMs: now.UnixMilli()}
	if who.Role == wire.RoleConsole {
		item.From, item.Name = "operator", a.people.name(who.Staff)
	}
	if b.File != "" {
		c.dossier.mu.Lock()
		f, ok := c.dossier.files[b.File]
		c.dossier.mu.Unlock()
		if !ok {
			return nil, fault.New(fault.NoSuchFile, "chat.send", nil)
		}
		item.File = &f
	}
	seq, existed, err := a.ledger.put(ctx, s.ID, itemChat, item.From+":"+b.ID, now, item)
	if err != nil {
		return nil, err
	}
	item.Seq = seq
	if !existed {
		c.dossier.mu.Lock()
		c.dossier.addChat(item)
		c.dossier.mu.Unlock()
		a.keep(s.ID, evr.Chat, now, item)
		news := &wire.ChatPosted{Call: string(s.ID), Item: item}
		a.edge.Hub().Send(s.Client, news)
		a.sendOperator(s, news)
	}
	return &wire.ChatSent{ID: b.ID, AtMs: item.AtMs, Seq: seq}, nil
}

// partOf returns a call that the sender has a part in and that is not yet written up.
func (a *App) partOf(who signaling.Who, id, op string) (call.State, error) {
	s, ok := a.desk.State(ident.CallID(id))
	mine := who.Role == wire.RoleCaller && s.Client == who.Client || who.Role == wire.RoleConsole && s.Operator == who.Staff
	if !ok || !mine {
		return call.State{}, fault.New(fault.NoSuchCall, op, nil)
	}
	if s.Phase == call.Ended {
		return call.State{}, fault.New(fault.WrongState, op, nil)
	}
	return s, nil
}

// endCall hangs up, for either side.
func (a *App) endCall(ctx context.Context, who signaling.Who, b *wire.CallEnd) (wire.Body, error) {
	s, err := a.partOf(who, b.Call, "call.end")
	if fault.CodeOf(err) == fault.WrongState {
		return &wire.OK{}, nil // it has ended already
	}
	if err != nil {
		return nil, err
	}
	ev := call.HangUp{}
	if who.Role == wire.RoleConsole {
		ev.By = who.Staff
	}
	_, err = a.desk.Post(ctx, s.ID, ev)
	return &wire.OK{}, err
}
