package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"jedel/internal/config"
	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
)

const bound = 20 * time.Second

// gateway is a whole one on one machine.
type gateway struct {
	t       *testing.T
	url     string
	doc     *document
	printed chan string
	dir     string
	app     *App
	log     *written // all of it, debug included
}

func startGateway(t *testing.T, change ...func(*config.Config)) *gateway {
	t.Helper()
	dir := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	cfg := config.Default()
	cfg.HTTP.Addr, cfg.Media.UDP, cfg.Media.TCP, cfg.Media.Turn.UDP, cfg.Media.AllowLoopback = addr, "127.0.0.1:0", "", "", true
	cfg.Store.URL, cfg.Recorder.Dir = "sqlite:"+filepath.Join(dir, "jedel.db"), filepath.Join(dir, "archive")
	cfg.Evidence.Recipients, cfg.Evidence.PlaybackKey = filepath.Join(dir, "keys", "recipients.txt"), filepath.Join(dir, "keys", "playback.key")
	g := &gateway{t: t, url: "http://" + addr, printed: make(chan string, 100), dir: dir, log: &written{}}
	cfg.Retention.Wait = 1500 * time.Millisecond
	cfg.Notify.SMS, cfg.Notify.Push.Subject = config.SMSTape, "mailto:duty@example.kz"
	for _, c := range change {
		c(&cfg)
	}
	a, err := New(t.Context(), cfg, Options{
		Demo: true, Log: slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Print: func(s string) { g.printed <- s }, Pages: fstest.MapFS{}, DataDir: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	g.app = a
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	g.until("it is not ready", func() bool {
		res, err := http.Get(g.url + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	g.doc = readDocument(t)
	return g
}

func (g *gateway) until(what string, ok func() bool) {
	g.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(bound); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			g.t.Fatal(what)
		}
	}
}

// ask sends a request and holds its answer against the description of route, "GET /api/...".
func (g *gateway) ask(route string, status int, header http.Header, body string, ids ...string) map[string]any {
	g.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	at := path
	for i := 0; i < len(ids); i += 2 {
		at = strings.Replace(at, ids[i], ids[i+1], 1)
	}
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+at, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for key, values := range header {
		req.Header[key] = values
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		g.t.Fatalf("%s: %d, want %d: %s %v", route, res.StatusCode, status, raw, err)
	}
	as := strconv.Itoa(status)
	if status >= 400 {
		as = "default"
	}
	path, _, _ = strings.Cut(path, "?")
	described, ok := g.doc.Paths[path][strings.ToLower(method)].Responses[as]
	if !ok {
		g.t.Fatalf("%s: %s is not described", route, as)
	}
	if len(described.Content) == 0 {
		if len(raw) > 0 {
			g.t.Errorf("%s: %d bytes that are not described", route, len(raw))
		}
		return nil
	}
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		g.t.Fatalf("%s: %s: %v", route, raw, err)
	}
	if err := g.doc.check(described.Content["application/json"].Schema, v, "answer"); err != nil {
		g.t.Errorf("%s: %v\n%s", route, err, raw)
	}
	return v
}

func bearerOf(v map[string]any) http.Header {
	token, _ := v["token"].(string)
	return http.Header{"Authorization": {"Bearer " + token}}
}

// tab is one that has said hello, and its socket.
type tab struct {
	t       *testing.T
	ws      *websocket.Conn
	seq     uint64
	welcome *wire.Welcome
	rings   *wire.OfferMade
	news    []wire.Body
}

func (g *gateway) tab(role wire.Role, token string) *tab {
	g.t.Helper()
	c := g.bare()
	c.welcome = c.ask(&wire.Hello{Version: 1, Role: role, Lang: "kk", Token: token}).(*wire.Welcome)
	return c
}

// bare is a socket that has said nothing yet.
func (g *gateway) bare() *tab {
	g.t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial(strings.Replace(g.url, "http", "ws", 1)+"/ws", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(bound))
	return &tab{t: g.t, ws: ws}
}

// receive waits for a message and remembers an offer.
func (c *tab) receive() wire.Message {
	c.t.Helper()
	_, raw, err := c.ws.ReadMessage()
	if err != nil {
		c.t.Fatal(err)
	}
	m, err := wire.DecodeAny(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	if o, ok := m.Body.(*wire.OfferMade); ok {
		c.rings = o
	}
	if m.Re == 0 {
		c.news = append(c.news, m.Body)
	}
	return m
}

// ask sends a request and waits for its answer.
func (c *tab) ask(b wire.Body) wire.Body {
	c.t.Helper()
	answer := c.try(b)
	if refusal, ok := answer.(*wire.Error); ok {
		c.t.Fatalf("%s: %+v", b.WireType(), refusal)
	}
	return answer
}

// try is ask; a refusal is an answer too.
func (c *tab) try(b wire.Body) wire.Body {
	c.t.Helper()
	c.seq++
	raw, err := wire.Encode(wire.Message{Seq: c.seq, Body: b})
	if err == nil {
		err = c.ws.WriteMessage(websocket.TextMessage, raw)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	for {
		m := c.receive()
		if m.Re == c.seq {
			return m.Body
		}
	}
}

// offer waits until a call rings.
func (c *tab) offer() *wire.OfferMade {
	c.t.Helper()
	for c.rings == nil {
		c.receive()
	}
	return c.rings
}

// TestAnswersAreAsDescribed walks the API of a whole gateway, through a call and its evidence.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	g.ask("GET /api/v1/config", 200, nil, "")
	g.ask("POST /api/v1/caller/code", 202, nil, `{"phone":"+77015551212","lang":"kk"}`)
	var code string
	for g.t.Context().Err() == nil && code == "" {
		select {
		case line := <-g.printed:
			_, code, _ = strings.Cut(line, "+77015551212: ")
		case <-time.After(bound):
			t.Fatal("no code")
		}
	}
	registered := g.ask("POST /api/v1/caller/register", 200, nil, `{"phone":"+77015551212","code":"`+code+`","name":"Нұрлан","medical":"диабет"}`)
	g.ask("GET /api/v1/caller/me", 200, bearerOf(registered), "")
	g.ask("PUT /api/v1/caller/me", 200, bearerOf(registered), `{"name":"Нұрлан А.","iin":"900101300123"}`)
	g.ask("GET /api/v1/caller/me", 401, nil, "")
	g.push(registered)

	g.ask("POST /api/v1/staff/session", 401, nil, `{"login":"investigator","password":"wrong"}`)
	signed := bearerOf(g.ask("POST /api/v1/staff/session", 200, nil, `{"login":"investigator","password":"`+DemoPassword+`"}`))
	g.ask("GET /api/v1/staff/session", 200, signed, "")
	g.ask("POST /api/v1/staff/totp", 200, signed, "")
	g.ask("PUT /api/v1/staff/totp", 400, signed, `{"secret":"JBSWY3DPEHPK3PXP","code":"000000","current":""}`)

	c := g.tab(wire.RoleCaller, registered["token"].(string))
	id := c.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindVoice, Fix: &wire.Fix{Lat: 54.87, Lon: 69.16, AccuracyM: 12, Source: "device", ClientMs: time.Now().UnixMilli()}}).(*wire.CallCreated).View.Call
	mine := http.Header{"X-Client": {c.welcome.Client}, "X-Client-Key": {c.welcome.Key}, "X-File-Name": {"photo.jpg"}}
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	g.until("no photo is taken", func() bool { // until the archive is open: 503
		req, _ := http.NewRequestWithContext(t.Context(), "POST", g.url+"/api/v1/calls/"+id+"/files", bytes.NewReader(picture.Bytes()))
		req.Header = mine
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusCreated
	})
	file, _ := g.ask("POST /api/v1/calls/{call}/files", 201, mine, picture.String(), "{call}", id)["file"].(string)
	g.ask("POST /api/v1/calls/{call}/files", 400, mine, "<svg>", "{call}", id)
	c.ask(&wire.ChatSend{Call: id, ID: "c1", Text: "Абай 24", File: file})

	g.ask("GET /api/v1/evidence/calls", 401, nil, "")
	g.ask("GET /api/v1/evidence/calls/{call}", 428, signed, "", "{call}", strings.Repeat("0", 26))
	operator := g.ask("POST /api/v1/staff/session", 200, nil, `{"login":"operator","password":"`+DemoPassword+`"}`)
	desk := g.tab(wire.RoleConsole, operator["token"].(string))
	desk.ask(&wire.DutySet{State: wire.DutyReady})
	desk.ask(&wire.OfferAccept{Call: id, Epoch: desk.offer().Epoch})
	g.evidence(signed, id) // it runs
	desk.ask(&wire.CallEnd{Call: id})
	desk.ask(&wire.CallWrapUp{Call: id, Category: "theft", Outcome: "patrol"})
	g.until("the call is not sealed", func() bool {
		row := g.ask("GET /api/v1/evidence/calls", 200, signed, "")["calls"].([]any)[0].(map[string]any)
		return row["recording"] == "sealed" && row["phase"] == "ended"
	})
	g.evidence(signed, id)
	g.statistics()
	g.ask("DELETE /api/v1/caller/me", 204, bearerOf(registered), "")
	g.ask("DELETE /api/v1/staff/session", 204, signed, "")
}

// push takes notices for a registered caller, and none for anybody else.
func (g *gateway) push(registered map[string]any) {
	g.t.Helper()
	key, err := base64.RawURLEncoding.DecodeString(g.ask("GET /api/v1/push/key", 200, nil, "")["key"].(string))
	if err != nil || len(key) != 65 {
		g.t.Error("key", key, err)
	}
	const at = "https://fcm.googleapis.com/fcm/send/x"
	body := func(endpoint string) string {
		return `{"endpoint":"` + endpoint + `","p256dh":"` + base64.RawURLEncoding.EncodeToString(key) + `","auth":"AAAAAAAAAAAAAAAAAAAAAA"}`
	}
	const route = "/api/v1/push/subscriptions"
	g.ask("POST "+route, 401, nil, body(at))
	g.ask("POST "+route, 401, http.Header{"X-Report-Key": {"AAAAAAAAAAAAAAAAAAAAAA"}}, body(at))
	for _, bad := range []string{"http://fcm.googleapis.com/x", "https://127.0.0.1/x", "https://169.254.169.254/", "https://push.example.kz/x"} {
		g.ask("POST "+route, 400, bearerOf(registered), body(bad))
	}
	g.ask("POST "+route, 204, bearerOf(registered), body(at))
	g.ask("DELETE "+route, 401, nil, `{"endpoint":"`+at+`"}`)
	g.ask("DELETE "+route, 204, bearerOf(registered), `{"endpoint":"`+at+`"}`)
}

// evidence asks for all that there is of a call; its lists must not be empty, or nothing of them
// would have been compared.
func (g *gateway) evidence(signed http.Header, id string) {
	g.t.Helper()
	page := g.ask("GET /api/v1/evidence/calls", 200, signed, "")
	g.ask("POST /api/v1/evidence/calls/{call}/opening", 428, signed, `{"case":" ","reason":"x"}`, "{call}", id)
	g.ask("POST /api/v1/evidence/calls/{call}/opening", 204, signed, `{"case":"24-17","reason":"Расследование"}`, "{call}", id)
	if seen, _ := g.ask("GET /api/v1/evidence/calls/{call}/accesses", 200, signed, "", "{call}", id)["accesses"].([]any); len(seen) == 0 {
		g.t.Error("nobody has looked")
	}
	if calls, _ := page["calls"].([]any); len(calls) != 1 {
		g.t.Error("calls", calls)
	}
	empty := ""
	defer func() {
		if g.t.Failed() {
			g.t.Log("empty: ", empty)
		}
	}()
	g.until("the timeline stays empty", func() bool {
		detail := g.ask("GET /api/v1/evidence/calls/{call}", 200, signed, "", "{call}", id)
		timeline, _ := detail["timeline"].(map[string]any)
		for _, list := range []string{"positions", "chat", "events", "blobs"} {
			if l, _ := timeline[list].([]any); len(l) == 0 {
				empty = list
				return false // what was said is flushed in a moment
			}
		}
		return true
	})
	report := g.ask("POST /api/v1/evidence/calls/{call}/verify", 200, signed, "", "{call}", id)
	if l, _ := report["levels"].([]any); len(l) != 6 {
		g.t.Error("levels", l)
	}
}
