package stats

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"time"
)

// Seat levels have the same limits as tiles: how long an operator has been at something, in seconds.
const (
	SeatTalking = "seat_talking"
	SeatWrapUp  = "seat_wrapup"
)

// usual are the limits before anybody changes one, and which of them hold from below. They are the
// figures of NENA-STA-020.1 where it has one: 90 % of calls answered within 15 s, 95 % within 20 s.
// A call is handled within 3 to 4 minutes.
var usual = map[string]Limit{
	"queue": {Warn: 3, Bad: 6}, "longest_wait": {Warn: 10, Bad: 15}, "ready": {Warn: 2, Bad: 1, Below: true},
	"answered_in_time": {Warn: 0.95, Bad: 0.9, Below: true}, "abandoned": {Warn: 5, Bad: 15}, "not_called_back": {Warn: 1, Bad: 5},
	"oldest_report": {Warn: 4 * 3600, Bad: 24 * 3600}, "replied": {Warn: 1, Bad: 0.95, Below: true}, "patrols_free": {Warn: 2, Bad: 1, Below: true},
	SeatTalking: {Warn: 4 * 60, Bad: 10 * 60}, SeatWrapUp: {Warn: 2 * 60, Bad: 5 * 60},
}

// MaxChanges bounds the history of limits; the audit has all of it.
const MaxChanges = 200

// maxLimit bounds a limit: a year in seconds.
const maxLimit = 366 * 24 * 3600

// What a change of a limit is refused for.
var (
	ErrLimit = errors.New("not a limit, or one that means nothing")
	ErrStale = errors.New("somebody else changed the limits meanwhile")
)

// Change is one change of a limit.
type Change struct {
	At            time.Time
	By            string // of the staff, by ID
	Key           string
	Before, After Limit
}

// Limits are those of the wallboard as somebody set them, and how they came to be. The zero value has
// the usual ones.
type Limits struct {
	Rev     int // how often they were changed
	Set     map[string]Limit
	Changes []Change // the newest last
}

// LimitKeys are what has limits, in the order of the wall.
func LimitKeys() []string {
	return []string{"queue", "longest_wait", "ready", "answered_in_time", "abandoned", "not_called_back", "oldest_report", "replied", "patrols_free", SeatTalking, SeatWrapUp}
}

// All are the limits by key.
func (l Limits) All() map[string]Limit {
	out := maps.Clone(usual)
	maps.Copy(out, l.Set)
	return out
}

// Change returns the limits after a change of those of revision rev. Before and Below of the change do
// not count: they follow from what is there.
func (l Limits) Change(rev int, c Change) (Limits, error) {
	before, known := l.All()[c.Key]
	if !known {
		return l, fmt.Errorf("%w: %.40q", ErrLimit, c.Key)
	}
	c.Before, c.After.Below = before, before.Below
	for _, v := range []float64{c.After.Warn, c.After.Bad} {
		if math.IsNaN(v) || v < 0 || v > maxLimit {
			return l, fmt.Errorf("%w: %v", ErrLimit, v)
		}
	}
	if c.After.Below && c.After.Bad > c.After.Warn || !c.After.Below && c.After.Bad < c.After.Warn {
		return l, fmt.Errorf("%w: bad before it wants attention", ErrLimit)
	}
	if (c.Key == "answered_in_time" || c.Key == "replied") && c.After.Warn > 1 {
		return l, fmt.Errorf("%w: a share above 1", ErrLimit)
	}
	if rev != l.Rev {
		return l, ErrStale
	}
	out := Limits{Rev: l.Rev + 1, Set: maps.Clone(l.Set), Changes: append(l.Changes[max(0, len(l.Changes)-MaxChanges+1):len(l.Changes):len(l.Changes)], c)}
	if out.Set == nil {
		out.Set = map[string]Limit{}
	}
	out.Set[c.Key] = c.After
	return out, nil
}
