package batch

import (
	"net"
	"net/netip"
	"time"
)

// AddrPorts reads and writes datagrams by netip addresses, as ice.AddrPortReaderWriter does.
type AddrPorts interface {
	ReadFromAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToAddrPort(b []byte, addr netip.AddrPort) (int, error)
}

// Netted gives what has AddrPorts the methods of net.PacketConn that follow from them; it is embedded
// there. A write does not wait long by itself, so that its deadline is of no account.
type Netted struct{ By AddrPorts }

// ReadFrom implements net.PacketConn.
func (n Netted) ReadFrom(b []byte) (int, net.Addr, error) {
	got, addr, err := n.By.ReadFromAddrPort(b)
	return got, net.UDPAddrFromAddrPort(addr), err
}

// WriteTo implements net.PacketConn.
func (n Netted) WriteTo(b []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a UDP address")
	}
	return n.By.WriteToAddrPort(b, to.AddrPort())
}

// SetWriteDeadline implements net.PacketConn.
func (Netted) SetWriteDeadline(time.Time) error { return nil }
