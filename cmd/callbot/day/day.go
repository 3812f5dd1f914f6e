// Package day plans what a city sends its police: who calls, who reports, when and where. It is pure: the
// same seed and beginning make the same day.
package day

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"jedel/cmd/callbot/city"
	"jedel/signaling/wire"
)

// Job is one thing that a citizen does.
type Job interface {
	// When is the time since the beginning of the plan.
	When() time.Duration
}

// Call is somebody who presses the button.
type Call struct {
	At       time.Duration
	N        int // of the plan's calls, from 1
	Theme    string
	Lang     string
	Kind     wire.CallKind
	Where    city.Address
	Walks    bool          // moves a little while talking
	Types    bool          // writes instead of speaking
	Talk     time.Duration // from the answer to hanging up
	Patience time.Duration // hangs up unanswered after it
	Again    bool          // and calls once more after giving up
}

// Report is somebody who sends one.
type Report struct {
	At      time.Duration
	N       int // of the plan's reports, from 1
	Theme   string
	Lang    string
	Text    string
	Plate   string
	Where   city.Address // of what it is about
	From    city.Spot    // of the phone
	Pins    bool         // shows the place on the map, being elsewhere
	Photos  int
	Voice   bool // a voice message instead of much text
	Reopens bool // is not content with the first answer
}

// When implements Job.
func (c Call) When() time.Duration { return c.At }

// When implements Job.
func (r Report) When() time.Duration { return r.At }

// Rates are means over a week.
type Rates struct{ CallsPerHour, ReportsPerHour float64 }

// Plan is a day without an end. It is used by one goroutine.
type Plan struct {
	from           time.Time
	calls, reports *stream
	nextCall       *Call
	nextReport     *Report
}

// The first of each comes soon: whoever watches does not wait.
const (
	firstReport = 3 * time.Second
	firstCall   = 8 * time.Second
)

// New plans from a moment on.
func New(seed uint64, from time.Time, rates Rates) *Plan {
	p := &Plan{
		from:    from,
		calls:   &stream{r: rand.New(rand.NewPCG(seed, 1)), perHour: rates.CallsPerHour, at: firstCall},
		reports: &stream{r: rand.New(rand.NewPCG(seed, 2)), perHour: rates.ReportsPerHour, at: firstReport},
	}
	if p.calls.perHour > 0 {
		c := p.call()
		p.nextCall = &c
	}
	if p.reports.perHour > 0 {
		r := p.report()
		p.nextReport = &r
	}
	return p
}

// Next returns what comes next; nil where nothing ever does.
func (p *Plan) Next() Job {
	if c := p.nextCall; c != nil && (p.nextReport == nil || c.At <= p.nextReport.At) {
		p.calls.advance(p.from)
		next := p.call()
		p.nextCall = &next
		return *c
	}
	if r := p.nextReport; r != nil {
		p.reports.advance(p.from)
		next := p.report()
		p.nextReport = &next
		return *r
	}
	return nil
}

// stream is a Poisson process whose rate follows the hours and the week.
type stream struct {
	r       *rand.Rand
	perHour float64
	at      time.Duration
	n       int
}

// advance moves to the next arrival: arrivals of the highest rate, thinned to that of their hour.
func (s *stream) advance(from time.Time) {
	peak := heaviest()
	for {
		s.at += time.Duration(s.r.ExpFloat64() / (s.perHour * peak) * float64(time.Hour))
		if s.r.Float64()*peak < Weight(from.Add(s.at)) {
			return
		}
	}
}

func chance(r *rand.Rand, part float64) bool { return r.Float64() < part }

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}

// pick chooses a theme by how common it is.
func pick(r *rand.Rand, weight func(Theme) int) Theme {
	all := Themes()
	whole := 0
	for _, t := range all {
		whole += weight(t)
	}
	n := r.IntN(whole)
	for _, t := range all {
		if n -= weight(t); n < 0 {
			return t
		}
	}
	panic("bug: weights do not add up")
}

// lang chooses a language as the city speaks them.
func lang(r *rand.Rand) string {
	switch n := r.IntN(100); {
	case n < 44:
		return "kk"
	case n < 96:
		return "ru"
	}
	return "en"
}

func (p *Plan) call() Call {
	s := p.calls
	s.n++
	t := pick(s.r, func(t Theme) int { return t.Calls })
	c := Call{
		At: s.at, N: s.n, Theme: t.Key, Lang: lang(s.r), Kind: wire.KindVideo, Where: city.Anywhere(s.r), Walks: chance(s.r, 0.4),
		Talk: between(s.r, 70*time.Second, 280*time.Second), Patience: between(s.r, 90*time.Second, 240*time.Second), Again: chance(s.r, 0.6),
	}
	switch n := s.r.IntN(100); {
	case n < 10:
		c.Kind, c.Types = wire.KindSilent, true
	case n < 45:
		c.Kind = wire.KindVoice
	}
	c.Types = c.Types || chance(s.r, 0.25)
	if chance(s.r, 0.06) { // gives up before anybody can answer
		c.Patience = between(s.r, 2*time.Second, 6*time.Second)
	}
	return c
}

func (p *Plan) report() Report {
	s := p.reports
	s.n++
	t := pick(s.r, func(t Theme) int { return t.Reports })
	l := lang(s.r)
	where := city.Anywhere(s.r)
	rep := Report{
		At: s.at, N: s.n, Theme: t.Key, Lang: l, Text: Line(t, l, 0), Where: where, From: city.Near(s.r, where.Spot, 25), Photos: 1 + s.r.IntN(2),
		Voice: chance(s.r, 0.12), Reopens: chance(s.r, 0.08), Pins: chance(s.r, 0.3),
	}
	if chance(s.r, 0.2) {
		rep.Photos = 0
	}
	if t.Plate {
		rep.Plate = Plate(s.r)
	}
	if rep.Pins {
		rep.From = city.Near(s.r, where.Spot, 900)
	}
	return rep
}

// Line is the nth line that is said of t; the last one again beyond them.
func Line(t Theme, lang string, n int) string {
	all := t.Says[lang]
	return all[min(n, len(all)-1)]
}

// Plate makes a number plate of the form of Kazakhstan's, of series that are not given to anybody: ZZ.
func Plate(r *rand.Rand) string {
	const letters = "ABCDEFHKMNPRSTUVXYZ"
	return fmt.Sprintf("%03d ZZ%c %02d", 1+r.IntN(999), letters[r.IntN(len(letters))], 1+r.IntN(20))
}

// sorted puts jobs in the order of their times.
func sorted(list []Job) []Job {
	slices.SortStableFunc(list, func(a, b Job) int { return int(a.When() - b.When()) })
	return list
}
