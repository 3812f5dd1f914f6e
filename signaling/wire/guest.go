package wire

// GuestMode is who hears a guest of a call. Every guest hears caller, operator, and the guests who
// speak.
type GuestMode string

// Modes of guests.
const (
	GuestListen  GuestMode = "listen"  // nobody
	GuestWhisper GuestMode = "whisper" // the operator alone; supervisors only
	GuestSpeak   GuestMode = "speak"   // everybody
)

// CallJoin brings the sender into the call of somebody else, as its supervisor or as a patrol of
// its case, or changes the mode of one who is there. A patrol joins with listen. Whoever was in
// another call leaves that.
type CallJoin struct {
	Call string    `json:"call"`
	Mode GuestMode `json:"mode"`
}

// CallJoined answers CallJoin.
type CallJoined struct {
	View GuestView `json:"view"`
}

// CallMode says who hears the sender from now on.
type CallMode struct {
	Call string    `json:"call"`
	Mode GuestMode `json:"mode"`
}

// CallLeave takes the sender out of a call that is not theirs.
type CallLeave struct {
	Call string `json:"call"`
}

// CallTakeOver makes the sender, a supervisor, the owner of an operator's call. The card follows.
type CallTakeOver struct {
	Call string `json:"call"`
}

// GuestRow is one guest of a call.
type GuestRow struct {
	Staff   string    `json:"staff"`
	Name    string    `json:"name"`
	As      string    `json:"as"` // supervisor, patrol
	Mode    GuestMode `json:"mode"`
	SinceMs int64     `json:"sinceMs"` // when the mode began
	Link    bool      `json:"link"`    // their page is reachable now
}

// Companion is somebody the caller hears besides the operator. Nobody else is told to the caller.
type Companion struct {
	Name string `json:"name"`
	As   string `json:"as"` // supervisor, patrol
}

// GuestView is a call as a guest sees it, always whole; a page ignores one with a lower rev.
type GuestView struct {
	Call      string     `json:"call"`
	Number    string     `json:"number"`
	Kind      CallKind   `json:"kind"`
	Phase     Phase      `json:"phase"`
	Rev       uint64     `json:"rev"`
	As        string     `json:"as,omitempty"`   // supervisor, patrol
	Mode      GuestMode  `json:"mode,omitempty"` // missing: in the call no more
	Why       string     `json:"why,omitempty"`  // then: left, other_call, answered, unassigned, link_lost, owner, ended
	Operator  string     `json:"operator"`       // name; empty while the call waits for one again
	Guests    []GuestRow `json:"guests"`         // the receiver among them
	Recording Recording  `json:"recording"`
}

// GuestState is news to a guest: the call changed, or they are in it no more.
type GuestState struct {
	View GuestView `json:"view"`
}

// WireType returns "call.join".
func (*CallJoin) WireType() string { return "call.join" }

// WireType returns "call.joined".
func (*CallJoined) WireType() string { return "call.joined" }

// WireType returns "call.mode".
func (*CallMode) WireType() string { return "call.mode" }

// WireType returns "call.leave".
func (*CallLeave) WireType() string { return "call.leave" }

// WireType returns "call.take_over".
func (*CallTakeOver) WireType() string { return "call.take_over" }

// WireType returns "guest.state".
func (*GuestState) WireType() string { return "guest.state" }

func (m GuestMode) check() error { return oneOf("mode", m, GuestListen, GuestWhisper, GuestSpeak) }

func (c *CallJoin) check() error     { return firstErr(id("call", c.Call), c.Mode.check()) }
func (c *CallMode) check() error     { return firstErr(id("call", c.Call), c.Mode.check()) }
func (c *CallLeave) check() error    { return id("call", c.Call) }
func (c *CallTakeOver) check() error { return id("call", c.Call) }
