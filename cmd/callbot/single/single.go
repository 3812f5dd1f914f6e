// Package single is a phone whose network carries single datagrams: it calls by UDP as docs/PROTOCOL.md, "One datagram",
// tells, and reads the operator's words from the receipts.
package single

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"jedel/internal/ident"
	"jedel/internal/sos"
	"jedel/signaling/wire"
)

// Phone sends datagrams from one socket.
type Phone struct {
	conn  net.Conn
	from  [16]byte
	key   *sos.Key // nil: in the open
	ref   [16]byte
	proof [12]byte
	n     uint16
	Sent  int // datagrams so far
}

// Dial returns a phone that sends to addr, the gateway's media port. w is what the gateway knows of it; nil: nothing, it
// speaks in the open.
func Dial(ctx context.Context, addr string, w *wire.Welcome) (*Phone, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", addr)
	if err != nil {
		return nil, err
	}
	p := &Phone{conn: conn}
	rand.Read(p.ref[:])
	rand.Read(p.from[:])
	if w != nil {
		if p.from, err = ident.Raw(ident.ClientID(w.Client)); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
		key := sos.KeyOf(w.Key)
		p.key = &key
	}
	return p, nil
}

// Close ends the socket.
func (p *Phone) Close() error { return p.conn.Close() }

// Frame makes a datagram of m as this phone's.
func (p *Phone) Frame(m sos.Message) ([]byte, error) {
	m.Ref = p.ref
	var nonce [12]byte
	rand.Read(nonce[:])
	if p.key == nil {
		return sos.Clear(p.from, p.proof, m, sos.MaxFrame)
	}
	return sos.Seal(*p.key, p.from, nonce, m, sos.MaxFrame)
}

// Say sends m as the next message, again and again until its receipt or ctx ends.
func (p *Phone) Say(ctx context.Context, m sos.Message) (sos.Receipt, error) {
	m.N = p.n
	p.n++
	return p.ask(ctx, m)
}

// Hear asks for the operator's words from have on.
func (p *Phone) Hear(ctx context.Context, have uint32, part uint8) (sos.Receipt, error) {
	return p.ask(ctx, sos.Message{N: p.n, Kind: sos.Voice, Battery: sos.NoBattery, Poll: true, Have: have, Part: part})
}

// ask sends m at sos.Gap until what answers it comes.
func (p *Phone) ask(ctx context.Context, m sos.Message) (sos.Receipt, error) {
	m.SentMs = time.Now().UnixMilli()
	for copies := 1; ; copies++ {
		b, err := p.Frame(m)
		if err != nil {
			return sos.Receipt{}, err
		}
		if _, err := p.conn.Write(b); err != nil && !refusedForNow(err) {
			return sos.Receipt{}, err
		}
		p.Sent++
		a, err := p.answer(ctx, time.Now().Add(sos.Gap(copies)), m.N)
		switch {
		case ctx.Err() != nil:
			return sos.Receipt{}, context.Cause(ctx)
		case err != nil:
			continue
		case a.Proof != nil:
			p.proof, copies = *a.Proof, 0
		case a.Status == sos.Unreadable: // life before privacy
			p.key, copies = nil, 0
			rand.Read(p.from[:])
		default:
			return a.Receipt, nil
		}
	}
}

// answer waits for what answers message n. Who is asked to come later comes with the next copy, no sooner.
func (p *Phone) answer(ctx context.Context, until time.Time, n uint16) (sos.Answer, error) {
	stop := context.AfterFunc(ctx, func() { _ = p.conn.SetReadDeadline(time.Now()) })
	defer stop()
	if err := p.conn.SetReadDeadline(until); err != nil {
		return sos.Answer{}, err
	}
	buf := make([]byte, 2*sos.MaxFrame)
	for {
		k, err := p.conn.Read(buf)
		if err != nil {
			if refusedForNow(err) && time.Now().Before(until) && ctx.Err() == nil {
				continue
			}
			return sos.Answer{}, err
		}
		a, err := sos.ReadAnswer(buf[:k], p.from, p.key)
		if err == nil && a.Proof != nil && *a.Proof == p.proof {
			continue // of a copy: it is known already
		}
		later := a.Status == sos.Wait || a.Status == sos.Unavailable
		if err == nil && (a.Proof != nil || a.Status == sos.Unreadable || a.N == n && !later) {
			return a, nil
		}
	}
}

// refusedForNow reports whether err is an ICMP word of the way, which may be another's forgery or over soon.
func refusedForNow(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout() && !errors.Is(err, net.ErrClosed)
}
