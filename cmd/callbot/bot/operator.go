package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/rest"
	"jedel/cmd/callbot/watch"
	"jedel/internal/ident"
	"jedel/signaling/wire"
)

// Operator takes every call that rings, talks until the caller hangs up, and writes it up.
type Operator struct {
	Config
	Login, Password string
	Answer          time.Duration            // from the ring to the answer
	Video           bool                     // show a picture to callers
	Between         bool                     // the camera rests between calls; the microphone is open on duty, as at a console
	Ready           func()                   // called once, when the operator waits for calls; may be nil
	Manner          func(call string) Manner // how a call is taken; nil: without a word
}

// Manner is how an operator takes a call: what they ask in the chat, one after each answer, and how they
// write it up. What is empty is left to the operator's habit.
type Manner struct {
	Asks              []string
	Category, Outcome string
}

// shift is an operator at work.
type shift struct {
	Operator
	l        *line
	staff    string
	category string
	outcome  string
	rings    *wire.OfferMade
	answer   <-chan time.Time
	call     string // in hand
	wrapped  string // the last call that was written up
	duty     <-chan time.Time
	manner   Manner           // of the call in hand
	ask      <-chan time.Time // the next question
	chat     map[string]bool  // the caller's lines of it
}

// thinkTime is from an answer to the next question.
const thinkTime = 3 * time.Second

// Run works until ctx ends.
func (o Operator) Run(ctx context.Context) error {
	token, err := rest.SignIn(ctx, o.URL, o.Login, o.Password)
	var l *line
	var w *wire.Welcome
	if err == nil {
		l, w, err = open(ctx, o.Config, wire.RoleConsole, token)
	}
	if err == nil && (w.Staff == nil || w.Console == nil) {
		l.close()
		err = errors.New("the welcome has no console")
	}
	if err != nil {
		err = fmt.Errorf("open operator %s: %w", o.Login, err)
		o.See(watch.Ended{Role: string(wire.RoleConsole), Err: err})
		return err
	}
	s := &shift{Operator: o, l: l, staff: w.Staff.Staff, category: pick(w.Console.Categories, "other"), outcome: pick(w.Console.Outcomes, "advised")}
	return l.end(ctx, s.run(ctx, w))
}

// pick returns the wanted key of a configured list, or its first.
func pick(all []wire.Choice, want string) string {
	for _, c := range all {
		if c.Key == want {
			return want
		}
	}
	if len(all) > 0 {
		return all[0].Key
	}
	return want
}

func (s *shift) run(ctx context.Context, w *wire.Welcome) error {
	s.rest()
	if err := s.begin(ctx, w.Console); err != nil {
		return err
	}
	if s.Ready != nil {
		s.Ready()
	}
	for {
		if err := s.step(ctx); err != nil {
			return err
		}
	}
}

// begin takes the present state as a welcome tells it and goes on duty.
func (s *shift) begin(ctx context.Context, c *wire.ConsoleInit) error {
	if c.Card == nil || c.Card.Call != s.call {
		s.left()
	}
	if c.Card != nil {
		if err := s.card(ctx, c.Card); err != nil {
			return err
		}
	}
	if c.Offer != nil {
		s.ring(c.Offer)
	}
	return s.ready(ctx, c.State.Me.State)
}

// ready goes on duty from any state that takes no calls and does not end by itself.
func (s *shift) ready(ctx context.Context, now wire.DutyState) error {
	switch now {
	case wire.DutyReady, wire.DutyOffered, wire.DutyTalking, wire.DutyWrapUp:
		return nil
	}
	if s.duty != nil {
		return nil // asked a moment ago
	}
	s.duty = time.After(again)
	_, err := s.l.ask(ctx, &wire.DutySet{State: wire.DutyReady})
	if exchange.Refused(err) {
		return nil // the next state says what became of it
	}
	return err
}

func (s *shift) step(ctx context.Context) error {
	select {
	case n := <-s.l.s.News():
		return s.news(ctx, n.Body)
	case <-s.answer:
		return s.accept(ctx)
	case <-s.ask:
		return s.question(ctx)
	case <-s.duty:
		s.duty = nil
	case <-s.l.lost():
		s.l.renew(ctx, nil)
	case <-s.l.retry:
		s.l.renew(ctx, nil)
	case err := <-s.l.over:
		return fmt.Errorf("the line ended: %w", err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func (s *shift) news(ctx context.Context, b wire.Body) error {
	switch b := b.(type) {
	case *wire.Welcome:
		s.l.came(ctx, b)
		if b.Console != nil {
			return s.begin(ctx, b.Console)
		}
	case *wire.ConsoleState:
		return s.ready(ctx, b.Me.State)
	case *wire.OfferMade:
		s.ring(b)
	case *wire.OfferWithdrawn:
		s.See(watch.Withdrawn{Operator: s.staff, Call: b.Call, Epoch: b.Epoch, At: time.Now()})
		if s.rings != nil && s.rings.Call == b.Call && s.rings.Epoch == b.Epoch {
			s.rings, s.answer = nil, nil
		}
	case *wire.CallCardNews:
		return s.card(ctx, &b.Card)
	case *wire.ChatPosted:
		s.read(b.Call, b.Item)
	case *wire.MediaLost:
		if s.l.p != nil && b.PC == s.l.p.ID() {
			s.l.renew(ctx, nil)
		}
	}
	return nil
}

func (s *shift) ring(o *wire.OfferMade) {
	s.See(watch.Offered{Operator: s.staff, Call: o.Call, Number: o.Number, Epoch: o.Epoch, At: time.Now(), Until: time.UnixMilli(o.ExpiresMs)})
	s.rings, s.answer = o, time.After(s.Answer)
}

// accept answers what rings.
func (s *shift) accept(ctx context.Context) error {
	o := s.rings
	s.rings, s.answer = nil, nil
	s.l.await(ctx, o.Call, false)
	s.l.speak(true, s.Video) // with the press, as a console does: whether it was in time is told later
	asked := time.Now()
	_, err := s.l.ask(ctx, &wire.OfferAccept{Call: o.Call, Epoch: o.Epoch})
	switch {
	case err == nil:
		s.begins(o.Call)
		s.See(watch.Accepted{Operator: s.staff, Call: o.Call, Epoch: o.Epoch, Asked: asked, At: time.Now()})
		_, err = s.l.ask(ctx, &wire.MediaStatus{Mic: wire.DeviceOn, Camera: camera(s.Video)})
	case exchange.Refused(err):
		s.See(watch.Refused{Operator: s.staff, Call: o.Call, Epoch: o.Epoch, At: time.Now()})
		s.rest()
		err = nil
	}
	return err
}

func camera(on bool) wire.DeviceState {
	if on {
		return wire.DeviceOn
	}
	return wire.DeviceOff
}

// begins takes a call in hand.
func (s *shift) begins(call string) {
	s.call, s.manner, s.ask, s.chat = call, Manner{}, nil, map[string]bool{}
	s.l.speak(true, s.Video)
	if s.Manner != nil {
		s.manner = s.Manner(call)
	}
	if len(s.manner.Asks) > 0 {
		s.ask = time.After(thinkTime)
	}
}

// question asks the next one in the chat.
func (s *shift) question(ctx context.Context) error {
	s.ask = nil
	if s.call == "" || len(s.manner.Asks) == 0 {
		return nil
	}
	text := s.manner.Asks[0]
	s.manner.Asks = s.manner.Asks[1:]
	_, err := s.l.ask(ctx, &wire.ChatSend{Call: s.call, ID: string(ident.New[ident.FileID]()), Text: text})
	if exchange.Refused(err) {
		return nil // the call has ended meanwhile
	}
	return err
}

// card takes a call in hand as the gateway shows it and writes it up after its end.
func (s *shift) card(ctx context.Context, c *wire.CallCard) error {
	for _, item := range c.Chat {
		s.read(c.Call, item)
	}
	if c.Phase != wire.PhaseWrapUp && c.Phase != wire.PhaseEnded {
		if c.Call != s.wrapped && c.Call != s.call {
			s.begins(c.Call)
		}
		return nil
	}
	category, outcome := s.written(c.Call)
	if s.call == c.Call {
		s.left()
	}
	if c.Phase == wire.PhaseEnded || c.Call == s.wrapped {
		return nil
	}
	s.wrapped = c.Call
	if _, err := s.l.ask(ctx, &wire.CallWrapUp{Call: c.Call, Category: category, Outcome: outcome}); err != nil && !exchange.Refused(err) {
		return fmt.Errorf("wrap up: %w", err)
	}
	return nil
}

// written is how a call is written up.
func (s *shift) written(call string) (category, outcome string) {
	category, outcome = s.category, s.outcome
	if s.Manner == nil {
		return category, outcome
	}
	m := s.Manner(call)
	return cmp.Or(m.Category, category), cmp.Or(m.Outcome, outcome)
}

// rest lets the devices be as they are between calls.
func (s *shift) rest() { s.l.speak(true, s.Video && !s.Between) }

func (s *shift) left() {
	if s.call != "" {
		s.See(watch.Left{Operator: s.staff, Call: s.call, At: time.Now()})
		s.rest()
		s.call = ""
	}
}

func (s *shift) read(call string, item wire.ChatItem) {
	if item.From != "caller" {
		return
	}
	s.See(watch.Read{Call: call, ID: item.ID})
	if call == s.call && !s.chat[item.ID] && len(s.manner.Asks) > 0 {
		s.chat[item.ID] = true
		s.ask = time.After(thinkTime)
	}
}
