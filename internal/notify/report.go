package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jedel/internal/outbox"
	"jedel/internal/store"
)

// listen keeps one carrier's link until ctx ends.
func (s *Sender) listen(ctx context.Context, channel outbox.Channel, r Reporter) {
	for ctx.Err() == nil {
		err := r.Run(ctx, func(ctx context.Context, t Told) error { return s.told(ctx, channel, t) })
		if ctx.Err() != nil {
			return
		}
		s.log.Warn("a carrier's link ended and is made again", "channel", channel, "err", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// reportTries is how often a report that met another writer is applied to the message read again.
const reportTries = 4

// told keeps one report. It is durable when told returns nil.
func (l *ledger) told(ctx context.Context, channel outbox.Channel, t Told) error {
	if t.ID == "" || len(t.ID) > 64 || t.Report != outbox.Delivered && t.Report != outbox.Failed {
		return nil // nothing to keep
	}
	parts, err := l.cfg.Store.PutReport(ctx, store.Receipt{Channel: string(channel), ID: t.ID, Report: int(t.Report)}, time.Now())
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		l.met.reports.WithLabelValues("early").Inc() // its attempt will find it
		return nil
	}
	for range reportTries {
		var m store.OpenMessage
		if m, err = l.cfg.Store.LoadMessage(ctx, parts[0].Message); err != nil {
			break
		}
		var p parcel
		if p, err = open(l.cfg.Policy, m); err != nil {
			break
		}
		if err = l.report(ctx, p, parts[0].Attempt, parts); !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errBroken) {
		return nil // it would come for ever
	}
	return err
}

// report applies what the parts of an attempt say together: one that failed is enough, delivered are all.
func (l *ledger) report(ctx context.Context, p parcel, number int, parts []store.Receipt) error {
	all := outbox.Delivered
	if len(parts) == 0 { // the carrier gave a name twice, and the other message has it
		all = outbox.NoReport
	}
	for _, r := range parts {
		switch outbox.Report(r.Report) {
		case outbox.Failed:
			all = outbox.Failed
		case outbox.NoReport:
			if all == outbox.Delivered {
				all = outbox.NoReport
			}
		}
	}
	if all == outbox.NoReport || number < 1 || number > len(p.rules.Attempts) || p.rules.Attempts[number-1].Report != outbox.NoReport {
		return nil
	}
	f := outbox.Reported{Number: number, Report: all}
	next, err := outbox.Apply(l.cfg.Policy, p.rules, f)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	now := time.Now()
	p.row.Due = now
	switch {
	case all == outbox.Delivered:
		p.row.Stage, p.row.At, p.row.Reason, p.row.Channel = StageDelivered, now, "", string(p.rules.Attempts[number-1].Channel)
		l.met.reports.WithLabelValues("delivered").Inc()
	case p.row.Ended && p.row.Stage == StageSent:
		p.row.Stage, p.row.At, p.row.Reason = StageFailed, now, outbox.ReasonFailed
		l.met.reports.WithLabelValues("failed").Inc()
	default:
		l.met.reports.WithLabelValues("failed").Inc()
	}
	if err := l.append(ctx, &p, write(f), nil); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	p.rules = next
	l.wake()
	return nil
}
