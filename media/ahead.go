package media

// What a packet needs has left the processor's cache since the last one of its source. So the reader asks for the
// memory of the packets of a batch before their turn comes: first for the connections, then for what the plans of their
// tracks name (package prefetch). Nothing but time depends on it.

import (
	"encoding/binary"
	"unsafe"

	"jedel/media/bwe"
	"jedel/media/prefetch"
	"jedel/media/srtpio"
)

const (
	// surveyEvery is after how many packets a track's plan is made anew: receivers and recordings come and go.
	surveyEvery = 64
	// tapSize is how much of whoever records is asked for: what it looks at first.
	tapSize = 256
	// plannedReceivers is of how many receivers: one, and who listens to a call.
	plannedReceivers = 2
)

// expect asks for what is read first of a connection that has got a datagram.
func expect(c *conn) {
	if c != nil {
		prefetch.Ask(unsafe.Pointer(c), unsafe.Sizeof(*c))
	}
}

// planOf returns the plan for a datagram of a connection, and asks for it; nil where there is none.
func planOf(c *conn, b []byte) *prefetch.Plan {
	if c == nil || len(b) < 12 || !c.in.mu.TryLock() {
		return nil
	}
	s, _ := c.in.sources.get(binary.BigEndian.Uint32(b[8:]))
	c.in.mu.Unlock()
	s.plan.Itself()
	return s.plan
}

// survey makes the plan of a track anew when it is time. c.in.mu is held.
func (u *upTrack) survey() {
	if u.planned++; u.planned%surveyEvery != 1 {
		return
	}
	c, p := u.conn, &u.plan
	p.Clear()
	p.Add(unsafe.Pointer(u), unsafe.Offsetof(u.plan))
	p.Add(unsafe.Pointer(c.peer), unsafe.Sizeof(*c.peer))
	p.Add(unsafe.Pointer(c.rate.in), unsafe.Sizeof(bwe.Arrivals{}))
	c.in.session.PlanOpen(p)
	if u.words != nil {
		p.Add(unsafe.Pointer(u.words), unsafe.Offsetof(u.words.frames))
	}
	if t := u.tap.Load(); t != nil {
		p.Add(unsafe.Pointer(t), unsafe.Sizeof(*t))
		p.Object(t.TrackTap, tapSize)
	}
	down := c.peer.receivers(u.kind)
	if down == nil || len(*down) == 0 {
		return
	}
	p.Add(unsafe.Pointer(down), unsafe.Sizeof(*down))
	p.Add(unsafe.Pointer(&(*down)[0]), uintptr(len(*down))*unsafe.Sizeof((*down)[0]))
	for _, d := range (*down)[:min(len(*down), plannedReceivers)] {
		d.survey(p)
	}
}

// survey adds what is read of a receiver.
func (d *downTrack) survey(p *prefetch.Plan) {
	o := d.owner
	p.Add(unsafe.Pointer(d), unsafe.Offsetof(d.scratch))
	p.Add(unsafe.Pointer(o), unsafe.Sizeof(o.peer))
	p.Add(unsafe.Pointer(&o.out), unsafe.Sizeof(o.out))
	p.Add(unsafe.Pointer(&o.rate), unsafe.Sizeof(o.rate))
	p.Add(unsafe.Pointer(o.peer), unsafe.Sizeof(o.peer.node))
	if b := d.bound.Load(); b != nil && len(b.types) > 0 {
		p.Add(unsafe.Pointer(b), unsafe.Sizeof(*b))
		p.Add(unsafe.Pointer(&b.types[0]), uintptr(len(b.types))*unsafe.Sizeof(b.types[0]))
	}
	o.out.seals().PlanSeal(p)
}

// seals returns the session of the way out, nil where it is Pion's: that one's lock is held while it writes.
func (e *egress) seals() *srtpio.Session {
	if e.way.Load() != wayDirect {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.session
}
