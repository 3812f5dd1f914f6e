// Package exchange matches answers to requests on one carrier of messages: a socket or a data
// channel. It knows nothing of either.
package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"jedel/internal/fault"
	"jedel/signaling/wire"
)

// ErrBroken reports that the carrier ended before the answer came. Whether the request was carried
// out is unknown: repeat it where it is idempotent.
var ErrBroken = errors.New("the carrier broke before the answer")

// Refusal is an answer of type "error".
type Refusal struct {
	Code fault.Code
	Op   string
	Text string
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("%s refused: %s (%s)", r.Op, r.Code, r.Text) }

// Refused reports whether err is a refusal with one of codes, or any refusal where none is given.
func Refused(err error, codes ...fault.Code) bool {
	var r *Refusal
	if !errors.As(err, &r) {
		return false
	}
	for _, c := range codes {
		if r.Code == c {
			return true
		}
	}
	return len(codes) == 0
}

// Exchange is one carrier's numbering and its open requests.
type Exchange struct {
	send func([]byte) error // one call at a time

	mu     sync.Mutex // guards the rest, and the order on the carrier
	seq    uint64
	open   map[uint64]chan wire.Body
	broken bool
}

// New returns an exchange that sends through send, which must not block for long.
func New(send func([]byte) error) *Exchange {
	return &Exchange{send: send, open: map[uint64]chan wire.Body{}}
}

// Ask sends a request and waits for its answer. An answer of type "error" comes back as *Refusal.
func (x *Exchange) Ask(ctx context.Context, body wire.Body) (wire.Body, error) {
	answer := make(chan wire.Body, 1)
	seq, err := x.begin(body, answer)
	if err != nil {
		return nil, err
	}
	select {
	case b, ok := <-answer:
		if !ok {
			return nil, fmt.Errorf("%s: %w", body.WireType(), ErrBroken)
		}
		if e, refused := b.(*wire.Error); refused {
			return nil, &Refusal{Code: e.Code, Op: body.WireType(), Text: e.Words.EN}
		}
		return b, nil
	case <-ctx.Done():
		x.mu.Lock()
		delete(x.open, seq)
		x.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", body.WireType(), context.Cause(ctx))
	}
}

func (x *Exchange) begin(body wire.Body, answer chan wire.Body) (uint64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.broken {
		return 0, fmt.Errorf("%s: %w", body.WireType(), ErrBroken)
	}
	x.seq++
	raw, err := wire.Encode(wire.Message{Seq: x.seq, Body: body})
	if err != nil {
		return 0, err
	}
	if err := x.send(raw); err != nil {
		return 0, fmt.Errorf("%s: %w: %w", body.WireType(), ErrBroken, err)
	}
	x.open[x.seq] = answer
	return x.seq, nil
}

// Take reads one message that came. It returns news; answers go to those who asked and nil comes
// back. News of a type that this program does not know are nil too.
func (x *Exchange) Take(raw []byte) (wire.Body, error) {
	m, err := wire.DecodeAny(raw)
	if fault.CodeOf(err) == fault.UnknownType && m.Re == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if m.Re == 0 {
		return m.Body, nil
	}
	x.mu.Lock()
	answer := x.open[m.Re]
	delete(x.open, m.Re)
	x.mu.Unlock()
	if answer == nil {
		return nil, nil // given up meanwhile
	}
	answer <- m.Body
	return nil, nil
}

// Break ends every open request with ErrBroken and refuses new ones. It may be called twice.
func (x *Exchange) Break() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.broken = true
	for seq, answer := range x.open {
		delete(x.open, seq)
		close(answer)
	}
}
