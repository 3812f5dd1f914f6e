package watch

import (
	"testing"
	"time"
)

func TestSteadyIsMeasuredWhileTheMostCallsTalk(t *testing.T) {
	at := func(s, talking int, cpu, fwd float64) Sample {
		return Sample{At: zero.Add(time.Duration(s) * time.Second), Talking: talking, CPU: cpu, Forwarded: fwd, Received: fwd, Resident: 64 << 20}
	}
	got, ok := SteadyOf([]Sample{at(0, 0, 5, 0), at(1, 2, 6, 100), at(2, 3, 10, 1000), at(3, 3, 10.5, 51000), at(4, 3, 11, 101000), at(5, 1, 99, 101001), at(6, 3, 100, 101002), at(7, 3, 200, 101003)})
	if !ok || got.Calls != 3 || got.Seconds != 2 || got.CPUShare != 0.5 || got.Forwarded != 50000 || got.CPUMicros != 10 || got.ResidentMiB != 64 {
		t.Fatalf("%+v", got)
	}
	for _, few := range [][]Sample{nil, {at(0, 0, 1, 1), at(1, 0, 2, 2)}, {at(0, 1, 1, 1)}} {
		if got, ok := SteadyOf(few); ok {
			t.Fatalf("%+v from %v", got, few)
		}
	}
}
