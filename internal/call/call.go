// Package call is the machine of one emergency call: what may happen in which phase, what is
// recorded, and what follows. It is pure: no clock, no I/O, no chance. The runtime appends the
// record that Decide returns to the store before it applies it and before anybody hears of it, so
// the records alone rebuild every state (DESIGN.md section 4).
//
//	rec, effects, err := Decide(s, now, ev) // changes nothing
//	s = Apply(s, rec)                       // the only writer
package call

import (
	"time"

	"jedel/internal/ident"
)

// Phase is where a call stands.
type Phase string

// Phases. A call is waiting in Queued and Offered, live from Connecting to Reconnecting.
const (
	Created      Phase = "created" // before its first record
	Queued       Phase = "queued"
	Offered      Phase = "offered"
	Connecting   Phase = "connecting"
	Talking      Phase = "talking"
	Hold         Phase = "hold"
	Conference   Phase = "conference"
	Reconnecting Phase = "reconnecting" // an answered caller has no link for the moment
	WrapUp       Phase = "wrapup"       // the talk is over, its operator writes it up
	Ended        Phase = "ended"
)

const (
	// RingTime is how long one offer may ring. Longer wastes the caller's time, shorter misses
	// operators who finish a note. NENA-STA-020.1: 90 % answered within 15 s.
	RingTime = 12 * time.Second
	// ConnectTime is how long an answered call may wait for media before it counts as talking by
	// text alone.
	ConnectTime = 15 * time.Second
	// ResumeWindow is how long a call waits for a caller without a link. Shorter drops people in
	// a lift, longer keeps an operator in a dead call.
	ResumeWindow = 120 * time.Second
	// SOSWindow replaces ResumeWindow while nobody has answered a call that a single datagram made: that one may be all that
	// their network ever let through, and somebody must have read it.
	SOSWindow = 30 * time.Minute
	// OperatorGrace is how long a talking caller waits for an operator whose link broke before
	// the call is offered at the head of the queue again: invariant I8 allows 3 s in all.
	OperatorGrace = 2500 * time.Millisecond
	// RestartGrace replaces OperatorGrace after the gateway itself was restarted: the pages come
	// back after up to 5 s of back-off, and it was not the operator who left.
	RestartGrace = 12 * time.Second
	// WrapTime is how long wrap-up may take before the case closes unclassified.
	WrapTime = 5 * time.Minute
)

// CallBack is whether the centre owes the caller a call.
type CallBack string

// States of the call-back task (invariant I11).
const (
	CallBackNone    CallBack = ""
	CallBackPending CallBack = "pending"
	CallBackDone    CallBack = "done"
)

// Person is who calls, as told; Proven says that the number was confirmed by a one-time code.
type Person struct {
	Name   string `json:"name,omitempty"`
	Phone  string `json:"phone,omitempty"`
	Proven bool   `json:"proven,omitempty"`
}

// Offer is one ringing at one operator.
type Offer struct {
	Epoch    uint64        `json:"epoch"`
	Operator ident.StaffID `json:"operator"`
	Until    time.Time     `json:"until"`
	Transfer bool          `json:"transfer,omitempty"` // the call has an owner who hands it over
}

// Closing is how a call came to its end.
type Closing struct {
	At       time.Time
	Reason   string // caller, operator, abandoned, dropped
	Category string
	Outcome  string
	CallBack CallBack
}

// State is one call. The zero State is a call before its first record.
type State struct {
	ID      ident.CallID
	Number  string
	Client  ident.ClientID // the caller's tab
	Caller  ident.CallerID // empty for an unregistered caller
	Person  Person
	Kind    string // video, voice, silent
	SOS     bool   // a single datagram made it
	Lang    string
	Version uint64 // records applied
	Phase   Phase
	Since   time.Time // when the phase began

	Priority int       // class, 1 is the most urgent
	QueuedAt time.Time // the original place in the queue, kept for ever

	Epoch      uint64 // of the newest offer
	Offer      *Offer // the live one; nil otherwise
	Operator   ident.StaffID
	AnsweredAt time.Time

	CallerGone   time.Time // zero while the caller has a link
	OperatorGone time.Time // when the owner's link broke, or the grace after a restart began
	Grace        time.Duration
	Resumes      Phase // what Reconnecting goes back to

	Guests []Guest // in the order they came; never changed in place

	Closing Closing
}

// Waiting reports whether the call stands in the queue, offered or not.
func (s State) Waiting() bool { return s.Phase == Queued || s.Phase == Offered }

// Live reports whether an operator and the caller are in the call.
func (s State) Live() bool {
	switch s.Phase {
	case Connecting, Talking, Hold, Conference, Reconnecting:
		return true
	}
	return false
}

// Open reports whether media and messages of the call are still taken.
func (s State) Open() bool { return s.Waiting() || s.Live() }

// resumeWindow is how long the call waits for a caller without a link.
func (s State) resumeWindow() time.Duration {
	if s.SOS && s.AnsweredAt.IsZero() {
		return SOSWindow
	}
	return ResumeWindow
}

// Deadline returns when s wants a Tick, zero for never.
func (s State) Deadline() time.Time {
	var first time.Time
	want := func(t time.Time) {
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	if s.Offer != nil {
		want(s.Offer.Until)
	}
	if s.Phase == Connecting {
		want(s.Since.Add(ConnectTime))
	}
	if s.Open() && !s.CallerGone.IsZero() {
		want(s.CallerGone.Add(s.resumeWindow()))
	}
	if s.Live() && !s.OperatorGone.IsZero() {
		want(s.OperatorGone.Add(s.Grace))
	}
	for _, g := range s.Guests {
		if !g.Gone.IsZero() {
			want(g.Gone.Add(g.Grace))
		}
	}
	if s.Phase == WrapUp {
		want(s.Since.Add(WrapTime))
	}
	return first
}
