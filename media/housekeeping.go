package media

import "time"

// tidy closes connections that did not come up in time and idle ones beyond time and number.
func (n *Node) tidy(now time.Time) {
	n.mu.Lock()
	var idle []*peer
	var out []*peer
	for id, p := range n.peers {
		if c := p.current(); c != nil {
			c.check(now)
		}
		switch {
		case p.stuck(now):
			out = append(out, p)
		case p.idle() && len(n.plan.named[id]) == 0:
			idle = append(idle, p)
		}
	}
	n.met.peers.Set(float64(len(n.peers)))
	n.met.idle.Set(float64(len(idle)))
	n.mu.Unlock()
	for _, p := range out {
		n.drop(p, "not connected in time")
	}
	for len(idle) > 0 {
		oldest := 0
		for i, p := range idle {
			if p.made.Before(idle[oldest].made) {
				oldest = i
			}
		}
		p := idle[oldest]
		if len(idle) <= n.cfg.IdlePeers && now.Sub(p.made) < n.cfg.IdleTime {
			return
		}
		n.drop(p, "idle")
		idle[oldest] = idle[len(idle)-1]
		idle = idle[:len(idle)-1]
	}
}

// drop closes a peer and tells the app.
func (n *Node) drop(p *peer, reason string) {
	pc := p.pcID()
	n.ClosePeer(p.id, reason)
	n.post(Event{Client: p.id, PC: pc, Kind: Closed, Reason: reason})
}
