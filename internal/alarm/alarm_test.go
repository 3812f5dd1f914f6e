package alarm

import (
	"strconv"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// TestAnOlderPlaceTakesNoNewerOnesPlace repeats a call without a position: what the board saw before is older.
func TestAnOlderPlaceTakesNoNewerOnesPlace(t *testing.T) {
	s := Raise(State{}, "a", t0, &Place{Lat: 54, At: t0})
	if s = Raise(s, "a", t0.Add(time.Second), &Place{Lat: 53, At: t0.Add(-time.Minute)}); s.Place.Lat != 54 {
		t.Fatalf("%+v", s.Place)
	}
}

func TestACallForHelpStandsUntilItIsAnswered(t *testing.T) {
	s := Raise(State{}, "a", t0, nil)
	s = Raise(s, "b", t0.Add(time.Minute), &Place{Lat: 54})
	if !s.Open() || s.Ref != "a" || !s.At.Equal(t0) || s.Place.Lat != 54 {
		t.Fatalf("%+v", s)
	}
	for _, ref := range []string{"b", "", "x"} {
		if _, err := Answer(s, ref, t0, "op"); fault.CodeOf(err) != fault.NotFound {
			t.Fatal(ref, err)
		}
	}
	s, err := Answer(s, "a", t0.Add(2*time.Minute), "op")
	if err != nil || s.Open() || s.By != "op" {
		t.Fatal(s, err)
	}
	if s, _ = Answer(s, "a", t0.Add(3*time.Minute), "op2"); s.By != "op" {
		t.Fatal("the second answer took the first one's place")
	}
	if again := Raise(s, "a", t0.Add(4*time.Minute), nil); again.Open() {
		t.Fatal("a repeated request is a new call")
	}
	if s = Raise(s, "c", t0.Add(5*time.Minute), nil); !s.Open() || s.Place != nil {
		t.Fatalf("%+v", s)
	}
}

// TestNoCallForHelpIsLost holds: a call that was open is open until an answer names it, and only then has
// somebody answered it.
func TestNoCallForHelpIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now := State{}, t0
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			before := s
			now = now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "s")) * time.Second)
			ref := strconv.Itoa(rapid.IntRange(0, 4).Draw(t, "ref"))
			answered := false
			if rapid.Bool().Draw(t, "raise") {
				if s = Raise(s, ref, now, nil); ref != before.Ref && !s.Open() {
					t.Fatalf("%s was not raised over %+v", ref, before)
				}
			} else if next, err := Answer(s, ref, now, ident.StaffID("op"+ref)); err == nil {
				s, answered = next, true
			}
			switch {
			case before.Open() && !s.Open() && !(answered && ref == before.Ref && s.Ref == before.Ref && s.Answered.Equal(now)):
				t.Fatalf("%+v became %+v", before, s)
			case before.Open() && (s.Ref != before.Ref || !s.At.Equal(before.At)):
				t.Fatalf("another call: %+v, %+v", before, s)
			case s.Open() != (s.Ref != "" && s.Answered.IsZero()):
				t.Fatalf("%+v", s)
			case before.By != "" && s.Ref == before.Ref && s.By != before.By:
				t.Fatal("the first answer does not stand")
			}
		}
	})
}
