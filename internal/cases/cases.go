// Package cases is the machine of one case: what a call or a report is about, from its
// registration to the reply that its citizen gets. It is pure: no clock, no I/O, no chance, and of
// the same shape as internal/call.
//
//	rec, effects, err := Decide(s, now, ev) // changes nothing
//	s = Apply(s, rec)                       // the only writer
//
// What concerns two cases at once (merge, split, link) is decided by functions of both, whose
// records are appended in one transaction.
package cases

import (
	"slices"
	"time"

	"jedel/internal/ident"
)

// Lane is the way by which a case came in.
type Lane string

// Lanes.
const (
	CallLane   Lane = "call"
	ReportLane Lane = "report"
)

// Status is where a case stands. It follows from the rest of the state.
type Status string

// Statuses.
const (
	Registered Status = "registered"
	InWork     Status = "in_work" // somebody owns it
	PatrolSent Status = "patrol_sent"
	OnScene    Status = "on_scene"
	Closed     Status = "closed"
	Reopened   Status = "reopened" // and nobody owns it yet
)

const (
	// UndoTime is how long whoever closed a case may take that back. Until it is over the citizen
	// is told nothing and the patrols stay assigned.
	UndoTime = 10 * time.Second
	// HearTime is how long a patrol may take to say that it has seen its task; then the case asks
	// for attention again.
	HearTime = 30 * time.Second
	// ReopenTime is how long after its closing a citizen may reopen a case; later it is a new one.
	ReopenTime = 30 * 24 * time.Hour
	// MaxLines bounds the lines of a card, MaxText the bytes of one text, MaxRecordings what is
	// recorded of one case.
	MaxLines      = 500
	MaxText       = 4096
	MaxRecordings = 500
	maxSendings   = 100
	maxMerged     = 500
)

// What kinds of lines a card has.
const (
	PlaceLine   = "place"
	PersonLine  = "person"
	VehicleLine = "vehicle"
	NoteLine    = "note"
)

// Place is where something is said to be. Lat and Lon are WGS 84 degrees and count where HasFix.
type Place struct {
	Source    string  `json:"source"` // device, caller, operator, words, patrol
	HasFix    bool    `json:"hasFix"`
	Lat       float64 `json:"lat,omitempty"`
	Lon       float64 `json:"lon,omitempty"`
	AccuracyM float64 `json:"accuracyM,omitempty"` // radius at 95 %, 0: unknown
	Words     string  `json:"words,omitempty"`
	// Derived is what a map makes of the position; nobody has said it.
	Derived *Derived `json:"derived,omitempty"`
}

// Derived is a position in words as a map has it, at the time the position came.
type Derived struct {
	KK         string  `json:"kk"`
	RU         string  `json:"ru"`
	EN         string  `json:"en"`
	Source     string  `json:"source"`               // embedded, gazetteer, photon, nominatim
	Confidence float64 `json:"confidence,omitempty"` // of RFC 7459; 0: the accuracy of the position is not known
}

// Line is one line of a case's card. Lines are only ever added and withdrawn, never changed.
type Line struct {
	ID    string        `json:"id"` // chosen by its maker; the same twice is one
	What  string        `json:"what"`
	At    time.Time     `json:"at"`
	By    ident.StaffID `json:"by,omitempty"` // empty: the citizen
	From  ident.CaseID  `json:"from,omitempty"`
	Place *Place        `json:"place,omitempty"`
	Name  string        `json:"name,omitempty"` // of a person; plate of a vehicle
	Role  string        `json:"role,omitempty"` // of a person: caller, victim, witness, suspect, other
	Phone string        `json:"phone,omitempty"`
	Text  string        `json:"text,omitempty"`
	Gone  bool          `json:"gone,omitempty"` // withdrawn
}

// Recording is what was recorded of a case: a call, a report, a patrol's photos, a camera's clip.
type Recording struct {
	ID   ident.CallID `json:"id"`
	Kind string       `json:"kind"`
	At   time.Time    `json:"at"`
	From ident.CaseID `json:"from,omitempty"` // the merged case that brought it
}

// Citizen is who is to be told. All may be empty: nobody is asked for a name.
type Citizen struct {
	Caller ident.CallerID `json:"caller,omitempty"`
	Name   string         `json:"name,omitempty"`
	Phone  string         `json:"phone,omitempty"`
	Lang   string         `json:"lang"`
}

// Sending is one patrol on its way to a case.
type Sending struct {
	Patrol   ident.StaffID `json:"patrol"`
	Name     string        `json:"name"`
	By       ident.StaffID `json:"by"`
	At       time.Time     `json:"at"`
	Reason   string        `json:"reason,omitempty"`
	Accepted time.Time     `json:"accepted"`
	EnRoute  time.Time     `json:"enRoute"`
	OnScene  time.Time     `json:"onScene"`
	Ended    time.Time     `json:"ended"`
	Why      string        `json:"why,omitempty"`  // cleared, recalled, declined, closed
	Late     bool          `json:"late,omitempty"` // HearTime passed without an answer
}

// Active reports whether the patrol still belongs to the case.
func (s Sending) Active() bool { return s.Ended.IsZero() }

// Reply is what the citizen was told.
type Reply struct {
	At     time.Time `json:"at"`
	Status Status    `json:"status"`
	Text   string    `json:"text,omitempty"`
}

// Closing is how a case was closed. Until Settled it may be taken back.
type Closing struct {
	At      time.Time
	By      ident.StaffID
	Outcome string
	Text    string // the reply to the citizen, in their language
	Settled bool
}

// Ties are what a case has to do with others.
type Ties struct {
	Links  []ident.CaseID
	Merged []ident.CaseID // cases that were merged into this one
	Into   ident.CaseID   // the case this one was merged into
}

// Hands are whose the case is, and what was done to it last.
type Hands struct {
	Owner   ident.StaffID
	Handing ident.StaffID // to whom the owner wants to hand it over
	// Classified and Changed are the versions at which it was last said what the case is, and at which a
	// person last did anything that whoever closes it should know.
	Classified, Changed uint64
}

// State is one case. The zero State is a case before its first record.
type State struct {
	ID       ident.CaseID
	Number   string
	Lane     Lane
	Opened   time.Time
	Version  uint64
	Status   Status
	Since    time.Time
	Kind     string // of the configured kinds; empty: not told yet
	Priority int    // 0 life at risk … 3
	Unit     string // whose case it is, a district or department; empty: the centre's
	Citizen  Citizen

	Card       []Line
	Recordings []Recording
	Sendings   []Sending
	Replies    []Reply
	Ties
	Hands
	Reopenings int
	Closing    Closing
}

// Times are the moments that statistics look at; zero where there was none.
type Times struct{ Owned, Sent, Arrived, Closed, Replied time.Time }

// Active returns the patrols that belong to the case now.
func (s State) Active() []Sending {
	return slices.DeleteFunc(slices.Clone(s.Sendings), func(x Sending) bool { return !x.Active() })
}

// Where returns the place that counts: the newest one with a position that a person has set, else the
// newest of a device; among those without, the newest words.
func (s State) Where() (Place, bool) {
	best, rank := Place{}, -1
	for _, l := range s.Card {
		if l.What != PlaceLine || l.Gone || l.Place == nil {
			continue
		}
		if r := l.placeRank(); r >= rank {
			best, rank = *l.Place, r
		}
	}
	return best, rank >= 0
}

// placeRank orders the places of a card: words alone, then positions of a device, a caller's pin, an operator's. What came
// with a merged case counts where the case has no position of its own: who is joined to a call does not move it.
func (l Line) placeRank() int {
	if !l.Place.HasFix {
		return 0
	}
	r := 1
	switch l.Place.Source {
	case "operator":
		r = 3
	case "caller":
		r = 2
	}
	if l.From == "" {
		r += 3
	}
	return r
}

// Moments returns when what statistics count happened first.
func (s State) Moments() Times {
	t := Times{}
	for _, x := range s.Sendings {
		t.Sent, t.Arrived = earlier(t.Sent, x.At), earlier(t.Arrived, x.OnScene)
	}
	for _, r := range s.Replies {
		if r.Status != Registered && t.Replied.IsZero() {
			t.Replied = r.At
		}
	}
	t.Closed = s.Closing.At
	return t
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Deadline returns when s wants a Tick, zero for never.
func (s State) Deadline() time.Time {
	if s.Status == Closed {
		if s.Closing.Settled || s.Into != "" {
			return time.Time{}
		}
		return s.Closing.At.Add(UndoTime)
	}
	at := time.Time{}
	for _, x := range s.Sendings {
		if x.Active() && x.Accepted.IsZero() && !x.Late {
			at = earlier(at, x.At.Add(HearTime))
		}
	}
	return at
}

// status is what the rest of s makes of it.
func (s State) status() Status {
	if !s.Closing.At.IsZero() {
		return Closed
	}
	active := s.Active()
	switch {
	case slices.ContainsFunc(active, func(x Sending) bool { return !x.OnScene.IsZero() }):
		return OnScene
	case len(active) > 0:
		return PatrolSent
	case s.Owner != "":
		return InWork
	case s.Reopenings > 0:
		return Reopened
	}
	return Registered
}
