package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"jedel/internal/config"
	"jedel/internal/ident"
	"jedel/internal/notice"
	"jedel/internal/notify"
	"jedel/internal/outbox"
)

// MessageTest is one text message that shows whether the configured carrier works.
type MessageTest struct {
	Config config.Notify
	Data   string // folder of the gateway
	To     string // E.164
	Lang   string
	Wait   time.Duration // for the link, and then for a report
	Log    *slog.Logger
	Say    func(string)
}

// Run sends the message and tells what happens. It is no error only where the carrier took it.
func (t MessageTest) Run(ctx context.Context) error {
	carrier, err := smsCarrier(ctx, t.Config, t.Data, t.Log)
	switch {
	case err != nil:
		return err
	case carrier == nil:
		return errors.New("notify.sms is off: nothing can be sent")
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	told := make(chan notify.Told, 64)
	reporter, reports := carrier.(notify.Reporter)
	if reports {
		wg.Go(func() {
			_ = reporter.Run(ctx, func(_ context.Context, r notify.Told) error {
				select {
				case told <- r:
				default:
				}
				return nil
			})
		})
	}
	o := t.send(ctx, carrier)
	switch o := o.(type) {
	case outbox.Accepted:
		t.Say(fmt.Sprintf("accepted by the carrier, which calls it %q", o.ID))
	case outbox.Refused:
		return fmt.Errorf("refused for good: %s", o.Reason)
	case outbox.Later:
		return fmt.Errorf("not taken now, may be tried later: %s", o.Reason)
	case outbox.Unknown:
		return fmt.Errorf("nobody knows whether it was taken: %s", o.Reason)
	}
	if reports {
		return t.await(ctx, told)
	}
	t.Say("this carrier tells nothing more")
	return nil
}

// send tries until the link stands: a carrier that keeps one needs a moment.
func (t MessageTest) send(ctx context.Context, carrier notify.Carrier) outbox.Outcome {
	letter := notify.Letter{
		ID: string(ident.New[ident.FileID]()), Phone: t.To, Lang: t.Lang, Text: t.Config.Words().Render(notice.Test, t.Lang, notice.Args{}, t.Config.MaxParts), Until: time.Now().Add(time.Hour),
	}
	end := time.Now().Add(t.Wait)
	for {
		one, cancel := context.WithTimeout(ctx, config.NotifyAnswer)
		o := carrier.Send(one, letter)
		cancel()
		link, waits := carrier.(interface{ Bound() bool })
		if _, later := o.(outbox.Later); !later || !waits || link.Bound() || time.Now().After(end) {
			return o
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return o
		}
	}
}

// await waits for a report.
func (t MessageTest) await(ctx context.Context, told <-chan notify.Told) error {
	t.Say(fmt.Sprintf("waiting up to %v for a report", t.Wait))
	select {
	case r := <-told:
		if r.Report != outbox.Delivered {
			return errors.New("the carrier reports that it will not arrive")
		}
		t.Say("delivered")
	case <-time.After(t.Wait):
		t.Say("no report came in time; it may still arrive")
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
