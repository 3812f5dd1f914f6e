package sitelog

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"jedel/recorder/proof"

	"github.com/digitorus/timestamp"
)

// clock is the log's own time. Whoever sets the host's clock does not set it: it follows the host's,
// but never faster than twice the time that has really passed, and never back. What others sign has
// their time, which counts more than both.
type clock struct {
	read func() tick

	mu   sync.Mutex // guards the rest
	at   time.Time  // the log's time at seen
	seen tick
}

// tick is one look at the host's clocks.
type tick struct {
	host time.Time     // as it is set
	mono time.Duration // since some moment; nobody can set it
}

func newClock() *clock {
	begun := time.Now()
	return &clock{read: func() tick { now := time.Now(); return tick{now.Round(0), now.Sub(begun)} }}
}

// advance returns the log's time after passed, where the host's clock stands at host. A log that was
// down for a night catches up in a night; a clock that is a year ahead needs a year.
func advance(at, host time.Time, passed time.Duration) time.Time {
	ahead := host.Sub(at) // saturates
	if ahead <= 0 {
		return at // the host's clock was set back: ours waits for it
	}
	return at.Add(min(ahead, 2*max(passed, 0)))
}

// start sets the time at which the log goes on.
func (c *clock) start(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = c.read()
	if at.IsZero() {
		at = c.seen.host
	}
	c.at = at.UTC()
}

// now returns the log's time and that of the host.
func (c *clock) now() (at, host time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.read()
	c.at, c.seen = advance(c.at, t.host, t.mono-c.seen.mono), t
	return c.at, t.host
}

// told takes the time that others have signed just now.
func (c *clock) told(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.seen = at.UTC(), c.read()
}

// Time returns the time of the log: that of witnesses and the authority where there are any, else one
// that a host whose clock is set forward does not follow.
func (l *Log) Time() time.Time {
	at, _ := l.clock.now()
	return at
}

// slack is how far both clocks may stand apart before heartbeats say so.
const slack = 2 * time.Second

// heartbeat says that the log lives, and its own time where the host's clock tells another.
func (c *clock) heartbeat(met *metrics) proof.Leaf {
	at, host := c.now()
	leaf := proof.Leaf{Kind: proof.LeafHeartbeat, At: host}
	ahead := host.Sub(at)
	if ahead > slack || ahead < -slack {
		leaf.Facts = map[string]any{"log": at.Format(time.RFC3339Nano)}
	}
	met.ahead.Set(ahead.Seconds())
	return leaf
}

// maxBack bounds how many statements are read for the last heartbeat.
const maxBack = 100_000

// resume goes on from the last heartbeat of the log's earlier life.
func (c *clock) resume(ctx context.Context, l *Log) error {
	var at, newest time.Time
	n := 0
	err := l.Back(ctx, func(_ uint64, leaf proof.Leaf) bool {
		if n++; n == 1 {
			newest = leaf.At
		}
		if leaf.Kind == proof.LeafHeartbeat {
			at = leaf.At
			if own, err := time.Parse(time.RFC3339Nano, leaf.Text("log")); err == nil {
				at = own
			}
		}
		return at.IsZero() && n < maxBack
	})
	if err != nil {
		return fmt.Errorf("time of the log: %w", err)
	}
	if at.IsZero() {
		at = newest
	}
	c.start(at)
	return nil
}

// signedAt returns the earliest time that others have put on an anchor; zero where nobody has.
func (o *outside) signedAt(a Anchor) time.Time {
	var all []time.Time
	if o.policy != nil && a.Witnessed {
		for _, c := range proof.Cosigners(a.Checkpoint, *o.policy) {
			all = append(all, c.At)
		}
	}
	if len(a.Token) > 0 {
		if token, err := timestamp.ParseResponse(a.Token); err == nil {
			all = append(all, token.Time)
		}
	}
	if len(all) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(all, time.Time.Compare)
}
