package call

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"jedel/internal/ident"

	"pgregory.net/rapid"
)

// draws makes the random choices of an event; a property test and a fuzz target share them.
type draws interface {
	n(limit int, what string) int
}

type rapidDraws struct{ t *rapid.T }

func (d rapidDraws) n(limit int, what string) int { return rapid.IntRange(0, limit-1).Draw(d.t, what) }

type byteDraws struct{ b []byte }

func (d *byteDraws) n(limit int, _ string) int {
	if len(d.b) == 0 {
		return 0
	}
	v := int(d.b[0]) % limit
	d.b = d.b[1:]
	return v
}

func anyEvent(d draws, s State) Event {
	op := ident.StaffID([]string{"op1", "op2", "op3"}[d.n(3, "operator")])
	epoch := s.Epoch
	if d.n(4, "stale") == 0 {
		epoch = uint64(d.n(6, "epoch"))
	}
	switch d.n(24, "event") {
	case 0:
		return Create{ID: "call", Number: "26-000001", Client: "tab", Kind: "video", Priority: 2}
	case 1, 2:
		return Propose{Operator: op}
	case 3, 4:
		return Accept{Operator: op, Epoch: epoch}
	case 5:
		return Reject{Operator: op, Epoch: epoch}
	case 6:
		return Connected{}
	case 7:
		return SetHold{By: op, On: d.n(2, "on") == 1}
	case 8:
		return CallerLeft{}
	case 9:
		return CallerCame{}
	case 10:
		return OperatorLeft{Operator: op}
	case 11:
		return OperatorCame{Operator: op}
	case 12:
		return Transfer{By: op, To: ident.StaffID([]string{"op1", "op2", "op3"}[d.n(3, "to")])}
	case 13:
		return HangUp{By: []ident.StaffID{"", op}[d.n(2, "by")]}
	case 14:
		return Classify{By: op, Category: "c", Outcome: "o"}
	case 15:
		return CallBackMade{By: op, Outcome: "reached"}
	case 16:
		return Adopt{Node: "n", Epoch: uint64(d.n(9, "node epoch"))}
	case 17:
		return Tick{}
	}
	return guestEventOf(d, op)
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// live drives one call with random events and holds the invariants after each step.
func live(t failer, d draws, steps int) {
	t.Helper()
	s, now := State{}, t0
	var history []Record
	step := func(ev Event) {
		before := s
		rec, _, err := Decide(s, now, ev)
		if !reflect.DeepEqual(s, before) {
			t.Fatalf("Decide changed the state")
		}
		if err != nil || rec.Fact == nil {
			return
		}
		history = append(history, rec)
		s = Apply(s, rec)
		check(t, before, s, rec)
		checkGuests(t, before, s, rec)
		checkRoutes(t, s)
	}
	step(Create{ID: "call", Number: "26-000001", Client: "tab", Kind: "video", Priority: 2})
	for range steps {
		now = now.Add(time.Duration(d.n(200, "ms")*d.n(2000, "scale")) * time.Millisecond)
		step(anyEvent(d, s))
	}
	// Ticks alone must settle every call: nothing waits for a deadline that never comes.
	for range 20 {
		if s.Deadline().IsZero() {
			break
		}
		now = s.Deadline()
		before := s.Version
		step(Tick{})
		if s.Version == before {
			t.Fatalf("Tick at the deadline did nothing in %s", s.Phase)
		}
	}
	replay(t, s, history)
	conserve(t, s, history)
}

// check holds what must be true of every step.
func check(t failer, before, s State, rec Record) {
	t.Helper()
	if s.Version != before.Version+1 {
		t.Fatalf("version %d after %d", s.Version, before.Version)
	}
	if s.Epoch < before.Epoch || s.Epoch > before.Epoch+1 {
		t.Fatalf("epoch %d after %d", s.Epoch, before.Epoch)
	}
	if before.Phase == Ended && s.Phase != Ended {
		t.Fatalf("I1: %s left the end", rec.Fact.Kind())
	}
	if s.Offer != nil && (s.Offer.Epoch != s.Epoch || s.Offer.Operator == s.Operator) {
		t.Fatalf("I2: offer %+v beside owner %s epoch %d", s.Offer, s.Operator, s.Epoch)
	}
	if a, ok := rec.Fact.(Accepted); ok && (before.Offer == nil || before.Offer.Epoch != a.Epoch || before.Offer.Operator != a.Operator) {
		t.Fatalf("I3: %+v was not on offer", a)
	}
	if !before.QueuedAt.IsZero() && !s.QueuedAt.Equal(before.QueuedAt) {
		t.Fatalf("I5: the place moved by %s", rec.Fact.Kind())
	}
	if s.Live() && s.Operator == "" || s.Waiting() && s.Operator != "" {
		t.Fatalf("%s with operator %q", s.Phase, s.Operator)
	}
	if s.Phase == Offered && s.Offer == nil || s.Phase == Queued && s.Offer != nil {
		t.Fatalf("%s with offer %v", s.Phase, s.Offer)
	}
	if s.Open() && (s.Closing != Closing{}) {
		t.Fatalf("open and closed: %+v", s.Closing)
	}
}

// replay holds that the stored records alone rebuild the state.
func replay(t failer, s State, history []Record) {
	t.Helper()
	var again State
	for _, r := range history {
		body, err := Encode(r.Fact)
		if err != nil {
			t.Fatalf("%v", err)
		}
		f, err := DecodeFact(r.Fact.Kind(), body)
		if err != nil {
			t.Fatalf("%v", err)
		}
		again = Apply(again, Record{At: r.At, Fact: f})
	}
	a, _ := json.Marshal(s)
	b, _ := json.Marshal(again)
	if string(a) != string(b) {
		t.Fatalf("replayed:\n%s\nwas:\n%s", b, a)
	}
}

// conserve holds I3, I10 and I11 over the whole history.
func conserve(t failer, s State, history []Record) {
	t.Helper()
	accepted := map[uint64]int{}
	tasks, ends := 0, 0
	for _, r := range history {
		switch f := r.Fact.(type) {
		case Accepted:
			accepted[f.Epoch]++
		case HungUp:
			ends++
			if f.CallBack {
				tasks++
			}
			if (f.Reason == "dropped" || f.Reason == "abandoned") != f.CallBack {
				t.Fatalf("I11: %+v", f)
			}
		}
	}
	for epoch, n := range accepted {
		if n > 1 {
			t.Fatalf("I3: epoch %d was accepted %d times", epoch, n)
		}
	}
	if ends > 1 || tasks > 1 {
		t.Fatalf("I11: %d ends, %d tasks", ends, tasks)
	}
	if s.Open() == (ends == 1) {
		t.Fatalf("I10: open %v after %d ends", s.Open(), ends)
	}
	if s.Phase == Ended && s.Closing.Reason == "" {
		t.Fatalf("I1: ended without a reason")
	}
}

func TestCallKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { live(t, rapidDraws{t}, rapid.IntRange(0, 60).Draw(t, "steps")) })
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte{1, 1, 1, 3, 0, 1, 6, 13})
	f.Add([]byte("the caller comes and goes while operators change"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return
		}
		live(t, &byteDraws{b}, len(b)/4+1)
	})
}

// TestWallClockJumpChangesNothing plays the same events twice, the second time with a wall clock
// that jumps by an hour after a restart; only times differ (I12).
func TestWallClockJumpChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b State
		jump := time.Duration(0)
		now := t0
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			ev := anyEvent(rapidDraws{t}, a)
			if i == 0 {
				ev = Create{ID: "call", Client: "tab", Priority: 2}
			}
			if _, ok := ev.(Adopt); ok {
				jump = time.Duration(rapid.IntRange(-1, 1).Draw(t, "jump")) * time.Hour
			}
			ra, _, ea := Decide(a, now, ev)
			rb, _, eb := Decide(b, now.Add(jump), ev)
			if (ea == nil) != (eb == nil) {
				t.Fatalf("%T: %v and %v", ev, ea, eb)
			}
			a, b = Apply(a, ra), Apply(b, rb)
			if a.Phase != b.Phase || a.Version != b.Version || a.Operator != b.Operator {
				t.Fatalf("%T: %s and %s", ev, a.Phase, b.Phase)
			}
		}
	})
}
