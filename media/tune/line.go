package tune

import "time"

// Inputs is what is known of a connection at a moment.
type Inputs struct {
	Up, Down Way     // from its page to us, from us to its page
	Heard    float64 // the worst loss, 0..1, of those it hears, on their way to us
	RTT      time.Duration
	Jitter   time.Duration
}

// Line decides for one connection. Make it with NewLine.
type Line struct {
	up, down Gate
	red      twice
	deepen   twice
	again    again
	late     lossy
	wait     time.Duration
	trip     time.Duration // the shortest round trip
	cap      [2]bound      // up, down
}

// NewLine returns a line of which nothing is known.
func NewLine() *Line { return &Line{up: NewGate(), down: NewGate()} }

// Next takes what is known at a time; times are durations since any one moment.
func (l *Line) Next(now time.Duration, in Inputs) {
	l.up.Next(now, in.Up)
	l.down.Next(now, in.Down)
	l.cap[0].next(now, l.up.level, in.Up)
	l.cap[1].next(now, l.down.level, in.Down)
	l.red.next(now, in.Up, l.up.level > Off)
	l.again.next(now, in.Up, l.up.loss)
	l.deepen.next(now, l.unwatched(in), l.down.level > Off && in.Down.Watched)
	was := l.late.on
	switch l.late.next(now, max(in.Down.Loss, in.Heard)) {
	case false:
		l.wait = 0
	case true:
		if w := wait(in.RTT, in.Jitter, in.Down.Loss, in.Heard); !was || w > l.wait { // grows with need, shrinks only with an end
			l.wait = w
		}
	}
}

// unwatched returns the way down with what the round trip tells of its queue, where no pictures tell. It may
// be the queue of the way up: words said twice are in its way as well, by what is said about them.
func (l *Line) unwatched(in Inputs) Way {
	if in.RTT > 0 && (l.trip == 0 || in.RTT < l.trip) {
		l.trip = in.RTT
	}
	w := in.Down
	if !w.Watched && in.RTT > 0 {
		w.Watched, w.Queue = true, in.RTT-l.trip
	}
	return w
}

// Down returns what may be sent of pictures towards the connection's page.
func (l *Line) Down() Level { return l.down.level }

// Decide joins what the line bears with those its pictures go to, and with the best of the pictures it
// gets before its own way counts: On where there are none. One watcher whose way is slow takes the
// picture from itself, not from the others; among those who see it the slowest sets the rate.
func (l *Line) Decide(watchers []*Line, shown Level) Decision {
	d := Decision{RED: l.red.on, Deepen: l.deepen.on, Jitter: l.wait, VideoKbps: l.cap[0].kbps}
	if l.again.on {
		d.LeastKbps = leastKbps
	}
	d.Video, d.Why = l.sends(watchers)
	for _, w := range watchers {
		if k := w.cap[1].kbps; w.down.level > Off && k > 0 && (d.VideoKbps == 0 || k < d.VideoKbps) {
			d.VideoKbps = k
		}
	}
	switch {
	case d.Video == Off:
		d.VideoKbps = 0
	case d.Video == Thin && l.up.poor && (d.VideoKbps == 0 || d.VideoKbps > poorMost):
		d.VideoKbps = poorMost
	case d.Video == Thin && (d.VideoKbps == 0 || d.VideoKbps > thinMost):
		d.VideoKbps = thinMost
	}
	d.Shown = min(l.down.level, shown)
	switch {
	case d.Why != "":
	case l.down.why != "":
		d.Why = l.down.why
	case d.VideoKbps > 0 || d.Shown < On:
		d.Why = Slow
	case d.RED || d.Jitter > 0 || d.Deepen:
		d.Why = Loss
	}
	return d
}

// Sends returns the level of the pictures that the connection's page may send to watchers.
func (l *Line) Sends(watchers []*Line) Level {
	level, _ := l.sends(watchers)
	return level
}

// sends is what both its own way and the best of the watchers' bear.
func (l *Line) sends(watchers []*Line) (Level, Reason) {
	if len(watchers) == 0 {
		return l.up.level, l.up.why
	}
	best, why := Off, Slow
	for _, w := range watchers {
		if w.down.level >= best {
			best, why = w.down.level, w.down.why
		}
	}
	if best < l.up.level {
		return best, why
	}
	return l.up.level, l.up.why
}

// Steps of the bound: small ones would be a message each second.
var steps = [...]int{60, 80, 100, 125, 150, 180, 220, 270, 330, 400, 500, 620, 770, 950, 1200, 1500, 1900}

// Paces of the bound, in messages: down at once, up when it has lasted.
const (
	boundFall = time.Second
	boundRise = 4 * time.Second
	// share of the room that a camera may fill: its packets have headers, and large pictures come.
	share = 0.9
)

// bound is the most that a camera may send, in steps.
type bound struct {
	kbps    int           // 0: none
	changed time.Duration // when last
	higher  time.Duration // since when more would be allowed
	off     bool          // there was no picture
}

func (b *bound) next(now time.Duration, level Level, w Way) {
	want := 0
	if w.Full && level > Off {
		want = step(int(share * float64(w.Kbps)))
	}
	if back := b.off && level > Off; back && (want == 0 || want > BackKbps) { // a trial: more floods a thin way
		*b = bound{kbps: BackKbps, changed: now, higher: now}
		return
	}
	b.off = level == Off
	more := b.kbps != 0 && (want == 0 || want > b.kbps)
	if !more {
		b.higher = now
	}
	switch {
	case want == b.kbps:
	case !more && now-b.changed >= boundFall, more && now-b.higher >= boundRise:
		b.kbps, b.changed, b.higher = want, now, now
	}
}

// step returns the largest step that is no more than kbps, 0 for more than all.
func step(kbps int) int {
	last := len(steps) - 1
	if kbps > steps[last]*5/4 {
		return 0
	}
	for i := last; i > 0; i-- {
		if steps[i] <= kbps {
			return steps[i]
		}
	}
	return steps[0]
}
