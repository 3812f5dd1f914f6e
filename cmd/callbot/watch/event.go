// Package watch judges a gateway from outside: what callers and operators were told, and when,
// becomes figures and a list of broken promises. It is pure; times come with the events.
package watch

import "time"

// Event is one thing a bot did or was told.
type Event interface{ isEvent() }

// Tapped is a caller's press of the button.
type Tapped struct {
	Ref string
	At  time.Time
}

// Created is the gateway's word that a call exists.
type Created struct {
	Ref, Call, Number string
	At                time.Time
}

// Viewed is a call as its caller was shown it.
type Viewed struct {
	Call, Number, Phase, EndReason string
	At                             time.Time
}

// Forgotten is a caller coming back with an open call of which the gateway knows nothing.
type Forgotten struct {
	Call string
	At   time.Time
}

// Offered is a call that rings at an operator.
type Offered struct {
	Operator, Call, Number string
	Epoch                  uint64
	At, Until              time.Time
}

// Withdrawn is the end of a ringing as its operator was told.
type Withdrawn struct {
	Operator, Call string
	Epoch          uint64
	At             time.Time
}

// Accepted is an answer that the gateway took. Asked is when the operator pressed.
type Accepted struct {
	Operator, Call string
	Epoch          uint64
	Asked, At      time.Time
}

// Refused is an answer that the gateway refused: the offer had ended.
type Refused struct {
	Operator, Call string
	Epoch          uint64
	At             time.Time
}

// Left is a call that is no longer in an operator's hands.
type Left struct {
	Operator, Call string
	At             time.Time
}

// Arrived is the first packet of the other side after an answer. What is "audio" or "video".
type Arrived struct {
	Call, What string
	ToCaller   bool
	First
}

// First is when a first packet came, and when it was sent; Sent is zero where it does not tell.
type First struct{ At, Sent time.Time }

// Said is a chat line that the gateway confirmed to the caller; Read is one that an operator was
// shown.
type Said struct{ Call, ID string }

// Read is a chat line of a caller that an operator was shown.
type Read struct{ Call, ID string }

// SetUp is how long a line or a connection took. What is "socket" or "media".
type SetUp struct {
	What string
	Took time.Duration
}

// Ended is a bot that is done: what went over its connections, what it came to.
type Ended struct {
	Role string // caller, operator
	Legs Legs
	Err  error
}

func (Tapped) isEvent()    {}
func (Created) isEvent()   {}
func (Viewed) isEvent()    {}
func (Forgotten) isEvent() {}
func (Offered) isEvent()   {}
func (Withdrawn) isEvent() {}
func (Accepted) isEvent()  {}
func (Refused) isEvent()   {}
func (Left) isEvent()      {}
func (Arrived) isEvent()   {}
func (Said) isEvent()      {}
func (Read) isEvent()      {}
func (SetUp) isEvent()     {}
func (Ended) isEvent()     {}

// Leg is what went over one kind of media in one direction.
type Leg struct {
	Packets uint64 `json:"packets"`
	Lost    uint64 `json:"lost"` // sent: as the gateway reports; received: never came, also not on request
	Frames  uint64 `json:"frames,omitempty"`
}

// Legs are all four of a connection, or the sum of several.
type Legs struct {
	AudioSent     Leg `json:"audioSent"`
	VideoSent     Leg `json:"videoSent"`
	AudioReceived Leg `json:"audioReceived"`
	VideoReceived Leg `json:"videoReceived"`
}

func (l Leg) plus(m Leg) Leg {
	return Leg{l.Packets + m.Packets, l.Lost + m.Lost, l.Frames + m.Frames}
}

// Plus returns the sum of both.
func (l Legs) Plus(m Legs) Legs {
	return Legs{l.AudioSent.plus(m.AudioSent), l.VideoSent.plus(m.VideoSent), l.AudioReceived.plus(m.AudioReceived), l.VideoReceived.plus(m.VideoReceived)}
}
