// Package app is the only place where the runtimes meet: it joins the edge (signaling), the calls
// (internal/callctl), the forwarding unit (media) and the recorder. It holds no rules.
package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"jedel/internal/call"
	"jedel/internal/callctl"
	"jedel/internal/casectl"
	"jedel/internal/config"
	"jedel/internal/duty"
	"jedel/internal/fault"
	"jedel/internal/geocode"
	"jedel/internal/hints"
	"jedel/internal/ident"
	"jedel/internal/keep"
	"jedel/internal/replica"
	"jedel/internal/store"
	"jedel/media"
	"jedel/media/turnd"
	"jedel/recorder"
	"jedel/recorder/disk"
	"jedel/recorder/sitelog"
	"jedel/signaling"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// App is one gateway process.
type App struct {
	cfg    config.Config
	log    *slog.Logger
	zone   *time.Location
	nodeID ident.NodeID

	db     *store.DB
	hints  *hints.Hub
	vault  vault
	rec    *recorder.Recorder
	site   *sitelog.Log
	policy string // of the log's witnesses
	copies *exports
	ways
	desk *callctl.Desk
	doors
	watch watch // of cameras
	closed

	ledger *ledger
	people *people
	centre
	loops
}

// ways are how sound and picture come in.
type ways struct {
	node  *media.Node
	relay *turnd.Relay // for those who cannot reach the node; nil: none
}

// closed is what looks after recordings that are over.
type closed struct {
	keeper  *keep.Keeper
	replica *replica.Replica // nil: no second copies
}

// loops are the mailboxes between goroutines, and what the showing goroutine keeps.
type loops struct {
	hands  *mailbox[job]                   // effects, in order
	shows  *mailbox[showing]               // what changed and must be shown
	work   *mailbox[func(context.Context)] // posts that nobody waits for
	calls  *mailbox[*openCall]             // opened calls whose scribes are to be started
	data   [lanes]*mailbox[dataMessage]
	nudge  chan struct{} // capacity 1: look at presence now
	latest atomic.Pointer[wire.ConsoleState]
	books  *books                      // owned by the goroutine that shows things
	beats  map[ident.StaffID]time.Time // owned by the presence loop
	asked  map[ident.StaffID]time.Time // when a patrol's task was looked at; owned by the presence loop
	taps   map[ident.ClientID]tap      // whose packets go where; owned by the goroutine that carries out effects
	places map[ident.CallID]int        // what waiting callers were told; owned by the showing goroutine
}

// job is one effect of a decision.
type job struct {
	state  call.State
	effect call.Effect
}

// showing is one change that people must see.
type showing struct {
	state call.State // zero for the lists
	rec   call.Record
	again bool // not changed: as it was shown last
}

// Options are what the command line adds to the configuration.
type Options struct {
	Demo    bool
	Log     *slog.Logger
	Print   func(string) // tells the person at the terminal
	Pages   signaling.Pages
	TipPage fs.FS // the page of anonymous tips
	TLS     *tls.Config
	DataDir string         // caches and the node's name
	Version string         // of this program
	Broker  string         // socket of the process that opens recordings; empty: this one does, where it has the key
	Preview signaling.Draw // draws small pictures of what came from outside; nil: this process does
	Tools   string         // folder of the verifying programs that go along with copies of recordings; empty: none
}

// New opens everything the gateway stands on. Nothing is served before Run.
func New(ctx context.Context, cfg config.Config, opt Options) (*App, error) {
	zone, err := time.LoadLocation(cfg.Site.Zone)
	if err != nil {
		return nil, fmt.Errorf("site.zone: %w", err)
	}
	a := &App{cfg: cfg, log: opt.Log, zone: zone, loops: loops{
		hands: newMailbox[job](), shows: newMailbox[showing](), work: newMailbox[func(context.Context)](),
		calls: newMailbox[*openCall](), nudge: make(chan struct{}, 1), places: map[ident.CallID]int{}, beats: map[ident.StaffID]time.Time{}, taps: map[ident.ClientID]tap{}, asked: map[ident.StaffID]time.Time{},
	}}
	a.casework = newMailbox[func(context.Context)]()
	a.tellings = newMailbox[telling]()
	for i := range a.data {
		a.data[i] = newMailbox[dataMessage]()
	}
	a.latest.Store(&wire.ConsoleState{Waiting: []wire.WaitingRow{}, Operators: []wire.OperatorRow{}, CallBacks: []wire.CallBackRow{}})
	if err := a.open(ctx, opt); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (a *App) open(ctx context.Context, opt Options) error {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var err error
	if a.db, err = store.Open(ctx, a.cfg.Store.URL, a.log); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	a.db.NumberZone(a.zone)
	if a.hints, err = hints.Open(ctx, a.cfg.Hints.URL, reg, a.log); err != nil {
		return fmt.Errorf("hints: %w", err)
	}
	a.ledger = newLedger(a.db, a.calls.put)
	a.books = newBooks(a.db, a.zone, a.cfg.Desk.AnswerTarget)
	if opt.Demo {
		if err := seedDemo(ctx, a.db, opt.Print); err != nil {
			return fmt.Errorf("demo accounts: %w", err)
		}
	}
	if a.people, err = newPeople(ctx, a.db); err != nil {
		return err
	}
	owner, secret, err := a.identity(ctx, opt.DataDir)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	rc := recorderConfig(a.cfg)
	if rc.Recipients, a.vault, err = openVault(a.cfg.Evidence, opt.Broker, opt.Print); err != nil {
		return fmt.Errorf("evidence keys: %w", err)
	}
	lc, err := sitelogConfig(a.cfg)
	if err != nil {
		return err
	}
	a.policy = lc.Policy
	if a.site, err = sitelog.Open(ctx, lc, reg, a.log); err != nil {
		return fmt.Errorf("site log: %w", err)
	}
	started, err := configLeaf(a.cfg, opt.Version)
	if err != nil {
		return err
	}
	a.site.Say(started)
	rc.Log, rc.LogOrigin, a.vault.site = a.site, lc.Origin, a.site
	if a.rec, err = recorder.Open(ctx, rc, reg, a.log); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if err := a.openMedia(secret, reg); err != nil {
		return err
	}
	a.owner, a.geo = owner, geocode.New(ctx, geoConfig(a.cfg.Geo, opt), reg, a.log)
	if err := a.openCentre(ctx, reg); err != nil {
		return err
	}
	a.desk = callctl.New(callctl.Config{Journal: a.db, Doer: a, Owner: owner, Name: a.people.name, Log: a.log, Reg: reg})
	if a.figures, err = a.newFigures(ctx, reg); err != nil {
		return err
	}
	derived := newCache(opt.DataDir + "/cache")
	if a.keeper, err = a.newKeeper(opt, archives{a, derived}, reg); err != nil {
		return err
	}
	if a.mail, err = a.newMail(ctx, opt, reg); err != nil {
		return fmt.Errorf("messages: %w", err)
	}
	if err := a.openTips(ctx, opt, reg); err != nil {
		return fmt.Errorf("tips: %w", err)
	}
	return a.openEdge(opt, secret, derived, reg)
}

// openCentre makes what the people of a centre work on.
func (a *App) openCentre(ctx context.Context, reg prometheus.Registerer) (err error) {
	a.cases, a.intake, a.shifts = casectl.New(a.db, a, a.log, reg), newIntake(a), duty.New(a.db, inHand{a})
	if a.watch, err = a.newWatch(reg); err != nil {
		return err
	}
	a.alarms, err = newAlarms(ctx, a)
	return err
}

// openEdge makes what the outside speaks with.
func (a *App) openEdge(opt Options, secret []byte, derived *cache, reg *prometheus.Registry) error {
	a.board = newPatrolBoard(a, reg)
	edge, err := edgeConfig(a.cfg, opt, secret)
	if err != nil {
		return err
	}
	edge.Zone = a.zone
	if a.uploads, err = newUploads(a, opt.DataDir, secret, reg); err != nil {
		return err
	}
	a.copies, a.sos = newExports(a, opt), newSOSDesk(a, secret, reg)
	signOn, err := openSignOn(a.cfg.OIDC, secret)
	if err != nil {
		return err
	}
	looks := &evidence{app: a, cache: derived}
	a.edge, err = signaling.New(signaling.Parts{
		Config: edge, Backend: a, Accounts: accounts.New(a.db, codes{opt.Print, a.hints, a.mail}, secret),
		Files: files{a}, Reports: reports{a, opt.Version}, Exports: a.copies, Evidence: looks, Keeping: keeping{a}, Probes: probes{a},
		CentreParts: signaling.CentreParts{Preview: opt.Preview, Cases: caseDesk{a}, Intake: a.intake, Uploads: a.uploads, Patrols: patrolDesk{a}, Dispatch: patrolDesk{a}, Progress: progress{a}, Alarms: a.alarms, Histories: histories{caseDesk{a}, looks}, Geo: places{a.geo}, Stats: a.figures, SOS: a.sos}, Units: a, Cameras: a.watch, Clips: a.watch.clips, Pushes: a.mail, SignOn: signOn, Shifts: a.shifts,
		Pages: opt.Pages, Door: signaling.Door{TLS: opt.TLS, Relay: a.sharing()}, Reg: reg, Log: a.log,
	})
	return err
}

// identity returns who this node is in the records, and the site's secret. Both are made at the
// first start: the node's name in its own folder, since nodes may share a store.
func (a *App) identity(ctx context.Context, dir string) (store.Owner, []byte, error) {
	var err error
	if a.nodeID, err = nodeName(dir); err != nil {
		return store.Owner{}, nil, err
	}
	epoch, err := a.db.StartNode(ctx, a.nodeID, a.cfg.Site.ID)
	if err != nil {
		return store.Owner{}, nil, err
	}
	var fresh [32]byte
	rand.Read(fresh[:])
	secret, err := a.db.AddSetting(ctx, "secret", fmt.Appendf(nil, "%x", fresh))
	return store.Owner{Node: a.nodeID, Epoch: epoch}, secret, err
}

// nodeName reads the name of this node, or makes one that outlives a power cut.
func nodeName(dir string) (ident.NodeID, error) {
	path := filepath.Join(dir, "node")
	raw, err := os.ReadFile(path)
	if err == nil {
		id, err := ident.Parse[ident.NodeID](strings.TrimSpace(string(raw)))
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		return id, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	id := ident.New[ident.NodeID]()
	return id, disk.OS{Root: dir}.Replace("node", []byte(id+"\n"))
}

func recorderConfig(c config.Config) recorder.Config {
	return recorder.Config{
		Workers: true, Dir: c.Recorder.Dir, Site: c.Site.ID, FlushEvery: c.Recorder.FlushEvery, HeadEvery: c.Recorder.HeadEvery,
		SegmentBytes: c.Recorder.SegmentBytes, SegmentTime: c.Recorder.SegmentTime, Keystore: c.Evidence.Keystore, Ballast: c.Recorder.Ballast, Second: c.Recorder.Second, PendingCall: c.Recorder.PendingCall, PendingTotal: c.Recorder.PendingTotal,
	}
}

func mediaConfig(c config.Media) media.Config {
	return media.Config{
		UDPAddr: c.UDP, TCPAddr: c.TCP, PublicIPs: c.PublicIPs, AllowLoopback: c.AllowLoopback, AllowPrivate: c.AllowPrivate,
		MaxPeers: c.MaxPeers, IdlePeers: c.IdlePeers, IdleTime: c.IdleTime, Readers: c.Readers, Gather: c.Gather,
	}
}

func edgeConfig(c config.Config, opt Options, secret []byte) (signaling.Config, error) {
	proxies, err := c.Listen.Networks()
	if err != nil {
		return signaling.Config{}, fmt.Errorf("listen.proxies: %w", err)
	}
	return signaling.Config{
		Addr: c.HTTP.Addr, Origins: c.HTTP.Origins, FrameAncestors: c.HTTP.Frame, Secret: secret, SecureCookie: opt.TLS != nil, Demo: opt.Demo,
		Proxies: proxies, MaxSockets: c.Listen.MaxSockets, MaxSocketsAddr: c.Listen.MaxSocketsAddr, MetricsAddr: c.Metrics.Listen,
		PMTiles: c.Map.PMTiles, Attribution: c.Map.Attribution, Tips: tipsAddress(c.Tips, opt.Demo),
		Limits:     signaling.Limits{Photo: c.Reports.PhotoBytes, Video: c.Reports.VideoBytes, Files: c.Reports.Files},
		Categories: choices(c.Desk.Categories), SignOnButton: signaling.Words(c.OIDC.Button),
		Centre: wire.Centre{Name: text(c.Site.Name), Phone: c.Site.Phone, Lat: c.Site.Lat, Lon: c.Site.Lon},
	}, nil
}

// close gives back what New opened and Run did not take over.
func (a *App) close() error {
	var errs []error
	if a.geo != nil {
		errs = append(errs, a.geo.Close())
	}
	if a.hints != nil {
		errs = append(errs, a.hints.Close())
	}
	if a.relay != nil {
		errs = append(errs, a.relay.Close())
	}
	if a.uploads != nil {
		errs = append(errs, a.uploads.staged.Close())
	}
	if a.db != nil {
		errs = append(errs, a.db.Close())
	}
	if a.tips != nil {
		errs = append(errs, a.tips.Close())
	}
	return errors.Join(errs...)
}

// probes tell whether the gateway works.
type probes struct{ a *App }

// Ready implements signaling.Probes: callers can be queued while the store takes decisions.
func (p probes) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	select {
	case <-p.a.desk.Ready():
	default:
		return errors.New("calls are being adopted")
	}
	if p.a.desk.Fenced() {
		return errors.New("another process has taken this node's place")
	}
	return p.a.db.Ping(ctx)
}

// Audit implements signaling.Probes.
func (p probes) Audit(ctx context.Context, who signaling.Who, action, object, detail string) error {
	err := p.a.audit(ctx, store.Audit{Who: string(who.Staff), Action: action, Object: object, Detail: detail})
	if err != nil {
		return fault.New(fault.Unavailable, "audit", err)
	}
	return nil
}
