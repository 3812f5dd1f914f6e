package call

import (
	"encoding/json"
	"fmt"
	"time"

	"jedel/internal/ident"
)

// Apply returns s after r. It is the only writer of a State and refuses nothing: what is recorded
// has happened.
func Apply(s State, r Record) State {
	if r.Fact == nil {
		return s
	}
	s.Version++
	if next, ok := s.guestFact(r); ok {
		return next
	}
	switch f := r.Fact.(type) {
	case Opened:
		s.ID, s.Number, s.Client, s.Caller = f.ID, f.Number, f.Client, f.Caller
		s.Person, s.Kind, s.Lang, s.Priority, s.SOS = f.Person, f.CallKind, f.Lang, f.Priority, f.SOS
		s.QueuedAt = r.At
		s = s.enter(Queued, r.At)
	case Proposed:
		o := f.Offer
		s.Offer, s.Epoch = &o, o.Epoch
		if !o.Transfer {
			s = s.enter(Offered, r.At)
		}
	case Lapsed:
		s.Offer = nil
		if s.Phase == Offered {
			s = s.enter(Queued, r.At)
		}
	case Accepted:
		s = s.accepted(f, r.At)
	case Talked:
		s = s.enter(Talking, r.At)
	case Held:
		s = s.held(f.On, r.At)
	case CallerLost, CallerBack:
		s = s.callerLink(r)
	case OperatorLost:
		s.OperatorGone, s.Grace = r.At, OperatorGrace
	case OperatorBack:
		s.OperatorGone, s.Grace = time.Time{}, 0
	case Requeued:
		s.Offer, s.Operator, s.OperatorGone, s.Grace = nil, "", time.Time{}, 0
		s.Resumes = ""
		s = s.enter(Queued, r.At)
	case ContactTold:
		s.Person.Name, s.Person.Phone = f.Name, f.Phone
	case HungUp:
		s = s.hungUp(f, r.At)
	case Classified:
		s.Closing.Category, s.Closing.Outcome = f.Category, f.Outcome
		s = s.enter(Ended, r.At)
	case CalledBack:
		s.Closing.CallBack = CallBackDone
	case Adopted:
		s = s.adopted(r.At)
	}
	return s
}

func (s State) enter(p Phase, at time.Time) State {
	s.Phase, s.Since = p, at
	return s
}

func (s State) accepted(f Accepted, at time.Time) State {
	s.Offer, s.Operator = nil, f.Operator
	s.OperatorGone, s.Grace = time.Time{}, 0
	s = s.withoutGuest(f.Operator)
	if s.AnsweredAt.IsZero() {
		s.AnsweredAt = at
	}
	if f.From != "" {
		return s // handed over within the talk: the caller notices a new voice, not a new phase
	}
	if !s.CallerGone.IsZero() {
		if s.SOS {
			s.CallerGone = at // it may have waited longer than the window: its operator reads it first
		}
		s.Resumes = Connecting
		return s.enter(Reconnecting, at)
	}
	return s.enter(Connecting, at)
}

func (s State) held(on bool, at time.Time) State {
	phase := Talking
	if on {
		phase = Hold
	}
	if s.Phase == Reconnecting {
		s.Resumes = phase
		return s
	}
	return s.enter(phase, at)
}

func (s State) callerLink(r Record) State {
	if _, lost := r.Fact.(CallerLost); lost {
		s.CallerGone = r.At
		if s.Live() {
			s.Resumes = s.Phase
			return s.enter(Reconnecting, r.At)
		}
		return s
	}
	s.CallerGone = time.Time{}
	if s.Phase == Reconnecting {
		phase := s.Resumes
		s.Resumes = ""
		return s.enter(phase, r.At)
	}
	return s
}

func (s State) hungUp(f HungUp, at time.Time) State {
	s.Offer, s.Resumes, s.Guests = nil, "", nil
	s.CallerGone, s.OperatorGone, s.Grace = time.Time{}, time.Time{}, 0
	s.Closing = Closing{At: at, Reason: f.Reason}
	if f.CallBack {
		s.Closing.CallBack = CallBackPending
	}
	if f.WrapUp {
		return s.enter(WrapUp, at)
	}
	return s.enter(Ended, at)
}

// adopted begins every running clock anew: the times of the records may come from another clock,
// and neither caller nor operator had anything to do with the interruption (invariant I12).
func (s State) adopted(at time.Time) State {
	if s.Offer != nil {
		s.Offer = nil
		if s.Phase == Offered {
			s = s.enter(Queued, at)
		}
	}
	if s.Live() {
		s.OperatorGone, s.Grace = at, RestartGrace
		if s.Phase != Reconnecting {
			s.Resumes = s.Phase
			s = s.enter(Reconnecting, at)
		}
	}
	if s.Open() {
		s.CallerGone = at
		s = guestsLost(s, at)
	}
	if s.Phase == WrapUp {
		s.Since = at
	}
	return s
}

// Routed returns the operator whom the caller hears and sees in s, empty for nobody.
func Routed(s State) ident.StaffID {
	phase := s.Phase
	if phase == Reconnecting {
		phase = s.Resumes
	}
	switch phase {
	case Connecting, Talking, Conference:
		return s.Operator
	}
	return ""
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
		"opened": decode[Opened], "offered": decode[Proposed], "lapsed": decode[Lapsed],
		"accepted": decode[Accepted], "talked": decode[Talked], "held": decode[Held],
		"caller_lost": decode[CallerLost], "caller_back": decode[CallerBack],
		"operator_lost": decode[OperatorLost], "operator_back": decode[OperatorBack],
		"requeued": decode[Requeued], "contact": decode[ContactTold], "hung_up": decode[HungUp],
		"classified": decode[Classified], "called_back": decode[CalledBack], "adopted": decode[Adopted],
		"guest_joined": decode[GuestJoined], "guest_mode": decode[GuestMode], "guest_lost": decode[GuestLost],
		"guest_back": decode[GuestBack], "guest_gone": decode[GuestGone], "taken_over": decode[TakenOver],
	}
}

func decode[F Fact](b []byte) (Fact, error) {
	var f F
	err := json.Unmarshal(b, &f)
	return f, err
}

// DecodeFact reads the stored form of a fact. An unknown kind is an error: a newer version wrote
// it, and guessing would lose it.
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
