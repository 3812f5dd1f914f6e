// Package smsc keeps the link to an operator's message centre (SMPP 3.4) and sends text messages over it.
// The libraries there are leave a goroutine behind for each bind that fails and answer a receipt before it is
// kept; a sender needs six kinds of PDU, which internal/smpp has.
package smsc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"jedel/internal/notify"
	"jedel/internal/outbox"
	"jedel/internal/smpp"
)

// Config is one account at a centre.
type Config struct {
	Addr       string
	TLS        *tls.Config // nil: none, as within the operator's private network
	SystemID   string
	Password   string
	SystemType string
	Sender     string
	AnswerTime time.Duration // longest wait for an answer
	Enquire    time.Duration // how often a quiet link is tried
	PerSecond  int           // parts that the account may send in a second; 0: no bound
	Retry      time.Duration // first wait after a link was lost; doubled up to a minute
	Decimal    bool          // receipts write the identifier in decimal, answers in hexadecimal
}

// maxRetry bounds the wait for a new link. Longer leaves messages lying, shorter annoys a centre that is down.
const maxRetry = time.Minute

// window bounds how many PDUs wait for their answer at once. Centres allow at least ten.
const window = 10

// Link is the connection to a centre, made again whenever it breaks. Make it with New, then Run it.
type Link struct {
	cfg  Config
	log  *slog.Logger
	slot chan struct{} // one for each PDU under way

	mu   sync.Mutex // guards the rest
	conn *session   // nil: not bound
	free time.Time  // when the next part may go
}

// New returns a link that is not connected yet.
func New(cfg Config, log *slog.Logger) *Link {
	return &Link{cfg: cfg, log: log, slot: make(chan struct{}, window)}
}

// Run implements notify.Reporter.
func (l *Link) Run(ctx context.Context, told func(context.Context, notify.Told) error) error {
	wait := l.cfg.Retry
	for ctx.Err() == nil {
		bound, err := l.live(ctx, told)
		if ctx.Err() != nil {
			return nil
		}
		if bound {
			wait = l.cfg.Retry
		}
		l.log.Warn("the link to the message centre was lost", "err", err, "again_in", wait)
		select {
		case <-time.After(wait/2 + rand.N(wait)/2 + 1):
		case <-ctx.Done():
		}
		wait = min(2*wait, maxRetry)
	}
	return nil
}

// live is one connection from its binding to its end.
func (l *Link) live(ctx context.Context, told func(context.Context, notify.Told) error) (bound bool, err error) {
	dial, cancel := context.WithTimeout(ctx, l.cfg.AnswerTime)
	defer cancel()
	conn, err := l.dial(dial)
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	s := &session{cfg: l.cfg, conn: conn, told: told, waiting: map[uint32]chan smpp.PDU{}, dead: make(chan struct{})}
	if err := s.bind(); err != nil {
		return false, errors.Join(fmt.Errorf("bind: %w", err), conn.Close())
	}
	l.log.Info("bound to the message centre")
	l.set(s)
	defer l.set(nil)
	return true, s.run(ctx)
}

func (l *Link) dial(ctx context.Context) (net.Conn, error) {
	if l.cfg.TLS != nil {
		return (&tls.Dialer{Config: l.cfg.TLS}).DialContext(ctx, "tcp", l.cfg.Addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", l.cfg.Addr)
}

func (l *Link) set(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = s
}

func (l *Link) session() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn
}

// Bound tells whether messages can be sent now.
func (l *Link) Bound() bool { return l.session() != nil }

// Send implements notify.Carrier. The parts of a long message go one after the other.
func (l *Link) Send(ctx context.Context, letter notify.Letter) outbox.Outcome {
	s := l.session()
	if s == nil {
		return outbox.Later{Reason: "not connected"}
	}
	ref := fnv.New32a()
	ref.Write([]byte(letter.ID))
	coding, parts := smpp.Split(letter.Text, byte(ref.Sum32()))
	short := smpp.Short{
		From: smpp.Sender(l.cfg.Sender), To: smpp.International(letter.Phone), Coding: coding, Receipt: true, Validity: validity(time.Until(letter.Until)),
	}
	if len(parts) > 1 {
		short.Class = smpp.ClassUDH
	}
	var ids []string
	for _, part := range parts {
		short.Text = part
		id, outcome := l.submit(ctx, s, short)
		switch {
		case outcome != nil && len(ids) > 0:
			return outbox.Unknown{Reason: "only a part was taken"}
		case outcome != nil:
			return outcome
		}
		ids = append(ids, id)
	}
	return outbox.Accepted{ID: strings.Join(ids, notify.IDSeparator)}
}

// submit hands one part over; outcome is nil where it was taken.
func (l *Link) submit(ctx context.Context, s *session, short smpp.Short) (id string, outcome outbox.Outcome) {
	select {
	case l.slot <- struct{}{}:
		defer func() { <-l.slot }()
	case <-ctx.Done():
		return "", outbox.Later{Reason: "the centre is slow"}
	}
	if !l.pace(ctx) {
		return "", outbox.Later{Reason: "more than the account may send"}
	}
	answer, written, err := s.ask(ctx, smpp.SubmitSM, short.Bytes())
	switch {
	case err != nil && !written:
		return "", outbox.Later{Reason: "not connected"}
	case err != nil:
		return "", outbox.Unknown{Reason: "no answer"}
	case answer.Status == smpp.OK:
		id, err := smpp.ParseName(answer.Body)
		if err != nil || id == "" || strings.ContainsAny(id, " \t\r\n") {
			return "", outbox.Unknown{Reason: "answer without an identifier"}
		}
		return l.plain(id), nil
	case answer.Status.Permanent():
		return "", outbox.Refused{Reason: answer.Status.String()}
	}
	return "", outbox.Later{Reason: answer.Status.String()}
}

// pace waits for this part's turn; false where ctx ends before.
func (l *Link) pace(ctx context.Context) bool {
	if l.cfg.PerSecond <= 0 {
		return true
	}
	l.mu.Lock()
	turn := l.free
	if now := time.Now(); turn.Before(now) {
		turn = now
	}
	if end, ok := ctx.Deadline(); ok && end.Before(turn) {
		l.mu.Unlock()
		return false
	}
	l.free = turn.Add(time.Second / time.Duration(l.cfg.PerSecond))
	l.mu.Unlock()
	select {
	case <-time.After(time.Until(turn)):
		return true
	case <-ctx.Done():
		return false
	}
}

// plain returns an identifier as receipts write it.
func (l *Link) plain(id string) string {
	if n, err := strconv.ParseUint(id, 16, 64); l.cfg.Decimal && err == nil {
		return strconv.FormatUint(n, 10)
	}
	return id
}

// validity writes how long the centre shall try (section 7.1.1.2); nothing beyond 7 days or under a minute.
func validity(d time.Duration) string {
	if d < time.Minute || d > 7*24*time.Hour {
		return ""
	}
	return fmt.Sprintf("0000%02d%02d%02d00000R", int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60)
}

var (
	_ notify.Carrier  = (*Link)(nil)
	_ notify.Reporter = (*Link)(nil)
)
