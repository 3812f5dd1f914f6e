package cases

import (
	"time"

	"jedel/internal/ident"
)

// Event is something that happened or was asked for. The set is closed.
type Event interface{ isEvent() }

// Open registers a case.
type Open struct {
	ID        ident.CaseID
	Number    string
	Lane      Lane
	Kind      string
	Priority  int
	Unit      string
	Citizen   Citizen
	Recording Recording
	Card      []Line
}

// Take makes By the owner. Force is a supervisor's: it takes the case from somebody else.
type Take struct {
	By    ident.StaffID
	Force bool
}

// HandOver is the owner's wish to give the case to To, who has it once they accept; an empty To takes
// the wish back.
type HandOver struct{ By, To ident.StaffID }

// AnswerHandOver is To's word on it.
type AnswerHandOver struct {
	By     ident.StaffID
	Accept bool
}

// KeepPriority leaves the priority of a case as it is.
const KeepPriority = -1

// Classify says what the case is. Base is the version that whoever says it has seen, 0 where it does not
// matter: what somebody else said since is not overwritten.
type Classify struct {
	By       ident.StaffID
	Kind     string
	Priority int // or KeepPriority
	Base     uint64
}

// Add adds a line to the card.
type Add struct{ Line Line }

// Withdraw strikes a line out; it stays readable.
type Withdraw struct {
	By ident.StaffID
	ID string
}

// Record tells that something more was recorded of the case.
type Record struct{ Recording Recording }

// Tell changes what is known of the citizen.
type Tell struct{ Citizen Citizen }

// Send sends a patrol, which the asker has found free.
type Send struct {
	By     ident.StaffID
	Patrol ident.StaffID
	Name   string
	Reason string // why this one: "4 min by road"
}

// Recall calls a patrol back.
type Recall struct{ By, Patrol ident.StaffID }

// Say is a patrol's word on its task: accepted, declined, en_route, on_scene, cleared. Claimed is when
// it was said, by the patrol's own clock, where that was without a link at the time.
type Say struct {
	Patrol  ident.StaffID
	What    string
	Claimed time.Time
}

// Close closes the case with an outcome and the reply for its citizen. Patrol tells that By is one
// whose task the case is: it closes what it has seen to the end, at the scene, and no colleague's task.
// Base is as with Classify: a case is not closed over what its closer has not seen.
type Close struct {
	By      ident.StaffID
	Outcome string
	Text    string
	Patrol  bool
	Base    uint64
}

// Unclose takes the closing back, within UndoTime and by whoever closed.
type Unclose struct{ By ident.StaffID }

// Reopen opens a closed case again. By is empty where the citizen asks.
type Reopen struct {
	By  ident.StaffID
	Why string
}

// Follow tells a merged case how the one it was merged into stands.
type Follow struct {
	Into    ident.CaseID
	Status  Status
	Outcome string
	Text    string
}

// Tick tells that Deadline has come.
type Tick struct{}

func (Open) isEvent()           {}
func (Take) isEvent()           {}
func (HandOver) isEvent()       {}
func (AnswerHandOver) isEvent() {}
func (Classify) isEvent()       {}
func (Add) isEvent()            {}
func (Withdraw) isEvent()       {}
func (Record) isEvent()         {}
func (Tell) isEvent()           {}
func (Send) isEvent()           {}
func (Recall) isEvent()         {}
func (Say) isEvent()            {}
func (Close) isEvent()          {}
func (Unclose) isEvent()        {}
func (Reopen) isEvent()         {}
func (Follow) isEvent()         {}
func (Tick) isEvent()           {}

// Effect is what must be done after a record is durable. Effects may be carried out twice; each names
// what it is about well enough to be done once.
type Effect interface{ isEffect() }

// Inform tells the citizen how their case stands. N is which of the case's replies it is: one message
// each.
type Inform struct {
	Status Status
	Text   string
	N      int
}

// Lead tells the merged cases how this one stands.
type Lead struct {
	Case   ident.CaseID
	Follow Follow
}

func (Inform) isEffect() {}
func (Lead) isEffect()   {}

// Entry is one decision.
type Entry struct {
	At   time.Time
	Fact Fact
}

// Fact is what was decided. The set is closed; each is stored as JSON under its Kind.
type Fact interface{ Kind() string }

// The facts.
type (
	// Began registered the case.
	Began struct {
		ID        ident.CaseID `json:"id"`
		Number    string       `json:"number"`
		Lane      Lane         `json:"lane"`
		CaseKind  string       `json:"kind,omitempty"`
		Priority  int          `json:"priority"`
		Unit      string       `json:"unit,omitempty"`
		Citizen   Citizen      `json:"citizen"`
		Recording Recording    `json:"recording"`
		Card      []Line       `json:"card,omitempty"`
	}
	// Owned gave the case to its owner.
	Owned struct {
		Owner ident.StaffID `json:"owner"`
		From  ident.StaffID `json:"from,omitempty"`
	}
	// Handing offered it to another; empty: no longer.
	Handing struct {
		To ident.StaffID `json:"to"`
	}
	// Classified said what it is.
	Classified struct {
		By       ident.StaffID `json:"by"`
		CaseKind string        `json:"kind"`
		Priority int           `json:"priority"`
	}
	// Added put a line on the card.
	Added struct {
		Line Line `json:"line"`
	}
	// Withdrawn struck one out.
	Withdrawn struct {
		By ident.StaffID `json:"by,omitempty"`
		ID string        `json:"id"`
	}
	// Recorded added a recording.
	Recorded struct {
		Recording Recording `json:"recording"`
	}
	// Told changed what is known of the citizen.
	Told struct {
		Citizen Citizen `json:"citizen"`
	}
	// Sent sent a patrol.
	Sent struct {
		Sending Sending `json:"sending"`
	}
	// Late noted that a patrol did not answer in time.
	Late struct {
		Patrol ident.StaffID `json:"patrol"`
	}
	// Said kept a patrol's word, or that it was recalled.
	Said struct {
		Patrol  ident.StaffID `json:"patrol"`
		What    string        `json:"what"`
		By      ident.StaffID `json:"by,omitempty"`
		Claimed time.Time     `json:"claimed"`
	}
	// Shut closed the case.
	Shut struct {
		By      ident.StaffID `json:"by"`
		Outcome string        `json:"outcome"`
		Text    string        `json:"text"`
	}
	// Unshut took that back.
	Unshut struct {
		By ident.StaffID `json:"by"`
	}
	// Settled made the closing final: the citizen is told, the patrols are free.
	Settled struct{}
	// Opened opened a closed case again.
	Opened struct {
		By  ident.StaffID `json:"by,omitempty"`
		Why string        `json:"why"`
	}
	// Merged put the case into another.
	Merged struct {
		By   ident.StaffID `json:"by"`
		Into ident.CaseID  `json:"into"`
	}
	// Absorbed took another case in.
	Absorbed struct {
		By         ident.StaffID `json:"by"`
		Case       ident.CaseID  `json:"case"`
		Card       []Line        `json:"card"`
		Recordings []Recording   `json:"recordings"`
	}
	// Parted took the case out of the other again.
	Parted struct {
		By ident.StaffID `json:"by,omitempty"`
	}
	// Released let another case go.
	Released struct {
		By   ident.StaffID `json:"by"`
		Case ident.CaseID  `json:"case"`
	}
	// Linked noted that two cases have to do with each other.
	Linked struct {
		By   ident.StaffID `json:"by"`
		Case ident.CaseID  `json:"case"`
		Off  bool          `json:"off,omitempty"`
	}
	// Followed noted how the case it is merged into stands.
	Followed struct {
		Into    ident.CaseID `json:"into"`
		Status  Status       `json:"status"`
		Outcome string       `json:"outcome,omitempty"`
		Text    string       `json:"text,omitempty"`
	}
)

// Kind returns the name under which the fact is stored. Names are never changed.
func (Began) Kind() string      { return "began" }
func (Owned) Kind() string      { return "owned" }
func (Handing) Kind() string    { return "handing" }
func (Classified) Kind() string { return "classified" }
func (Added) Kind() string      { return "added" }
func (Withdrawn) Kind() string  { return "withdrawn" }
func (Recorded) Kind() string   { return "recorded" }
func (Told) Kind() string       { return "told" }
func (Sent) Kind() string       { return "sent" }
func (Late) Kind() string       { return "late" }
func (Said) Kind() string       { return "said" }
func (Shut) Kind() string       { return "shut" }
func (Unshut) Kind() string     { return "unshut" }
func (Settled) Kind() string    { return "settled" }
func (Opened) Kind() string     { return "opened" }
func (Merged) Kind() string     { return "merged" }
func (Absorbed) Kind() string   { return "absorbed" }
func (Parted) Kind() string     { return "parted" }
func (Released) Kind() string   { return "released" }
func (Linked) Kind() string     { return "linked" }
func (Followed) Kind() string   { return "followed" }
