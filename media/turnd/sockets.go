package turnd

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/pion/turn/v5"
)

// sockets makes relayed addresses for the library (turn.RelayAddressGenerator).
type sockets struct{ relay *Relay }

// Validate implements turn.RelayAddressGenerator.
func (sockets) Validate() error { return nil }

// AllocatePacketConn implements turn.RelayAddressGenerator: a socket beside our media port.
func (s sockets) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	r := s.relay
	if c.UserID == "" || c.RequestedPort != 0 { // EVEN-PORT and RESERVATION-TOKEN (RFC 8656 section 18)
		r.met.refused(reasonShape)
		return nil, nil, errReserved
	}
	ip := r.peers.bind(c.Network == "udp4")
	if !ip.IsValid() {
		r.met.refused(reasonFamily)
		return nil, nil, errFamily
	}
	udp, err := net.ListenUDP(c.Network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		r.met.refused(reasonFull)
		return nil, nil, err
	}
	_ = udp.SetReadBuffer(relayBuffer)
	a := &allocation{relay: r, client: c.UserID, udp: udp, local: plain(udp.LocalAddr().(*net.UDPAddr).AddrPort()), names: map[netip.AddrPort]netip.AddrPort{}}
	a.told = netip.AddrPortFrom(r.public(a.local.Addr()), a.local.Port())
	a.heard.Store(time.Now().UnixNano())
	out, err := r.book.add(a)
	if err != nil {
		_ = udp.Close()
		why := reasonFull
		if errors.Is(err, errQuota) {
			why = reasonQuota
		}
		r.met.refused(why)
		return nil, nil, err
	}
	if out != nil {
		r.met.refused(reasonQuota)
		_ = out.udp.Close() // the library's reader learns of it and ends the allocation
	}
	return a, a.LocalAddr(), nil
}

// AllocateListener implements turn.RelayAddressGenerator: RFC 6062 is not served.
func (s sockets) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	s.relay.met.refused(reasonShape)
	return nil, nil, errNoTCP
}

// AllocateConn implements turn.RelayAddressGenerator: RFC 6062 is not served.
func (s sockets) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) {
	s.relay.met.refused(reasonShape)
	return nil, errNoTCP
}

// public returns what an address of this machine is called outside.
func (r *Relay) public(ip netip.Addr) netip.Addr {
	for _, p := range r.cfg.Public {
		if p = p.Unmap(); p.Is4() == ip.Is4() {
			return p
		}
	}
	return ip
}
