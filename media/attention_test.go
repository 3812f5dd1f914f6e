package media

import (
	"testing"
	"time"
)

func TestWhatMayNotHaveBeenHeard(t *testing.T) {
	ms := func(n int64) int64 { return n * int64(time.Millisecond) }
	for _, c := range []struct {
		what  string
		looks []int64 // milliseconds; negative: something waited or was dropped
		want  int64
	}{
		{"looks in time", []int64{1000, 1050, 1100, 1150}, 0},
		{"a look that is a little late", []int64{1000, 1140}, 0},
		{"something waits", []int64{1000, -1050, 1100}, 1050},
		{"it waits on", []int64{1000, -1050, -1100, 1150}, 1100},
		{"the machine stood still", []int64{1000, 1050, 1400, 1450}, 1400},
	} {
		var a attention
		for _, at := range c.looks {
			a.look(ms(max(at, -at)), at < 0)
		}
		if got := a.missed.Load(); got != ms(c.want) {
			t.Errorf("%s: missed at %d, want %d", c.what, got/int64(time.Millisecond), c.want)
		}
	}
}

// A gateway that could not hear says of nobody that he is silent: else all would connect anew at once, and keep it from hearing.
func TestSilenceOfWhoWasNotHeardIsNotTold(t *testing.T) {
	n, caller := fellSilent(t)
	for range 40 {
		n.attention.missed.Store(time.Now().UnixNano())
		if told := silences(n, 20*time.Millisecond); len(told) != 0 {
			t.Fatalf("told while nothing could be heard: %+v", told)
		}
	}
	if age := time.Since(n.Voice(caller.id).Heard); age > 200*time.Millisecond {
		t.Errorf("a page would be told that it was last heard %v ago", age)
	}
	if told := silences(n, 1200*time.Millisecond); len(told) != 1 {
		t.Errorf("told %d times when it could be heard again", len(told))
	}
}

func TestPacketsComeWhenTheSystemSays(t *testing.T) {
	now := time.Now()
	stamp := func(ago time.Duration) int64 { return now.Add(-ago).UnixNano() }
	r := &reader{}
	for _, c := range []struct {
		what  string
		stamp int64
		want  time.Duration // before now
	}{
		{"no stamp", 0, 0},
		{"waited", stamp(80 * time.Millisecond), 80 * time.Millisecond},
		{"before the one before it", stamp(90 * time.Millisecond), 80 * time.Millisecond},
		{"next", stamp(3 * time.Millisecond), 3 * time.Millisecond},
		{"the clock was put back", stamp(-time.Hour), 0},
		{"the clock was put forward", stamp(time.Hour), 0},
	} {
		if got := now.Sub(r.arrival(c.stamp, now)); got != c.want {
			t.Errorf("%s: came %v before it was read, want %v", c.what, got, c.want)
		}
	}
}
