package hints

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestNoMomentAllowsTwoWindowsWorth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLocal(newMetrics(prometheus.NewRegistry()))
		const limit, window = 10, time.Minute
		taken := func() (n int) {
			for l.take("k", limit, window) {
				n++
			}
			return n
		}
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 10}, {5 * time.Second, 0}, {time.Second, 1}, {12 * time.Second, 2}, {59 * time.Second, 9}, {time.Hour, 10}} {
			time.Sleep(step.wait)
			if n := taken(); n != step.want {
				t.Errorf("%d turns after %s, want %d", n, step.wait, step.want)
			}
		}
	})
}

func TestOldEntriesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLocal(newMetrics(prometheus.NewRegistry()))
		for i := range 20 * firstSweep {
			key := fmt.Sprint(i)
			l.beat(key, time.Second)
			l.take(key, 1, time.Second)
			if i%firstSweep == 0 {
				time.Sleep(2 * time.Second)
			}
			if n, m := len(l.beats.at), len(l.turns.at); n > 2*firstSweep+1 || m > 2*firstSweep+1 {
				t.Fatalf("%d beats and %d counters are kept", n, m)
			}
		}
	})
}

func TestFullTableRefusesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLocal(newMetrics(prometheus.NewRegistry()))
		for i := range maxCounters {
			l.take(fmt.Sprint(i), 1, time.Hour)
		}
		for range 2 {
			if !l.take("one more", 1, time.Hour) {
				t.Error("a full table refused")
			}
		}
		if l.take("5", 1, time.Hour) {
			t.Error("a full table forgot")
		}
		if len(l.turns.at) != maxCounters {
			t.Errorf("%d counters", len(l.turns.at))
		}
	})
}
