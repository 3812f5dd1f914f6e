package stats

import (
	"fmt"
	"slices"
	"time"
)

// grouping says to which group each picked row belongs.
type grouping struct {
	keys []string
	of   []uint16
	all  bool // empty groups are shown
}

func (t *Table) grouping(z Zone, q Query, picked []uint32) grouping {
	g := grouping{all: true}
	var of func(ch *chunk, i int) uint16
	c := z.clock()
	switch q.By {
	case ByNothing:
		return g
	case ByHour:
		g.keys = numbers("%02d", 0, 24)
		of = func(ch *chunk, i int) uint16 { _, h := c.local(ch.opened[i]); return uint16(h) }
	case ByWeekday:
		g.keys = numbers("%d", 1, 7)
		of = func(ch *chunk, i int) uint16 { d, _ := c.local(ch.opened[i]); return uint16(d.weekday() - 1) }
	case ByHourWeekday:
		for d := range 7 {
			g.keys = append(g.keys, numbers(fmt.Sprint(d+1)+"-%02d", 0, 24)...)
		}
		of = func(ch *chunk, i int) uint16 {
			d, h := c.local(ch.opened[i])
			return uint16((d.weekday()-1)*24 + h)
		}
	case ByDay:
		for d := q.First; d <= q.Last; d++ {
			g.keys = append(g.keys, d.String())
		}
		of = func(ch *chunk, i int) uint16 { d, _ := c.local(ch.opened[i]); return uint16(d - q.First) }
	case ByMonth:
		months := g.months(q)
		of = func(ch *chunk, i int) uint16 { d, _ := c.local(ch.opened[i]); return months[d-q.First] }
	case ByLane:
		g.keys = []string{CallLane, ReportLane}
		of = func(ch *chunk, i int) uint16 { return uint16(ch.marks[i] & markReport) }
	default:
		g.keys, g.all = t.words.list, false
		of = column(q.By)
	}
	g.of = make([]uint16, len(picked))
	for n, r := range picked {
		g.of[n] = of(t.chunks[r/chunkRows], int(r%chunkRows))
	}
	return g
}

func column(by Dimension) func(ch *chunk, i int) uint16 {
	switch by {
	case ByKind:
		return func(ch *chunk, i int) uint16 { return ch.kind[i] }
	case ByDistrict:
		return func(ch *chunk, i int) uint16 { return ch.unit[i] }
	}
	return func(ch *chunk, i int) uint16 { return ch.outcome[i] }
}

// months names the months of a question and returns the number of the month of each of its days.
func (g *grouping) months(q Query) []uint16 {
	var of []uint16
	for d := q.First; d <= q.Last; d++ {
		month := d.utc().Format("2006-01")
		if len(g.keys) == 0 || g.keys[len(g.keys)-1] != month {
			g.keys = append(g.keys, month)
		}
		of = append(of, uint16(len(g.keys)-1))
	}
	return of
}

func numbers(format string, from, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, from+i)
	}
	return out
}

// figures counts picked rows by group; of is nil where all are one.
func (t *Table) figures(q Query, picked []uint32, of []uint16, groups int) []Figures {
	out := make([]Figures, groups)
	for n, r := range picked {
		f := &out[0]
		if of != nil {
			f = &out[of[n]]
		}
		f.count(t.chunks[r/chunkRows], int(r%chunkRows))
	}
	buf := make([]uint32, 0, len(picked))
	for m := range Measures {
		t.spreads(m, picked, of, spreading{out, buf, q.Goals.Within[m]})
	}
	return out
}

func (f *Figures) count(ch *chunk, i int) {
	b := ch.marks[i]
	bit := func(m uint8) int {
		if b&m != 0 {
			return 1
		}
		return 0
	}
	f.N++
	f.Reports += bit(markReport)
	f.Merged += bit(markMerged)
	f.Abandoned += bit(markAbandoned)
	f.Owed += bit(markOwed)
	f.CalledBack += bit(markCalledBack)
	if ch.took[Answer][i] != never {
		f.Answered++
	}
	if b&(markFurther|markMerged) != 0 {
		return
	}
	f.Cases++
	if b&markClosed != 0 {
		f.Closed++
		if ch.took[Reply][i] != never {
			f.ClosedReplied++
		}
	}
}

// spreading is where the times of one measure go.
type spreading struct {
	out   []Figures
	buf   []uint32
	goals []time.Duration
}

// spreads sorts the times of a measure by group and reads each group's spread.
func (t *Table) spreads(m Measure, picked []uint32, of []uint16, s spreading) {
	group := func(n int) int {
		if of == nil {
			return 0
		}
		return int(of[n])
	}
	ends := make([]int, len(s.out)+1) // of the group before
	for n, r := range picked {
		if t.chunks[r/chunkRows].took[m][r%chunkRows] != never {
			ends[group(n)+1]++
		}
	}
	for g := range s.out {
		ends[g+1] += ends[g]
	}
	buf, at := s.buf[:ends[len(s.out)]], slices.Clone(ends)
	for n, r := range picked {
		if v := t.chunks[r/chunkRows].took[m][r%chunkRows]; v != never {
			buf[at[group(n)]] = v
			at[group(n)]++
		}
	}
	for g := range s.out {
		s.out[g].Times[m] = spread(buf[ends[g]:ends[g+1]], s.goals)
	}
}

// percents are the percentiles of a Spread.
var percents = []int{50, 90, 95}

// spread reads the times of one group; it may change their order.
func spread(v []uint32, goals []time.Duration) Spread {
	s := Spread{N: len(v), Within: make([]int, len(goals))}
	if len(v) == 0 {
		return s
	}
	sum := uint64(0)
	for _, x := range v {
		sum += uint64(x)
	}
	s.Mean = span(uint32(sum / uint64(len(v))))
	for i, goal := range goals {
		limit := ticks(goal)
		for _, x := range v {
			if x <= limit {
				s.Within[i]++
			}
		}
	}
	p := percentiles(v, percents)
	s.P50, s.P90, s.P95 = span(p[0]), span(p[1]), span(p[2])
	return s
}
