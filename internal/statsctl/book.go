// Package statsctl keeps the table of contacts that statistics are asked of: it reads the store once,
// and then what changed. The rules are in internal/stats.
//
// The newest two days are read first, so that the wallboard is right at once; the years before them
// follow in the background, at half of one processor. Several nodes may write: every second the
// journal is asked for what changed on any of them.
package statsctl

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/fault"
	"jedel/internal/stats"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// Journal is where contacts are read; *store.DB is one.
type Journal interface {
	Contacts(ctx context.Context, q store.ContactQuery) ([]store.Contact, error)
	ContactsOf(ctx context.Context, ids []string) ([]store.Contact, error)
	ChangedCases(ctx context.Context, after store.CaseChange, limit int) ([]store.CaseChange, error)
	LiveCalls(ctx context.Context) (map[string]uint64, error)
	CountPatrols(ctx context.Context) (store.PatrolCount, error)
}

const (
	// lookEvery is how often the journal is asked for what changed.
	lookEvery = time.Second
	// lookTime bounds one look, retryAfter waits after one that failed.
	lookTime, retryAfter = 20 * time.Second, 5 * time.Second
	// overlap is how far back a look asks again: clocks of nodes differ, and what is written later may
	// bear an earlier time.
	overlap = 2 * time.Minute
	// enough is how often one change is read of those that a look asks for again: a case that changes twice
	// within what its clock tells apart may be read between the two.
	enough = 3
	// recent is what is read first, and read again every againEvery, should a change have been missed.
	recent, againEvery = 48 * time.Hour, 10 * time.Minute
	// page is how many contacts are read at once.
	page = 2000
	// sampleEvery and samples are what the wallboard compares the desk with: five minutes ago.
	sampleEvery, samples = 10 * time.Second, 30
)

// Config is what a Book is made of.
type Config struct {
	Journal Journal
	Gauge   func() stats.Gauge // must not block
	Zone    *time.Location
	Goals   stats.Goals
	Log     *slog.Logger
	Reg     prometheus.Registerer
}

// Book owns the table. Make it with New, then Run it.
type Book struct {
	cfg     Config
	zone    stats.Zone
	now     func() time.Time
	size    prometheus.Gauge
	failed  prometheus.Counter
	slot    chan struct{} // holds one while a question is answered: questions share one processor
	whole   atomic.Bool   // the years before are read
	wall    atomic.Pointer[stats.Wall]
	mu      sync.RWMutex // guards table; held for one page, or one question
	table   *stats.Table
	reading // owned by Run
}

// reading is how far the journal was read.
type reading struct {
	seen     time.Time                // what changed until then is in the table
	live     map[string]uint64        // calls that may change, by version
	read     map[store.CaseChange]int // changes of the overlap, by how often they were read
	nextLook time.Time
	nextFull time.Time
	past     store.ContactQuery // the next page of the years before
	ring     []stats.Gauge      // one every sampleEvery, the newest last
	sampled  time.Time
	month    stats.Figures
	troubled bool
}

// New returns a book that knows nothing before Run.
func New(cfg Config) *Book {
	b := &Book{
		cfg: cfg, zone: stats.NewZone(cfg.Zone), now: time.Now, slot: make(chan struct{}, 1), table: stats.New(),
		size:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_stats_contacts", Help: "Calls and reports in the table of statistics."}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_stats_failed_reads_total", Help: "Readings of the store for statistics that failed and were repeated."}),
	}
	cfg.Reg.MustRegister(b.size, b.failed)
	return b
}

// Zone is the clocks of the site.
func (b *Book) Zone() stats.Zone { return b.zone }

// Today is the day of the site's calendar.
func (b *Book) Today() stats.Day { return stats.DayOf(b.now().In(b.cfg.Zone)) }

// Goals are the times against which contacts are counted.
func (b *Book) Goals() stats.Goals { return b.cfg.Goals }

// Oldest is the day of the first contact, today where there is none.
func (b *Book) Oldest() stats.Day {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if first, _, ok := b.table.Span(b.zone); ok {
		return first
	}
	return b.Today()
}

// Ask answers a question, one at a time. Until the years before are read it refuses with unavailable:
// half of the figures would be worse than none.
func (b *Book) Ask(ctx context.Context, q stats.Query) (stats.Result, error) {
	if err := q.Check(); err != nil {
		return stats.Result{}, fault.New(fault.BadValue, "stats", err)
	}
	if !b.whole.Load() {
		return stats.Result{}, fault.New(fault.Unavailable, "stats", errors.New("the contacts of the past are being read"))
	}
	select {
	case b.slot <- struct{}{}:
		defer func() { <-b.slot }()
	case <-ctx.Done():
		return stats.Result{}, fault.New(fault.Unavailable, "stats", ctx.Err())
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	q.Goals = b.cfg.Goals
	return b.table.Ask(b.zone, q), nil
}

// Wall is how the centre stands: the desk as it is now, the rest as of At. It refuses with unavailable
// before the first look at the journal.
func (b *Book) Wall() (stats.Wall, error) {
	w := b.wall.Load()
	if w == nil {
		return stats.Wall{}, fault.New(fault.Unavailable, "wallboard", errors.New("the store was not read yet"))
	}
	out := *w
	out.Now = b.cfg.Gauge()
	return out, nil
}

// Whole reports whether the years before are read: until then what stands open may be more.
func (b *Book) Whole() bool { return b.whole.Load() }
