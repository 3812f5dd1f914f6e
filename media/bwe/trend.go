package bwe

import (
	"math"
	"time"
)

// usage is what the delay says about the way.
type usage uint8

const (
	normal usage = iota
	over
	under
)

const (
	// burst is within which packets count as one group: draft-ietf-rmcat-gcc-02 section 5.1.
	burst = 5 * time.Millisecond
	// trendLen and trendSpan are over how many groups, and how long at most, the delay is followed.
	// Longer smooths a radio's jitter, shorter notices sooner.
	trendLen  = 20
	trendSpan = 1500 * time.Millisecond
	trendMin  = 5
	// gain makes the slope comparable with the threshold, which is the draft's in milliseconds.
	gain = 4.0
	// overTime is how long the delay must grow before it counts: section 5.3.
	overTime = 10 * time.Millisecond
	// Bounds and pace of the threshold: section 5.4.
	thresholdStart, thresholdMin, thresholdMax = 12.5, 6.0, 600.0
	thresholdUp, thresholdDown                 = 0.01, 0.00018
	// queueSpan is for how long the quickest packet is remembered as that of an empty queue; clocks
	// drift apart by 6 ms in it at most.
	queueSpan = 30 * time.Second
	// queueHigh is the queue that is drained although it does not grow. Voices stay natural up to
	// 150 ms one way (ITU-T G.114).
	queueHigh = 150 * time.Millisecond
	moment    = 150 * time.Millisecond
	// heldOut and heldIn are within which restraint must drain a part of a queue: of ours, and of the
	// peer's, whose words know no restraint. Longer takes a longer way for a queue, shorter the reverse.
	heldOut = 2 * time.Second
	heldIn  = 10 * time.Second
)

// trend follows how the time between leaving and arriving changes from group to group.
type trend struct {
	open          bool // a group is in the making
	began         time.Duration
	sent, arrived time.Duration // of its last packet
	before        bool          // there was a group before
	sent0, arr0   time.Duration // of that one

	line line
	wait wait

	threshold float64
	tested    time.Duration // when the threshold was last moved
	overSince time.Duration
	growing   bool
	slope     float64
	use       usage
}

func newTrend(held time.Duration) trend {
	return trend{threshold: thresholdStart, wait: wait{span: held}}
}

// restart forgets the delays, not what is normal on this way.
func (t *trend) restart() {
	threshold, held := t.threshold, t.wait.span
	*t = newTrend(held)
	t.threshold = threshold
}

// queue is how much longer the newest packets waited than the quickest.
func (t *trend) queue() time.Duration { return t.wait.queue() }

// wait is how long packets take, against the quickest of the last one or two spans. What waits is a
// queue only as far as no packet of the last moments was quicker: a radio that stops for a moment lets
// some come late and all that follow in time.
type wait struct {
	low    [2]time.Duration // the quickest, in this span and the one before
	lowAt  time.Duration
	now    [2]time.Duration // the quickest, in this moment and the one before
	nowAt  time.Duration
	seen   bool
	heldAt time.Duration // since when the queue has been high
	held   time.Duration // how high it was then
	span   time.Duration // heldOut or heldIn
}

func (w *wait) queue() time.Duration {
	if !w.seen {
		return 0
	}
	return max(0, min(w.now[0], w.now[1])-min(w.low[0], w.low[1]))
}

// add takes a packet's delay; false tells that the way has become another, longer one.
func (w *wait) add(delay, at time.Duration) bool {
	switch {
	case !w.seen:
		w.seen, w.lowAt, w.nowAt = true, at, at
		w.low, w.now = [2]time.Duration{delay, delay}, [2]time.Duration{delay, delay}
	case at-w.lowAt > queueSpan:
		w.low[1], w.low[0], w.lowAt = w.low[0], delay, at
	}
	if at-w.nowAt > moment {
		w.now[1], w.now[0], w.nowAt = w.now[0], delay, at
	}
	w.low[0], w.now[0] = min(w.low[0], delay), min(w.now[0], delay)
	queue := w.queue()
	switch {
	case queue < queueHigh:
		w.heldAt, w.held = at, 0
	case at-w.heldAt < w.span:
		w.held = max(w.held, queue)
	case queue > w.held*3/4: // no restraint drains it: a handover, another tower
		delay = min(w.now[0], w.now[1])
		w.low, w.lowAt, w.heldAt = [2]time.Duration{delay, delay}, at, at
		return false
	default:
		w.heldAt, w.held = at, queue
	}
	return true
}

// line is the delay over the last groups, and its slope.
type line struct {
	xs, ys    [trendLen]float64 // milliseconds: when, and how late
	n, head   int
	origin    time.Duration
	sum, soft float64 // of the changes of delay; smoothed
	changes   int
}

func (l *line) forget() { *l = line{origin: l.origin} }

func (l *line) add(change float64, at time.Duration) {
	l.changes++
	l.sum += change
	l.soft += (l.sum - l.soft) / 10
	if l.changes == 1 {
		l.soft = l.sum
	}
	l.xs[l.head], l.ys[l.head] = ms(at-l.origin), l.soft
	l.head = (l.head + 1) % trendLen
	l.n = min(l.n+1, trendLen)
}

// fit is the slope of the least squares through the newest points, in milliseconds of delay per
// millisecond.
func (l *line) fit() (float64, bool) {
	newest := l.xs[(l.head+trendLen-1)%trendLen]
	var n, sx, sy float64
	for i := range l.n {
		k := (l.head + trendLen - 1 - i) % trendLen
		if newest-l.xs[k] > ms(trendSpan) && n >= trendMin {
			break
		}
		n, sx, sy = n+1, sx+l.xs[k], sy+l.ys[k]
	}
	if n < trendMin {
		return 0, false
	}
	mx, my := sx/n, sy/n
	var num, den float64
	for i := range int(n) {
		k := (l.head + trendLen - 1 - i) % trendLen
		num += (l.xs[k] - mx) * (l.ys[k] - my)
		den += (l.xs[k] - mx) * (l.xs[k] - mx)
	}
	if den == 0 {
		return 0, false
	}
	return num / den, true
}

// add takes one packet, in the order of sending, and says what the delay tells by now.
func (t *trend) add(sent, arrived time.Duration) usage {
	if !t.wait.add(arrived-sent, arrived) {
		t.line.forget()
		t.use = normal
	}
	switch {
	case !t.open:
		t.open, t.began = true, sent
	case sent-t.began > burst && !(arrived-t.arrived < burst && arrived-t.arrived < sent-t.sent):
		t.close()
		t.began = sent
	case arrived < t.arrived:
		return t.verdict() // overtaken by a later one: says nothing about a queue
	}
	t.sent, t.arrived = sent, arrived
	return t.verdict()
}

// verdict is over as well where a queue stands.
func (t *trend) verdict() usage {
	if t.use == normal && t.queue() > queueHigh {
		return over
	}
	return t.use
}

// close ends the group in the making and compares it with the one before.
func (t *trend) close() {
	if !t.before {
		t.before, t.sent0, t.arr0, t.line.origin = true, t.sent, t.arrived, t.arrived
		return
	}
	between := t.sent - t.sent0
	change := ms((t.arrived - t.arr0) - between)
	t.sent0, t.arr0 = t.sent, t.arrived
	if between > 3*time.Second { // a pause: what was before says nothing
		t.line.forget()
		t.use = normal
		return
	}
	t.line.add(change, t.arrived)
	t.detect(between)
}

// detect compares the slope with what is normal here: draft-ietf-rmcat-gcc-02 sections 5.3, 5.4.
func (t *trend) detect(between time.Duration) {
	slope, ok := t.line.fit()
	if !ok {
		t.use = normal
		return
	}
	m := slope * gain * float64(min(t.line.changes, 60))
	switch {
	case m > t.threshold:
		if !t.growing {
			t.growing, t.overSince = true, t.arrived-between/2
		}
		if t.arrived-t.overSince > overTime && slope >= t.slope {
			t.use = over
		}
	case m < -t.threshold:
		t.growing, t.use = false, under
	default:
		t.growing, t.use = false, normal
	}
	t.slope = slope
	dt := min(t.arrived-t.tested, 100*time.Millisecond)
	t.tested = t.arrived
	if off := math.Abs(m) - t.threshold; off <= 15 {
		k := thresholdDown
		if off > 0 {
			k = thresholdUp
		}
		t.threshold = min(max(t.threshold+k*off*ms(dt), thresholdMin), thresholdMax)
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
