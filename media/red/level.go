package red

import "time"

// What a Level goes by.
const (
	// calm is how long the loss must stay low before a frame less goes along.
	calm = 10 * time.Second
	// trial is how long after a deepening its effect is looked at.
	trial = 4 * time.Second
	// penance is how long a depth that did harm is not tried again.
	penance = 30 * time.Second
	// standing is how much longer than ever the round trip may be before our packets are what stands in
	// the queue.
	standing = 250 * time.Millisecond
	// harm is how much loss may grow within a trial before the deepening is blamed.
	harm = 0.08
)

// Level follows how deep the redundancy towards one receiver should be. Loss deepens it at once. Where
// that makes loss or delay grow, the way is too thin for it and it goes back: each frame that goes along
// costs the stream's bit rate once more. Its zero value is a receiver without redundancy.
type Level struct {
	depth    int
	most     int           // not deeper than this until until
	until    time.Duration // 0: no bound
	lowSince time.Duration
	low      bool
	before   float64       // loss when it was last deepened
	deepened time.Duration // when; 0: not on trial
	shortest time.Duration // round trip
}

// Next returns the depth from now on, given the loss of the last second (0..1) and the round trip, 0
// where it is unknown. now is a duration since any one moment, later than 0.
func (l *Level) Next(loss float64, rtt, now time.Duration) int {
	if rtt > 0 && (l.shortest == 0 || rtt < l.shortest) {
		l.shortest = rtt
	}
	if l.until > 0 && now > l.until {
		l.until = 0
	}
	crowded := l.shortest > 0 && rtt > l.shortest+standing
	worse := l.deepened > 0 && loss > l.before+harm
	if l.depth > 0 && (crowded || worse && now-l.deepened <= trial) {
		l.depth--
		l.most, l.until, l.deepened = l.depth, now+penance, 0
		return l.depth
	}
	if now-l.deepened > trial {
		l.deepened = 0
	}
	want := wanted(l.depth, loss)
	if l.until > 0 {
		want = min(want, l.most)
	}
	switch {
	case want > l.depth:
		if l.deepened == 0 {
			l.before = loss
		}
		l.depth, l.low, l.deepened = want, false, now
	case want < l.depth && !l.low:
		l.low, l.lowSince = true, now
	case want < l.depth && now-l.lowSince >= calm:
		l.depth, l.low = l.depth-1, false
	case want == l.depth:
		l.low = false
	}
	return l.depth
}
