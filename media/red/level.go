package red

import "time"

// What a Level goes by.
const (
	// calm is how long the loss must stay low before a frame less goes along.
	calm = 10 * time.Second
	// standing is how much longer than the shortest the round trip is where a queue stands.
	standing = 250 * time.Millisecond
	// patience is how long a queue may stand before redundancy gives way: pictures give way first.
	patience = 3 * time.Second
	// penance is how long the depth at which a queue stood is not tried again.
	penance = 15 * time.Second
)

// Level follows how deep the redundancy towards one receiver should be. Loss deepens it at once. Where a
// queue stands it goes back step by step: each frame that goes along costs the stream's bit rate once
// more, and on a way too thin for it words come late instead of not at all. Its zero value is a receiver
// without redundancy.
type Level struct {
	depth    int
	most     int           // not deeper than this until until
	until    time.Duration // 0: no bound
	lowSince time.Duration // 0: loss is not low
	full     time.Duration // since when a queue stands; 0: none does
	shortest time.Duration // round trip
}

// Next returns the depth from now on, given the loss of the last second (0..1) and the round trip, 0
// where it is unknown. now is a duration since any one moment, later than 0.
func (l *Level) Next(loss float64, rtt, now time.Duration) int {
	if rtt > 0 && (l.shortest == 0 || rtt < l.shortest) {
		l.shortest = rtt
	}
	if now > l.until {
		l.until, l.most = 0, MaxDepth
	}
	if l.crowded(rtt, now) && l.depth > 0 {
		l.depth--
		l.most, l.until, l.full = l.depth, now+penance, now
		return l.depth
	}
	switch want := min(wanted(l.depth, loss), l.most); {
	case want > l.depth:
		l.depth, l.lowSince = want, 0
	case want == l.depth:
		l.lowSince = 0
	case l.lowSince == 0:
		l.lowSince = now
	case now-l.lowSince >= calm:
		l.depth, l.lowSince = l.depth-1, 0
	}
	return l.depth
}

// crowded reports whether a queue has stood for too long.
func (l *Level) crowded(rtt, now time.Duration) bool {
	switch {
	case rtt <= l.shortest+standing:
		l.full = 0
	case l.full == 0:
		l.full = now
	}
	return l.full > 0 && now-l.full >= patience
}
