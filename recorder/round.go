package recorder

import (
	"sync"
	"time"

	"jedel/recorder/disk"
)

// Making a file durable costs the file system a commit of its journal, and one commit serves every file
// written before it. So archives write in rounds: those of one round at the same moment, and a little later all of
// them wait for the disk at once, by the kernel's own workers (disk.Syncs); where there are none each begins to have its
// pages written back before. Each does so by itself: a file that fails costs its own segment only, and on a slow disk
// nobody waits for somebody else's.
const (
	rounds    = 32 // in a period; each has its own moment
	roundSize = 8  // archives of a round before another one is begun
	// gatherTime is how long the first file of a round waits for the others. The period is shorter by
	// it, so that nothing is durable later than it would be alone.
	gatherTime = 4 * time.Millisecond
)

// beat says when each archive writes.
type beat struct {
	begin  time.Time
	period time.Duration // of each archive

	mu    sync.Mutex // guards the rest
	taken [rounds]int
}

// newBeat returns the beat of archives that are to be durable every so often.
func newBeat(begin time.Time, every time.Duration) *beat {
	period := every - gatherTime
	if period < 4*gatherTime { // nothing is worth waiting for
		period = max(every, time.Nanosecond)
	}
	return &beat{begin: begin, period: period}
}

// sit gives an archive its round: the first that is not full, in an order that spreads few of them
// over the period, else the emptiest.
func (b *beat) sit() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	best := 0
	for i := range rounds {
		n := spread(i)
		if b.taken[n] < roundSize {
			best = n
			break
		}
		if b.taken[n] < b.taken[best] {
			best = n
		}
	}
	b.taken[best]++
	return best
}

// spread turns the bits of a round's number around: 0, 16, 8, 24, 4, ...
func spread(i int) (out int) {
	for n := 1; n < rounds; n <<= 1 {
		out = out<<1 | i&1
		i >>= 1
	}
	return out
}

// rise gives the place of an archive back.
func (b *beat) rise(round int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken[round]--
}

// company tells whether others write in a round too.
func (b *beat) company(round int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken[round] > 1 && b.period >= 4*gatherTime
}

// wait returns how long it is until the next moment of a round.
func (b *beat) wait(round int, now time.Time) time.Duration {
	moment := b.period * time.Duration(round) / rounds
	return b.period - (now.Sub(b.begin)-moment+b.period)%b.period
}

// round is how an archive takes part in rounds.
type round struct {
	now bool // nobody waits for this flush: it may become durable with those of others
}

// commit waits until what was written to a file of an archive is durable.
func (r round) commit(a *Archive, f disk.File) error {
	if r.now {
		moment := a.rec.commits.moment()
		if err := f.Begin(); err != nil {
			return err
		}
		<-moment
	}
	return a.rec.commits.sync(f)
}

// commits makes files durable.
type commits struct {
	limit chan struct{} // capacity syncsAtOnce
	syncs *disk.Syncs   // of files on a real disk; nil: none
	met   *metrics

	mu   sync.Mutex    // guards the rest
	next chan struct{} // closed when those who have written now wait for the disk; nil: nobody has
}

// moment returns what is closed when the round waits for the disk: gatherTime after its first file.
func (c *commits) moment() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		next := make(chan struct{})
		c.next = next
		time.AfterFunc(gatherTime, func() {
			c.mu.Lock()
			c.next = nil
			c.mu.Unlock()
			close(next)
		})
	}
	return c.next
}

// sync waits until what was written to f is durable.
func (c *commits) sync(f disk.File) error {
	c.limit <- struct{}{}
	defer func() { <-c.limit }()
	begin := time.Now()
	err := f.Sync()
	c.met.sync.Observe(time.Since(begin).Seconds())
	return err
}
