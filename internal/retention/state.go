package retention

import (
	"slices"
	"time"

	"jedel/internal/ident"
)

// Stage is how far an archive is on its way to deletion; its words are in words.json.
type Stage string

// Stages. Unknown is an archive that has not begun.
const (
	Unknown    Stage = ""
	Kept       Stage = "kept"
	Proposed   Stage = "deletion_proposed"
	Approved   Stage = "deletion_approved"
	Destroying Stage = "destroying"
	Gone       Stage = "destroyed"
)

// Hold is one active legal hold.
type Hold struct {
	ID     HoldID        `json:"id"`
	By     ident.StaffID `json:"by"`
	Case   string        `json:"case"`
	Reason string        `json:"reason"`
	At     time.Time     `json:"at"`
}

// Shortening is an earlier end of keeping that one person wants.
type Shortening struct {
	By       ident.StaffID `json:"by"`
	Until    time.Time     `json:"until"`
	Reason   string        `json:"reason,omitempty"`
	Class    string        `json:"class,omitempty"`    // set where a category asks for it
	Category string        `json:"category,omitempty"` // the same
}

// Deletion is a deletion on its way.
type Deletion struct {
	By         ident.StaffID // who proposed
	Reason     string
	At         time.Time // when it was proposed
	Approver   ident.StaffID
	ApprovedAt time.Time
}

// State is the keeping of one archive. Apply is its only writer; slices and pointers in it are
// never changed in place.
type State struct {
	Version  uint64 // number of records
	At       time.Time
	Call     ident.CallID
	Opened   time.Time
	Category string
	Class    string
	Until    time.Time
	Stage    Stage
	Holds    []Hold   // active, oldest first
	Released []HoldID // the last ones, so that a repeated release is known
	Shorter  *Shortening
	Deletion *Deletion
	Root     string // of what was destroyed
}

// Held reports whether a legal hold is active.
func (s State) Held() bool { return len(s.Holds) > 0 }

// NextAt returns when somebody may act next: propose when keeping ends, approve after the wait.
// Zero when nothing is due by time alone.
func (s State) NextAt(p Policy) time.Time {
	switch {
	case s.Held():
		return time.Time{}
	case s.Stage == Kept:
		return s.Until
	case s.Stage == Proposed && s.Deletion != nil:
		return s.Deletion.At.Add(p.wait())
	}
	return time.Time{}
}

func (s State) hold(id HoldID) (Hold, bool) {
	i := slices.IndexFunc(s.Holds, func(h Hold) bool { return h.ID == id })
	if i < 0 {
		return Hold{}, false
	}
	return s.Holds[i], true
}

// Apply returns s after r. It decides nothing and never fails: records were decided when made.
func Apply(s State, r Record) State {
	if r.Fact == nil {
		return s
	}
	s.Version++
	s.At = r.At
	switch f := r.Fact.(type) {
	case Begun:
		s.Call, s.Opened, s.Category, s.Class, s.Until, s.Stage = f.Call, f.Opened, f.Category, f.Class, f.Until, Kept
	case Classed:
		if f.Until.After(s.Until) {
			s = s.takenBack()
		}
		s.Category, s.Class, s.Until, s.Shorter = f.Category, f.Class, f.Until, nil
	case Extended:
		s = s.takenBack()
		s.Until, s.Shorter = f.Until, nil
	case ShorteningProposed:
		wish := f.Shortening
		s.Shorter = &wish
	case Shortened:
		s.Until, s.Shorter = f.Until, nil
		if f.Class != "" {
			s.Class, s.Category = f.Class, f.Category
		}
	case ShorteningWithdrawn:
		s.Shorter = nil
	case HoldPlaced:
		s = s.takenBack()
		s.Holds = append(slices.Clone(s.Holds), f.Hold)
	case HoldReleased:
		s.Holds = slices.DeleteFunc(slices.Clone(s.Holds), func(h Hold) bool { return h.ID == f.ID })
		s.Released = append(slices.Clone(s.Released), f.ID)
		s.Released = s.Released[max(0, len(s.Released)-maxReleased):]
	case DeletionProposed:
		s.Stage, s.Deletion = Proposed, &Deletion{By: f.By, Reason: f.Reason, At: r.At}
	case DeletionCancelled:
		s = s.takenBack()
	case DeletionApproved:
		var d Deletion
		if s.Deletion != nil {
			d = *s.Deletion
		}
		d.Approver, d.ApprovedAt = f.By, r.At
		s.Stage, s.Deletion = Approved, &d
	case DestructionBegun:
		s.Stage = Destroying
	case Destroyed:
		s.Stage, s.Root = Gone, f.Root
	}
	return s
}

// takenBack is s without a deletion on its way: the wait begins anew if it is proposed again.
func (s State) takenBack() State {
	s.Stage, s.Deletion = Kept, nil
	return s
}

// Resume returns the effects that a crash may have swallowed. Each may be carried out twice.
func Resume(s State) []Effect {
	switch s.Stage {
	case Unknown, Gone:
		return nil
	case Approved:
		return []Effect{Recheck{}}
	case Destroying:
		return []Effect{DestroyKeys{}}
	}
	return []Effect{LockReplica{s.Until}, HoldReplica{s.Held()}}
}
