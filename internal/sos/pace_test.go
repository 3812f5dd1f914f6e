package sos

import (
	"testing"
	"time"
)

// TestCopiesLeaveTheLineToOthers holds what repeating may cost a line of 20 kbit/s: a quarter of it at first, a thirtieth for good.
func TestCopiesLeaveTheLineToOthers(t *testing.T) {
	const bits = 8 * (MaxFrame + 28) // with the heads of UDP and IPv4
	share := func(from, to time.Duration) float64 {
		sent, at := 0, time.Duration(0)
		for n := 1; at < to; n++ {
			if at >= from {
				sent++
			}
			at += Gap(n)
		}
		return float64(sent*bits) / (20000 * (to - from).Seconds())
	}
	if got := share(0, 2*time.Second); got > 0.25 {
		t.Errorf("%.2f of the line in the first two seconds", got)
	}
	if got := share(time.Minute, 2*time.Minute); got > 1.0/30 {
		t.Errorf("%.3f of the line later", got)
	}
	for n := 1; n < 100; n++ {
		if Gap(n) > Gap(n+1) || Gap(n) > 3*time.Second {
			t.Errorf("after copy %d: %v, then %v", n, Gap(n), Gap(n+1))
		}
	}
}
