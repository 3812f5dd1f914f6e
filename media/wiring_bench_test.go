package media

import (
	"fmt"
	"testing"

	"jedel/internal/ident"
)

// BenchmarkSetRoutes makes and ends one call of two parties while others go on: what it takes does not depend on how
// many they are.
func BenchmarkSetRoutes(b *testing.B) {
	for _, others := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d others", others), func(b *testing.B) {
			n := openNode(b, nil)
			pair := func(i int) []Route {
				a, z := ident.ClientID(fmt.Sprintf("a%d", i)), ident.ClientID(fmt.Sprintf("z%d", i))
				for _, id := range []ident.ClientID{a, z} {
					n.peers[id] = newPeer(n, id, RoleCaller)
				}
				return []Route{{From: a, To: z, Kind: Audio}, {From: z, To: a, Kind: Audio}, {From: a, To: z, Kind: Video}, {From: z, To: a, Kind: Video}}
			}
			for i := range others {
				must(b, n.SetRoutes(ident.CallID(fmt.Sprint(i)), pair(i)))
			}
			routes := pair(others)
			b.ReportAllocs()
			for b.Loop() {
				must(b, n.SetRoutes("one", routes))
				must(b, n.SetRoutes("one", nil))
			}
		})
	}
}
