// Package mill is the media of many connections without Pion's media path: hundreds of calls on one core, so that a
// gateway can be filled by one machine. Pion makes the connections; their packets are made, sealed, sent, opened and
// counted here. They are paced as a browser paces them: each leg has its own beat, the packets of a picture go at
// once, and every packet carries the time of its sending.
package mill

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"jedel/media/batch"

	"github.com/pion/webrtc/v4"
)

// Step is how finely is paced. Coarser would let the packets of several calls arrive together and make the gateway's
// work look cheaper than it is.
const step = 200 * time.Microsecond

// behind is how far a source may lag before it skips instead of catching up by a burst.
const behind = 200 * time.Millisecond

// wheelSize is how many steps ahead something may be due.
const wheelSize = 512

// Works are all legs of a program. Make them with New, then Run them.
type Works struct {
	local netip.Addr
	epoch time.Time
	hub   *hub       // carries all legs; nil where the gateway is not on this machine
	set   *batch.Set // else the legs' own sockets; nil where a system has none: each leg reads for itself

	totals

	mu     sync.Mutex // guards the rest but what Run owns
	joined []*source
	legs   []*Leg // by id; nil: it has ended

	// Owned by Run.
	wheel [wheelSize][]*source
	at    int64 // the step that was done last
	out   []batch.Message
	in    []batch.Message
	ready [batch.Most]int32
	asked time.Duration // when the hub was last read
}

// totals are for all to read.
type totals struct {
	Latency  Latency       // from sending to having been received, through the gateway
	Sent     atomic.Uint64 // media packets
	Received atomic.Uint64 // of media, each once
	Unsent   atomic.Uint64 // the system did not take them
	Refused  atomic.Uint64 // came and could not be opened
	Keys     atomic.Uint64 // pictures that were asked for
	Overflow atomic.Uint64 // came when the kernel had no room for more: our own fault
	Late     atomic.Uint64 // times that a source lagged so far that it skipped: the figures are our own then
}

// New returns works whose sockets are bound to local.
func New(local netip.Addr) *Works {
	w := &Works{local: local, epoch: time.Now(), out: make([]batch.Message, frameParts), in: newBuffers()}
	if hub, err := newHub(local); err == nil && hub != nil {
		w.hub = hub
	} else if set, err := batch.NewSet(); err == nil {
		w.set = set
	}
	for i := range w.out {
		w.out[i].B = make([]byte, datagramSize)
		for j := range w.out[i].B {
			w.out[i].B[j] = byte(rand.Uint32())
		}
	}
	return w
}

// name gives a leg its id.
func (w *Works) name(l *Leg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.id = int32(len(w.legs))
	w.legs = append(w.legs, nil)
}

// admit lets a leg be read.
func (w *Works) admit(l *Leg) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.legs[l.id] = l
	switch {
	case w.hub != nil:
		return nil
	case w.set != nil:
		return w.set.Add(l.socket.conn, l.id)
	}
	go l.socket.pump() // ends with the socket
	return nil
}

func (w *Works) dismiss(l *Leg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.legs[l.id] = nil
}

// join puts a source on the wheel. A microphone and a camera beat by themselves: the first packet comes at any
// moment within their time.
func (w *Works) join(s *source) {
	if s.rides.Swap(true) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.joined = append(w.joined, s)
}

// Run paces until ctx ends.
func (w *Works) Run(ctx context.Context) error {
	c, err := newClock()
	if err != nil {
		return err
	}
	defer func() { _ = c.close() }()
	if w.set != nil {
		defer func() { _ = w.set.Close() }()
	}
	if w.hub != nil {
		defer func() { _ = w.hub.close() }()
	}
	for ctx.Err() == nil {
		now := time.Since(w.epoch)
		w.enter()
		for w.at < int64(now/step) {
			w.at++
			w.turn(now)
		}
		if err := w.read(); err != nil {
			return err
		}
		left := time.Duration(w.at+w.ahead())*step - time.Since(w.epoch)
		if left <= 0 {
			runtime.Gosched() // the readers are to have their turn
			continue
		}
		if err := c.wait(left); err != nil {
			return err
		}
	}
	return nil
}

// lookEvery is how often the hub is read. The kernel tells when each datagram came, so that no figure depends on it.
const lookEvery = time.Millisecond

// sourceOf returns what a leg sends of a kind, nil for none. Run's goroutine holds mu.
func (w *Works) sourceOf(leg int32, kind webrtc.RTPCodecType) *source {
	if w.hub == nil || leg < 0 || int(leg) >= len(w.legs) || w.legs[leg] == nil {
		return nil
	}
	if kind == webrtc.RTPCodecTypeVideo {
		return &w.legs[leg].video
	}
	return &w.legs[leg].audio
}

// look reads the hub when it is time to.
func (w *Works) look() {
	now := time.Since(w.epoch)
	if now-w.asked < lookEvery {
		return
	}
	w.asked = now
	w.mu.Lock()
	defer w.mu.Unlock()
	lost := w.hub.read(w.epoch, func(d datagram) {
		if d.leg >= 0 && int(d.leg) < len(w.legs) && w.legs[d.leg] != nil {
			w.legs[d.leg].socket.take(d.b, d.from, d.at)
		}
	})
	if lost > 0 {
		w.Overflow.Store(uint64(lost))
	}
}

// read takes what has come to all legs.
func (w *Works) read() error {
	if w.hub != nil {
		w.Unsent.Add(uint64(w.hub.flush()))
		w.look()
		return nil
	}
	if w.set == nil {
		return nil
	}
	for {
		n, err := w.set.Ready(w.ready[:])
		if err != nil {
			return err
		}
		for _, id := range w.ready[:n] {
			w.mu.Lock()
			l := w.legs[id]
			w.mu.Unlock()
			if l != nil {
				l.socket.drain(w.in)
			}
		}
		if n < len(w.ready) {
			return nil
		}
	}
}

// ahead returns how many steps it is to the next with work, five at most: what joins is not to wait longer, and the
// hub is to be read. In legs' own sockets is looked at each.
func (w *Works) ahead() int64 {
	n := int64(1)
	w.mu.Lock()
	busy := w.hub == nil && len(w.legs) > 0
	w.mu.Unlock()
	if busy {
		return n
	}
	for n < 5 && len(w.wheel[(w.at+n)%wheelSize]) == 0 {
		n++
	}
	return n
}

// enter puts on the wheel what has joined.
func (w *Works) enter() {
	w.mu.Lock()
	joined := w.joined
	w.joined = nil
	w.mu.Unlock()
	now := time.Since(w.epoch)
	for _, s := range joined {
		s.skip(now)
		s.due += rand.N(s.every)
		w.put(s)
	}
}

func (w *Works) put(s *source) {
	at := min(max(int64(s.due/step), w.at+1), w.at+wheelSize-1)
	w.wheel[at%wheelSize] = append(w.wheel[at%wheelSize], s)
}

// turn does what is due in one step.
func (w *Works) turn(now time.Duration) {
	place := &w.wheel[w.at%wheelSize]
	all := *place
	*place = nil
	for _, s := range all {
		if s.leg.ended.Load() {
			continue
		}
		if !s.on.Load() {
			if s.rides.Store(false); !s.on.Load() || s.rides.Swap(true) {
				continue
			}
		}
		if now-s.due > behind {
			w.Late.Add(1)
			s.skip(now)
		}
		s.unit(s.leg.session.Load())
		s.due += s.every
		w.put(s)
	}
	if *place == nil {
		*place = all[:0]
	}
}
