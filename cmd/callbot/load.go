package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"jedel/cmd/callbot/bot"
	"jedel/cmd/callbot/clip"
	"jedel/cmd/callbot/watch"
)

// errBroken reports that the run itself went through and showed faults.
var errBroken = errors.New("promises were broken")

// loadCmd is callers and operators together.
type loadCmd struct {
	URL      string        `arg:"" help:"Address of the site, http or https."`
	Staff    string        `help:"File of operators, a login and its password a line; without it, operator and operator2 of the demo." type:"existingfile"`
	Calls    int           `default:"4" help:"How many calls in all."`
	Every    time.Duration `default:"200ms" help:"Between two taps."`
	Talk     time.Duration `default:"10s" help:"From the answer to hanging up."`
	Together bool          `help:"No caller hangs up before the last has been answered and talked for --talk."`
	Wait     time.Duration `default:"2m" help:"The longest wait for an answer."`
	Answer   time.Duration `default:"300ms" help:"From the ring to the answer."`
	Video    bool          `help:"Callers send pictures."`
	Back     bool          `help:"Operators show pictures too."`
	Metrics  bool          `help:"Read /metrics each second and tell the gateway's work while the most calls talk."`
	JSON     bool          `name:"json" help:"Print figures as JSON."`
}

// Run makes the load and prints what it came to.
func (c loadCmd) Run(ctx context.Context) error { return c.run(ctx, nil) }

// run makes the load; during, where there is one, goes on beside it until the last call ends.
func (c loadCmd) run(ctx context.Context, during func(context.Context)) error {
	media, err := clip.Embedded()
	if err != nil {
		return err
	}
	staff, err := c.staff()
	if err != nil {
		return err
	}
	book := watch.NewBook()
	l := &load{loadCmd: c, cfg: bot.Config{URL: site(c.URL), Clip: media}, book: book, together: make(chan struct{})}
	l.cfg.See = l.see
	working, stop := context.WithCancel(ctx)
	var wg, beside sync.WaitGroup
	err = l.operators(working, &wg, staff)
	var samples []watch.Sample
	if err == nil {
		aside, end := context.WithCancel(ctx)
		if c.Metrics {
			beside.Go(func() { samples = gauge(aside, l.cfg.URL, l.inTalk) })
		}
		if during != nil {
			beside.Go(func() { during(aside) })
		}
		l.callers(ctx)
		end()
		beside.Wait()
	}
	stop()
	wg.Wait()
	if err != nil {
		return err
	}
	r := book.Report(true)
	if s, ok := watch.SteadyOf(samples); ok {
		r.Steady = &s
	}
	if err := show(os.Stdout, r, c.JSON); err != nil {
		return err
	}
	if len(r.Violations) > 0 || len(r.Errors) > 0 {
		return errBroken
	}
	return nil
}

// account is an operator's.
type account struct{ login, password string }

func (c loadCmd) staff() ([]account, error) {
	if c.Staff == "" {
		return []account{{"operator", "jedel-demo"}, {"operator2", "jedel-demo"}}, nil
	}
	f, err := os.Open(c.Staff)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var out []account
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		login, password, ok := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if !ok {
			return nil, fmt.Errorf("%s: line %d is not a login and a password", c.Staff, len(out)+1)
		}
		out = append(out, account{login, strings.TrimSpace(password)})
	}
	if err := lines.Err(); err != nil || len(out) == 0 {
		return nil, fmt.Errorf("%s has no accounts: %w", c.Staff, err)
	}
	return out, nil
}

// load is a running load.
type load struct {
	loadCmd
	cfg      bot.Config
	book     *watch.Book
	together chan struct{} // closed when the last call has been answered
	between  bool          // operators rest their devices between calls
	cold     bool          // callers make their connection at the tap

	mu       sync.Mutex // guards the rest
	talking  map[string]bool
	answered map[string]bool
}

// see takes one event of any bot.
func (l *load) see(e watch.Event) {
	l.book.See(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.talking == nil {
		l.talking, l.answered = map[string]bool{}, map[string]bool{}
	}
	switch e := e.(type) {
	case watch.Accepted:
		l.talking[e.Call] = true
		if !l.answered[e.Call] {
			l.answered[e.Call] = true
			if len(l.answered) == l.Calls {
				close(l.together)
			}
		}
	case watch.Left:
		delete(l.talking, e.Call)
	}
}

func (l *load) inTalk() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.talking)
}

// operators puts all on duty and returns when they wait for calls.
func (l *load) operators(ctx context.Context, wg *sync.WaitGroup, staff []account) error {
	ready := make(chan struct{}, len(staff))
	failed := make(chan error, len(staff))
	for _, a := range staff {
		wg.Go(func() {
			o := bot.Operator{Config: l.cfg, Login: a.login, Password: a.password, Answer: l.Answer, Video: l.Back, Between: l.between, Ready: func() { ready <- struct{}{} }}
			if err := o.Run(ctx); err != nil && ctx.Err() == nil {
				failed <- err
			}
		})
	}
	for range staff {
		select {
		case <-ready:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// callers makes all calls and returns after the last.
func (l *load) callers(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := range l.Calls {
		c := bot.Caller{
			Config: l.cfg, Kind: kind(l.Video), Talk: l.Talk, Patience: l.Wait,
			Lat: 54.8753 + float64(n%10)/500, Lon: 69.1628 + float64(n/10%10)/500, Text: fmt.Sprintf("load %d", n),
		}
		c.Cold = l.cold
		if l.Together {
			c.HangUp = l.late(ctx)
		}
		wg.Go(func() { _ = c.Run(ctx) }) // what became of it is in the book
		select {
		case <-time.After(l.Every):
		case <-ctx.Done():
			return
		}
	}
}

// late returns what is closed when all calls have talked together for as long as one should.
func (l *load) late(ctx context.Context) <-chan struct{} {
	out := make(chan struct{})
	go func() { // ends with the load
		defer close(out)
		select {
		case <-l.together:
		case <-time.After(l.Wait):
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(l.Talk):
		case <-ctx.Done():
		}
	}()
	return out
}
