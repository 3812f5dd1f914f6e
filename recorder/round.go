package recorder

import (
	"sync"
	"time"

	"jedel/recorder/disk"
)

// Making a file durable costs the file system a commit of its journal, and one commit serves every file
// written before it. So archives write in rounds: those of one round at the same moment, then one
// goroutine starts writing all of them back and waits for each. Each file has its own fdatasync and its
// own answer: one that fails costs its own segment only.
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
	now    bool       // nobody waits for this flush: it may become durable with those of others
	answer chan error // of the disk
}

// commit waits until what was written to a file of an archive is durable.
func (r round) commit(a *Archive, f disk.File) error {
	if r.now {
		return a.rec.commits.together(f, a.volume, r.answer)
	}
	return a.rec.commits.alone(f)
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
	files   []disk.File
	answers []chan<- error
}

// together waits until what was written to f is durable, with what others write in the next moments.
// answer has room for one.
func (c *commits) together(f disk.File, volume uint64, answer chan error) error {
	c.mu.Lock()
	b := c.open[volume]
	if b == nil {
		b = &batch{}
		c.open[volume] = b
		time.AfterFunc(gatherTime, func() { c.run(b, volume) })
	}
	b.files, b.answers = append(b.files, f), append(b.answers, answer)
	c.mu.Unlock()
	return <-answer
}

// run makes a batch durable. All files are begun to be written back before the first is waited for:
// its commit is theirs too.
func (c *commits) run(b *batch, volume uint64) {
	c.mu.Lock()
	delete(c.open, volume)
	c.mu.Unlock()
	c.limit <- struct{}{}
	defer func() { <-c.limit }()
	errs := make([]error, len(b.files))
	for i, f := range b.files {
		errs[i] = f.Begin()
	}
	for i, f := range b.files {
		if errs[i] == nil {
			errs[i] = c.sync(f)
		}
		b.answers[i] <- errs[i]
	}
}

// alone waits until what was written to f is durable.
func (c *commits) alone(f disk.File) error {
	c.limit <- struct{}{}
	defer func() { <-c.limit }()
	return c.sync(f)
}

func (c *commits) sync(f disk.File) error {
	begin := time.Now()
	err := f.Sync()
	c.met.sync.Observe(time.Since(begin).Seconds())
	return err
}
