package mill

import "testing"

func TestPacketsAreCountedOverTheWrap(t *testing.T) {
	for _, start := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		for name, c := range map[string]struct {
			order          []uint16
			received, lost uint64
		}{
			"in order":   {[]uint16{0, 1, 2, 3}, 4, 0},
			"one lost":   {[]uint16{0, 1, 3, 4}, 4, 1},
			"late":       {[]uint16{0, 2, 3, 1}, 4, 0},
			"doubled":    {[]uint16{0, 1, 1, 0, 2}, 3, 0},
			"far behind": {[]uint16{0, 100, 1}, 2, 99},
			"before":     {[]uint16{5, 4, 6}, 2, 0},
			"burst lost": {[]uint16{0, 1000}, 2, 999},
		} {
			var got Count
			for _, o := range c.order {
				got.Take(start+o, false)
			}
			if got.Received != c.received || got.Lost() != c.lost {
				t.Errorf("%s from %d: received %d lost %d", name, start, got.Received, got.Lost())
			}
		}
	}
	if (&Count{}).Lost() != 0 {
		t.Error("nothing has come, nothing is lost")
	}
}
