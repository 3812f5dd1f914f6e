package stats

import "time"

// Wall is how a centre stands at one moment.
type Wall struct {
	Now, Earlier     Gauge
	HasEarlier       bool
	Today, WeekAgo   Figures // WeekAgo: of that day until the same moment
	Month            Figures // of the last thirty days, today included
	Standing         Standing
	PatrolsFree      int
	PatrolsBusy      int
	At               time.Time
	Day              Day
	AnswerWithinGoal int // which of the goals of Answer the wall shows
}

// Gauge is what the desk shows at one moment.
type Gauge struct {
	Waiting        int
	LongestWait    time.Duration
	Talking, Ready int
}

// Level is how well a figure does.
type Level string

// Levels. A figure without limits, or without anything to measure, has none.
const (
	NoLevel Level = ""
	Good    Level = "good"
	Warn    Level = "warn"
	Bad     Level = "bad"
)

// Limit is from which value a figure wants attention, and from which it is bad; below those values
// where Below. The zero Limit is none.
type Limit struct {
	Warn, Bad float64
	Below     bool
}

// Level judges a value.
func (l Limit) Level(v float64) Level {
	reached := func(limit float64) bool {
		if l.Below {
			return v < limit
		}
		return v >= limit
	}
	switch {
	case l == Limit{}:
		return NoLevel
	case reached(l.Bad):
		return Bad
	case reached(l.Warn):
		return Warn
	}
	return Good
}

// Tile is one figure of the wallboard.
type Tile struct {
	Key     string
	Unit    string // count, s (seconds), share (0..1)
	Value   *float64
	Before  *float64 // nil: not known
	Against string   // what Before is of: minutes, five ago; week, the same time a week ago; empty
	Limit   Limit
	Level   Level
}

// Tiles are the figures of a wallboard in their order.
func (w Wall) Tiles(limits map[string]Limit) []Tile {
	now, was := w.Now, w.Earlier
	var oldest *float64
	if w.Standing.Unanswered > 0 {
		oldest = number(max(0, w.At.Sub(w.Standing.Oldest).Seconds()))
	}
	inTime := func(f Figures) *float64 {
		a := f.Times[Answer]
		if a.N == 0 || w.AnswerWithinGoal >= len(a.Within) {
			return nil
		}
		return number(share(a.Within[w.AnswerWithinGoal], a.N))
	}
	var replied *float64
	if w.Month.Closed > 0 {
		replied = number(share(w.Month.ClosedReplied, w.Month.Closed))
	}
	live := func(v float64) *float64 {
		if !w.HasEarlier {
			return nil
		}
		return &v
	}
	today, before := w.Today, w.WeekAgo
	tiles := []Tile{
		{Key: "queue", Unit: "count", Value: count(now.Waiting), Before: live(float64(was.Waiting)), Against: "minutes"},
		{Key: "longest_wait", Unit: "s", Value: number(now.LongestWait.Seconds()), Before: live(was.LongestWait.Seconds()), Against: "minutes"},
		{Key: "talking", Unit: "count", Value: count(now.Talking), Before: live(float64(was.Talking)), Against: "minutes"},
		{Key: "ready", Unit: "count", Value: count(now.Ready), Before: live(float64(was.Ready)), Against: "minutes"},
		{Key: "answered_in_time", Unit: "share", Value: inTime(today), Before: inTime(before), Against: "week"},
		{Key: "today", Unit: "count", Value: count(today.N), Before: count(before.N), Against: "week"},
		{Key: "abandoned", Unit: "count", Value: count(today.Abandoned), Before: count(before.Abandoned), Against: "week"},
		{Key: "not_called_back", Unit: "count", Value: count(today.Owed - today.CalledBack)},
		{Key: "open", Unit: "count", Value: count(w.Standing.Open)},
		{Key: "oldest_report", Unit: "s", Value: oldest},
		{Key: "replied", Unit: "share", Value: replied},
		{Key: "patrols_free", Unit: "count", Value: count(w.PatrolsFree)},
		{Key: "patrols_busy", Unit: "count", Value: count(w.PatrolsBusy)},
	}
	for i, t := range tiles {
		tiles[i].Limit = limits[t.Key]
		if t.Value != nil {
			tiles[i].Level = tiles[i].Limit.Level(*t.Value)
		}
	}
	return tiles
}

func number(v float64) *float64 { return &v }

func count(n int) *float64 { return number(float64(n)) }
