package media

import (
	"fmt"
	"testing"
	"time"

	"jedel/internal/ident"
)

// BenchmarkRates is one look at the ways of 250 calls, of which there are four a second.
func BenchmarkRates(b *testing.B) {
	n := openNode(b, nil)
	for i := range 250 {
		var ids [2]ident.ClientID
		for k := range ids {
			ids[k] = ident.ClientID(fmt.Sprintf("page-%d-%d", i, k))
			c := &conn{peer: newPeer(n, ids[k], RoleCaller)}
			c.link.init(c)
			c.connectedAt.Store(1)
			c.up.Store(true)
			c.peer.conn = c
			n.mu.Lock()
			n.peers[ids[k]] = c.peer
			n.mu.Unlock()
		}
		must(b, n.SetRoutes(ident.New[ident.CallID](), []Route{
			{From: ids[0], To: ids[1], Kind: Audio}, {From: ids[1], To: ids[0], Kind: Audio},
			{From: ids[0], To: ids[1], Kind: Video}, {From: ids[1], To: ids[0], Kind: Video}}))
	}
	v := newView()
	b.ReportAllocs()
	for b.Loop() {
		n.rates(v, time.Now())
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/500, "us/connection")
	b.StopTimer()
	n.mu.Lock()
	clear(n.peers) // they have nothing to close
	n.mu.Unlock()
}
