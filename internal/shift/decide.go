package shift

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Event is what somebody wants of the roster or of duty.
type Event interface{ isEvent() }

// Events.
type (
	// Write enters a line of the roster or replaces the one of its id.
	Write struct {
		By   ident.StaffID
		Line Line
	}
	// Strike takes a line out that nobody is on duty by.
	Strike struct {
		By ident.StaffID
		ID ID
	}
	// Come is somebody going on duty.
	Come struct{ Staff ident.StaffID }
	// Go is somebody going off duty. What they have in hand stays theirs until somebody accepts it.
	Go struct{ Staff ident.StaffID }
)

func (Write) isEvent()  {}
func (Strike) isEvent() {}
func (Come) isEvent()   {}
func (Go) isEvent()     {}

// Fact is what a decision makes different.
type Fact interface{ Kind() string }

// Facts.
type (
	// Written is a line as it stands from now on.
	Written struct {
		By   ident.StaffID `json:"by"`
		Line Line          `json:"line"`
	}
	// Struck is a line that is no more.
	Struck struct {
		By ident.StaffID `json:"by"`
		ID ID            `json:"id"`
	}
	// Came is somebody on duty, by a line or without one.
	Came struct {
		Staff ident.StaffID `json:"staff"`
		Line  ID            `json:"line,omitempty"`
		Until time.Time     `json:"until"`
	}
	// Went is somebody off duty.
	Went struct {
		Staff ident.StaffID `json:"staff"`
	}
)

// Kind names the fact in its stored form.
func (Written) Kind() string { return "written" }

// Kind names the fact in its stored form.
func (Struck) Kind() string { return "struck" }

// Kind names the fact in its stored form.
func (Came) Kind() string { return "came" }

// Kind names the fact in its stored form.
func (Went) Kind() string { return "went" }

// Record is one fact with its place and time.
type Record struct {
	Version uint64
	At      time.Time
	Fact    Fact
}

// Decide says what becomes of an event, or refuses it; nothing has changed then.
func Decide(s State, now time.Time, ev Event) (Record, error) {
	now = now.UTC().Truncate(time.Millisecond)
	var fact Fact
	var err error
	switch e := ev.(type) {
	case Write:
		fact, err = write(s, now, e)
	case Strike:
		fact, err = strike(s, e)
	case Come:
		fact, err = come(s, now, e)
	case Go:
		fact, err = leave(s, e)
	default:
		err = fault.New(fault.BadValue, "shift", nil)
	}
	if err != nil {
		return Record{}, err
	}
	return Record{Version: s.Version + 1, At: now, Fact: fact}, nil
}

func write(s State, now time.Time, e Write) (Fact, error) {
	const op = "shift.write"
	l := e.Line
	l.From, l.To = l.From.UTC().Truncate(time.Millisecond), l.To.UTC().Truncate(time.Millisecond)
	if err := sound(l, now); err != nil {
		return nil, err
	}
	before, there := s.Lines[l.ID]
	switch on, _ := s.who(l.ID); {
	case there && !before.To.After(now):
		return nil, fault.New(fault.TooLate, op, nil) // what is over is history
	case there && on != "" && (l.Staff != before.Staff || l.From.After(now)):
		return nil, fault.New(fault.WrongState, op, nil) // they are on duty by it
	case !there && len(s.Lines) >= MaxLines:
		return nil, fault.New(fault.TooMany, op, nil)
	}
	for _, o := range s.Lines {
		meets := o.ID != l.ID && o.From.Before(l.To) && l.From.Before(o.To)
		if meets && (o.Staff == l.Staff || l.Seat != "" && o.Seat == l.Seat && o.Unit == l.Unit) {
			return nil, fault.New(fault.ShiftOverlap, op, nil)
		}
	}
	return Written{By: e.By, Line: l}, nil
}

// sound checks a line by itself.
func sound(l Line, now time.Time) error {
	bad := func(what string) error { return fault.Newf(fault.BadValue, "shift.write", "%s", what) }
	switch {
	case len(l.ID) == 0 || len(l.ID) > ident.Len:
		return bad("id")
	case l.Staff == "":
		return bad("staff")
	case !slices.Contains(Roles(), l.Role):
		return bad("role: not one that has shifts")
	case !short(l.Seat) || !short(l.Unit):
		return bad("seat or unit: longer than 40 letters, or not a line")
	case !l.From.Before(l.To) || l.To.Sub(l.From) > MaxTime:
		return bad("from, to: not a shift of at most 24 hours")
	case !l.To.After(now) || l.To.Sub(now) > AheadTime:
		return bad("from, to: over, or too far ahead")
	}
	return nil
}

func short(text string) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxSeat && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// who is on duty by a line.
func (s State) who(id ID) (ident.StaffID, bool) {
	for staff, d := range s.On {
		if d.Line == id {
			return staff, true
		}
	}
	return "", false
}

func strike(s State, e Strike) (Fact, error) {
	const op = "shift.strike"
	if _, ok := s.Lines[e.ID]; !ok {
		return nil, fault.New(fault.NoSuchShift, op, nil)
	}
	if _, on := s.who(e.ID); on {
		return nil, fault.New(fault.WrongState, op, nil)
	}
	return Struck{By: e.By, ID: e.ID}, nil
}

func come(s State, now time.Time, e Come) (Fact, error) {
	const op = "shift.come"
	if e.Staff == "" {
		return nil, fault.New(fault.BadValue, op, nil)
	}
	if s.OnDuty(e.Staff, now) {
		return nil, fault.New(fault.WrongState, op, nil)
	}
	listed := false
	for _, l := range s.Roster(now, now.Add(EarlyTime+time.Millisecond)) {
		if l.Staff == e.Staff {
			return Came{Staff: e.Staff, Line: l.ID, Until: l.To}, nil
		}
	}
	for _, l := range s.Lines {
		listed = listed || l.Staff == e.Staff
	}
	if listed {
		return nil, fault.New(fault.NoSuchShift, op, nil)
	}
	return Came{Staff: e.Staff}, nil
}

func leave(s State, e Go) (Fact, error) {
	if _, ok := s.On[e.Staff]; !ok {
		return nil, fault.New(fault.WrongState, "shift.go", nil)
	}
	return Went{Staff: e.Staff}, nil
}

// Apply returns the state after a record. It takes every record that Decide made.
func Apply(s State, r Record) State {
	s.Version = r.Version
	s.Lines, s.On, s.Known = maps.Clone(s.Lines), maps.Clone(s.On), maps.Clone(s.Known)
	if s.Lines == nil {
		s.Lines = map[ID]Line{}
	}
	if s.On == nil {
		s.On = map[ident.StaffID]Duty{}
	}
	if s.Known == nil {
		s.Known = map[ident.StaffID]bool{}
	}
	switch f := r.Fact.(type) {
	case Written:
		s.Lines[f.Line.ID], s.Known[f.Line.Staff] = f.Line, true
		if staff, on := s.who(f.Line.ID); on { // shorter or longer for who is on duty by it
			d := s.On[staff]
			d.Until = f.Line.To
			s.On[staff] = d
		}
	case Struck:
		delete(s.Lines, f.ID)
	case Came:
		s.On[f.Staff], s.Known[f.Staff] = Duty{Since: r.At, Line: f.Line, Until: f.Until}, true
	case Went:
		delete(s.On, f.Staff)
	}
	s.forget(r.At)
	return s
}

// forget drops from a state that is nobody else's yet what has long been over.
func (s State) forget(now time.Time) {
	maps.DeleteFunc(s.On, func(_ ident.StaffID, d Duty) bool { return !d.Until.IsZero() && now.Sub(d.Until) > KeptTime })
	maps.DeleteFunc(s.Lines, func(id ID, l Line) bool {
		_, on := s.who(id)
		return !on && now.Sub(l.To) > KeptTime
	})
}
