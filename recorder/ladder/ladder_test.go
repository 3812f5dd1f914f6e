package ladder

import (
	"testing"

	"pgregory.net/rapid"
)

func TestEachMarkBeginsItsRung(t *testing.T) {
	for _, c := range []struct {
		free float64
		want Rung
	}{{1, Free}, {0.2, Free}, {0.199, Warn}, {0.099, NoExtras}, {0.049, Elsewhere}, {0.019, Words}, {0.0049, Last}, {0, Last}} {
		if got := Next(Free, c.free); got != c.want {
			t.Errorf("%v: %v, not %v", c.free, got, c.want)
		}
	}
}

func TestTheLadderIsMonotoneAndHoldsOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := Rung(rapid.IntRange(int(Free), int(Last)).Draw(t, "now"))
		a, b := rapid.Float64Range(0, 1).Draw(t, "a"), rapid.Float64Range(0, 1).Draw(t, "b")
		if a < b {
			a, b = b, a
		}
		if Next(now, a) > Next(now, b) {
			t.Fatal("more room gives more up")
		}
		settled := Next(now, a)
		if again := Next(settled, a); again != settled {
			t.Fatalf("%v became %v with the same room", settled, again)
		}
		// A share that swings by less than the hold never swings the rung.
		swing := Next(Next(settled, a/1.04), a)
		if swing < settled || Next(swing, a/1.04) != Next(settled, a/1.04) {
			t.Fatalf("%v, %v", settled, swing)
		}
		if Next(now, 1) != Free {
			t.Fatal("an empty disk still holds back")
		}
	})
}
