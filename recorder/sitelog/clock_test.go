package sitelog

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"
)

// hands are clocks that a test sets.
type hands struct{ tick }

func (h *hands) pass(d time.Duration) { h.host, h.mono = h.host.Add(d), h.mono+d }

var c0 = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func handClock() (*clock, *hands) {
	h := &hands{tick{c0, 0}}
	c := &clock{read: func() tick { return h.tick }}
	c.start(time.Time{})
	return c, h
}

func TestAClockSetForwardDoesNotMoveTheLog(t *testing.T) {
	c, h := handClock()
	h.pass(time.Hour)
	if at, host := c.now(); !at.Equal(host) {
		t.Fatalf("%v, the host says %v", at, host)
	}
	h.host = h.host.AddDate(10, 0, 0)
	h.pass(time.Hour)
	if at, _ := c.now(); !at.Equal(c0.Add(3 * time.Hour)) {
		t.Fatalf("ten years in an hour made %v", at)
	}
	h.host = c0.Add(2 * time.Hour) // set right again: an hour behind
	h.pass(30 * time.Minute)
	if at, _ := c.now(); !at.Equal(c0.Add(3 * time.Hour)) {
		t.Fatalf("%v", at)
	}
	h.pass(time.Hour)
	if at, host := c.now(); !at.Equal(host) {
		t.Fatalf("%v, the host says %v", at, host)
	}
}

func TestLogCatchesUpAfterItWasDown(t *testing.T) {
	c, h := handClock()
	c.start(c0.Add(-8 * time.Hour))
	for range 8 {
		h.pass(time.Hour)
		c.now()
	}
	if at, host := c.now(); !at.Equal(host) {
		t.Fatalf("after as long as it was down: %v, the host says %v", at, host)
	}
}

func TestTimeOfTheLogIsBoundedByTimeThatPassed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, h := handClock()
		before := c0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			passed := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "passed"))
			h.pass(passed)
			h.host = h.host.Add(time.Duration(rapid.Int64Range(-int64(100000*time.Hour), int64(100000*time.Hour)).Draw(t, "set")))
			at, host := c.now()
			if at.Before(before) || at.After(before.Add(2*passed)) {
				t.Fatalf("%v made %v of %v", passed, at, before)
			}
			if at.After(before) && at.After(host) {
				t.Fatalf("%v ran past the host's %v", at, host)
			}
			before = at
		}
	})
}

func TestTimeThatOthersSignedCounts(t *testing.T) {
	c, h := handClock()
	h.host = c0.AddDate(3, 0, 0)
	c.told(c0.Add(time.Minute))
	h.pass(10 * time.Second)
	if at, _ := c.now(); !at.Equal(c0.Add(80 * time.Second)) {
		t.Fatal(at)
	}
	c.told(c0.Add(70 * time.Second))
	if at, _ := c.now(); !at.Equal(c0.Add(70 * time.Second)) {
		t.Fatal(at)
	}
}

// TestTimeOfTheLogOutlivesRestarts holds that neither a restart nor many move the log to a clock that
// was set forward.
func TestTimeOfTheLogOutlivesRestarts(t *testing.T) {
	cfg := config(t.TempDir())
	host := time.Now().AddDate(1, 0, 0)
	for life := range 3 {
		l, err := Open(t.Context(), cfg, prometheus.NewRegistry(), quiet())
		if err != nil {
			t.Fatal(err)
		}
		if life > 0 { // the clock is a year ahead now
			at := l.Time()
			begun := time.Now()
			l.clock.read = func() tick { return tick{host, time.Since(begun)} }
			l.clock.start(at)
		}
		if _, err := l.Add(t.Context(), l.clock.heartbeat(l.met)); err != nil {
			t.Fatal(err)
		}
		if at := l.Time(); time.Until(at) > time.Minute || time.Since(at) > time.Minute {
			t.Fatalf("life %d: the log's time is %v", life, at)
		}
		if err := l.end(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWitnessTellsTheTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, stop := started(t, config(dir)) // makes the key
	stop()
	srv, w := second(t, l.Key())
	cfg := config(dir)
	cfg.Policy = fmt.Sprintf("witness w1 %s %s\nquorum w1\n", w.Key(), srv.URL)
	l, stop = started(t, cfg)
	defer stop()
	begun := time.Now()
	l.clock.mu.Lock()
	l.clock.read = func() tick { return tick{time.Now().AddDate(5, 0, 0).Round(0), time.Since(begun)} }
	l.clock.mu.Unlock()
	l.clock.start(time.Now().AddDate(0, 0, -3)) // it was down for three days, and meanwhile somebody set the clock
	n, err := l.Add(t.Context(), about(1))
	if err != nil {
		t.Fatal(err)
	}
	prove(t, l, about(1), n)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(20 * time.Second); ; {
		at := l.Time()
		if time.Since(at) < time.Minute && time.Until(at) < time.Minute {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("the log's time is %v", at)
		}
	}
}
