// Package tipline is the listener of anonymous tips, apart from all else of the gateway. It knows no
// address of whoever connects: connections are stripped of it before HTTP is spoken on them. It
// writes no line of the log and changes no metric on account of a request; what must be known of
// its troubles is told once a day. Limits count everybody together and ask for work (package tips).
//
// One mutex guards the buckets; slots are channels.
package tipline

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/fault"
	"jedel/internal/tips"
	"jedel/internal/tipstore"
	"jedel/recorder/keys"

	"github.com/prometheus/client_golang/prometheus"
)

// Unit is who tips go to.
type Unit struct {
	Key        string
	Names      fault.Text
	Recipients []keys.Recipient
}

// Config is what a Line is told.
type Config struct {
	Addr      string // where it listens, with TLS where there is some
	OnionAddr string // where an onion service connects to, without TLS; empty: nowhere
	Onion     string // address of the onion service, for the page; empty: none
	File      string // of the letters
	Units     []Unit
	Bounds    tips.Bounds
	StampBits int
	Keep      func(today time.Time) time.Time // the first day that is kept
	KeepText  string                          // "1y", for the page
	Zone      *time.Location
}

// Line serves tips. Make it with Open, then Run it.
type Line struct {
	cfg     Config
	units   map[string]Unit
	store   *tipstore.Store
	pages   pages
	tls     *tls.Config
	log     *slog.Logger
	secret  []byte // of challenges and questions; dies with the process
	now     func() time.Time
	mux     *http.ServeMux
	fill    prometheus.Gauge
	serving prometheus.Gauge
	trouble [len(troubles)]atomic.Bool // since the last round
	small   chan struct{}              // letters of the smallest class under way
	large   chan struct{}              // all others

	mu                  sync.Mutex // guards the rest
	posts, reads, asked tips.Bucket
}

// What everybody together may do. Each costs its sender a stamp or an answer; these keep a flood from
// taking the processor away from calls.
const (
	postEvery, postBurst = 2 * time.Second, 60
	readEvery, readBurst = 10 * time.Millisecond, 400
	askEvery, askBurst   = 50 * time.Millisecond, 100
	smallSlots           = 64
	largeSlots           = 16 // of up to 16 MiB in memory each
)

// troubles are what the daily round tells, by their number.
var troubles = [...]string{
	"tips: letters were refused because the space is full", "tips: the store failed", "tips: a request ended in a bug", "tips: a flood was slowed down",
}

const (
	spaceTrouble = iota
	storeTrouble
	bugTrouble
	floodTrouble
)

// Parts are what a Line stands on.
type Parts struct {
	Pages fs.FS // the page of tips alone
	TLS   *tls.Config
	Reg   prometheus.Registerer
	Log   *slog.Logger
}

// Open opens the store. Nothing is served before Run.
func Open(ctx context.Context, cfg Config, p Parts) (*Line, error) {
	l := &Line{
		cfg: cfg, units: map[string]Unit{}, tls: p.TLS, log: p.Log, secret: make([]byte, tips.KeySize), now: time.Now,
		small: make(chan struct{}, smallSlots), large: make(chan struct{}, largeSlots),
		posts: tips.Bucket{Every: postEvery, Burst: postBurst}, reads: tips.Bucket{Every: readEvery, Burst: readBurst}, asked: tips.Bucket{Every: askEvery, Burst: askBurst},
	}
	rand.Read(l.secret)
	l.measure(p.Reg)
	for _, u := range cfg.Units {
		l.units[u.Key] = u
	}
	var err error
	if l.pages, err = readPages(p.Pages); err != nil {
		return nil, err
	}
	if l.store, err = tipstore.Open(ctx, cfg.File); err != nil {
		return nil, err
	}
	l.routes()
	return l, nil
}

// Run serves until ctx ends. An address that cannot be listened on is logged: calls go on without tips.
func (l *Line) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, at := range []struct {
		addr string
		tls  *tls.Config
	}{{l.cfg.Addr, l.tls}, {l.cfg.OnionAddr, nil}} {
		if at.addr == "" {
			continue
		}
		ear, err := net.Listen("tcp", at.addr)
		if err != nil {
			l.log.Error("tips are not served", "err", err)
			continue
		}
		l.serving.Set(1)
		wg.Go(func() { l.Serve(ctx, ear, at.tls) })
	}
	l.rounds(ctx)
	wg.Wait()
	l.serving.Set(0)
}

// Close closes the store. It may be called twice.
func (l *Line) Close() error { return l.store.Close() }

// endTime bounds the orderly end of requests.
const endTime = 5 * time.Second

// Serve serves one listener until ctx ends.
func (l *Line) Serve(ctx context.Context, ear net.Listener, secure *tls.Config) {
	ear = blind{ear}
	if secure != nil {
		ear = tls.NewListener(ear, secure)
	}
	srv := &http.Server{
		Handler: l, ReadHeaderTimeout: 20 * time.Second, WriteTimeout: longest(), IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: stdlog.New(io.Discard, "", 0), DisableGeneralOptionsHandler: true,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ear) }()
	select {
	case err := <-failed:
		l.log.Error("tips are no longer served", "err", err)
		l.serving.Set(0)
		return
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if srv.Shutdown(end) != nil {
		_ = srv.Close()
	}
	<-failed
}

// rounds does what is done each day: at the start and at every midnight of the site.
func (l *Line) rounds(ctx context.Context) {
	for {
		l.round(ctx)
		now := l.now().In(l.cfg.Zone)
		y, m, d := now.Date()
		midnight := time.NewTimer(time.Date(y, m, d+1, 0, 0, 1, 0, l.cfg.Zone).Sub(now))
		select {
		case <-midnight.C:
		case <-ctx.Done():
			midnight.Stop()
			return
		}
	}
}

// round removes what is too old, writes the rest in an order that tells nothing, and tells of the
// troubles of the day.
func (l *Line) round(ctx context.Context) {
	now := l.now().In(l.cfg.Zone)
	today := tips.DayOf(now)
	_, err := l.store.Sweep(ctx, tips.DayOf(l.cfg.Keep(now)), today)
	err = errors.Join(err, l.store.Shuffle(ctx, today))
	total, totalErr := l.store.Total(ctx)
	if err = errors.Join(err, totalErr); err != nil && ctx.Err() == nil {
		l.log.Warn("tips: the daily round", "err", err)
	}
	l.fill.Set(float64(total*10/max(l.cfg.Bounds.Total, 1)) / 10)
	for i, text := range troubles {
		if l.trouble[i].Swap(false) {
			l.log.Warn(text)
		}
	}
}

// take lets one more through a bucket.
func (l *Line) take(b *tips.Bucket) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	after, ok := b.Take(l.now())
	if !ok {
		l.trouble[floodTrouble].Store(true)
		return fault.New(fault.RateLimited, "tips", nil)
	}
	*b = after
	return nil
}

// blind is a listener whose connections do not know who they are with.
type blind struct{ net.Listener }

// Accept implements net.Listener.
func (b blind) Accept() (net.Conn, error) {
	c, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return blindConn{c}, nil
}

type blindConn struct{ net.Conn }

// RemoteAddr implements net.Conn: somebody.
func (blindConn) RemoteAddr() net.Addr { return somebody{} }

type somebody struct{}

// Network implements net.Addr.
func (somebody) Network() string { return "tcp" }

func (somebody) String() string { return "somebody" }
