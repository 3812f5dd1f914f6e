package batch

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

var errReuse = errors.New("a plain socket shares no port")

// plain is a socket of the net package: a datagram a call.
type plain struct{ u *net.UDPConn }

func listenPlain(addr netip.AddrPort, o Options) (*Conn, error) {
	network := "udp4"
	if addr.Addr().Is6() {
		network = "udp6"
		if addr.Addr().IsUnspecified() {
			network = "udp"
		}
	}
	if o.ReusePort {
		return nil, errReuse
	}
	u, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	if o.ReadBuffer > 0 {
		err = errors.Join(err, u.SetReadBuffer(o.ReadBuffer))
	}
	if o.WriteBuffer > 0 {
		err = errors.Join(err, u.SetWriteBuffer(o.WriteBuffer))
	}
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	local := u.LocalAddr().(*net.UDPAddr).AddrPort()
	return &Conn{s: plain{u}, local: netip.AddrPortFrom(local.Addr().Unmap(), local.Port())}, nil
}

func (p plain) read(msgs []Message, wait bool) (int, error) {
	if !wait {
		return 0, errors.ErrUnsupported
	}
	if len(msgs) == 0 {
		return 0, nil
	}
	m := &msgs[0]
	n, _, flags, from, err := p.u.ReadMsgUDPAddrPort(m.B[:cap(m.B)], nil)
	if err != nil {
		return 0, readError(err)
	}
	if flags&cut != 0 {
		n = 0
	}
	m.N, m.Addr = n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	return 1, nil
}

// readError makes one of the documented errors of whatever ended a read.
func readError(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	}
	return err
}

func (p plain) write(msgs []Message) (int, error) {
	sent := 0
	var first error
	for i := range msgs {
		m := &msgs[i]
		if _, err := p.u.WriteToUDPAddrPort(m.B[:m.N], m.Addr); err == nil {
			sent++
		} else if first == nil {
			first = readError(err)
		}
	}
	return sent, first
}

func (p plain) readDeadline(t time.Time) error { return p.u.SetReadDeadline(t) }

func (p plain) backlog() (Backlog, error) { return Backlog{}, nil }

func (p plain) close() error {
	if err := p.u.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
