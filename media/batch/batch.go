// Package batch is a UDP socket that reads and writes many datagrams by one system call. On Linux it uses recvmmsg
// and sendmmsg, hands runs of equally long datagrams to one receiver over as one (UDP_SEGMENT), and can gather what
// arrives for a moment so that one wake-up serves many datagrams; elsewhere it is a plain socket of the net package.
// Nothing is allocated by a read or a write.
package batch

import (
	"fmt"
	"net/netip"
	"time"
)

// Most is how many datagrams one system call takes at the most. More costs memory per socket and delays the first
// of them, fewer costs calls.
const Most = 64

// Message is one datagram: to be read into or to be written.
type Message struct {
	B    []byte         // read: filled up to its capacity; write: sent up to N
	N    int            // bytes; a datagram that is longer than the capacity of B reads as 0
	At   int64          // read: when it came to the machine, in nanoseconds of the Unix time; 0: not known
	Addr netip.AddrPort // who sent it or is to get it; an IPv4 address is never in its IPv6 form when read
}

// Options are how a socket is made. The zero value is an ordinary socket.
type Options struct {
	ReadBuffer  int  // bytes that the kernel keeps for us; 0: its own choice. Beyond the system's limit only where we may
	WriteBuffer int  // bytes; the same
	ReusePort   bool // several sockets share the port, the kernel chooses one per sender; Linux only
	Expedited   bool // mark what is sent as voice (DSCP EF, RFC 3246); Linux only
	NoSegments  bool // never use UDP_SEGMENT
	Stamped     bool // the system notes when each datagram came; Linux only
	Plain       bool // the socket of the net package, as on other systems than Linux

	// Gather is how long datagrams may lie in the kernel while many arrive, so that one wake-up serves them all; they
	// are then late by half of it in the mean. 0: every datagram wakes the reader. It holds only while more than two
	// arrive in that time. Longer saves processor and delays all media.
	Gather time.Duration

	Asked bool // nobody waits for datagrams: TryRead takes them, a Set says where there are some. They wake nobody
}

// ef is the traffic class byte of expedited forwarding: code point 46 (RFC 3246) above two bits of congestion
// notification.
const ef = 46 << 2

// Conn is a UDP socket. One goroutine may read while any write.
type Conn struct {
	s     socket
	local netip.AddrPort
}

// socket is how a system does it.
type socket interface {
	read(msgs []Message, wait bool) (int, error)
	write(msgs []Message) (int, error)
	readDeadline(t time.Time) error
	backlog() (Backlog, error)
	close() error
}

// Listen opens a socket. An address with an unspecified IPv6 address takes IPv4 as well; the zero AddrPort means any
// address and port.
func Listen(addr netip.AddrPort, o Options) (*Conn, error) {
	if !addr.Addr().IsValid() {
		addr = netip.AddrPortFrom(netip.IPv6Unspecified(), addr.Port())
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	var c *Conn
	var err error
	if o.Plain {
		c, err = listenPlain(addr, o)
	} else {
		c, err = listen(addr, o)
	}
	if err != nil {
		return nil, fmt.Errorf("udp %v: %w", addr, err)
	}
	return c, nil
}

// Read fills msgs with what has arrived, at most Most, and returns how many; it waits for the first. Errors are
// os.ErrDeadlineExceeded, net.ErrClosed or the system's; nothing has been read then.
func (c *Conn) Read(msgs []Message) (int, error) { return c.s.read(msgs, true) }

// TryRead is Read that does not wait: it returns 0 where nothing has arrived. Linux only; elsewhere it fails with
// errors.ErrUnsupported.
func (c *Conn) TryRead(msgs []Message) (int, error) { return c.s.read(msgs, false) }

// Write sends all of msgs in their order and returns how many the system took. Those that it refuses are skipped,
// and the first refusal is the error; the others have been sent none the less. It waits for a full buffer for some
// milliseconds only: late media is worth nothing.
func (c *Conn) Write(msgs []Message) (int, error) { return c.s.write(msgs) }

// WriteTo sends one datagram.
func (c *Conn) WriteTo(b []byte, addr netip.AddrPort) (int, error) {
	one := [1]Message{{B: b, N: len(b), Addr: addr}}
	if _, err := c.Write(one[:]); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Backlog is what has come to a socket and was not read.
type Backlog struct {
	Waits   bool   // something lies there now
	Dropped uint32 // datagrams that found no room, since the socket was made; wraps around
}

// Backlog looks what lies there, beside whoever reads. Elsewhere than on Linux, and of a plain socket, it is not known
// and always the zero value.
func (c *Conn) Backlog() (Backlog, error) { return c.s.backlog() }

// LocalAddr returns the address that the socket is bound to.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// SetReadDeadline makes Read give up at t, also one that waits; the zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.s.readDeadline(t) }

// Close ends the socket and whoever reads from it. It may be called twice.
func (c *Conn) Close() error { return c.s.close() }
