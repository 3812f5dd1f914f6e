package mill

import (
	"net"
	"net/netip"
	"time"

	"jedel/media/batch"

	"github.com/pion/dtls/v3/pkg/protocol/handshake"
)

// datagramSize is the room of one datagram.
const datagramSize = 1500

// backlog is how many datagrams of a leg one call reads.
const backlog = 16

// socket is a leg's UDP socket under Pion's mux. Whoever reads it takes the media out; STUN and DTLS go on to Pion. It
// implements net.PacketConn and ice.AddrPortReaderWriter.
type socket struct {
	conn *batch.Conn
	leg  *Leg
	addr *net.UDPAddr

	// Owned by the reader.
	in         []batch.Message
	next, have int
}

func newSocket(local netip.Addr, l *Leg) (*socket, error) {
	conn, err := batch.Listen(netip.AddrPortFrom(local, 0), batch.Options{ReadBuffer: 1 << 20})
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, leg: l, addr: net.UDPAddrFromAddrPort(conn.LocalAddr()), in: make([]batch.Message, backlog)}
	for i := range s.in {
		s.in[i].B = make([]byte, datagramSize)
	}
	return s, nil
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter: it returns the next datagram that is Pion's.
func (s *socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		for s.next < s.have {
			m := &s.in[s.next]
			s.next++
			if m.N == 0 {
				continue
			}
			data := m.B[:m.N]
			switch first := data[0]; { // RFC 7983 section 7
			case first >= 128 && first <= 191 && s.leg.take(data, m.Addr):
				continue
			case first == recordHandshake:
				s.leg.hello(data)
			}
			return copy(b, data), m.Addr, nil
		}
		n, err := s.conn.Read(s.in)
		if err != nil {
			return 0, netip.AddrPort{}, err
		}
		s.next, s.have, s.leg.now = 0, n, time.Since(s.leg.works.epoch)
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
	one := [1]batch.Message{{B: b, N: len(b), Addr: addr}}
	if _, err := s.conn.Write(one[:]); err != nil {
		return 0, err
	}
	return len(b), nil
}

// ReadFrom implements net.PacketConn.
func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := s.ReadFromAddrPort(b)
	return n, net.UDPAddrFromAddrPort(addr), err
}

// WriteTo implements net.PacketConn.
func (s *socket) WriteTo(b []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a UDP address")
	}
	return s.WriteToAddrPort(b, to.AddrPort())
}

// Close implements net.PacketConn.
func (s *socket) Close() error { return s.conn.Close() }

// LocalAddr implements net.PacketConn.
func (s *socket) LocalAddr() net.Addr { return s.addr }

// SetDeadline implements net.PacketConn.
func (s *socket) SetDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (s *socket) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn. A write does not wait long by itself.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }
