package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"jedel/internal/notice"
	"jedel/internal/outbox"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// Store keeps messages; *store.DB is one. Its contract stands there.
type Store interface {
	Box
	Reports
	Subscriptions
}

// Box is the messages and what became of them.
type Box interface {
	AddMessage(ctx context.Context, m store.Message) (added bool, err error)
	AppendMessage(ctx context.Context, m store.Message, record []byte, receipts []store.Receipt) error
	PostponeMessages(ctx context.Context, list []store.Message, due time.Time) error
	DueCitizens(ctx context.Context, now time.Time, limit int) (list []string, next time.Time, err error)
	OpenMessages(ctx context.Context, citizen string) ([]store.OpenMessage, error)
}

// Reports is what carriers tell later, and what is told of messages.
type Reports interface {
	LoadMessage(ctx context.Context, id string) (store.OpenMessage, error)
	CaseMessages(ctx context.Context, id string) ([]store.Message, error)
	WaitingMessages(ctx context.Context) (n int, oldest time.Time, err error)
	PutReport(ctx context.Context, r store.Receipt, at time.Time) ([]store.Receipt, error)
	Parts(ctx context.Context, message string, attempt int) ([]store.Receipt, error)
}

// Subscriptions is where browsers take notices, and the housekeeping.
type Subscriptions interface {
	PutPushSubscription(ctx context.Context, s store.PushSubscription) error
	PushSubscriptions(ctx context.Context, citizen string) ([]store.PushSubscription, error)
	DeletePushSubscription(ctx context.Context, citizen, endpoint string) error
	ForgetReceipts(ctx context.Context, before time.Time) error
}

// Config is how messages are sent.
type Config struct {
	Policy   outbox.Policy
	Zone     *time.Location // whose quiet hours count
	Channels []outbox.Channel
	Carriers map[outbox.Channel]Carrier
	Prefixes []string // of phones that get text messages, such as +7
	Texts    notice.Texts
	MaxParts int // text messages that one message may cost
	Store    Store
	Log      *slog.Logger
	Reg      prometheus.Registerer
}

// Sender sends messages. Enqueue and Case may be called by many; one Run carries out what is due.
type Sender struct{ *ledger }

// ledger keeps what happened to messages.
type ledger struct {
	cfg   Config
	log   *slog.Logger
	met   metrics
	nudge chan struct{} // capacity 1: look at the store now
}

// New returns a sender that does not send yet.
func New(cfg Config) *Sender {
	return &Sender{&ledger{cfg: cfg, log: cfg.Log, met: newMetrics(cfg.Reg), nudge: make(chan struct{}, 1)}}
}

// Times of the loop.
const (
	// lanes is how many citizens are served at once; their messages wait for carriers most of the time.
	lanes = 8
	// look is how often the store is asked without being told: another node may have added a message.
	look = 5 * time.Second
	// grace is how long attempts under way may go on at the end. Shorter leaves more of unknown outcome.
	grace = 5 * time.Second
	// pause keeps a citizen whose messages cannot be read or written out of the way of the others.
	pause = 10 * time.Second
)

// wake lets Run look at once.
func (l *ledger) wake() {
	select {
	case l.nudge <- struct{}{}:
	default:
	}
}

// Run sends what is due until ctx ends. What is under way then gets a moment more.
func (s *Sender) Run(ctx context.Context) {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var beside sync.WaitGroup
	for channel, c := range s.cfg.Carriers {
		if r, ok := c.(Reporter); ok {
			beside.Go(func() { s.listen(work, channel, r) })
		}
	}
	beside.Go(func() { s.keepHouse(ctx) })
	s.serveAll(ctx, work, stop)
	stop()
	beside.Wait()
}

// serveAll hands citizens with something due to lanes, and waits for these at the end.
func (s *Sender) serveAll(ctx, work context.Context, stop context.CancelFunc) {
	busy, done := map[string]bool{}, make(chan string)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case c := <-done:
			delete(busy, c)
		case <-s.nudge:
		case <-timer.C:
		case <-ctx.Done():
			continue
		}
		timer.Reset(s.startDue(ctx, work, busy, done))
	}
	end := time.NewTimer(grace)
	defer end.Stop()
	for len(busy) > 0 {
		select {
		case c := <-done:
			delete(busy, c)
		case <-end.C:
			stop()
		}
	}
}

// startDue starts a lane for each citizen who is due and has none, and returns when to look again.
func (s *Sender) startDue(ctx, work context.Context, busy map[string]bool, done chan<- string) time.Duration {
	if len(busy) == lanes {
		return look
	}
	now := time.Now()
	list, next, err := s.cfg.Store.DueCitizens(ctx, now, 2*lanes)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("messages wait for the store", "err", err)
		}
		return look
	}
	for _, c := range list {
		if busy[c] || len(busy) == lanes {
			continue
		}
		busy[c] = true
		go func() { // joined by serveAll, which waits for done
			s.serve(ctx, work, c)
			done <- c
		}()
	}
	if next.IsZero() {
		return look
	}
	return min(max(next.Sub(now), time.Millisecond), look)
}

// serve carries out what is due for one citizen, in its order.
func (s *Sender) serve(ctx, work context.Context, citizen string) {
	for ctx.Err() == nil {
		more, err := s.step(ctx, work, citizen)
		if errors.Is(err, store.ErrConflict) {
			continue // another node, or a report, was first: look again
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("messages of a citizen", "err", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			return
		}
		if !more {
			return
		}
	}
}

// step carries out one order of the rules; more is false where there was none.
func (s *Sender) step(ctx, work context.Context, citizen string) (more bool, err error) {
	list, err := s.cfg.Store.OpenMessages(ctx, citizen)
	if err != nil {
		return false, err
	}
	var box []parcel
	var rules []outbox.Message
	var rows []store.Message
	for _, m := range list {
		p, err := open(s.cfg.Policy, m)
		if err != nil {
			return true, s.giveUp(work, p, err) // it would hold up all that follow
		}
		box, rules, rows = append(box, p), append(rules, p.rules), append(rows, m.Message)
	}
	if len(box) == 0 {
		return false, nil
	}
	due, next := outbox.Plan(s.cfg.Policy, rules, time.Now().In(s.cfg.Zone), 1)
	if len(due) == 0 {
		return false, s.cfg.Store.PostponeMessages(ctx, rows, next)
	}
	switch p := box[due[0].Index]; order := due[0].Step.(type) {
	case outbox.End:
		return true, s.end(work, p, order)
	case outbox.Send:
		return true, s.attempt(work, p, order)
	}
	return false, fmt.Errorf("bug: step %T", due[0].Step)
}

// ask lets a carrier send. A panic costs one attempt: whether it was taken nobody knows.
func (s *Sender) ask(ctx context.Context, c Carrier, l Letter) (o outbox.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic in a carrier", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
			o = outbox.Unknown{Reason: "panic"}
		}
	}()
	if o = c.Send(ctx, l); o == nil {
		o = outbox.Unknown{Reason: "no outcome"}
	}
	return o
}

// keepHouse tells the figures and forgets old receipts until ctx ends.
func (s *Sender) keepHouse(ctx context.Context) {
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		if waiting, oldest, err := s.cfg.Store.WaitingMessages(ctx); err == nil {
			s.met.waiting.Set(float64(waiting))
			age := 0.0
			if waiting > 0 {
				age = time.Since(oldest).Seconds()
			}
			s.met.oldest.Set(age)
		}
		if n%240 == 0 { // hourly
			if err := s.cfg.Store.ForgetReceipts(ctx, time.Now().Add(-receiptLife)); err != nil && ctx.Err() == nil {
				s.log.Warn("old receipts stay a little longer", "err", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// receiptLife is how long what carriers call messages is kept; no centre tries for longer than a week.
const receiptLife = 8 * 24 * time.Hour
