package signaling

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"

	"jedel/internal/fault"
)

// Bounds of sockets where the configuration has none, and when to try again.
const (
	usualSockets     = 10000
	usualSocketsEach = 1000 // a mobile network puts many callers behind one address
	socketRetry      = 5    // seconds
)

// gate bounds the sockets in all and of one address.
type gate struct {
	all, each int

	mu     sync.Mutex // guards the rest
	inside int
	from   map[string]int
}

func newGate(cfg Config) *gate {
	g := &gate{all: cfg.MaxSockets, each: cfg.MaxSocketsAddr, from: map[string]int{}}
	if g.all == 0 {
		g.all = usualSockets
	}
	if g.each == 0 {
		g.each = usualSocketsEach
	}
	return g
}

// enter lets one socket of addr in until leave is called; ok is false where there is no room.
func (g *gate) enter(addr string) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside >= g.all || g.from[addr] >= g.each {
		return nil, false
	}
	g.inside++
	g.from[addr]++
	return func() { g.leave(addr) }, true
}

func (g *gate) leave(addr string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.from[addr]--; g.from[addr] == 0 {
		delete(g.from, addr)
	}
}

// full answers a socket that there is no room for, before the upgrade. A crowd is no error of
// ours: it is counted, not logged.
func (s *Server) full(w http.ResponseWriter) {
	s.met.refused.WithLabelValues(string(fault.Unavailable)).Inc()
	w.Header().Set("Retry-After", strconv.Itoa(socketRetry))
	s.answer(w, http.StatusServiceUnavailable, map[string]any{"error": errorBody(fault.New(fault.Unavailable, "socket", nil), false)})
}

// atHome lets only this machine read what h serves. What a proxy forwards does not come from it,
// wherever the proxy stands.
func (s *Server) atHome(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, err := netip.ParseAddrPort(r.RemoteAddr)
		local := err == nil && at.Addr().Unmap().IsLoopback()
		for _, key := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
			local = local && len(r.Header.Values(key)) == 0
		}
		if !local {
			s.fail(w, r, fault.New(fault.Forbidden, "metrics", nil))
			return
		}
		h.ServeHTTP(w, r)
	})
}
