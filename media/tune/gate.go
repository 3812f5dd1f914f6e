package tune

import "time"

// Way is what is known of one direction of a connection.
type Way struct {
	Kbps    int           // room for a picture beside the voice, kbit/s
	Full    bool          // the way was seen to have no more than that; else Kbps is only what was tried
	Loss    float64       // of the voice, 0..1, before any repair
	Watched bool          // Queue is measured at the moment
	Queue   time.Duration // how long packets wait beyond the quickest
}

// Where the picture gives way. All figures are of the room beside the voice, which has taken its own
// 56 kbit/s (Opus at 32, 50 packets a second with their headers) before.
const (
	// OffKbps is where a picture ends: 20 pictures a second of 176 × 144 take about 60 kbit/s of VP8;
	// with less there are blocks that nobody recognises a hand in, and each large one delays words.
	OffKbps = 60
	// BackKbps is what a picture needs to come back: enough above OffKbps not to end at once.
	BackKbps = 100
	// ThinKbps and OnKbps are the same for a full picture: below it 20 pictures a second keep only at
	// a smaller size. ITU-T H-series Supplement 1 asks for 20 a second and CIF for signing.
	ThinKbps, OnKbps = 250, 400
	// thinMost is what a thin picture can use.
	thinMost = 250
	// Loss at which a picture becomes thin or ends, and from which it comes back. Loss without a queue and
	// without want of room is the way's own: a small picture takes nothing from the voice then, until half
	// of it would have to be sent again.
	// Smaller it becomes soon, where one window leaves no doubt.
	lossThin, lossThinBack = 0.15, 0.08
	lossSure               = 0.22
	// Where a quarter is lost a browser's own estimate falls to some 80 kbit/s whatever the way bears: more is
	// not asked of a camera until it is less than lossThin, so that its picture is small enough to keep moving.
	lossPoor             = 0.25
	poorMost             = 80
	lossOff, lossOffBack = 0.45, 0.38
	// queueOff is how late words may be for a picture's sake; queueBack is a way without a queue.
	queueOff, queueBack = 400 * time.Millisecond, 100 * time.Millisecond
)

// When it does.
const (
	// fallTime is how long it must be too little: shorter ends pictures for one bad second. Words that
	// are late by queueLate do not wait for it; where words wait or many are lost already, half is enough.
	fallTime  = time.Second
	queueLate = 2 * queueOff
	// trial is how long after coming back the picture ends at the first sign, without waiting.
	trial = 5 * time.Second
	// lossTime smooths the loss: packets are lost in runs, and a window of two seconds says little of a way.
	lossTime = 3 * time.Second
	// HoldThin and HoldOn are how long a picture that ended or became thin stays so at least. Each
	// time that it did not last doubles it, up to holdMost; one that lasted for lasting ends that.
	HoldThin, HoldOn = 8 * time.Second, 5 * time.Second
	holdMost         = 4 * time.Minute
	lasting          = 30 * time.Second
)

// Gate is the level of one way. It falls soon, rises one level at a time, and holds: it changes no
// more often than the holds allow. Make it with NewGate.
type Gate struct {
	level Level
	why   Reason
	since time.Duration // of the level
	rose  bool          // the level was come to from below
	short time.Duration // since when there is too little for it
	calm  time.Duration // since when there is enough for the next
	loss  float64       // smoothed
	poor  bool          // it has been lossPoor and not small since
	was   time.Duration // when last looked
	holds [2]time.Duration
	begun bool
}

// NewGate returns a gate at On.
func NewGate() Gate { return Gate{level: On, holds: [2]time.Duration{HoldThin, HoldOn}} }

// Level returns the level and what holds it down.
func (g *Gate) Level() (Level, Reason) { return g.level, g.why }

// Next decides anew at a time.
func (g *Gate) Next(now time.Duration, w Way) Level {
	if !g.begun {
		g.begun, g.since, g.short, g.calm, g.was = true, now, now, now, now
	}
	g.smooth(now, w.Loss)
	most, why := g.bears(w)
	if most >= g.level {
		g.short = now
	}
	if most <= g.level || w.Queue > queueBack {
		g.calm = now
	}
	patience := fallTime
	if w.Queue >= twiceQueue || g.loss >= lossOff {
		patience /= 2
	}
	switch {
	case most < g.level && (now-g.short >= patience || g.onTrial(now) || w.Queue >= queueLate):
		g.fall(now, most, why)
	case most > g.level && now-g.since >= g.holds[g.level] && now-g.calm >= g.holds[g.level]/2:
		g.since, g.rose, g.short, g.calm = now, true, now, now
		if g.level++; g.level == On {
			g.why = ""
		}
	}
	if g.rose && now-g.since >= lasting {
		g.rose = false
		for l := range g.level {
			g.holds[l] = first(l)
		}
	}
	return g.level
}

func (g *Gate) onTrial(now time.Duration) bool { return g.rose && now-g.since < trial }

// first is how long a level below On is held at first.
func first(l Level) time.Duration {
	if l == Off {
		return HoldThin
	}
	return HoldOn
}

// fall goes down to a level; what did not last is waited for twice as long.
func (g *Gate) fall(now time.Duration, to Level, why Reason) {
	if g.rose {
		for l := to; l < g.level; l++ {
			g.holds[l] = min(2*g.holds[l], holdMost)
		}
	}
	g.level, g.why, g.since, g.rose, g.short, g.calm = to, why, now, false, now, now
}

// smooth follows the loss at a time.
func (g *Gate) smooth(now time.Duration, loss float64) {
	dt := min(now-g.was, lossTime)
	g.was = now
	g.loss += (loss - g.loss) * float64(dt) / float64(lossTime)
	g.poor = g.loss >= lossPoor || g.poor && g.loss >= lossThin
}

// bears returns the most that a way bears, and what it is that keeps it from more. Coming back needs
// more than staying.
func (g *Gate) bears(w Way) (Level, Reason) {
	off, thin := lossOff, lossThin
	room, full := OffKbps, ThinKbps
	if g.level < Thin {
		off, room = lossOffBack, BackKbps
	}
	if g.level < On {
		thin, full = lossThinBack, OnKbps
	}
	switch {
	case g.loss >= off:
		return Off, Loss
	case w.Queue >= queueOff, w.Full && w.Kbps < room:
		return Off, Slow
	case g.loss >= thin, g.level == On && w.Loss >= lossSure:
		return Thin, Loss
	case w.Full && w.Kbps < full:
		return Thin, Slow
	}
	return On, ""
}
