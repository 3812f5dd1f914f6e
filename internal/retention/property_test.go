package retention

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"jedel/internal/ident"

	"pgregory.net/rapid"
)

// draws makes the random choices; the property test and the fuzz target share them.
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

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func anyEvent(d draws, s State) Event {
	by := []ident.StaffID{aigul, bolat, dana, Scheduler}[d.n(4, "by")]
	hold := HoldID([]string{"h1", "h2", "h3"}[d.n(3, "hold")])
	until := s.Until.AddDate(0, 0, d.n(40, "days")-20)
	if d.n(3, "towards the end") > 0 { // left to chance alone, plays hardly ever delete
		switch s.Stage {
		case Kept:
			return []Event{ProposeDeletion{by, "r"}, ReleaseHold{hold, aigul, "r"}}[d.n(2, "propose")]
		case Proposed:
			return ApproveDeletion{by}
		case Approved:
			return Destroy{}
		}
	}
	switch d.n(20, "event") {
	case 0:
		return Begin{Call: call, Opened: t0, Class: "test"}
	case 1:
		return Categorise{by, []string{"theft", "false", "else"}[d.n(3, "category")]}
	case 2:
		return Extend{by, until, "r"}
	case 3:
		return Shorten{by, until, "r"}
	case 4, 5:
		if s.Shorter != nil {
			until = s.Shorter.Until
		}
		return ConfirmShortening{by, until}
	case 6:
		return WithdrawShortening{by}
	case 7:
		return PlaceHold{hold, by, "26-1", "r"}
	case 8, 9:
		return ReleaseHold{hold, by, "r"}
	case 10, 11, 12:
		return ProposeDeletion{by, "r"}
	case 13:
		return CancelDeletion{by, "r"}
	case 14, 15, 16:
		return ApproveDeletion{by}
	case 17, 18:
		return Destroy{HeldElsewhere: d.n(4, "elsewhere") == 0}
	}
	return KeysDestroyed{Left: d.n(2, "left"), Root: "r"}
}

// truth is kept beside the rules under test, in the plainest way, from what was accepted.
type truth struct {
	held      map[HoldID]bool
	until     time.Time
	proposed  time.Time // true time
	proposer  ident.StaffID
	approver  ident.StaffID
	shortener ident.StaffID
}

// watch holds the promises on each record that is made at the true time now.
func (w *truth) watch(t failer, before, s State, r Record, now time.Time) {
	t.Helper()
	if s.Until.Before(before.Until) {
		f, ok := r.Fact.(Shortened)
		if !ok || f.By == w.shortener || w.shortener == "" || f.By == Scheduler || w.shortener == Scheduler {
			t.Fatalf("%s moved until from %v to %v", r.Fact.Kind(), before.Until, s.Until)
		}
	}
	w.until = s.Until
	switch f := r.Fact.(type) {
	case HoldPlaced:
		w.held[f.ID] = true
		w.proposer, w.approver = "", ""
	case HoldReleased:
		delete(w.held, f.ID)
	case ShorteningProposed:
		w.shortener = f.By
	case DeletionProposed:
		w.proposed, w.proposer, w.approver = now, f.By, ""
	case DeletionCancelled:
		w.proposer, w.approver = "", ""
	case DeletionApproved:
		w.approver = f.By
	case DestructionBegun:
		switch {
		case len(w.held) > 0:
			t.Fatalf("deleted under %d holds", len(w.held))
		case now.Before(w.until):
			t.Fatalf("deleted at %v, kept until %v", now, w.until)
		case w.proposer == "" || w.approver == "" || w.proposer == w.approver || w.approver == Scheduler:
			t.Fatalf("deleted by %q and %q", w.proposer, w.approver)
		case now.Sub(w.proposed) < Wait:
			t.Fatalf("deleted %v after the proposal", now.Sub(w.proposed))
		}
	case Destroyed:
		if before.Stage != Destroying {
			t.Fatalf("destroyed from %s", before.Stage)
		}
	}
	if (before.Stage == Destroying && s.Stage != Gone) || before.Stage == Gone {
		t.Fatalf("%s after the end", r.Fact.Kind())
	}
	if s.Version != before.Version+1 || s.At.Before(before.At) {
		t.Fatalf("version %d at %v after %d at %v", s.Version, s.At, before.Version, before.At)
	}
}

// live drives one archive with random events under a host clock that jumps, while the log's time
// is true, and holds the promises after each step.
func live(t failer, d draws, steps int) {
	t.Helper()
	var s State
	var history []Record
	w := truth{held: map[HoldID]bool{}}
	now := t0
	step := func(ev Event, clock Clock) {
		before := s
		frozen, _ := json.Marshal(s)
		r, effects, err := Decide(policy(), s, clock, ev)
		if err == nil && r.Fact != nil {
			s = Apply(s, r)
			history = append(history, r)
			w.watch(t, before, s, r, now)
			again, _, _ := Decide(policy(), s, clock, ev)
			if _, wish := r.Fact.(ShorteningProposed); again.Fact != nil && !wish {
				t.Fatalf("%T sent twice was recorded twice: %s", ev, again.Fact.Kind())
			}
		}
		for _, e := range effects {
			if e == (DestroyKeys{}) && s.Stage != Destroying {
				t.Fatalf("keys destroyed in %s", s.Stage)
			}
		}
		if after, _ := json.Marshal(before); !bytes.Equal(frozen, after) {
			t.Fatalf("%T changed the state it was given", ev)
		}
	}
	step(Begin{Call: call, Opened: t0, Class: "test"}, Clock{now, now})
	for range steps {
		now = now.Add(time.Duration(d.n(100, "hours")) * time.Hour)
		clock := Clock{Host: now, Log: now}
		switch d.n(6, "clock") {
		case 0:
			clock.Host = now.Add(time.Duration(d.n(60, "jump")-30) * 24 * time.Hour)
		case 1:
			clock.Host = now.Add(time.Duration(d.n(20, "skew")-10) * time.Minute)
		case 2:
			clock.Log = time.Time{}
		}
		step(anyEvent(d, s), clock)
	}
	replay(t, s, history)
}

// replay holds that the stored records alone, read back, make the same state.
func replay(t failer, s State, history []Record) {
	t.Helper()
	var again State
	for _, r := range history {
		raw, err := Encode(r)
		if err != nil {
			t.Fatalf("%v", err)
		}
		read, err := Decode(raw)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		again = Apply(again, read)
	}
	if !reflect.DeepEqual(again, s) {
		t.Fatalf("replayed:\n%+v\nwas:\n%+v", again, s)
	}
}

func TestNothingIsDeletedAgainstTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { live(t, rapidDraws{t}, rapid.IntRange(0, 80).Draw(t, "steps")) })
}

// TestRandomPlayReachesTheEnd holds that the property test is not empty: some plays do delete.
func TestRandomPlayReachesTheEnd(t *testing.T) {
	seen := map[Stage]int{}
	for seed := range 400 {
		b := make([]byte, 3000)
		x := uint64(seed)*0x9e3779b97f4a7c15 + 1
		for i := range b {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			b[i] = byte(x >> 32)
		}
		d := &byteDraws{b}
		var s State
		now := t0
		for range 300 {
			now = now.Add(time.Duration(d.n(100, "hours")) * time.Hour)
			r, _, _ := Decide(policy(), s, Clock{now, now}, anyEvent(d, s))
			s = Apply(s, r)
			seen[s.Stage]++
		}
	}
	for _, stage := range []Stage{Kept, Proposed, Approved, Destroying, Gone} {
		if seen[stage] == 0 {
			t.Errorf("%s was never reached: %v", stage, seen)
		}
	}
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 80, 5, 0, 10, 80, 5, 1, 14, 17, 3})
	f.Add([]byte("a hold is placed, a hold is released, a deletion is approved"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return
		}
		live(t, &byteDraws{b}, len(b)/4+1)
	})
}

// FuzzDecode holds that whatever is taken is written again byte for byte.
func FuzzDecode(f *testing.F) {
	for _, fact := range []Fact{
		Begun{Call: call, Opened: t0, Class: "test", Until: t0}, HoldPlaced{Hold{"h", aigul, "c", "r", t0}},
		ShorteningProposed{Shortening{By: aigul, Until: t0}}, DestructionBegun{}, Destroyed{"r"},
	} {
		raw, err := Encode(Record{t0, fact})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"v":1,"at":"2026-11-23T09:00:00Z","kind":"destroyed","fact":{"root":"r","root":"s"}}`))
	f.Add([]byte(`{"v":1,"at":"2026-11-23T09:00:00Z","kind":"hold_lifted","fact":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Decode(raw)
		if err != nil {
			return
		}
		again, err := Encode(r)
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%s became %s: %v", raw, again, err)
		}
		Apply(State{}, r)
	})
}

func TestRecordsThatNobodyWroteAreRefused(t *testing.T) {
	for _, raw := range []string{
		``, `{}`, `null`, `{"v":1,"at":"2026-11-23T09:00:00Z","kind":"hold_lifted","fact":{}}`,
		`{"v":2,"at":"2026-11-23T09:00:00Z","kind":"destroyed","fact":{"root":"r"}}`,
		`{"v":1,"at":"2026-11-23T09:00:00Z","kind":"destroyed","fact":{"root":"r","root":"s"}}`,
		`{"v":1,"at":"2026-11-23T09:00:00Z","kind":"destroyed","fact":{"Root":"r"}}`,
		`{"v":1,"at":"2026-11-23T09:00:00Z","kind":"destroyed","fact":{"root":"r"}} `,
	} {
		if r, err := Decode([]byte(raw)); err == nil {
			t.Errorf("%s: %+v", raw, r)
		}
	}
}
