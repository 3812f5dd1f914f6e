package stats

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func none() (out [Measures]time.Duration) {
	for m := range out {
		out[m] = None
	}
	return out
}

func day(t testing.TB, s string) Day {
	t.Helper()
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var goals = Goals{Within: [Measures][]time.Duration{Answer: {15 * time.Second, 20 * time.Second}, Handling: {3 * time.Minute, 4 * time.Minute}}}

// anyContact is one of few keys and few values, so that groups and replacements happen.
func anyContact(t *rapid.T, n int) Contact {
	word := rapid.SampledFrom([]string{"", "noise", "theft", "шу"})
	c := Contact{
		ID: fmt.Sprint(rapid.IntRange(0, n).Draw(t, "id")), Report: rapid.Bool().Draw(t, "report"),
		Opened: time.Unix(rapid.Int64Range(1709000000, 1709600000).Draw(t, "opened"), 0), // around 1 March 2024
		Kind:   word.Draw(t, "kind"), Unit: word.Draw(t, "unit"), Outcome: word.Draw(t, "outcome"),
	}
	for _, b := range []*bool{&c.Further, &c.Merged, &c.Closed, &c.Abandoned, &c.Owed, &c.CalledBack} {
		*b = rapid.Bool().Draw(t, "mark")
	}
	for m := range c.Times {
		c.Times[m] = rapid.SampledFrom([]time.Duration{None, 0, 14995 * time.Millisecond, 15 * time.Second, 15001 * time.Millisecond, 3 * time.Minute, 70 * time.Hour}).Draw(t, "time")
	}
	return c
}

// naive answers a question in the plainest way.
func naive(list []Contact, loc *time.Location, q Query) (total Figures, groups map[string]Figures) {
	in := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	num := func(list []int, n int) bool { return len(list) == 0 || slices.Contains(list, n) }
	times := map[string]*[Measures][]time.Duration{}
	groups = map[string]Figures{}
	for _, c := range list {
		at := c.Opened.In(loc)
		lane, weekday := CallLane, (int(at.Weekday())+6)%7+1
		if c.Report {
			lane = ReportLane
		}
		if DayOf(at) < q.First || DayOf(at) > q.Last || !in(q.Lanes, lane) || !in(q.Kinds, c.Kind) || !in(q.Districts, c.Unit) || !in(q.Results, c.Outcome) ||
			!q.Before.IsZero() && !at.Before(q.Before) || !num(q.Hours, at.Hour()) || !num(q.Weekdays, weekday) {
			continue
		}
		key := map[Dimension]string{
			ByHour: at.Format("15"), ByWeekday: fmt.Sprint(weekday), ByHourWeekday: fmt.Sprintf("%d-%s", weekday, at.Format("15")), ByDay: at.Format("2006-01-02"),
			ByMonth: at.Format("2006-01"), ByKind: c.Kind, ByDistrict: c.Unit, ByLane: lane, ByOutcome: c.Outcome,
		}[q.By]
		for name, f := range map[string]Figures{"total": total, "g" + key: groups[key]} {
			f.N++
			one := func(n *int, on bool) {
				if on {
					*n++
				}
			}
			own := !c.Further && !c.Merged
			one(&f.Reports, c.Report)
			one(&f.Cases, own)
			one(&f.Merged, c.Merged)
			one(&f.Closed, own && c.Closed)
			one(&f.ClosedReplied, own && c.Closed && c.Times[Reply] != None)
			one(&f.Answered, c.Times[Answer] != None)
			one(&f.Abandoned, c.Abandoned)
			one(&f.Owed, c.Owed)
			one(&f.CalledBack, c.CalledBack)
			if times[name] == nil {
				times[name] = &[Measures][]time.Duration{}
			}
			for m, d := range c.Times {
				if d != None {
					d = (d + 9999999) / 10000000 * 10000000
					times[name][m] = append(times[name][m], d)
				}
			}
			if name == "total" {
				total = f
			} else {
				groups[key] = f
			}
		}
	}
	spreads := func(name string, f *Figures) {
		for m := range f.Times {
			f.Times[m].Within = make([]int, len(q.Goals.Within[m]))
			if times[name] == nil || len(times[name][m]) == 0 {
				continue
			}
			f.Times[m] = naiveSpread(times[name][m], q.Goals.Within[m])
		}
	}
	spreads("total", &total)
	for key, f := range groups {
		spreads("g"+key, &f)
		groups[key] = f
	}
	return total, groups
}

func naiveSpread(v []time.Duration, goals []time.Duration) Spread {
	slices.Sort(v)
	sum := time.Duration(0)
	for _, d := range v {
		sum += d
	}
	rank := func(p float64) time.Duration {
		for i, d := range v {
			if float64(i+1) >= p*float64(len(v))-1e-9 {
				return d
			}
		}
		return 0
	}
	s := Spread{Within: []int{}, N: len(v), Mean: (sum / time.Duration(len(v))).Truncate(10 * time.Millisecond), P50: rank(.5), P90: rank(.9), P95: rank(.95)}
	for _, g := range goals {
		n, _ := slices.BinarySearchFunc(v, g, func(d, g time.Duration) int {
			if d <= g {
				return -1
			}
			return 1
		})
		s.Within = append(s.Within, n)
	}
	return s
}

// TestAnswersAreThoseOfTheNaiveWay asks every dimension with filters, across the change of the clocks.
func TestAnswersAreThoseOfTheNaiveWay(t *testing.T) {
	locs := []*time.Location{location(t, "Asia/Almaty"), time.UTC, location(t, "Europe/Berlin")}
	rapid.Check(t, func(t *rapid.T) {
		table, newest := New(), map[string]Contact{}
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			c := anyContact(t, 40)
			newest[c.ID] = c
			table.Put(c)
		}
		var list []Contact
		for _, c := range newest {
			list = append(list, c)
		}
		if table.Len() != len(list) {
			t.Fatalf("%d contacts, want %d", table.Len(), len(list))
		}
		loc := rapid.SampledFrom(locs).Draw(t, "zone")
		first := Day(1709000000/daySeconds) + Day(rapid.IntRange(-1, 5).Draw(t, "first"))
		some := func(name string) []string {
			return rapid.SliceOfN(rapid.SampledFrom([]string{"", "noise", "шу", "unknown"}), 0, 2).Draw(t, name)
		}
		q := Query{
			First: first, Last: first + Day(rapid.IntRange(0, 9).Draw(t, "days")), By: rapid.SampledFrom(Dimensions()).Draw(t, "by"),
			Lanes: rapid.SliceOfN(rapid.SampledFrom([]string{CallLane, ReportLane}), 0, 1).Draw(t, "lanes"), Kinds: some("kinds"), Districts: some("districts"),
			Results: some("results"), Hours: rapid.SliceOfN(rapid.IntRange(0, 23), 0, 8).Draw(t, "hours"),
			Weekdays: rapid.SliceOfN(rapid.IntRange(1, 7), 0, 3).Draw(t, "weekdays"), Goals: goals,
		}
		if rapid.Bool().Draw(t, "cut") {
			q.Before = time.Unix(rapid.Int64Range(1709000000, 1709600000).Draw(t, "before"), 0)
		}
		if err := q.Check(); err != nil {
			t.Fatal(err)
		}
		got := table.Ask(NewZone(loc), q)
		total, groups := naive(list, loc, q)
		if !reflect.DeepEqual(got.Total, total) {
			t.Fatalf("%+v\nwant %+v", got.Total, total)
		}
		sum := 0
		for _, r := range got.Rows {
			sum += r.N
			want, there := groups[r.Key]
			if !there && r.N == 0 {
				continue
			}
			if !reflect.DeepEqual(r.Figures, want) || r.Share != float64(r.N)/float64(total.N) {
				t.Fatalf("%s: %+v\nwant %+v", r.Key, r, want)
			}
		}
		if q.By != ByNothing && sum != total.N {
			t.Fatalf("the groups have %d of %d", sum, total.N)
		}
	})
}

func TestEmptyGroupsAreZeroAndNotMissing(t *testing.T) {
	z := NewZone(location(t, "Asia/Almaty"))
	first, last := day(t, "2026-01-30"), day(t, "2026-03-01")
	for by, want := range map[Dimension]int{ByHour: 24, ByWeekday: 7, ByHourWeekday: 168, ByDay: 31, ByMonth: 3, ByLane: 2, ByKind: 0, ByOutcome: 0, ByNothing: 0} {
		r := New().Ask(z, Query{First: first, Last: last, By: by, Goals: goals})
		if len(r.Rows) != want || r.Total.N != 0 || len(r.Total.Times[Answer].Within) != 2 {
			t.Errorf("%s: %d rows, want %d", by, len(r.Rows), want)
		}
	}
}

// TestClocksOfKazakhstan holds the change of 1 March 2024, when what was 24:00 at UTC+6 became 23:00.
func TestClocksOfKazakhstan(t *testing.T) {
	z := NewZone(location(t, "Asia/Almaty"))
	table := New()
	for i, at := range []string{"2024-02-29T16:59:59Z", "2024-02-29T17:00:00Z", "2024-02-29T17:59:59Z", "2024-02-29T18:00:00Z", "2024-02-29T18:59:59Z", "2024-02-29T19:00:00Z", "2026-11-23T18:59:59Z"} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		table.Put(Contact{ID: fmt.Sprint(i), Opened: moment, Times: none()})
	}
	r := table.Ask(z, Query{First: day(t, "2024-02-29"), Last: day(t, "2024-02-29"), By: ByHour})
	if r.Rows[22].N != 1 || r.Rows[23].N != 4 || r.Total.N != 5 { // the 23rd hour came twice
		t.Errorf("29 February: %d at 22, %d at 23, %d in all", r.Rows[22].N, r.Rows[23].N, r.Total.N)
	}
	r = table.Ask(z, Query{First: day(t, "2024-03-01"), Last: day(t, "2026-11-23"), By: ByDay})
	if r.Rows[0].N != 1 || r.Rows[len(r.Rows)-1].N != 1 {
		t.Error(r.Rows[0], r.Rows[len(r.Rows)-1])
	}
	offsets := z.Offsets(day(t, "2024-02-29"), day(t, "2024-03-02"))
	if len(offsets) != 2 || offsets[0].UTC != 6*time.Hour || offsets[1].UTC != 5*time.Hour || !offsets[1].From.Equal(time.Date(2024, 2, 29, 18, 0, 0, 0, time.UTC)) {
		t.Error(offsets)
	}
	if one := z.Offsets(day(t, "2026-11-23"), day(t, "2026-11-23")); len(one) != 1 || one[0].UTC != 5*time.Hour {
		t.Error(one)
	}
}

func TestRowsAreFoundAgainInALargeTable(t *testing.T) {
	table := New()
	for round := range 2 {
		for i := range 100_000 {
			c := Contact{ID: fmt.Sprint("id", i), Opened: time.Unix(int64(1.7e9)+int64(i), 0), Times: none()}
			c.Closed = round == 1
			table.Put(c)
		}
	}
	if s := table.Standing(); table.Len() != 100_000 || s.Open != 0 {
		t.Fatal(table.Len(), s)
	}
	table.Put(Contact{ID: "id70000", Opened: time.Unix(1.6e9, 0), Report: true, Times: none()})
	if s := table.Standing(); table.Len() != 100_000 || s.Open != 1 || s.Unanswered != 1 || !s.Oldest.Equal(time.Unix(1.6e9, 0)) {
		t.Fatal(table.Len(), s)
	}
}

func TestPercentilesOfManyAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.OneOf(rapid.Uint32Range(0, 3000), rapid.Uint32()), 1, 400).Draw(t, "times")
		ranks := []int{0, len(v) / 2, len(v) * 9 / 10, len(v) - 1}
		got := digits(v, ranks)
		slices.Sort(v)
		for i, r := range ranks {
			if got[i] != v[r] {
				t.Fatalf("rank %d: %d, want %d", r, got[i], v[r])
			}
		}
	})
}

func TestQuestionsWithoutMeaningAreRefused(t *testing.T) {
	for _, c := range []struct {
		q    Query
		want error
	}{
		{Query{By: ByHour}, nil}, {Query{By: "nonsense"}, ErrDimension}, {Query{}, ErrDimension}, {Query{By: ByDay, First: 2, Last: 1}, ErrDays},
		{Query{By: ByDay, Last: MaxDays - 1}, nil}, {Query{By: ByDay, Last: MaxDays}, ErrDays},
	} {
		if err := c.q.Check(); !errors.Is(err, c.want) {
			t.Error(c.q, err)
		}
	}
	for _, s := range []string{"", "2026-02-30", "2026-1-1", "1969-12-31", "2106-01-01", "9999999-01-01", "2026-01-01T00:00:00Z", "-"} {
		if d, err := ParseDay(s); err == nil {
			t.Error(s, d)
		}
	}
}

func TestWordsAreBounded(t *testing.T) {
	table := New()
	for i := range maxWords + 100 {
		table.Put(Contact{ID: fmt.Sprint(i), Opened: time.Unix(1.7e9, 0), Kind: fmt.Sprint("kind", i), Times: none()})
	}
	r := table.Ask(NewZone(time.UTC), Query{First: DayOf(time.Unix(1.7e9, 0).UTC()), Last: DayOf(time.Unix(1.7e9, 0).UTC()), By: ByKind})
	if len(r.Rows) != maxWords-1 || r.Rows[0].Key != Other || r.Rows[0].N != 102 {
		t.Error(len(r.Rows), r.Rows[0])
	}
}

// TestClocksThatChangeTwiceAYear reads zones to the end of the century.
func TestClocksThatChangeTwiceAYear(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Almaty", "Australia/Lord_Howe", "UTC"} {
		loc := location(t, name)
		c := NewZone(loc).clock()
		for at := int64(0); at < never; at += 86_400*11 + 3_599 {
			want := time.Unix(at, 0).In(loc)
			if d, h := c.local(uint32(at)); at > 86_400 && (d != DayOf(want) || h != want.Hour()) {
				t.Fatalf("%s: %v is on %v at %d", name, want, d, h)
			}
		}
	}
}
