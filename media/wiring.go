package media

import (
	"time"

	"jedel/internal/ident"
)

// changed takes note that a client has another connection, or none any more.
func (n *Node) changed(id ident.ClientID) {
	n.mu.Lock()
	conns := make([]*conn, 0, len(n.peers))
	for _, p := range n.peers {
		if c := p.current(); c != nil {
			conns = append(conns, c)
		}
	}
	n.conns.Store(&conns)
	n.mu.Unlock()
	n.rewireRooms(id)
}

// rewireRooms is rewire for a client and all in its rooms.
func (n *Node) rewireRooms(id ident.ClientID) {
	n.mu.Lock()
	ids := n.plan.company(id)
	n.mu.Unlock()
	n.rewire(ids)
}

// rewire fits the receivers of what clients send, and what their slots carry, to the routes. It is called for all
// whose routes have changed, or those of somebody in their rooms.
func (n *Node) rewire(ids []ident.ClientID) {
	now := time.Now()
	for _, s := range n.derive(ids) {
		if c := s.from.current(); c != nil {
			for _, u := range c.tracks() {
				if u.kind == s.kind {
					u.listened(now)
				}
			}
		}
	}
}

// found is a source that has new receivers.
type found struct {
	from *peer
	kind Kind
}

// derive is rewire but for what new receivers are to have at once; it returns their sources.
func (n *Node) derive(ids []ident.ClientID) (fresh []found) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range ids {
		p := n.peers[id]
		if p == nil {
			continue
		}
		receivers := map[Kind][]*downTrack{}
		feeders := map[*downTrack]*peer{}
		for r := range n.plan.about(id) {
			d := n.slot(r)
			if d == nil {
				continue
			}
			if r.To == id {
				feeders[d] = n.peers[r.From]
			}
			if r.From == id {
				receivers[r.Kind] = append(receivers[r.Kind], d)
			}
		}
		p.feed(feeders)
		for _, k := range [...]Kind{Audio, Video} {
			if p.setReceivers(k, receivers[k]) {
				fresh = append(fresh, found{p, k})
			}
		}
	}
	return fresh
}

// slot is where a route ends, nil where nothing can be shown or heard there. n.mu is held.
func (n *Node) slot(r Route) *downTrack {
	to := n.peers[r.To]
	if to == nil || r.Kind == Video && blinded(to) {
		return nil
	}
	return to.down(r.Kind, r.Slot)
}
