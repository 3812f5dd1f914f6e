package cases

import (
	"cmp"
	"slices"
	"time"

	"jedel/internal/ident"
)

// FreshTime is how old a patrol's position may be to be taken for where it is. At 60 km/h it is a
// kilometre away by then: longer proposes patrols that have driven off, shorter loses those in a bad net.
const FreshTime = 60 * time.Second

// Reason says why a patrol has its place among those proposed, or why it is not proposed.
type Reason string

// Reasons. The first three are of patrols that are proposed.
const (
	ByRoad     Reason = "road"
	Straight   Reason = "straight" // no road time is known
	NoPlace    Reason = "no_place" // the case has no position: the longest free first
	NoWay      Reason = "no_way"   // no road leads there
	Stale      Reason = "stale"    // its position is older than FreshTime
	Nowhere    Reason = "nowhere"  // it has no position
	HasRefused Reason = "declined" // this case
	IsBusy     Reason = "busy"     // at another case
	OffDuty    Reason = "off"
)

// Unit is a patrol as it stands. Seconds is how long it takes by road; 0 where that is not known, below 0
// where no road leads there.
type Unit struct {
	Patrol  ident.StaffID
	State   string
	Since   time.Time
	Place   *Place
	FixAt   time.Time
	Seconds float64
}

// Choice is a patrol for a case. M is the distance in metres in a straight line, below 0 where it is not
// known.
type Choice struct {
	Unit
	By Reason
	M  float64
}

// Rank divides patrols into those to propose for s, the best first, and those that are left out, each with
// its reason. Every unit that is not at s already is in one of both.
func Rank(s State, units []Unit, now time.Time) (best, left []Choice) {
	where, known := s.Where()
	known = known && where.HasFix
	for _, u := range units {
		if slices.ContainsFunc(s.Sendings, func(x Sending) bool { return x.Active() && x.Patrol == u.Patrol }) {
			continue
		}
		c := Choice{Unit: u, M: -1}
		if known && u.Place != nil {
			c.M = Metres(where, *u.Place)
		}
		if c.By = u.unfit(s, now); c.By != "" {
			left = append(left, c)
			continue
		}
		switch {
		case !known:
			c.By = NoPlace
		case u.Seconds > 0:
			c.By = ByRoad
		default:
			c.By = Straight
		}
		best = append(best, c)
	}
	slices.SortStableFunc(best, better)
	slices.SortStableFunc(left, func(a, b Choice) int {
		return cmp.Or(cmp.Compare(a.By.rank(), b.By.rank()), near(a, b), cmp.Compare(a.Patrol, b.Patrol))
	})
	return best, left
}

// unfit is why a patrol is not proposed for s; empty where it is.
func (u Unit) unfit(s State, now time.Time) Reason {
	switch {
	case u.State == "off":
		return OffDuty
	case u.State != "available":
		return IsBusy
	case slices.ContainsFunc(s.Sendings, func(x Sending) bool { return x.Patrol == u.Patrol && x.Why == "declined" }):
		return HasRefused
	case u.Place == nil:
		return Nowhere
	case now.Sub(u.FixAt) > FreshTime:
		return Stale
	case u.Seconds < 0:
		return NoWay
	}
	return ""
}

// better orders those proposed: who has a way by its time, then by distance, then the longest free.
func better(a, b Choice) int {
	road := func(c Choice) int {
		if c.By == ByRoad {
			return 0
		}
		return 1
	}
	if n := cmp.Compare(road(a), road(b)); n != 0 {
		return n
	}
	if a.By == ByRoad {
		if n := cmp.Compare(a.Seconds, b.Seconds); n != 0 {
			return n
		}
	}
	return cmp.Or(near(a, b), a.Since.Compare(b.Since), cmp.Compare(a.Patrol, b.Patrol))
}

// near orders by distance; those whose distance is not known come last.
func near(a, b Choice) int {
	switch {
	case (a.M < 0) != (b.M < 0):
		return cmp.Compare(b.M, a.M)
	case a.M < 0:
		return 0
	}
	return cmp.Compare(a.M, b.M)
}

// rank orders those left out: who could go after all comes first.
func (r Reason) rank() int {
	return slices.Index([]Reason{Stale, Nowhere, NoWay, HasRefused, IsBusy, OffDuty}, r)
}
