package bot

import (
	"context"
	"fmt"
	"time"

	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/watch"
	"jedel/signaling/wire"
)

// Guest is somebody who listens to a call that is not theirs: the patrol on its way there.
type Guest struct {
	Config
	Token string // of their session
	Call  string
	Stay  time.Duration
}

// Run joins, listens until Stay is over or the call has ended, and leaves. A call that cannot be joined
// any more is an *exchange.Refusal.
func (g Guest) Run(ctx context.Context) error {
	l, _, err := open(ctx, g.Config, wire.RoleConsole, g.Token)
	if err != nil {
		err = fmt.Errorf("open guest: %w", err)
		g.See(watch.Ended{Role: string(wire.RoleConsole), Err: err})
		return err
	}
	err = g.listen(ctx, l)
	told := err
	if exchange.Refused(err) {
		told = nil // came too late, which is no fault of anybody's
	}
	_ = l.end(ctx, told)
	return err
}

func (g Guest) listen(ctx context.Context, l *line) error {
	if _, err := l.ask(ctx, &wire.CallJoin{Call: g.Call, Mode: wire.GuestListen}); err != nil {
		return err
	}
	stay := time.After(g.Stay)
	for {
		select {
		case n := <-l.s.News():
			switch b := n.Body.(type) {
			case *wire.GuestState:
				if b.View.Call == g.Call && b.View.Mode == "" {
					return nil // it has ended, or is none of ours any more
				}
			case *wire.Welcome:
				l.came(ctx, b)
			case *wire.MediaLost:
				if l.p != nil && b.PC == l.p.ID() {
					l.renew(ctx, nil)
				}
			}
		case <-stay:
			_, err := l.ask(ctx, &wire.CallLeave{Call: g.Call})
			if exchange.Refused(err) {
				return nil
			}
			return err
		case <-l.lost():
			l.renew(ctx, nil)
		case <-l.retry:
			l.renew(ctx, nil)
		case err := <-l.over:
			return fmt.Errorf("the line ended: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
