package media

import (
	"sync/atomic"
	"time"
)

// lateAfter is how long what has come may wait to be read before a silence says nothing any more of the way it
// did not come by.
const lateAfter = 100 * time.Millisecond

// attention is when the node last did not hear all that came to it: its readers or the machine were late, or the
// system had no room for more. Who was silent then may have spoken; taking that for dead ways would have everybody
// connect anew at the moment in which that can least be borne. All times are Unix nanoseconds. The zero value has missed nothing.
type attention struct {
	looked int64 // Run owns it
	missed atomic.Int64
}

// look notes what a look at the sockets found. late: something waits to be read for longer than lateAfter, or was
// dropped. A look that itself comes late is no better.
func (a *attention) look(now int64, late bool) {
	if late || a.looked > 0 && now-a.looked > int64(listenEvery+lateAfter) {
		a.missed.Store(now)
	}
	a.looked = now
}

// late reports whether something has waited to be read for too long, or was dropped since the last look. Only Run calls it.
func (r *reader) late(now int64) bool {
	b, err := r.conn.Backlog()
	if err != nil {
		return false // it is being closed
	}
	lost := b.Dropped - r.dropped
	r.dropped = b.Dropped
	r.socket.node.met.overflow.Add(float64(lost))
	return lost > 0 || b.Waits && now-r.emptied.Load() > int64(lateAfter)
}

// attend looks whether all that came was heard. Only Run calls it.
func (n *Node) attend(now time.Time) {
	late := false
	for _, s := range n.ports.sockets {
		for _, r := range s.readers {
			if r.late(now.UnixNano()) {
				late = true
			}
		}
	}
	n.attention.look(now.UnixNano(), late)
}
