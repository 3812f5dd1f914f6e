package queue

import (
	"fmt"
	"testing"
	"time"

	"jedel/internal/ident"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func at(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }

func waiting(id string, priority, second int) Call {
	return Call{ID: ident.CallID(id), Waiting: true, Priority: priority, QueuedAt: at(second), Order: id}
}

func ready(b *Board, id string, second int) {
	b.SetOperator(Operator{ID: ident.StaffID(id), Name: id, Duty: Ready, Linked: true}, at(second))
}

func TestMostUrgentThenOldestIsServedFirst(t *testing.T) {
	b := New()
	b.Observe(waiting("a", 3, 0), at(0))
	b.Observe(waiting("b", 2, 1), at(1))
	b.Observe(waiting("c", 2, 2), at(2))
	ready(b, "op1", 3)
	got := b.Next(at(3))
	if len(got) != 1 || got[0] != (Assignment{"b", "op1"}) {
		t.Fatal(got)
	}
}

func TestWaitingRaisesPriorityByOneClassAMinute(t *testing.T) {
	b := New()
	b.Observe(waiting("old", 4, 0), at(0))
	b.Observe(waiting("new", 2, 119), at(119))
	if got := b.Waiting(at(119))[0].ID; got != "new" {
		t.Fatalf("after 119 s %s is first", got)
	}
	if got := b.Waiting(at(120))[0].ID; got != "old" {
		t.Fatalf("after 120 s %s is first", got)
	}
}

func TestLongestFreeOperatorIsChosen(t *testing.T) {
	b := New()
	ready(b, "late", 10)
	ready(b, "early", 5)
	b.Observe(waiting("a", 2, 11), at(11))
	if got := b.Next(at(11)); len(got) != 1 || got[0].Operator != "early" {
		t.Fatal(got)
	}
}

func TestCallThatWasPassedGoesToAnotherFirst(t *testing.T) {
	b := New()
	ready(b, "op1", 0)
	ready(b, "op2", 1)
	b.Observe(waiting("a", 2, 2), at(2))
	b.Passed("a", "op1", true, at(3))
	if got := b.Next(at(4)); got[0].Operator != "op2" {
		t.Fatal(got)
	}
	b.SetOperator(Operator{ID: "op2", Duty: Pause, Linked: true}, at(5))
	if got := b.Next(at(5)); len(got) != 1 || got[0].Operator != "op1" {
		t.Fatalf("a ready operator and a waiting call must meet: %v", got)
	}
}

func TestTwoMissedOffersMakeNotResponding(t *testing.T) {
	b := New()
	ready(b, "op1", 0)
	b.Passed("a", "op1", true, at(1))
	if b.State("op1") != Ready {
		t.Fatal("after one missed offer:", b.State("op1"))
	}
	b.Passed("b", "op1", true, at(2))
	if b.State("op1") != NotResponding || b.Free("op1") {
		t.Fatal("after two:", b.State("op1"))
	}
	ready(b, "op1", 3)
	if b.State("op1") != Ready || !b.Free("op1") {
		t.Fatal("one key back:", b.State("op1"))
	}
}

func TestDeclinedOfferIsNotMissed(t *testing.T) {
	b := New()
	ready(b, "op1", 0)
	for i := range 5 {
		b.Passed("a", "op1", false, at(i))
	}
	if b.State("op1") != Ready {
		t.Fatal(b.State("op1"))
	}
}

func TestAssignmentUnderWayOccupiesBothSides(t *testing.T) {
	b := New()
	ready(b, "op1", 0)
	b.Observe(waiting("a", 2, 1), at(1))
	b.Observe(waiting("b", 2, 2), at(2))
	a := b.Next(at(2))[0]
	b.Assigned(a)
	if got := b.Next(at(2)); len(got) != 0 {
		t.Fatal(got)
	}
	b.Unassigned(a)
	if got := b.Next(at(2)); len(got) != 1 {
		t.Fatal(got)
	}
}

func TestCallerWithoutLinkKeepsPlaceButIsNotOffered(t *testing.T) {
	b := New()
	ready(b, "op1", 0)
	c := waiting("a", 2, 1)
	c.LostAt = at(10)
	b.Observe(c, at(10))
	if got := b.Next(at(12)); len(got) != 1 {
		t.Fatal("within the patience", got)
	}
	if got := b.Next(at(16)); len(got) != 0 {
		t.Fatal("beyond it", got)
	}
	if w := b.Waiting(at(16)); len(w) != 1 {
		t.Fatal("the place is kept", w)
	}
}

func TestStateFollowsTheCallInHand(t *testing.T) {
	b := New()
	ready(b, "op1", 0)
	c := waiting("a", 2, 1)
	c.Offered = "op1"
	b.Observe(c, at(2))
	if b.State("op1") != Offered {
		t.Fatal(b.State("op1"))
	}
	c.Waiting, c.Offered, c.Live, c.Operator = false, "", true, "op1"
	b.Observe(c, at(3))
	b.SetOperator(Operator{ID: "op1", Duty: Pause, Linked: true}, at(4))
	if b.State("op1") != Talking {
		t.Fatal("a pause asked for in a call comes after it:", b.State("op1"))
	}
	c.Live, c.WrapUp = false, true
	b.Observe(c, at(5))
	if b.State("op1") != WrapUp {
		t.Fatal(b.State("op1"))
	}
	c.WrapUp = false
	b.Observe(c, at(6))
	if b.State("op1") != Pause {
		t.Fatal(b.State("op1"))
	}
}

// TestBoardKeepsItsPromises drives random calls and operators and checks I2, I4 and I7 after
// every step.
func TestBoardKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, now := New(), t0
		calls := map[ident.CallID]Call{}
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "dt")) * time.Second)
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1:
				c := Call{ID: ident.CallID(fmt.Sprintf("c%03d", step)), Waiting: true, QueuedAt: now,
					Order: fmt.Sprint(step), Priority: rapid.IntRange(1, 5).Draw(t, "class")}
				calls[c.ID] = c
				b.Observe(c, now)
			case 2:
				id := ident.StaffID(fmt.Sprintf("op%d", rapid.IntRange(0, 4).Draw(t, "op")))
				duty := rapid.SampledFrom([]Duty{Ready, Ready, Pause, Off, Busy}).Draw(t, "duty")
				b.SetOperator(Operator{ID: id, Duty: duty, Linked: rapid.Bool().Draw(t, "linked")}, now)
			default:
				for id, c := range calls {
					if op := c.Offered; op != "" && rapid.Bool().Draw(t, "lapse") {
						c.Offered = ""
						b.Passed(id, op, true, now)
						b.Observe(c, now)
						calls[id] = c
					}
				}
			}
			before := b.Waiting(now)
			offered := map[ident.CallID]bool{}
			for _, a := range b.Next(now) {
				c := calls[a.Call]
				if c.Offered != "" || !b.Free(a.Operator) {
					t.Fatalf("I2: %v to an occupied side", a)
				}
				for _, w := range before { // I4: nobody unoffered stands before the one assigned
					if w.ID == a.Call {
						break
					}
					if w.Offered == "" && !offered[w.ID] {
						t.Fatalf("I4: %s assigned before %s", a.Call, w.ID)
					}
				}
				offered[a.Call] = true
				c.Offered = a.Operator
				calls[a.Call] = c
				b.Assigned(a)
				b.Observe(c, now)
			}
			unoffered := 0
			for _, c := range b.Waiting(now) {
				if c.Offered == "" {
					unoffered++
				}
			}
			for _, o := range b.Operators() {
				if b.Free(o.ID) && unoffered > 0 {
					t.Fatalf("I7: %s is free while %d calls wait", o.ID, unoffered)
				}
			}
		}
	})
}
