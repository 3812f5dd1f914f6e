package stats

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// Day is a day of the calendar, counted from 1 January 1970.
type Day int

const daySeconds = 24 * 60 * 60

// DayOf returns the day that a moment has in its own zone.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

// ParseDay reads "2026-11-24".
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1970 || t.Year() > 2105 {
		return 0, fmt.Errorf("%.20q is no day", s)
	}
	return DayOf(t), nil
}

// String writes "2026-11-24".
func (d Day) String() string { return d.utc().Format(time.DateOnly) }

func (d Day) utc() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

// weekday is 1 for Monday to 7 for Sunday (ISO 8601); 1 January 1970 was a Thursday.
func (d Day) weekday() int { return int((d+3)%7) + 1 }

// Offset is what clocks of a zone show from a moment on.
type Offset struct {
	From time.Time
	UTC  time.Duration // ahead of UTC
}

// Zone is the clocks of one place over the years, changes of their rules included.
type Zone struct {
	name  string
	spans []span32
}

// span32 is a time with one offset, in seconds; it lasts until the next.
type span32 struct{ from, ahead int64 }

// NewZone reads the clocks of a location from 1970 to 2106.
func NewZone(loc *time.Location) Zone {
	z := Zone{name: loc.String()}
	for at := time.Unix(0, 0).In(loc); ; {
		_, ahead := at.Zone()
		z.spans = append(z.spans, span32{at.Unix(), int64(ahead)})
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Unix() >= never {
			return z
		}
		if !end.After(at) { // so it is at the end of some years after 2037
			end = at.AddDate(0, 0, 1)
		}
		at = end
	}
}

// Name is the zone's name, such as Asia/Almaty.
func (z Zone) Name() string { return z.name }

// Offsets are those of the days from first to last, with the moment each began; the first one begins
// before them.
func (z Zone) Offsets(first, last Day) []Offset {
	var out []Offset
	for i, s := range z.spans {
		next := int64(never)
		if i+1 < len(z.spans) {
			next = z.spans[i+1].from
		}
		if next+s.ahead <= int64(first)*daySeconds || s.from+s.ahead >= int64(last+1)*daySeconds {
			continue
		}
		if n := len(out); n > 0 && out[n-1].UTC == time.Duration(s.ahead)*time.Second {
			continue // a new name for the same clocks
		}
		out = append(out, Offset{time.Unix(s.from, 0).UTC(), time.Duration(s.ahead) * time.Second})
	}
	return out
}

// clock tells local times of moments; those near each other quickly.
type clock struct {
	spans      []span32
	from, next int64 // for which ahead holds
	ahead      int64
}

func (z Zone) clock() clock { return clock{spans: z.spans} }

// local returns the day and the hour of a moment in seconds since 1970.
func (c *clock) local(at uint32) (Day, int) {
	s := int64(at)
	if s < c.from || s >= c.next {
		i := sort.Search(len(c.spans), func(i int) bool { return c.spans[i].from > s }) - 1
		i = max(0, i)
		c.from, c.ahead, c.next = c.spans[i].from, c.spans[i].ahead, never+1
		if i+1 < len(c.spans) {
			c.next = c.spans[i+1].from
		}
	}
	s = max(0, s+c.ahead)
	return Day(s / daySeconds), int(s % daySeconds / 3600)
}

// bounds are the moments between which every contact of these days lies; some others may as well.
func (z Zone) bounds(first, last Day) (from, to int64) {
	low := slices.MinFunc(z.spans, func(a, b span32) int { return int(a.ahead - b.ahead) }).ahead
	high := slices.MaxFunc(z.spans, func(a, b span32) int { return int(a.ahead - b.ahead) }).ahead
	return int64(first)*daySeconds - high, int64(last+1)*daySeconds - low
}
