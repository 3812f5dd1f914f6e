package signaling

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
)

func TestClientIsTheSameAgainByItsKey(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	_, again := e.caller(&wire.Resume{Client: w.Client, Key: w.Key})
	if again.Client != w.Client {
		t.Fatal("another client")
	}
	_, forged := e.caller(&wire.Resume{Client: w.Client, Key: "AAAA"})
	if forged.Client == w.Client {
		t.Fatal("a forged key was taken")
	}
}

// TestARequestMayFollowTheHelloAtOnce: a page whose line died saves a round trip.
func TestARequestMayFollowTheHelloAtOnce(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	ws := e.dial(nil)
	send(t, ws, 1, &wire.Hello{Version: 1, Role: wire.RoleCaller, Lang: "kk", Resume: &wire.Resume{Client: w.Client, Key: w.Key}})
	send(t, ws, 2, &wire.Ping{})
	if m := receive(t, ws); m.Re != 1 || m.Body.(*wire.Welcome).Client != w.Client {
		t.Errorf("%+v", m)
	}
	if m := receive(t, ws); m.Re != 2 {
		t.Errorf("%+v", m)
	}
}

func TestSocketSurvivesOneBadMessageAndClosesAfterMany(t *testing.T) {
	e := serve(t)
	ws, _ := e.caller(nil)
	if err := ws.WriteMessage(websocket.TextMessage, []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	if r := refusal(t, ws); r.Code != fault.BadMessage || r.Words.KK == "" || r.Fatal {
		t.Fatalf("%+v", r)
	}
	send(t, ws, 2, &wire.Ping{})
	if _, ok := receive(t, ws).Body.(*wire.Pong); !ok {
		t.Fatal("no pong")
	}
	for range maxBad + 1 {
		_ = ws.WriteMessage(websocket.TextMessage, []byte("nonsense"))
	}
	if code := closeCode(t, ws); code != CloseBad {
		t.Fatal(code)
	}
}

func TestRefusalNamesTheRequestAndHidesTheCause(t *testing.T) {
	e := serve(t)
	ws, _ := e.caller(nil)
	send(t, ws, 42, &wire.CallEnd{Call: string(ident.New[ident.CallID]())})
	_, raw, err := ws.ReadMessage()
	if err != nil || strings.Contains(string(raw), "secret cause") {
		t.Fatal(string(raw), err)
	}
	if m, _ := wire.DecodeAny(raw); m.Re != 42 || m.Body.(*wire.Error).Code != fault.NoSuchCall {
		t.Fatal(string(raw))
	}
}

func TestOversizeMessageIsToldAndAHugeOneCloses(t *testing.T) {
	e := serve(t)
	ws, _ := e.caller(nil)
	_ = ws.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte("x"), wire.MaxMessage+1))
	if r := refusal(t, ws); r.Code != fault.TooLarge || r.Fatal {
		t.Fatalf("%+v", r)
	}
	_ = ws.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte("x"), 1000*wire.MaxMessage))
	if code := closeCode(t, ws); code != websocket.CloseMessageTooBig {
		t.Fatal(code)
	}
}

func TestForeignOriginIsRefused(t *testing.T) {
	e := serve(t)
	_, res, err := websocket.DefaultDialer.Dial("ws://"+e.addr+"/ws", http.Header{"Origin": {"https://evil.example"}})
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+e.addr+"/api/v1/staff/session", strings.NewReader(`{}`))
	req.Header.Set("Origin", "https://evil.example")
	if res, err = http.DefaultClient.Do(req); err != nil || res.StatusCode != http.StatusForbidden {
		t.Fatal(res.StatusCode, err)
	}
	_ = res.Body.Close()
	e.dial(http.Header{"Origin": {"http://" + e.addr}})
}

func TestFirstMessageMustBeHello(t *testing.T) {
	e := serve(t)
	ws := e.dial(nil)
	send(t, ws, 1, &wire.Ping{})
	if r := refusal(t, ws); r.Code != fault.NotSignedIn || !r.Fatal {
		t.Fatalf("%+v", r)
	}
	if code := closeCode(t, ws); code != CloseHello {
		t.Fatal(code)
	}
	old := e.dial(nil)
	send(t, old, 1, &wire.Hello{Version: 999, Role: wire.RoleCaller, Lang: "kk"})
	if r := refusal(t, old); r.Code != fault.WrongVersion {
		t.Fatalf("%+v", r)
	}
}

func TestSilentSocketIsClosedInTime(t *testing.T) {
	t.Parallel()
	e := serve(t)
	ws := e.dial(nil)
	begin := time.Now()
	refusal(t, ws)
	if d := time.Since(begin); d < helloTime/2 || d > helloTime+3*time.Second {
		t.Fatal(d)
	}
}

func TestFloodIsLimited(t *testing.T) {
	e := serve(t)
	ws, _ := e.caller(nil)
	for i := range messageRate.Burst + 5 {
		send(t, ws, uint64(i+2), &wire.Ping{})
	}
	for range messageRate.Burst + 5 {
		m := receive(t, ws)
		if r, ok := m.Body.(*wire.Error); ok {
			if r.Code != fault.RateLimited || m.Re != 0 { // it was not read: nobody knows its seq
				t.Fatalf("%d %+v", m.Re, r)
			}
			return
		}
	}
	t.Fatal("nothing was limited")
}

func TestSlowReaderLosesItsSocketAndDelaysNobody(t *testing.T) {
	e := serve(t)
	laggard, slow := e.caller(nil)
	quick, w := e.caller(nil)
	news := &wire.ChatPosted{Call: "c", Item: wire.ChatItem{ID: "i", From: "operator", Text: strings.Repeat("x", 4000)}}
	for range 4000 { // far more than a kernel buffers
		e.s.Hub().Send(ident.ClientID(slow.Client), news)
	}
	begin := time.Now()
	e.s.Hub().Send(ident.ClientID(w.Client), news)
	if _, ok := receive(t, quick).Body.(*wire.ChatPosted); !ok || time.Since(begin) > time.Second {
		t.Fatal("the quick reader waited", time.Since(begin))
	}
	if code := closeCode(t, laggard); code != CloseSlow { // it reads on at last, and is told
		t.Fatal(code)
	}
	_ = laggard.Close()
	eventually(t, "the slow reader keeps its socket", func() bool { return !e.s.Hub().Linked(ident.ClientID(slow.Client)) })
}

func TestReaderThatNeverReadsIsGivenUp(t *testing.T) {
	t.Parallel()
	e := serve(t)
	_, slow := e.caller(nil)
	news := &wire.ChatPosted{Call: "c", Item: wire.ChatItem{ID: "i", From: "operator", Text: strings.Repeat("x", 4000)}}
	for range 4000 {
		e.s.Hub().Send(ident.ClientID(slow.Client), news)
	}
	eventually(t, "it keeps its socket", func() bool { return !e.s.Hub().Linked(ident.ClientID(slow.Client)) })
	eventually(t, "nobody was told", func() bool {
		e.d.mu.Lock()
		defer e.d.mu.Unlock()
		return e.d.gone == 1
	})
}

func TestOutboxIsBounded(t *testing.T) {
	s := &socket{wake: make(chan struct{}, 1)}
	s.greet(wire.Message{Re: 1, Body: &wire.OK{}})
	news := wire.Message{Body: &wire.ChatPosted{Call: "c", Item: wire.ChatItem{Text: strings.Repeat("x", 4000)}}}
	for range 1000 * maxOutbox / 4000 {
		s.send(news)
		if s.bytes > maxOutbox {
			t.Fatal(s.bytes)
		}
	}
	if !s.closed || s.code != CloseSlow || len(s.outbox) != 0 {
		t.Fatal(s.closed, s.code, len(s.outbox))
	}
	early := &socket{wake: make(chan struct{}, 1)}
	for range 1000 * maxEarly {
		early.send(news)
	}
	if len(early.early) > maxEarly || early.code != CloseSlow {
		t.Fatal(len(early.early), early.code)
	}
}

func TestWelcomeComesBeforeTheNews(t *testing.T) {
	e := serve(t)
	e.d.welcome = func(who Who) {
		if !e.s.Hub().Send(who.Client, &wire.MediaLost{PC: "p", Reason: "idle"}) {
			t.Error("the news were lost")
		}
	}
	ws := e.dial(nil)
	send(t, ws, 1, &wire.Hello{Version: 1, Role: wire.RoleCaller, Lang: "kk"})
	first, second := receive(t, ws), receive(t, ws)
	if first.Body.WireType() != "welcome" || first.Seq != 1 || second.Body.WireType() != "media.lost" || second.Seq != 2 {
		t.Fatal(first, second)
	}
}

func TestNewestSocketOfATabWins(t *testing.T) {
	e := serve(t)
	old, w := e.caller(nil)
	now, _ := e.caller(&wire.Resume{Client: w.Client, Key: w.Key})
	if code := closeCode(t, old); code != websocket.CloseNormalClosure {
		t.Fatal(code)
	}
	_ = old.Close()
	send(t, now, 2, &wire.Ping{})
	if receive(t, now).Body.WireType() != "pong" || !e.s.Hub().Linked(ident.ClientID(w.Client)) {
		t.Fatal("the newest socket does not work")
	}
	if e.d.mu.Lock(); e.d.gone != 0 {
		t.Error("the client was called gone")
	}
	e.d.mu.Unlock()
	e.s.Hub().Kick(ident.ClientID(w.Client), CloseReplaced, "replaced")
	if code := closeCode(t, now); code != CloseReplaced {
		t.Fatal(code)
	}
}

func TestDataChannelHasTheSameRulesAndLimits(t *testing.T) {
	e := serve(t)
	ws, w := e.caller(nil)
	id := ident.ClientID(w.Client)
	ask := func(raw string) wire.Message {
		t.Helper()
		out := e.s.Hub().Handle(t.Context(), id, []byte(raw))
		m, err := wire.DecodeAny(out)
		if err != nil {
			t.Fatal(string(out), err)
		}
		return m
	}
	if m := ask(`{"type":"ping","seq":7,"body":{}}`); m.Body.WireType() != "pong" || m.Re != 7 || m.Seq != 1 {
		t.Fatal(m)
	}
	if m := ask(`{"type":"offer.accept","seq":8,"body":{"call":"x","epoch":1}}`); m.Body.(*wire.Error).Code != fault.UnknownType || m.Re != 8 || m.Seq != 2 {
		t.Fatal(m)
	}
	for range maxBad {
		ask("nonsense")
	}
	if code := closeCode(t, ws); code != CloseBad {
		t.Fatal(code)
	}
	if out := e.s.Hub().Handle(t.Context(), "nobody", []byte("nonsense")); out != nil {
		t.Fatal(string(out))
	}
}

// TestDataChannelCountsAnewWithEverySocket holds what the document says of its numbers.
func TestDataChannelCountsAnewWithEverySocket(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	for range 2 {
		for want := range uint64(3) {
			m, err := wire.DecodeAny(e.s.Hub().Handle(t.Context(), ident.ClientID(w.Client), []byte(`{"type":"ping","seq":1,"body":{}}`)))
			if err != nil || m.Seq != want+1 || m.Re != 1 {
				t.Fatal(m, want, err)
			}
		}
		e.caller(&wire.Resume{Client: w.Client, Key: w.Key})
	}
}

func TestSigningOutClosesTheConsole(t *testing.T) {
	e := serve(t)
	ws, _, h := e.console("operator")
	other, _, _ := e.console("operator")
	if code, _ := e.ask("DELETE", "/api/v1/staff/session", h, nil); code != http.StatusNoContent {
		t.Fatal(code)
	}
	if code := closeCode(t, ws); code != CloseSignedOut {
		t.Fatal(code)
	}
	send(t, other, 2, &wire.Ping{})
	if receive(t, other).Body.WireType() != "pong" {
		t.Fatal("another session was closed too")
	}
}

func TestOpenConsoleLosesWhatItsOwnerLost(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*store.Staff)
		code   int
	}{
		"dismissed":  {func(s *store.Staff) { s.Disabled = true }, CloseSignedOut},
		"other role": {func(s *store.Staff) { s.Roles = []string{"patrol"} }, websocket.CloseServiceRestart},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t, func(s *Server) { s.checkEvery = 0 })
			ws, _, _ := e.console("operator")
			st, err := e.db.StaffByLogin(t.Context(), "operator")
			if err != nil {
				t.Fatal(err)
			}
			c.change(&st)
			if err := e.db.PutStaff(t.Context(), st); err != nil {
				t.Fatal(err)
			}
			send(t, ws, 2, &wire.Ping{})
			if code := closeCode(t, ws); code != c.code {
				t.Fatal(code)
			}
		})
	}
}

func TestStoreOutOfReachEndsNobodysShift(t *testing.T) {
	e := serve(t, func(s *Server) { s.checkEvery = 0 })
	ws, _, _ := e.console("operator")
	_ = e.db.Close()
	for i := range 3 {
		send(t, ws, uint64(i+2), &wire.Ping{})
		if receive(t, ws).Body.WireType() != "pong" {
			t.Fatal("no pong")
		}
	}
}

func TestCallerWithAnyTokenMayCall(t *testing.T) {
	e := serve(t)
	for name, token := range map[string]string{"forged": "AAAA", "somebody else's kind": strings.TrimPrefix(e.signIn("operator").Get("Authorization"), "Bearer ")} {
		ws := e.dial(nil)
		send(t, ws, 1, &wire.Hello{Version: 1, Role: wire.RoleCaller, Lang: "kk", Token: token})
		if m := receive(t, ws); m.Body.WireType() != "welcome" {
			t.Errorf("%s: %s", name, m.Body.WireType())
		}
	}
}

func TestRestartTellsEverySocketToComeBack(t *testing.T) {
	e := serve(t)
	ws, _ := e.caller(nil)
	e.stop()
	if code := closeCode(t, ws); code != websocket.CloseGoingAway {
		t.Fatal(code)
	}
}
