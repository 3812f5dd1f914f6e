package media

import "time"

// Silent is the kind of the event that a peer's voice has stopped to arrive although its connection
// is up. A page sends its voice all the time, muted or not: it tells the page, which knows whether its
// microphone is open.
const Silent EventKind = "silent"

const (
	// silentAfter is how long no packet of a voice that flowed must come. Shorter takes jitter for a
	// dead way (bursts of 200 ms are common on mobile links), longer loses words.
	silentAfter = 300 * time.Millisecond
	// listenEvery is how often it is looked for.
	listenEvery = 100 * time.Millisecond
)

// listen looks for voices that have stopped; each silence is told once. Only Run calls it.
func (n *Node) listen(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.peers {
		last := p.lastVoice.Load()
		if last == 0 || last == p.silentAt || now.UnixNano()-last < int64(silentAfter) {
			continue
		}
		p.silentAt = last
		if c := p.live.Load(); c != nil && c.up.Load() && last > c.connectedAt.Load() {
			c.event(Event{Kind: Silent})
		}
	}
}
