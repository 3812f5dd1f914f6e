package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// city makes n contacts of seven years up to November 2026, with the peaks of evenings and weekends,
// winter quieter than summer, four reports of five contacts.
func city(n int, put func(Contact)) {
	r := rand.New(rand.NewPCG(102, 112))
	begin := time.Date(2019, 11, 24, 0, 0, 0, 0, time.UTC)
	kinds := []string{"parking", "noise", "order", "traffic", "violence", "theft", "domestic", "smoking", "medical", "missing", "false", "other"}
	districts := []string{"north", "south", "centre", "station", "east"}
	outcomes := []string{"patrol", "passed", "advised", "registered", "no_contact", "false"}
	skewed := func(list []string) string { return list[int(float64(len(list))*r.Float64()*r.Float64())] }
	lasts := func(median time.Duration) time.Duration {
		return time.Duration(float64(median) * math.Exp(0.6*r.NormFloat64()))
	}
	for i := 0; i < n; {
		at := begin.Add(time.Duration(r.Int64N(int64(7 * 365.25 * 24 * float64(time.Hour)))))
		hour, season := float64((at.Hour()+5)%24), 1+0.2*math.Cos(2*math.Pi*(float64(at.YearDay())-196)/365)
		weight := (0.35 + 0.65*math.Exp(-math.Pow((hour-20)/4.5, 2))) * season
		if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
			weight *= 1.3
		}
		if r.Float64()*1.7 > weight {
			continue
		}
		c := Contact{ID: fmt.Sprintf("01JD%022d", i), Opened: at, Report: r.IntN(5) > 0, Kind: skewed(kinds), Unit: skewed(districts), Times: none()}
		if c.Abandoned = !c.Report && r.IntN(50) == 0; c.Abandoned {
			c.Owed, c.CalledBack = true, r.IntN(10) > 0
		} else if !c.Report {
			c.Times[Answer], c.Times[Handling] = lasts(6*time.Second), lasts(170*time.Second)
		}
		if r.IntN(3) == 0 {
			c.Times[Dispatch] = lasts(3 * time.Minute)
			c.Times[Arrival] = c.Times[Dispatch] + lasts(8*time.Minute)
		}
		if c.Closed = at.Before(begin.AddDate(7, 0, -10)) || r.IntN(2) == 0; c.Closed {
			c.Outcome, c.Times[Reply] = skewed(outcomes), lasts(4*time.Hour)
		}
		put(c)
		i++
	}
}

// seven are the contacts of seven years of a city.
const seven = 2_000_000

// BenchmarkSevenYears fills a table with two million contacts and asks it by every dimension. It
// reports the bytes of the table, and the milliseconds of one answer.
func BenchmarkSevenYears(b *testing.B) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	t := New()
	city(seven, t.Put)
	used := float64(heap()-before) / 1e6
	z := NewZone(location(b, "Asia/Almaty"))
	first, last, _ := t.Span(z)
	b.Run("put", func(b *testing.B) {
		var c Contact
		city(1, func(x Contact) { c = x })
		for b.Loop() {
			t.Put(c)
		}
		b.ReportMetric(used, "table-MB")
	})
	for _, by := range Dimensions() {
		b.Run("by="+string(by), func(b *testing.B) {
			for b.Loop() {
				if r := t.Ask(z, Query{First: first, Last: last, By: by, Goals: goals}); r.Total.N < seven-1 {
					b.Fatal(r.Total.N)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/answer")
		})
	}
	b.Run("today", func(b *testing.B) {
		for b.Loop() {
			t.Ask(z, Query{First: last, Last: last, By: ByNothing, Goals: goals})
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/answer")
	})
	runtime.KeepAlive(t)
}
