package cases

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"

	"pgregory.net/rapid"
)

// draws makes the random choices; a property test and a fuzz target share them.
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

var t0 = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func anyEvent(d draws) Event {
	who := ident.StaffID([]string{"op1", "op2", "op3"}[d.n(3, "who")])
	patrol := ident.StaffID([]string{"p1", "p2"}[d.n(2, "patrol")])
	id := strconv.Itoa(d.n(6, "id"))
	switch d.n(20, "event") {
	case 0, 1:
		return Take{By: who, Force: d.n(3, "force") == 0}
	case 2:
		return HandOver{By: who, To: []ident.StaffID{"", "op1", "op2"}[d.n(3, "to")]}
	case 3:
		return AnswerHandOver{By: who, Accept: d.n(2, "accept") == 1}
	case 4:
		return Classify{By: who, Kind: []string{"", "noise", "theft"}[d.n(3, "kind")], Priority: d.n(6, "priority") - 1, Base: uint64(d.n(9, "base"))}
	case 5, 6:
		return Add{Line{ID: id, What: []string{PlaceLine, PersonLine, VehicleLine, NoteLine, "?"}[d.n(5, "what")], Text: "x",
			Place: []*Place{nil, {Source: "operator", HasFix: true, Lat: float64(d.n(200, "lat"))}}[d.n(2, "place")]}}
	case 7:
		return Withdraw{By: who, ID: id}
	case 8:
		return Record{Recording{ID: ident.CallID("r" + id), Kind: "patrol"}}
	case 9, 10:
		return Send{By: who, Patrol: patrol, Name: "P"}
	case 11:
		return Recall{By: who, Patrol: patrol}
	case 12, 13, 14:
		return Say{Patrol: patrol, What: []string{"accepted", "declined", "en_route", "on_scene", "cleared", "?"}[d.n(6, "word")]}
	case 15:
		if d.n(3, "by a patrol") == 0 {
			return Close{By: patrol, Outcome: "done", Text: "Thank you", Patrol: true}
		}
		return Close{By: who, Outcome: []string{"", "done"}[d.n(2, "outcome")], Text: []string{"", "Thank you"}[d.n(2, "text")]}
	case 16:
		return Unclose{By: who}
	case 17:
		return Reopen{By: []ident.StaffID{"", who}[d.n(2, "by")], Why: "again"}
	case 18:
		return Tell{Citizen{Lang: "kk", Phone: id}}
	}
	return Tick{}
}

// world is some cases that are lived together.
type world struct {
	t       failer
	now     time.Time
	cases   map[ident.CaseID]State
	history map[ident.CaseID][]Entry
	told    map[ident.CaseID][]Status
}

func (w *world) append(id ident.CaseID, e Entry) State {
	before := w.cases[id]
	frozen, _ := json.Marshal(before)
	s := Apply(before, e)
	if again, _ := json.Marshal(before); string(again) != string(frozen) {
		w.t.Fatalf("Apply of %s wrote into the state before", e.Fact.Kind())
	}
	w.cases[id], w.history[id] = s, append(w.history[id], e)
	w.check(before, s, e)
	return s
}

func (w *world) do(id ident.CaseID, ev Event) {
	before := w.cases[id]
	e, effects, err := Decide(before, w.now, ev)
	if !reflect.DeepEqual(before, w.cases[id]) {
		w.t.Fatalf("Decide changed the state")
	}
	if err != nil {
		var f *fault.Error
		if !errors.As(err, &f) {
			w.t.Fatalf("%T: %v is no fault", ev, err)
		}
		return
	}
	if e.Fact == nil {
		return
	}
	if c, ok := ev.(Close); ok && c.Patrol {
		if at := before.Active(); len(at) != 1 || at[0].Patrol != c.By || at[0].OnScene.IsZero() {
			w.t.Fatalf("%s closed a case with %+v there", c.By, at)
		}
	}
	w.append(id, e)
	w.carryOut(id, effects)
}

func (w *world) carryOut(id ident.CaseID, effects []Effect) {
	for _, eff := range effects {
		switch eff := eff.(type) {
		case Inform:
			w.told[id] = append(w.told[id], eff.Status)
			if r := w.cases[id].Replies; eff.N != len(r)-1 || r[eff.N].Status != eff.Status || r[eff.N].Text != eff.Text {
				w.t.Fatalf("told %+v of %v", eff, r)
			}
			if eff.Status == Closed && eff.Text == "" {
				w.t.Fatalf("closed without a reply")
			}
		case Lead:
			w.do(eff.Case, eff.Follow)
		}
	}
}

func (w *world) both(a, b ident.CaseID, p Pair, err error) {
	if err != nil {
		return
	}
	if p.A.Fact != nil {
		w.append(a, p.A)
	}
	if p.B.Fact != nil {
		w.append(b, p.B)
	}
	w.carryOut(b, Resume(w.cases[b]))
}

// check holds what must be true of every step.
func (w *world) check(before, s State, e Entry) {
	kind := e.Fact.Kind()
	switch {
	case s.Version != before.Version+1:
		w.t.Fatalf("%s: version %d after %d", kind, s.Version, before.Version)
	case before.Number != "" && (s.Number != before.Number || !s.Opened.Equal(before.Opened) || s.ID != before.ID):
		w.t.Fatalf("%s: another case", kind)
	case before.Owner != "" && s.Owner == "" && kind != "settled" && kind != "merged":
		w.t.Fatalf("%s left the case without an owner", kind)
	case s.Status != s.status():
		w.t.Fatalf("%s: status %s", kind, s.Status)
	case s.Status == Closed && (s.Closing.Text == "" || s.Closing.Outcome == ""):
		w.t.Fatalf("%s: closed without a reply", kind)
	case s.Closing.Settled && len(s.Active()) > 0:
		w.t.Fatalf("%s: patrols stay with a closed case", kind)
	case s.Into != "" && len(s.Active()) > 0:
		w.t.Fatalf("%s: patrols stay with a merged case", kind)
	case s.Into == s.ID || slices.Contains(s.Links, s.ID):
		w.t.Fatalf("%s: tied to itself", kind)
	}
	busy := map[ident.StaffID]bool{}
	for _, x := range s.Active() {
		if busy[x.Patrol] {
			w.t.Fatalf("%s: %s twice", kind, x.Patrol)
		}
		busy[x.Patrol] = true
	}
	for _, c := range Units(before, s) {
		if (c.State != "") != busy[c.Patrol] {
			w.t.Fatalf("%s: unit %+v", kind, c)
		}
	}
	for _, l := range before.Card { // nothing that was noted disappears
		if i := slices.IndexFunc(s.Card, func(x Line) bool { return x.ID == l.ID }); i < 0 && l.From == "" || i >= 0 && s.Card[i].Text != l.Text {
			w.t.Fatalf("%s: line %s", kind, l.ID)
		}
	}
}

func live(t failer, d draws, steps int) {
	t.Helper()
	w := &world{t: t, now: t0, cases: map[ident.CaseID]State{}, history: map[ident.CaseID][]Entry{}, told: map[ident.CaseID][]Status{}}
	ids := []ident.CaseID{"a", "b", "c"}
	for i, id := range ids {
		w.do(id, Open{ID: id, Number: "26-00000" + strconv.Itoa(i), Lane: ReportLane, Citizen: Citizen{Lang: "kk"}, Recording: Recording{ID: ident.CallID(id)}})
		w.do(id, Open{ID: id, Number: "other"})
	}
	for range steps {
		w.now = w.now.Add(time.Duration(d.n(200, "ms")*d.n(400, "scale")) * time.Millisecond)
		a, b := ids[d.n(3, "case")], ids[d.n(3, "other")]
		by := ident.StaffID("op1")
		switch d.n(10, "pair") {
		case 0:
			p, err := Merge(w.cases[a], w.cases[b], w.now, by)
			w.both(a, b, p, err)
		case 1:
			p, err := Split(w.cases[a], w.cases[b], w.now, by)
			w.both(a, b, p, err)
		case 2:
			p, err := Link(w.cases[a], w.cases[b], w.now, by, d.n(2, "off") == 1)
			w.both(a, b, p, err)
		default:
			w.do(a, anyEvent(d))
		}
		w.forest()
	}
	w.settle(ids)
	for _, id := range ids {
		w.replay(id)
	}
}

// forest holds that merged cases lie one level deep and that both sides know of it.
func (w *world) forest() {
	w.t.Helper()
	for id, s := range w.cases {
		if s.Into == "" {
			continue
		}
		into := w.cases[s.Into]
		if into.Into != "" || !slices.Contains(into.Merged, id) {
			w.t.Fatalf("%s was merged into %s, which is in %q and has %v", id, s.Into, into.Into, into.Merged)
		}
		for _, r := range s.Recordings {
			if s.Status != Closed && !slices.ContainsFunc(into.Recordings, func(x Recording) bool { return x.ID == r.ID }) && r.Kind != "patrol" {
				w.t.Fatalf("recording %s of %s is missing in %s", r.ID, id, s.Into)
			}
		}
	}
}

// settle lets Ticks alone end everything that waits, then closes all cases: each citizen has a reply.
func (w *world) settle(ids []ident.CaseID) {
	tick := func(id ident.CaseID) {
		for range 10 {
			at := w.cases[id].Deadline()
			if at.IsZero() {
				return
			}
			if at.After(w.now) {
				w.now = at
			}
			v := w.cases[id].Version
			w.do(id, Tick{})
			if w.cases[id].Version == v {
				w.t.Fatalf("a Tick at the deadline did nothing in %s", w.cases[id].Status)
			}
		}
		w.t.Fatalf("the case never rests")
	}
	for _, id := range ids {
		tick(id)
		w.do(id, Close{By: "op1", Outcome: "done", Text: "Thank you"})
		tick(id)
	}
	for _, id := range ids {
		s := w.cases[id]
		if s.Status != Closed {
			w.t.Fatalf("%s stays %s, merged into %q", id, s.Status, s.Into)
		}
		if n := len(s.Replies); s.Replies[n-1].Status != Closed || s.Replies[n-1].Text == "" || w.told[id][len(w.told[id])-1] != Closed {
			w.t.Fatalf("%s was closed and its citizen was told %v", id, s.Replies)
		}
		if len(w.told[id]) != len(s.Replies) {
			w.t.Fatalf("%s: %d replies, told %v", id, len(s.Replies), w.told[id])
		}
	}
}

// replay holds that the stored entries alone rebuild the state.
func (w *world) replay(id ident.CaseID) {
	w.t.Helper()
	var again State
	for _, e := range w.history[id] {
		body, err := Encode(e.Fact)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		f, err := DecodeFact(e.Fact.Kind(), body)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		again = Apply(again, Entry{At: e.At, Fact: f})
	}
	a, _ := json.Marshal(w.cases[id])
	b, _ := json.Marshal(again)
	if string(a) != string(b) {
		w.t.Fatalf("replayed:\n%s\nwas:\n%s", b, a)
	}
}

func TestCasesKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { live(t, rapidDraws{t}, rapid.IntRange(0, 60).Draw(t, "steps")) })
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte{1, 1, 1, 3, 0, 1, 6, 13})
	f.Add([]byte("two reports of one fire are merged while a patrol drives"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return
		}
		live(t, &byteDraws{b}, len(b)/4+1)
	})
}
