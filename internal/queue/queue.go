// Package queue decides which operator a waiting call is offered to. It is pure: the board is a
// projection of the calls' states and of what operators asked for; it can be rebuilt at any time.
//
// Invariants (DESIGN.md section 4): the call assigned is the least by effective priority and
// enqueue time (I4); a call that comes back takes its old place (I5); waiting raises priority (I6);
// a ready operator and a waiting call do not coexist without an offer (I7).
package queue

import (
	"slices"
	"strings"
	"time"

	"jedel/internal/ident"
)

const (
	// ClassStep is how long a call waits before it rises by one class (invariant I6).
	ClassStep = 60 * time.Second
	// CoolOff is how long a call is not offered again to an operator who let it pass, as long as
	// another ready operator may take it.
	CoolOff = 30 * time.Second
	// LinkPatience is how long a waiting call whose caller has no link is still offered. Longer
	// rings operators for nobody, shorter skips callers who change cells.
	LinkPatience = 5 * time.Second
	// MissLimit is how many offers in a row an operator may miss before they count as not
	// responding (invariant I8).
	MissLimit = 2
)

// Call is what the queue needs to know of a call.
type Call struct {
	ID       ident.CallID
	Waiting  bool // stands in the queue, offered or not
	Live     bool // has an operator now
	WrapUp   bool // its operator writes it up
	Priority int  // class, 1 is the most urgent
	QueuedAt time.Time
	Order    string        // breaks ties of QueuedAt: the call's number
	LostAt   time.Time     // when the caller's link broke; zero while it stands
	Offered  ident.StaffID // rings there
	Operator ident.StaffID // owns it
}

// effective returns the class of c at now: waiting raises it by one per ClassStep, not above 1.
func (c Call) effective(now time.Time) int {
	return max(1, c.Priority-int(now.Sub(c.QueuedAt)/ClassStep))
}

// Duty is what an operator asked to be.
type Duty string

// Duties. What an operator is at the moment also depends on their calls: see Board.State.
const (
	Off           Duty = "off"
	Ready         Duty = "ready"
	Busy          Duty = "busy"
	Pause         Duty = "pause"
	NotResponding Duty = "not_responding"

	// The rest are never asked for; State derives them.
	Offered  Duty = "offered"
	Talking  Duty = "talking"
	WrapUp   Duty = "wrapup"
	LinkLost Duty = "link_lost"
)

// Operator is one operator's standing.
type Operator struct {
	ID     ident.StaffID
	Name   string
	Duty   Duty
	Reason string // of a pause
	Linked bool   // has a live socket
	Missed int    // offers missed in a row
	Since  time.Time
	FreeAt time.Time // when they last became free: the longest free is offered first
}

// Assignment lets a call ring at an operator.
type Assignment struct {
	Call     ident.CallID
	Operator ident.StaffID
}

// Board is everything the queue knows. Its zero value is not ready; use New. It is not safe for
// concurrent use: one loop owns it.
type Board struct {
	calls  map[ident.CallID]Call
	ops    map[ident.StaffID]Operator
	passed map[pair]time.Time // when an operator let a call pass
	taken  map[ident.StaffID]ident.CallID
	handed map[ident.CallID]ident.StaffID // assigned, not yet seen in the call's state
}

type pair struct {
	call ident.CallID
	op   ident.StaffID
}

// New returns an empty board.
func New() *Board {
	return &Board{
		calls: map[ident.CallID]Call{}, ops: map[ident.StaffID]Operator{}, passed: map[pair]time.Time{},
		taken: map[ident.StaffID]ident.CallID{}, handed: map[ident.CallID]ident.StaffID{},
	}
}

// Observe takes the newest state of a call. A call that is neither waiting, live nor in wrap-up
// is forgotten.
func (b *Board) Observe(c Call, now time.Time) {
	before := b.calls[c.ID]
	delete(b.handed, c.ID)
	if !c.Waiting && !c.Live && !c.WrapUp {
		delete(b.calls, c.ID)
		for p := range b.passed {
			if p.call == c.ID {
				delete(b.passed, p)
			}
		}
	} else {
		b.calls[c.ID] = c
	}
	for _, op := range []ident.StaffID{before.Offered, before.Operator} {
		if op != "" {
			b.retake(op, now)
		}
	}
	for _, op := range []ident.StaffID{c.Offered, c.Operator} {
		if op != "" {
			b.retake(op, now)
		}
	}
}

// retake finds what op is occupied with, and notes the moment they become free.
func (b *Board) retake(op ident.StaffID, now time.Time) {
	was := b.taken[op]
	delete(b.taken, op)
	for id, c := range b.calls {
		if c.Offered == op || c.Operator == op {
			b.taken[op] = id
			if c.Operator == op {
				break // a call in hand outranks one that rings
			}
		}
	}
	if o, ok := b.ops[op]; ok && was != b.taken[op] {
		o.Since = now
		if b.taken[op] == "" {
			o.FreeAt = now
		}
		b.ops[op] = o
	}
}

// Assigned notes that an assignment is under way, so that neither side is assigned twice before
// the call's state shows it.
func (b *Board) Assigned(a Assignment) { b.handed[a.Call] = a.Operator }

// Unassigned takes back an assignment that the call refused.
func (b *Board) Unassigned(a Assignment) {
	if b.handed[a.Call] == a.Operator {
		delete(b.handed, a.Call)
	}
}

// Passed notes that op let the call pass. A missed offer counts, a declined one does not.
func (b *Board) Passed(call ident.CallID, op ident.StaffID, missed bool, now time.Time) {
	b.passed[pair{call, op}] = now
	o, ok := b.ops[op]
	if !ok || !missed {
		return
	}
	o.Missed++
	if o.Missed >= MissLimit && o.Duty == Ready {
		o.Duty, o.Since = NotResponding, now
	}
	b.ops[op] = o
}

// Answered notes that op took a call: the count of missed offers begins anew.
func (b *Board) Answered(op ident.StaffID) {
	if o, ok := b.ops[op]; ok {
		o.Missed = 0
		b.ops[op] = o
	}
}

// SetOperator takes what an operator asks for and whether they have a link.
func (b *Board) SetOperator(o Operator, now time.Time) {
	before, known := b.ops[o.ID]
	if !known {
		before = Operator{Since: now, FreeAt: now}
	}
	o.Missed, o.Since, o.FreeAt = before.Missed, before.Since, before.FreeAt
	if o.Duty == Ready && before.Duty != Ready {
		o.Missed, o.FreeAt = 0, now
	}
	if !known || o.Duty != before.Duty || o.Linked != before.Linked {
		o.Since = now
	}
	b.ops[o.ID] = o
	if !o.Linked && o.Duty == Off && b.taken[o.ID] == "" {
		delete(b.ops, o.ID)
	}
}

// Operator returns what is known of op.
func (b *Board) Operator(op ident.StaffID) (Operator, bool) {
	o, ok := b.ops[op]
	return o, ok
}

// State returns what op is at the moment: their calls come before what they asked for.
func (b *Board) State(op ident.StaffID) Duty {
	o := b.ops[op]
	c, occupied := b.calls[b.taken[op]]
	switch {
	case occupied && c.Operator == op && c.WrapUp:
		return WrapUp
	case occupied && c.Operator == op:
		return Talking
	case occupied:
		return Offered
	case !o.Linked && o.Duty != Off:
		return LinkLost
	}
	return o.Duty
}

// InHand returns the call that op is occupied with, empty for none.
func (b *Board) InHand(op ident.StaffID) ident.CallID { return b.taken[op] }

// Free reports whether op can be offered a call now.
func (b *Board) Free(op ident.StaffID) bool {
	o := b.ops[op]
	if o.Duty != Ready || !o.Linked || b.taken[op] != "" {
		return false
	}
	for _, handed := range b.handed {
		if handed == op {
			return false
		}
	}
	return true
}

// Waiting returns the calls in the queue in the order in which they are served at now.
func (b *Board) Waiting(now time.Time) []Call {
	var out []Call
	for _, c := range b.calls {
		if c.Waiting {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, c Call) int {
		if d := a.effective(now) - c.effective(now); d != 0 {
			return d
		}
		if d := a.QueuedAt.Compare(c.QueuedAt); d != 0 {
			return d
		}
		return strings.Compare(a.Order, c.Order)
	})
	return out
}

// Operators returns all operators on the board, by name.
func (b *Board) Operators() []Operator {
	var out []Operator
	for _, o := range b.ops {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, c Operator) int {
		if d := strings.Compare(a.Name, c.Name); d != 0 {
			return d
		}
		return strings.Compare(string(a.ID), string(c.ID))
	})
	return out
}

// Next returns every assignment that should be made at now, in order. It changes nothing; the
// owner confirms each with Assigned.
func (b *Board) Next(now time.Time) []Assignment {
	var free []Operator
	for id, o := range b.ops {
		if b.Free(id) {
			free = append(free, o)
		}
	}
	slices.SortFunc(free, func(a, c Operator) int {
		if d := a.FreeAt.Compare(c.FreeAt); d != 0 {
			return d
		}
		return strings.Compare(string(a.ID), string(c.ID))
	})
	var out []Assignment
	for _, c := range b.Waiting(now) {
		if len(free) == 0 {
			break
		}
		if c.Offered != "" || b.handed[c.ID] != "" || (!c.LostAt.IsZero() && now.Sub(c.LostAt) > LinkPatience) {
			continue
		}
		i := b.choose(c, free, now)
		out = append(out, Assignment{Call: c.ID, Operator: free[i].ID})
		free = slices.Delete(free, i, i+1)
	}
	return out
}

// choose returns the index of the operator for c: the longest free who did not just let c pass,
// or the longest free where all did.
func (b *Board) choose(c Call, free []Operator, now time.Time) int {
	for i, o := range free {
		at, passed := b.passed[pair{c.ID, o.ID}]
		if !passed || now.Sub(at) >= CoolOff {
			return i
		}
	}
	return 0
}
