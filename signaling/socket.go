package signaling

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
)

// socket is one WebSocket. Its reader runs in the handler's goroutine, its writer in another.
type socket struct {
	ws   *websocket.Conn
	wake chan struct{} // capacity 1

	mu     sync.Mutex // guards the rest
	outbox [][]byte
	bytes  int
	seq    uint64
	closed bool
	code   int
	reason string
}

// send queues a message. A reader that is too slow loses its socket, and gets the whole state
// when it comes back; it delays nobody.
func (s *socket) send(m wire.Message) {
	s.mu.Lock()
	s.seq++
	m.Seq = s.seq
	raw, err := wire.Encode(m)
	if err != nil || s.closed {
		s.mu.Unlock()
		return
	}
	if s.bytes+len(raw) > maxOutbox {
		s.outbox, s.closed, s.code, s.reason = nil, true, CloseSlow, "slow reader"
	} else {
		s.outbox = append(s.outbox, raw)
		s.bytes += len(raw)
	}
	s.mu.Unlock()
	s.poke()
}

// close ends the socket after what is queued.
func (s *socket) close(code int, reason string) {
	s.mu.Lock()
	if !s.closed {
		s.closed, s.code, s.reason = true, code, reason
	}
	s.mu.Unlock()
	s.poke()
}

func (s *socket) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// writeLoop sends what is queued, pings, and closes when asked. It ends with the socket.
func (s *socket) writeLoop(done <-chan struct{}) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	defer s.ws.Close()
	for {
		select {
		case <-s.wake:
		case <-ping.C:
			if s.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTime)) != nil {
				return
			}
			continue
		case <-done:
			return
		}
		s.mu.Lock()
		out, closed, code, reason := s.outbox, s.closed, s.code, s.reason
		s.outbox, s.bytes = nil, 0
		s.mu.Unlock()
		for _, raw := range out {
			if s.ws.SetWriteDeadline(time.Now().Add(writeTime)) != nil || s.ws.WriteMessage(websocket.TextMessage, raw) != nil {
				return
			}
		}
		if closed {
			_ = s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(writeTime))
			return
		}
	}
}

// originAllowed takes our own pages, configured origins, and programs, which send none.
func (s *Server) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || slices.Contains(s.cfg.Origins, origin)
}

// serveSocket is one socket's life.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !s.originAllowed(r) {
		s.fail(w, r, fault.New(fault.ForeignOrigin, "socket", nil))
		return
	}
	up := websocket.Upgrader{HandshakeTimeout: helloTime, CheckOrigin: s.originAllowed, EnableCompression: false}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	ws.SetReadLimit(4 * wire.MaxMessage) // up to here a refusal has words, beyond it the socket is closed
	sock := &socket{ws: ws, wake: make(chan struct{}, 1)}
	done, ok := s.sockets.begin()
	if !ok {
		_ = ws.Close()
		return
	}
	defer done()
	ctx := r.Context()
	ended := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { sock.writeLoop(ended) })
	defer writer.Wait()
	defer close(ended)
	stop := context.AfterFunc(ctx, func() { sock.close(websocket.CloseGoingAway, "restart") })
	defer stop()
	c, err := s.hello(ctx, r, sock)
	if err != nil {
		sock.send(wire.Message{Re: 1, Body: errorBody(err, true)})
		sock.close(CloseHello, string(fault.CodeOf(err)))
		sock.drain()
		return
	}
	s.readLoop(ctx, c)
	if s.hub.detach(c) {
		s.backend.Gone(c.who)
	}
}

// drain reads on until the other side has taken the close, at most for the time of a hello.
func (s *socket) drain() {
	_ = s.ws.SetReadDeadline(time.Now().Add(helloTime))
	for {
		if _, _, err := s.ws.NextReader(); err != nil {
			return
		}
	}
}

// hello waits for the first message, finds out who it is and answers with the present state.
func (s *Server) hello(ctx context.Context, r *http.Request, sock *socket) (*client, error) {
	if err := sock.ws.SetReadDeadline(time.Now().Add(helloTime)); err != nil {
		return nil, err
	}
	_, raw, err := sock.ws.ReadMessage()
	if err != nil {
		return nil, fault.New(fault.BadMessage, "hello", err)
	}
	m, err := wire.Decode(wire.RoleCaller, raw)
	if err != nil {
		return nil, err
	}
	h, ok := m.Body.(*wire.Hello)
	if !ok {
		return nil, fault.New(fault.NotSignedIn, m.Body.WireType(), nil)
	}
	if h.Version != wire.Version {
		return nil, fault.New(fault.WrongVersion, "hello", nil)
	}
	who, err := s.identify(ctx, r, h)
	if err != nil {
		return nil, err
	}
	c := &client{who: who, socket: sock}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	// Attached first: what changes while the state is put together is sent after it.
	if old := s.hub.attach(c); old != nil {
		old.socket.close(websocket.CloseNormalClosure, "another socket of this tab")
	}
	welcome, err := s.backend.Hello(ctx, who, h)
	if err != nil {
		if s.hub.detach(c) {
			s.backend.Gone(who)
		}
		return nil, err
	}
	welcome.Client, welcome.Key = string(who.Client), s.hub.key(who.Client)
	welcome.Version, welcome.NowMs = wire.Version, time.Now().UnixMilli()
	sock.send(wire.Message{Re: m.Seq, Body: welcome})
	return c, nil
}

// identify finds out who says hello.
func (s *Server) identify(ctx context.Context, r *http.Request, h *wire.Hello) (Who, error) {
	who := Who{Role: h.Role, Lang: h.Lang, Agent: h.Agent}
	if h.Resume != nil && s.hub.proves(h.Resume.Client, h.Resume.Key) {
		who.Client, who.Resumed = ident.ClientID(h.Resume.Client), true
	} else {
		who.Client = ident.New[ident.ClientID]()
	}
	if h.Role == wire.RoleConsole {
		token := h.Token
		if token == "" {
			token = cookieToken(r)
		}
		st, err := s.accounts.Staff(ctx, token)
		if err != nil {
			return who, err
		}
		who.Staff, who.Roles = st.ID, st.Roles
		return who, mayConsole(who)
	}
	if h.Token != "" {
		c, err := s.accounts.Caller(ctx, h.Token)
		switch {
		case err == nil:
			who.Caller = c.ID
		case fault.CodeOf(err) != fault.NotSignedIn && fault.CodeOf(err) != fault.Unavailable:
			return who, err
		}
		// A caller whose registration is unknown or cannot be read calls without it.
	}
	return who, nil
}

// readLoop carries out messages in order until the socket ends.
func (s *Server) readLoop(ctx context.Context, c *client) {
	ws := c.socket.ws
	alive := func(string) error { return ws.SetReadDeadline(time.Now().Add(idleTime)) }
	ws.SetPongHandler(alive)
	for {
		if alive("") != nil {
			return
		}
		kind, raw, err := ws.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			raw = nil // refused as not JSON
		}
		reply, over := s.hub.handle(ctx, c, raw)
		if reply.Body != nil {
			c.socket.send(reply)
		}
		if over {
			c.socket.close(CloseBad, "too many bad messages")
			c.socket.drain()
			return
		}
	}
}
