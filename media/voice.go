package media

import (
	"time"

	"jedel/internal/ident"
)

// Voice is what a peer and the gateway hear of each other.
type Voice struct {
	PC    string    // the connection that carries the client's media; empty: none
	Sent  time.Time // when the newest packet of somebody whom it hears came in; zero: never
	Heard time.Time // when its own newest packet came in, or may have come unheard; zero: never
}

// Voice returns what the client is to hear by now, and what was heard of it. A page that hears
// nothing learns from it whose silence that is.
func (n *Node) Voice(id ident.ClientID) Voice {
	n.mu.Lock()
	defer n.mu.Unlock()
	var v Voice
	p := n.peers[id]
	if p == nil {
		return v
	}
	v.Heard = heard(p)
	if missed := time.Unix(0, n.attention.missed.Load()); !v.Heard.IsZero() && missed.After(v.Heard) {
		v.Heard = missed // it may have spoken
	}
	if c := p.live.Load(); c != nil {
		v.PC = c.id
	}
	for r := range n.plan.about(id) {
		if r.To != id || r.Kind != Audio {
			continue
		}
		if from := n.peers[r.From]; from != nil {
			if at := heard(from); at.After(v.Sent) {
				v.Sent = at
			}
		}
	}
	return v
}

// heard is when the newest packet of audio came from the peer, zero before the first.
func heard(p *peer) time.Time {
	if ns := p.lastVoice.Load(); ns > 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}
