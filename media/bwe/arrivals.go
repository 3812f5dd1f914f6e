package bwe

import "time"

// Arrivals follows one way in. The delay is that of the voice, whose timestamps tell when each
// packet was made; the room is the picture's, on top of the voice. One goroutine calls it.
type Arrivals struct {
	trend   trend
	rate    control
	loss    lossy
	picture meter
	voice   meter

	stamp  uint32 // RTP timestamp of the newest voice packet
	made   time.Duration
	use    usage
	last   time.Duration
	looked time.Duration
	begun  bool
	state  State
}

// NewArrivals returns one for a way of which nothing is known.
func NewArrivals() *Arrivals {
	a := &Arrivals{rate: newControl(), loss: newLossy(), trend: newTrend(heldIn)}
	a.state.Bps = StartBps
	return a
}

const (
	voiceClock = 48_000 // ticks a second of Opus: RFC 7587 section 4.1
	lookEvery  = 100 * time.Millisecond
	// jump is a step of the timestamps against the clock that no network makes: a new microphone.
	jump = 5 * time.Second
)

// Voice takes the RTP timestamp of a voice packet, of so many bytes with Overhead, that came in its
// first sending at a time.
func (a *Arrivals) Voice(stamp uint32, size int, at time.Duration) {
	a.voice.add(at, size)
	step := time.Duration(int32(stamp-a.stamp)) * time.Second / voiceClock
	if a.begun && step <= 0 && step > -jump {
		return // overtaken
	}
	if between := at - a.last; !a.begun || step-between > jump || between-step > jump || step < 0 {
		a.trend.restart()
		a.begun, a.made, step = true, at, 0
	}
	a.stamp, a.made, a.last = stamp, a.made+step, at
	if use := a.trend.add(a.made, at); use != normal {
		a.use = use
	}
	if at-a.looked < lookEvery {
		return
	}
	a.looked = at
	acked, voice, queue := a.picture.bps(at), a.voice.bps(at), a.trend.queue()
	total := min(a.rate.next(at, a.use, acked+voice, queue), a.loss.cap)
	a.rate.rate, a.use = total, normal
	full := a.rate.tested() || a.loss.cap <= total
	a.state = State{Bps: room(total, voice), Full: full, Acked: int(acked), Queue: queue, Loss: a.loss.last, Known: true}
	if queue < queueHigh/2 {
		a.state.Own = a.loss.presumed()
	}
}

// Picture takes a packet of the picture of so many bytes, with Overhead.
func (a *Arrivals) Picture(size int, at time.Duration) { a.picture.add(at, size) }

// Lost takes the share of packets, 0..1, that were lost in the last seconds before any repair.
func (a *Arrivals) Lost(share float64, at time.Duration) {
	a.loss.only(a.picture.bps(at)/max(1-share, 0.1)+a.voice.bps(at), share, at)
}

// State returns what is thought of the way at a time.
func (a *Arrivals) State(at time.Duration) State {
	s := a.state
	if at-a.last > stale {
		s.Known, s.Queue, s.Acked, s.Own = false, 0, 0, 0
	}
	return s
}
