package cases

import (
	"slices"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// life drives one case by named events.
type life struct {
	t    *testing.T
	s    State
	now  time.Time
	told []Inform
}

func (l *life) do(ev Event) {
	l.t.Helper()
	e, effects, err := Decide(l.s, l.now, ev)
	if err != nil {
		l.t.Fatalf("%T: %v", ev, err)
	}
	l.s = Apply(l.s, e)
	for _, eff := range effects {
		if say, ok := eff.(Inform); ok {
			l.told = append(l.told, say)
		}
	}
}

func (l *life) refused(ev Event, code fault.Code) {
	l.t.Helper()
	if _, _, err := Decide(l.s, l.now, ev); fault.CodeOf(err) != code {
		l.t.Fatalf("%T: %v instead of %s", ev, err, code)
	}
}

func begin(t *testing.T) *life {
	l := &life{t: t, now: t0}
	l.do(Open{ID: "a", Number: "26-000001", Lane: ReportLane, Kind: "noise", Priority: 3, Citizen: Citizen{Lang: "kk"}, Recording: Recording{ID: "a", Kind: "report"}})
	return l
}

// TestAReportFromTheReceiptToTheReply walks the usual way of a case.
func TestAReportFromTheReceiptToTheReply(t *testing.T) {
	l := begin(t)
	l.do(Take{By: "op"})
	l.do(Send{By: "disp", Patrol: "p", Name: "P-14", Reason: "4 min by road"})
	l.do(Say{Patrol: "p", What: "en_route"})
	l.now = l.now.Add(4 * time.Minute)
	l.do(Say{Patrol: "p", What: "on_scene"})
	l.do(Close{By: "op", Outcome: "measures", Text: "The music is off."})
	if l.s.Status != Closed || len(l.s.Active()) != 1 {
		t.Fatal("the patrol is free before the closing is settled")
	}
	l.refused(Take{By: "op2"}, fault.CaseClosed)
	l.now = l.s.Deadline()
	l.do(Tick{})
	var told []Status
	for _, say := range l.told {
		told = append(told, say.Status)
	}
	if !slices.Equal(told, []Status{Registered, InWork, PatrolSent, OnScene, Closed}) || l.told[4].Text != "The music is off." {
		t.Fatal(told)
	}
	if x := l.s.Sendings[0]; x.Why != "closed" || x.Accepted.IsZero() {
		t.Fatalf("%+v", x)
	}
	m := l.s.Moments()
	if !m.Sent.Equal(t0) || !m.Arrived.Equal(t0.Add(4*time.Minute)) || m.Replied.IsZero() {
		t.Fatalf("%+v", m)
	}
}

func TestAClosingMayBeTakenBackForAWhile(t *testing.T) {
	l := begin(t)
	l.do(Take{By: "op"})
	l.do(Close{By: "op", Outcome: "false", Text: "Nothing was found."})
	l.refused(Unclose{By: "op2"}, fault.WrongState)
	l.do(Unclose{By: "op"})
	if l.s.Status != InWork || len(l.told) != 2 {
		t.Fatal(l.s.Status, l.told)
	}
	l.do(Close{By: "op", Outcome: "false", Text: "Nothing was found."})
	l.now = l.s.Deadline()
	l.do(Tick{})
	l.refused(Unclose{By: "op"}, fault.WrongState)
	l.do(Reopen{Why: "it is loud again"})
	if l.s.Status != Reopened || l.told[len(l.told)-1].Status != Reopened {
		t.Fatal(l.s.Status, l.told)
	}
	l.do(Take{By: "op2"})
	l.do(Close{By: "op2", Outcome: "done", Text: "Done."})
	l.now = l.s.Deadline()
	l.do(Tick{})
	l.now = l.now.Add(ReopenTime + time.Hour)
	l.refused(Reopen{}, fault.TooLate)
}

func TestASilentPatrolAsksForAttention(t *testing.T) {
	l := begin(t)
	l.do(Send{By: "disp", Patrol: "p"})
	l.now = l.now.Add(HearTime)
	l.do(Tick{})
	if !l.s.Active()[0].Late {
		t.Fatal("nobody is told")
	}
	l.do(Say{Patrol: "p", What: "accepted"})
	if l.s.Active()[0].Late {
		t.Fatal("still late")
	}
	l.do(Recall{By: "disp", Patrol: "p"})
	l.refused(Say{Patrol: "p", What: "on_scene"}, fault.TaskOver)
}

// TestAPatrolClosesWhatItIsAloneAt holds that a patrol ends its own task's case, from the scene, and
// nobody else's.
func TestAPatrolClosesWhatItIsAloneAt(t *testing.T) {
	l := begin(t)
	end := Close{By: "p", Outcome: "measures", Text: "The music is off.", Patrol: true}
	l.refused(end, fault.WrongState)
	l.do(Send{By: "disp", Patrol: "p"})
	l.do(Say{Patrol: "p", What: "en_route"})
	l.refused(end, fault.WrongState)
	l.do(Say{Patrol: "p", What: "on_scene"})
	l.refused(Close{By: "q", Outcome: "measures", Text: "x", Patrol: true}, fault.WrongState)
	l.refused(Close{By: "p", Outcome: "measures", Patrol: true}, fault.ReplyNeeded)
	l.do(Send{By: "disp", Patrol: "q"})
	l.refused(end, fault.PatrolThere)
	l.do(Say{Patrol: "q", What: "declined"})
	l.do(end)
	l.refused(Unclose{By: "q"}, fault.WrongState)
	l.do(Unclose{By: "p"})
	if l.s.Status != OnScene {
		t.Fatal(l.s.Status)
	}
	l.do(end)
	l.do(end) // the same again
	l.now = l.s.Deadline()
	l.do(Tick{})
	if last := l.told[len(l.told)-1]; last.Status != Closed || last.Text != end.Text || len(l.s.Active()) != 0 {
		t.Fatal(last, l.s.Active())
	}
	l.refused(Close{By: "q", Outcome: "false", Text: "x", Patrol: true}, fault.CaseClosed)
}

func TestWhereTheCaseIs(t *testing.T) {
	l := begin(t)
	put := func(id string, p Place) { l.do(Add{Line{ID: id, What: PlaceLine, Place: &p}}) }
	want := func(lat float64, words string) {
		t.Helper()
		if p, ok := l.s.Where(); !ok || p.Lat != lat || p.Words != words {
			t.Fatalf("%+v", p)
		}
	}
	put("1", Place{Source: "words", Words: "Abai 24"})
	want(0, "Abai 24")
	put("2", Place{Source: "device", HasFix: true, Lat: 54.1})
	put("3", Place{Source: "device", HasFix: true, Lat: 54.2})
	put("4", Place{Source: "words", Words: "third entrance"})
	want(54.2, "")
	put("5", Place{Source: "caller", HasFix: true, Lat: 54.3})
	put("6", Place{Source: "operator", HasFix: true, Lat: 54.4})
	put("7", Place{Source: "device", HasFix: true, Lat: 54.5})
	want(54.4, "")
	l.do(Withdraw{By: "op", ID: "6"})
	want(54.3, "")
	for _, bad := range []Place{{}, {Source: "device", HasFix: true, Lat: 91}, {Source: "device", HasFix: true, Lon: -181}, {Source: "moon", Words: "x"}, {Source: "device", HasFix: true, AccuracyM: -1}} {
		l.refused(Add{Line{ID: "x", What: PlaceLine, Place: &bad}}, fault.BadValue)
	}
}

func TestAMergedCaseDoesNotMoveTheOther(t *testing.T) {
	at := func(lat float64, source string, from ident.CaseID) Line {
		return Line{What: PlaceLine, From: from, Place: &Place{Source: source, HasFix: true, Lat: lat}}
	}
	words := Line{What: PlaceLine, Place: &Place{Source: "words", Words: "Abai 24"}}
	for _, c := range []struct {
		name string
		card []Line
		lat  float64
	}{
		{"its own device before the other's pin", []Line{at(1, "device", ""), at(2, "caller", "b"), at(3, "device", "b")}, 1},
		{"its newest device", []Line{at(1, "device", ""), at(2, "device", "b"), at(3, "device", "")}, 3},
		{"the other's where it has words alone", []Line{words, at(2, "device", "b")}, 2},
		{"the other's pin before the other's device", []Line{at(2, "caller", "b"), at(3, "device", "b")}, 2},
		{"an operator's", []Line{at(1, "operator", ""), at(2, "operator", "b"), at(3, "caller", "")}, 1},
	} {
		if p, ok := (State{Card: c.card}).Where(); !ok || p.Lat != c.lat {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

func TestReportsOfOneEventAreFound(t *testing.T) {
	at := func(id string, kind string, min int, lat, lon float64) Brief {
		return Brief{ID: ident.CaseID(id), Kind: kind, At: t0.Add(time.Duration(min) * time.Minute), Place: Place{HasFix: true, Lat: lat, Lon: lon, AccuracyM: 20}}
	}
	got := Similar(at("a", "fire", 0, 54.87, 69.16), []Brief{
		at("a", "fire", 0, 54.87, 69.16), at("near", "fire", 5, 54.8705, 69.16), at("nearer", "fire", 2, 54.8701, 69.16),
		at("far", "fire", 1, 54.9, 69.16), at("late", "fire", 61, 54.87, 69.16), at("other", "noise", 1, 54.87, 69.16), at("untold", "", 3, 54.87, 69.1601),
		{ID: "nowhere", Kind: "fire", At: t0},
	})
	var ids []ident.CaseID
	for _, m := range got {
		ids = append(ids, m.ID)
	}
	if !slices.Equal(ids, []ident.CaseID{"nearer", "near", "untold"}) {
		t.Fatal(ids)
	}
	if m := got[1].M; m < 50 || m > 60 {
		t.Fatal(m)
	}
}

// TestNobodyWritesOverWhatTheyHaveNotSeen lets two people work on a case at once.
func TestNobodyWritesOverWhatTheyHaveNotSeen(t *testing.T) {
	l := begin(t)
	l.do(Take{By: "op"})
	seen := l.s.Version
	l.do(Add{Line{ID: "fix", What: PlaceLine, Place: &Place{Source: "device", HasFix: true, Lat: 54}}})
	l.do(Classify{By: "op", Kind: "theft", Priority: 1, Base: seen})
	l.refused(Classify{By: "disp", Kind: "noise", Priority: 3, Base: seen}, fault.CaseStale)
	l.do(Classify{By: "disp", Kind: "theft", Priority: 1, Base: seen}) // the same word twice is no quarrel
	l.do(Classify{By: "disp", Kind: "noise", Priority: KeepPriority, Base: l.s.Version})
	if l.s.Kind != "noise" || l.s.Priority != 1 {
		t.Fatalf("%+v", l.s)
	}
	seen = l.s.Version
	l.do(Add{Line{ID: "fix2", What: PlaceLine, Place: &Place{Source: "device", HasFix: true, Lat: 54.1}}})
	l.do(Tell{Citizen{Lang: "ru"}})
	l.do(Close{By: "op", Outcome: "done", Text: "Thank you", Base: seen}) // a telephone that moves hinders nobody
	l.do(Unclose{By: "op"})
	seen = l.s.Version
	l.do(Add{Line{ID: "n", What: NoteLine, By: "disp", Text: "He is back"}})
	l.refused(Close{By: "op", Outcome: "done", Text: "Thank you", Base: seen}, fault.CaseStale)
	l.do(Close{By: "op", Outcome: "done", Text: "Thank you", Base: l.s.Version})
}

// TestAMergedCaseHearsThatThePatrolDoesNotCome recalls the patrol of the case it was merged into, and sends another.
func TestAMergedCaseHearsThatThePatrolDoesNotCome(t *testing.T) {
	l := begin(t)
	l.s.Into = "b"
	for _, s := range []Status{InWork, PatrolSent, PatrolSent, InWork, InWork, PatrolSent, OnScene, PatrolSent, InWork} {
		l.do(Follow{Into: "b", Status: s})
	}
	var told []Status
	for _, say := range l.told {
		told = append(told, say.Status)
	}
	if !slices.Equal(told, []Status{Registered, PatrolSent, InWork, PatrolSent, OnScene}) {
		t.Fatal(told)
	}
}
