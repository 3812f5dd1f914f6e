package media

import (
	"math"
	"time"
)

// Silent is the kind of the event that a peer's voice has stopped to arrive although its connection
// is up. A page sends its voice all the time, muted or not: it tells the page, which knows whether its
// microphone is open.
const Silent EventKind = "silent"

const (
	// silentAfter is how long no packet of a voice that flowed must come. Shorter takes jitter for a
	// dead way (bursts of 200 ms are common on mobile links), longer loses words.
	silentAfter = 300 * time.Millisecond
	// silentAgain is when a silence that goes on is told once more: the page's first remedy may have
	// failed, and it paces them itself. Later leaves somebody unheard for as long. Who has shut the microphone ignores it.
	silentAgain = time.Second
	// silentMost is how often one silence is told.
	silentMost = 8
	// byChance is how often a living way may be taken for a dead one: packets of a voice, voiceEvery apart,
	// that are all lost by themselves. At half of them lost it takes 32 of them, and 640 ms: what a window of a
	// hundred packets says of the loss is off by up to lossOff, and a browser's pacer makes words wait there.
	byChance   = 1e-6
	voiceEvery = 20 * time.Millisecond
	lossOff    = 0.15
	silentLate = time.Second // the longest that loss makes it
	// listenEvery is how often it is looked for.
	listenEvery = 50 * time.Millisecond
)

// silence is what was told of a peer's last one. The node's Run owns it.
type silence struct {
	voice int64 // when it began, as lastVoice
	told  int
}

// due reports whether the silence since last, on a connection that is up and that all was heard of since up, is to be
// told now. All are Unix nanoseconds; last is 0 before the first voice. loss is the share of its packets that is lost lately.
func (s *silence) due(last, up, now int64, loss float64) bool {
	if last != s.voice {
		*s = silence{voice: last}
	}
	after := int64(silentOf(loss)) + int64(s.told)*int64(silentAgain)
	if last == 0 || s.told >= silentMost || now-max(last, up) < after {
		return false
	}
	s.told++
	return true
}

// silentOf is how long a silence must be at a loss to say something of the way.
func silentOf(loss float64) time.Duration {
	if loss <= 0 {
		return silentAfter
	}
	if loss += lossOff; loss >= 1 {
		return silentLate
	}
	packets := math.Log(byChance) / math.Log(loss)
	return min(max(silentAfter, time.Duration(packets*float64(voiceEvery))), silentLate)
}

// listen looks for voices that have stopped. Only Run calls it.
func (n *Node) listen(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	missed := n.attention.missed.Load()
	for _, p := range n.peers {
		c := p.live.Load()
		if c == nil || !c.up.Load() {
			continue
		}
		last, loss := p.lastVoice.Load(), 0.0
		if now.UnixNano()-last > int64(silentAfter) {
			loss = c.rate.lostUp()
		}
		if p.silence.due(last, max(c.connectedAt.Load(), missed), now.UnixNano(), loss) {
			c.event(Event{Kind: Silent})
		}
	}
}
