package media

import (
	"testing"

	"pgregory.net/rapid"
)

// The few that lie side by side and the others are one set.
func TestSourcesAreAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s sources
		tracks := []*upTrack{{}, {}, {}}
		want := map[uint32]source{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			ssrc := uint32(rapid.IntRange(0, 9).Draw(t, "ssrc"))
			u := rapid.SampledFrom(tracks).Draw(t, "track")
			if rapid.IntRange(0, 4).Draw(t, "act") == 0 {
				s.drop(u)
				for k, x := range want {
					if x.up == u {
						delete(want, k)
					}
				}
			} else if _, ok := want[ssrc]; !ok {
				x := source{up: u, ssrc: ssrc, pt: uint8(rapid.IntRange(0, 3).Draw(t, "pt"))}
				s.put(x)
				want[ssrc] = x
			}
			for k := range uint32(10) {
				x, ok := want[k]
				if got, has := s.get(k); got != x || has != ok {
					t.Fatalf("%d: %v %v, want %v %v", k, got, has, x, ok)
				}
			}
			if s.n != len(want) {
				t.Fatalf("%d counted, %d there", s.n, len(want))
			}
		}
	})
}
