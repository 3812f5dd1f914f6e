package mill

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Latency is a histogram of times, exact to one part in 64. Many may add to it at once. The zero value is empty.
type Latency struct {
	buckets [64 * 40]atomic.Uint64
	max     atomic.Int64
}

// bucketOf returns the place of v microseconds: one each below 128, then 64 to each doubling.
func bucketOf(v uint64) int {
	if v < 128 {
		return int(v)
	}
	exp := bits.Len64(v) - 7
	return min(64*exp+int(v>>exp), 64*40-1)
}

// lowestOf returns the smallest number of microseconds that belongs into a place.
func lowestOf(bucket int) uint64 {
	if bucket < 128 {
		return uint64(bucket)
	}
	exp := bucket/64 - 1
	return uint64(bucket-64*exp) << exp
}

// Add counts one time; one below 0 counts as 0.
func (l *Latency) Add(d time.Duration) {
	l.buckets[bucketOf(uint64(max(d, 0)/time.Microsecond))].Add(1)
	for old := l.max.Load(); int64(d) > old && !l.max.CompareAndSwap(old, int64(d)); old = l.max.Load() {
	}
}

// Reset forgets all.
func (l *Latency) Reset() {
	for i := range l.buckets {
		l.buckets[i].Store(0)
	}
	l.max.Store(0)
}

// At returns the time that the given share of all did not exceed, and Max the longest; 0 where there are none.
func (l *Latency) At(share float64) time.Duration {
	total := uint64(0)
	for i := range l.buckets {
		total += l.buckets[i].Load()
	}
	want, seen := uint64(share*float64(total)), uint64(0)
	for i := range l.buckets {
		if seen += l.buckets[i].Load(); seen > want {
			return time.Duration(lowestOf(i)) * time.Microsecond
		}
	}
	return l.Max()
}

// Max returns the longest time; 0 where there is none.
func (l *Latency) Max() time.Duration { return time.Duration(l.max.Load()) }
