// Package shift has the rules of who is on duty when: the roster, going on and off duty, and who may
// still touch a case. Whose a case is stands in the case (internal/cases); here stands who may give
// and take it.
package shift

import (
	"slices"
	"strings"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Bounds of a roster.
const (
	// EarlyTime is how long before their shift somebody may go on duty: the hand-over takes a while.
	EarlyTime = 30 * time.Minute
	// MaxTime is the longest shift.
	MaxTime = 24 * time.Hour
	// AheadTime is how far ahead a roster is written.
	AheadTime = 400 * 24 * time.Hour
	// KeptTime is how long a line that is over stays in the state; the records keep it for ever.
	KeptTime = 35 * 24 * time.Hour
	// MaxLines bounds the state: 50 people in three shifts for a month.
	MaxLines = 5000
	maxSeat  = 40
)

// Roles are those who work in shifts; internal/access calls it own_shift.
func Roles() []string {
	return []string{"operator", "dispatcher", "camera", "navigation", "supervisor", "patrol"}
}

// ID names a line of the roster.
type ID string

// Line is one shift of one person.
type Line struct {
	ID    ID            `json:"id"`
	Staff ident.StaffID `json:"staff"`
	Role  string        `json:"role"`
	Seat  string        `json:"seat"` // empty: none of their own
	Unit  string        `json:"unit"`
	From  time.Time     `json:"from"`
	To    time.Time     `json:"to"`
}

// Duty is somebody on duty.
type Duty struct {
	Since time.Time `json:"since"`
	Line  ID        `json:"line,omitempty"` // empty: no roster is written for them
	Until time.Time `json:"until"`          // the end of the line; zero: until they go
}

// State is how it stands. Apply makes a new one; nobody changes one.
type State struct {
	Version uint64                 `json:"version"` // of the last record
	Lines   map[ID]Line            `json:"lines"`
	On      map[ident.StaffID]Duty `json:"on"`
	Known   map[ident.StaffID]bool `json:"known"` // those who have ever been in the roster: rules of shifts hold for them
}

// duty is that of staff at a time; ok is false where they are not on duty, or past its end.
func (s State) duty(staff ident.StaffID, now time.Time) (d Duty, ok bool) {
	d, on := s.On[staff]
	return d, on && (d.Until.IsZero() || now.Before(d.Until))
}

// OnDuty reports whether staff is on duty.
func (s State) OnDuty(staff ident.StaffID, now time.Time) bool {
	_, ok := s.duty(staff, now)
	return ok
}

// MayAct refuses what somebody does to a case after their shift, except for what they have in hand.
// People for whom no roster was ever written, and who never went on duty, work as they did before
// there were rosters.
func (s State) MayAct(staff ident.StaffID, owner ident.StaffID, now time.Time) error {
	if staff != "" && staff == owner || !s.Known[staff] || s.OnDuty(staff, now) {
		return nil
	}
	return fault.New(fault.ShiftOver, "shift", nil)
}

// MayGive refuses a hand-over of owner's case to somebody. manager: whoever asks may hand over for
// others, who may have left.
func (s State) MayGive(by, owner, to ident.StaffID, manager bool, now time.Time) error {
	const op = "shift.give"
	switch {
	case owner == "" || by != owner && !manager:
		return fault.New(fault.CaseTaken, op, nil)
	case to == "": // the offer is taken back
		return nil
	case to == owner:
		return fault.New(fault.NoSuchOperator, op, nil)
	case s.Known[to] && !s.OnDuty(to, now):
		return fault.New(fault.NotReady, op, nil)
	}
	return nil
}

// MayAccept refuses to give a case to somebody whose shift ended after it was offered.
func (s State) MayAccept(by ident.StaffID, now time.Time) error {
	return s.MayAct(by, "", now)
}

// Successors are those whom staff may hand over to, the likeliest first: the same seat, then the
// same role, then the same unit, then who came last.
func (s State) Successors(staff ident.StaffID, now time.Time) []ident.StaffID {
	mine := s.Lines[s.On[staff].Line]
	var list []ident.StaffID
	for id := range s.On {
		if id != staff && s.OnDuty(id, now) {
			list = append(list, id)
		}
	}
	score := func(id ident.StaffID) (n int) {
		l := s.Lines[s.On[id].Line]
		for i, same := range []bool{l.Unit == mine.Unit, l.Role == mine.Role, l.Seat != "" && l.Seat == mine.Seat} {
			if same {
				n += 1 << i
			}
		}
		return n
	}
	slices.SortFunc(list, func(a, b ident.StaffID) int {
		if d := score(b) - score(a); d != 0 {
			return d
		}
		if d := s.On[b].Since.Compare(s.On[a].Since); d != 0 {
			return d
		}
		return strings.Compare(string(a), string(b))
	})
	return list
}

// Roster returns the lines that overlap a time, by their beginning.
func (s State) Roster(from, to time.Time) []Line {
	var list []Line
	for _, l := range s.Lines {
		if l.From.Before(to) && l.To.After(from) {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b Line) int {
		if d := a.From.Compare(b.From); d != 0 {
			return d
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return list
}

// Held is an open case as a hand-over sees it; whose it is stands in the case.
type Held struct {
	Case    ident.CaseID
	Number  string
	Unit    string
	Owner   ident.StaffID
	Handing ident.StaffID // to whom it is offered; empty: nobody
}

// Left are the cases whose owner is not on duty: somebody should take them over.
func (s State) Left(held []Held, now time.Time) []Held {
	var list []Held
	for _, h := range held {
		if h.Owner != "" && s.Known[h.Owner] && !s.OnDuty(h.Owner, now) {
			list = append(list, h)
		}
	}
	return list
}

// Hand is a wish to hand cases over.
type Hand struct {
	By, To  ident.StaffID
	Cases   []ident.CaseID
	Manages func(unit string) bool // whether By may hand over for others of a unit
}
