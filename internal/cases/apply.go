package cases

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"jedel/internal/ident"
)

// Apply returns s after e. It is the only writer of a State and refuses nothing: what is recorded has
// happened. It never writes into slices of the state before.
func Apply(s State, e Entry) State {
	if e.Fact == nil {
		return s
	}
	before := s
	s.Version++
	s = s.with(e)
	s.Classified, s.Changed = s.turned(e.Fact)
	s.Status = s.status()
	if s.Status != before.Status {
		s.Since = e.At
	}
	if r, ok := reply(before, s, e.Fact); ok {
		r.At = e.At
		s.Replies = append(slices.Clip(s.Replies), r)
	}
	return s
}

// reply returns what the citizen is told of a change, if anything: each step forward once, every
// reopening, and that a patrol they were told of does not come after all. A closing is told when it is
// settled.
func reply(before, s State, f Fact) (Reply, bool) {
	switch f := f.(type) {
	case Shut, Unshut:
		return Reply{}, false
	case Settled:
		return Reply{Status: Closed, Text: s.Closing.Text}, true
	case Followed:
		return Reply{Status: f.Status, Text: f.Text}, true
	case Began, Opened:
		return Reply{Status: s.Status}, true
	case Said:
		if s.Status == InWork && before.Status == PatrolSent {
			return Reply{Status: InWork}, true
		}
	}
	told := Registered
	if n := len(before.Replies); n > 0 {
		told = before.Replies[n-1].Status
	}
	return Reply{Status: s.Status}, s.Status != before.Status && s.Status.rank() > told.rank()
}

func (s Status) rank() int {
	return slices.Index([]Status{Registered, InWork, PatrolSent, OnScene, Closed}, s) // -1: reopened
}

func (s State) with(e Entry) State {
	switch f := e.Fact.(type) {
	case Began:
		s.ID, s.Number, s.Lane, s.Opened, s.Kind, s.Priority = f.ID, f.Number, f.Lane, e.At, f.CaseKind, f.Priority
		s.Unit, s.Citizen, s.Card, s.Recordings = f.Unit, f.Citizen, f.Card, []Recording{f.Recording}
	case Owned:
		s.Owner, s.Handing = f.Owner, ""
	case Handing:
		s.Handing = f.To
	case Classified:
		s.Kind, s.Priority = f.CaseKind, f.Priority
	case Added:
		s.Card = append(slices.Clip(s.Card), f.Line)
	case Withdrawn:
		s.Card = changed(s.Card, func(l *Line) bool { return l.ID == f.ID }, func(l *Line) { l.Gone = true })
	case Recorded:
		s.Recordings = append(slices.Clip(s.Recordings), f.Recording)
	case Told:
		s.Citizen = f.Citizen
	case Sent:
		s.Sendings = append(slices.Clip(s.Sendings), f.Sending)
	case Late:
		s.Sendings = changed(s.Sendings, activeOf(f.Patrol), func(x *Sending) { x.Late = true })
	case Said:
		s.Sendings = changed(s.Sendings, activeOf(f.Patrol), func(x *Sending) { x.said(f.What, e.At) })
	case Shut:
		s.Closing = Closing{At: e.At, By: f.By, Outcome: f.Outcome, Text: f.Text}
	case Unshut:
		s.Closing = Closing{}
	case Settled:
		s.Closing.Settled, s.Owner, s.Handing = true, "", ""
		s.Sendings = changed(s.Sendings, (*Sending).active, func(x *Sending) { x.Ended, x.Why = e.At, "closed" })
	case Opened:
		s.Closing, s.Into = Closing{}, ""
		s.Reopenings++
	default:
		s = s.tied(e)
	}
	return s
}

// tied applies what concerns two cases.
func (s State) tied(e Entry) State {
	switch f := e.Fact.(type) {
	case Merged:
		s.Into, s.Owner, s.Handing = f.Into, "", ""
	case Parted:
		s.Into = ""
	case Absorbed:
		s.Merged = append(slices.Clip(s.Merged), f.Case)
		s.Card = append(slices.Clip(s.Card), f.Card...)
		s.Recordings = append(slices.Clip(s.Recordings), f.Recordings...)
	case Released:
		s.Merged = slices.DeleteFunc(slices.Clone(s.Merged), func(id ident.CaseID) bool { return id == f.Case })
		s.Card = slices.DeleteFunc(slices.Clone(s.Card), func(l Line) bool { return l.From == f.Case })
		s.Recordings = slices.DeleteFunc(slices.Clone(s.Recordings), func(r Recording) bool { return r.From == f.Case })
	case Linked:
		s.Links = slices.DeleteFunc(slices.Clone(s.Links), func(id ident.CaseID) bool { return id == f.Case })
		if !f.Off {
			s.Links = append(s.Links, f.Case)
		}
	case Followed:
		if f.Status == Closed {
			s.Closing = Closing{At: e.At, Outcome: f.Outcome, Text: f.Text, Settled: true}
		}
	}
	return s
}

// turned is when the case was last classified and last changed by a person, f included. A device that
// tells where it is changes nothing that a person who is writing the reply must read first.
func (s State) turned(f Fact) (classified, changed uint64) {
	classified, changed = s.Classified, s.Changed
	switch f := f.(type) {
	case Classified:
		return s.Version, s.Version
	case Added:
		if f.Line.What == PlaceLine && f.Line.Place.Source == "device" {
			return classified, changed
		}
	case Told, Late, Settled, Followed, Linked, Handing:
		return classified, changed
	}
	return classified, s.Version
}

func (s *Sending) active() bool { return s.Active() }

func activeOf(p ident.StaffID) func(*Sending) bool {
	return func(x *Sending) bool { return x.Active() && x.Patrol == p }
}

// said notes a word of the patrol; a later one includes the earlier.
func (s *Sending) said(what string, at time.Time) {
	first := func(t *time.Time) {
		if t.IsZero() {
			*t = at
		}
	}
	switch what {
	case "on_scene":
		first(&s.OnScene)
		fallthrough
	case "en_route":
		first(&s.EnRoute)
		fallthrough
	case "accepted":
		first(&s.Accepted)
		s.Late = false
	default: // cleared, declined, recalled
		s.Ended, s.Why = at, what
	}
}

// changed returns list with f done to a copy of those that match.
func changed[T any](list []T, match func(*T) bool, f func(*T)) []T {
	out := slices.Clone(list)
	for i := range out {
		if match(&out[i]) {
			f(&out[i])
		}
	}
	return out
}

// Encode returns the stored form of f.
func Encode(f Fact) ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", f.Kind(), err)
	}
	return b, nil
}

// decoders has one reader per kind of fact.
func decoders() map[string]func([]byte) (Fact, error) {
	return map[string]func([]byte) (Fact, error){
		"began": decode[Began], "owned": decode[Owned], "handing": decode[Handing], "classified": decode[Classified], "added": decode[Added],
		"withdrawn": decode[Withdrawn], "recorded": decode[Recorded], "told": decode[Told], "sent": decode[Sent], "late": decode[Late],
		"said": decode[Said], "shut": decode[Shut], "unshut": decode[Unshut], "settled": decode[Settled], "opened": decode[Opened],
		"merged": decode[Merged], "absorbed": decode[Absorbed], "parted": decode[Parted], "released": decode[Released],
		"linked": decode[Linked], "followed": decode[Followed],
	}
}

func decode[F Fact](b []byte) (Fact, error) {
	var f F
	err := json.Unmarshal(b, &f)
	return f, err
}

// DecodeFact reads the stored form of a fact. An unknown kind is an error: a newer version wrote it,
// and guessing would lose it.
func DecodeFact(kind string, body []byte) (Fact, error) {
	d, ok := decoders()[kind]
	if !ok {
		return nil, fmt.Errorf("unknown fact %q", kind)
	}
	f, err := d(body)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	return f, nil
}
