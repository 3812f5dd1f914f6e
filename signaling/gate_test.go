package signaling

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
)

func forwarded(hops string) http.Header { return http.Header{"X-Forwarded-For": {hops}} }

// among makes this machine a trusted proxy and bounds sockets.
func among(all, each int) func(*Server) {
	return func(s *Server) {
		s.cfg.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		s.gate.all, s.gate.each = all, each
	}
}

func TestSocketsOfOneAddressAreBounded(t *testing.T) {
	e := serve(t, among(100, 2))
	first := e.dial(forwarded("192.0.2.1"))
	e.dial(forwarded("192.0.2.1"))
	_, res, err := websocket.DefaultDialer.Dial("ws://"+e.addr+"/ws", forwarded("203.0.113.9, 192.0.2.1")) // what it says itself does not count
	if err == nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Fatal(res, err)
	}
	if raw, _ := io.ReadAll(res.Body); !strings.Contains(string(raw), `"unavailable"`) {
		t.Fatal(string(raw))
	}
	e.dial(forwarded("192.0.2.2"))
	_ = first.Close()
	eventually(t, "its place is kept", func() bool {
		ws, _, err := websocket.DefaultDialer.Dial("ws://"+e.addr+"/ws", forwarded("192.0.2.1"))
		if err == nil {
			_ = ws.Close()
		}
		return err == nil
	})
}

func TestSocketsInAllAreBounded(t *testing.T) {
	e := serve(t, among(3, 100))
	for _, from := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
		e.dial(forwarded(from))
	}
	if _, res, err := websocket.DefaultDialer.Dial("ws://"+e.addr+"/ws", forwarded("192.0.2.4")); err == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Fatal(res, err)
	}
	if code, _ := e.ask("GET", "/ws", nil, nil); code != http.StatusServiceUnavailable { // before the upgrade is looked at
		t.Fatal(code)
	}
}

func TestRefusedUpgradeGivesItsPlaceBack(t *testing.T) {
	e := serve(t, among(1, 1))
	for range 3 {
		if code, _ := e.ask("GET", "/ws", nil, nil); code != http.StatusBadRequest {
			t.Fatal(code)
		}
	}
	ws := e.dial(nil)
	send(t, ws, 1, &wire.Hello{Version: 1, Role: wire.RoleCaller, Lang: "kk"})
	if m := receive(t, ws); m.Body.WireType() != "welcome" {
		t.Fatal(m)
	}
}

func TestMetricsAreForThisMachineAlone(t *testing.T) {
	e := serve(t)
	if code, raw := e.ask("GET", "/metrics", nil, nil); code != http.StatusOK || !strings.Contains(raw, "jedel_edge_sockets") {
		t.Fatal(code, raw)
	}
	for _, key := range []string{"X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"} {
		if code, raw := e.ask("GET", "/metrics", http.Header{http.CanonicalHeaderKey(key): {"127.0.0.1"}}, nil); code != http.StatusForbidden {
			t.Error(key, code, raw)
		}
	}
	for addr, want := range map[string]int{"127.0.0.1:9": 200, "[::1]:9": 200, "[::ffff:127.0.0.1]:9": 200, "192.0.2.1:9": 403, "[2001:db8::1]:9": 403, "10.0.0.1:9": 403, "@": 403} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
		r.RemoteAddr = addr
		w := httptest.NewRecorder()
		if e.s.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d", addr, w.Code)
		}
	}
}

func TestMetricsHaveTheirOwnListener(t *testing.T) {
	e := serve(t, func(s *Server) {
		s.cfg.MetricsAddr = "192.0.2.1:1"
		s.routes(&pages{})
	})
	if code, raw := e.ask("GET", "/metrics", nil, nil); code != http.StatusNotFound {
		t.Fatal(code, raw)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.s.serveMetrics(ctx, l) }()
	for path, want := range map[string]int{"/metrics": 200, "/": 404, "/healthz": 404, "/api/v1/config": 404} {
		res, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != want {
			t.Error(path, res.StatusCode)
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(bound):
		t.Fatal("it does not end")
	}
}

// TestRunListensOnBoth holds that a listener that cannot be had ends the start, naming its key.
func TestRunListensOnBoth(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	e := serve(t)
	for key, addrs := range map[string][2]string{"http.addr": {taken.Addr().String(), ""}, "metrics.listen": {"127.0.0.1:0", taken.Addr().String()}} {
		e.s.cfg.Addr, e.s.cfg.MetricsAddr = addrs[0], addrs[1]
		if err := e.s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), key) {
			t.Error(key, err)
		}
	}
}

func TestForwardedForIsBelievedOnlyFromProxies(t *testing.T) {
	s := &Server{cfg: Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48")}}}
	for _, c := range []struct{ peer, said, want string }{
		{"10.0.0.1:1", "198.51.100.7", "198.51.100.7"},
		{"192.0.2.1:1", "198.51.100.7", "192.0.2.1"}, // not a proxy of ours
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"10.0.0.1:1", "203.0.113.9, 198.51.100.7", "198.51.100.7"},           // the last hop that is not ours
		{"10.0.0.1:1", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7"}, // through two of ours
		{"10.0.0.1:1", "10.0.0.5, 198.51.100.7", "198.51.100.7"},              // a client that names a proxy
		{"10.0.0.1:1", "10.0.0.5", "10.0.0.5"},
		{"10.0.0.1:1", "nonsense", "10.0.0.1"},
		{"10.0.0.1:1", "203.0.113.9, nonsense", "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1", "198.51.100.7", "198.51.100.7"},
		{"[2001:db8:ffff::1]:1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"}, // a subscriber has a whole /64
		{"10.0.0.1:1", "::ffff:198.51.100.7", "198.51.100.7"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		if r.RemoteAddr = c.peer; c.said != "" {
			r.Header.Set("X-Forwarded-For", c.said)
		}
		if got := s.addr(r); got != c.want {
			t.Errorf("%s says %q: %s, want %s", c.peer, c.said, got, c.want)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header["X-Forwarded-For"] = []string{"203.0.113.9", "198.51.100.7"} // two lines are one list
	if got := s.addr(r); got != "198.51.100.7" {
		t.Error(got)
	}
}

// TestLimitsCountTheLastHopThatIsNotOurs tries codes until an address is refused.
func TestLimitsCountTheLastHopThatIsNotOurs(t *testing.T) {
	register := func(e *edge, hops string) int {
		t.Helper()
		code, _ := e.ask("POST", "/api/v1/caller/register", forwarded(hops), strings.NewReader(`{"phone":"+77015551212","code":"000000","name":"A"}`))
		return code
	}
	exhaust := func(e *edge, hops func(i int) string) {
		t.Helper()
		for i := range 200 {
			if register(e, hops(i)) == http.StatusTooManyRequests {
				return
			}
		}
		t.Fatal("never limited")
	}
	behind := serve(t, among(100, 100))
	exhaust(behind, func(i int) string { return fmt.Sprintf("203.0.113.%d, 192.0.2.1", i) }) // it claims another source each time
	if code := register(behind, "192.0.2.2"); code != http.StatusBadRequest {
		t.Fatal("another address pays for it", code)
	}
	open := serve(t) // no proxy is configured: whatever is said, it is one address
	exhaust(open, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) })
}
