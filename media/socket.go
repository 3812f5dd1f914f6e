package media

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"jedel/media/batch"
)

// datagramSize is the room of one datagram; a longer one is not read: neither media nor DTLS sends it.
const datagramSize = 2048

// outSize is the room of one datagram that we send: a packet and its seal.
const outSize = mtu + 64

// socket is one UDP socket under Pion's mux. Its reader, which is the mux's own goroutine, takes the
// media of direct legs before Pion sees it; STUN, DTLS and whatever nobody claims goes on to Pion. It
// implements net.PacketConn and ice.AddrPortReaderWriter.
type socket struct {
	conn  *batch.Conn
	node  *Node
	local *net.UDPAddr
	legs  atomic.Pointer[map[netip.AddrPort]*conn]

	mu sync.Mutex // guards changes of legs

	// Owned by the reader.
	in   []batch.Message
	next int
	have int
	at   time.Time // when the batch was read
	box  outbox
}

func newSocket(c *batch.Conn, n *Node) *socket {
	s := &socket{conn: c, node: n, local: net.UDPAddrFromAddrPort(c.LocalAddr()), in: make([]batch.Message, batch.Most)}
	s.legs.Store(&map[netip.AddrPort]*conn{})
	for i := range s.in {
		s.in[i].B = make([]byte, datagramSize)
	}
	return s
}

// claim lets c have the media that comes from addr from now on; nil gives it back.
func (s *socket) claim(addr netip.AddrPort, c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.legs.Load()
	next := make(map[netip.AddrPort]*conn, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	next[addr] = c
	s.legs.Store(&next)
}

// release gives back all that c has claimed.
func (s *socket) release(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[netip.AddrPort]*conn{}
	for k, v := range *s.legs.Load() {
		if v != c {
			next[k] = v
		}
	}
	s.legs.Store(&next)
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter: it returns the next datagram that is Pion's and
// deals with all others by the way.
func (s *socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		for s.next < s.have {
			m := &s.in[s.next]
			s.next++
			if m.N > 0 && !s.take(m) {
				return copy(b, m.B[:m.N]), m.Addr, nil
			}
		}
		s.box.flush(s.node.met)
		n, err := s.conn.Read(s.in)
		if err != nil {
			return 0, netip.AddrPort{}, err
		}
		s.next, s.have, s.at = 0, n, time.Now()
	}
}

// take deals with a datagram of a direct leg; false for one that is Pion's. First bytes 128 to 191 are
// media (RFC 7983 section 7).
func (s *socket) take(m *batch.Message) bool {
	if m.B[0]&0xc0 != 0x80 {
		return false
	}
	c := (*s.legs.Load())[m.Addr]
	if c == nil {
		return false
	}
	if c.in.from.Load() != s {
		c.in.from.Store(s)
		c.out.aim(target{s, m.Addr})
	}
	c.datagram(m.B[:m.N], s.at, &s.box)
	return true
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
func (s *socket) LocalAddr() net.Addr { return s.local }

// SetDeadline implements net.PacketConn.
func (s *socket) SetDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (s *socket) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn. A write does not wait long by itself.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// outbox collects what a reader sends until its batch is done, by socket. Its zero value is ready; one
// goroutine owns it.
type outbox struct {
	lists []outlist
}

type outlist struct {
	socket *socket
	msgs   []batch.Message
	n      int
}

// room returns where the next datagram through s goes; the caller fills it. A full list is sent first.
func (o *outbox) room(s *socket, met *metrics) *batch.Message {
	var l *outlist
	for i := range o.lists {
		if o.lists[i].socket == s {
			l = &o.lists[i]
		}
	}
	if l == nil {
		msgs := make([]batch.Message, batch.Most)
		for i := range msgs {
			msgs[i].B = make([]byte, outSize)
		}
		o.lists = append(o.lists, outlist{socket: s, msgs: msgs})
		l = &o.lists[len(o.lists)-1]
	}
	if l.n == len(l.msgs) {
		l.flush(met)
	}
	m := &l.msgs[l.n]
	m.B = m.B[:cap(m.B)]
	l.n++
	return m
}

// cancel gives back the last room of s.
func (o *outbox) cancel(s *socket) {
	for i := range o.lists {
		if o.lists[i].socket == s {
			o.lists[i].n--
		}
	}
}

// flush sends all that was collected.
func (o *outbox) flush(met *metrics) {
	for i := range o.lists {
		if o.lists[i].n > 0 {
			o.lists[i].flush(met)
		}
	}
}

func (l *outlist) flush(met *metrics) {
	sent, err := l.socket.conn.Write(l.msgs[:l.n])
	if err != nil {
		met.writeErrors.Add(float64(l.n - sent))
	}
	l.n = 0
}
