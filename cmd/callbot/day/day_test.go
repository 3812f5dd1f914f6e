package day

import (
	"math"
	"reflect"
	"testing"
	"time"

	"jedel/cmd/callbot/city"
	"jedel/signaling/wire"

	"pgregory.net/rapid"
)

// monday is a Monday's midnight in Petropavl.
func monday() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, Zone()) }

// week returns the moments of all calls and reports of a week.
func week(seed uint64, from time.Time, rates Rates) (calls, reports []time.Duration) {
	p := New(seed, from, rates)
	for {
		j := p.Next()
		if j == nil || j.When() >= 7*24*time.Hour {
			return calls, reports
		}
		if _, ok := j.(Call); ok {
			calls = append(calls, j.When())
		} else {
			reports = append(reports, j.When())
		}
	}
}

// TestAWeekHasAsManyCallsAsPlanned holds for any rate, seed and beginning that the number of calls of a
// week is that of a Poisson process with that mean: within five standard deviations.
func TestAWeekHasAsManyCallsAsPlanned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates := Rates{CallsPerHour: rapid.Float64Range(0.5, 8).Draw(t, "calls"), ReportsPerHour: rapid.Float64Range(0.5, 8).Draw(t, "reports")}
		from := monday().Add(time.Duration(rapid.IntRange(0, 167).Draw(t, "hour")) * time.Hour)
		calls, reports := week(rapid.Uint64().Draw(t, "seed"), from, rates)
		for name, c := range map[string]struct {
			n    int
			rate float64
		}{"calls": {len(calls), rates.CallsPerHour}, "reports": {len(reports), rates.ReportsPerHour}} {
			want := c.rate * 7 * 24
			if off := math.Abs(float64(c.n) - want - 1); off > 5*math.Sqrt(want)+2 {
				t.Fatalf("%d %s, want about %.0f", c.n, name, want)
			}
		}
	})
}

// TestTheCurveHasAMeanOfOne is what the rates mean.
func TestTheCurveHasAMeanOfOne(t *testing.T) {
	sum, most := 0.0, 0.0
	for h := range 7 * 24 {
		w := Weight(monday().Add(time.Duration(h) * time.Hour))
		sum, most = sum+w, max(most, w)
	}
	if mean := sum / (7 * 24); math.Abs(mean-1) > 1e-9 || most > heaviest()+1e-9 {
		t.Fatal(mean, most, heaviest())
	}
}

// TestTheFoundingCaseHasItsPeaks plans four weeks of 120 calls a day: the evening is busier than the
// night, and the weekend than the week.
func TestTheFoundingCaseHasItsPeaks(t *testing.T) {
	p := New(7, monday(), Rates{CallsPerHour: CallsPerDay / 24})
	var all, evening, night, weekend int
	for j := p.Next(); j.When() < 28*24*time.Hour; j = p.Next() {
		at := monday().Add(j.When())
		all++
		if h := at.Hour(); h >= 18 && h < 23 {
			evening++
		} else if h >= 2 && h < 7 {
			night++
		}
		if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
			weekend++
		}
	}
	if perDay := float64(all) / 28; math.Abs(perDay-CallsPerDay) > 12 {
		t.Errorf("%.1f calls a day", perDay)
	}
	if evening < 3*night || float64(weekend)/8 < 1.1*float64(all-weekend)/20 {
		t.Errorf("%d in evenings, %d in nights, %d at weekends, %d in all", evening, night, weekend, all)
	}
}

// TestTheSameSeedMakesTheSameDay holds that a plan is determined, in order, and whole.
func TestTheSameSeedMakesTheSameDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		rates := Rates{CallsPerHour: 20, ReportsPerHour: 30}
		one, two, other := New(seed, monday(), rates), New(seed, monday(), rates), New(seed+1, monday(), rates)
		last, differ := time.Duration(0), false
		for range 60 {
			a, b := one.Next(), two.Next()
			if !reflect.DeepEqual(a, b) || a.When() < last {
				t.Fatalf("%+v\n%+v", a, b)
			}
			differ = differ || !reflect.DeepEqual(a, other.Next())
			last = a.When()
			whole(t, a)
		}
		if !differ {
			t.Fatal("every seed makes the same day")
		}
	})
}

// whole holds that nothing is missing of a job.
func whole(t interface{ Fatalf(string, ...any) }, j Job) {
	switch j := j.(type) {
	case Call:
		theme, ok := ThemeOf(j.Theme)
		if !ok || theme.Category == "" || Line(theme, j.Lang, 0) == "" || j.Talk <= 0 || j.Patience <= 0 || j.Where.RU == "" {
			t.Fatalf("%+v", j)
		}
		if j.Kind == wire.KindSilent && !j.Types {
			t.Fatalf("silent and says nothing: %+v", j)
		}
	case Report:
		theme, ok := ThemeOf(j.Theme)
		if !ok || theme.Report == "" || j.Text == "" || theme.Plate != (j.Plate != "") || city.Metres(j.From, j.Where.Spot) > 901 {
			t.Fatalf("%+v", j)
		}
	}
}

func TestNothingIsPlannedWhereNothingComes(t *testing.T) {
	if j := New(1, monday(), Rates{}).Next(); j != nil {
		t.Fatal(j)
	}
	if j, ok := New(1, monday(), Rates{ReportsPerHour: 1}).Next().(Report); !ok || j.When() != firstReport {
		t.Fatal(j)
	}
}

func TestEverySceneIsPlayable(t *testing.T) {
	for _, name := range Scenes() {
		jobs := Scene(name, 5)
		if len(jobs) == 0 || !reflect.DeepEqual(jobs, Scene(name, 5)) {
			t.Fatal(name, jobs)
		}
		last := time.Duration(0)
		for _, j := range jobs {
			if j.When() < last {
				t.Fatal(name, "not in order")
			}
			last = j.When()
			if r, ok := j.(Report); !ok || name != "fight" { // who reports a fight need not know a plate
				whole(t, j)
			} else if r.Text == "" {
				t.Fatal(r)
			}
		}
	}
	if Scene("earthquake", 1) != nil {
		t.Fatal("a scene that nobody wrote")
	}
}

// TestTenReportsOfAFireAreOneEvent holds what the server's proposals look at: one kind, one place, minutes
// apart.
func TestTenReportsOfAFireAreOneEvent(t *testing.T) {
	jobs := Scene("same-fire-10-reports", 9)
	first := jobs[0].(Report)
	for _, j := range jobs {
		r := j.(Report)
		if r.Theme != first.Theme || city.Metres(r.From, first.From) > 90 || r.At-first.At > time.Minute {
			t.Fatalf("%+v", r)
		}
	}
	if len(jobs) != 10 {
		t.Fatal(len(jobs))
	}
}

// TestThemesAreToldInThreeLanguages holds as many lines in each.
func TestThemesAreToldInThreeLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, theme := range Themes() {
		n := len(theme.Says["kk"])
		for _, l := range Langs() {
			if len(theme.Says[l]) != n || n == 0 {
				t.Errorf("%s: %d lines in %s, %d in kk", theme.Key, len(theme.Says[l]), l, n)
			}
		}
		if seen[theme.Key] || theme.Calls > 0 && theme.Category == "" || theme.Reports > 0 && theme.Report == "" || theme.Outcome == "" {
			t.Errorf("%+v", theme)
		}
		seen[theme.Key] = true
	}
}
