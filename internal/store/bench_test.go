package store

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkAppend measures one decision of a call made durable, with so many calls deciding at
// once. It reports appends per second, the median and the 99th percentile, and for SQLite how
// many writes shared a commit.
func BenchmarkAppend(b *testing.B) {
	for name, make := range map[string]func(testing.TB) string{"SQLite": newSQLite, "PostgreSQL": newPostgres} {
		for _, writers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/calls=%d", name, writers), func(b *testing.B) { benchmarkAppend(b, open(b, make(b)), writers) })
		}
	}
}

func benchmarkAppend(b *testing.B, db *DB, writers int) {
	owner := startNode(b, db, "n1")
	calls := make([]CallSummary, writers)
	for i := range calls {
		calls[i] = newCall(b, db, owner)
	}
	var commits uint64
	if db.batch != nil {
		commits = db.batch.commits.Load()
	}
	took := make([][]time.Duration, writers)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, c := range calls {
		wg.Go(func() {
			for v := uint64(1); left.Add(-1) >= 0; v++ {
				rec, sum := next(c, v)
				begin := time.Now()
				if err := db.AppendCall(b.Context(), owner, v, rec, sum); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(begin))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms-p99")
	if db.batch != nil {
		b.ReportMetric(float64(b.N)/float64(db.batch.commits.Load()-commits), "writes/commit")
	}
}
