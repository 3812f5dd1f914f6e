package recorder

import (
	"sync"
	"time"

	"jedel/recorder/disk"
)

// Making a file durable costs the file system a commit of its journal, and one commit serves every file
// written before it. So archives write in rounds: those of one round at the same moment, then all of their
// files are begun to be written back, then all of them wait for the disk at once. Each file has its own
// fdatasync and its own answer: one that fails costs its own segment only, and on a slow disk nobody waits
// for somebody else's.
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
		if err := a.rec.commits.begin(f, a.volume); err != nil {
			return err
		}
	}
	return a.rec.commits.sync(f)
}

// commits makes files durable. Its goroutines end with the disk's answer.
type commits struct {
	limit chan struct{} // capacity syncsAtOnce
	met   *metrics

	mu   sync.Mutex // guards the rest
	open map[uint64]*batch
}

// batch is the files that archives of a round have written, on one volume: another one that does not
// answer holds up nobody here.
type batch struct {
	files []disk.File
	errs  []error       // of beginning, by file; set before begun is closed
	begun chan struct{} // closed when all are
}

// begin starts writing f back, together with what others write in the next moments, and returns when
// that has been done for all.
func (c *commits) begin(f disk.File, volume uint64) error {
	c.mu.Lock()
	b := c.open[volume]
	if b == nil {
		b = &batch{begun: make(chan struct{})}
		c.open[volume] = b
		time.AfterFunc(gatherTime, func() { c.run(b, volume) })
	}
	n := len(b.files)
	b.files = append(b.files, f)
	c.mu.Unlock()
	<-b.begun
	return b.errs[n]
}

// run begins a batch. The first file that is waited for afterwards commits them all.
func (c *commits) run(b *batch, volume uint64) {
	c.mu.Lock()
	delete(c.open, volume)
	c.mu.Unlock()
	b.errs = make([]error, len(b.files))
	for i, f := range b.files {
		b.errs[i] = f.Begin()
	}
	close(b.begun)
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
