package call

import (
	"slices"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

const (
	// MaxGuests is how many guests a call may have. Each costs four ways of packets.
	MaxGuests = 4
	// MaxVoices is how many of them may have a voice at once: as many as the pages of operator and
	// caller have spare slots of sound for.
	MaxVoices = 2
	// GuestGrace is how long a guest whose link broke keeps the place: a reloaded page, a patrol
	// under a bridge.
	GuestGrace = 15 * time.Second
)

// Part is what a guest is in the call.
type Part string

// Parts of guests.
const (
	Supervisor Part = "supervisor"
	Patrol     Part = "patrol"
)

// Mode is who hears a guest. Every guest hears caller, operator, and the guests who speak.
type Mode string

// Modes of guests.
const (
	Listen  Mode = "listen"  // nobody
	Whisper Mode = "whisper" // the operator alone; supervisors only
	Speak   Mode = "speak"   // everybody
)

// Guest is a member of staff in a call that is not theirs.
type Guest struct {
	Staff ident.StaffID
	Name  string
	As    Part
	Mode  Mode
	Voice int           // the slot they are heard in, 1 to MaxVoices; 0 while they listen
	Since time.Time     // when the mode began
	Gone  time.Time     // when the link broke
	Grace time.Duration // from then on
}

// Join brings a guest into a call, or sets the mode of one who is there. A patrol listens first.
type Join struct {
	Staff ident.StaffID
	Name  string
	As    Part
	Mode  Mode
}

// SetMode says who hears a guest from now on.
type SetMode struct {
	Staff ident.StaffID
	Mode  Mode
}

// Leave takes a guest out of a call. Why is left, other_call, answered or unassigned.
type Leave struct {
	Staff ident.StaffID
	Why   string
}

// GuestLeft tells that a guest's link broke.
type GuestLeft struct{ Staff ident.StaffID }

// GuestCame tells that a guest's link is back.
type GuestCame struct{ Staff ident.StaffID }

// TakeOver makes By the owner of a call that another operator has.
type TakeOver struct{ By ident.StaffID }

func (Join) isEvent()      {}
func (SetMode) isEvent()   {}
func (Leave) isEvent()     {}
func (GuestLeft) isEvent() {}
func (GuestCame) isEvent() {}
func (TakeOver) isEvent()  {}

// What is recorded of guests. Heard is nobody, operator or all: it tells whoever plays the
// recording who could hear the guest's stream.
type (
	// GuestJoined brought a guest into the call.
	GuestJoined struct {
		Staff ident.StaffID `json:"staff"`
		Name  string        `json:"name"`
		As    Part          `json:"as"`
		Mode  Mode          `json:"mode"`
		Voice int           `json:"voice,omitempty"`
		Heard string        `json:"heard"`
	}
	// GuestMode changed who hears a guest.
	GuestMode struct {
		Staff ident.StaffID `json:"staff"`
		Mode  Mode          `json:"mode"`
		Voice int           `json:"voice,omitempty"`
		Heard string        `json:"heard"`
	}
	// GuestLost noted a guest without a link.
	GuestLost struct {
		Staff ident.StaffID `json:"staff"`
	}
	// GuestBack noted the guest's link again.
	GuestBack struct {
		Staff ident.StaffID `json:"staff"`
	}
	// GuestGone took a guest out of the call.
	GuestGone struct {
		Staff ident.StaffID `json:"staff"`
		Why   string        `json:"why"` // left, other_call, answered, unassigned, link_lost
	}
	// TakenOver gave the call to a supervisor. It ends every offer and begins an epoch of its own.
	TakenOver struct {
		By    ident.StaffID `json:"by"`
		From  ident.StaffID `json:"from"`
		Epoch uint64        `json:"epoch"`
	}
)

// Kind returns the name under which the fact is stored.
func (GuestJoined) Kind() string { return "guest_joined" }
func (GuestMode) Kind() string   { return "guest_mode" }
func (GuestLost) Kind() string   { return "guest_lost" }
func (GuestBack) Kind() string   { return "guest_back" }
func (GuestGone) Kind() string   { return "guest_gone" }
func (TakenOver) Kind() string   { return "taken_over" }

// Guest returns a guest of the call.
func (s State) Guest(staff ident.StaffID) (Guest, bool) {
	i := s.guestAt(staff)
	if i < 0 {
		return Guest{}, false
	}
	return s.Guests[i], true
}

func (s State) guestAt(staff ident.StaffID) int {
	return slices.IndexFunc(s.Guests, func(g Guest) bool { return g.Staff == staff })
}

// guestEvent decides what concerns guests; ok is false for every other event.
func guestEvent(s State, now time.Time, ev Event) (rec Record, effects []Effect, err error, ok bool) {
	switch e := ev.(type) {
	case Join:
		rec, effects, err = join(s, now, e)
	case SetMode:
		rec, effects, err = setMode(s, now, e.Staff, e.Mode, "call.mode")
	case Leave:
		if s.guestAt(e.Staff) >= 0 {
			rec, effects, err = rerouted(s, now, GuestGone(e))
		}
	case GuestLeft:
		if g, in := s.Guest(e.Staff); in && g.Gone.IsZero() {
			rec, effects, err = record(now, GuestLost(e))
		}
	case GuestCame:
		if g, in := s.Guest(e.Staff); in && !g.Gone.IsZero() {
			rec, effects, err = rerouted(s, now, GuestBack(e))
		}
	case TakeOver:
		rec, effects, err = takeOver(s, now, e)
	default:
		return Record{}, nil, nil, false
	}
	return rec, effects, err, true
}

// rerouted records f and lets media follow the state after it.
func rerouted(s State, now time.Time, f Fact) (Record, []Effect, error) {
	return record(now, f, Route{Operator: Routed(Apply(s, Record{now, f}))})
}

func join(s State, now time.Time, e Join) (Record, []Effect, error) {
	const op = "call.join"
	if s.guestAt(e.Staff) >= 0 {
		return setMode(s, now, e.Staff, e.Mode, op)
	}
	switch {
	case e.Staff == "" || e.As != Supervisor && e.As != Patrol || e.As == Patrol && e.Mode != Listen:
		return refuse(fault.BadValue, op)
	case !s.Live() || s.Operator == e.Staff:
		return refuse(fault.WrongState, op)
	case len(s.Guests) >= MaxGuests:
		return refuse(fault.TooMany, op)
	}
	voice, code := voiceFor(s, Guest{As: e.As}, e.Mode)
	if code != "" {
		return refuse(code, op)
	}
	return rerouted(s, now, GuestJoined{Staff: e.Staff, Name: e.Name, As: e.As, Mode: e.Mode, Voice: voice, Heard: s.heard(e.Mode)})
}

func setMode(s State, now time.Time, staff ident.StaffID, m Mode, op string) (Record, []Effect, error) {
	g, in := s.Guest(staff)
	switch {
	case !in || !s.Open():
		return refuse(fault.WrongState, op)
	case g.Mode == m:
		return nothing()
	}
	voice, code := voiceFor(s, g, m)
	if code != "" {
		return refuse(code, op)
	}
	return rerouted(s, now, GuestMode{Staff: staff, Mode: m, Voice: voice, Heard: s.heard(m)})
}

// voiceFor returns the slot in which g is heard in mode m, or why that cannot be.
func voiceFor(s State, g Guest, m Mode) (int, fault.Code) {
	switch {
	case m == Listen:
		return 0, ""
	case m != Speak && (m != Whisper || g.As != Supervisor):
		return 0, fault.BadValue
	case g.Voice > 0:
		return g.Voice, ""
	}
	for v := 1; v <= MaxVoices; v++ {
		if !slices.ContainsFunc(s.Guests, func(g Guest) bool { return g.Voice == v }) {
			return v, ""
		}
	}
	return 0, fault.TooMany
}

// heard tells who hears a guest in a mode. Nothing makes a sound at a caller who must be silent.
func (s State) heard(m Mode) string {
	switch {
	case m == Listen:
		return "nobody"
	case m == Speak && s.Kind != "silent":
		return "all"
	}
	return "operator"
}

func takeOver(s State, now time.Time, e TakeOver) (Record, []Effect, error) {
	const op = "call.take_over"
	g, in := s.Guest(e.By)
	switch {
	case s.Live() && s.Operator == e.By:
		return nothing()
	case e.By == "" || in && g.As != Supervisor:
		return refuse(fault.Forbidden, op)
	case !s.Live():
		return refuse(fault.WrongState, op)
	}
	rec, effects, err := rerouted(s, now, TakenOver{By: e.By, From: s.Operator, Epoch: s.Epoch + 1})
	if s.Offer != nil {
		effects = append(effects, StopRing{Offer: *s.Offer, Why: "taken"})
	}
	return rec, effects, err
}

// guestFact enters a fact about guests into s; ok is false for every other fact.
func (s State) guestFact(r Record) (State, bool) {
	switch f := r.Fact.(type) {
	case GuestJoined:
		g := Guest{Staff: f.Staff, Name: f.Name, As: f.As, Mode: f.Mode, Voice: f.Voice, Since: r.At}
		s.Guests = append(slices.Clone(s.Guests), g)
	case GuestMode:
		s = s.changeGuest(f.Staff, func(g *Guest) { g.Mode, g.Voice, g.Since = f.Mode, f.Voice, r.At })
	case GuestLost:
		s = s.changeGuest(f.Staff, func(g *Guest) { g.Gone, g.Grace = r.At, GuestGrace })
	case GuestBack:
		s = s.changeGuest(f.Staff, func(g *Guest) { g.Gone, g.Grace = time.Time{}, 0 })
	case GuestGone:
		s = s.withoutGuest(f.Staff)
	case TakenOver:
		s.Offer, s.Operator, s.Epoch = nil, f.By, f.Epoch
		s.OperatorGone, s.Grace = time.Time{}, 0
		s = s.withoutGuest(f.By)
	default:
		return s, false
	}
	return s, true
}

// changeGuest changes one guest in a copy of the list.
func (s State) changeGuest(staff ident.StaffID, change func(*Guest)) State {
	if i := s.guestAt(staff); i >= 0 {
		s.Guests = slices.Clone(s.Guests)
		change(&s.Guests[i])
	}
	return s
}

// withoutGuest returns s without a guest; the owner of a call is none.
func (s State) withoutGuest(staff ident.StaffID) State {
	if i := s.guestAt(staff); i >= 0 {
		s.Guests = slices.Delete(slices.Clone(s.Guests), i, i+1)
	}
	if len(s.Guests) == 0 {
		s.Guests = nil
	}
	return s
}

// lateGuest returns the first guest whose grace is over.
func lateGuest(s State, now time.Time) (ident.StaffID, bool) {
	for _, g := range s.Guests {
		if !g.Gone.IsZero() && !now.Before(g.Gone.Add(g.Grace)) {
			return g.Staff, true
		}
	}
	return "", false
}

// guestsLost begins the grace of every guest: the gateway was restarted.
func guestsLost(s State, at time.Time) State {
	s.Guests = slices.Clone(s.Guests)
	for i := range s.Guests {
		s.Guests[i].Gone, s.Guests[i].Grace = at, RestartGrace
	}
	return s
}
