package call

import (
	"time"

	"jedel/internal/ident"
)

// Event is something that happened or was asked for. The set is closed.
type Event interface{ isEvent() }

// Create is the tap. Number and ID were assigned by the store.
type Create struct {
	ID       ident.CallID
	Number   string
	Client   ident.ClientID
	Caller   ident.CallerID
	Person   Person
	Kind     string
	Lang     string
	Priority int
	SOS      bool // made by a single datagram
}

// Propose asks to let the call ring at Operator; the queue decided so.
type Propose struct{ Operator ident.StaffID }

// Transfer is the owner's wish to hand the call to another operator.
type Transfer struct{ By, To ident.StaffID }

// Accept answers the offer of Epoch.
type Accept struct {
	Operator ident.StaffID
	Epoch    uint64
}

// Reject declines the offer of Epoch.
type Reject struct {
	Operator ident.StaffID
	Epoch    uint64
}

// Connected tells that media flows between caller and owner.
type Connected struct{}

// SetHold holds the call or takes it back.
type SetHold struct {
	By ident.StaffID
	On bool
}

// CallerLeft tells that the caller has neither socket nor media any more.
type CallerLeft struct{}

// CallerCame tells that the caller has a link again.
type CallerCame struct{}

// OperatorLeft tells that an operator's link broke.
type OperatorLeft struct{ Operator ident.StaffID }

// OperatorCame tells that an operator's link is back.
type OperatorCame struct{ Operator ident.StaffID }

// SetContact is what an unregistered caller tells of themselves.
type SetContact struct{ Name, Phone string }

// HangUp ends the talk. By is empty when the caller hangs up.
type HangUp struct{ By ident.StaffID }

// Classify ends wrap-up.
type Classify struct {
	By                ident.StaffID
	Category, Outcome string
}

// CallBackMade closes the call-back task.
type CallBackMade struct {
	By      ident.StaffID
	Outcome string
}

// Adopt tells that a node took the call over from its records: after a restart, or from another.
type Adopt struct {
	Node  ident.NodeID
	Epoch uint64
}

// Tick tells that Deadline has come.
type Tick struct{}

func (Create) isEvent()       {}
func (Propose) isEvent()      {}
func (Transfer) isEvent()     {}
func (Accept) isEvent()       {}
func (Reject) isEvent()       {}
func (Connected) isEvent()    {}
func (SetHold) isEvent()      {}
func (CallerLeft) isEvent()   {}
func (CallerCame) isEvent()   {}
func (OperatorLeft) isEvent() {}
func (OperatorCame) isEvent() {}
func (SetContact) isEvent()   {}
func (HangUp) isEvent()       {}
func (Classify) isEvent()     {}
func (CallBackMade) isEvent() {}
func (Adopt) isEvent()        {}
func (Tick) isEvent()         {}

// Effect is what must be done after a record is durable. Effects may be carried out twice.
// Views for people are not effects: the runtime shows every new state.
type Effect interface{ isEffect() }

// Ring lets the offer ring at its operator.
type Ring struct{ Offer Offer }

// StopRing withdraws an offer. Why is taken, expired, rejected, ended, link_lost or restart.
type StopRing struct {
	Offer Offer
	Why   string
}

// Route says that Routes of the state after the decision hold from now on: caller and Operator hear
// and see each other, or nobody does where Operator is empty; guests as their modes say.
type Route struct{ Operator ident.StaffID }

// Archive wants the call recorded.
type Archive struct{}

// CloseMedia ends the media of the call; its record goes on until Seal.
type CloseMedia struct{}

// Seal ends the record.
type Seal struct{}

func (Ring) isEffect()       {}
func (StopRing) isEffect()   {}
func (Route) isEffect()      {}
func (Archive) isEffect()    {}
func (CloseMedia) isEffect() {}
func (Seal) isEffect()       {}

// Record is one decision. At is its time: within the process it carries the monotonic clock.
type Record struct {
	At   time.Time
	Fact Fact
}

// Fact is what was decided. The set is closed; each is stored as JSON under its Kind.
type Fact interface{ Kind() string }

// The facts, in the order of a call's life.
type (
	// Opened made the call and put it into the queue.
	Opened struct {
		ID       ident.CallID   `json:"id"`
		Number   string         `json:"number"`
		Client   ident.ClientID `json:"client"`
		Caller   ident.CallerID `json:"caller,omitempty"`
		Person   Person         `json:"person"`
		CallKind string         `json:"kind"`
		Lang     string         `json:"lang"`
		Priority int            `json:"priority"`
		SOS      bool           `json:"sos,omitempty"`
	}
	// Proposed let the call ring.
	Proposed struct {
		Offer Offer `json:"offer"`
	}
	// Lapsed ended an offer without an answer; the call is back at its place.
	Lapsed struct {
		Epoch    uint64        `json:"epoch"`
		Operator ident.StaffID `json:"operator"`
		Why      string        `json:"why"`
	}
	// Accepted gave the call to its operator.
	Accepted struct {
		Epoch    uint64        `json:"epoch"`
		Operator ident.StaffID `json:"operator"`
		From     ident.StaffID `json:"from,omitempty"` // who handed it over
	}
	// Talked began the talk.
	Talked struct {
		Media bool `json:"media"` // false: by text alone
	}
	// Held changed hold.
	Held struct {
		On bool `json:"on"`
	}
	// CallerLost noted a caller without a link.
	CallerLost struct{}
	// CallerBack noted the link again.
	CallerBack struct{}
	// OperatorLost noted an owner without a link.
	OperatorLost struct {
		Operator ident.StaffID `json:"operator"`
	}
	// OperatorBack noted the owner's link again.
	OperatorBack struct {
		Operator ident.StaffID `json:"operator"`
	}
	// Requeued took the call from an owner who did not come back and put it at its old place.
	Requeued struct {
		From ident.StaffID `json:"from"`
	}
	// ContactTold is what the caller said of themselves.
	ContactTold struct {
		Name  string `json:"name"`
		Phone string `json:"phone"`
	}
	// HungUp ended the talk.
	HungUp struct {
		Reason   string        `json:"reason"` // caller, operator, abandoned, dropped
		By       ident.StaffID `json:"by,omitempty"`
		WrapUp   bool          `json:"wrapUp"`   // an operator writes it up
		CallBack bool          `json:"callBack"` // the centre owes a call
	}
	// Classified ended wrap-up.
	Classified struct {
		By       ident.StaffID `json:"by,omitempty"` // empty: the time for it ran out
		Category string        `json:"category"`
		Outcome  string        `json:"outcome"`
	}
	// CalledBack closed the call-back task.
	CalledBack struct {
		By      ident.StaffID `json:"by"`
		Outcome string        `json:"outcome"`
	}
	// Adopted moved the call to a node and began its clocks anew.
	Adopted struct {
		Node  ident.NodeID `json:"node"`
		Epoch uint64       `json:"epoch"`
	}
)

// Kind returns the name under which the fact is stored. Names are never changed.
func (Opened) Kind() string       { return "opened" }
func (Proposed) Kind() string     { return "offered" }
func (Lapsed) Kind() string       { return "lapsed" }
func (Accepted) Kind() string     { return "accepted" }
func (Talked) Kind() string       { return "talked" }
func (Held) Kind() string         { return "held" }
func (CallerLost) Kind() string   { return "caller_lost" }
func (CallerBack) Kind() string   { return "caller_back" }
func (OperatorLost) Kind() string { return "operator_lost" }
func (OperatorBack) Kind() string { return "operator_back" }
func (Requeued) Kind() string     { return "requeued" }
func (ContactTold) Kind() string  { return "contact" }
func (HungUp) Kind() string       { return "hung_up" }
func (Classified) Kind() string   { return "classified" }
func (CalledBack) Kind() string   { return "called_back" }
func (Adopted) Kind() string      { return "adopted" }
