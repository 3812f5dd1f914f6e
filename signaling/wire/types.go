package wire

// WireType returns "hello".
func (*Hello) WireType() string { return "hello" }

// WireType returns "welcome".
func (*Welcome) WireType() string { return "welcome" }

// WireType returns "ping".
func (*Ping) WireType() string { return "ping" }

// WireType returns "pong".
func (*Pong) WireType() string { return "pong" }

// WireType returns "ok".
func (*OK) WireType() string { return "ok" }

// WireType returns "error".
func (*Error) WireType() string { return "error" }

// WireType returns "media.offer".
func (*MediaOffer) WireType() string { return "media.offer" }

// WireType returns "media.answer".
func (*MediaAnswer) WireType() string { return "media.answer" }

// WireType returns "media.candidate".
func (*MediaCandidate) WireType() string { return "media.candidate" }

// WireType returns "media.status".
func (*MediaStatus) WireType() string { return "media.status" }

// WireType returns "media.lost".
func (*MediaLost) WireType() string { return "media.lost" }

// WireType returns "media.check".
func (*MediaCheck) WireType() string { return "media.check" }

// WireType returns "media.checked".
func (*MediaChecked) WireType() string { return "media.checked" }

// WireType returns "relay.renewed".
func (*RelayRenewed) WireType() string { return "relay.renewed" }

// WireType returns "media.tune".
func (*MediaTune) WireType() string { return "media.tune" }

// WireType returns "call.create".
func (*CallCreate) WireType() string { return "call.create" }

// WireType returns "call.created".
func (*CallCreated) WireType() string { return "call.created" }

// WireType returns "call.end".
func (*CallEnd) WireType() string { return "call.end" }

// WireType returns "contact.set".
func (*ContactSet) WireType() string { return "contact.set" }

// WireType returns "call.state".
func (*CallState) WireType() string { return "call.state" }

// WireType returns "call.recording".
func (*CallRecording) WireType() string { return "call.recording" }

// WireType returns "camera.requested".
func (*CameraRequested) WireType() string { return "camera.requested" }

// WireType returns "position.requested".
func (*PositionRequested) WireType() string { return "position.requested" }

// WireType returns "position.report".
func (*PositionReport) WireType() string { return "position.report" }

// WireType returns "position.moved".
func (*PositionMoved) WireType() string { return "position.moved" }

// WireType returns "chat.send".
func (*ChatSend) WireType() string { return "chat.send" }

// WireType returns "chat.sent".
func (*ChatSent) WireType() string { return "chat.sent" }

// WireType returns "chat.posted".
func (*ChatPosted) WireType() string { return "chat.posted" }

// WireType returns "voice.piece".
func (*VoicePiece) WireType() string { return "voice.piece" }

// WireType returns "voice.have".
func (*VoiceHave) WireType() string { return "voice.have" }

// WireType returns "quality.report".
func (*QualityReport) WireType() string { return "quality.report" }

// WireType returns "quality.changed".
func (*QualityChanged) WireType() string { return "quality.changed" }

// WireType returns "duty.set".
func (*DutySet) WireType() string { return "duty.set" }

// WireType returns "console.state".
func (*ConsoleState) WireType() string { return "console.state" }

// WireType returns "offer.made".
func (*OfferMade) WireType() string { return "offer.made" }

// WireType returns "offer.withdrawn".
func (*OfferWithdrawn) WireType() string { return "offer.withdrawn" }

// WireType returns "offer.accept".
func (*OfferAccept) WireType() string { return "offer.accept" }

// WireType returns "offer.reject".
func (*OfferReject) WireType() string { return "offer.reject" }

// WireType returns "call.card".
func (*CallCardNews) WireType() string { return "call.card" }

// WireType returns "call.hold".
func (*CallHold) WireType() string { return "call.hold" }

// WireType returns "call.transfer".
func (*CallTransfer) WireType() string { return "call.transfer" }

// WireType returns "call.wrapup".
func (*CallWrapUp) WireType() string { return "call.wrapup" }

// WireType returns "callback.done".
func (*CallBackDone) WireType() string { return "callback.done" }

// WireType returns "camera.request".
func (*CameraRequest) WireType() string { return "camera.request" }

// WireType returns "position.request".
func (*PositionRequest) WireType() string { return "position.request" }

// WireType returns "note.save".
func (*NoteSave) WireType() string { return "note.save" }

// WireType returns "note.saved".
func (*NoteSaved) WireType() string { return "note.saved" }

// WireType returns "session.replaced".
func (*CaseNews) WireType() string        { return "case.news" }
func (*PatrolsMoved) WireType() string    { return "patrols.moved" }
func (*AlarmNews) WireType() string       { return "alarm.answered" }
func (*SessionReplaced) WireType() string { return "session.replaced" }
