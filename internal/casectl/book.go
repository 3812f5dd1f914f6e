// Package casectl runs the cases: it decides, records and acts. The rules are in internal/cases, the
// truth is in the journal; what is kept in memory is a cache of it.
//
// Decisions are made one after another under Book.mu, which is held during an append: a centre has
// thousands of decisions about cases a day, not a second, and what concerns two cases is simple that way.
// Other nodes may write as well: the version in the journal decides, whoever was second reads again.
package casectl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// Journal is where decisions become durable; *store.DB is one.
type Journal interface {
	AppendCases(ctx context.Context, list ...store.CaseAppend) error
	LoadCase(ctx context.Context, id ident.CaseID) ([]store.CaseRecord, error)
	ListDue(ctx context.Context, now time.Time, limit int) ([]ident.CaseID, error)
	NextDue(ctx context.Context) (time.Time, error)
	SearchCases(ctx context.Context, q store.CaseQuery) ([]store.CaseSummary, string, error)
}

// Doer carries out what decisions ask for and hears of every change. Its methods are called with the
// book's lock held and must neither block nor call the book.
type Doer interface {
	// Inform tells the citizen of a case. It may be asked twice for the same N.
	Inform(s cases.State, e cases.Inform)
	// CaseChanged tells that e made s. After a reload e has no fact.
	CaseChanged(s cases.State, e cases.Entry)
}

const (
	// repeats bounds how often one event is decided again after an append of unknown outcome, or after
	// another writer was first, which brings at least that one on.
	repeats, races = 4, 50
	// kept is how many cases are held in memory.
	kept = 4096
	// appendTime bounds one append.
	appendTime = 10 * time.Second
	// recoverTime is how far back a start looks for what its predecessor did not get to.
	recoverTime = 48 * time.Hour
)

// Book owns the cases of this process. Make it with New, then Run it.
type Book struct {
	journal Journal
	doer    Doer
	log     *slog.Logger
	decided *prometheus.CounterVec
	nudge   chan struct{} // capacity 1: a deadline may have come nearer
	mu      sync.Mutex    // guards the rest, and the order of decisions
	known   map[ident.CaseID]cases.State
	owed    []lead
}

type lead struct {
	id     ident.CaseID
	follow cases.Follow
}

// New returns a book that looks at no deadline before Run.
func New(j Journal, d Doer, log *slog.Logger, reg prometheus.Registerer) *Book {
	b := &Book{
		journal: j, doer: d, log: log, nudge: make(chan struct{}, 1), known: map[ident.CaseID]cases.State{},
		decided: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_case_decisions_total", Help: "Decisions about cases, by kind."}, []string{"kind"}),
	}
	reg.MustRegister(b.decided)
	return b
}

// State returns a case, or a fault no_such_case.
func (b *Book) State(ctx context.Context, id ident.CaseID) (cases.State, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.load(ctx, id, false)
	if err == nil && s.Version == 0 {
		err = fault.New(fault.NoSuchCase, "case", nil)
	}
	return s, err
}

// Post lets ev happen to a case and returns the state after it. The error is a fault.Error.
func (b *Book) Post(ctx context.Context, id ident.CaseID, ev cases.Event) (cases.State, error) {
	list, err := b.decide(ctx, []ident.CaseID{id}, func(now time.Time, s []cases.State) ([]cases.Entry, error) {
		e, _, err := cases.Decide(s[0], now, ev)
		return []cases.Entry{e}, err
	})
	if len(list) == 0 {
		return cases.State{}, err
	}
	return list[0], err
}

// Both decides about two cases at once.
func (b *Book) Both(ctx context.Context, x, y ident.CaseID, rule func(x, y cases.State, now time.Time) (cases.Pair, error)) error {
	_, err := b.decide(ctx, []ident.CaseID{x, y}, func(now time.Time, s []cases.State) ([]cases.Entry, error) {
		p, err := rule(s[0], s[1], now)
		return []cases.Entry{p.A, p.B}, err
	})
	return err
}

// decide loads cases, lets a rule decide, appends what it decided in one transaction and acts. An append
// of unknown outcome is followed by a reload and the same rule again.
func (b *Book) decide(ctx context.Context, ids []ident.CaseID, rule func(time.Time, []cases.State) ([]cases.Entry, error)) ([]cases.State, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	unknown := 0
	for try := 0; ; try++ {
		before := make([]cases.State, len(ids))
		for i, id := range ids {
			s, err := b.load(ctx, id, try > 0)
			if err != nil {
				return nil, err
			}
			before[i] = s
			if try > 0 && s.Version > 0 { // what was recorded after all has its effects all the same
				b.doer.CaseChanged(s, cases.Entry{})
				b.effects(s, cases.Recover(s))
			}
		}
		now := time.Now().UTC()
		entries, err := rule(now, before)
		if err != nil {
			return before, public(err)
		}
		after, err := b.append(ctx, before, entries)
		if err == nil {
			b.act(before, after, entries)
			return after, nil
		}
		if errors.Is(err, store.ErrBusy) {
			return before, fault.New(fault.PatrolBusy, "case.send", err)
		}
		if !errors.Is(err, store.ErrConflict) {
			unknown++
			b.log.Warn("append outcome unknown", "case", ids[0], "err", err)
		}
		if unknown > repeats || try == races || ctx.Err() != nil {
			return before, fault.New(fault.Unavailable, "case", err)
		}
	}
}

// append makes entries durable and returns the states they lead to.
func (b *Book) append(ctx context.Context, before []cases.State, entries []cases.Entry) ([]cases.State, error) {
	after := make([]cases.State, len(before))
	var list []store.CaseAppend
	for i, e := range entries {
		after[i] = cases.Apply(before[i], e)
		if e.Fact == nil {
			continue
		}
		a, err := stored(before[i], after[i], e)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	if len(list) == 0 {
		return after, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTime) // whoever asked may be gone: the outcome counts
	defer cancel()
	return after, b.journal.AppendCases(ctx, list...)
}

// act takes over what was decided and carries out what follows.
func (b *Book) act(before, after []cases.State, entries []cases.Entry) {
	for i, e := range entries {
		if e.Fact == nil {
			continue
		}
		s := after[i]
		b.keep(s)
		b.decided.WithLabelValues(e.Fact.Kind()).Inc()
		b.doer.CaseChanged(s, e)
		b.effects(s, cases.Effects(before[i], s, e.Fact))
	}
	b.wake()
}

func (b *Book) effects(s cases.State, list []cases.Effect) {
	for _, eff := range list {
		switch eff := eff.(type) {
		case cases.Inform:
			b.doer.Inform(s, eff)
		case cases.Lead:
			b.owed = append(b.owed, lead{eff.Case, eff.Follow})
		}
	}
}

func (b *Book) wake() {
	select {
	case b.nudge <- struct{}{}:
	default:
	}
}

// keep caches a state. When there are too many, all are forgotten: what is open comes back at once.
func (b *Book) keep(s cases.State) {
	if len(b.known) >= kept {
		clear(b.known)
	}
	b.known[s.ID] = s
}

// load returns a case from memory or from its records; the zero State where there is none. fresh reads
// it again in any case.
func (b *Book) load(ctx context.Context, id ident.CaseID, fresh bool) (cases.State, error) {
	if s, ok := b.known[id]; ok && !fresh {
		return s, nil
	}
	delete(b.known, id)
	entries, err := b.entries(ctx, id)
	if err != nil {
		return cases.State{}, err
	}
	if len(entries) == 0 {
		return cases.State{}, nil
	}
	var s cases.State
	for _, e := range entries {
		s = cases.Apply(s, e)
	}
	b.keep(s)
	return s, nil
}

// entries reads the records of a case; none where there is no such case.
func (b *Book) entries(ctx context.Context, id ident.CaseID) ([]cases.Entry, error) {
	records, err := b.journal.LoadCase(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "case", err)
	}
	out := make([]cases.Entry, 0, len(records))
	for _, r := range records {
		f, err := cases.DecodeFact(r.Kind, r.Body)
		if err != nil {
			return nil, fault.New(fault.Internal, "case", fmt.Errorf("record %d: %w", r.Version, err))
		}
		out = append(out, cases.Entry{At: r.At.UTC(), Fact: f})
	}
	return out, nil
}

// Course returns what was decided about a case, in order. A case that does not exist is fault.NoSuchCase.
func (b *Book) Course(ctx context.Context, id ident.CaseID) ([]cases.Step, error) {
	entries, err := b.entries(ctx, id)
	if err == nil && len(entries) == 0 {
		err = fault.New(fault.NoSuchCase, "case", nil)
	}
	return cases.Course(entries), err
}

// public keeps refusals and hides everything else.
func public(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.New(fault.Unavailable, "case", err)
}
