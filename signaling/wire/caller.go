package wire

// CallCreate asks for a call: the tap. It is idempotent by ref: the same ref gives the same call.
type CallCreate struct {
	Ref     string   `json:"ref"` // chosen by the page before the tap, up to 64 characters
	Kind    CallKind `json:"kind"`
	Contact *Contact `json:"contact,omitempty"` // for callers who are not registered
	Fix     *Fix     `json:"fix,omitempty"`     // the last known position, with its age in clientMs
}

// Contact is what an unregistered caller says of themselves; it is not proven.
type Contact struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// CallCreated answers CallCreate once the call is durable: from here on it is never lost.
type CallCreated struct {
	View CallView `json:"view"`
}

// CallEnd hangs up. The operator's end is followed by wrap-up.
type CallEnd struct {
	Call string `json:"call"`
}

// ContactSet tells who an unregistered caller is while they wait or talk.
type ContactSet struct {
	Call    string  `json:"call"`
	Contact Contact `json:"contact"`
}

// CallView is a call as its caller sees it, always whole; a page ignores one with a lower rev.
type CallView struct {
	Call      string      `json:"call"`
	Ref       string      `json:"ref"`
	Number    string      `json:"number"` // "26-000123"
	Kind      CallKind    `json:"kind"`
	Phase     Phase       `json:"phase"`
	Rev       uint64      `json:"rev"`   // counts the call's recorded decisions
	Ahead     int         `json:"ahead"` // callers before this one while queued; 0 = next
	CreatedMs int64       `json:"createdMs"`
	SinceMs   int64       `json:"sinceMs"` // when the phase began
	Operator  string      `json:"operator,omitempty"`
	OpMic     bool        `json:"opMic"` // the operator can be heard
	OpCamera  bool        `json:"opCamera"`
	Guests    []Companion `json:"guests,omitempty"` // who speaks with the caller besides the operator
	EndReason string      `json:"endReason,omitempty"`
	CallBack  bool        `json:"callBack"` // the police will call back
	Contact   Contact     `json:"contact"`
	Recording Recording   `json:"recording"`
	Chat      []ChatItem  `json:"chat"` // in Welcome and CallCreated only; else empty
}

// CallState is news to the caller: the call changed.
type CallState struct {
	View CallView `json:"view"`
}

// CameraRequested is news to the caller: the operator asks to see.
type CameraRequested struct {
	Call string `json:"call"`
}

// PositionRequested is news to the caller: the operator asks for a fresh position.
type PositionRequested struct {
	Call string `json:"call"`
}

// CallRecording is news to both sides: the recorder's state changed.
type CallRecording struct {
	Call      string    `json:"call"`
	Recording Recording `json:"recording"`
}
