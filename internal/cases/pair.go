package cases

import (
	"slices"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Pair is what is decided of two cases at once; a fact that is nil means nothing new.
type Pair struct{ A, B Entry }

func pair(now time.Time, a, b Fact) Pair { return Pair{Entry{now, a}, Entry{now, b}} }

func refusePair(code fault.Code, op string) (Pair, error) { return Pair{}, fault.New(code, op, nil) }

// Merge puts a into b, because both are about one event: b gets its card and its recordings, and a
// follows how b goes. Both must be open and stand by themselves, so that the cases merged into one
// another form a forest one level deep; what was merged into a before goes first.
func Merge(a, b State, now time.Time, by ident.StaffID) (Pair, error) {
	const op = "case.merge"
	switch {
	case a.Version == 0 || b.Version == 0:
		return refusePair(fault.NoSuchCase, op)
	case a.ID == b.ID:
		return refusePair(fault.BadValue, op)
	case a.Into == b.ID:
		return Pair{}, nil
	case a.Into != "" || b.Into != "" || len(a.Merged) > 0:
		return refusePair(fault.CaseMerged, op)
	case a.Status == Closed || b.Status == Closed:
		return refusePair(fault.CaseClosed, op)
	case len(a.Active()) > 0:
		return refusePair(fault.PatrolThere, op)
	case len(b.Merged) >= maxMerged, len(a.Card)+len(b.Card) > MaxLines, len(a.Recordings)+len(b.Recordings) > MaxRecordings:
		return refusePair(fault.TooMany, op)
	}
	in := Absorbed{By: by, Case: a.ID, Card: slices.Clone(a.Card), Recordings: slices.Clone(a.Recordings)}
	for i := range in.Card {
		in.Card[i].From = a.ID
		in.Card[i].ID = string(a.ID) + "." + in.Card[i].ID // two citizens may have chosen the same
	}
	for i := range in.Recordings {
		in.Recordings[i].From = a.ID
	}
	return pair(now, Merged{By: by, Into: b.ID}, in), nil
}

// Split takes a out of b again.
func Split(a, b State, now time.Time, by ident.StaffID) (Pair, error) {
	const op = "case.split"
	switch {
	case a.Version == 0 || b.Version == 0:
		return refusePair(fault.NoSuchCase, op)
	case a.Into != b.ID:
		if slices.Contains(b.Merged, a.ID) { // a was reopened by its citizen
			return pair(now, nil, Released{By: by, Case: a.ID}), nil
		}
		return Pair{}, nil
	case a.Status == Closed:
		return refusePair(fault.CaseClosed, op)
	}
	return pair(now, Parted{By: by}, Released{By: by, Case: a.ID}), nil
}

// Link notes, or with off forgets, that two cases have to do with each other.
func Link(a, b State, now time.Time, by ident.StaffID, off bool) (Pair, error) {
	const op = "case.link"
	switch {
	case a.Version == 0 || b.Version == 0:
		return refusePair(fault.NoSuchCase, op)
	case a.ID == b.ID:
		return refusePair(fault.BadValue, op)
	case len(a.Links) >= maxMerged || len(b.Links) >= maxMerged:
		return refusePair(fault.TooMany, op)
	}
	var p Pair
	if slices.Contains(a.Links, b.ID) == off {
		p.A = Entry{now, Linked{By: by, Case: b.ID, Off: off}}
	}
	if slices.Contains(b.Links, a.ID) == off {
		p.B = Entry{now, Linked{By: by, Case: a.ID, Off: off}}
	}
	return p, nil
}
