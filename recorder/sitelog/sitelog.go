// Package sitelog keeps the transparency log of a site: what was recorded, who looked at it, what
// was destroyed, in one tree that only grows (C2SP tlog-tiles, by Tessera's POSIX driver). Others
// sign what they saw of it: witnesses (C2SP tlog-witness) and a time-stamping authority (RFC 3161).
//
// A statement made with Add is durable when Add returns. One made with Say never holds up whoever
// makes it; heads of running calls are left out first when the disk does not keep up, because the
// next one says the same and more.
//
// Locks: Log.mu guards the waiting statements, outside.mu the newest anchor, clock.mu the time: few lines, no I/O.
package sitelog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"jedel/recorder/disk"
	"jedel/recorder/proof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/transparency-dev/formats/witness"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"
)

// Config is how a log works. Zero times are replaced by the usual ones.
type Config struct {
	Dir          string        // of the log, "site" below the archives
	Archives     string        // folder below which proofs are kept in the archives
	Keys         string        // folder of log.key (secret) and log.pub
	Origin       string        // the name of the log, "SITE/log"
	Policy       string        // witness policy in sigsum's form with keys as C2SP has them; empty: no witnesses
	WitnessEvery time.Duration // how often witnesses are asked
	TSA          string        // address of the time-stamping authority; empty: none
	TSAEvery     time.Duration
	Heartbeat    time.Duration
	Client       *http.Client // for witnesses and the authority
}

const (
	checkpointEvery = time.Second
	batchAge        = 40 * time.Millisecond // someone who opens a recording waits for it
	batchSize       = 256
	headsEvery      = time.Second
	waitingMost     = 4096             // statements that wait for the disk
	waitingHeads    = 1024             // from here on heads are left out
	alarmAfter      = time.Minute      // without witnesses, or without a durable statement
	addTime         = 10 * time.Second // longest wait of one statement for the disk
)

// ErrDown means that the log cannot be written now. Nothing may be shown that it should name first.
var ErrDown = errors.New("the site log cannot be written")

// Log is the site log of this node. Make it with Open, then Run it.
type Log struct {
	cfg    Config
	log    *slog.Logger
	met    *metrics
	add    tessera.AddFn
	reader tessera.LogReader
	end    func(context.Context) error // of Tessera, then its goroutines
	vkey   string
	others *outside
	clock  *clock
	queued chan struct{} // capacity 1: something waits

	mu      sync.Mutex // guards the rest
	waiting []proof.Leaf
	sealed  []sealed // seals whose proofs are still to be kept
}

// Open opens the log in a folder, or makes it together with its key. One process may have it open:
// the recorder's lock on the archives sees to that.
func Open(ctx context.Context, cfg Config, reg prometheus.Registerer, log *slog.Logger) (*Log, error) {
	cfg = usual(cfg)
	l := &Log{cfg: cfg, log: log, queued: make(chan struct{}, 1), clock: newClock(), others: &outside{cfg: cfg, log: log, fresh: make(chan struct{})}}
	if cfg.Policy != "" {
		g, err := witness.ParsePolicy([]byte(cfg.Policy))
		if err != nil {
			return nil, fmt.Errorf("witness policy: %w", err)
		}
		l.others.policy = &g
	}
	signer, err := l.loadKey()
	if err != nil {
		return nil, fmt.Errorf("key of the site log: %w", err)
	}
	if l.others.known, err = note.NewVerifier(l.vkey); err != nil {
		return nil, fmt.Errorf("key of the site log: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, ".state"), 0o700); err != nil {
		return nil, fmt.Errorf("site log: %w", err)
	}
	if err := l.writable(); err != nil {
		return nil, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: cfg.Dir, HTTPClient: cfg.Client})
	if err != nil {
		return nil, fmt.Errorf("site log: %w", err)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	opts := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithCheckpointInterval(checkpointEvery).WithBatching(batchSize, batchAge)
	appender, shutdown, reader, err := tessera.NewAppender(life, driver, opts)
	if err != nil {
		stop()
		return nil, fmt.Errorf("site log: %w", err)
	}
	l.add, l.reader = appender.Add, reader
	l.end = func(ctx context.Context) error {
		defer stop()
		if err := shutdown(ctx); err != nil {
			return fmt.Errorf("site log: %w", err)
		}
		return nil
	}
	l.met = newMetrics(reg)
	l.others.reader, l.others.met, l.others.told = reader, l.met, l.clock.told
	if err := l.clock.resume(ctx, l); err != nil {
		return nil, errors.Join(err, l.end(ctx))
	}
	if size, err := reader.IntegratedSize(ctx); err == nil {
		l.met.size.Set(float64(size))
	}
	return l, nil
}

func usual(cfg Config) Config {
	for _, d := range []struct {
		of    *time.Duration
		usual time.Duration
	}{{&cfg.WitnessEvery, 10 * time.Second}, {&cfg.TSAEvery, time.Minute}, {&cfg.Heartbeat, 10 * time.Second}} {
		if *d.of == 0 {
			*d.of = d.usual
		}
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: 5 * time.Second}
	}
	return cfg
}

// loadKey reads the Ed25519 key of the log, making it at the first start.
func (l *Log) loadKey() (note.Signer, error) {
	d := disk.OS{Root: l.cfg.Keys}
	raw, err := os.ReadFile(filepath.Join(l.cfg.Keys, "log.key"))
	if errors.Is(err, os.ErrNotExist) {
		var skey, vkey string
		if skey, vkey, err = note.GenerateKey(nil, l.cfg.Origin); err != nil {
			return nil, err
		}
		if err := errors.Join(d.MkdirAll("."), d.Replace("log.pub", []byte(vkey+"\n"))); err != nil {
			return nil, err
		}
		raw, err = []byte(skey), d.Replace("log.key", []byte(skey+"\n"))
	}
	if err != nil {
		return nil, err
	}
	pub, err := os.ReadFile(filepath.Join(l.cfg.Keys, "log.pub"))
	if err != nil {
		return nil, err
	}
	l.vkey = strings.TrimSpace(string(pub))
	return note.NewSigner(strings.TrimSpace(string(raw)))
}

// LogTo says where Tessera's own messages go, for the whole process and before any Open.
func LogTo(log *slog.Logger) { klog.SetSlogLogger(log) }

// Key returns the C2SP verifier key of the log.
func (l *Log) Key() string { return l.vkey }

// writable opens the lock that Tessera opens for each batch, in the same way. Tessera panics where
// it cannot (a read-only disk, no descriptors left), and that would end every call.
func (l *Log) writable() error {
	f, err := os.OpenFile(filepath.Join(l.cfg.Dir, ".state", "treeState.lock"), os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDown, err)
	}
	return f.Close()
}

// Add makes a statement and returns its index once it is durable and part of the tree.
func (l *Log) Add(ctx context.Context, leaf proof.Leaf) (uint64, error) {
	if err := l.writable(); err != nil {
		l.met.failed.Inc()
		return 0, err
	}
	wait, err := l.begin(ctx, leaf)
	if err != nil {
		return 0, err
	}
	return wait(ctx)
}

// begin puts a statement into the log's order and returns what waits for it. The log must be writable.
func (l *Log) begin(ctx context.Context, leaf proof.Leaf) (func(context.Context) (uint64, error), error) {
	raw, err := leaf.Bytes()
	if err != nil {
		return nil, err
	}
	type result struct {
		at  tessera.Index
		err error
	}
	done := make(chan result, 1)
	future := l.add(ctx, tessera.NewEntry(raw))
	go func() { at, err := future(); done <- result{at, err} }()
	return func(ctx context.Context) (uint64, error) {
		timer := time.NewTimer(addTime)
		defer timer.Stop()
		select {
		case r := <-done:
			if r.err != nil {
				l.met.failed.Inc()
				return 0, fmt.Errorf("%w: %w", ErrDown, r.err)
			}
			l.met.size.Set(float64(r.at.Index + 1))
			l.met.last.SetToCurrentTime()
			return r.at.Index, nil
		case <-timer.C:
			l.met.failed.Inc()
			return 0, fmt.Errorf("%w: the disk does not answer", ErrDown)
		case <-ctx.Done():
			return 0, fmt.Errorf("%w: %w", ErrDown, ctx.Err())
		}
	}, nil
}

// Say makes a statement without waiting for it. Heads of running calls come every second from each; they
// go together with each other, once a second, or with the next statement of another kind.
func (l *Log) Say(leaf proof.Leaf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.waiting)
	if n >= waitingMost || n >= waitingHeads && leaf.Kind == proof.LeafHead {
		l.met.dropped.WithLabelValues(string(leaf.Kind)).Inc()
		return
	}
	l.waiting = append(l.waiting, leaf)
	if leaf.Kind == proof.LeafHead {
		return
	}
	select {
	case l.queued <- struct{}{}:
	default:
	}
}

// Run writes what was said, keeps the heartbeat, and asks witnesses and the authority until ctx
// ends; then it writes what still waits and closes the log.
func (l *Log) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { l.beat(ctx) })
	wg.Go(func() { l.others.anchors(ctx) })
	wg.Go(func() { prover{l}.prove(ctx) })
	heads := time.NewTicker(headsEvery)
	defer heads.Stop()
	for {
		select {
		case <-l.queued:
			l.drain(ctx)
		case <-heads.C:
			l.drain(ctx)
		case <-ctx.Done():
			wg.Wait()
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), addTime)
			defer cancel()
			l.drain(last)
			return l.end(last)
		}
	}
}

// drain makes what waits durable. What a disk refuses waits for the next time.
func (l *Log) drain(ctx context.Context) {
	l.mu.Lock()
	now := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	for first := 0; first < len(now); first += batchSize {
		batch := now[first:min(len(now), first+batchSize)]
		failed := l.addAll(ctx, batch)
		if len(failed) == 0 {
			continue
		}
		l.mu.Lock()
		l.waiting = append(append(failed, now[first+len(batch):]...), l.waiting...)
		l.mu.Unlock()
		l.later(ctx)
		return
	}
}

// addAll makes a batch of statements, in their order, and returns those that failed.
func (l *Log) addAll(ctx context.Context, batch []proof.Leaf) []proof.Leaf {
	errs := make([]error, len(batch))
	waits := make([]func(context.Context) (uint64, error), len(batch))
	down := l.writable()
	if down != nil {
		l.met.failed.Inc()
	}
	for i, leaf := range batch {
		if errs[i] = down; down == nil {
			waits[i], errs[i] = l.begin(ctx, leaf)
		}
	}
	for i, wait := range waits {
		if wait != nil {
			_, errs[i] = wait(ctx)
		}
	}
	var failed []proof.Leaf
	for i, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, proof.ErrLeaf):
			l.log.Error("a statement that cannot be written", "kind", batch[i].Kind, "call", batch[i].Call, "err", err)
		default:
			failed = append(failed, batch[i])
		}
	}
	if len(failed) > 0 {
		l.log.Error("the site log refuses statements; they wait", "n", len(failed))
	}
	return failed
}

// later tries again in a second, or at the end.
func (l *Log) later(ctx context.Context) {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	select {
	case l.queued <- struct{}{}:
	default:
	}
}

// beat says every few seconds that the log lives: a silent log is itself an alarm.
func (l *Log) beat(ctx context.Context) {
	tick := time.NewTicker(l.cfg.Heartbeat)
	defer tick.Stop()
	for {
		l.Say(l.clock.heartbeat(l.met))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// metrics of the log.
type metrics struct {
	size, last, witnessed, stamped prometheus.Gauge
	ahead                          prometheus.Gauge
	failed                         prometheus.Counter
	dropped                        *prometheus.CounterVec
	refusals                       *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_sitelog_" + name, Help: help})
	}
	m := &metrics{
		size: gauge("size", "Statements in the site log."), last: gauge("last_statement_seconds", "When the last statement became durable (Unix time)."),
		witnessed: gauge("witnessed_seconds", "When enough witnesses last cosigned (Unix time)."),
		stamped:   gauge("stamped_seconds", "When the authority last stamped (Unix time)."),
		ahead:     gauge("clock_ahead_seconds", "How far the host's clock stands before the log's own time; deletions wait while it is more than 300 or less than -300."),
		failed:    prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_sitelog_failures_total", Help: "Statements that could not be made durable at once."}),
		dropped:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_sitelog_dropped_total", Help: "Statements left out because the disk does not keep up."}, []string{"kind"}),
		refusals:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_sitelog_anchor_failures_total", Help: "Witnesses and authorities that did not sign."}, []string{"who"}),
	}
	reg.MustRegister(m.size, m.last, m.witnessed, m.stamped, m.ahead, m.failed, m.dropped, m.refusals)
	return m
}
