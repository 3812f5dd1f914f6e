package turnd

import "net/netip"

// Peers are the only addresses that the relay sends to and takes from: our own media port, by the
// names that pages are told. Everything else is refused by not being here, whichever way it is
// spelled: an address in disguise (v4-mapped, v4-compatible, 6to4, NAT64, with a zone) is another
// address, and none of ours.
type Peers struct {
	told  map[netip.AddrPort]netip.AddrPort // what pages may name, to where it is on this machine
	ips   map[netip.Addr]bool               // what permissions may be for
	binds []netip.Addr                      // where relay sockets are bound, one of each family
	hosts []netip.Addr                      // of the media port on this machine
}

// NewPeers returns the rule for a media port at addresses of this machine, which pages know by the
// public ones where there are such of the same family.
func NewPeers(media []netip.AddrPort, public []netip.Addr) Peers {
	p := Peers{told: map[netip.AddrPort]netip.AddrPort{}, ips: map[netip.Addr]bool{}}
	for _, at := range media {
		at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
		if !speakable(at.Addr()) || at.Port() == 0 {
			continue
		}
		if !p.ips[at.Addr()] {
			p.hosts = append(p.hosts, at.Addr())
		}
		p.told[at], p.ips[at.Addr()] = at, true
		if p.bind(at.Addr().Is4()).IsValid() {
			continue
		}
		p.binds = append(p.binds, at.Addr())
		for _, ip := range public {
			if ip = ip.Unmap(); speakable(ip) && ip.Is4() == at.Addr().Is4() {
				p.told[netip.AddrPortFrom(ip, at.Port())], p.ips[ip] = at, true
			}
		}
	}
	return p
}

// speakable tells whether an address is one that a page could name at all.
func speakable(ip netip.Addr) bool {
	return ip.IsValid() && ip.Zone() == "" && !ip.IsUnspecified() && !ip.IsMulticast() && !ip.IsLinkLocalUnicast() && !disguised(ip)
}

// disguised tells whether an address of IPv6 carries one of IPv4: mapped (RFC 4291 section
// 2.5.5.2), compatible (2.5.5.1), 6to4 (RFC 3056), NAT64 (RFC 6052), Teredo (RFC 4380).
func disguised(ip netip.Addr) bool {
	if !ip.Is6() || ip == netip.IPv6Loopback() {
		return false
	}
	if ip.Is4In6() {
		return true
	}
	for _, prefix := range disguises {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

var disguises = []netip.Prefix{
	netip.PrefixFrom(netip.IPv6Unspecified(), 96),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"),
}

// Permits reports whether a permission (RFC 8656 section 9) may be for ip.
func (p Peers) Permits(ip netip.Addr) bool { return speakable(ip) && p.ips[ip] }

// Resolve returns where on this machine a peer is; ok is false for everything that is not ours.
func (p Peers) Resolve(peer netip.AddrPort) (at netip.AddrPort, ok bool) {
	if !speakable(peer.Addr()) {
		return netip.AddrPort{}, false
	}
	at, ok = p.told[peer]
	return at, ok
}

// bind returns where relay sockets of a family are bound; the zero address for none.
func (p Peers) bind(v4 bool) netip.Addr {
	for _, ip := range p.binds {
		if ip.Is4() == v4 {
			return ip
		}
	}
	return netip.Addr{}
}
