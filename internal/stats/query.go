package stats

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Dimension is what contacts are grouped by.
type Dimension string

// Dimensions.
const (
	ByNothing     Dimension = "none"
	ByHour        Dimension = "hour"         // 00 to 23
	ByWeekday     Dimension = "weekday"      // 1, Monday, to 7
	ByHourWeekday Dimension = "hour_weekday" // 1-00 to 7-23
	ByDay         Dimension = "day"          // 2026-11-24
	ByMonth       Dimension = "month"        // 2026-11
	ByKind        Dimension = "kind"
	ByDistrict    Dimension = "district" // the unit whose case it is
	ByLane        Dimension = "lane"
	ByOutcome     Dimension = "outcome"
)

// Lanes.
const (
	CallLane   = "call"
	ReportLane = "report"
)

// Dimensions lists them all.
func Dimensions() []Dimension {
	return []Dimension{ByNothing, ByHour, ByWeekday, ByHourWeekday, ByDay, ByMonth, ByKind, ByDistrict, ByLane, ByOutcome}
}

// MaxDays bounds the days of one question: eleven years.
const MaxDays = 11 * 366

// What a question may be refused for.
var (
	ErrDimension = errors.New("not a dimension")
	ErrDays      = errors.New("the last day is before the first, or there are too many")
)

// Query is a question: which contacts, and by what they are grouped. Empty lists do not restrict.
type Query struct {
	First, Last                      Day       // both are counted
	Before                           time.Time // and opened before it; zero: no such end
	By                               Dimension
	Lanes, Kinds, Districts, Results []string
	Hours, Weekdays                  []int
	Goals                            Goals
}

// Goals are the times against which contacts are counted.
type Goals struct{ Within [Measures][]time.Duration }

// Result is the answer to a question.
type Result struct {
	Total Figures
	Rows  []Row // one for each hour, weekday, day, month or lane, be it empty; else one for each word that occurs, the most frequent first
}

// Row is one group.
type Row struct {
	Key   string
	Share float64 // of all that were counted
	Figures
}

// Figures are the counts of a group.
type Figures struct {
	N             int // contacts
	Reports       int
	Cases         int // what contacts began, less what was merged into others
	Merged        int
	Closed        int // cases
	ClosedReplied int // closed cases whose citizen got a reply beyond the receipt
	Answered      int // calls
	Abandoned     int
	Owed          int // call-backs
	CalledBack    int
	Times         [Measures]Spread
}

// Calls is how many contacts are calls.
func (f Figures) Calls() int { return f.N - f.Reports }

// Spread is how long something took.
type Spread struct {
	N                   int // of how many
	Mean, P50, P90, P95 time.Duration
	Within              []int // how many within each goal
}

// Check refuses a question that has no meaning.
func (q Query) Check() error {
	if !slices.Contains(Dimensions(), q.By) {
		return fmt.Errorf("%w: %.20q", ErrDimension, q.By)
	}
	if q.Last < q.First || int(q.Last-q.First) >= MaxDays {
		return ErrDays
	}
	return nil
}

// Ask answers a question that Check has passed. It reads the table only.
func (t *Table) Ask(z Zone, q Query) Result {
	p := t.pick(z, q)
	g := t.grouping(z, q, p)
	out := Result{Total: t.figures(q, p, nil, 1)[0]}
	groups := []Figures{}
	if q.By != ByNothing {
		groups = t.figures(q, p, g.of, len(g.keys))
	}
	for i, f := range groups {
		if f.N > 0 || g.all {
			out.Rows = append(out.Rows, Row{Key: g.keys[i], Share: share(f.N, out.Total.N), Figures: f})
		}
	}
	if !g.all {
		slices.SortStableFunc(out.Rows, func(a, b Row) int { return b.N - a.N })
	}
	return out
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Span is the first and the last day of the contacts; ok is false where there are none.
func (t *Table) Span(z Zone) (first, last Day, ok bool) {
	if t.rows == 0 {
		return 0, 0, false
	}
	lo, hi := uint32(never), uint32(0)
	for _, c := range t.chunks {
		lo, hi = min(lo, c.min), max(hi, c.max)
	}
	c := z.clock()
	first, _ = c.local(lo)
	last, _ = c.local(hi)
	return first, last, true
}

// filter is the restrictions of a question by the numbers of words.
type filter struct {
	lanes                  [2]bool
	kinds, units, outcomes []bool
	hours                  [24]bool
	weekdays               [8]bool
}

func (t *Table) filter(q Query) filter {
	f := filter{kinds: t.allow(q.Kinds), units: t.allow(q.Districts), outcomes: t.allow(q.Results)}
	f.lanes = [2]bool{len(q.Lanes) == 0 || slices.Contains(q.Lanes, CallLane), len(q.Lanes) == 0 || slices.Contains(q.Lanes, ReportLane)}
	for h := range f.hours {
		f.hours[h] = len(q.Hours) == 0 || slices.Contains(q.Hours, h)
	}
	for d := range f.weekdays {
		f.weekdays[d] = len(q.Weekdays) == 0 || slices.Contains(q.Weekdays, d)
	}
	return f
}

func (t *Table) allow(list []string) []bool {
	out := make([]bool, len(t.words.list))
	for i, w := range t.words.list {
		out[i] = len(list) == 0 || slices.Contains(list, w)
	}
	return out
}

// pick returns the rows that a question is about.
func (t *Table) pick(z Zone, q Query) []uint32 {
	f, c := t.filter(q), z.clock()
	from, to := z.bounds(q.First, q.Last)
	if !q.Before.IsZero() {
		to = min(to, q.Before.Unix())
	}
	var out []uint32
	for n, ch := range t.chunks {
		if int64(ch.max) < from || int64(ch.min) >= to {
			continue
		}
		for i := range min(chunkRows, t.rows-n*chunkRows) {
			if !f.lanes[ch.marks[i]&markReport] || !f.kinds[ch.kind[i]] || !f.units[ch.unit[i]] || !f.outcomes[ch.outcome[i]] {
				continue
			}
			day, hour := c.local(ch.opened[i])
			if day >= q.First && day <= q.Last && f.hours[hour] && f.weekdays[day.weekday()] && int64(ch.opened[i]) < to {
				out = append(out, uint32(n*chunkRows+i))
			}
		}
	}
	return out
}
