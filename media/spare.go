package media

import (
	"net/netip"
	"time"
)

// A page finds more ways than one: by UDP, through a stream, through our relay, whose own way may be a stream. Where half of all packets
// are lost so are the checks of ICE, and Chromium leaves a way whose checks stay unanswered for another that seems to work. A stream
// seems to, and then everything waits for what was lost, for seconds. So the spare ways of a connection whose media comes
// by UDP directly are not kept; one whose way is dead is made anew (silence.go), and finds them.

// spareAfter is how long nothing may come before checks through the relay are answered again.
const spareAfter = time.Second

// dropStreams ends the streams of a connection whose media goes directly.
func (l *link) dropStreams() {
	n := l.conn.peer.node
	if n.ports.tcp == nil || l.out.way.Load() != wayDirect {
		return
	}
	for _, name := range n.known.namesOf(l.conn) {
		n.ports.tcp.RemoveConnByUfrag(name)
	}
}

// spare reports whether a datagram is a check through our relay of a connection whose media comes without it.
func (n *Node) spare(b []byte, from netip.AddrPort, now time.Time) bool {
	if n.cfg.Relayed == nil || !n.ours(from.Addr()) {
		return false
	}
	c, ok := n.known.owner(stunUserOf(b)).(*conn)
	if !ok || c.out.way.Load() != wayDirect || now.UnixNano()-c.peer.lastPacket.Load() > int64(spareAfter) {
		return false
	}
	to := c.out.target().addr
	return to.IsValid() && !n.ours(to.Addr())
}

// ours reports whether an address is one of our sockets'. What comes from there is relayed.
func (n *Node) ours(addr netip.Addr) bool {
	for _, s := range n.ports.sockets {
		if s.local.AddrPort().Addr().Unmap() == addr.Unmap() {
			return true
		}
	}
	return false
}
