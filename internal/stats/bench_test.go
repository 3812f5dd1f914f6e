package stats_test

import (
	"runtime"
	"testing"
	"time"

	"jedel/internal/config"
	"jedel/internal/simtest"
	"jedel/internal/stats"
)

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
	t := stats.New()
	simtest.City(simtest.SevenYears, t.Put)
	used := float64(heap()-before) / 1e6
	loc, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		b.Fatal(err)
	}
	z, goals := stats.NewZone(loc), config.Default().Stats.Edges()
	first, last, _ := t.Span(z)
	b.Run("put", func(b *testing.B) {
		var c stats.Contact
		simtest.City(1, func(x stats.Contact) { c = x })
		for b.Loop() {
			t.Put(c)
		}
		b.ReportMetric(used, "table-MB")
	})
	for _, by := range stats.Dimensions() {
		b.Run("by="+string(by), func(b *testing.B) {
			for b.Loop() {
				if r := t.Ask(z, stats.Query{First: first, Last: last, By: by, Goals: goals}); r.Total.N < simtest.SevenYears-1 {
					b.Fatal(r.Total.N)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/answer")
		})
	}
	b.Run("today", func(b *testing.B) {
		for b.Loop() {
			t.Ask(z, stats.Query{First: last, Last: last, By: stats.ByNothing, Goals: goals})
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/answer")
	})
	runtime.KeepAlive(t)
}
