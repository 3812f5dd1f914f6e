package shift

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"jedel/internal/access"
	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func line(id ID, staff ident.StaffID, from, to int) Line {
	return Line{ID: id, Staff: staff, Role: string(access.Operator), Seat: string("seat of " + id), From: t0.Add(time.Duration(from) * time.Hour), To: t0.Add(time.Duration(to) * time.Hour)}
}

// play carries out events that must succeed.
func play(t *testing.T, s State, now time.Time, events ...Event) State {
	t.Helper()
	for _, ev := range events {
		r, err := Decide(s, now, ev)
		if err != nil {
			t.Fatalf("%+v: %v", ev, err)
		}
		s = Apply(s, r)
	}
	return s
}

func refused(t *testing.T, s State, now time.Time, ev Event, code fault.Code) {
	t.Helper()
	if _, err := Decide(s, now, ev); fault.CodeOf(err) != code {
		t.Errorf("%+v: %v, want %s", ev, err, code)
	}
}

func TestARosterRefusesWhatCannotBe(t *testing.T) {
	s := play(t, State{}, t0, Write{Line: line("a", "aigul", 0, 12)})
	change := func(edit func(*Line)) Event {
		l := line("b", "bolat", 0, 12)
		edit(&l)
		return Write{Line: l}
	}
	for name, c := range map[string]struct {
		ev   Event
		code fault.Code
	}{
		"twice at once":       {Write{Line: line("b", "aigul", 11, 13)}, fault.ShiftOverlap},
		"seat is taken":       {change(func(l *Line) { l.Seat = "seat of a" }), fault.ShiftOverlap},
		"ends before begin":   {change(func(l *Line) { l.To = l.From }), fault.BadValue},
		"longer than a day":   {change(func(l *Line) { l.To = l.From.Add(MaxTime + time.Second) }), fault.BadValue},
		"over":                {Write{Line: line("b", "bolat", -12, 0)}, fault.BadValue},
		"in another century":  {Write{Line: line("b", "bolat", 1e6, 1e6+1)}, fault.BadValue},
		"no role":             {change(func(l *Line) { l.Role = "root" }), fault.BadValue},
		"role without shifts": {change(func(l *Line) { l.Role = string(access.Administrator) }), fault.BadValue},
		"a seat of two lines": {change(func(l *Line) { l.Seat = "a\nb" }), fault.BadValue},
		"a long seat":         {change(func(l *Line) { l.Seat = strings.Repeat("ә", 41) }), fault.BadValue},
		"nobody":              {change(func(l *Line) { l.Staff = "" }), fault.BadValue},
		"unknown line":        {Strike{ID: "x"}, fault.NoSuchShift},
		"not on duty":         {Go{Staff: "aigul"}, fault.WrongState},
	} {
		if _, err := Decide(s, t0, c.ev); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	s = play(t, s, t0, Write{Line: line("b", "aigul", 12, 24)}) // one after the other
	refused(t, s, t0.Add(13*time.Hour), Write{Line: line("a", "aigul", 0, 14)}, fault.TooLate)
}

func TestPeopleComeByTheirLineAndNotLongBefore(t *testing.T) {
	s := play(t, State{}, t0, Write{Line: line("a", "aigul", 2, 14)})
	begin := t0.Add(2 * time.Hour)
	refused(t, s, begin.Add(-EarlyTime-time.Second), Come{"aigul"}, fault.NoSuchShift)
	s = play(t, s, begin.Add(-EarlyTime), Come{"aigul"})
	refused(t, s, begin, Come{"aigul"}, fault.WrongState)
	refused(t, s, begin, Strike{ID: "a"}, fault.WrongState)
	if !s.OnDuty("aigul", begin) || s.OnDuty("aigul", t0.Add(14*time.Hour)) {
		t.Fatal("duty ends with its line")
	}
	shorter := play(t, s, begin, Write{Line: line("a", "aigul", 2, 4)})
	if shorter.OnDuty("aigul", t0.Add(5*time.Hour)) {
		t.Fatal("a line that was made shorter ends duty earlier")
	}
	refused(t, s, begin, Write{Line: line("a", "bolat", 2, 14)}, fault.WrongState)
	s = play(t, s, t0, Come{"bolat"}) // no roster is written for him
	if !s.OnDuty("bolat", t0.Add(1000*time.Hour)) {
		t.Fatal("without a roster nobody's duty ends by itself")
	}
}

func TestAfterAShiftOnlyWhatIsInHand(t *testing.T) {
	s := play(t, State{}, t0, Write{Line: line("a", "aigul", 0, 12)}, Come{"aigul"})
	end := t0.Add(12 * time.Hour)
	for _, c := range []struct {
		who, owner ident.StaffID
		at         time.Time
		ok         bool
	}{
		{"aigul", "bolat", end.Add(-time.Second), true}, {"aigul", "bolat", end, false}, {"aigul", "", end, false},
		{"aigul", "aigul", end.Add(time.Hour), true}, {"bolat", "aigul", end, true}, {"", "", end, true},
	} {
		if err := s.MayAct(c.who, c.owner, c.at); (err == nil) != c.ok || err != nil && fault.CodeOf(err) != fault.ShiftOver {
			t.Errorf("%+v: %v", c, err)
		}
	}
	gone := play(t, s, t0, Go{"aigul"})
	if err := gone.MayAct("aigul", "", t0); fault.CodeOf(err) != fault.ShiftOver {
		t.Error(err)
	}
}

func TestCasesAreGivenToThoseOnDuty(t *testing.T) {
	s := play(t, State{}, t0, Write{Line: line("a", "aigul", 0, 12)}, Write{Line: line("b", "bolat", 0, 12)}, Come{"aigul"})
	for _, c := range []struct {
		by, owner, to ident.StaffID
		manager       bool
		code          fault.Code
	}{
		{"aigul", "aigul", "bolat", false, fault.NotReady}, {"aigul", "aigul", "aigul", false, fault.NoSuchOperator},
		{"bolat", "aigul", "bolat", false, fault.CaseTaken}, {"dana", "", "bolat", true, fault.CaseTaken},
		{"aigul", "aigul", "", false, ""}, {"dana", "bolat", "aigul", true, ""}, {"aigul", "aigul", "marat", false, ""}, // nobody's roster has him
	} {
		if err := s.MayGive(c.by, c.owner, c.to, c.manager, t0); fault.CodeOf(err) != c.code {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestSuccessorsAreTheLikeliestFirst(t *testing.T) {
	seat := func(id ID, staff ident.StaffID, role string, seat, unit string, from int) Write {
		return Write{Line: Line{ID: id, Staff: staff, Role: role, Seat: seat, Unit: unit, From: t0.Add(time.Duration(from) * time.Minute), To: t0.Add(12*time.Hour + time.Duration(from)*time.Minute)}}
	}
	early := t0.Add(-30 * time.Minute)
	s := play(t, State{}, early, seat("1", "aigul", "operator", "1", "north", 0), seat("2", "camera", "camera", "9", "north", 0),
		seat("3", "role", "operator", "2", "south", 0), seat("4", "both", "operator", "3", "north", 0), Come{"aigul"}, Come{"camera"}, Come{"role"}, Come{"both"})
	handing := t0.Add(11*time.Hour + 45*time.Minute)
	s = play(t, s, handing, seat("5", "next", "operator", "1", "north", 12*60), Come{"next"})
	if got := s.Successors("aigul", handing); !slices.Equal(got, []ident.StaffID{"next", "both", "role", "camera"}) {
		t.Fatal(got)
	}
}

// centre is a shift's state and real cases, as a runtime joins them.
type centre struct {
	s     State
	cases []cases.State
}

// TestACaseHasOneOwnerUntilTheNextAccepts plays shifts and hand-overs at random over real cases.
func TestACaseHasOneOwnerUntilTheNextAccepts(t *testing.T) {
	people := []ident.StaffID{"aigul", "bolat", "dana", "marat"}
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		c, now := centre{}, t0
		for i := range 3 {
			var st cases.State
			for _, ev := range []cases.Event{
				cases.Open{ID: ident.CaseID(rune('a' + i)), Number: "26-1", Lane: cases.ReportLane, Recording: cases.Recording{ID: "r", Kind: "report"}}, cases.Take{By: people[i]},
			} {
				e, _, err := cases.Decide(st, now, ev)
				if err != nil {
					t.Fatal(err)
				}
				st = cases.Apply(st, e)
			}
			c.cases = append(c.cases, st)
		}
		replayed := State{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "minutes")) * time.Minute)
			who := rapid.SampledFrom(people).Draw(t, "who")
			i := rapid.IntRange(0, len(c.cases)-1).Draw(t, "case")
			if r, ok := c.step(t, now, who, i, people, &accepted); ok {
				raw, err := Encode(r)
				if err != nil {
					t.Fatal(err)
				}
				back, err := Decode(raw)
				if err != nil || !reflect.DeepEqual(back, r) {
					t.Fatalf("%+v %v", back, err)
				}
				replayed = Apply(replayed, back)
			}
			for _, l := range c.s.Lines {
				for _, o := range c.s.Lines {
					if l.ID != o.ID && l.Staff == o.Staff && l.From.Before(o.To) && o.From.Before(l.To) {
						t.Fatalf("%+v and %+v", l, o)
					}
				}
			}
			if !reflect.DeepEqual(replayed, c.s) {
				t.Fatalf("%+v, and from the records %+v", c.s, replayed)
			}
			var kept State
			if raw, err := json.Marshal(c.s); err != nil || json.Unmarshal(raw, &kept) != nil || c.s.Version > 0 && !reflect.DeepEqual(kept, c.s) {
				t.Fatalf("%+v, and from the row %+v", c.s, kept)
			}
		}
	})
	if accepted == 0 {
		t.Fatal("no case was ever handed over")
	}
}

// step does one thing; ok where the shift has a record of it.
func (c *centre) step(t *rapid.T, now time.Time, who ident.StaffID, i int, people []ident.StaffID, accepted *int) (r Record, ok bool) {
	t.Helper()
	st := c.cases[i]
	owner := st.Owner
	var ev cases.Event
	switch rapid.IntRange(0, 7).Draw(t, "what") {
	case 0:
		from := now.Truncate(time.Hour).Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "from")) * time.Hour)
		id := ID(rapid.SampledFrom([]string{"1", "2", "3", "4", "5"}).Draw(t, "line"))
		return c.decide(now, Write{By: "lead", Line: Line{ID: id, Staff: who, Role: string(access.Dispatcher), From: from, To: from.Add(8 * time.Hour)}})
	case 1, 2:
		return c.decide(now, Come{who})
	case 3:
		return c.decide(now, Go{who})
	case 4:
		return c.decide(now, Strike{ID: ID(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "line"))})
	case 5, 6:
		to := rapid.SampledFrom(people).Draw(t, "to")
		if c.s.MayGive(who, owner, to, rapid.IntRange(0, 3).Draw(t, "manager") == 0, now) != nil {
			return r, false
		}
		ev = cases.HandOver{By: owner, To: to}
	case 7:
		if st.Handing != "" {
			who = st.Handing
		}
		if err := c.s.MayAccept(who, now); err != nil {
			if c.s.OnDuty(who, now) {
				t.Fatal(err)
			}
			return r, false
		}
		ev = cases.AnswerHandOver{By: who, Accept: true}
	}
	e, _, err := cases.Decide(st, now, ev)
	if err != nil {
		return r, false
	}
	after := cases.Apply(st, e)
	taken, yes := ev.(cases.AnswerHandOver)
	switch {
	case after.Owner == "":
		t.Fatalf("nobody has it after %+v", ev)
	case after.Owner != owner && (!yes || st.Handing != taken.By || after.Owner != taken.By):
		t.Fatalf("%s has it after %+v", after.Owner, ev)
	case after.Owner != owner:
		*accepted++
	}
	c.cases[i] = after
	return r, false
}

func (c *centre) decide(now time.Time, ev Event) (Record, bool) {
	r, err := Decide(c.s, now, ev)
	if err != nil {
		return r, false
	}
	c.s = Apply(c.s, r)
	return r, true
}

func TestApplyLeavesTheStateBeforeAlone(t *testing.T) {
	s := play(t, State{}, t0, Write{Line: line("a", "aigul", 0, 12)}, Come{"aigul"})
	before, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	play(t, s, t0, Go{"aigul"}, Write{Line: line("b", "bolat", 0, 3)}, Strike{ID: "a"})
	play(t, s, t0.Add(KeptTime+48*time.Hour), Write{Line: line("c", "bolat", 24*37, 24*37+3)})
	if after, err := json.Marshal(s); err != nil || string(after) != string(before) {
		t.Fatal(string(after), err)
	}
}

func TestWhatIsLongOverIsForgottenAndStillBinds(t *testing.T) {
	s := play(t, State{}, t0, Write{Line: line("a", "aigul", 0, 12)}, Come{"aigul"})
	late := t0.Add(KeptTime + 48*time.Hour)
	s = play(t, s, late, Write{Line: line("c", "bolat", 24*37, 24*37+3)})
	if len(s.Lines) != 1 || len(s.On) != 0 {
		t.Fatalf("%+v", s)
	}
	if err := s.MayAct("aigul", "", late); fault.CodeOf(err) != fault.ShiftOver {
		t.Fatal(err)
	}
}

func TestThoseWhoHaveShiftsAreThoseOfTheTable(t *testing.T) {
	for _, r := range access.Roles() {
		if access.May([]string{string(r)}, access.OwnShift) != slices.Contains(Roles(), string(r)) {
			t.Error(r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, ev := range []Event{Write{By: "b", Line: line("a", "aigul", 0, 12)}, Come{"aigul"}} {
		r, err := Decide(State{}, t0, ev)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := Encode(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Decode(raw)
		if err != nil {
			return
		}
		Apply(State{}, r)
		if again, err := Encode(r); err != nil || string(again) != string(raw) {
			t.Fatal(string(again), err)
		}
	})
}
