package bwe

import (
	"math"
	"time"
)

const (
	// backOff is what is kept of the rate that came through when the delay grows (beta of
	// draft-ietf-rmcat-gcc-02 section 5.5). Where a queue stands less is kept, down to drainMost at
	// drainAt: what waits there is words as well.
	backOff   = 0.85
	drainMost = 0.25
	drainAt   = 600 * time.Millisecond
	// The rate grows per second by firstGrowth before the way was ever full, by backGrowth up to
	// nearFull of where it was full, by slowly around there, and beyond it by growth, which rises by
	// widening each second: a way that became wide is found within some ten seconds.
	firstGrowth = 2.0
	backGrowth  = 1.4
	slowly      = 0.03
	growth      = 1.08
	widening    = 0.08
	nearFull    = 0.92
	pastFull    = 1.1
	// ahead bounds the rate by what came through: beyond it nothing is tested.
	ahead = 1.5
	// loaded is the part of the rate that must be sent for a moment's delay to tell of it.
	loaded = 0.6
	// untested is up to where a rate may grow that nothing tests: a little picture is sent, or none.
	untested = 150_000
	// againBps is where a picture begins that ended for want of room.
	againBps = 100_000
	// response is within which a change shows: section 5.5, without the round trip.
	response = 200 * time.Millisecond
)

// control is the additive increase and multiplicative decrease of section 5.5.
type control struct {
	rate      float64
	full      float64 // where the way was full, smoothed; 0: not known
	spread    float64 // variance of it, relative
	was       time.Duration
	decreased time.Duration // when last
	past      time.Duration // since when the rate is past it
	begun     bool
	holding   bool
	untried   bool // nothing tests whether there is more
}

func newControl() control { return control{rate: StartBps} }

// restart begins anew after a silence: what was known is old, and what comes back begins small.
func (c *control) restart(voice float64) {
	*c = control{rate: min(max(c.rate, againBps+voice), StartBps+voice)}
}

// tested reports whether the way was full at about the rate.
func (c *control) tested() bool { return c.full > 0 && !c.untried }

func (c *control) next(now time.Duration, use usage, acked float64, queue time.Duration) float64 {
	dt := min(now-c.was, time.Second).Seconds()
	if !c.begun {
		c.begun, dt, c.decreased = true, 0, now-response
	}
	c.was = now
	switch use {
	case over:
		// Whatever made packets late, it was not us; or it passes, and a small picture is soon too small.
		idle := queue < queueHigh/2 && acked < loaded*c.rate || queue < queueHigh/4 && c.rate <= untested
		if now-c.decreased >= response && acked > 0 && !idle {
			c.decrease(now, acked, queue)
		}
	case under:
		c.holding = true // the queue drains: let it
	case normal:
		if c.holding && now-c.decreased < response {
			break
		}
		c.holding = false
		c.increase(now, dt, acked)
	}
	c.rate = min(max(c.rate, MinBps), MaxBps)
	return c.rate
}

func (c *control) decrease(now time.Duration, acked float64, queue time.Duration) {
	keep := backOff
	if queue > queueHigh {
		keep -= (backOff - drainMost) * min(1, float64(queue-queueHigh)/float64(drainAt-queueHigh))
	}
	c.rate = min(c.rate, keep*acked)
	c.decreased, c.holding, c.untried = now, true, false
	// Average and deviation of where it was full: section 5.5.
	if c.full == 0 || math.Abs(acked-c.full) > 3*c.sigma() {
		c.full, c.spread = acked, 0.01
		return
	}
	off := (acked - c.full) / c.full
	c.full += 0.2 * (acked - c.full)
	c.spread = min(max(0.8*c.spread+0.2*off*off, 0.0025), 0.02)
}

func (c *control) sigma() float64 { return math.Sqrt(c.spread) * c.full }

func (c *control) increase(now time.Duration, dt, acked float64) {
	limit := max(ahead*acked+10_000, untested)
	c.untried = c.rate >= limit
	if c.untried {
		return // more would only be a guess; what is known stays
	}
	if c.rate < pastFull*c.full {
		c.past = now
	}
	switch {
	case c.full == 0:
		c.rate *= math.Pow(firstGrowth, dt)
	case c.rate < nearFull*c.full:
		c.rate = min(c.rate*math.Pow(backGrowth, dt), nearFull*c.full)
	case c.rate < pastFull*c.full:
		c.rate += max(slowly*c.full, 2000) * dt
	default:
		c.rate *= math.Pow(min(growth+widening*(now-c.past).Seconds(), firstGrowth), dt)
	}
	c.rate = min(c.rate, limit)
}
