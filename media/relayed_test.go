package media

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"jedel/internal/ident"
	"jedel/media/turnd"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// relayedNode is a node with our relay beside it, both told to pages by a public address.
func relayedNode(t *testing.T, public string, change func(*Config)) (*Node, *turnd.Relay) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	c := turnd.Config{UDPAddr: "127.0.0.1:0", TCPAddr: "127.0.0.1:0", Key: []byte("key"), Allocations: 16, Bandwidth: 8_000_000}
	if public != "" {
		c.Public = []netip.Addr{netip.MustParseAddr(public)}
	}
	r := turnd.New(c, prometheus.NewRegistry(), log)
	n := openNode(t, func(c *Config) {
		c.Relayed = r.Local
		if public != "" {
			c.PublicIPs = []string{public}
		}
		if change != nil {
			change(c)
		}
	})
	var at []netip.AddrPort
	for _, a := range n.Addrs() {
		at = append(at, a.(*net.UDPAddr).AddrPort())
	}
	must(t, r.Open(at))
	done := make(chan error, 1)
	go func() { done <- r.Run(t.Context()) }()
	t.Cleanup(func() { must(t, <-done) }) // the test's context has ended by then
	return n, r
}

// relayedPage is a page that nothing but the relay lets through, by one of its addresses.
func relayedPage(t *testing.T, n *Node, r *turnd.Relay, transport string) *page {
	t.Helper()
	p := &page{t: t, id: ident.New[ident.ClientID](), pcID: "1", role: RoleCaller, node: n, got: map[string][]*rtp.Packet{}}
	s := r.Servers(string(p.id), "127.0.0.1:443", true)
	var urls []string
	for _, u := range s.URLs {
		if strings.HasSuffix(u, "="+transport) {
			urls = append(urls, u)
		}
	}
	p.config = webrtc.Configuration{ICETransportPolicy: webrtc.ICETransportPolicyRelay, ICEServers: []webrtc.ICEServer{{URLs: urls, Username: s.User, Credential: s.Password}}}
	p.connect()
	return p
}

func TestAPageBehindAFirewallConnectsThroughTheRelay(t *testing.T) {
	for _, public := range []string{"", "203.0.113.9"} {
		for _, transport := range []string{"udp", "tcp"} {
			t.Run(public+transport, func(t *testing.T) {
				n, r := relayedNode(t, public, func(c *Config) { c.AllowPrivate = false })
				a, b := relayedPage(t, n, r, transport), relayedPage(t, n, r, transport)
				a.connected()
				b.connected()
				must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{{From: a.id, To: b.id, Kind: Audio}, {From: b.id, To: a.id, Kind: Audio}}))
				stop := a.chatter('a')
				b.hears("audio-0", 'a')
				stop()
				stop = b.chatter('b')
				a.hears("audio-0", 'b')
				stop()
				for _, p := range []*page{a, b} {
					if st, _ := n.Stats(p.id); st.Transport != "relay" {
						t.Errorf("the way is called %q", st.Transport)
					}
				}
				if counter(t, n.met.direct) != 2 {
					t.Error("what is relayed is UDP here and goes the direct way")
				}
			})
		}
	}
}

func TestOnlyTheRelaysOwnAddressesAreTakenForIts(t *testing.T) {
	lent := netip.MustParseAddrPort("203.0.113.9:50001")
	cfg := Config{Relayed: func(a netip.AddrPort) (netip.AddrPort, bool) {
		if a == lent || a == netip.MustParseAddrPort("10.0.0.5:50001") {
			return netip.MustParseAddrPort("10.0.0.5:50001"), true
		}
		return netip.AddrPort{}, false
	}}
	const form = "candidate:1 1 udp 8191 %s %d typ relay raddr 0.0.0.0 rport 0 ufrag a"
	for _, c := range []struct {
		ip   string
		port int
		want string // empty: refused
	}{
		{"203.0.113.9", 50001, fmt.Sprintf(form, "10.0.0.5", 50001)},
		{"10.0.0.5", 50001, fmt.Sprintf(form, "10.0.0.5", 50001)},
		{"203.0.113.9", 50002, fmt.Sprintf(form, "203.0.113.9", 50002)}, // somebody's, on the open internet
		{"10.0.0.5", 50002, ""}, {"10.0.0.5", 6379, ""}, {"10.0.0.6", 50001, ""}, {"127.0.0.1", 50001, ""}, {"::ffff:10.0.0.5", 6379, ""},
	} {
		got, err := checkCandidate(fmt.Sprintf(form, c.ip, c.port), cfg)
		if (err == nil) != (c.want != "") || got != c.want {
			t.Errorf("%s:%d: %q %v", c.ip, c.port, got, err)
		}
	}
}

func TestOurOwnAddressesMayComeOnlyWhereThereIsARelay(t *testing.T) {
	n := openNode(t, nil)
	n.cfg.AllowLoopback, n.cfg.AllowPrivate = false, false
	ours, other := net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2)
	if n.mayCome(ours) {
		t.Fatal("without a relay")
	}
	n.cfg.Relayed = func(netip.AddrPort) (netip.AddrPort, bool) { return netip.AddrPort{}, false }
	if !n.mayCome(ours) || n.mayCome(other) || n.mayCome(net.IPv4(10, 0, 0, 1)) || !n.mayCome(net.IPv4(8, 8, 8, 8)) {
		t.Fatal("more than our own, or not them")
	}
}
