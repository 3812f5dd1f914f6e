package smsc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/notify"
	"jedel/internal/outbox"
	"jedel/internal/smpp"
)

// session is one connection. Its reader is the only one that reads.
type session struct {
	// Set at creation.
	cfg  Config
	conn net.Conn
	told func(context.Context, notify.Told) error
	dead chan struct{} // closed by run

	seen atomic.Int64 // when the peer last said something, Unix nanoseconds

	write sync.Mutex // guards the order of bytes on conn; held for one bounded write

	mu      sync.Mutex // guards the rest
	seq     uint32
	waiting map[uint32]chan smpp.PDU // each holds one
}

var errDead = errors.New("the link was lost")

// bind signs in. Nobody else uses the connection yet.
func (s *session) bind() error {
	if err := s.conn.SetDeadline(time.Now().Add(s.cfg.AnswerTime)); err != nil {
		return err
	}
	s.seq = 1
	p := smpp.PDU{Command: smpp.BindTransceiver, Seq: 1, Body: smpp.Bind{SystemID: s.cfg.SystemID, Password: s.cfg.Password, SystemType: s.cfg.SystemType}.Bytes()}
	if _, err := s.conn.Write(p.Bytes()); err != nil {
		return err
	}
	answer, err := smpp.Read(s.conn)
	switch {
	case err != nil:
		return err
	case answer.Command != smpp.BindTransceiver|smpp.Answer || answer.Seq != 1:
		return fmt.Errorf("answered with command %#x", uint32(answer.Command))
	case answer.Status != smpp.OK:
		return errors.New(answer.Status.String())
	}
	return s.conn.SetDeadline(time.Time{})
}

// run reads, and tries the link while it is quiet, until either fails or ctx ends.
func (s *session) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	s.seen.Store(time.Now().UnixNano())
	var wg sync.WaitGroup
	wg.Go(func() {
		defer s.conn.Close() // wakes the reader
		defer cancel()
		s.enquire(ctx)
	})
	err := s.read(ctx)
	close(s.dead)
	cancel()
	wg.Wait()
	return err
}

// enquire asks whether the peer is there (section 4.11) and returns when it is not, or at the end of ctx.
func (s *session) enquire(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Enquire)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = s.send(smpp.PDU{Command: smpp.Unbind, Seq: s.next()}) // politeness; nobody waits for its answer
			return
		}
		if time.Since(time.Unix(0, s.seen.Load())) < s.cfg.Enquire {
			continue
		}
		if _, _, err := s.ask(ctx, smpp.EnquireLink, nil); err != nil {
			return
		}
	}
}

// read takes what comes until the connection ends.
func (s *session) read(ctx context.Context) error {
	in := bufio.NewReader(s.conn)
	for {
		p, err := smpp.Read(in)
		if err != nil {
			return err
		}
		s.seen.Store(time.Now().UnixNano())
		if err := s.take(ctx, p); err != nil {
			return err
		}
	}
}

// take handles one PDU.
func (s *session) take(ctx context.Context, p smpp.PDU) error {
	if p.Command&smpp.Answer != 0 {
		s.mu.Lock()
		reply := s.waiting[p.Seq]
		delete(s.waiting, p.Seq)
		s.mu.Unlock()
		if reply != nil {
			reply <- p
		}
		return nil
	}
	answer := smpp.PDU{Command: p.Command | smpp.Answer, Seq: p.Seq}
	switch p.Command {
	case smpp.EnquireLink:
	case smpp.DeliverSM:
		answer.Status, answer.Body = s.deliver(ctx, p.Body), smpp.Name("")
	case smpp.Unbind:
		return errors.Join(errors.New("the centre has unbound"), s.send(answer))
	default:
		answer.Command, answer.Status = smpp.Nack, smpp.BadCommand
	}
	return s.send(answer)
}

// deliver takes a receipt. It is acknowledged when it is kept: one that is not comes again.
func (s *session) deliver(ctx context.Context, body []byte) smpp.Status {
	short, err := smpp.ParseShort(body)
	if err != nil {
		return smpp.RefusedHere
	}
	id, state, ok := short.ReadReceipt()
	if !ok || state == smpp.Pending {
		return smpp.OK // an answer of a citizen has no reader here
	}
	report := outbox.Delivered
	if state == smpp.Failed {
		report = outbox.Failed
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AnswerTime/2) // answers to us wait behind it
	defer cancel()
	if err := s.told(ctx, notify.Told{ID: id, Report: report}); err != nil {
		return smpp.TryLater
	}
	return smpp.OK
}

// next returns a sequence number that is not 0 (section 3.2).
func (s *session) next() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq = s.seq%0x7FFFFFFF + 1
	return s.seq
}

// send writes one PDU. A peer that takes nothing for AnswerTime is gone.
func (s *session) send(p smpp.PDU) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.cfg.AnswerTime)); err != nil {
		return err
	}
	_, err := s.conn.Write(p.Bytes())
	if err != nil {
		_ = s.conn.Close() // what was written of it would spoil the next
	}
	return err
}

// ask sends a request and waits for its answer. Where written is false the peer has not seen it.
func (s *session) ask(ctx context.Context, c smpp.Command, body []byte) (answer smpp.PDU, written bool, err error) {
	select {
	case <-s.dead:
		return smpp.PDU{}, false, errDead
	default:
	}
	p := smpp.PDU{Command: c, Seq: s.next(), Body: body}
	reply := make(chan smpp.PDU, 1)
	s.mu.Lock()
	s.waiting[p.Seq] = reply
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, p.Seq)
		s.mu.Unlock()
	}()
	if err := s.send(p); err != nil {
		return smpp.PDU{}, true, err
	}
	late := time.NewTimer(s.cfg.AnswerTime)
	defer late.Stop()
	select {
	case answer = <-reply:
		return answer, true, nil
	case <-s.dead:
		return smpp.PDU{}, true, errDead
	case <-late.C:
		return smpp.PDU{}, true, errors.New("no answer in time")
	case <-ctx.Done():
		return smpp.PDU{}, true, ctx.Err()
	}
}
