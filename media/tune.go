package media

import (
	"jedel/internal/ident"
	"jedel/media/tune"
)

// Tuned is the kind of the event that a peer's connection is to be used otherwise from now on;
// Node.Tune tells how.
const Tuned EventKind = "tuned"

// Tune is how one connection is to be used: what its page may send and how it should listen.
type Tune struct {
	PC  string
	Rev int // counts up from 1 within PC
	tune.Decision
}

// Tune returns how the client's newest connection is to be used; ok is false where nothing was
// decided: it begins as tune.Start.
func (n *Node) Tune(id ident.ClientID) (Tune, bool) {
	p := n.find(id)
	if p == nil {
		return Tune{}, false
	}
	c := p.newest()
	if c == nil {
		return Tune{}, false
	}
	t := c.tuned.Load()
	if t == nil || t.Rev == 0 {
		return Tune{}, false
	}
	return *t, true
}

// retune makes d what holds for the connection and tells the app, unless the page has no part in what
// changed. Only the node's rate loop calls it.
func (c *conn) retune(d tune.Decision) {
	was := Tune{PC: c.id, Decision: tune.Start()}
	if t := c.tuned.Load(); t != nil {
		was = *t
	}
	next := Tune{PC: c.id, Rev: was.Rev, Decision: d}
	was.Deepen = d.Deepen
	told := was.Decision != d
	if told {
		next.Rev++
	}
	c.tuned.Store(&next)
	if told {
		c.event(Event{Kind: Tuned})
	}
}
