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
	if t == nil {
		return Tune{}, false
	}
	return *t, true
}

// retune makes d what holds for the connection and tells the app. Only the node's rate loop calls
// it.
func (c *conn) retune(d tune.Decision) {
	rev := 1
	if old := c.tuned.Load(); old != nil {
		rev = old.Rev + 1
	}
	c.tuned.Store(&Tune{PC: c.id, Rev: rev, Decision: d})
	c.event(Event{Kind: Tuned})
}
