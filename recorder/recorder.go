// Package recorder writes the archives of this node: everything of a call, as received, append
// only, durable within fractions of a second, signed each second over durable bytes only.
//
// What is recorded never waits for a disk: streams collect records in memory, one writer per
// archive takes them every FlushEvery, writes, waits for fdatasync, and signs. A disk that does not
// keep up costs video first, then everything, each loss counted and written down.
//
// Locks: Archive.mu guards lists, Stream.mu a buffer: few lines, no I/O.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/disk"
	"jedel/recorder/keys"
	"jedel/recorder/ladder"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"
)

// Config is how the recorder works.
type Config struct {
	Dir          string
	Site         string        // name of the site in heads and manifests
	FlushEvery   time.Duration // longest time between fdatasyncs of a call
	HeadEvery    time.Duration // how often durable bytes are signed
	SegmentBytes int64
	SegmentTime  time.Duration
	PendingCall  int64     // bytes of one call that may wait for the disk
	PendingTotal int64     // bytes of all calls
	Disk         disk.Disk // nil: the real one
	Workers      bool      // on the real disk files become durable by the kernel's workers, where there are any

	// Recipients may open calls; this process never can. Without any, archives are plain.
	Recipients []keys.Recipient
	Ballast    int64      // bytes held back for the last moment; 0: none
	Second     string     // folder on another volume, for calls that begin while this one is nearly full; empty: none
	Log        Statements // the site's log; nil: none
	LogOrigin  string     // its name, for the seals; empty: none
	Keystore   string     // folder of second copies of call keys, on another volume where there is one; empty: keystore in Dir
}

const (
	// syncsAtOnce bounds fdatasyncs in flight: beyond it disks only get slower.
	syncsAtOnce = 32
	// degradedLag is the durable lag from which the lamp is yellow, stoppedLag red.
	degradedLag = time.Second
	stoppedLag  = 3 * time.Second
	// wordsFactor is how much more than video may words, positions and records wait for the disk.
	wordsFactor = 4
	// retryEvery is how often a new segment is tried on a disk that refuses.
	retryEvery = time.Second
	// stopTime is how long the last flush may take when the service stops. Longer keeps an unwilling
	// machine from restarting the service, shorter gives up records on a slow disk.
	stopTime = 8 * time.Second
)

// ErrSealed means that the archive's record has ended.
var ErrSealed = errors.New("the archive is sealed")

// Recorder owns the archives. Make it with Open, then Run it.
type Recorder struct {
	cfg      Config
	log      *slog.Logger
	met      *metrics
	disk     disk.Disk
	keystore disk.Disk // second copies of call keys
	signing
	me      machine
	stop    time.Duration // how long Run waits for writers at its end
	retry   time.Duration // how often a new segment is tried on a disk that refuses
	release func() error
	commits *commits
	beat    *beat
	stock   stock
	pending atomic.Int64  // bytes of all archives not yet durable
	space   atomic.Int32  // a ladder.Rung
	spawn   chan *Archive // to Run, which starts their writers

	mu       sync.Mutex // guards the rest
	archives map[ident.CallID]*Archive
	unsealed map[ident.CallID]*recovered
	closing  chan struct{} // closed when Run ends
}

// signing is the key of this recorder's heads and seals.
type signing struct {
	signer   note.Signer
	vkey     string
	verifier note.Verifier
}

// machine is what segments say of where they were written.
type machine struct{ host, boot, writer string }

// Open takes the folder for this process, loads or makes the signing key and looks at what earlier
// processes left unsealed. Nothing of them is changed.
func Open(ctx context.Context, cfg Config, reg prometheus.Registerer, log *slog.Logger) (*Recorder, error) {
	r := &Recorder{
		stop: stopTime, retry: retryEvery, cfg: cfg, log: log, met: newMetrics(reg), disk: cfg.Disk, beat: newBeat(time.Now(), cfg.FlushEvery), spawn: make(chan *Archive),
		archives: map[ident.CallID]*Archive{}, unsealed: map[ident.CallID]*recovered{}, closing: make(chan struct{}),
	}
	r.commits = &commits{limit: make(chan struct{}, syncsAtOnce), met: r.met}
	if r.cfg.Log == nil {
		r.cfg.Log = silence{}
	}
	var err error
	if r.release, err = disk.Lock(cfg.Dir); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Dir, err)
	}
	if r.disk == nil {
		r.disk = disk.OS{Root: cfg.Dir}
	}
	store := cfg.Keystore
	if store == "" {
		store = filepath.Join(cfg.Dir, "keystore")
	}
	r.keystore = disk.OS{Root: store}
	if err := r.loadKey(); err != nil {
		return nil, errors.Join(fmt.Errorf("signing key: %w", err), r.release())
	}
	r.me.host, r.me.boot, r.me.writer = hostName(), bootID(), version()
	if err := r.recoverAll(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("look at unsealed archives: %w", err), r.release())
	}
	if d, ok := r.disk.(disk.OS); ok && cfg.Workers {
		if r.commits.syncs, err = disk.NewSyncs(cfg.Dir, syncsAtOnce); err != nil {
			log.Info("files become durable by fdatasync", "why", err)
		}
		d.Syncs = r.commits.syncs
		r.disk = d
	}
	return r, nil
}

// loadKey reads the Ed25519 key of this recorder, making it at the first start: keys/recorder.key
// (0600) and keys/recorder.pub, both in C2SP note form.
func (r *Recorder) loadKey() error {
	dir := filepath.Join(r.cfg.Dir, "keys")
	raw, err := os.ReadFile(filepath.Join(dir, "recorder.key"))
	if errors.Is(err, os.ErrNotExist) {
		skey, vkey, err := note.GenerateKey(nil, r.cfg.Site+"/recorder")
		if err != nil {
			return err
		}
		if err := r.disk.MkdirAll("keys"); err != nil {
			return err
		}
		if err := r.disk.Replace("keys/recorder.pub", []byte(vkey+"\n")); err != nil {
			return err
		}
		if err := r.disk.Replace("keys/recorder.key", []byte(skey+"\n")); err != nil {
			return err
		}
		raw = []byte(skey)
	} else if err != nil {
		return err
	}
	if r.signer, err = note.NewSigner(strings.TrimSpace(string(raw))); err != nil {
		return err
	}
	pub, err := os.ReadFile(filepath.Join(dir, "recorder.pub"))
	if err != nil {
		return err
	}
	r.vkey = strings.TrimSpace(string(pub))
	r.verifier, err = note.NewVerifier(r.vkey)
	return err
}

// Key returns the C2SP verifier key of this recorder.
func (r *Recorder) Key() string { return r.vkey }

func hostName() string {
	h, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return h
}

// bootID tells lives of the machine apart.
func bootID() string {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(raw))
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "jedel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "jedel " + s.Value
		}
	}
	return "jedel " + info.Main.Version
}

// Run starts writers and looks at the free space until ctx ends; then every archive writes and
// signs what it has. It returns after all writers have ended.
func (r *Recorder) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	if b, ok := r.disk.(ballast); ok && r.cfg.Ballast > 0 {
		if err := b.Ballast(r.cfg.Ballast); err != nil {
			r.log.Warn("ballast", "err", err)
		}
	}
	r.checkSpace()
	for {
		select {
		case a := <-r.spawn:
			wg.Go(func() { a.w.writeLoop(ctx) })
		case <-tick.C:
			r.checkSpace()
		case <-ctx.Done():
			close(r.closing)
			return r.join(&wg)
		}
	}
}

// join waits for the writers. A disk that does not answer cannot be asked to stop: after stopTime
// they are left to the end of the process, and the folder stays locked as long as they may write.
func (r *Recorder) join(writers *sync.WaitGroup) error {
	ended := make(chan struct{})
	go func() { writers.Wait(); close(ended) }()
	timer := time.NewTimer(r.stop)
	defer timer.Stop()
	select {
	case <-ended:
		return errors.Join(r.commits.syncs.Close(), r.release())
	case <-timer.C:
		return errStuck
	}
}

var errStuck = errors.New("the disk does not answer: what was not yet durable is lost")

// Rung returns what the recorder gives up at the moment because its disk is filling.
func (r *Recorder) Rung() ladder.Rung { return ladder.Rung(r.space.Load()) }

func (r *Recorder) checkSpace() {
	free, err := r.disk.Free()
	if err != nil {
		r.log.Warn("free space", "err", err)
		return
	}
	r.met.free.Set(free)
	old := r.Rung()
	now := ladder.Next(old, free)
	if now == old {
		return
	}
	r.space.Store(int32(now))
	r.met.rung.Set(float64(now))
	r.log.Warn("free space changed", "share", free, "rung", now)
	if b, ok := r.disk.(ballast); ok && r.cfg.Ballast > 0 {
		switch {
		case now == ladder.Last:
			err = b.Ballast(0)
		case now < ladder.Elsewhere:
			err = b.Ballast(r.cfg.Ballast)
		}
		if err != nil {
			r.log.Warn("ballast", "err", err)
		}
	}
}

// ballast is a disk that can hold room back.
type ballast interface{ Ballast(size int64) error }

// Unsealed returns the calls whose archives an earlier process left open.
func (r *Recorder) Unsealed() []ident.CallID {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []ident.CallID
	for id := range r.unsealed {
		out = append(out, id)
	}
	return out
}
