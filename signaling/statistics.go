package signaling

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/stats"
)

// Statistics tell how the centre works. Nothing in them names a citizen.
type Statistics interface {
	// Ask answers a question.
	Ask(ctx context.Context, q stats.Query) (stats.Result, error)
	// Site tells what questions are asked by.
	Site() StatsSite
	// Wall is how the centre stands now.
	Wall(ctx context.Context) (Wall, error)
	// Limits are those of the wallboard, with their history.
	Limits() stats.Limits
	// SetLimit changes one of those of a revision; it is durable then.
	SetLimit(ctx context.Context, who Who, rev int, c stats.Change) (stats.Limits, error)
}

// StatsSite is what questions are asked by: the site's clocks, its days, its words, its targets.
type StatsSite struct {
	Zone          stats.Zone
	Today, Oldest stats.Day
	Edges         stats.Goals // up to which times are counted
	Targets       []StatsTarget
	Name          func(by stats.Dimension, key string) Words // of a group; what has no name is called by its key
}

// StatsTarget is which share of the times of a measure should be within one.
type StatsTarget struct {
	Measure string  `json:"measure"`
	Ms      int64   `json:"ms"`
	Share   float64 `json:"share"` // 0: it is only looked at
}

// StatsOffset is what the site's clocks show from a moment on, in minutes ahead of UTC.
type StatsOffset struct {
	FromMs int64 `json:"fromMs"`
	UTCMin int   `json:"utcMin"`
}

// StatsEdges are the times up to which those of a measure are counted.
type StatsEdges struct {
	Measure string  `json:"measure"`
	Ms      []int64 `json:"ms"`
}

// StatsTimes is how long something took.
type StatsTimes struct {
	N      int   `json:"n"` // of how many
	MeanMs int64 `json:"meanMs"`
	P50Ms  int64 `json:"p50Ms"`
	P90Ms  int64 `json:"p90Ms"`
	P95Ms  int64 `json:"p95Ms"`
	Within []int `json:"within"` // each edge
}

// StatsFigures are the counts of a group.
type StatsFigures struct {
	Contacts      int        `json:"contacts"`
	Calls         int        `json:"calls"`
	Reports       int        `json:"reports"`
	Cases         int        `json:"cases"`
	Merged        int        `json:"merged"`
	Closed        int        `json:"closed"`
	ClosedReplied int        `json:"closedReplied"`
	Answered      int        `json:"answered"`
	Abandoned     int        `json:"abandoned"`
	Owed          int        `json:"owed"` // call-backs
	CalledBack    int        `json:"calledBack"`
	Answer        StatsTimes `json:"answer"`
	Handling      StatsTimes `json:"handling"`
	Dispatch      StatsTimes `json:"dispatch"`
	Arrival       StatsTimes `json:"arrival"`
	Reply         StatsTimes `json:"reply"`
}

// StatsRow is one group.
type StatsRow struct {
	Key   string  `json:"key"`
	Name  Words   `json:"name"`
	Share float64 `json:"share"` // of all contacts
	StatsFigures
}

// StatsAnswer answers a question.
type StatsAnswer struct {
	First   string        `json:"first"` // both days are counted
	Last    string        `json:"last"`
	By      string        `json:"by"`
	Zone    string        `json:"zone"`
	Offsets []StatsOffset `json:"offsets"` // of these days; the first began before them
	NowMs   int64         `json:"nowMs"`
	Today   string        `json:"today"`
	Oldest  string        `json:"oldest"`
	Edges   []StatsEdges  `json:"edges"`
	Targets []StatsTarget `json:"targets"`
	Total   StatsFigures  `json:"total"`
	Rows    []StatsRow    `json:"rows"`
}

// figures answers about statistics and the wallboard.
type figures struct{ *Server }

// statsTable is every route about statistics.
func (s *Server) statsTable() map[string]http.HandlerFunc {
	o := figures{s}
	return map[string]http.HandlerFunc{
		"GET /api/v1/stats":       s.withStaff(access.SeeStats, o.ask),
		"GET /api/v1/stats.csv":   s.withStaff(access.SeeStats, o.table),
		"GET /api/v1/wall":        s.withStaff(access.SeeStats, o.wall),
		"GET /api/v1/wall/limits": s.withStaff(access.SeeStats, o.limits),
		"PUT /api/v1/wall/limits": s.withStaff(access.SeeStats, o.setLimit),
	}
}

// measures are the names of the measures, in their order.
func measures() [stats.Measures]string {
	return [stats.Measures]string{"answer", "handling", "dispatch", "arrival", "reply"}
}

// maxListed bounds how many values of one kind a question names.
const maxListed = 100

// statsQuery reads a question. What it does not know it refuses: a misspelt filter would answer
// another question.
func statsQuery(v url.Values, today stats.Day) (stats.Query, error) {
	q := stats.Query{First: today, Last: today, By: stats.ByNothing}
	for name, values := range v {
		if len(values) > maxListed {
			return q, fault.Newf(fault.TooMany, "stats", "%s", name)
		}
		if err := statsParam(&q, name, values); err != nil {
			return q, fault.Newf(fault.BadValue, "stats", "%.20q: %v", name, err)
		}
	}
	if err := q.Check(); err != nil {
		return q, fault.New(fault.BadValue, "stats", err)
	}
	return q, nil
}

func statsParam(q *stats.Query, name string, values []string) (err error) {
	switch name {
	case "first":
		q.First, err = stats.ParseDay(values[0])
	case "last":
		q.Last, err = stats.ParseDay(values[0])
	case "by":
		q.By = stats.Dimension(values[0])
	case "lane":
		q.Lanes = values
		if slices.ContainsFunc(values, func(l string) bool { return l != stats.CallLane && l != stats.ReportLane }) {
			err = errors.New("not a lane")
		}
	case "kind":
		q.Kinds = values
	case "unit":
		q.Districts = values
	case "outcome":
		q.Results = values
	case "hour":
		q.Hours, err = numbersOf(values, 0, 23)
	case "weekday":
		q.Weekdays, err = numbersOf(values, 1, 7)
	case "lang":
	default:
		err = errors.New("not known")
	}
	return err
}

func numbersOf(values []string, low, high int) ([]int, error) {
	out := make([]int, len(values))
	for i, text := range values {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return nil, errors.New("not a number of them")
		}
		out[i] = n
	}
	return out, nil
}

// answered asks what a request asks.
func (o figures) answered(r *http.Request) (StatsAnswer, error) {
	site := o.stats.Site()
	q, err := statsQuery(r.URL.Query(), site.Today)
	if err != nil {
		return StatsAnswer{}, err
	}
	result, err := o.stats.Ask(r.Context(), q)
	if err != nil {
		return StatsAnswer{}, err
	}
	out := StatsAnswer{
		First: q.First.String(), Last: q.Last.String(), By: string(q.By), Zone: site.Zone.Name(), NowMs: time.Now().UnixMilli(), Today: site.Today.String(),
		Oldest: site.Oldest.String(), Targets: site.Targets, Total: figuresOf(result.Total), Rows: make([]StatsRow, 0, len(result.Rows)),
	}
	for _, z := range site.Zone.Offsets(q.First, q.Last) {
		out.Offsets = append(out.Offsets, StatsOffset{z.From.UnixMilli(), int(z.UTC / time.Minute)})
	}
	for m, name := range measures() {
		e := StatsEdges{Measure: name, Ms: []int64{}}
		for _, d := range site.Edges.Within[m] {
			e.Ms = append(e.Ms, d.Milliseconds())
		}
		out.Edges = append(out.Edges, e)
	}
	for _, row := range result.Rows {
		out.Rows = append(out.Rows, StatsRow{row.Key, site.Name(q.By, row.Key), math.Round(row.Share*1e6) / 1e6, figuresOf(row.Figures)})
	}
	return out, nil
}

func figuresOf(f stats.Figures) StatsFigures {
	times := func(m stats.Measure) StatsTimes {
		s := f.Times[m]
		return StatsTimes{s.N, s.Mean.Milliseconds(), s.P50.Milliseconds(), s.P90.Milliseconds(), s.P95.Milliseconds(), s.Within}
	}
	return StatsFigures{
		Contacts: f.N, Calls: f.Calls(), Reports: f.Reports, Cases: f.Cases, Merged: f.Merged, Closed: f.Closed, ClosedReplied: f.ClosedReplied,
		Answered: f.Answered, Abandoned: f.Abandoned, Owed: f.Owed, CalledBack: f.CalledBack,
		Answer: times(stats.Answer), Handling: times(stats.Handling), Dispatch: times(stats.Dispatch), Arrival: times(stats.Arrival), Reply: times(stats.Reply),
	}
}

func (o figures) ask(w http.ResponseWriter, r *http.Request, _ Who) error {
	a, err := o.answered(r)
	if err == nil {
		o.answer(w, http.StatusOK, a)
	}
	return err
}
