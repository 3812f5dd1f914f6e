package signaling

import (
	"context"
	"slices"
	"time"

	"jedel/internal/fault"

	"github.com/gorilla/websocket"
)

// watchEvery is how often a change of accounts is looked for: whoever is disabled, here, on another
// node or at the command line, is out within a second.
const watchEvery = 400 * time.Millisecond

// watchStaff ends the sockets of those whose sessions ended or whose roles changed, until ctx ends.
func (s *Server) watchStaff(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	seen := int64(-1)
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		v, err := s.directory.Version(ctx)
		if err != nil || v == seen {
			continue // what cannot be asked ends nobody's shift
		}
		if seen = v; !s.lookAll(ctx) {
			seen = -1 // again
		}
	}
}

// lookAll looks at the session of every console's socket; false where one could not be looked at.
func (s *Server) lookAll(ctx context.Context) bool {
	all := true
	for _, c := range s.hub.consoles() {
		st, err := s.accounts.Still(ctx, c.session, false)
		switch {
		case fault.CodeOf(err) == fault.NotSignedIn:
			s.end(c)
		case err != nil:
			all = false
		case !slices.Equal(st.Roles, c.who.Roles) || st.Unit != c.who.Unit:
			c.socket.close(websocket.CloseServiceRestart, "roles changed")
		}
	}
	return all
}

// end closes the socket of somebody who is signed out, and lets their media end too.
func (s *Server) end(c *client) {
	c.socket.close(CloseSignedOut, "signed out")
	s.backend.Ended(c.who)
}

// consoles returns the clients of staff.
func (h *Hub) consoles() []*client {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*client
	for _, c := range h.clients {
		if c.session != "" {
			list = append(list, c)
		}
	}
	return list
}
