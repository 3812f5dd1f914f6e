// Package centre plays a whole city and its centre against a gateway: callers, citizens who report,
// patrols that drive, and, where wanted, operators and a dispatcher. All of them use the public protocol
// alone. What they do is planned by package day.
package centre

import (
	"context"
	"fmt"
	"sync"
	"time"

	"jedel/cmd/callbot/art"
	"jedel/cmd/callbot/bot"
	"jedel/cmd/callbot/day"
	"jedel/cmd/callbot/studio"
	"jedel/internal/ident"
)

// Config says what is played.
type Config struct {
	URL        string // of the site
	Speed      float64
	For        time.Duration // zero: until the context ends
	Rates      day.Rates
	Scene      string // of day.Scenes; empty: the whole day
	From       time.Time
	Seed       uint64
	Patrols    int
	Operators  int
	Dispatcher bool
	Cameras    int
	CameraAddr string // host:port that they are served on
	Password   string // of the demo accounts
	Say        func(Event)
}

// Accounts of a demonstration.
func operators() []string { return []string{"operator", "operator2", "supervisor"} }

// Bounds of what one machine plays.
const (
	MaxPatrols = 6
	maxAtOnce  = 40              // callers, and citizens who are sending
	goingHome  = 8 * time.Second // from the end until whoever is left is cut off
	writeUp    = 2 * time.Second // operators stay as long after the last caller
)

// Check refuses what cannot be played.
func (c Config) Check() error {
	switch {
	case c.Speed < 0.1 || c.Speed > 100:
		return fmt.Errorf("speed %g is not 0.1 to 100", c.Speed)
	case c.Patrols < 0 || c.Patrols > MaxPatrols:
		return fmt.Errorf("the demo has %d patrols, not %d", MaxPatrols, c.Patrols)
	case c.Cameras < 0 || c.Cameras > MaxCameras:
		return fmt.Errorf("the demo has %d cameras, not %d", MaxCameras, c.Cameras)
	case c.Operators < 0 || c.Operators > len(operators()):
		return fmt.Errorf("the demo has %d accounts that answer calls, not %d", len(operators()), c.Operators)
	case c.Rates.CallsPerHour < 0 || c.Rates.ReportsPerHour < 0 || c.Rates.CallsPerHour > 3600 || c.Rates.ReportsPerHour > 3600:
		return fmt.Errorf("calls and reports are 0 to 3600 an hour")
	case c.Scene != "" && day.Scene(c.Scene, c.Seed) == nil:
		return fmt.Errorf("there is no scene %q", c.Scene)
	}
	return nil
}

// play is a running centre.
type play struct {
	Config
	studio *studio.Studio
	*journal
	done chan struct{} // closed when everybody goes home
	slot chan struct{} // who sends or calls now

	mu     sync.Mutex // guards themes
	themes map[string]story

	opened time.Time // when the first job counts from; set before anything starts
}

// ahead is how long before its time a caller's picture and voice are made.
const ahead = 8 * time.Second

// story is what the centre itself knows of a case that it made.
type story struct {
	theme day.Theme
	lang  string
}

// Run plays until ctx ends or its time is over, and returns what it came to. Everybody goes home first:
// calls are hung up, patrols go off duty.
func Run(ctx context.Context, c Config) (Summary, error) {
	if err := c.Check(); err != nil {
		return Summary{}, err
	}
	st, err := studio.Open()
	if err != nil {
		return Summary{}, err
	}
	defer func() { _ = st.Close() }()
	p := &play{Config: c, studio: st, journal: newJournal(c.Say), done: make(chan struct{}), slot: make(chan struct{}, maxAtOnce), themes: map[string]story{}}
	for _, lack := range st.Lacks() {
		p.tell(nil, "studio", "%s", lack)
	}
	hard, cut := context.WithCancel(context.WithoutCancel(ctx)) // goes on while everybody goes home
	defer cut()
	var staff, city sync.WaitGroup
	working, off := context.WithCancel(hard)
	defer off()
	if err := p.open(working, &staff); err != nil {
		off()
		staff.Wait()
		return Summary{}, err
	}
	closeCameras := p.cameras(working, &staff)
	for n := 1; n <= c.Patrols; n++ {
		city.Go(func() { p.patrol(hard, n) })
	}
	p.opened = time.Now()
	p.days(ctx, hard, &city)
	close(p.done)
	late := time.AfterFunc(goingHome, cut)
	city.Wait()
	if c.Operators > 0 && hard.Err() == nil {
		pause(hard, writeUp)
	}
	off()
	closeCameras()
	staff.Wait()
	late.Stop()
	return p.summary(), nil
}

// open puts those of the desk on duty and returns when the operators wait for calls.
func (p *play) open(ctx context.Context, staff *sync.WaitGroup) error {
	ready, failed := make(chan struct{}, p.Operators), make(chan error, p.Operators)
	for _, login := range operators()[:p.Operators] {
		staff.Go(func() {
			if err := p.operator(ctx, login, func() { ready <- struct{}{} }).Run(ctx); err != nil && ctx.Err() == nil {
				failed <- err
				p.fault(login, err)
			}
		})
	}
	for range p.Operators {
		select {
		case <-ready:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if p.Operators > 0 {
		p.tell(nil, "desk", "%d operators wait for calls", p.Operators)
		staff.Go(func() { p.desk(ctx, operators()[0], (*clerk).sort) })
	}
	if p.Dispatcher {
		staff.Go(func() { p.desk(ctx, "dispatcher", (*clerk).dispatch) })
	}
	return nil
}

// operator is a bot that answers calls.
func (p *play) operator(ctx context.Context, login string, ready func()) bot.Operator {
	c, err := p.studio.Clip(ctx, art.Scene{Theme: "desk", At: p.now(), Seed: p.Seed}, "Слушаю вас.", "ru")
	if err != nil {
		p.fault(login, err)
	}
	return bot.Operator{
		Config: bot.Config{URL: p.URL, Clip: c, See: p.book.See}, Login: login, Password: p.Password, Answer: p.scaled(2*time.Second, 600*time.Millisecond),
		Ready: ready, Manner: p.manner,
	}
}

// days lets things happen until ctx or the time ends.
func (p *play) days(ctx, hard context.Context, city *sync.WaitGroup) {
	var end <-chan time.Time
	if p.For > 0 {
		end = time.After(p.For)
	}
	next := day.New(p.Seed, p.From, p.Rates).Next
	if p.Scene != "" {
		jobs := day.Scene(p.Scene, p.Seed)
		next = func() day.Job {
			if len(jobs) == 0 {
				return nil
			}
			j := jobs[0]
			jobs = jobs[1:]
			return j
		}
	}
	for {
		j := next()
		var due <-chan time.Time
		if j != nil {
			due = time.After(time.Until(p.due(j)) - ahead)
		}
		select {
		case <-due:
			p.start(hard, city, j)
		case <-end:
			p.tell(nil, "centre", "the time is over; everybody goes home")
			return
		case <-ctx.Done():
			p.tell(nil, "centre", "everybody goes home")
			return
		}
	}
}

// due is when a job happens.
func (p *play) due(j day.Job) time.Time {
	return p.opened.Add(time.Duration(float64(j.When()) / p.Speed))
}

// start lets one job happen beside the others, unless there are too many.
func (p *play) start(ctx context.Context, city *sync.WaitGroup, j day.Job) {
	select {
	case p.slot <- struct{}{}:
	default:
		p.tell(func(s *Summary) { s.Skipped++ }, "centre", "too much at once: one of them did not happen")
		return
	}
	city.Go(func() {
		free := sync.OnceFunc(func() { <-p.slot })
		defer free()
		switch j := j.(type) {
		case day.Call:
			p.call(ctx, j)
		case day.Report:
			p.report(ctx, j, free)
		}
	})
}

// now is the time in the place that is played.
func (p *play) now() time.Time {
	return p.From.Add(time.Duration(float64(time.Since(p.began)) * p.Speed)).In(day.Zone())
}

// scaled is a time of people at the speed that is played, at least as long as machines need.
func (p *play) scaled(d, least time.Duration) time.Duration {
	return max(time.Duration(float64(d)/p.Speed), least)
}

// pause waits; false: ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// rest waits as those of the city do; false: everybody goes home, or ctx has ended.
func (p *play) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.done:
		return false
	case <-ctx.Done():
		return false
	}
}

// home reports whether everybody goes home.
func (p *play) home() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *play) remember(id string, s story) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.themes[id] = s
}

func (p *play) known(id string) (story, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.themes[id]
	return s, ok
}

func newID() string { return string(ident.New[ident.FileID]()) }
