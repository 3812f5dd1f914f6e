package call

import "jedel/internal/ident"

// Caller names the caller in a Link.
const Caller ident.StaffID = ""

// Link lets To hear or see From in a receiving slot of To's page.
type Link struct {
	From, To ident.StaffID
	Picture  bool // else sound
	Slot     int
}

// Slots of pages. The other end of the call is in slot 0, at a guest the caller; guests are heard
// at caller and operator in the slot of their voice. A guest sees and hears the operator in
// operatorSlot and another guest in the slot of that one's voice after it.
const operatorSlot = 1

// Routes says who hears and sees whom in s. It is all that media is told.
func Routes(s State) []Link {
	if !s.Open() {
		return nil
	}
	var out []Link
	both := func(from, to ident.StaffID, slot int) {
		out = append(out, Link{From: from, To: to, Slot: slot}, Link{From: from, To: to, Picture: true, Slot: slot})
	}
	caller := s.callerIn()
	if s.Operator != "" && caller {
		both(Caller, s.Operator, 0)
		both(s.Operator, Caller, 0)
	}
	for _, g := range s.Guests {
		if caller {
			both(Caller, g.Staff, 0)
		}
		if s.Operator != "" {
			both(s.Operator, g.Staff, operatorSlot)
		}
		for _, other := range s.Guests {
			if other.Staff != g.Staff && other.Mode == Speak {
				out = append(out, Link{From: other.Staff, To: g.Staff, Slot: operatorSlot + other.Voice})
			}
		}
		out = append(out, voiceOf(s, g, caller)...)
	}
	return out
}

// voiceOf says who hears a guest besides other guests. The operator sees the first who speaks; the
// caller's page has room for one picture, the operator's.
func voiceOf(s State, g Guest, caller bool) []Link {
	var out []Link
	if g.Voice > 0 && s.Operator != "" {
		out = append(out, Link{From: g.Staff, To: s.Operator, Slot: g.Voice})
	}
	if g.Mode != Speak {
		return out
	}
	if s.Operator != "" && g.Voice == 1 {
		out = append(out, Link{From: g.Staff, To: s.Operator, Picture: true, Slot: 1})
	}
	if caller && s.heard(g.Mode) == "all" {
		out = append(out, Link{From: g.Staff, To: Caller, Slot: g.Voice})
	}
	return out
}

// KeptForAnswer reports whether what the caller says and shows now is for the operator who will answer: nobody has
// answered yet, and nobody else listens. After an answer the caller knows when they are heard, and when not.
func KeptForAnswer(s State) bool {
	return s.Waiting() && s.AnsweredAt.IsZero() && len(s.Guests) == 0
}

// callerIn reports whether the caller hears and is heard: not on hold, and in the queue only by
// guests who stayed when the operator's link was lost.
func (s State) callerIn() bool {
	phase := s.Phase
	if phase == Reconnecting {
		phase = s.Resumes
	}
	switch phase {
	case Connecting, Talking, Conference:
		return true
	case Queued, Offered:
		return len(s.Guests) > 0
	}
	return false
}
