// Package callctl runs the calls of this node: one goroutine per call that decides, records and
// acts, and one loop for the queue. The rules are in internal/call and internal/queue; the truth
// is in the journal. Losing this process loses no call: its successor adopts them from there.
package callctl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/call"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/queue"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// Journal is where decisions become durable. An error of AppendCall other than store.ErrConflict
// and store.ErrFenced means unknown: the record may be there.
type Journal interface {
	CreateCall(ctx context.Context, owner store.Owner, ref string, client ident.ClientID,
		build func(number string) (store.CallSummary, store.CallRecord, error)) (store.CallSummary, bool, error)
	AppendCall(ctx context.Context, owner store.Owner, expected uint64, rec store.CallRecord, sum store.CallSummary) error
	LoadCall(ctx context.Context, id ident.CallID) (store.CallSummary, []store.CallRecord, error)
	OpenCalls(ctx context.Context) ([]store.CallSummary, error)
	AdoptCall(ctx context.Context, id ident.CallID, owner store.Owner) error
}

// Doer carries out what decisions ask for and hears of every change. Its methods are called by
// the goroutine of the call or of the queue and must not block.
type Doer interface {
	// Do carries out one effect of a durable decision. It may be asked twice.
	Do(s call.State, e call.Effect)
	// Changed tells that r made s. After a reload r has no fact.
	Changed(s call.State, r call.Record)
	// BoardChanged tells that the snapshot of the queue is new.
	BoardChanged()
}

// Config is what a Desk is made of.
type Config struct {
	Journal Journal
	Doer    Doer
	Owner   store.Owner
	// Name returns how an operator is called, for the call's summary.
	Name func(ident.StaffID) string
	Log  *slog.Logger
	Reg  prometheus.Registerer
}

// Desk owns the calls and the queue of this node. Make it with New, then Run it.
type Desk struct {
	cfg     Config
	met     *metrics
	ready   chan struct{} // closed when the calls of the journal are adopted
	spawn   chan *actor   // to Run, which starts them
	line    *Line
	loading singleflight.Group
	fenced  atomic.Bool

	mu       sync.Mutex // guards the two maps
	actors   map[ident.CallID]*actor
	byClient map[ident.ClientID]ident.CallID // the newest open call of each caller
}

var errGone = errors.New("the call is no longer run here")

// New returns a desk that does nothing before Run.
func New(cfg Config) *Desk {
	met := newMetrics(cfg.Reg)
	d := &Desk{
		cfg: cfg, met: met, ready: make(chan struct{}), spawn: make(chan *actor), line: newLine(cfg.Doer, met),
		actors: map[ident.CallID]*actor{}, byClient: map[ident.ClientID]ident.CallID{},
	}
	d.line.propose = func(ctx context.Context, a queue.Assignment) error {
		_, err := d.Post(ctx, a.Call, call.Propose{Operator: a.Operator})
		return err
	}
	return d
}

// Line returns the queue.
func (d *Desk) Line() *Line { return d.line }

// Ready is closed when the calls found in the journal have been adopted and new ones may come.
func (d *Desk) Ready() <-chan struct{} { return d.ready }

// Fenced reports whether the journal refused a call because a later process runs as this node.
func (d *Desk) Fenced() bool { return d.fenced.Load() }

// Run adopts the open calls of the journal, then runs calls and queue until ctx ends. It returns
// after every goroutine of the desk has ended.
func (d *Desk) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { d.line.run(ctx, &wg) })
	adopted := make(chan error, 1)
	wg.Go(func() { adopted <- d.adoptAll(ctx) })
	for {
		select {
		case a := <-d.spawn:
			wg.Go(func() { d.runActor(ctx, a) })
		case err := <-adopted:
			if err != nil {
				return fmt.Errorf("adopt open calls: %w", err)
			}
			close(d.ready)
		case <-ctx.Done():
			return nil
		}
	}
}

// adoptAll takes over every open call of the journal.
func (d *Desk) adoptAll(ctx context.Context) error {
	sums, err := d.cfg.Journal.OpenCalls(ctx)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	for _, sum := range sums {
		if _, err := d.revive(ctx, sum.Call); err != nil {
			return fmt.Errorf("call %s: %w", sum.Call, err)
		}
	}
	return nil
}

// Create makes a call of the tap, or finds the one that the same ref made before. When it returns
// without error the call is durable and will not be lost. c.ID and c.Number are assigned here.
func (d *Desk) Create(ctx context.Context, ref string, c call.Create) (call.State, error) {
	now := time.Now()
	var rec call.Record
	sum, existed, err := d.cfg.Journal.CreateCall(ctx, d.cfg.Owner, ref, c.Client,
		func(number string) (store.CallSummary, store.CallRecord, error) {
			c.ID, c.Number = ident.New[ident.CallID](), number
			var err error
			rec, _, err = call.Decide(call.State{}, now, c)
			if err != nil {
				return store.CallSummary{}, store.CallRecord{}, err
			}
			s := call.Apply(call.State{}, rec)
			stored, err := storedRecord(s, rec)
			sum := d.summary(s)
			sum.Ref = ref
			return sum, stored, err
		})
	if errors.Is(err, store.ErrFenced) && !d.fenced.Swap(true) {
		d.cfg.Log.Error("another process has taken this node's place; this one takes no calls any more")
	}
	if err != nil {
		return call.State{}, fault.New(fault.Unavailable, "call.create", err)
	}
	if existed {
		return d.find(ctx, sum.Call)
	}
	s := call.Apply(call.State{}, rec)
	d.met.created.Inc()
	d.start(ctx, newActor(d, s, ref, []call.Effect{call.Archive{}}))
	return s, nil
}

// find returns the state of a call, loading it where it is not run here.
func (d *Desk) find(ctx context.Context, id ident.CallID) (call.State, error) {
	if s, ok := d.State(id); ok {
		return s, nil
	}
	a, err := d.revive(ctx, id)
	if err != nil {
		return call.State{}, err
	}
	return *a.seen.Load(), nil
}

// start hands a to Run and enters it into the maps.
func (d *Desk) start(ctx context.Context, a *actor) {
	s := *a.seen.Load()
	d.mu.Lock()
	d.actors[s.ID] = a
	if s.Open() {
		d.byClient[s.Client] = s.ID
	}
	d.mu.Unlock()
	select {
	case d.spawn <- a:
	case <-ctx.Done():
		// The call is durable; whoever asks for it next revives it.
		d.forget(a)
		close(a.done)
	}
}

func (d *Desk) forget(a *actor) {
	s := *a.seen.Load()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.actors[s.ID] == a {
		delete(d.actors, s.ID)
	}
	if d.byClient[s.Client] == s.ID {
		delete(d.byClient, s.Client)
	}
}

// State returns the newest state of a call that runs here.
func (d *Desk) State(id ident.CallID) (call.State, bool) {
	d.mu.Lock()
	a, ok := d.actors[id]
	d.mu.Unlock()
	if !ok {
		return call.State{}, false
	}
	return *a.seen.Load(), true
}

// OpenCallOf returns the open call of a caller's tab.
func (d *Desk) OpenCallOf(client ident.ClientID) (call.State, bool) {
	d.mu.Lock()
	id := d.byClient[client]
	d.mu.Unlock()
	s, ok := d.State(id)
	return s, ok && s.Open()
}

// Post lets ev happen to a call and returns the state after it. The error is a fault.Error: a
// refusal that changed nothing, or unavailable.
func (d *Desk) Post(ctx context.Context, id ident.CallID, ev call.Event) (call.State, error) {
	for range 3 {
		d.mu.Lock()
		a, ok := d.actors[id]
		d.mu.Unlock()
		if !ok {
			var err error
			if a, err = d.revive(ctx, id); err != nil {
				return call.State{}, err
			}
		}
		err := a.post(ctx, ev)
		if errors.Is(err, errGone) {
			continue
		}
		return *a.seen.Load(), err
	}
	return call.State{}, fault.New(fault.Unavailable, "call", errGone)
}

// revive loads a call from the journal, takes it over and runs it.
func (d *Desk) revive(ctx context.Context, id ident.CallID) (*actor, error) {
	v, err, _ := d.loading.Do(string(id), func() (any, error) {
		d.mu.Lock()
		a, ok := d.actors[id]
		d.mu.Unlock()
		if ok {
			return a, nil
		}
		if err := d.cfg.Journal.AdoptCall(ctx, id, d.cfg.Owner); err != nil {
			return nil, fmt.Errorf("adopt: %w", err)
		}
		s, ref, err := d.load(ctx, id)
		if err != nil {
			return nil, err
		}
		a = newActor(d, s, ref, call.Resume(s))
		d.start(ctx, a)
		if s.Phase != call.Ended {
			err = a.post(ctx, call.Adopt{Node: d.cfg.Owner.Node, Epoch: d.cfg.Owner.Epoch})
		}
		return a, err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.NoSuchCall, "call", err)
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "call", err)
	}
	return v.(*actor), nil
}

// load rebuilds a call from its records.
func (d *Desk) load(ctx context.Context, id ident.CallID) (call.State, string, error) {
	sum, records, err := d.cfg.Journal.LoadCall(ctx, id)
	if err != nil {
		return call.State{}, "", fmt.Errorf("load: %w", err)
	}
	var s call.State
	for _, r := range records {
		f, err := call.DecodeFact(r.Kind, r.Body)
		if err != nil {
			return call.State{}, "", fmt.Errorf("record %d: %w", r.Version, err)
		}
		s = call.Apply(s, call.Record{At: r.At, Fact: f})
	}
	return s, sum.Ref, nil
}

func storedRecord(s call.State, r call.Record) (store.CallRecord, error) {
	body, err := call.Encode(r.Fact)
	if err != nil {
		return store.CallRecord{}, err
	}
	return store.CallRecord{Version: s.Version, At: r.At, Kind: r.Fact.Kind(), Body: body}, nil
}

// summary projects s for lists and searches.
func (d *Desk) summary(s call.State) store.CallSummary {
	sum := store.CallSummary{
		Call: s.ID, Number: s.Number, Client: s.Client, Caller: s.Caller, Phone: s.Person.Phone, Name: s.Person.Name,
		Kind: s.Kind, Lang: s.Lang, Phase: string(s.Phase), Priority: s.Priority, Operator: s.Operator,
		CreatedAt: s.QueuedAt, AnsweredAt: s.AnsweredAt, EndedAt: s.Closing.At, EndReason: s.Closing.Reason,
		Category: s.Closing.Category, Outcome: s.Closing.Outcome, Callback: string(s.Closing.CallBack), Version: s.Version,
	}
	if s.Operator != "" {
		sum.OperatorName = d.cfg.Name(s.Operator)
	}
	return sum
}
