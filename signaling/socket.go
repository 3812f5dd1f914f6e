package signaling

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
)

// socket is one WebSocket. Its reader runs in the handler's goroutine, its writer in another.
type socket struct {
	ws   *websocket.Conn
	wake chan struct{} // capacity 1

	mu      sync.Mutex // guards the rest
	greeted bool
	early   []wire.Message // news from before the welcome, which comes first
	outbox  [][]byte
	bytes   int
	seq     uint64
	closed  bool
	code    int
	reason  string
}

// maxEarly bounds the news that wait for a welcome.
const maxEarly = 256

// greet queues the first message, and then the news that came while it was made.
func (s *socket) greet(m wire.Message) {
	s.mu.Lock()
	early := s.early
	s.greeted, s.early = true, nil
	s.put(m)
	for _, news := range early {
		s.put(news)
	}
	s.mu.Unlock()
	s.poke()
}

// send queues a message. A reader that is too slow loses its socket, and gets the whole state
// when it comes back; it delays nobody.
func (s *socket) send(m wire.Message) {
	s.mu.Lock()
	switch {
	case s.greeted:
		s.put(m)
	case len(s.early) < maxEarly:
		s.early = append(s.early, m)
	default:
		s.shut(CloseSlow, "too much news before the welcome")
	}
	s.mu.Unlock()
	s.poke()
}

// put queues a message; s.mu is held.
func (s *socket) put(m wire.Message) {
	if s.closed {
		return
	}
	m.Seq = s.seq + 1
	raw, err := wire.Encode(m)
	if err != nil {
		s.shut(websocket.CloseInternalServerErr, "internal")
		return
	}
	if s.bytes+len(raw) > maxOutbox {
		s.outbox = nil
		s.shut(CloseSlow, "slow reader")
		return
	}
	s.seq++
	s.outbox = append(s.outbox, raw)
	s.bytes += len(raw)
}

// shut marks the socket as ending; s.mu is held.
func (s *socket) shut(code int, reason string) {
	if !s.closed {
		s.closed, s.code, s.reason = true, code, reason
	}
}

// close ends the socket after what is queued.
func (s *socket) close(code int, reason string) {
	s.mu.Lock()
	s.shut(code, reason)
	s.mu.Unlock()
	s.poke()
}

// ending reports whether the socket was closed from our side.
func (s *socket) ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
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
	for {
		select {
		case <-s.wake:
		case <-ping.C:
			if s.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTime)) != nil {
				_ = s.ws.Close()
				return
			}
			continue
		case <-done:
			return
		}
		if !s.flush() {
			return
		}
	}
}

// flush writes what is queued; false where that was the last of it.
func (s *socket) flush() bool {
	s.mu.Lock()
	out, closed, code, reason := s.outbox, s.closed, s.code, s.reason
	s.outbox, s.bytes = nil, 0
	s.mu.Unlock()
	for _, raw := range out {
		if s.ws.SetWriteDeadline(time.Now().Add(writeTime)) != nil || s.ws.WriteMessage(websocket.TextMessage, raw) != nil {
			_ = s.ws.Close() // the reader learns of it
			return false
		}
	}
	if !closed {
		return true
	}
	if s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(writeTime)) != nil {
		_ = s.ws.Close()
		return false
	}
	// The reader goes on until the other side has taken the close: ending the connection while it
	// still sends would take the close code away from it.
	_ = s.ws.NetConn().SetReadDeadline(time.Now().Add(lingerTime))
	return false
}

// drain reads on without a meaning until the other side has taken the close, but not for long.
func (s *socket) drain() {
	_ = s.ws.SetReadDeadline(time.Now().Add(lingerTime))
	for {
		if _, _, err := s.ws.NextReader(); err != nil {
			s.linger(err)
			return
		}
	}
}

// linger lets the reason of a broken rule reach the peer (RFC 6455 section 7.1.1): what it still
// sends is thrown away, for a moment.
func (s *socket) linger(err error) {
	if errors.Is(err, websocket.ErrReadLimit) {
		_ = s.ws.NetConn().SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, s.ws.NetConn())
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
	leave, ok := s.gate.enter(s.addr(r))
	if !ok {
		s.full(w)
		return
	}
	defer leave()
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
	defer ws.Close()
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
		sock.greet(wire.Message{Re: 1, Body: errorBody(err, true)})
		sock.close(CloseHello, string(fault.CodeOf(err)))
		sock.drain()
		return
	}
	s.readLoop(ctx, c)
	if s.hub.detach(c) {
		s.backend.Gone(c.who)
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
	who, session, err := s.identify(ctx, r, h)
	if err != nil {
		return nil, err
	}
	c := &client{who: who, session: session, checked: time.Now(), socket: sock}
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
	sock.greet(wire.Message{Re: m.Seq, Body: welcome})
	return c, nil
}

// identify finds out who says hello, and by which session.
func (s *Server) identify(ctx context.Context, r *http.Request, h *wire.Hello) (Who, accounts.Session, error) {
	who := Who{Role: h.Role, Lang: h.Lang, Agent: h.Agent}
	who.reachedBy(r)
	if h.Resume != nil && s.hub.proves(h.Resume.Client, h.Resume.Key) {
		who.Client, who.Resumed = ident.ClientID(h.Resume.Client), true
	} else if claim, _ := h.Claimed(); claim != nil && h.Role == wire.RoleCaller {
		who.Client = s.hub.Claimed(*claim)
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
			return who, "", err
		}
		who.Staff, who.Roles, who.Unit = st.ID, st.Roles, st.Unit
		return who, accounts.SessionOf(token), mayConsole(who)
	}
	if h.Token != "" {
		c, err := s.accounts.Caller(ctx, h.Token)
		switch {
		case err == nil:
			who.Caller = c.ID
		case fault.CodeOf(err) != fault.NotSignedIn && fault.CodeOf(err) != fault.Unavailable:
			return who, "", err
		}
		// A caller whose registration is unknown or cannot be read calls without it.
	}
	return who, "", nil
}

// readLoop carries out messages in order until the socket ends.
func (s *Server) readLoop(ctx context.Context, c *client) {
	ws := c.socket.ws
	alive := func(string) error { return ws.SetReadDeadline(time.Now().Add(idleTime)) }
	ws.SetPongHandler(alive)
	for {
		if c.socket.ending() {
			c.socket.drain()
			return
		}
		if alive("") != nil {
			return
		}
		kind, raw, err := ws.ReadMessage()
		if err != nil {
			c.socket.linger(err)
			return
		}
		if c.socket.ending() {
			continue // nothing is carried out for a socket that was closed
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
		}
		s.checkSession(ctx, c)
	}
}

// checkSession closes the socket of somebody who is signed out, or may do other things now than
// when they said hello. A store that cannot be asked ends nobody's shift.
func (s *Server) checkSession(ctx context.Context, c *client) {
	if c.session == "" || time.Since(c.checked) < s.checkEvery {
		return
	}
	c.checked = time.Now()
	st, err := s.accounts.Still(ctx, c.session, c.used.Swap(false))
	switch {
	case fault.CodeOf(err) == fault.NotSignedIn:
		s.end(c)
	case err == nil && (!slices.Equal(st.Roles, c.who.Roles) || st.Unit != c.who.Unit):
		c.socket.close(websocket.CloseServiceRestart, "roles changed")
	}
}
