package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"jedel/cmd/callbot/bot"
	"jedel/cmd/callbot/clip"
	"jedel/cmd/callbot/mill"
	"jedel/cmd/callbot/watch"
)

// mediaCmd fills a gateway with media.
type mediaCmd struct {
	URL    string        `arg:"" help:"Address of the site, http or https; /metrics must be readable."`
	Staff  string        `help:"File of operators, a login and its password a line, at least one for each call." type:"existingfile"`
	Calls  int           `default:"30" help:"How many calls at once."`
	Every  time.Duration `default:"100ms" help:"Between two taps."`
	Settle time.Duration `default:"3s" help:"From the last answer to the measurement."`
	Talk   time.Duration `default:"15s" help:"How long is measured."`
	Idle   time.Duration `default:"10s" help:"From the last end of a call to the second look at the gateway's memory."`
	Audio  bool          `help:"Sound only."`
	Cold   bool          `help:"Callers make their connection at the tap and not before."`
	Begin  string        `help:"Shell command to run when the measurement begins, such as one that asks the gateway for a profile."`
	Own    string        `name:"own-profile" help:"File for a profile of the generator's own processor while it measures."`
	JSON   bool          `name:"json" help:"Print figures as JSON."`
}

// mediaReport is what a measurement came to. Times are milliseconds.
type mediaReport struct {
	Calls     int          `json:"calls"`    // wanted
	Answered  int          `json:"answered"` // of them
	Audio     bool         `json:"audioOnly"`
	Cold      bool         `json:"cold"`
	Seconds   float64      `json:"seconds"`
	Sent      float64      `json:"sentPerSecond"`
	Loss      float64      `json:"loss"` // share of what was sent
	Latency   latencyTimes `json:"latency"`
	CPUMicros float64      `json:"cpuMicrosPerPacket"` // of the gateway, everything included, a relayed packet
	CPUShare  float64      `json:"cpuShare"`           // of one core
	Own       float64      `json:"ownCpuShare"`        // of the generator
	faults
	Refused   uint64  `json:"refused"` // came and could not be opened
	BeforeMiB float64 `json:"residentMiBBefore"`
	TalkMiB   float64 `json:"residentMiBTalking"`
	AfterMiB  float64 `json:"residentMiBAfter"`
	setUpTimes
	Errors []string `json:"errors,omitempty"`
}

// setUpTimes are those from the tap on.
type setUpTimes struct {
	SetUpSound watch.Figure `json:"setUpSound"` // tap until both hear each other
	SetUp      watch.Figure `json:"setUp"`      // until both hear and see each other
	Stages     stages       `json:"stages"`
}

// stages are parts of the set-up.
type stages struct {
	Created  watch.Figure `json:"tapToCreated"`
	Ringing  watch.Figure `json:"tapToRinging"`
	Answer   watch.Figure `json:"answerToConfirmed"`
	FromSent watch.Figure `json:"firstSentToThere"` // what a first packet of any kind took, where a microphone's and a camera's own beat is left out
}

// faults are the generator's own.
type faults struct {
	Late     uint64 `json:"ownLate"` // units that it skipped
	Unsent   uint64 `json:"ownUnsent"`
	Overflow uint64 `json:"ownOverflow"` // came faster than it looked
}

type latencyTimes struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Run makes the calls, measures and prints.
func (c mediaCmd) Run(ctx context.Context) error {
	local, err := towards(c.URL)
	if err != nil {
		return err
	}
	works := mill.New(local)
	pacing, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- works.Run(pacing) }()
	m := &measure{mediaCmd: c, works: works}
	r, err := m.run(ctx)
	stop()
	if paced := <-done; err == nil {
		err = paced
	}
	if err != nil {
		return err
	}
	if err := showMedia(os.Stdout, r, c.JSON); err != nil {
		return err
	}
	if len(r.Errors) > 0 || r.Answered < r.Calls {
		return errBroken
	}
	return nil
}

// towards returns the address by which this machine reaches a site.
func towards(site string) (netip.Addr, error) {
	u, err := url.Parse(site)
	if err != nil {
		return netip.Addr{}, err
	}
	c, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), "9"))
	if err != nil {
		return netip.Addr{}, err
	}
	defer func() { _ = c.Close() }()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// measure is a running measurement.
type measure struct {
	mediaCmd
	works *mill.Works
}

func (m *measure) run(ctx context.Context) (mediaReport, error) {
	r := mediaReport{Calls: m.Calls, Audio: m.Audio, Cold: m.Cold}
	lc := loadCmd{URL: m.URL, Staff: m.Staff, Calls: m.Calls, Every: m.Every, Talk: m.Settle + m.Talk, Together: true, Wait: 2 * time.Minute, Video: !m.Audio, Back: !m.Audio}
	staff, err := lc.staff()
	if err != nil {
		return r, err
	}
	if len(staff) < m.Calls {
		return r, fmt.Errorf("%d operators cannot take %d calls at once", len(staff), m.Calls)
	}
	before, err := scrape(ctx, site(m.URL))
	if err != nil {
		return r, err
	}
	r.BeforeMiB = before.Resident / (1 << 20)
	media, err := clip.Embedded()
	if err != nil {
		return r, err
	}
	kinds := 2
	if m.Audio {
		kinds = 1
	}
	book, times := watch.NewBook(), newSetups(kinds)
	l := &load{loadCmd: lc, cfg: bot.Config{URL: site(m.URL), Clip: media, Works: m.works}, book: book, together: make(chan struct{}), between: true, cold: m.Cold}
	l.cfg.See = func(e watch.Event) { times.see(e); l.see(e) }
	working, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	if err = l.operators(working, &wg, staff[:m.Calls]); err == nil {
		beside := make(chan error, 1)
		go func() { beside <- m.steady(ctx, l, &r) }()
		l.callers(ctx)
		err = <-beside
	}
	stop()
	wg.Wait()
	if err != nil {
		return r, err
	}
	r.SetUpSound, r.SetUp, r.Stages.FromSent = times.figures()
	told := book.Report(true)
	r.Errors = told.Errors
	r.Stages.Created, r.Stages.Ringing, r.Stages.Answer = told.Millis.TapToCreated, told.Millis.TapToRinging, told.Millis.AcceptToOK
	return r, m.idle(ctx, &r)
}

// steady measures while all talk.
func (m *measure) steady(ctx context.Context, l *load, r *mediaReport) error {
	select {
	case <-l.together:
	case <-time.After(l.Wait): // some were not answered: that is told, too
	case <-ctx.Done():
		return ctx.Err()
	}
	l.mu.Lock()
	r.Answered = len(l.answered)
	l.mu.Unlock()
	select {
	case <-time.After(m.Settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	if m.Begin != "" {
		if out, err := exec.CommandContext(ctx, "/bin/sh", "-c", m.Begin).CombinedOutput(); err != nil {
			return fmt.Errorf("begin: %w: %s", err, out)
		}
	}
	stop, err := m.profile()
	if err != nil {
		return err
	}
	defer stop()
	a, err := m.look(ctx)
	if err != nil {
		return err
	}
	m.works.Latency.Reset()
	select {
	case <-time.After(m.Talk - time.Second): // the callers' own time has begun a little earlier
	case <-ctx.Done():
		return ctx.Err()
	}
	lat := &m.works.Latency
	r.Latency = latencyTimes{millis(lat.At(0.5)), millis(lat.At(0.99)), millis(lat.Max())}
	b, err := m.look(ctx)
	if err != nil {
		return err
	}
	r.between(a, b)
	r.Refused = m.works.Refused.Load()
	return nil
}

// profile notes where the generator's own time goes until stop is called.
func (m *measure) profile() (stop func(), err error) {
	if m.Own == "" {
		return func() {}, nil
	}
	f, err := os.Create(m.Own)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

// glance is both sides at one moment.
type glance struct {
	watch.Sample
	own                          time.Duration
	sent, received, unsent, late uint64
	overflow                     uint64
}

func (m *measure) look(ctx context.Context) (glance, error) {
	s, err := scrape(ctx, site(m.URL))
	w := m.works
	return glance{Sample: s, own: ownCPU(), sent: w.Sent.Load(), received: w.Received.Load(), unsent: w.Unsent.Load(), late: w.Late.Load(), overflow: w.Overflow.Load()}, err
}

// between fills in what happened from a to b.
func (r *mediaReport) between(a, b glance) {
	r.Seconds = b.At.Sub(a.At).Seconds()
	r.Sent = float64(b.sent-a.sent) / r.Seconds
	if n := b.sent - a.sent; n > 0 {
		r.Loss = max(0, 1-float64(b.received-a.received)/float64(n))
	}
	r.CPUShare, r.Own = (b.CPU-a.CPU)/r.Seconds, (b.own-a.own).Seconds()/r.Seconds
	if n := b.Forwarded - a.Forwarded; n > 0 {
		r.CPUMicros = (b.CPU - a.CPU) / n * 1e6
	}
	r.Overflow = b.overflow - a.overflow
	r.Late, r.Unsent, r.TalkMiB = b.late-a.late, b.unsent-a.unsent, b.Resident/(1<<20)
}

// idle looks once more when all are gone.
func (m *measure) idle(ctx context.Context, r *mediaReport) error {
	select {
	case <-time.After(m.Idle):
	case <-ctx.Done():
		return ctx.Err()
	}
	s, err := scrape(ctx, site(m.URL))
	r.AfterMiB = s.Resident / (1 << 20)
	return err
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// showMedia prints a report.
func showMedia(w io.Writer, r mediaReport, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "calls      %d of %d, %.0f s, %.0f packets/s, %.3f %% lost\n", r.Answered, r.Calls, r.Seconds, r.Sent, 100*r.Loss)
	fmt.Fprintf(&b, "latency    p50 %.2f ms, p99 %.2f ms, longest %.2f ms\n", r.Latency.P50, r.Latency.P99, r.Latency.Max)
	fmt.Fprintf(&b, "gateway    %.1f µs of processor a relayed packet, %.0f %% of one core\n", r.CPUMicros, 100*r.CPUShare)
	fmt.Fprintf(&b, "generator  %.0f %% of one core; late %d times, %d packets not sent, %d that came and found no room, %d not opened\n", 100*r.Own, r.Late, r.Unsent, r.Overflow, r.Refused)
	fmt.Fprintf(&b, "memory     %.0f MiB before, %.0f talking: %.2f MiB a call; %.0f after\n", r.BeforeMiB, r.TalkMiB, (r.TalkMiB-r.BeforeMiB)/float64(max(r.Answered, 1)), r.AfterMiB)
	fmt.Fprintf(&b, "set-up     sound both ways p50 %.0f ms, p95 %.0f ms; all both ways p50 %.0f ms, p95 %.0f ms (%d calls)\n",
		r.SetUpSound.P50, r.SetUpSound.P95, r.SetUp.P50, r.SetUp.P95, r.SetUp.N)
	fmt.Fprintf(&b, "of it      p95: confirmed after %.0f ms, ringing after %.0f ms, the answer %.0f ms; a first packet from its sending on %.0f ms\n",
		r.Stages.Created.P95, r.Stages.Ringing.P95, r.Stages.Answer.P95, r.Stages.FromSent.P95)
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "failed     %s\n", e)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
