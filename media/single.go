package media

import (
	"net/netip"

	"jedel/internal/sos"
	"jedel/media/batch"
)

// Single is a datagram that is neither media nor of ICE: a call that needs no connection.
type Single struct {
	From netip.Addr

	raw  [sos.MaxFrame]byte
	len  int
	port uint16
	by   *socket
}

// Bytes returns the datagram; it is the Single's own.
func (d *Single) Bytes() []byte { return d.raw[:d.len] }

// singlesLen is how many may wait for the app: beyond it they are dropped, and their senders repeat them. A flood must not
// become memory.
const singlesLen = 1024

// Singles is where the app reads calls of one datagram.
func (n *Node) Singles() <-chan Single { return n.singles }

// Answer sends b back to where d came from, unless it is longer than d.
func (n *Node) Answer(d *Single, b []byte) {
	if len(b) > d.len {
		n.log.Error("a receipt longer than what it answers is not sent", "bytes", len(b), "of", d.len)
		return
	}
	if _, err := d.by.WriteToAddrPort(b, netip.AddrPortFrom(d.From, d.port)); err != nil {
		n.met.writeErrors.Inc()
	}
}

// single takes a datagram that begins as a call of one datagram does; it is nobody else's, so it is true also where there
// is no room for it.
func (s *socket) single(m *batch.Message) bool {
	if !sos.Is(m.B[:m.N]) || m.N > sos.MaxFrame {
		return false
	}
	d := Single{From: m.Addr.Addr().Unmap(), port: m.Addr.Port(), len: m.N, by: s}
	copy(d.raw[:], m.B[:m.N])
	select {
	case s.node.singles <- d:
	default:
		s.node.met.singlesDropped.Inc()
	}
	return true
}
