package signaling

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/thinline"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

// Parts are what a Server is made of.
type Parts struct {
	Config   Config
	Backend  Backend
	Accounts *accounts.Accounts
	Files    Files
	Evidence Evidence
	Keeping  Keeping
	Cameras  Cameras
	Clips    Clips
	Reports  Reports
	Exports  Exports
	Probes   Probes
	CentreParts
	Pushes Pushes
	Units  Units  // nil: no object is a unit's
	SignOn SignOn // nil: local accounts only
	Shifts Shifts
	Pages  Pages
	Door
	Reg *prometheus.Registry
	Log *slog.Logger
}

// CentreParts are the parts that know of cases.
type CentreParts struct {
	Preview  Draw // nil: in this process
	Cases    Cases
	Intake   Intake
	Uploads  Uploads
	Patrols  Patrols
	Dispatch Dispatch
	Progress Progress
	Alarms   Alarms
	Geo      Geo
	Histories
	Stats Statistics
	SOS   SOS
}

// Server is the edge. Make it with New, then Run it.
type Server struct {
	cfg     Config
	backend Backend
	parties
	files    Files
	evidence recordings
	log      *slog.Logger
	met      *metrics
	hub      *Hub
	door     Door
	mux      *http.ServeMux
	sockets  lives
	gallery  *gallery
	transfers
	centre
	openings openings
	gate     *gate
	metrics  http.Handler

	checkEvery time.Duration // checkTime; tests shorten it
	paces      paces
}

// Door is how the port of the pages is opened.
type Door struct {
	TLS   *tls.Config // nil: plain http
	Relay Relay       // shares the port, where that is TLS; nil: none
}

// recordings are what investigators ask for, and what cameras add to them.
type recordings struct {
	Evidence
	reports Reports
	exports Exports
	keeping Keeping
	clips   Clips
	lookers *lookers
}

// transfers bound what is under way at once.
type transfers struct {
	uploads, downloads holds
	inbox              *inbox
	readers            chan struct{} // bounds originals read at once
}

// centre is what the people of a centre work on, and are told apart by.
type centre struct {
	units     Units
	cases     Cases
	intake    Intake
	declared  Uploads
	patrols   Patrols
	dispatch  Dispatch
	progress  Progress
	alarms    Alarms
	atlas     atlas
	histories Histories
	reporters pacer // how often an address may send reports
	directory *accounts.Directory
	signOn    SignOn
	shifts    Shifts
	stats     Statistics
	sos       SOS
}

func centreOf(p Parts) centre {
	return centre{
		units: p.Units, cases: p.Cases, intake: p.Intake, declared: p.Uploads, patrols: p.Patrols, dispatch: p.Dispatch, progress: p.Progress, alarms: p.Alarms, histories: p.Histories, reporters: newPacer(reportEvery, reportBurst),
		directory: p.Accounts.Directory(), signOn: p.SignOn, shifts: p.Shifts, stats: p.Stats, sos: p.SOS,
	}
}

// New returns an edge that does not listen yet.
func New(p Parts) (*Server, error) {
	met := newMetrics(p.Reg)
	s := &Server{
		cfg: p.Config, backend: p.Backend, parties: parties{p.Accounts, p.Probes, p.Pushes}, files: p.Files, evidence: recordings{p.Evidence, p.Reports, p.Exports, p.Keeping, p.Clips, newLookers(p.Cameras)}, log: p.Log,
		met: met, door: p.Door, gallery: newGallery(p.Preview, met.previews), gate: newGate(p.Config), transfers: transfers{readers: make(chan struct{}, maxReaders)}, centre: centreOf(p), checkEvery: checkTime, paces: usualPaces(),
		hub: &Hub{backend: p.Backend, secret: p.Config.Secret, log: p.Log, met: met, clients: map[ident.ClientID]*client{}},
	}
	var err error
	if s.inbox, err = newInbox(s); err != nil {
		return nil, err
	}
	pages, err := newPages(p.Pages, p.Config)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	s.atlas = atlas{s, p.Geo, newPacer(geoEvery, geoBurst)}
	s.metrics = promhttp.HandlerFor(p.Reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	s.routes(pages)
	return s, nil
}

// Hub returns the clients.
func (s *Server) Hub() *Hub { return s.hub }

// lives counts the sockets, so that Run can wait for them: the http package forgets them.
type lives struct {
	mu     sync.Mutex // guards the rest
	wg     sync.WaitGroup
	closed bool
}

// begin counts one life until done is called; ok is false where the server is ending.
func (l *lives) begin() (done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, false
	}
	l.wg.Add(1)
	return l.wg.Done, true
}

// end lets no more begin and waits for those that have.
func (l *lives) end() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.wg.Wait()
}

// endTime bounds the orderly end of requests.
const endTime = 5 * time.Second

// Run listens and serves until ctx ends and every socket has ended.
func (s *Server) Run(ctx context.Context) error {
	l, err := thinline.Listen(s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("http.addr: %w", err)
	}
	if s.cfg.MetricsAddr == "" {
		return s.Serve(ctx, l)
	}
	m, err := net.Listen("tcp", s.cfg.MetricsAddr)
	if err != nil {
		return errors.Join(fmt.Errorf("metrics.listen: %w", err), l.Close())
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return s.Serve(ctx, l) })
	both.Go(func() error { return s.serveMetrics(ctx, m) })
	return both.Wait()
}

// Serve is Run on a listener of the caller's, without the metrics' own.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	switch {
	case s.door.TLS != nil && s.door.Relay != nil:
		both := s.split(l)
		defer both.wg.Wait()
		l = both
	case s.door.TLS != nil:
		l = tls.NewListener(l, s.door.TLS)
	}
	var checks sync.WaitGroup
	checking, stop := context.WithCancel(ctx)
	checks.Go(func() { s.watchStaff(checking) })
	checks.Go(func() { s.evidence.lookers.run(checking, s.checkEvery, s.accounts) })
	err := s.listen(ctx, l, &http.Server{Handler: s})
	stop()
	s.sockets.end()
	checks.Wait()
	return err
}

// serveMetrics serves the metrics alone, to whoever reaches the listener.
func (s *Server) serveMetrics(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics)
	return s.listen(ctx, l, &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second})
}

// listen serves until ctx ends and then ends in order.
func (s *Server) listen(ctx context.Context, l net.Listener, srv *http.Server) error {
	srv.ReadHeaderTimeout, srv.IdleTimeout, srv.MaxHeaderBytes = 10*time.Second, 2*time.Minute, 32<<10
	srv.BaseContext = func(net.Listener) context.Context { return ctx } // requests and sockets end with ctx
	srv.ConnContext = withTLS
	srv.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		err = srv.Shutdown(end)
		if errors.Is(err, context.DeadlineExceeded) {
			err = srv.Close()
		}
		<-failed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// ServeHTTP answers one request: security headers on everything, a panic costs one request.
func (s *Server) ServeHTTP(plain http.ResponseWriter, r *http.Request) {
	knowTLS(r)
	w := s.paces.paced(plain, r)
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p != http.ErrAbortHandler {
			s.met.panics.Inc()
			s.log.Error("panic in a request", "path", r.URL.Path, "err", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		if w.begun || p == http.ErrAbortHandler {
			panic(http.ErrAbortHandler) // the connection ends: nobody takes half an answer for the whole
		}
		s.answer(w, http.StatusInternalServerError, map[string]any{"error": errorBody(fault.New(fault.Internal, "http", nil), false)})
	}()
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !s.originAllowed(r) {
		s.fail(w, r, fault.New(fault.ForeignOrigin, r.URL.Path, nil))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// routes lists every path. docs and openapi.json list them too; a test holds them together.
func (s *Server) routes(pages *pages) {
	s.mux = http.NewServeMux()
	for pattern, fn := range s.table() {
		s.mux.HandleFunc(pattern, fn)
	}
	if s.cfg.MetricsAddr == "" {
		s.mux.Handle("GET /metrics", s.atHome(s.metrics))
	}
	s.mux.HandleFunc(unknownAPI, s.unknown)
	s.mux.Handle("/", pages)
}

// unknownAPI matches what no other route of the API does.
const unknownAPI = "/api/"

// unknown refuses a request that is not in the API, as the API refuses: by code and words.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	const op = "api"
	var known []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != unknownAPI {
			known = append(known, method)
		}
	}
	if len(known) == 0 {
		s.fail(w, r, fault.New(fault.NotFound, op, nil))
		return
	}
	w.Header().Set("Allow", strings.Join(known, ", "))
	s.met.refused.WithLabelValues(string(fault.UnknownType)).Inc()
	s.answer(w, http.StatusMethodNotAllowed, map[string]any{"error": errorBody(fault.New(fault.UnknownType, op, nil), false)})
}

// table is every route of the API.
func (s *Server) table() map[string]http.HandlerFunc {
	staff, of := s.withStaff, copies{s}
	all := map[string]http.HandlerFunc{
		"GET /ws":                 s.serveSocket,
		"GET /healthz":            func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") },
		"GET /readyz":             s.ready,
		"GET /api/openapi.json":   s.openAPI,
		"GET /api/v1/config":      s.config,
		"GET /map/street.pmtiles": s.streetMap,

		"POST /api/v1/caller/code":     s.callerCode,
		"POST /api/v1/caller/register": s.callerRegister,
		"GET /api/v1/caller/me":        s.callerMe,
		"PUT /api/v1/caller/me":        s.callerChange,
		"DELETE /api/v1/caller/me":     s.callerForget,

		"POST /api/v1/staff/session":   s.signIn,
		"GET /api/v1/staff/session":    s.session,
		"DELETE /api/v1/staff/session": s.signOut,
		"POST /api/v1/staff/totp":      s.newTOTP,
		"PUT /api/v1/staff/totp":       s.setTOTP,
		"DELETE /api/v1/staff/totp":    s.dropTOTP,

		"POST /api/v1/calls/{call}/files":               s.putFile,
		"GET /api/v1/calls/{call}/files/{file}":         s.getFile,
		"GET /api/v1/calls/{call}/files/{file}/preview": s.getPreview,
		"GET /api/v1/calls/{call}/progress":             s.callProgress,

		"GET /api/v1/evidence/calls":                            staff(access.Search, s.evidenceCalls),
		"GET /api/v1/evidence/calls/{call}":                     staff(access.Play, s.evidenceDetail),
		"GET /api/v1/evidence/calls/{call}/media/{participant}": staff(access.Play, s.evidenceMedia),
		"POST /api/v1/evidence/calls/{call}/opening":            staff(access.Play, s.evidenceOpening),
		"GET /api/v1/evidence/calls/{call}/accesses":            staff(access.Play, s.evidenceAccesses),
		"POST /api/v1/evidence/calls/{call}/verify":             staff(access.Verify, s.evidenceVerify),
		"GET /api/v1/evidence/calls/{call}/archive.tar":         staff(access.Fetch, s.evidenceArchive),

		"GET /api/v1/evidence/calls/{call}/custody":             staff(access.Fetch, of.custody),
		"GET /api/v1/evidence/staff/{login}/custody":            staff(access.Audit, of.person),
		"GET /api/v1/evidence/calls/{call}/exports":             staff(access.Fetch, of.list),
		"POST /api/v1/evidence/calls/{call}/exports":            staff(access.Fetch, of.make),
		"GET /api/v1/evidence/calls/{call}/exports/{export}":    staff(access.Fetch, of.take),
		"DELETE /api/v1/evidence/calls/{call}/exports/{export}": staff(access.Fetch, of.drop),
	}
	for _, more := range []map[string]http.HandlerFunc{s.keepingTable(), s.casesTable(), s.historyTable(), s.intakeTable(), s.inbox.table(), s.patrolTable(), s.alarmTable(), s.officeTable(), s.signOnTable(), s.shiftTable(), s.statsTable(), s.pushTable(), s.atlas.table(), watch{s, s.evidence.lookers}.table(), film{s, s.evidence.clips}.table(), sosDoor{s, s.sos}.table()} {
		maps.Copy(all, more)
	}
	return all
}

// mayConsole lets those in who see the console's lists, and patrols, who see none of them.
func mayConsole(who Who) error {
	if !access.May(who.Roles, access.Console) && !access.May(who.Roles, access.PatrolDuty) {
		return fault.New(fault.Forbidden, "hello", nil)
	}
	return nil
}

// ready tells whether callers can be queued.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.probes.Ready(r.Context()); err != nil {
		s.log.Warn("not ready", "err", err)
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// status is the HTTP status of a code.
func status(c fault.Code) int {
	switch c {
	case fault.NotSignedIn, fault.BadSignIn, fault.TOTPNeeded:
		return http.StatusUnauthorized
	case fault.Forbidden, fault.ForeignOrigin, fault.NoAccount:
		return http.StatusForbidden
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.NoSuchCall, fault.NoSuchCase, fault.NoSuchFile, fault.NoPreview, fault.NoSuchArchive, fault.NoSuchHold, fault.NotFound, fault.NoSuchAccount, fault.NoSuchShift, fault.BadInvitation, fault.NoSuchCamera, fault.NoSuchClip:
		return http.StatusNotFound
	case fault.WrongState, fault.CaseClosed, fault.CaseMerged, fault.CaseTaken, fault.CaseStale, fault.PatrolThere, fault.PatrolBusy, fault.TaskOver, fault.TooLate, fault.ShiftOver, fault.TooMany, fault.OnHold, fault.RetentionRunning, fault.SecondPerson, fault.TooEarly, fault.WouldShorten, fault.ClockUnsure, fault.BeingDestroyed, fault.KeysRemain, fault.LoginTaken, fault.LastAdministrator, fault.ShiftOverlap, fault.NotReady, fault.CameraUnfit, fault.LimitsChanged, fault.WrongOffset:
		return http.StatusConflict
	case fault.WrongHash:
		return http.StatusUnprocessableEntity
	case fault.WrongVersion:
		return http.StatusPreconditionFailed
	case fault.Destroyed:
		return http.StatusGone
	case fault.Internal:
		return http.StatusInternalServerError
	case fault.ReasonNeeded:
		return http.StatusPreconditionRequired
	case fault.NoSpace, fault.NoRoom:
		return http.StatusInsufficientStorage
	case fault.Unavailable, fault.ProviderDown:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// fail answers with a refusal.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := fault.CodeOf(err)
	if code == fault.Internal || code == fault.Unavailable {
		s.log.Error("request", "path", r.URL.Path, "code", code, "err", err)
	}
	s.met.refused.WithLabelValues(string(code)).Inc()
	s.answer(w, status(code), map[string]any{"error": errorBody(err, false)})
}

func (s *Server) answer(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		s.log.Error("encode answer", "err", err)
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

// body reads a REST body as strictly as a message.
func body[T any](r *http.Request, op string) (T, error) {
	v, _, err := rawBody[T](r, op)
	return v, err
}

// rawBody is body, and the bytes as they came.
func rawBody[T any](r *http.Request, op string) (v T, raw []byte, err error) {
	raw, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return v, nil, fault.New(fault.BadMessage, op, err)
	}
	if len(raw) > maxBody {
		return v, nil, fault.New(fault.TooLarge, op, nil)
	}
	return v, raw, wire.Strict(op, raw, &v)
}
