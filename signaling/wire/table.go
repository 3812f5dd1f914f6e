package wire

import "slices"

// Direction says who sends a message.
type Direction uint8

// Directions of messages.
const (
	Request Direction = iota + 1 // client to gateway, answered
	Reply                        // gateway to client, with re
	News                         // gateway to client, unasked
)

// Entry is one line of the table of messages.
type Entry struct {
	Type      string
	Direction Direction
	Roles     []Role // who may send it; empty for gateway messages
	New       func() Body
}

// Who may send a message.
var (
	both    = []Role{RoleCaller, RoleConsole}
	caller  = []Role{RoleCaller}
	console = []Role{RoleConsole}
)

// Table lists every message of the protocol in the order of docs/PROTOCOL.md.
func Table() []Entry { return slices.Clone(table) }

var table = []Entry{
	{"hello", Request, both, func() Body { return new(Hello) }},
	{"welcome", Reply, nil, func() Body { return new(Welcome) }},
	{"ping", Request, both, func() Body { return new(Ping) }},
	{"pong", Reply, nil, func() Body { return new(Pong) }},
	{"ok", Reply, nil, func() Body { return new(OK) }},
	{"error", Reply, nil, func() Body { return new(Error) }},

	{"media.offer", Request, both, func() Body { return new(MediaOffer) }},
	{"media.answer", Reply, nil, func() Body { return new(MediaAnswer) }},
	{"media.candidate", Request, both, func() Body { return new(MediaCandidate) }},
	{"media.status", Request, both, func() Body { return new(MediaStatus) }},
	{"media.lost", News, nil, func() Body { return new(MediaLost) }},
	{"media.check", Request, both, func() Body { return new(MediaCheck) }},
	{"media.checked", Reply, nil, func() Body { return new(MediaChecked) }},
	{"relay.renewed", News, nil, func() Body { return new(RelayRenewed) }},
	{"media.tune", News, nil, func() Body { return new(MediaTune) }},

	{"call.create", Request, caller, func() Body { return new(CallCreate) }},
	{"call.created", Reply, nil, func() Body { return new(CallCreated) }},
	{"call.end", Request, both, func() Body { return new(CallEnd) }},
	{"contact.set", Request, caller, func() Body { return new(ContactSet) }},
	{"call.state", News, nil, func() Body { return new(CallState) }},
	{"call.recording", News, nil, func() Body { return new(CallRecording) }},
	{"camera.requested", News, nil, func() Body { return new(CameraRequested) }},
	{"position.requested", News, nil, func() Body { return new(PositionRequested) }},

	{"position.report", Request, caller, func() Body { return new(PositionReport) }},
	{"position.moved", News, nil, func() Body { return new(PositionMoved) }},
	{"chat.send", Request, both, func() Body { return new(ChatSend) }},
	{"chat.sent", Reply, nil, func() Body { return new(ChatSent) }},
	{"chat.posted", News, nil, func() Body { return new(ChatPosted) }},
	{"quality.report", Request, both, func() Body { return new(QualityReport) }},
	{"quality.changed", News, nil, func() Body { return new(QualityChanged) }},

	{"duty.set", Request, console, func() Body { return new(DutySet) }},
	{"console.state", News, nil, func() Body { return new(ConsoleState) }},
	{"offer.made", News, nil, func() Body { return new(OfferMade) }},
	{"offer.withdrawn", News, nil, func() Body { return new(OfferWithdrawn) }},
	{"offer.accept", Request, console, func() Body { return new(OfferAccept) }},
	{"offer.reject", Request, console, func() Body { return new(OfferReject) }},
	{"call.card", News, nil, func() Body { return new(CallCardNews) }},
	{"call.hold", Request, console, func() Body { return new(CallHold) }},
	{"call.transfer", Request, console, func() Body { return new(CallTransfer) }},
	{"call.wrapup", Request, console, func() Body { return new(CallWrapUp) }},
	{"callback.done", Request, console, func() Body { return new(CallBackDone) }},
	{"camera.request", Request, console, func() Body { return new(CameraRequest) }},
	{"position.request", Request, console, func() Body { return new(PositionRequest) }},
	{"note.save", Request, console, func() Body { return new(NoteSave) }},
	{"note.saved", Reply, nil, func() Body { return new(NoteSaved) }},
	{"case.news", News, nil, func() Body { return new(CaseNews) }},
	{"patrols.moved", News, nil, func() Body { return new(PatrolsMoved) }},
	{"alarm.answered", News, nil, func() Body { return new(AlarmNews) }},
	{"session.replaced", News, nil, func() Body { return new(SessionReplaced) }},

	{"call.join", Request, console, func() Body { return new(CallJoin) }},
	{"call.joined", Reply, nil, func() Body { return new(CallJoined) }},
	{"call.mode", Request, console, func() Body { return new(CallMode) }},
	{"call.leave", Request, console, func() Body { return new(CallLeave) }},
	{"call.take_over", Request, console, func() Body { return new(CallTakeOver) }},
	{"guest.state", News, nil, func() Body { return new(GuestState) }},

	{"voice.piece", Request, both, func() Body { return new(VoicePiece) }},
	{"voice.have", Reply, nil, func() Body { return new(VoiceHave) }},
}
