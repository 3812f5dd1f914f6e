package retention

import (
	"time"

	"jedel/internal/ident"
)

// Event is what somebody asks of one archive. By is always who asks, as the session proved it.
type Event interface{ isEvent() }

// Events. All but Begin refuse an archive that has not begun.
type (
	// Begin starts the keeping of a call's archive. A second Begin changes nothing.
	Begin struct {
		Call     ident.CallID
		Opened   time.Time // of the call; periods count from it
		Category string    // empty: the default class
		Class    string    // a class that is known before any category ("test"); empty: that of Category
	}
	// Categorise gives the class of a case category. A class that keeps longer counts at once; one
	// that keeps shorter becomes a proposed shortening, which another person confirms.
	Categorise struct {
		By       ident.StaffID
		Category string
	}
	// Extend moves the end of keeping to a later time. One person may.
	Extend struct {
		By     ident.StaffID
		Until  time.Time
		Reason string
	}
	// Shorten proposes an earlier end of keeping.
	Shorten struct {
		By     ident.StaffID
		Until  time.Time
		Reason string
	}
	// ConfirmShortening is the second person's word. Until repeats what was read, so that nobody
	// confirms another proposal than the one on the screen.
	ConfirmShortening struct {
		By    ident.StaffID
		Until time.Time
	}
	// WithdrawShortening takes a proposed shortening back; anybody who may propose may.
	WithdrawShortening struct{ By ident.StaffID }
	// PlaceHold forbids deletion until the hold is released, and takes back a deletion that was
	// proposed or approved.
	PlaceHold struct {
		ID     HoldID
		By     ident.StaffID
		Case   string // number of the case or order
		Reason string
	}
	// ReleaseHold ends one hold. The others stay.
	ReleaseHold struct {
		ID     HoldID
		By     ident.StaffID
		Reason string
	}
	// ProposeDeletion starts the wait; the Scheduler or a person may, once keeping has ended.
	ProposeDeletion struct {
		By     ident.StaffID
		Reason string
	}
	// CancelDeletion takes a proposed or approved deletion back.
	CancelDeletion struct {
		By     ident.StaffID
		Reason string
	}
	// ApproveDeletion is the second person's word, after the wait.
	ApproveDeletion struct{ By ident.StaffID }
	// Destroy is asked by the runtime just before keys are destroyed: everything is checked again.
	Destroy struct {
		HeldElsewhere bool // a replica's copy is under a legal hold that our records do not know
	}
	// KeysDestroyed reports what became of the keys.
	KeysDestroyed struct {
		Left int    // copies of the key that could not be destroyed yet
		Root string // hash of the archive's tree (base64), kept as proof of what existed
	}
)

func (Begin) isEvent()              {}
func (Categorise) isEvent()         {}
func (Extend) isEvent()             {}
func (Shorten) isEvent()            {}
func (ConfirmShortening) isEvent()  {}
func (WithdrawShortening) isEvent() {}
func (PlaceHold) isEvent()          {}
func (ReleaseHold) isEvent()        {}
func (ProposeDeletion) isEvent()    {}
func (CancelDeletion) isEvent()     {}
func (ApproveDeletion) isEvent()    {}
func (Destroy) isEvent()            {}
func (KeysDestroyed) isEvent()      {}

// Fact is what happened, as it is stored.
type Fact interface {
	// Kind is the fact's stored name; never renamed.
	Kind() string
}

// Record is a fact with its time. A Record without a Fact says that nothing new happened.
type Record struct {
	At   time.Time
	Fact Fact
}

// Facts.
type (
	// Begun starts an archive's keeping.
	Begun struct {
		Call     ident.CallID `json:"call"`
		Opened   time.Time    `json:"opened"`
		Category string       `json:"category,omitempty"`
		Class    string       `json:"class"`
		Until    time.Time    `json:"until"`
	}
	// Classed gives a class and an end of keeping that is not sooner than before.
	Classed struct {
		By       ident.StaffID `json:"by"`
		Category string        `json:"category"`
		Class    string        `json:"class"`
		Until    time.Time     `json:"until"`
	}
	// Extended moves the end of keeping to a later time.
	Extended struct {
		By     ident.StaffID `json:"by"`
		Until  time.Time     `json:"until"`
		Reason string        `json:"reason"`
	}
	// ShorteningProposed waits for a second person.
	ShorteningProposed struct{ Shortening }
	// Shortened moves the end of keeping to an earlier time, by two people.
	Shortened struct {
		By       ident.StaffID `json:"by"`
		Proposed ident.StaffID `json:"proposed"`
		Until    time.Time     `json:"until"`
		Class    string        `json:"class,omitempty"`
		Category string        `json:"category,omitempty"`
	}
	// ShorteningWithdrawn takes the proposal back.
	ShorteningWithdrawn struct {
		By ident.StaffID `json:"by"`
	}
	// HoldPlaced is a legal hold.
	HoldPlaced struct{ Hold }
	// HoldReleased ends a legal hold.
	HoldReleased struct {
		ID     HoldID        `json:"id"`
		By     ident.StaffID `json:"by"`
		Reason string        `json:"reason"`
	}
	// DeletionProposed starts the wait.
	DeletionProposed struct {
		By     ident.StaffID `json:"by"`
		Reason string        `json:"reason"`
	}
	// DeletionCancelled ends a proposal or approval by somebody's word.
	DeletionCancelled struct {
		By     ident.StaffID `json:"by"`
		Reason string        `json:"reason"`
	}
	// DeletionApproved is the second person's word.
	DeletionApproved struct {
		By ident.StaffID `json:"by"`
	}
	// DestructionBegun comes before the first key is touched: from here nothing can be taken back.
	DestructionBegun struct{}
	// Destroyed says that no key is left.
	Destroyed struct {
		Root string `json:"root"`
	}
)

// Kind names of the stored facts.
func (Begun) Kind() string               { return "begun" }
func (Classed) Kind() string             { return "classed" }
func (Extended) Kind() string            { return "extended" }
func (ShorteningProposed) Kind() string  { return "shortening_proposed" }
func (Shortened) Kind() string           { return "shortened" }
func (ShorteningWithdrawn) Kind() string { return "shortening_withdrawn" }
func (HoldPlaced) Kind() string          { return "hold_placed" }
func (HoldReleased) Kind() string        { return "hold_released" }
func (DeletionProposed) Kind() string    { return "deletion_proposed" }
func (DeletionCancelled) Kind() string   { return "deletion_cancelled" }
func (DeletionApproved) Kind() string    { return "deletion_approved" }
func (DestructionBegun) Kind() string    { return "destruction_begun" }
func (Destroyed) Kind() string           { return "destroyed" }

// Effect is what the runtime does once the record is durable. Each may be carried out twice.
type Effect interface{ isEffect() }

// Effects.
type (
	// LockReplica extends the replica's lock of the archive.
	LockReplica struct{ Until time.Time }
	// HoldReplica sets or clears the legal hold on the replica's copies.
	HoldReplica struct{ On bool }
	// Recheck asks for a Destroy event after the replica's holds were read.
	Recheck struct{}
	// DestroyKeys destroys every copy of the archive's key, then reports KeysDestroyed.
	DestroyKeys struct{}
)

func (LockReplica) isEffect() {}
func (HoldReplica) isEffect() {}
func (Recheck) isEffect()     {}
func (DestroyKeys) isEffect() {}
