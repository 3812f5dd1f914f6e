package media

import "time"

// A page makes a new connection when the one it has falls silent. It may be wrong about that, so the
// old one stays until the new one is up; from then on the packets of the new one count, and the old
// one is closed a moment later.

// overlap is how long a connection is kept after another took its place: what the page sent last by
// it is recorded, and the page closes it by itself.
const overlap = time.Second

// adopt makes c the peer's connection: at once where there is none that is up, else when c is. It
// returns the connection that is to be closed; ok is false where the peer was closed meanwhile.
func (p *peer) adopt(c *conn) (replaced *conn, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return nil, false
	}
	if p.conn != nil && p.conn.up.Load() && !c.up.Load() {
		replaced, p.next = p.next, c
		return replaced, true
	}
	if p.conn != nil {
		p.retire(p.conn)
	}
	replaced, p.next = p.next, nil
	p.conn = c
	p.live.Store(c)
	return replaced, true
}

// retire keeps c for a moment. p.mu is held.
func (p *peer) retire(c *conn) {
	p.old, p.oldSince = append(p.old, c), time.Now()
}

// connected hears that c is up: where it was on its way it takes over.
func (p *peer) connected(c *conn) {
	p.mu.Lock()
	takes := p.next == c
	if takes {
		p.retire(p.conn)
		p.conn, p.next = c, nil
		p.live.Store(c)
	}
	p.mu.Unlock()
	if takes {
		p.node.rebuild()
	}
}

// conns returns every connection that the peer has.
func (p *peer) conns() []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := append([]*conn(nil), p.old...)
	for _, c := range []*conn{p.conn, p.next} {
		if c != nil {
			all = append(all, c)
		}
	}
	return all
}

// leftOver takes out what is to be closed: connections whose place was taken, and one that did not
// come up in time.
func (p *peer) leftOver(now time.Time) []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*conn
	if now.Sub(p.oldSince) > overlap {
		out, p.old = p.old, nil
	}
	if p.next != nil && now.Sub(p.next.made) > ConnectTime {
		out, p.next = append(out, p.next), nil
	}
	return out
}
