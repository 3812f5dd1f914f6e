// Package wire has the messages between the gateway and its pages and programs, one Go type
// each, and the strict decoder for them. docs/PROTOCOL.md tells when each is sent; the file
// testdata/<type>.json is the example that Go tests, web tests and the document share.
//
// A message is a JSON object {"type", "seq", "re", "body"}. Requests go from a client to the
// gateway and are answered once, by their reply type or by "error", with "re" set to the seq of
// the request. News go from the gateway to a client and are not answered. The same messages may
// travel in the WebSocket and in the data channel "jedel" of the client's peer connection.
package wire

import "jedel/internal/fault"

// Version is the protocol version that this package speaks. A client announces its own in Hello.
const Version = 1

// Limits of DESIGN.md section 8.
const (
	MaxMessage    = 64 << 10  // bytes of one message, before it is parsed
	MaxDepth      = 16        // nesting of JSON objects and arrays
	MaxSDP        = 64 << 10  // bytes; a message bounds it further
	MaxChat       = 4 << 10   // bytes of UTF-8 in one chat text
	MaxNote       = 16 << 10  // bytes of UTF-8 in the operator's note
	MaxName       = 200       // bytes of UTF-8 in a person's name
	MaxShort      = 64        // bytes in references, reasons, categories
	MaxQueueRows  = 100       // waiting calls listed in one ConsoleState
	MaxChatRecent = 200       // chat items in one CallView or CallCard
	MaxTrack      = 200       // positions in one CallCard
	MaxPiece      = 4 << 10   // bytes in one piece of a voice note
	MaxVoice      = 256 << 10 // bytes of a voice note: some minutes of thin Opus
)

// Body is a message's content. The sealed set of bodies is the table in table.go.
type Body interface{ WireType() string }

// Message is one decoded message.
type Message struct {
	Seq  uint64 // counts up from 1 on each socket and direction
	Re   uint64 // seq of the request that this answers; 0 for requests and news
	Body Body
}

// Phase is where a call stands. DESIGN.md section 4.
type Phase string

// Phases of a call.
const (
	PhaseCreated      Phase = "created"
	PhaseQueued       Phase = "queued"
	PhaseOffered      Phase = "offered"
	PhaseConnecting   Phase = "connecting"
	PhaseTalking      Phase = "talking"
	PhaseHold         Phase = "hold"
	PhaseConference   Phase = "conference"
	PhaseReconnecting Phase = "reconnecting"
	PhaseWrapUp       Phase = "wrapup"
	PhaseEnded        Phase = "ended"
)

// CallKind is how the caller means to communicate.
type CallKind string

// Kinds of call.
const (
	KindVideo  CallKind = "video"
	KindVoice  CallKind = "voice"
	KindSilent CallKind = "silent" // the caller cannot speak: no sound towards them, touch and text only
)

// Error refuses a request (re > 0) or tells of a bad message (re = 0).
type Error struct {
	Code  fault.Code `json:"code"`
	Op    string     `json:"op,omitempty"`    // the type of the message refused
	Words fault.Text `json:"words"`           // for people
	Fatal bool       `json:"fatal,omitempty"` // the socket is closed after this
}

// OK answers a request that has nothing more to tell.
type OK struct{}

// Ping asks for a Pong; each side may measure the round trip with it.
type Ping struct{}

// Pong answers Ping.
type Pong struct {
	NowMs int64 `json:"nowMs"` // the gateway's clock, Unix milliseconds
}

// Role is the part a client plays.
type Role string

// Roles of clients.
const (
	RoleCaller  Role = "caller"
	RoleConsole Role = "console"
)

// Hello is the first message on every socket, within 10 seconds.
type Hello struct {
	Version int     `json:"version"`
	Role    Role    `json:"role"`
	Lang    string  `json:"lang"`             // kk, ru, en
	Token   string  `json:"token,omitempty"`  // caller's credential, or a staff session where no cookie is sent
	Resume  *Resume `json:"resume,omitempty"` // the client this tab was before
	Claim   string  `json:"claim,omitempty"`  // 32 hex digits of chance: who has sent an SOS in the open with this claim is that client
	Agent   string  `json:"agent,omitempty"`  // program and version, for the archive
}

// Resume proves that a tab is the client it claims to be.
type Resume struct {
	Client string `json:"client"`
	Key    string `json:"key"`
}

// Welcome answers Hello. Everything the page needs to show the present state is in it, so that a
// resumed socket, a reloaded page and a restarted gateway follow the same path.
type Welcome struct {
	Client     string       `json:"client"`
	Key        string       `json:"key"` // kept by the page, sent in Hello.Resume
	Version    int          `json:"version"`
	NowMs      int64        `json:"nowMs"`
	ICEServers []ICEServer  `json:"iceServers"`
	Caller     *CallerSelf  `json:"caller,omitempty"`
	Staff      *StaffSelf   `json:"staff,omitempty"`
	Call       *CallView    `json:"call,omitempty"` // the caller's open call
	Centre     Centre       `json:"centre"`
	Console    *ConsoleInit `json:"console,omitempty"`
	Guest      *GuestView   `json:"guest,omitempty"` // the call in which this member of staff is a guest
	PC         string       `json:"pc,omitempty"`    // the peer connection the gateway still has of this client
}

// ICEServer is a STUN or TURN server for RTCPeerConnection.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Centre is the site that answers.
type Centre struct {
	Name  fault.Text `json:"name"`
	Phone string     `json:"phone"` // what to dial when nothing else works, "102"
	Lat   float64    `json:"lat"`   // where the map opens, degrees WGS 84
	Lon   float64    `json:"lon"`
}

// CallerSelf is what a registered caller has told of themselves.
type CallerSelf struct {
	Name    string `json:"name"`
	Phone   string `json:"phone"` // E.164
	IIN     string `json:"iin,omitempty"`
	Medical string `json:"medical,omitempty"`
}

// StaffSelf is the signed-in member of staff.
type StaffSelf struct {
	Staff string   `json:"staff"`
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
}

// MediaOffer carries the browser's SDP offer. The browser always offers. The same pc means
// renegotiation or ICE restart; another pc replaces the peer connection.
type MediaOffer struct {
	PC  string `json:"pc"` // chosen by the page, one per RTCPeerConnection
	SDP string `json:"sdp"`
}

// MediaAnswer answers MediaOffer; all our candidates are in the SDP.
type MediaAnswer struct {
	PC  string `json:"pc"`
	SDP string `json:"sdp"`
}

// MediaCandidate trickles one of the browser's ICE candidates (RFC 8840). An empty candidate
// means there are no more.
type MediaCandidate struct {
	PC        string `json:"pc"`
	Candidate string `json:"candidate"`
	Mid       string `json:"mid"`
}

// DeviceState is what became of a microphone or camera.
type DeviceState string

// States of a device.
const (
	DeviceOn     DeviceState = "on"
	DeviceOff    DeviceState = "off" // muted or switched off by the person
	DeviceDenied DeviceState = "denied"
	DeviceNone   DeviceState = "none" // there is no such device
	DeviceBusy   DeviceState = "busy" // another program holds it
	DeviceAsking DeviceState = "asking"
)

// MediaStatus tells the other side and the archive which devices the sender has on.
type MediaStatus struct {
	Mic        DeviceState `json:"mic"`
	Camera     DeviceState `json:"camera"`
	Background bool        `json:"background,omitempty"` // the page is hidden or the screen off
	Rung       Rung        `json:"rung,omitempty"`       // of a caller: what their network carries now
}

// Rung is what a caller's network carries, from most to least.
type Rung string

// Rungs of the ladder (docs/PROTOCOL.md, "Thin networks"). Below audio nothing but words and notes is sent to the caller.
const (
	RungVideo Rung = "video"
	RungThin  Rung = "thin" // small pictures
	RungAudio Rung = "audio"
	RungNotes Rung = "notes" // voice notes and text
	RungText  Rung = "text"
	RungSOS   Rung = "sos" // single datagrams; set by the gateway
)

// MediaLost is news: the gateway has lost or closed the client's peer connection; the page makes
// a new one.
type MediaLost struct {
	PC     string `json:"pc"`
	Reason string `json:"reason"`
}

// RelayRenewed is news: the relays of Welcome.ICEServers with fresh credentials. Those before stay good
// for what is connected; new connections and ICE restarts take these.
type RelayRenewed struct {
	ICEServers []ICEServer `json:"iceServers"`
}

// VideoLevel is how much of a picture a link has room for. Words come first: the picture gives way
// before the voice does.
type VideoLevel string

// Levels of video.
const (
	VideoOn   VideoLevel = "on"
	VideoThin VideoLevel = "thin" // 20 pictures a second are kept, size and sharpness give way: signing needs movement
	VideoOff  VideoLevel = "off"  // the voice alone
)

// MediaCheck asks what the gateway hears and sends by the peer connection of the page: a page that
// hears nothing asks whose silence it is. The page sends it by itself.
type MediaCheck struct {
	PC string `json:"pc"`
}

// MediaChecked answers it. Both are ages in milliseconds, -1 for never: of the newest audio that
// was sent to the page, or would have been had its connection carried it, and of the newest that
// came from it.
type MediaChecked struct {
	PC      string `json:"pc"`
	SentMs  int64  `json:"sentMs"`
	HeardMs int64  `json:"heardMs"`
}

// MediaTune is news: how the page's peer connection is to be used from now on. It holds until the
// next one, which is whole again; a new connection begins with RED off, jitterMs 0, video on. It
// comes anew after each welcome, and by the data channel as well where that is open: of one pc the
// greatest rev counts, whichever way it came.
type MediaTune struct {
	PC        string     `json:"pc"`
	Rev       int        `json:"rev"`       // counts up from 1 within pc
	RED       bool       `json:"red"`       // send Opus as audio/red (RFC 2198)
	JitterMs  int        `json:"jitterMs"`  // jitterBufferTarget of what is received; 0: the browser's own choice
	Video     VideoLevel `json:"video"`     // what this page may send
	VideoKbps int        `json:"videoKbps"` // the most its camera may send, kbit/s; 0: no limit
	LeastKbps int        `json:"leastKbps"` // what the browser is to take the way to bear at the least, kbit/s; 0: what it finds
	Shown     VideoLevel `json:"shown"`     // what it gets to see: off where its link, or the sender's, has no room
	Why       string     `json:"why"`       // loss, slow; empty where nothing is held back
}

// Fix is one position (WGS 84).
type Fix struct {
	Lat       float64  `json:"lat"`       // degrees, -90..90
	Lon       float64  `json:"lon"`       // degrees, -180..180
	AccuracyM float64  `json:"accuracyM"` // radius as measured; 0 of a pin, which was not measured
	AltM      *float64 `json:"altM,omitempty"`
	Heading   *float64 `json:"heading,omitempty"` // degrees clockwise from north
	SpeedMps  *float64 `json:"speedMps,omitempty"`
	Source    string   `json:"source"`         // device, pin (placed on the map), text (said in words)
	Text      string   `json:"text,omitempty"` // the address in the caller's words
	ClientMs  int64    `json:"clientMs"`       // the device's clock, Unix milliseconds
	ServerMs  int64    `json:"serverMs"`       // the gateway's; 0 in requests
}

// PositionReport brings one position from the caller. It is idempotent by id.
type PositionReport struct {
	Call string `json:"call"`
	ID   string `json:"id"`
	Fix  Fix    `json:"fix"`
}

// ChatSend posts to the chat of a call. It is idempotent by id. File names an uploaded photo.
type ChatSend struct {
	Call string `json:"call"`
	ID   string `json:"id"` // chosen by the sender
	Text string `json:"text"`
	File string `json:"file,omitempty"`
}

// ChatSent answers ChatSend once the item is durable.
type ChatSent struct {
	ID   string `json:"id"`
	AtMs int64  `json:"atMs"`
	Seq  uint64 `json:"chatSeq"` // place in the call's chat
}

// VoicePiece brings a piece of a voice note. Pieces are taken in order; one that was there already, or comes too early,
// changes nothing and is answered with how much is there.
type VoicePiece struct {
	Call string `json:"call"`
	Note string `json:"note"` // an identifier, chosen by the sender: the file and the chat line have it too
	From int    `json:"from"` // bytes before this piece
	Data string `json:"data"` // base64 of at most 4 KiB
	End  bool   `json:"end,omitempty"`
}

// VoiceHave answers VoicePiece. Of a note that was taken whole, done is true: it is durable and stands in the chat.
type VoiceHave struct {
	Note  string `json:"note"`
	Bytes int    `json:"bytes"` // that are there: the next piece begins here
	Done  bool   `json:"done"`
}

// ChatItem is one line of a call's chat.
type ChatItem struct {
	ID   string   `json:"id"`
	Seq  uint64   `json:"chatSeq"`
	From string   `json:"from"` // caller, operator, system
	Name string   `json:"name,omitempty"`
	Text string   `json:"text"`
	File *FileRef `json:"file,omitempty"`
	AtMs int64    `json:"atMs"`
}

// FileRef names a file of a call; it is read under /api/v1/calls/{call}/files/{file}.
type FileRef struct {
	File   string `json:"file"`
	Mime   string `json:"mime"`
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Width  int    `json:"width"` // pixels
	Height int    `json:"height"`
	SHA256 string `json:"sha256"` // hex, of the file as sent
}

// ChatPosted is news to both sides: a chat item became durable.
type ChatPosted struct {
	Call string   `json:"call"`
	Item ChatItem `json:"item"`
}

// QualityReport tells how the sender's page hears and sees, from getStats, over the last period.
type QualityReport struct {
	Call      string  `json:"call,omitempty"`
	RTTMs     float64 `json:"rttMs"`
	LossDown  float64 `json:"lossDown"`  // 0..1, audio towards the sender of this report
	Concealed float64 `json:"concealed"` // 0..1, concealedSamples/totalSamplesReceived
	JitterMs  float64 `json:"jitterMs"`
	FPS       float64 `json:"fps"`
	Transport string  `json:"transport"` // udp, tcp, relay, none
	Network   string  `json:"network,omitempty"`
}

// Quality is the verdict on a call's link that both sides see in words.
type Quality struct {
	Word     string  `json:"word"` // good, fair, poor, lost, unknown
	LossUp   float64 `json:"lossUp"`
	LossDown float64 `json:"lossDown"`
	RTTMs    float64 `json:"rttMs"`
	FPS      float64 `json:"fps"`
	Network  string  `json:"network,omitempty"`
	Way      string  `json:"way,omitempty"` // udp, tcp, relay: how the page reaches the gateway
	AtMs     int64   `json:"atMs"`
}

// Recording is the recorder's word on a call, from its durable lag and never from intention.
type Recording struct {
	State  string `json:"state"` // recording, degraded, stopped
	LagMs  int64  `json:"lagMs"` // age of the oldest record not yet durable
	Reason string `json:"reason,omitempty"`
}
