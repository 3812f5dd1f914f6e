package bwe

import (
	"math"
	"time"
)

const (
	// A span of loss ends after so many packets, or after that time: fewer say nothing at 10 %.
	lossPackets = 50
	lossSpan    = 3 * time.Second
	lossLeast   = 10
	// onlySpan is that of loss which is told in windows of about as long: within less a loss of before the
	// rate fell is taken for one that stayed.
	onlySpan = 2 * time.Second
	// lossHigh and lossLow are draft-ietf-rmcat-gcc-02 section 6, over what the way loses anyway.
	lossHigh, lossLow = 0.10, 0.02
	// lossOwn is the most that may count as the way's own: beyond it less is sent whatever it is.
	lossOwn = 0.45
	// persists is the part of a loss that must stay after the rate fell to be the way's own.
	persists = 0.4
	// lossFloor is that of a voice and a small picture.
	lossFloor = 150_000
	// lossGrowth is per second, back from a rate at which packets were lost.
	lossGrowth = 0.06
	// After heldMost between the two less is tried, by heldLess: a loss that stays is the way's own.
	heldMost, heldLess = 6 * time.Second, 0.8
)

// lossy bounds the rate where packets are lost for want of room and no queue tells of it. A way
// that loses as much after the rate fell as before loses by itself, as radios do: that much is its
// own from then on, and what was taken is given back.
type lossy struct {
	cap  float64
	own  float64
	last float64 // of the last span

	lost, got int
	full      bool // the delay told of it in this span
	began     time.Duration
	begun     bool
	tried     float64       // loss for which the rate was reduced; 0: it was not
	mean      float64       // of what was lost beyond own, smoothed
	ours      bool          // it was seen to fall with the rate
	held      time.Duration // for how long too much was lost to grow, and too little to fall
	skip      bool          // the span in which the rate fell says nothing
	sum       float64       // of the loss in the spans after it fell
	spans     int
}

func newLossy() lossy { return lossy{cap: MaxBps} }

func (l *lossy) count(got bool) {
	if got {
		l.got++
	} else {
		l.lost++
	}
}

// next looks at the span that ended, if one did. acked is the rate that came through; full tells
// that the delay has grown just now.
func (l *lossy) next(now time.Duration, acked float64, full bool) {
	if !l.begun {
		l.begun, l.began = true, now
	}
	l.full = l.full || full
	n, dt := l.got+l.lost, now-l.began
	if n < lossPackets && dt < lossSpan || n < lossLeast {
		return
	}
	l.last = float64(l.lost) / float64(n)
	full = l.full
	l.lost, l.got, l.began, l.full = 0, 0, now, false
	l.judge(acked, full, n, dt)
}

// judge makes of the loss among n packets what is the way's own and what is for want of room.
func (l *lossy) judge(acked float64, full bool, n int, dt time.Duration) {
	switch {
	case full: // whoever sees the queue deals with it
		l.tried, l.skip = 0, false
		return
	case l.skip:
		l.skip = false
		return
	}
	if l.tried > 0 {
		l.sum += l.last
		if l.spans++; l.spans < 2 {
			return
		}
		after := l.sum / 2
		l.ours = after <= persists*l.tried
		switch {
		case after > lossOwn:
			l.own = lossOwn
		case !l.ours:
			l.own, l.cap, l.mean = after, MaxBps, 0
		}
		l.tried = 0
	}
	if l.last < l.own {
		l.own += 0.2 * (l.last - l.own)
	}
	excess := l.last - l.own
	l.mean += 0.3 * (excess - l.mean)
	chance := 1.5 * math.Sqrt(l.last*(1-l.last)/float64(n)) // of so few packets
	switch {
	case excess > lossHigh+chance || l.mean > lossHigh:
		if l.own < lossOwn {
			acked /= 1 - l.own // that much is lost of any rate
		}
		l.try(max(l.mean, l.last), 0.95*acked)
	case l.mean < lossLow || l.cap == MaxBps:
		l.cap *= 1 + lossGrowth*min(dt.Seconds(), 3)
		l.held = 0
	default:
		if l.held += dt; l.held >= heldMost {
			l.try(l.own+l.mean, heldLess*l.cap)
		}
	}
	l.cap = min(max(l.cap, MinBps), MaxBps)
}

// presumed is how much of the loss is the way's own, until it was seen to fall with the rate.
func (l *lossy) presumed() float64 {
	if l.ours {
		return min(l.own, l.last)
	}
	return min(l.last, lossOwn)
}

// try sends less for a loss, and will see what becomes of it. As long as it is not known for ours a small
// picture is left: it tells as well.
func (l *lossy) try(loss, to float64) {
	if !l.ours && loss <= lossOwn {
		to = max(to, lossFloor)
	}
	l.tried, l.skip, l.mean, l.held = loss, true, 0, 0
	l.sum, l.spans = 0, 0
	l.cap = min(l.cap, to)
}

// only is the bound where nothing but the loss of reports is known, which come each second or two; sent
// is the rate that met it.
func (l *lossy) only(sent, lost float64, now time.Duration) float64 {
	if !l.begun {
		l.begun, l.began = true, now-onlySpan
	}
	dt := now - l.began
	if dt < onlySpan {
		return l.cap
	}
	l.began, l.last = now, lost
	l.judge(sent*(1-lost), false, lossPackets, dt)
	return l.cap
}
