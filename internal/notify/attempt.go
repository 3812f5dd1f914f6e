package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"jedel/internal/outbox"
	"jedel/internal/store"
)

// append keeps one record of p and the row it leads to; p is further by it when append returns nil.
func (l *ledger) append(ctx context.Context, p *parcel, r record, receipts []store.Receipt) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	row := p.row
	row.Version++
	if err := l.cfg.Store.AppendMessage(ctx, row, raw, receipts); err != nil {
		return err
	}
	p.row = row
	return nil
}

// attempt sends p once. That it is about to be sent is durable before a carrier hears of it: after a crash the
// attempt is one of unknown outcome, and no attempt is ever sent twice.
func (s *Sender) attempt(ctx context.Context, p parcel, order outbox.Send) error {
	now := time.Now()
	begun := outbox.Begun{Number: order.Number, Channel: order.Channel, At: now}
	next, err := outbox.Apply(s.cfg.Policy, p.rules, begun)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	r := write(begun)
	r.Repeated = order.Again
	p.row.MessageState = store.MessageState{
		Stage: StageSending, At: now, Channel: string(order.Channel), Due: now.Add(s.cfg.Policy.AnswerTime + s.cfg.Policy.DoubtTime),
	}
	if err := s.append(ctx, &p, r, nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	p.rules = next
	if order.Again {
		s.met.repeated.Inc()
	}
	o := s.hand(ctx, p, order)
	s.met.attempts.WithLabelValues(string(order.Channel), outcomeName(o)).Inc()
	return s.finish(ctx, p, outbox.Ended{Number: order.Number, Outcome: o, At: time.Now()}, order.Channel)
}

// hand gives p to the carrier of a channel; by push to every browser of the citizen.
func (s *Sender) hand(ctx context.Context, p parcel, order outbox.Send) outbox.Outcome {
	carrier := s.cfg.Carriers[order.Channel]
	if carrier == nil {
		return outbox.Refused{Reason: "no carrier"} // configured when it was enqueued, not any more
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Policy.AnswerTime)
	defer cancel()
	until := p.rules.Made.Add(s.cfg.Policy.Life)
	if !p.rules.Until.IsZero() && p.rules.Until.Before(until) {
		until = p.rules.Until
	}
	l := Letter{
		ID: p.row.ID + "-" + strconv.Itoa(order.Number), Phone: p.row.Phone, Lang: p.content.Lang, Number: p.content.Number, Text: p.content.Text,
		Tag: p.row.Case, Urgent: p.content.Urgent, Until: until,
	}
	if order.Channel != outbox.Push {
		return s.ask(ctx, carrier, l)
	}
	l.Phone, l.Text = "", p.content.Notice
	return s.handPush(ctx, carrier, l, p.row.Citizen)
}

// handPush sends to every browser. Taken by one is taken; what a browser has ended is forgotten.
func (s *Sender) handPush(ctx context.Context, carrier Carrier, l Letter, citizen string) outbox.Outcome {
	subs, err := s.cfg.Store.PushSubscriptions(ctx, citizen)
	if err != nil {
		return outbox.Later{Reason: "subscriptions cannot be read"}
	}
	var best outbox.Outcome = outbox.Refused{Reason: "no subscription"}
	for i, sub := range subs {
		l.Subscription = Subscription{Endpoint: sub.Endpoint, P256dh: sub.P256dh, Auth: sub.Auth}
		o := s.ask(ctx, carrier, l)
		if r, ok := o.(outbox.Refused); ok && r.Gone {
			if err := s.cfg.Store.DeletePushSubscription(ctx, "", sub.Endpoint); err != nil {
				s.log.Warn("a subscription that has ended stays", "err", err)
			}
		}
		if i == 0 || weight(o) > weight(best) {
			best = o
		}
	}
	return best
}

// weight orders what several browsers said: what is taken or may be is not sent again.
func weight(o outbox.Outcome) int {
	switch o.(type) {
	case outbox.Accepted:
		return 3
	case outbox.Unknown:
		return 2
	case outbox.Later:
		return 1
	}
	return 0
}

// Bounds of finish: what a carrier said is worth some patience, since without it the message is sent again.
const (
	finishTries = 6
	finishPause = time.Second
	finishTime  = 20 * time.Second
)

// finish keeps how an attempt ended. A report may have changed the message meanwhile: then it is read again.
func (l *ledger) finish(ctx context.Context, p parcel, ended outbox.Ended, channel outbox.Channel) error {
	var receipts []store.Receipt
	if o, ok := ended.Outcome.(outbox.Accepted); ok {
		for id := range strings.SplitSeq(o.ID, IDSeparator) {
			if id != "" {
				receipts = append(receipts, store.Receipt{Channel: string(channel), ID: id, Attempt: ended.Number})
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	var err error
	for try := range finishTries {
		if try > 0 {
			<-time.After(finishPause)
			var m store.OpenMessage
			if m, err = l.cfg.Store.LoadMessage(ctx, p.row.ID); err != nil {
				continue
			}
			if p, err = open(l.cfg.Policy, m); err != nil {
				return err
			}
		}
		var next outbox.Message
		if next, err = outbox.Apply(l.cfg.Policy, p.rules, ended); errors.Is(err, outbox.ErrEnded) {
			return nil // an earlier try was kept after all
		} else if err != nil {
			return fmt.Errorf("finish: %w", err)
		}
		q := p
		q.row.Stage, q.row.Reason = stageOf(ended.Outcome)
		q.row.At, q.row.Channel, q.row.Due = ended.At, string(channel), ended.At
		if err = l.append(ctx, &q, write(ended), receipts); err == nil {
			q.rules = next
			return l.early(ctx, q, ended.Number, receipts)
		}
	}
	return fmt.Errorf("finish: %w", err)
}

// early applies reports that came before the answer.
func (l *ledger) early(ctx context.Context, p parcel, number int, receipts []store.Receipt) error {
	if len(receipts) == 0 {
		return nil
	}
	parts, err := l.cfg.Store.Parts(ctx, p.row.ID, number)
	if err != nil {
		return err
	}
	return l.report(ctx, p, number, parts)
}

// stageOf is what people see after an attempt.
func stageOf(o outbox.Outcome) (stage, reason string) {
	switch o := o.(type) {
	case outbox.Accepted:
		return StageSent, ""
	case outbox.Refused:
		return StageQueued, o.Reason
	case outbox.Later:
		return StageQueued, o.Reason
	case outbox.Unknown:
		return StageQueued, o.Reason
	}
	return StageQueued, ""
}

// end closes p. The phone and the words are forgotten: the case has them.
func (l *ledger) end(ctx context.Context, p parcel, e outbox.End) error {
	switch e.How {
	case outbox.EndDelivered:
		p.row.Stage = StageDelivered
	case outbox.EndAccepted:
		p.row.Stage = StageSent
	case outbox.EndRefused:
		p.row.Stage, p.row.At = StageFailed, time.Now()
	default:
		p.row.Stage, p.row.At = StageGivenUp, time.Now()
	}
	if e.Reason != "" || e.How == outbox.EndDelivered {
		p.row.Reason = e.Reason
	}
	p.row.Ended, p.row.Phone = true, ""
	c := p.content
	c.Text, c.Notice = "", ""
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	p.row.Body = raw
	if err := l.append(ctx, &p, record{Fact: "end", How: e.How.String(), Reason: e.Reason, AtUs: micros(time.Now())}, nil); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	l.met.ended.WithLabelValues(e.How.String()).Inc()
	return nil
}

// giveUp ends a message whose records make no sense, so that it holds up nobody.
func (l *ledger) giveUp(ctx context.Context, p parcel, why error) error {
	l.log.Error("a message is given up", "message", p.row.ID, "err", why)
	return l.end(ctx, p, outbox.End{How: outbox.EndGivenUp, Reason: "unreadable"})
}
