// Package signaling is the edge: HTTP routes, sockets, clients, limits. It decides nothing about
// calls; what a client asks goes to the Backend, what happens comes back through the Hub.
//
// Goroutines: one reader and one writer per socket, ended with the socket, and one that watches accounts;
// joined by Run.
// Locks: Hub.mu guards the map of clients, socket.mu an outbox, gate.mu, holds.mu and gallery.mu what
// they count and remember; a few lines each, never together.
package signaling

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"time"

	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/wire"
)

// Config is how the edge works.
type Config struct {
	Addr           string
	Origins        []string       // other origins that may open a socket
	FrameAncestors []string       // origins that may embed the caller page
	Secret         []byte         // keys what clients prove themselves with
	Proxies        []netip.Prefix // who may say with X-Forwarded-For where a request comes from; none by default
	MaxSockets     int            // in all; 0: usualSockets
	MaxSocketsAddr int            // of one address; 0: usualSocketsEach
	MetricsAddr    string         // where the metrics are served by themselves; empty: on Addr, for this machine alone
	SecureCookie   bool           // the site is served over https
	Centre         wire.Centre
	Categories     []wire.Choice // what calls are about
	Demo           bool          // accounts and codes are printed at the terminal
	PMTiles        string        // street map file; empty: none
	Attribution    string        // credit of the street map
	SignOnButton   Words         // of the button that leads to the identity provider
	Limits         Limits        // of files that are sent for cases
	Tips           string        // address of the page of anonymous tips; ":port" is on the host of the request; empty: none

	Zone *time.Location // of the site's days and shifts; nil: UTC
}

// zone is where the site's clocks are.
func (c Config) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Limits that are not configuration (DESIGN section 8).
const (
	helloTime   = 9 * time.Second  // over 2G a lost packet comes again after three; less than pingEvery: a pong to a closed socket would cost the refusal
	idleTime    = 30 * time.Second // without a word a socket is dead: pages ping every 5 s
	pingEvery   = 10 * time.Second
	writeTime   = 10 * time.Second
	lingerTime  = 2 * time.Second // for the other side to take our close
	checkTime   = time.Minute     // between looks at a console's session
	requestTime = 20 * time.Second
	maxOutbox   = 256 << 10 // bytes that may wait for a slow reader
	maxBad      = 10        // bad messages within badWindow before the socket is closed
	badWindow   = time.Minute
	maxBody     = 256 << 10 // bytes of a REST body
	maxPhoto    = 25 << 20
	maxFiles    = 20 // per call
)

// Close codes of our sockets (RFC 6455 section 7.4.2: 4000-4999 are ours).
const (
	CloseSlow      = 1013
	CloseBad       = 4000
	CloseReplaced  = 4001
	CloseHello     = 4002
	CloseSignedOut = 4003
)

// Who is the sender of a request.
type Who struct {
	Client  ident.ClientID
	Role    wire.Role
	Lang    string
	Caller  ident.CallerID // a registered caller
	Staff   ident.StaffID
	Roles   []string
	Unit    string // of staff; empty: the whole site
	Agent   string
	Host    string // host, and port where there was one, by which the page reached us; empty where it is not plainly that
	TLS     bool   // the page reached us by TLS, not by a proxy that took it off
	Resumed bool   // the tab proved that it was this client before
}

// reachedBy notes how the page that asks reached us: relays are named after it.
func (w *Who) reachedBy(r *http.Request) {
	w.TLS = r.TLS != nil
	if plainHost(r.Host) {
		w.Host = r.Host
	}
}

// Backend is what the edge speaks to.
type Backend interface {
	// Hello returns the present state for a client that has just said hello; the edge adds what
	// is its own.
	Hello(ctx context.Context, who Who, h *wire.Hello) (*wire.Welcome, error)
	// Request carries out one request and returns the body of the reply.
	Request(ctx context.Context, who Who, body wire.Body) (wire.Body, error)
	// Gone tells that the client has no socket any more.
	Gone(who Who)
	// Ended tells that the session of a console has ended: its media must end with it. What it has
	// in hand goes the way of every call whose operator has left.
	Ended(who Who)
}

// Files keeps what is sent within calls.
type Files interface {
	// MayUse reports whether who has a part in the call, and how many files it has.
	MayUse(ctx context.Context, who Who, call ident.CallID) (files int, err error)
	// Put keeps a file bit by bit; it is durable when Put returns.
	Put(ctx context.Context, who Who, call ident.CallID, ref wire.FileRef, raw []byte) (wire.FileRef, error)
	// Get writes a file of a call.
	Get(ctx context.Context, call ident.CallID, file ident.FileID, w io.Writer) (wire.FileRef, error)
}

// Evidence answers the investigator's page.
type Evidence interface {
	// Calls finds recorded calls, the newest first, and the cursor of the next page.
	Calls(ctx context.Context, q store.CallQuery) ([]CallRow, string, error)
	// Detail tells everything of one call; its timeline is on the call's clock.
	Detail(ctx context.Context, call ident.CallID) (CallDetail, error)
	// Media opens a playable file of one participant.
	Media(ctx context.Context, call ident.CallID, participant string) (MediaFile, error)
	// Verify checks the archive as anybody could and returns the report as JSON.
	Verify(ctx context.Context, call ident.CallID) ([]byte, error)
	// Archive returns the folder of the archive as stored.
	Archive(ctx context.Context, call ident.CallID) (fs.FS, error)
}

// Access is one look at a recording, or an attempt.
type Access struct {
	AtMs   int64  `json:"atMs"`
	Name   string `json:"name"`
	Action string `json:"action"` // opening, open, play, verify, fetch, accesses, custody, export, take (a copy), and the acts of keeping; with " refused" where it was not done, and " gone" where nobody can
	Detail string `json:"detail"` // case and reason, where somebody had to give them
}

// Why says for whom and for what a report or a copy is made.
type Why struct{ Case, Reason string }

// Form is how a report is written.
type Form struct {
	Lang string // kk, ru, en
	PDF  bool   // else HTML
}

// Reports tell who has had recordings. What they return writes the report.
type Reports interface {
	// Call reports on one recording.
	Call(ctx context.Context, who Who, call ident.CallID, why Why, f Form) (func(io.Writer) error, error)
	// Person reports on what a member of staff did between two times.
	Person(ctx context.Context, who Who, q PersonQuery, f Form) (func(io.Writer) error, error)
}

// PersonQuery names a member of staff by login, and a time.
type PersonQuery struct {
	Login    string
	From, To time.Time
	Why      Why
}

// Exports are copies of recordings for those outside.
type Exports interface {
	// Make begins a copy.
	Make(ctx context.Context, who Who, call ident.CallID, o ExportOrder) (ExportState, error)
	// List tells of the copies of a call, the newest first.
	List(call ident.CallID) []ExportState
	// Open opens a copy that is ready.
	Open(call ident.CallID, id string) (MediaFile, error)
	// Drop ends one that is being made, or removes it.
	Drop(call ident.CallID, id string) error
}

// ExportOrder says what is to be copied, for whom.
type ExportOrder struct {
	Why
	Lang         string
	Organization string
	Recipient    string // age recipient of the receiver; empty: not encrypted
	Tar          bool   // else a zip
	Withhold     []Withheld
}

// Withheld is a stretch that the receiver does not get, in milliseconds of the call. Stream -1 is
// all of them, 0 the journal; To 0 is the end.
type Withheld struct {
	Stream int   `json:"stream"`
	FromMs int64 `json:"fromMs"`
	ToMs   int64 `json:"toMs"`
}

// ExportState is how a copy stands. Of bytes, Total is 0 until it is known.
type ExportState struct {
	Export    string     `json:"export"`
	State     string     `json:"state"`          // making, ready, failed
	Code      string     `json:"code,omitempty"` // of a failure
	Name      string     `json:"name"`
	By        string     `json:"by"`
	Case      string     `json:"case"`
	AtMs      int64      `json:"atMs"`
	Done      int64      `json:"done"`
	Total     int64      `json:"total"`
	Bytes     int64      `json:"bytes"`  // of the file
	SHA256    string     `json:"sha256"` // of the file
	Encrypted bool       `json:"encrypted"`
	Withheld  []Withheld `json:"withheld"`
}

// Probes tell whether the gateway works.
type Probes interface {
	// Ready reports whether callers can be queued.
	Ready(ctx context.Context) error
	// Audit keeps a line of who did what; nothing is shown before it is durable.
	Audit(ctx context.Context, who Who, action, object, detail string) error
	// Accesses tells who has looked at a recording, the newest first.
	Accesses(ctx context.Context, call ident.CallID) ([]Access, error)
}

// Pages are the built pages.
type Pages = fs.FS

// CallRow is one call in a search.
type CallRow struct {
	Call       string `json:"call"`
	Number     string `json:"number"`
	Kind       string `json:"kind"`
	Phase      string `json:"phase"`
	Name       string `json:"name"`
	Phone      string `json:"phone"`
	Proof      string `json:"proof"`
	Operator   string `json:"operator"`
	CreatedMs  int64  `json:"createdMs"`
	AnsweredMs int64  `json:"answeredMs"`
	EndedMs    int64  `json:"endedMs"`
	EndReason  string `json:"endReason"`
	Category   string `json:"category"`
	Outcome    string `json:"outcome"`
	Callback   string `json:"callback"`
	Recording  string `json:"recording"` // none, open, sealed, destroyed
}

// CallDetail is everything about one recorded call.
type CallDetail struct {
	Row     CallRow     `json:"row"`
	Case    *CaseRef    `json:"case,omitempty"` // whose recording it is; none: nobody made a case of it
	Archive ArchiveInfo `json:"archive"`
	// Timeline is recorder/derive's timeline with the addresses of the media added.
	Timeline any `json:"timeline"`
}

// ArchiveInfo is how the archive stands.
type ArchiveInfo struct {
	State      string `json:"state"` // none, open, sealed
	Leaves     uint64 `json:"leaves"`
	Root       string `json:"root"`
	Segments   int    `json:"segments"`
	DurationMs int64  `json:"durationMs"`
	Dir        string `json:"dir"` // below the archive folder, for `jedel evidence verify`
	// Damaged are folders with earlier parts of the recording that were damaged and left as they are.
	Damaged []string `json:"damaged"`
}

// MediaFile is a playable file made from an archive.
type MediaFile struct {
	Mime    string
	Name    string
	ModTime time.Time
	Content io.ReadSeekCloser
}
