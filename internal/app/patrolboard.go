package app

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"jedel/internal/access"
	"jedel/internal/ident"
	"jedel/signaling/wire"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// boardEvery is the shortest time between two looks at the patrols. A fix must be on every board within a
	// second; looking more often costs a query and a message each time, less often breaks that.
	boardEvery = 500 * time.Millisecond
	// boardLook is how often the patrols are looked at when nothing is known to have happened: other nodes
	// take fixes too.
	boardLook = 5 * time.Second
)

// patrolBoard tells consoles how patrols stand. What to tell is found by comparison with what was told, so
// that a wake that is lost costs boardLook at most.
type patrolBoard struct {
	a     *App
	nudge chan struct{} // capacity 1
	late  prometheus.Histogram

	since atomic.Int64 // when the first happened that nobody was told of, in nanoseconds; 0: nothing

	// Owned by run.
	told map[ident.StaffID]wire.PatrolRow
}

func newPatrolBoard(a *App, reg prometheus.Registerer) *patrolBoard {
	b := &patrolBoard{a: a, nudge: make(chan struct{}, 1), told: map[ident.StaffID]wire.PatrolRow{}, late: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "jedel_board_told_seconds", Help: "From a patrol's fix, duty or word to the message that tells consoles of it.",
		Buckets: []float64{0.05, 0.1, 0.25, 0.5, 0.75, 1, 2, 5},
	})}
	reg.MustRegister(b.late)
	return b
}

// wake says that a patrol may stand otherwise now. It never blocks.
func (b *patrolBoard) wake() {
	b.since.CompareAndSwap(0, time.Now().UnixNano())
	select {
	case b.nudge <- struct{}{}:
	default:
	}
}

func (b *patrolBoard) run(ctx context.Context) {
	for {
		b.look(ctx)
		rest := time.NewTimer(boardEvery)
		select {
		case <-rest.C:
		case <-ctx.Done():
			return
		}
		rest.Reset(boardLook)
		select {
		case <-b.nudge:
		case <-rest.C:
		case <-ctx.Done():
			return
		}
	}
}

// look tells what changed since the last look.
func (b *patrolBoard) look(ctx context.Context) {
	since := b.since.Swap(0)
	list, err := b.a.db.ListPatrols(ctx)
	if err != nil {
		if ctx.Err() == nil {
			b.a.log.Warn("the patrols cannot be read", "err", err)
		}
		return
	}
	now := map[ident.StaffID]wire.PatrolRow{}
	for _, p := range list {
		now[p.Staff] = patrolDesk{b.a}.row(ctx, p)
	}
	b.tell(moved(b.told, now))
	b.told = now
	if since != 0 {
		b.late.Observe(time.Since(time.Unix(0, since)).Seconds())
	}
}

// moved are the rows that differ, those that are gone as off duty, by name.
func moved(before, now map[ident.StaffID]wire.PatrolRow) []wire.PatrolRow {
	var out []wire.PatrolRow
	for id, row := range now {
		if was, ok := before[id]; !ok || !reflect.DeepEqual(was, row) {
			out = append(out, row)
		}
	}
	for id, was := range before {
		if _, ok := now[id]; !ok {
			out = append(out, wire.PatrolRow{Patrol: was.Patrol, Name: was.Name, Unit: was.Unit, State: "off", SinceMs: time.Now().UnixMilli()})
		}
	}
	slices.SortFunc(out, func(x, y wire.PatrolRow) int {
		return slices.Compare([]string{x.Name, x.Patrol}, []string{y.Name, y.Patrol})
	})
	return out
}

// tell sends rows to the consoles that may see them.
func (b *patrolBoard) tell(rows []wire.PatrolRow) {
	if len(rows) == 0 {
		return
	}
	seats := b.a.people.all()
	maps.DeleteFunc(seats, func(_ ident.StaffID, s seat) bool { return !s.console })
	for part := range slices.Chunk(rows, wire.MaxPatrolRows) {
		for _, s := range seats {
			if mine := ofUnit(part, s); len(mine) > 0 {
				b.a.edge.Hub().Send(s.client, &wire.PatrolsMoved{Patrols: mine})
			}
		}
	}
}

func ofUnit(rows []wire.PatrolRow, s seat) []wire.PatrolRow {
	return slices.DeleteFunc(slices.Clone(rows), func(r wire.PatrolRow) bool {
		return !access.MayIn(s.roles, s.unit, access.ReadCases, r.Unit)
	})
}
