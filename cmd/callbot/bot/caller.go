package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/session"
	"jedel/cmd/callbot/watch"
	"jedel/internal/ident"
	"jedel/signaling/wire"
)

// Caller makes one call.
type Caller struct {
	Config
	Kind     wire.CallKind
	Talk     time.Duration // from the answer to hanging up; longer where HangUp says so
	Patience time.Duration // the longest wait for an answer
	Lat, Lon float64       // where the caller is, degrees WGS 84
	Text     string        // a chat line said at once; empty: none
	HangUp   <-chan struct{}
	Quit     <-chan struct{}                        // closed when everybody goes home: hangs up at once
	Answers  []string                               // one for each chat line of the operator, as long as there are any
	Walk     func(time.Duration) (lat, lon float64) // where they are so long after the tap; nil: they stand
	GivesUp  bool                                   // an end by Patience is meant, and no failure
	Thinks   time.Duration                          // from a question to its answer; 0: 2 s
}

// talk is a caller's call as far as it has come.
type talk struct {
	Caller
	l        *line
	view     wire.CallView
	made     time.Time        // when the gateway confirmed the call
	hangUp   <-chan time.Time // armed by the answer
	end      <-chan struct{}  // armed by hangUp
	patience <-chan time.Time
	steps    <-chan time.Time
	heard    map[string]bool // the operator's lines
	reply    <-chan time.Time
}

// walkEvery is how often somebody who walks tells where they are.
const walkEvery = 4 * time.Second

// Run makes the call and returns after its end. A call that ends otherwise than by the caller's
// hanging up is an error.
func (c Caller) Run(ctx context.Context) error {
	l, _, err := open(ctx, c.Config, wire.RoleCaller, "")
	if err != nil {
		err = fmt.Errorf("open caller: %w", err)
		c.See(watch.Ended{Role: string(wire.RoleCaller), Err: err})
		return err
	}
	t := &talk{Caller: c, l: l, heard: map[string]bool{}}
	return l.end(ctx, t.run(ctx))
}

func (t *talk) run(ctx context.Context) error {
	if err := t.tap(ctx); err != nil {
		return err
	}
	patience := time.NewTimer(t.Patience)
	defer patience.Stop()
	t.patience = patience.C
	if err := t.tell(ctx); err != nil {
		return err
	}
	if t.Walk != nil {
		steps := time.NewTicker(walkEvery)
		defer steps.Stop()
		t.steps = steps.C
	}
	for !t.over() {
		if err := t.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *talk) over() bool {
	return t.view.Phase == wire.PhaseEnded || t.view.Phase == wire.PhaseWrapUp
}

// tap presses the button.
func (t *talk) tap(ctx context.Context) error {
	t.l.speak(true, t.Kind == wire.KindVideo)
	ref := string(ident.New[ident.CallID]())
	t.See(watch.Tapped{Ref: ref, At: time.Now()})
	if t.l.p == nil {
		t.l.renew(ctx, nil)
	}
	b, err := t.l.ask(ctx, &wire.CallCreate{Ref: ref, Kind: t.Kind, Fix: t.fix()})
	if err != nil {
		return fmt.Errorf("tap: %w", err)
	}
	made, ok := b.(*wire.CallCreated)
	if !ok {
		return fmt.Errorf("tap: answered by %s", b.WireType())
	}
	t.made = time.Now()
	t.See(watch.Created{Ref: ref, Call: made.View.Call, Number: made.View.Number, At: t.made})
	t.l.await(ctx, made.View.Call, true)
	t.show(made.View)
	return nil
}

func (t *talk) fix() *wire.Fix {
	return &wire.Fix{Lat: t.Lat, Lon: t.Lon, AccuracyM: 12, Source: "device", ClientMs: time.Now().UnixMilli()}
}

// tell says what a page says after the tap.
func (t *talk) tell(ctx context.Context) error {
	status := &wire.MediaStatus{Mic: wire.DeviceOn, Camera: wire.DeviceOff}
	if t.Kind == wire.KindVideo {
		status.Camera = wire.DeviceOn
	}
	if _, err := t.l.ask(ctx, status); err != nil {
		return err
	}
	if err := t.l.post(ctx, &wire.PositionReport{Call: t.view.Call, ID: string(ident.New[ident.FileID]()), Fix: *t.fix()}); err != nil {
		return err
	}
	if t.Text == "" {
		return nil
	}
	return t.say(ctx, t.Text)
}

// say writes a chat line.
func (t *talk) say(ctx context.Context, text string) error {
	id := string(ident.New[ident.FileID]())
	if err := t.l.post(ctx, &wire.ChatSend{Call: t.view.Call, ID: id, Text: text}); err != nil {
		return err
	}
	t.See(watch.Said{Call: t.view.Call, ID: id})
	return nil
}

// moved tells the next position of who walks.
func (t *talk) moved(ctx context.Context) error {
	t.Lat, t.Lon = t.Walk(time.Since(t.made))
	err := t.l.post(ctx, &wire.PositionReport{Call: t.view.Call, ID: string(ident.New[ident.FileID]()), Fix: *t.fix()})
	if exchange.Refused(err) {
		return nil // the call has ended meanwhile
	}
	return err
}

// hear notes a line of the operator's, to which an answer is due.
func (t *talk) hear(item wire.ChatItem) {
	if item.From != "operator" || t.heard[item.ID] || len(t.Answers) == 0 {
		return
	}
	t.heard[item.ID] = true
	wait := t.Thinks
	if wait == 0 {
		wait = 2 * time.Second
	}
	t.reply = time.After(wait)
}

// answer gives the next answer.
func (t *talk) answer(ctx context.Context) error {
	text := t.Answers[0]
	t.Answers, t.reply = t.Answers[1:], nil
	if err := t.say(ctx, text); !exchange.Refused(err) {
		return err
	}
	return nil // the call has ended meanwhile
}

// show takes a view of the call, unless it is older than the one there is.
func (t *talk) show(v wire.CallView) {
	if v.Call == "" || (t.view.Call != "" && (v.Call != t.view.Call || v.Rev < t.view.Rev)) {
		return
	}
	t.view = v
	t.See(watch.Viewed{Call: v.Call, Number: v.Number, Phase: string(v.Phase), EndReason: v.EndReason, At: time.Now()})
	if t.hangUp == nil && (v.Phase == wire.PhaseTalking || v.Phase == wire.PhaseConnecting) {
		t.hangUp, t.patience = time.After(t.Talk), nil
	}
}

// step waits for the next thing that concerns the call.
func (t *talk) step(ctx context.Context) error {
	select {
	case n := <-t.l.s.News():
		return t.news(ctx, n)
	case <-t.l.lost():
		t.l.renew(ctx, nil)
	case <-t.l.retry:
		t.l.renew(ctx, nil)
	case <-t.hangUp:
		t.hangUp = make(chan time.Time) // once
		if t.HangUp == nil {
			return t.leave(ctx)
		}
		t.end = t.HangUp
	case <-t.end:
		t.end = nil
		return t.leave(ctx)
	case <-t.steps:
		return t.moved(ctx)
	case <-t.reply:
		return t.answer(ctx)
	case <-t.Quit:
		t.Quit = nil
		return t.leave(ctx)
	case <-t.patience:
		if t.GivesUp {
			return t.leave(ctx)
		}
		return errors.Join(fmt.Errorf("nobody answered within %v", t.Patience), t.leave(ctx))
	case err := <-t.l.over:
		return fmt.Errorf("the line ended: %w", err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func (t *talk) news(ctx context.Context, n session.News) error {
	switch b := n.Body.(type) {
	case *wire.Welcome:
		if b.Call == nil && n.At.Before(t.made) { // came while the tap was on its way
			t.l.came(ctx, b)
			return nil
		}
		if b.Call == nil {
			t.See(watch.Forgotten{Call: t.view.Call, At: time.Now()})
			return fmt.Errorf("the gateway knows nothing of call %s", t.view.Number)
		}
		t.l.came(ctx, b)
		t.show(*b.Call)
	case *wire.CallState:
		t.show(b.View)
	case *wire.ChatPosted:
		if b.Call == t.view.Call {
			t.hear(b.Item)
		}
	case *wire.MediaLost:
		if t.l.p != nil && b.PC == t.l.p.ID() {
			t.l.renew(ctx, nil)
		}
	}
	return nil
}

// leave hangs up and waits for the word that the call has ended.
func (t *talk) leave(ctx context.Context) error {
	if _, err := t.l.ask(ctx, &wire.CallEnd{Call: t.view.Call}); err != nil && !exchange.Refused(err) {
		return fmt.Errorf("hang up: %w", err)
	}
	late := time.After(askTime)
	for !t.over() {
		select {
		case n := <-t.l.s.News():
			if w, ok := n.Body.(*wire.Welcome); ok && w.Call == nil { // ended while the line was down
				t.view.Phase = wire.PhaseEnded
				t.See(watch.Viewed{Call: t.view.Call, Number: t.view.Number, Phase: string(t.view.Phase), At: time.Now()})
				continue
			}
			if err := t.news(ctx, n); err != nil {
				return err
			}
		case <-late:
			return fmt.Errorf("hung up and heard nothing for %v", askTime)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
