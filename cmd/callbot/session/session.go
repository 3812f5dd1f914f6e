// Package session is one client's line to the gateway: a WebSocket that comes back by itself, as
// docs/PROTOCOL.md, "Connection", asks of a client.
package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"jedel/cmd/callbot/exchange"
	"jedel/internal/fault"
	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
)

// Times of the protocol.
const (
	pingEvery  = 5 * time.Second
	silence    = 8 * time.Second // without any word the socket counts as dead
	helloTime  = 5 * time.Second
	backFirst  = 250 * time.Millisecond
	backMost   = 5 * time.Second
	writeTime  = 3 * time.Second
	maxMessage = 256 << 10
	newsBuffer = 1024 // news that may wait for the bot; a bot that lags further stalls its own socket
)

// Close codes after which a client does not come back by itself.
const (
	closeReplaced  = 4001
	closeBadHello  = 4002
	closeSignedOut = 4003
)

// ErrEnded reports that the gateway does not want this client any more: replaced, refused or
// signed out.
var ErrEnded = errors.New("the gateway ended the session")

// Config says who the client is.
type Config struct {
	URL   string // of the site, http or https
	Role  wire.Role
	Lang  string
	Token string
	Agent string
}

// News is one thing the gateway told unasked. Every (re)connection brings a *wire.Welcome.
type News struct {
	At   time.Time
	Body wire.Body
}

// Session is one client. It outlives its sockets.
type Session struct {
	// Set at creation, read by all.
	cfg  Config
	ws   string
	news chan News // never closed

	// Owned by Run.
	resume *wire.Resume

	mu   sync.Mutex // guards the rest
	line *exchange.Exchange
	up   chan struct{} // closed while there is a line; made anew when it breaks
}

// New returns a session that is not connected yet.
func New(cfg Config) (*Session, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is not the address of a site", cfg.URL)
	}
	u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	u.Path, u.RawQuery, u.Fragment = "/ws", "", ""
	return &Session{cfg: cfg, ws: u.String(), news: make(chan News, newsBuffer), up: make(chan struct{})}, nil
}

// News returns what the gateway tells.
func (s *Session) News() <-chan News { return s.news }

// Run keeps the session connected until ctx ends or the gateway ends it (ErrEnded).
func (s *Session) Run(ctx context.Context) error {
	back := backFirst
	for {
		welcomed, err := s.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrEnded) {
			return err
		}
		if welcomed {
			back = backFirst
		}
		select {
		case <-time.After(back/2 + rand.N(back)):
		case <-ctx.Done():
			return nil
		}
		back = min(2*back, backMost)
	}
}

// once is the life of one socket.
func (s *Session) once(ctx context.Context) (welcomed bool, err error) {
	dialer := websocket.Dialer{HandshakeTimeout: helloTime}
	conn, resp, err := dialer.DialContext(ctx, s.ws, nil)
	if resp != nil && resp.Body != nil {
		defer resp.Body.Close()
	}
	if err != nil {
		return false, fmt.Errorf("dial: %w", err)
	}
	conn.SetReadLimit(maxMessage)
	x := exchange.New(func(raw []byte) error {
		if err := conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return err
		}
		return conn.WriteMessage(websocket.TextMessage, raw)
	})
	ctx, cancel := context.WithCancel(ctx)
	greeted := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { // ends with the socket, the socket with the context
		<-ctx.Done()
		_ = conn.Close()
	})
	wg.Go(func() {
		err := s.greet(ctx, x)
		greeted <- err
		cancel() // a refused hello and a line that broke both end the socket
	})
	readErr := s.read(ctx, conn, x)
	s.down(x)
	cancel()
	wg.Wait()
	if greetErr := <-greeted; greetErr != nil {
		if exchange.Refused(greetErr) && !exchange.Refused(greetErr, fault.Unavailable, fault.RateLimited, fault.Internal) {
			return false, fmt.Errorf("%w: %w", ErrEnded, greetErr)
		}
		return false, errors.Join(greetErr, readErr)
	}
	return true, readErr
}

// greet says hello, opens the line for requests and keeps it alive until it breaks.
func (s *Session) greet(ctx context.Context, x *exchange.Exchange) error {
	hello := &wire.Hello{Version: wire.Version, Role: s.cfg.Role, Lang: s.cfg.Lang, Token: s.cfg.Token, Resume: s.resume, Agent: s.cfg.Agent}
	asked, cancel := context.WithTimeout(ctx, helloTime)
	b, err := x.Ask(asked, hello)
	cancel()
	if err != nil {
		return err
	}
	w, ok := b.(*wire.Welcome)
	if !ok {
		return fmt.Errorf("hello was answered by %s", b.WireType())
	}
	s.resume = &wire.Resume{Client: w.Client, Key: w.Key}
	s.tell(ctx, w)
	s.mu.Lock()
	s.line = x
	close(s.up)
	s.mu.Unlock()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if _, err := x.Ask(ctx, &wire.Ping{}); errors.Is(err, exchange.ErrBroken) {
				return nil
			}
		}
	}
}

// read takes messages until the socket ends.
func (s *Session) read(ctx context.Context, conn *websocket.Conn, x *exchange.Exchange) error {
	for {
		if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		_, raw, err := conn.ReadMessage()
		if err != nil {
			if websocket.IsCloseError(err, closeReplaced, closeBadHello, closeSignedOut) {
				return fmt.Errorf("%w: %w", ErrEnded, err)
			}
			return err
		}
		body, err := x.Take(raw)
		if err != nil {
			return fmt.Errorf("the gateway broke the protocol: %w", err)
		}
		if body != nil {
			s.tell(ctx, body)
		}
	}
}

func (s *Session) tell(ctx context.Context, body wire.Body) {
	select {
	case s.news <- News{time.Now(), body}:
	case <-ctx.Done():
	}
}

// down breaks the line and lets requests wait for the next one.
func (s *Session) down(x *exchange.Exchange) {
	x.Break()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == x {
		s.line, s.up = nil, make(chan struct{})
	}
}

// Ask sends a request on the line there is, waiting for one where there is none. It returns
// exchange.ErrBroken when the line breaks before the answer.
func (s *Session) Ask(ctx context.Context, body wire.Body) (wire.Body, error) {
	for {
		s.mu.Lock()
		line, up := s.line, s.up
		s.mu.Unlock()
		if line != nil {
			return line.Ask(ctx, body)
		}
		select {
		case <-up:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: no line: %w", body.WireType(), context.Cause(ctx))
		}
	}
}

// AskAgain repeats a request that is idempotent until it is answered or ctx ends.
func (s *Session) AskAgain(ctx context.Context, body wire.Body) (wire.Body, error) {
	for {
		b, err := s.Ask(ctx, body)
		if err == nil || ctx.Err() != nil || !(errors.Is(err, exchange.ErrBroken) || exchange.Refused(err, fault.Unavailable, fault.RateLimited)) {
			return b, err
		}
		select {
		case <-time.After(backFirst):
		case <-ctx.Done():
			return nil, err
		}
	}
}
