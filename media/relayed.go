package media

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/webrtc/v4"
)

// Our own relay stands on this machine: what it relays comes from an address of ours, which those who
// come from outside may not claim to have. So an address is taken for a relayed one only while the relay
// says so, and packets from addresses of ours only where there is a relay.

// candidateOf returns a candidate as Pion is to see it: a relayed address by its place on this machine,
// which behind NAT is another than the page was told, and one that we can reach. ok tells that it is
// our relay's.
func (c Config) candidateOf(words []string) (string, bool) {
	if c.Relayed == nil {
		return "", false
	}
	ip, err := netip.ParseAddr(words[4])
	port, errPort := strconv.ParseUint(words[5], 10, 16)
	if err != nil || errPort != nil {
		return "", false
	}
	at, ok := c.Relayed(netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	if !ok {
		return "", false
	}
	words[4], words[5] = at.Addr().String(), strconv.FormatUint(uint64(at.Port()), 10)
	return "candidate:" + strings.Join(words, " "), true
}

// isRelay reports whether the other end of a pair is our relay.
func (c Config) isRelay(remote *webrtc.ICECandidate) bool {
	if remote.Typ == webrtc.ICECandidateTypeRelay {
		return true
	}
	if c.Relayed == nil || remote.Protocol != webrtc.ICEProtocolUDP {
		return false
	}
	ip, err := netip.ParseAddr(remote.Address)
	if err != nil {
		return false
	}
	_, ok := c.Relayed(netip.AddrPortFrom(ip.Unmap(), remote.Port))
	return ok
}

// mayCome is Pion's filter of remote addresses.
func (n *Node) mayCome(ip net.IP) bool {
	if n.cfg.allowed(ip) {
		return true
	}
	if n.cfg.Relayed == nil {
		return false
	}
	addr, ok := netip.AddrFromSlice(ip)
	return ok && n.ours(addr)
}
