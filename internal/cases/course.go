package cases

import (
	"time"

	"jedel/internal/ident"
)

// Step is one decision about a case as people read it, and how the case stood after it.
type Step struct {
	At     time.Time
	Fact   string        // Kind of the fact
	By     ident.StaffID // who decided; empty: the citizen, or time that passed
	Whom   ident.StaffID // the patrol, or who shall take the case over
	What   string        // a word of a closed set or of the configuration: kind, lane, outcome, what was added or said
	Text   string        // what was written
	Other  ident.CaseID  // the other case
	Claim  time.Time     // when it was said by the phone's own clock; zero: at once
	Status Status        // of the case after it
}

// Course returns the decisions about a case in their order, from its first record on.
func Course(entries []Entry) []Step {
	var s State
	out := make([]Step, 0, len(entries))
	for _, e := range entries {
		step := stepOf(s, e.Fact)
		s = Apply(s, e)
		step.At, step.Status = e.At, s.Status
		if e.Fact != nil {
			step.Fact = e.Fact.Kind()
		}
		out = append(out, step)
	}
	return out
}

// stepOf is what a fact says; before is the state it was decided in.
func stepOf(before State, f Fact) Step {
	switch f := f.(type) {
	case Began:
		return Step{What: string(f.Lane)}
	case Owned:
		return Step{By: f.Owner, Whom: f.From}
	case Handing:
		return Step{By: before.Owner, Whom: f.To}
	case Classified:
		return Step{By: f.By, What: f.CaseKind}
	case Added:
		return Step{By: f.Line.By, What: f.Line.What, Text: f.Line.said()}
	case Withdrawn:
		return Step{By: f.By, Text: before.said(f.ID)}
	case Recorded:
		return Step{What: f.Recording.Kind}
	case Sent:
		return Step{By: f.Sending.By, Whom: f.Sending.Patrol, Text: f.Sending.Reason}
	case Late:
		return Step{Whom: f.Patrol}
	case Said:
		return Step{By: f.By, Whom: f.Patrol, What: f.What, Claim: f.Claimed}
	case Shut:
		return Step{By: f.By, What: f.Outcome, Text: f.Text}
	case Unshut:
		return Step{By: f.By}
	case Opened:
		return Step{By: f.By, Text: f.Why}
	}
	return tieStep(f)
}

// tieStep is what a fact about two cases says.
func tieStep(f Fact) Step {
	switch f := f.(type) {
	case Merged:
		return Step{By: f.By, Other: f.Into}
	case Absorbed:
		return Step{By: f.By, Other: f.Case}
	case Parted:
		return Step{By: f.By}
	case Released:
		return Step{By: f.By, Other: f.Case}
	case Linked:
		step := Step{By: f.By, Other: f.Case}
		if f.Off {
			step.What = "off"
		}
		return step
	case Followed:
		return Step{Other: f.Into, What: string(f.Status), Text: f.Text}
	}
	return Step{}
}

// said is what a line says in one line.
func (l Line) said() string {
	switch {
	case l.Place != nil && l.Text == "":
		return l.Place.Words
	case l.Text != "":
		return l.Text
	}
	return l.Name
}

// said returns what the line of an id says.
func (s State) said(id string) string {
	for _, l := range s.Card {
		if l.ID == id {
			return l.said()
		}
	}
	return ""
}
