package cases

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"jedel/internal/ident"

	"pgregory.net/rapid"
)

func placed(lat, lon float64) State {
	return State{ID: "c", Version: 1, Card: []Line{{ID: "fix", What: PlaceLine, Place: &Place{Source: "device", HasFix: true, Lat: lat, Lon: lon}}}}
}

func free(id string, lat float64, age time.Duration) Unit {
	return Unit{Patrol: ident.StaffID(id), State: "available", Place: &Place{HasFix: true, Lat: lat, Lon: 69}, FixAt: t0.Add(-age)}
}

func order(list []Choice) string {
	out := ""
	for _, c := range list {
		out += string(c.Patrol) + ":" + string(c.By) + " "
	}
	return out
}

func TestTheNearestFreePatrolsAreProposedAndTheOthersSayWhyNot(t *testing.T) {
	s := placed(54.87, 69)
	s.Sendings = []Sending{
		{Patrol: "there"}, {Patrol: "no", Ended: t0, Why: "declined"}, {Patrol: "back", Ended: t0, Why: "recalled"},
	}
	off, busy, nowhere := free("off", 54.87, 0), free("busy", 54.87, 0), free("nowhere", 54.87, 0)
	off.State, busy.State, nowhere.Place = "off", "en_route", nil
	cut := free("cut", 54.87, 0)
	cut.Seconds = -1
	fast := free("fast", 54.95, 0)
	fast.Seconds = 240
	best, left := Rank(s, []Unit{
		off, busy, nowhere, cut, free("far", 54.97, time.Second), free("near", 54.88, FreshTime), free("old", 54.87, FreshTime+time.Second),
		free("no", 54.87, 0), free("back", 54.90, 0), free("there", 54.87, 0), fast,
	}, t0)
	if got := order(best); got != "fast:road near:straight back:straight far:straight " {
		t.Error(got)
	}
	if got := order(left); got != "old:stale nowhere:nowhere cut:no_way no:declined busy:busy off:off " {
		t.Error(got)
	}
	if best[1].M < 1000 || best[1].M > 1200 || left[1].M != -1 {
		t.Error(best[1].M, left[1].M)
	}
}

func TestWithoutAPlaceTheLongestFreeIsFirst(t *testing.T) {
	a, b := free("a", 54, 0), free("b", 54, 0)
	a.Since, b.Since = t0, t0.Add(-time.Hour)
	best, _ := Rank(State{Version: 1}, []Unit{a, b}, t0)
	if got := order(best); got != "b:no_place a:no_place " {
		t.Error(got)
	}
}

// TestRankLosesNobodyAndDependsOnNoOrder holds that each patrol is in one list, in the same place whatever
// order they come in.
func TestRankLosesNobodyAndDependsOnNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := placed(54, 69)
		if rapid.Bool().Draw(t, "no place") {
			s.Card = nil
		}
		var units []Unit
		for i := range rapid.IntRange(0, 12).Draw(t, "units") {
			u := free(strconv.Itoa(i), 54+float64(rapid.IntRange(0, 3).Draw(t, "lat"))/100, time.Duration(rapid.IntRange(0, 120).Draw(t, "age"))*time.Second)
			u.State = rapid.SampledFrom([]string{"off", "available", "available", "on_scene"}).Draw(t, "state")
			u.Seconds = float64(rapid.IntRange(-1, 2).Draw(t, "seconds"))
			if rapid.IntRange(0, 4).Draw(t, "blind") == 0 {
				u.Place = nil
			}
			units = append(units, u)
		}
		best, left := Rank(s, units, t0)
		if len(best)+len(left) != len(units) {
			t.Fatalf("%d of %d", len(best)+len(left), len(units))
		}
		for _, c := range best {
			if c.State != "available" || c.Place == nil || t0.Sub(c.FixAt) > FreshTime {
				t.Fatalf("proposed: %+v", c)
			}
		}
		slices.Reverse(units)
		again, others := Rank(s, units, t0)
		if order(best) != order(again) || order(left) != order(others) {
			t.Fatalf("%s| %s\n%s| %s", order(best), order(left), order(again), order(others))
		}
	})
}
