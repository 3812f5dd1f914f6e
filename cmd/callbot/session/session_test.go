package session

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"jedel/cmd/callbot/exchange"
	"jedel/internal/fault"
	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
)

const (
	bound    = 10 * time.Second
	clientID = "2hr4y1d8n6m3w9p5v7s0x1c3e5"
)

// gateway answers hello and pings; answer says what it does with the rest: nil closes the socket.
type gateway struct {
	*httptest.Server
	answer func(n int, m wire.Message) wire.Body

	mu     sync.Mutex // guards the rest
	hellos []wire.Hello
	conns  []*websocket.Conn
}

func newGateway(t *testing.T, answer func(n int, m wire.Message) wire.Body) *gateway {
	t.Helper()
	g := &gateway{answer: answer}
	g.Server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) serve(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		_, raw, err := c.ReadMessage()
		if err != nil {
			return
		}
		role := wire.RoleCaller
		m, err := wire.Decode(role, raw)
		if err != nil {
			_ = c.WriteMessage(websocket.TextMessage, encode(m.Seq, &wire.Error{Code: fault.CodeOf(err)}))
			continue
		}
		body := g.reply(c, m)
		if body == nil {
			return
		}
		if err := c.WriteMessage(websocket.TextMessage, encode(m.Seq, body)); err != nil {
			return
		}
	}
}

func (g *gateway) reply(c *websocket.Conn, m wire.Message) wire.Body {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h, ok := m.Body.(*wire.Hello); ok {
		g.hellos = append(g.hellos, *h)
		g.conns = append(g.conns, c)
		if h.Token == "forged" {
			return &wire.Error{Code: fault.NotSignedIn}
		}
		return &wire.Welcome{Client: clientID, Key: "k1", Version: 1}
	}
	return g.answer(len(g.hellos), m)
}

func encode(re uint64, body wire.Body) []byte {
	raw, _ := wire.Encode(wire.Message{Seq: 1, Re: re, Body: body})
	return raw
}

// open runs a session for the length of the test.
func open(t *testing.T, cfg Config) (*Session, chan error) {
	t.Helper()
	cfg.Role, cfg.Lang = wire.RoleCaller, "kk"
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		done <- s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(bound):
			t.Error("the session does not end")
		}
	})
	return s, done
}

func news(t *testing.T, s *Session) wire.Body {
	t.Helper()
	select {
	case n := <-s.News():
		return n.Body
	case <-time.After(bound):
		t.Fatal("no news")
		return nil
	}
}

func TestASessionComesBackAsTheSameClient(t *testing.T) {
	g := newGateway(t, func(n int, m wire.Message) wire.Body {
		if n == 1 {
			return nil // breaks the first socket instead of answering
		}
		return &wire.CallCreated{View: wire.CallView{Ref: m.Body.(*wire.CallCreate).Ref, Number: "26-000001", Chat: []wire.ChatItem{}}}
	})
	s, _ := open(t, Config{URL: g.URL})
	if _, ok := news(t, s).(*wire.Welcome); !ok {
		t.Fatal("no welcome")
	}
	b, err := s.AskAgain(t.Context(), &wire.CallCreate{Ref: "r1", Kind: wire.KindVoice})
	if err != nil {
		t.Fatal(err)
	}
	if v := b.(*wire.CallCreated).View; v.Ref != "r1" || v.Number != "26-000001" {
		t.Errorf("got %+v", v)
	}
	if _, ok := news(t, s).(*wire.Welcome); !ok {
		t.Error("the second socket brought no welcome")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.hellos) != 2 || g.hellos[0].Resume != nil || g.hellos[1].Resume == nil || *g.hellos[1].Resume != (wire.Resume{Client: clientID, Key: "k1"}) {
		raw, _ := json.Marshal(g.hellos)
		t.Errorf("hellos: %s", raw)
	}
}

func TestAPlainAskTellsThatTheLineBroke(t *testing.T) {
	g := newGateway(t, func(int, wire.Message) wire.Body { return nil })
	s, _ := open(t, Config{URL: g.URL})
	news(t, s)
	if _, err := s.Ask(t.Context(), &wire.CallEnd{Call: clientID}); !errors.Is(err, exchange.ErrBroken) {
		t.Fatalf("got %v", err)
	}
}

func TestARefusedHelloEndsTheSession(t *testing.T) {
	g := newGateway(t, func(int, wire.Message) wire.Body { return nil })
	_, done := open(t, Config{URL: g.URL, Token: "forged"})
	select {
	case err := <-done:
		if !errors.Is(err, ErrEnded) {
			t.Fatalf("got %v", err)
		}
	case <-time.After(bound):
		t.Fatal("the session goes on")
	}
}

func TestAReplacedClientDoesNotComeBack(t *testing.T) {
	g := newGateway(t, func(int, wire.Message) wire.Body { return &wire.Pong{} })
	s, done := open(t, Config{URL: g.URL})
	news(t, s)
	g.mu.Lock()
	_ = g.conns[0].WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closeReplaced, ""), time.Now().Add(time.Second))
	g.mu.Unlock()
	select {
	case err := <-done:
		if !errors.Is(err, ErrEnded) {
			t.Fatalf("got %v", err)
		}
	case <-time.After(bound):
		t.Fatal("the session goes on")
	}
}

func TestOnlySitesAreDialled(t *testing.T) {
	for _, u := range []string{"", "localhost:8080", "ftp://x", "http://", "ws://x"} {
		if _, err := New(Config{URL: u}); err == nil {
			t.Errorf("%q is taken", u)
		}
	}
}
