package tune

import "time"

// When words are sent twice, and when they are waited for.
const (
	// lossOn and lossBack are the loss from which a way counts as lossy, and below which it is clean
	// again after calmTime. At 5 % every twentieth syllable has a hole; in-band FEC hides fewer.
	lossOn, lossBack = 0.05, 0.02
	calmTime         = 10 * time.Second
	// twiceQueue is the queue at which words said twice are in each other's way; a picture goes before.
	twiceQueue = 150 * time.Millisecond
	// twiceKbps is what words said twice take beyond the room that a voice has. A way that was seen to have no more loses some
	// of what is sent for that; one that loses twiceLoss and more loses it by itself.
	twiceKbps = 12
	twiceLoss = 0.2
	// settleTime is how long what is lost may still be that of before: the page must hear of it, and loss is
	// of the last two seconds, the first of which may be clean. Redundancy that made loss worse in the mean of
	// meanTime at least shows until worseTime and rests for restTime: where packets are lost in runs one
	// window says little.
	settleTime = 5 * time.Second
	meanTime   = 3 * time.Second
	worseTime  = 12 * time.Second
	restTime   = 30 * time.Second
	worseBy    = 0.15
	// Bounds of the wait: a retransmission comes after a round trip and some 30 ms; more than 300 ms
	// makes people speak at once.
	WaitLeast, WaitMost = 200 * time.Millisecond, 300 * time.Millisecond
	waitStep            = 20 * time.Millisecond
	// Where more than lossAgain is lost a second retransmission is needed often: againMost more, from as
	// much loss beyond it as againAt, leave time for it and halve what is made up. A speaker's browser sends a
	// packet again once in a round trip at most, where we say it twice: of those heard it is as much from less
	// loss on.
	lossAgain, againAt           = 0.2, 0.3
	heardLossAgain, heardAgainAt = 0.15, 0.15
	againMost                    = 60 * time.Millisecond
)

// lossy tells lossy ways from clean ones.
type lossy struct {
	on    bool
	clean time.Duration // since when there is no loss to speak of
}

func (l *lossy) next(now time.Duration, loss float64) bool {
	if loss >= lossBack {
		l.clean = now
	}
	switch {
	case loss > lossOn:
		l.on = true
	case now-l.clean >= calmTime:
		l.on = false
	}
	return l.on
}

// twice decides whether words are sent twice on a way: where packets are lost and there is room. Where
// it made the loss worse there was none.
type twice struct {
	lossy lossy
	on    bool
	since time.Duration
	loss  float64 // the most that was lost until it took effect
	sum   float64 // of what was lost since
	looks int
	rest  time.Duration
}

// next decides at a time; pictures tells that pictures may still give way to words.
func (t *twice) next(now time.Duration, w Way, pictures bool) bool {
	lost := t.lossy.next(now, w.Loss)
	room := pictures || w.Queue < twiceQueue && !(w.Full && w.Kbps < twiceKbps && w.Loss < twiceLoss)
	switch {
	case !t.on && lost && room && now >= t.rest:
		t.on, t.since, t.loss, t.sum, t.looks = true, now, w.Loss, 0, 0
	case t.on && !lost:
		t.on = false
	case t.on && now-t.since >= time.Second && (!room || t.worse(now, w)):
		t.on, t.rest = false, now+restTime
	case t.on && now-t.since < settleTime:
		t.loss = max(t.loss, w.Loss)
	}
	return t.on
}

// worse reports whether more is lost since words are said twice, and a queue tells that it is for that.
func (t *twice) worse(now time.Duration, w Way) bool {
	since := now - t.since
	if since < settleTime || since >= worseTime {
		return false
	}
	t.sum += w.Loss
	t.looks++
	return since >= settleTime+meanTime && t.sum/float64(t.looks) > t.loss+worseBy && (!w.Watched || w.Queue > queueBack)
}

// leastKbps is what a way is taken to bear where words are to be said again often: a voice said twice takes 70 kbit/s,
// its repetitions 25 at half loss, a small picture 80 and its repetitions a third of that at 30 %. A queue that was there freeTime ago may be there again.
const (
	leastKbps = 200
	freeTime  = 5 * time.Second
)

// again decides whether a speaker's browser is told what its way bears at the least. By itself it takes loss for want
// of room: where half is lost its estimate falls to some 30 kbit/s, and it repeats no more than that within a second. Where
// a queue tells that room is wanted it is right.
type again struct {
	on   bool
	free time.Duration // from when on no queue is to be feared
}

// next decides at a time; loss is smoothed.
func (a *again) next(now time.Duration, w Way, loss float64) {
	if w.Watched && w.Queue >= queueBack {
		a.free = now + freeTime
	}
	if a.on {
		a.on = loss >= lossThin && !(w.Watched && w.Queue >= twiceQueue)
		return
	}
	a.on = loss >= lossPoor && now >= a.free
}

// wait is how long a page should wait for late words: longer for a longer round trip, and where what is
// sent again is lost, too, on the page's own way or on that of those it hears.
func wait(rtt, jitter time.Duration, down, heard float64) time.Duration {
	share := min(max(0, (down-lossAgain)/againAt, (heard-heardLossAgain)/heardAgainAt), 1)
	again := time.Duration(share * float64(againMost))
	least := (WaitLeast + again).Round(waitStep)
	return min(max((120*time.Millisecond+rtt+2*jitter+again).Round(waitStep), least), WaitMost)
}
