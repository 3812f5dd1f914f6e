package wire

import "jedel/internal/fault"

// DutyState is what an operator is doing.
type DutyState string

// States of an operator. Ready needs a live heartbeat and a sound check.
const (
	DutyOff           DutyState = "off"
	DutyReady         DutyState = "ready"
	DutyOffered       DutyState = "offered"
	DutyTalking       DutyState = "talking"
	DutyWrapUp        DutyState = "wrapup"
	DutyBusy          DutyState = "busy" // other work
	DutyPause         DutyState = "pause"
	DutyNotResponding DutyState = "not_responding" // missed two offers
	DutyLinkLost      DutyState = "link_lost"
)

// DutySet asks for a state: off, ready, busy or pause (with a reason). During a call it says what
// comes after it.
type DutySet struct {
	State  DutyState `json:"state"`
	Reason string    `json:"reason,omitempty"`
}

// OfferAccept answers an offer. A late one gets offer_expired and changes nothing.
type OfferAccept struct {
	Call  string `json:"call"`
	Epoch uint64 `json:"epoch"`
}

// OfferReject declines an offer; the call keeps its place.
type OfferReject struct {
	Call   string `json:"call"`
	Epoch  uint64 `json:"epoch"`
	Reason string `json:"reason,omitempty"`
}

// CallHold holds a call or takes it back. A held caller hears nothing and is recorded.
type CallHold struct {
	Call string `json:"call"`
	On   bool   `json:"on"`
}

// CallTransfer offers the call to another operator, who becomes its owner on accepting; until
// then nothing changes for the caller.
type CallTransfer struct {
	Call string `json:"call"`
	To   string `json:"to"` // staff id
}

// NoteSave saves the operator's note, whole. base is the rev the text was edited from.
type NoteSave struct {
	Call string `json:"call"`
	Text string `json:"text"`
	Base uint64 `json:"base"`
}

// NoteSaved answers NoteSave.
type NoteSaved struct {
	Rev uint64 `json:"rev"`
}

// CallWrapUp closes the case of a call after its end.
type CallWrapUp struct {
	Call     string `json:"call"`
	Category string `json:"category"`
	Outcome  string `json:"outcome"`
}

// CallBackDone closes a call-back task.
type CallBackDone struct {
	Call    string `json:"call"`
	Outcome string `json:"outcome"` // reached, not_reached, not_needed
}

// CameraRequest asks the caller to show what happens.
type CameraRequest struct {
	Call string `json:"call"`
}

// PositionRequest asks the caller's phone for a fresh position.
type PositionRequest struct {
	Call string `json:"call"`
}

// ConsoleInit is the console's part of Welcome.
type ConsoleInit struct {
	State      ConsoleState `json:"state"`
	Card       *CallCard    `json:"card,omitempty"`  // the call this operator owns
	Offer      *OfferMade   `json:"offer,omitempty"` // an offer that rings now
	Categories []Choice     `json:"categories"`
	Outcomes   []Choice     `json:"outcomes"`
	Pauses     []Choice     `json:"pauses"`
}

// Choice is one entry of a configured list.
type Choice struct {
	Key   string     `json:"key"`
	Words fault.Text `json:"words"`
}

// ConsoleState is news to consoles: everything listed there, whole, at most five times a second.
type ConsoleState struct {
	Rev       uint64         `json:"rev"`
	Me        OperatorRow    `json:"me"`
	Waiting   []WaitingRow   `json:"waiting"` // in the order they will be offered, at most 100
	More      int            `json:"more"`    // waiting calls beyond those listed
	Operators []OperatorRow  `json:"operators"`
	CallBacks []CallBackRow  `json:"callBacks"`
	Target    ServiceTargets `json:"target"`
	Alarms    []PatrolAlarm  `json:"alarms,omitempty"` // calls for help, the oldest first; answered ones for a minute
}

// PatrolAlarm is a patrol's call for help. It stands until somebody at the centre has answered it.
type PatrolAlarm struct {
	Ref        string   `json:"ref"`
	Patrol     string   `json:"patrol"`
	Name       string   `json:"name"`
	AtMs       int64    `json:"atMs"`
	Lat        *float64 `json:"lat,omitempty"`
	Lon        *float64 `json:"lon,omitempty"`
	AccuracyM  float64  `json:"accuracyM"`
	FixMs      int64    `json:"fixMs"` // 0: nobody knows where it is
	Case       string   `json:"case"`  // that it is at; empty: none
	Number     string   `json:"number"`
	By         string   `json:"by"` // who answered; empty: nobody yet
	AnsweredMs int64    `json:"answeredMs"`
}

// AlarmNews is news to a patrol: its call for help was answered.
type AlarmNews struct {
	Alarm PatrolAlarm `json:"alarm"`
}

// ServiceTargets is how the centre does today against its goal.
type ServiceTargets struct {
	AnswerS       int     `json:"answerS"`       // seconds within which a call should be answered
	AnsweredShare float64 `json:"answeredShare"` // of today's answered calls, within it, 0..1
	AnsweredToday int     `json:"answeredToday"`
	MissedToday   int     `json:"missedToday"` // abandoned or dropped after they were queued
}

// OperatorRow is one operator's state.
type OperatorRow struct {
	Staff   string    `json:"staff"`
	Name    string    `json:"name"`
	State   DutyState `json:"state"`
	Reason  string    `json:"reason,omitempty"`
	SinceMs int64     `json:"sinceMs"`
	Number  string    `json:"number,omitempty"` // of the call in hand
	Call    string    `json:"call,omitempty"`   // the call in hand while it is live
	After   DutyState `json:"after,omitempty"`  // what was asked for after this call
}

// WaitingRow is one waiting call in the list.
type WaitingRow struct {
	Call     string      `json:"call"`
	Number   string      `json:"number"`
	Kind     CallKind    `json:"kind"`
	Priority int         `json:"priority"` // 1 is the most urgent
	SinceMs  int64       `json:"sinceMs"`
	Name     string      `json:"name"`
	Place    string      `json:"place"` // the caller's words, else empty
	Fix      *Fix        `json:"fix,omitempty"`
	Mic      DeviceState `json:"mic"`
	Camera   DeviceState `json:"camera"`
	Offered  string      `json:"offered,omitempty"` // name of the operator it rings at
	LinkLost bool        `json:"linkLost,omitempty"`
	Rung     Rung        `json:"rung,omitempty"`
}

// CallBackRow is a caller the centre owes a call.
type CallBackRow struct {
	Call    string   `json:"call"`
	Number  string   `json:"number"`
	Kind    CallKind `json:"kind"` // a silent caller must not be rung aloud
	Phone   string   `json:"phone"`
	Name    string   `json:"name"`
	Reason  string   `json:"reason"` // dropped, abandoned
	SinceMs int64    `json:"sinceMs"`
	Fix     *Fix     `json:"fix,omitempty"`
}

// OfferMade is news to one operator: this call rings here until expiry.
type OfferMade struct {
	Call      string     `json:"call"`
	Epoch     uint64     `json:"epoch"`
	Number    string     `json:"number"`
	Kind      CallKind   `json:"kind"`
	Priority  int        `json:"priority"`
	Caller    CallerCard `json:"caller"`
	SinceMs   int64      `json:"sinceMs"`
	ExpiresMs int64      `json:"expiresMs"`
	Fix       *Fix       `json:"fix,omitempty"`
	Transfer  string     `json:"transfer,omitempty"` // name of the operator who hands it over
	Media     MediaState `json:"media"`
	Words     string     `json:"words,omitempty"` // the newest line of a caller who can only write
}

// OfferWithdrawn is news: the offer no longer rings here.
type OfferWithdrawn struct {
	Call  string `json:"call"`
	Epoch uint64 `json:"epoch"`
	Why   string `json:"why"` // taken, expired, ended, link_lost
	By    string `json:"by,omitempty"`
}

// MediaState is what the caller's devices send.
type MediaState struct {
	Mic        DeviceState `json:"mic"`
	Camera     DeviceState `json:"camera"`
	Background bool        `json:"background"`
	Link       bool        `json:"link"`              // the caller's page is reachable now
	Connected  bool        `json:"connected"`         // media transport is up
	Rung       Rung        `json:"rung,omitempty"`    // what the caller's network carries
	Battery    *int        `json:"battery,omitempty"` // percent, where an SOS said so
}

// CallerCard is who calls and how strongly it is proven.
type CallerCard struct {
	Name       string `json:"name"`
	Phone      string `json:"phone"`
	Proof      string `json:"proof"` // none (said by the caller), sms (number proven by one-time code)
	Lang       string `json:"lang"`
	IIN        string `json:"iin,omitempty"`
	Medical    string `json:"medical,omitempty"`
	Earlier    int    `json:"earlier"` // earlier calls of the same proven number
	EarlierMs  int64  `json:"earlierMs,omitempty"`
	Registered bool   `json:"registered"`
}

// CallCard is a call as its operator sees it, always whole.
type CallCard struct {
	Call       string     `json:"call"`
	Number     string     `json:"number"`
	Kind       CallKind   `json:"kind"`
	Phase      Phase      `json:"phase"`
	Rev        uint64     `json:"rev"`
	Priority   int        `json:"priority"`
	CreatedMs  int64      `json:"createdMs"`
	AnsweredMs int64      `json:"answeredMs"`
	SinceMs    int64      `json:"sinceMs"`
	WrapUntil  int64      `json:"wrapUntilMs,omitempty"`
	Caller     CallerCard `json:"caller"`
	Media      MediaState `json:"media"`
	Track      []Fix      `json:"track"` // oldest first
	Chat       []ChatItem `json:"chat"`
	Note       string     `json:"note"`
	NoteRev    uint64     `json:"noteRev"`
	Recording  Recording  `json:"recording"`
	Quality    Quality    `json:"quality"`
	Transfer   string     `json:"transfer,omitempty"` // name of the operator a transfer rings at; of the new owner where endReason is moved or taken_over
	Guests     []GuestRow `json:"guests,omitempty"`   // who else is in the call
	EndReason  string     `json:"endReason,omitempty"`
	CallBack   bool       `json:"callBack"`
}

// CallCardNews is news to the operator who owns the call.
type CallCardNews struct {
	Card CallCard `json:"card"`
}

// PositionMoved is news to the operator: a new fix.
type PositionMoved struct {
	Call string `json:"call"`
	Fix  Fix    `json:"fix"`
}

// QualityChanged is news to the operator, and to the caller about themselves.
type QualityChanged struct {
	Call    string  `json:"call"`
	Quality Quality `json:"quality"`
}

// CaseNews tells a console that a case is new or has changed; the page asks for what it shows.
type CaseNews struct {
	Case     string `json:"case"`
	Number   string `json:"number"`
	Version  uint64 `json:"version"`
	Lane     string `json:"lane"`
	Status   string `json:"status"`
	Priority int    `json:"priority"`
	Owner    string `json:"owner"`
	Unit     string `json:"unit"`
}

// SessionReplaced is news to an older console tab: the newest took over. The socket is closed.
type SessionReplaced struct{}
