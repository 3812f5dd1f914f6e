package mill

import (
	"bytes"
	"net"
	"net/netip"
	"sync"
	"time"

	"jedel/media/batch"

	"github.com/pion/dtls/v3/pkg/protocol/handshake"
)

// datagramSize is the room of one datagram.
const datagramSize = 1500

// backlog is how many datagrams of a leg one call reads, and how many may wait for Pion.
const backlog = 16

// socket is a leg's UDP socket under Pion's mux. The works, or a goroutine where a system lets nobody ask, take the
// media out; STUN and DTLS go on to Pion. It implements net.PacketConn and ice.AddrPortReaderWriter.
type socket struct {
	batch.Netted // by itself

	conn *batch.Conn // nil where the hub carries the leg
	leg  *Leg
	addr *net.UDPAddr
	pion chan letter // never closed
	done chan struct{}
	once sync.Once // closes done
}

// letter is a datagram for Pion.
type letter struct {
	b    []byte
	from netip.AddrPort
}

// newSocket returns that of a leg, whose id is known by then.
func newSocket(w *Works, l *Leg) (*socket, error) {
	s := &socket{leg: l, pion: make(chan letter, backlog), done: make(chan struct{})}
	s.By = s
	if w.hub != nil {
		s.addr = net.UDPAddrFromAddrPort(w.hub.addr(l.id))
		return s, nil
	}
	conn, err := batch.Listen(netip.AddrPortFrom(w.local, 0), batch.Options{ReadBuffer: 1 << 20, Asked: w.set != nil})
	if err != nil {
		return nil, err
	}
	s.conn, s.addr = conn, net.UDPAddrFromAddrPort(conn.LocalAddr())
	return s, nil
}

// newBuffers is room to read into.
func newBuffers() []batch.Message {
	in := make([]batch.Message, backlog)
	for i := range in {
		in[i].B = make([]byte, datagramSize)
	}
	return in
}

// drain takes all that has come.
func (s *socket) drain(in []batch.Message) {
	for {
		n, err := s.conn.TryRead(in)
		if err != nil {
			return
		}
		s.sort(in[:n])
		if n < len(in) {
			return
		}
	}
}

// pump takes what comes until the socket is closed.
func (s *socket) pump() {
	in := newBuffers()
	for {
		n, err := s.conn.Read(in)
		if err != nil {
			return
		}
		s.sort(in[:n])
	}
}

// sort takes datagrams that have come now.
func (s *socket) sort(in []batch.Message) {
	at := time.Since(s.leg.works.epoch)
	for i := range in {
		s.take(in[i].B[:in[i].N], in[i].Addr, at)
	}
}

// take counts media and hands the rest to Pion; what Pion has no room for is lost, as on any network.
func (s *socket) take(b []byte, from netip.AddrPort, at time.Duration) {
	if len(b) == 0 {
		return
	}
	s.leg.now = at
	switch first := b[0]; { // RFC 7983 section 7
	case first >= 128 && first <= 191:
		s.leg.take(b)
		return
	case first == recordHandshake:
		s.leg.hello(b)
	}
	select {
	case s.pion <- letter{bytes.Clone(b), from}:
	default:
	}
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter: it returns the next datagram that is Pion's.
func (s *socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case l := <-s.pion:
		return copy(b, l.b), l.from, nil
	case <-s.done:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// Parts of a DTLS record (RFC 6347 sections 4.1 and 4.2.2).
const (
	recordHandshake = 22
	recordHead      = 13
	messageHead     = 12
	serverHello     = 2
)

// hello looks for the server's hello in a datagram: its random is half of what the keys are made of, and Pion does not
// show it to a client.
func (l *Leg) hello(b []byte) {
	for len(b) >= recordHead {
		n := int(b[11])<<8 | int(b[12])
		if len(b) < recordHead+n {
			return
		}
		body := b[recordHead : recordHead+n]
		if b[0] == recordHandshake && b[3] == 0 && b[4] == 0 && n > messageHead && body[0] == serverHello {
			var m handshake.MessageServerHello
			if m.Unmarshal(body[messageHead:]) == nil {
				l.keys.ServerHello(m)
				l.client.Store(true)
			}
		}
		b = b[recordHead+n:]
	}
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (s *socket) WriteToAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	if s.conn != nil {
		return s.conn.WriteTo(b, addr)
	}
	if err := s.leg.works.hub.writeTo(s.leg.id, b, addr); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (s *socket) Close() error {
	s.once.Do(func() { close(s.done) })
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}

// LocalAddr implements net.PacketConn.
func (s *socket) LocalAddr() net.Addr { return s.addr }

// SetDeadline implements net.PacketConn. Reads end with the socket, and writes do not wait long.
func (s *socket) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (s *socket) SetReadDeadline(time.Time) error { return nil }
