// Package keep carries out what the rules of internal/retention decide: it keeps their records, makes
// each act known in the audit and in the site's log before it counts, and destroys the keys of what
// is to be deleted, in every place where they lie.
//
// One goroutine, Run, does what takes long; Do may be called by many. Records are only added to, and
// of two writers one is first, so that no lock is needed. Locks: Keeper.mu guards what waits for Run.
package keep

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"jedel/internal/ident"
	"jedel/internal/retention"
	"jedel/internal/store"
	"jedel/recorder/disk"
	"jedel/recorder/proof"

	"github.com/prometheus/client_golang/prometheus"
)

// Config is how archives are kept here.
type Config struct {
	Policy   retention.Policy
	Erase    map[string]bool // classes whose segments go too, once their keys are destroyed
	Propose  bool            // the gateway itself asks for deletion when keeping ends
	Archives string          // folder of the archives
	Keystore string          // folder of second copies of keys
	Every    time.Duration   // between looks at everything; zero: an hour
}

// Store keeps the records; *store.DB is one.
type Store interface {
	AppendKeeping(ctx context.Context, k store.Keeping, body []byte) error
	LoadKeeping(ctx context.Context, call ident.CallID) ([][]byte, error)
	ListKeeping(ctx context.Context, q store.KeepingQuery) ([]store.KeptCall, string, error)
	ListUnkept(ctx context.Context, after ident.CallID, limit int) ([]store.CallSummary, error)
	ForgetCall(ctx context.Context, call ident.CallID) error
}

// Line is an act as it is made known.
type Line struct {
	Who    ident.StaffID
	Action string
	Call   ident.CallID
	Detail string // may name people; stays in the house
}

// Said is a statement in the site's log.
type Said struct {
	Leaf  proof.Leaf
	Index uint64
}

// Book makes acts known.
type Book interface {
	// Write keeps a line in the audit and its statement in the site's log. Both are durable when it
	// returns nil.
	Write(ctx context.Context, l Line) (Said, error)
	// Prove returns the proof that a statement stands in the log, as a file of an archive.
	Prove(ctx context.Context, s Said) ([]byte, error)
	// Time returns the time of the log.
	Time() time.Time
}

// Archives knows the calls and where their archives lie.
type Archives interface {
	// Call returns how a call stands, or store.ErrNotFound.
	Call(ctx context.Context, call ident.CallID) (store.CallSummary, error)
	// Folders returns the folders of a call's archive below Config.Archives, and whether it is this
	// node's to destroy.
	Folders(ctx context.Context, call ident.CallID) (dirs []string, ours bool, err error)
	// Drop forgets what was derived from a call's archive.
	Drop(ctx context.Context, call ident.CallID) error
}

// Replica is where copies of archives lie under a lock. All of it may be done twice.
type Replica interface {
	// Lock extends the lock of a call's copies.
	Lock(ctx context.Context, call ident.CallID, until time.Time) error
	// Hold sets or clears the legal hold on them.
	Hold(ctx context.Context, call ident.CallID, on bool) error
	// Held reports whether any copy is under a legal hold.
	Held(ctx context.Context, call ident.CallID) (bool, error)
	// Destroy destroys the copies of keys and returns how many are left.
	Destroy(ctx context.Context, call ident.CallID) (left int, err error)
}

// Parts are what a Keeper works with. Replica may be nil: then there is none.
type Parts struct {
	Store    Store
	Book     Book
	Archives Archives
	Replica  Replica
	Host     func() time.Time       // time.Now
	Disk     func(root string) Disk // nil: the real one
	Log      *slog.Logger
	Reg      prometheus.Registerer
}

// Disk is how files are destroyed. Tests put one in its place that fails.
type Disk interface {
	Wipe(name string) error
	Remove(name string) error
	Replace(name string, data []byte) error
	MkdirAll(dir string) error
}

// Keeper keeps the archives of a site. Make it with New, then Run it.
type Keeper struct {
	cfg Config
	Parts
	copies copies
	met    *metrics
	nudge  chan struct{} // capacity 1: something waits

	// Owned by Run.
	said  map[ident.CallID]Said // destructions that this life has made known, and not finished
	looks int                   // at everything, so far

	mu      sync.Mutex // guards waiting
	waiting map[ident.CallID]bool
}

const (
	usualEvery = time.Hour
	pauseEvery = time.Minute // before what failed is tried again
	maxWaiting = 10_000      // what is beyond is found by the next look at everything
	goneEvery  = 24          // looks, from one at all that is destroyed to the next: a backup is not put back every hour
	tries      = 5           // of writers that meet at one archive
)

// New returns a keeper that does nothing of its own before Run.
func New(cfg Config, p Parts) *Keeper {
	if cfg.Every == 0 {
		cfg.Every = usualEvery
	}
	k := &Keeper{cfg: cfg, Parts: p, nudge: make(chan struct{}, 1), waiting: map[ident.CallID]bool{}, said: map[ident.CallID]Said{}, met: newMetrics(p.Reg)}
	open := p.Disk
	if open == nil {
		open = func(root string) Disk { return disk.OS{Root: root} }
	}
	k.copies = copies{root: cfg.Archives, second: cfg.Keystore, disk: open(cfg.Archives), other: open(cfg.Keystore), log: p.Log}
	return k
}

// Run looks at everything at its start and each hour, and at what was just decided at once, until ctx
// ends. What is under way then goes on at the next start.
func (k *Keeper) Run(ctx context.Context) {
	look := time.NewTicker(k.cfg.Every)
	defer look.Stop()
	again := time.NewTicker(min(pauseEvery, k.cfg.Every))
	defer again.Stop()
	k.Look(ctx)
	for {
		select {
		case <-look.C:
			k.Look(ctx)
		case <-k.nudge:
			k.work(ctx)
		case <-again.C:
			k.work(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// soon has Run do what an archive's state asks for.
func (k *Keeper) soon(id ident.CallID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.waiting) >= maxWaiting {
		return
	}
	k.waiting[id] = true
	select {
	case k.nudge <- struct{}{}:
	default:
	}
}

// work does what waits; what fails waits on.
func (k *Keeper) work(ctx context.Context) {
	k.mu.Lock()
	now := k.waiting
	k.waiting = map[ident.CallID]bool{}
	k.mu.Unlock()
	for id := range now {
		if ctx.Err() != nil {
			return
		}
		if err := k.resume(ctx, id); err != nil {
			k.Log.Warn("keeping", "call", id, "err", err)
			k.mu.Lock()
			k.waiting[id] = true // without a nudge: the next tick
			k.mu.Unlock()
		}
	}
}

// metrics of the keeper.
type metrics struct {
	destroyed, returned, failed prometheus.Counter
	stages                      *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_keep_" + name + "_total", Help: help})
	}
	m := &metrics{
		destroyed: counter("destroyed", "Archives whose keys were destroyed."),
		returned:  counter("returned_keys", "Key files of destroyed archives that were there again, and were destroyed again."),
		failed:    counter("failures", "Destructions that could not be finished and are tried again."),
		stages:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "jedel_keep_pending", Help: "Archives on their way to deletion, by stage."}, []string{"stage"}),
	}
	reg.MustRegister(m.destroyed, m.returned, m.failed, m.stages)
	return m
}
