package media

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"jedel/media/batch"
)

// Sizes of a socket.
const (
	// datagramSize is the room of one datagram in bytes; a longer one is not read: neither media nor
	// DTLS sends it.
	datagramSize = 2048
	// signalLen is how many datagrams may wait for Pion: STUN and DTLS of many connections that begin
	// at once.
	signalLen = 1024
	// strangerLen is how many may wait from those who have no reason to send any.
	strangerLen = 64
)

// socket is one of our UDP addresses, under Pion's mux. Its readers, one a core, take the media of
// direct legs before Pion sees it; STUN, DTLS and whatever nobody claims goes on to Pion. It implements
// net.PacketConn and ice.AddrPortReaderWriter.
type socket struct {
	batch.Netted // by itself

	node    *Node
	local   *net.UDPAddr
	shards  []*batch.Conn // one a reader; the kernel gives each sender to one of them
	readers []*reader
	legs    atomic.Pointer[map[netip.AddrPort]*conn]

	signals   chan signal // of those we know
	strangers chan signal // of others, heard after them
	free      sync.Pool
	done      chan struct{}
	wg        sync.WaitGroup // readers

	mu     sync.Mutex // guards the rest, and changes of legs
	until  time.Time  // of Pion's read deadline
	closed bool
}

// signal is a datagram for Pion.
type signal struct {
	buf  *[datagramSize]byte
	n    int
	addr netip.AddrPort
}

// newSocket binds as many sockets to addr as there shall be readers, and starts these.
func newSocket(n *Node, addr netip.AddrPort, readers int, o batch.Options) (*socket, error) {
	s := &socket{node: n, signals: make(chan signal, signalLen), strangers: make(chan signal, strangerLen), done: make(chan struct{})}
	s.By = s
	s.legs.Store(&map[netip.AddrPort]*conn{})
	s.free.New = func() any { return new([datagramSize]byte) }
	first, err := batch.Listen(addr, o) // alone, so that a port that somebody else has is refused
	if err != nil {
		return nil, err
	}
	s.local = net.UDPAddrFromAddrPort(first.LocalAddr())
	s.shards = []*batch.Conn{first}
	if readers > 1 {
		if err := s.share(first.LocalAddr(), readers, o); err != nil {
			return nil, err
		}
	}
	for _, c := range s.shards {
		r := newReader(s, c)
		s.readers = append(s.readers, r)
		s.wg.Go(r.run)
	}
	return s, nil
}

// share binds the address again, by several sockets.
func (s *socket) share(addr netip.AddrPort, readers int, o batch.Options) error {
	o.ReusePort = true
	if err := s.shards[0].Close(); err != nil {
		return err
	}
	s.shards = nil
	for range readers {
		c, err := batch.Listen(addr, o)
		if err != nil {
			for _, x := range s.shards {
				_ = x.Close()
			}
			return err
		}
		s.shards = append(s.shards, c)
	}
	return nil
}

// claim lets c have the media that comes from addr from now on.
func (s *socket) claim(addr netip.AddrPort, c *conn) {
	s.change(func(legs map[netip.AddrPort]*conn) { legs[addr] = c })
}

// release gives back all that c has claimed.
func (s *socket) release(c *conn) {
	s.change(func(legs map[netip.AddrPort]*conn) {
		for k, v := range legs {
			if v == c {
				delete(legs, k)
			}
		}
	})
}

func (s *socket) change(f func(map[netip.AddrPort]*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.legs.Load()
	next := make(map[netip.AddrPort]*conn, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	f(next)
	s.legs.Store(&next)
}

// pass gives a datagram to Pion. It never blocks: what does not fit is lost, as on a full line.
func (s *socket) pass(b []byte, addr netip.AddrPort) {
	if s.node.spare(b, addr, time.Now()) {
		return
	}
	to := s.strangers
	if s.node.known.know(b, addr) {
		to = s.signals
	}
	if len(to) == cap(to) { // before the copy: this is how a flood ends
		s.node.met.signalDrops.Inc()
		return
	}
	buf, _ := s.free.Get().(*[datagramSize]byte)
	select {
	case to <- signal{buf, copy(buf[:], b), addr}:
	default:
		s.free.Put(buf)
		s.node.met.signalDrops.Inc()
	}
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter: it waits for the next datagram that is Pion's.
func (s *socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	s.mu.Lock()
	until := s.until
	s.mu.Unlock()
	var late <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case g := <-s.signals:
		return s.hand(g, b)
	default:
	}
	select {
	case g := <-s.signals:
		return s.hand(g, b)
	case g := <-s.strangers:
		return s.hand(g, b)
	case <-late:
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	case <-s.done:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (s *socket) hand(g signal, b []byte) (int, netip.AddrPort, error) {
	n := copy(b, g.buf[:g.n])
	s.free.Put(g.buf)
	return n, g.addr, nil
}

// WriteToAddrPort implements ice.AddrPortReaderWriter: it is how Pion and reports are sent.
func (s *socket) WriteToAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	s.node.known.wrote(addr)
	return s.shards[0].WriteTo(b, addr)
}

// Close implements net.PacketConn: it ends the readers. It may be called twice.
func (s *socket) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	close(s.done)
	var err error
	for _, c := range s.shards {
		if e := c.Close(); e != nil {
			err = e
		}
	}
	s.wg.Wait()
	return err
}

// LocalAddr implements net.PacketConn.
func (s *socket) LocalAddr() net.Addr { return s.local }

// SetDeadline implements net.PacketConn.
func (s *socket) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn: for reads that begin afterwards.
func (s *socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = t
	return nil
}
