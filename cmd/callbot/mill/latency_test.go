package mill

import (
	"testing"
	"time"
)

func TestTimesAreKnownToOnePartInSixtyFour(t *testing.T) {
	last := -1
	for v := uint64(0); v < 1<<30; v += 1 + v/1000 {
		b := bucketOf(v)
		if low := lowestOf(b); low > v || v-low > v/64 {
			t.Fatalf("%d µs belongs to %d, which begins at %d", v, b, low)
		}
		if b < last || b > last+1 {
			t.Fatalf("%d µs: place %d after %d", v, b, last)
		}
		last = b
	}
}

func TestSharesOfTimes(t *testing.T) {
	var l Latency
	if l.At(0.99) != 0 || l.Max() != 0 {
		t.Error("nothing was added")
	}
	for i := range 100 {
		l.Add(time.Duration(i+1) * time.Microsecond)
	}
	l.Add(-time.Second)
	if l.At(0.5) != 50*time.Microsecond || l.At(0.99) != 99*time.Microsecond || l.Max() != 100*time.Microsecond {
		t.Error(l.At(0.5), l.At(0.99), l.Max())
	}
	if l.Reset(); l.At(0.5) != 0 || l.Max() != 0 {
		t.Error("it remembers")
	}
	l.Add(300 * time.Hour)
	if l.At(0.5) == 0 || l.Max() != 300*time.Hour {
		t.Error(l.At(0.5), l.Max())
	}
}
