// Package outbox has the rules of messages to citizens: when each is sent, by which channel, and when
// one is given up. It sends nothing and reads no clock: attempts and their outcomes come in as facts,
// the next step goes out as a value. A caller records Begun, and only then lets a carrier send; so after a
// crash an attempt without an outcome is one of unknown outcome, never one that is forgotten.
package outbox

import "time"

// Channel is a way to a citizen, such as a text message.
type Channel string

// The channels. Push is free and at once, but only for those who allowed it.
const (
	Push Channel = "push"
	SMS  Channel = "sms"
)

// MaxChannels is how many ways one message may have; more are not looked at.
const MaxChannels = 4

// Message is what is known of one message. Its text is of no concern here. The zero value of Until
// means Policy.Life after Made.
type Message struct {
	ID       string
	Citizen  string // whose messages keep their order; never an address
	Made     time.Time
	Until    time.Time // after that it is worthless
	Urgent   bool      // goes in quiet hours too, and past those that are not urgent
	Channels []Channel // in order of preference
	Attempts []Attempt // owned by Apply; in order of their numbers
}

// Attempt is one try by one channel. It is told apart by its number, which counts from 1 within the message.
type Attempt struct {
	Channel Channel
	Begun   time.Time
	Ended   time.Time // zero while nothing is known
	Outcome Outcome   // nil while nothing is known
	Report  Report
}

// Report is what the carrier told later of a message that it had accepted.
type Report uint8

// The reports. A later one never takes back Delivered or Failed.
const (
	NoReport  Report = iota // nothing was told yet
	Delivered               // it reached the phone
	Failed                  // it will never reach the phone
)

// Outcome is how an attempt ended: Accepted, Refused, Later or Unknown.
type Outcome interface{ isOutcome() }

// Accepted says that the carrier took the message and calls it ID, for reports. ID may be empty.
type Accepted struct{ ID string }

// Refused says that this channel will never bring this message: a bad number, a subscription that is gone.
type Refused struct {
	Reason string
	Gone   bool // the address itself no longer exists: forget it
}

// Later says that the carrier did not take the message and may take it another time, not before At. The
// zero At leaves the time to the policy.
type Later struct {
	Reason string
	At     time.Time
}

// Unknown says that nobody knows whether the carrier took the message: the link was lost in between.
type Unknown struct{ Reason string }

func (Accepted) isOutcome() {}
func (Refused) isOutcome()  {}
func (Later) isOutcome()    {}
func (Unknown) isOutcome()  {}

// Quiet is the time of day in which only urgent messages are sent, in minutes since local midnight. From
// may be later than To: then it spans midnight. Equal means never.
type Quiet struct{ From, To int }

// Policy is how hard is tried. Zero values of a number mean none, so a Policy comes from configuration.
type Policy struct {
	Attempts   int           // of one channel; at least 1 is taken
	First      time.Duration // wait after the first failure; doubled after each further one
	Longest    time.Duration // no wait is longer, whatever a carrier asks for
	Life       time.Duration // after that a message is given up
	AnswerTime time.Duration // an attempt without an outcome counts as unknown after this
	// DoubtTime is how long an attempt of unknown outcome waits for a report before the message is sent
	// again. Shorter doubles more messages, longer delays those that were lost.
	DoubtTime time.Duration
	Repeats   int                       // how often a message is sent again that may have arrived; 0: never
	Reports   map[Channel]time.Duration // how long a report is waited for; none: accepted is the end
	Quiet     Quiet
}

// Step is what to do next: Send, Wait or End.
type Step interface{ isStep() }

// Send asks for an attempt with this number. Record it as Begun first.
type Send struct {
	Number  int
	Channel Channel
	// Again says that an earlier attempt may have arrived: count it, the citizen may read it twice.
	Again bool
}

// Wait asks to look again at Until, or when something is told.
type Wait struct{ Until time.Time }

// End says that nothing more is done.
type End struct {
	How    How
	Reason string // of a carrier, or one of the Reason constants; for the log and the operator
}

func (Send) isStep() {}
func (Wait) isStep() {}
func (End) isStep()  {}

// How is the way in which a message ended.
type How uint8

// The ends.
const (
	EndDelivered How = iota + 1 // the phone has it
	EndAccepted                 // a carrier took it, and no report is to be expected
	EndRefused                  // every channel refused it for good
	EndGivenUp                  // time or attempts are used up
)

// String names the end for metrics and records.
func (h How) String() string {
	switch h {
	case EndDelivered:
		return "delivered"
	case EndAccepted:
		return "accepted"
	case EndRefused:
		return "refused"
	case EndGivenUp:
		return "given_up"
	}
	return "none"
}

// Reasons that no carrier gave.
const (
	ReasonNoChannel = "no channel"
	ReasonExpired   = "expired"
	ReasonAttempts  = "attempts used up"
	ReasonDoubt     = "may have arrived"
	ReasonFailed    = "reported as failed"
	ReasonNoAnswer  = "no answer"
)
