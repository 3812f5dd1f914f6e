package callctl

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/call"
	"jedel/internal/ident"
	"jedel/internal/queue"
)

// boardTick is how often the queue looks again without being told: priorities rise, patience
// ends. Invariant I7 allows a ready operator and a waiting call one second together.
const boardTick = 500 * time.Millisecond

// proposeTime bounds one attempt to let a call ring.
const proposeTime = 15 * time.Second

// Snapshot is the queue at one moment. It is never changed after it is published.
type Snapshot struct {
	Rev       uint64
	Waiting   []queue.Call // in the order of service
	Operators []Standing
}

// Standing is what one operator is at the moment.
type Standing struct {
	queue.Operator
	State  queue.Duty
	InHand ident.CallID
}

// Line is the queue of this node: one loop that owns the board.
type Line struct {
	doer    Doer
	met     *metrics
	propose func(context.Context, queue.Assignment) error
	board   chan boardFn
	snap    atomic.Pointer[Snapshot]
}

func newLine(doer Doer, met *metrics) *Line {
	l := &Line{doer: doer, met: met, board: make(chan boardFn)}
	l.snap.Store(&Snapshot{})
	return l
}

// boardFn is one change of the board, carried out by its loop.
type boardFn func(*queue.Board, time.Time)

// Snapshot returns the queue as it was after its last change.
func (l *Line) Snapshot() *Snapshot { return l.snap.Load() }

// Standing returns what op is in the newest snapshot.
func (s *Snapshot) Standing(op ident.StaffID) (Standing, bool) {
	for _, o := range s.Operators {
		if o.ID == op {
			return o, true
		}
	}
	return Standing{}, false
}

// SetOperator tells the queue what an operator asks for and whether they have a link. It returns
// when the queue has taken it.
func (l *Line) SetOperator(ctx context.Context, o queue.Operator) error {
	return l.tell(ctx, func(b *queue.Board, now time.Time) { b.SetOperator(o, now) })
}

// Relink tells the queue whether an operator has a link; their duty stays. It reports whether the
// queue knows the operator.
func (l *Line) Relink(ctx context.Context, op ident.StaffID, linked bool) (bool, error) {
	known := false
	err := l.tell(ctx, func(b *queue.Board, now time.Time) {
		var o queue.Operator
		if o, known = b.Operator(op); known {
			o.Linked = linked
			b.SetOperator(o, now)
		}
	})
	return known, err
}

// Reserve keeps op free for a, so that the queue offers them nothing else until the call's state
// shows the offer. It reports whether op was free. Give a back with Release if no offer comes.
func (l *Line) Reserve(ctx context.Context, a queue.Assignment) (bool, error) {
	free := false
	err := l.tell(ctx, func(b *queue.Board, _ time.Time) {
		if free = b.Free(a.Operator); free {
			b.Assigned(a)
		}
	})
	return free, err
}

// Release takes a reservation back.
func (l *Line) Release(ctx context.Context, a queue.Assignment) error {
	return l.tell(ctx, func(b *queue.Board, _ time.Time) { b.Unassigned(a) })
}

// tell lets the queue's loop carry out fn and waits for it.
func (l *Line) tell(ctx context.Context, fn boardFn) error {
	done := make(chan struct{})
	select {
	case l.board <- func(b *queue.Board, now time.Time) { fn(b, now); close(done) }:
		<-done
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// observe gives the queue the newest state of a call.
func (l *Line) observe(ctx context.Context, s call.State, rec call.Record) {
	c := queue.Call{
		ID: s.ID, Waiting: s.Waiting(), Live: s.Live(), WrapUp: s.Phase == call.WrapUp, Priority: s.Priority,
		QueuedAt: s.QueuedAt, Order: s.Number, LostAt: s.CallerGone,
	}
	if s.Offer != nil {
		c.Offered = s.Offer.Operator
	}
	if s.Live() || s.Phase == call.WrapUp {
		c.Operator = s.Operator
	}
	select {
	case l.board <- func(b *queue.Board, now time.Time) {
		switch f := rec.Fact.(type) {
		case call.Lapsed:
			b.Passed(s.ID, f.Operator, f.Why == "expired", now)
		case call.Accepted:
			b.Answered(f.Operator)
		}
		b.Observe(c, now)
	}:
	case <-ctx.Done():
	}
}

// run is the queue's loop: the only goroutine that touches the board.
func (l *Line) run(ctx context.Context, wg *sync.WaitGroup) {
	board := queue.New()
	tick := time.NewTicker(boardTick)
	defer tick.Stop()
	for rev := uint64(1); ; rev++ {
		select {
		case fn := <-l.board:
			fn(board, time.Now())
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		for _, a := range board.Next(now) {
			board.Assigned(a)
			wg.Go(func() { l.offer(ctx, a) })
		}
		l.publish(board, rev, now)
	}
}

// offer lets a call ring at an operator. A refusal frees both.
func (l *Line) offer(ctx context.Context, a queue.Assignment) {
	pctx, cancel := context.WithTimeout(ctx, proposeTime)
	defer cancel()
	if err := l.propose(pctx, a); err != nil {
		select {
		case l.board <- func(b *queue.Board, _ time.Time) { b.Unassigned(a) }:
		case <-ctx.Done():
		}
	}
}

// publish makes a new snapshot and tells of it where something in it changed.
func (l *Line) publish(board *queue.Board, rev uint64, now time.Time) {
	next := &Snapshot{Rev: rev, Waiting: board.Waiting(now)}
	for _, o := range board.Operators() {
		next.Operators = append(next.Operators, Standing{Operator: o, State: board.State(o.ID), InHand: board.InHand(o.ID)})
	}
	before := l.snap.Load()
	l.met.queue(next, now)
	if same(before, next) {
		return
	}
	l.snap.Store(next)
	l.doer.BoardChanged()
}

func same(a, b *Snapshot) bool {
	if len(a.Waiting) != len(b.Waiting) || len(a.Operators) != len(b.Operators) {
		return false
	}
	for i := range a.Waiting {
		if a.Waiting[i] != b.Waiting[i] {
			return false
		}
	}
	for i := range a.Operators {
		if a.Operators[i] != b.Operators[i] {
			return false
		}
	}
	return true
}
