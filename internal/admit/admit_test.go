package admit

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func TestBurstThenOneAtATime(t *testing.T) {
	r := Rate{Every: 20 * time.Millisecond, Burst: 100}
	var b Bucket
	for i := range 100 {
		if ok, _ := b.Take(r, t0); !ok {
			t.Fatal(i)
		}
	}
	ok, wait := b.Take(r, t0)
	if ok || wait != r.Every {
		t.Fatal(ok, wait)
	}
	if ok, _ := b.Take(r, t0.Add(r.Every)); !ok {
		t.Fatal("after one interval")
	}
	if ok, _ := b.Take(r, t0.Add(r.Every)); ok {
		t.Fatal("two in one interval")
	}
}

// TestNoWindowGetsMoreThanItsShare holds the law of a token bucket: in any span at most
// burst + span/every are admitted.
func TestNoWindowGetsMoreThanItsShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rate{Every: time.Duration(rapid.IntRange(1, 1000).Draw(t, "every")) * time.Millisecond, Burst: rapid.IntRange(1, 20).Draw(t, "burst")}
		var b Bucket
		now := t0
		var taken []time.Time
		for range rapid.IntRange(1, 100).Draw(t, "asks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 500).Draw(t, "ms")) * time.Millisecond)
			if ok, wait := b.Take(r, now); ok {
				taken = append(taken, now)
			} else if wait <= 0 || wait > r.Every*time.Duration(r.Burst+1) {
				t.Fatal(wait)
			}
		}
		for i := range taken {
			for j := i; j < len(taken); j++ {
				if n, span := j-i+1, taken[j].Sub(taken[i]); n > r.Burst+1+int(span/r.Every) {
					t.Fatalf("%d in %v", n, span)
				}
			}
		}
	})
}

func TestGivenBackTokensNeverExceedTheBurst(t *testing.T) {
	table := Table{Rate: Rate{Every: time.Second, Burst: 3}, Max: 10}
	for range 1000 { // what succeeds costs nothing
		if ok, _ := table.Take("a", t0); !ok {
			t.Fatal("refused")
		}
		table.Give("a")
	}
	for range 50 {
		table.Give("a")
		table.Give("never seen")
	}
	taken := 0
	for range 1000 {
		if ok, _ := table.Take("a", t0); ok {
			taken++
		}
	}
	if taken != 3 || len(table.m) != 1 {
		t.Fatal(taken, len(table.m))
	}
}

func TestFloodOfKeysIsBounded(t *testing.T) {
	table := Table{Rate: Rate{Every: time.Minute, Burst: 1}, Max: 10}
	for i := range 10000 {
		table.Take(fmt.Sprint(i), t0)
	}
	if len(table.m) != 10 {
		t.Fatal(len(table.m))
	}
	if ok, _ := table.Take("late", t0.Add(2*time.Minute)); !ok {
		t.Fatal("room again once the buckets are full")
	}
}
