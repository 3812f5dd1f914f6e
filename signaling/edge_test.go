package signaling

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
)

const bound = 10 * time.Second

// desk is a small backend: it welcomes everybody and answers every request with OK.
type desk struct {
	mu   sync.Mutex
	gone int
	put  map[string][]byte
}

func (d *desk) Hello(context.Context, Who, *wire.Hello) (*wire.Welcome, error) {
	return &wire.Welcome{ICEServers: []wire.ICEServer{}}, nil
}

func (d *desk) Request(_ context.Context, _ Who, b wire.Body) (wire.Body, error) {
	if _, ok := b.(*wire.CallEnd); ok {
		return nil, fault.New(fault.NoSuchCall, "call.end", errors.New("secret cause"))
	}
	return &wire.OK{}, nil
}

func (d *desk) Gone(Who) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone++
}

func (d *desk) MayUse(context.Context, Who, ident.CallID) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.put), nil
}

func (d *desk) Put(_ context.Context, _ Who, _ ident.CallID, ref wire.FileRef, raw []byte) (wire.FileRef, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put[ref.File] = raw
	return ref, nil
}

func (d *desk) Get(_ context.Context, _ ident.CallID, id ident.FileID, w io.Writer) (wire.FileRef, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	raw, ok := d.put[string(id)]
	if !ok {
		return wire.FileRef{}, fault.New(fault.NoSuchFile, "files.get", nil)
	}
	_, err := w.Write(raw)
	return wire.FileRef{Name: "a.jpg"}, err
}

func (d *desk) Calls(context.Context, store.CallQuery) ([]CallRow, string, error) {
	return []CallRow{}, "", nil
}
func (d *desk) Detail(context.Context, ident.CallID) (CallDetail, error) { return CallDetail{}, nil }
func (d *desk) Media(context.Context, ident.CallID, string) (MediaFile, error) {
	return MediaFile{}, fault.New(fault.NotFound, "media", nil)
}
func (d *desk) Verify(context.Context, ident.CallID) ([]byte, error) { return []byte("{}"), nil }
func (d *desk) Archive(context.Context, ident.CallID) (fs.FS, error) {
	return fstest.MapFS{"a": {}}, nil
}
func (d *desk) Ready(context.Context) error                              { return nil }
func (d *desk) Audit(context.Context, Who, string, string, string) error { return nil }
func (d *desk) SendCode(context.Context, string, string, string) error   { return nil }

type edge struct {
	t    *testing.T
	s    *Server
	d    *desk
	addr string
}

func serve(t *testing.T) *edge {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), log)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := accounts.HashPassword("password-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"operator", "investigator", "administrator"} {
		st := store.Staff{ID: ident.New[ident.StaffID](), Login: role, Name: role, Roles: []string{role}, PasswordHash: hash}
		if err := db.PutStaff(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	d := &desk{put: map[string][]byte{}}
	s, err := New(Parts{
		Config: Config{Secret: []byte("secret")}, Backend: d, Accounts: accounts.New(db, d, []byte("secret")), Files: d, Evidence: d, Probes: d,
		Pages: fstest.MapFS{"index.html": {Data: bytes.Repeat([]byte("<p>page</p>"), 100)}}, Reg: prometheus.NewRegistry(), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(bound):
			t.Error("the server does not end")
		}
		_ = db.Close()
	})
	return &edge{t: t, s: s, d: d, addr: l.Addr().String()}
}

// socketTo dials and says hello; h is sent as it is.
func (e *edge) dial(header http.Header) *websocket.Conn {
	e.t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial("ws://"+e.addr+"/ws", header)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(bound))
	return ws
}

func send(t *testing.T, ws *websocket.Conn, seq uint64, b wire.Body) {
	t.Helper()
	raw, err := wire.Encode(wire.Message{Seq: seq, Body: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.WriteMessage(websocket.TextMessage, raw); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, ws *websocket.Conn) wire.Message {
	t.Helper()
	_, raw, err := ws.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	m, err := wire.DecodeAny(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func refusal(t *testing.T, ws *websocket.Conn) *wire.Error {
	t.Helper()
	m := receive(t, ws)
	e, ok := m.Body.(*wire.Error)
	if !ok {
		t.Fatalf("%s in place of a refusal", m.Body.WireType())
	}
	return e
}

func closeCode(t *testing.T, ws *websocket.Conn) int {
	t.Helper()
	for {
		_, _, err := ws.ReadMessage()
		var c *websocket.CloseError
		if errors.As(err, &c) {
			return c.Code
		}
		if err != nil { // the peer closed while we still wrote: the code may be lost with the connection
			t.Fatal(err)
		}
	}
}

func (e *edge) caller(resume *wire.Resume) (*websocket.Conn, *wire.Welcome) {
	e.t.Helper()
	ws := e.dial(nil)
	send(e.t, ws, 1, &wire.Hello{Version: 1, Role: wire.RoleCaller, Lang: "kk", Resume: resume})
	return ws, receive(e.t, ws).Body.(*wire.Welcome)
}

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

func TestSilentSocketIsClosedAfterFiveSeconds(t *testing.T) {
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
		if r, ok := receive(t, ws).Body.(*wire.Error); ok {
			if r.Code != fault.RateLimited {
				t.Fatalf("%+v", r)
			}
			return
		}
	}
	t.Fatal("nothing was limited")
}

func TestSlowReaderLosesItsSocketAndDelaysNobody(t *testing.T) {
	e := serve(t)
	_, slow := e.caller(nil)
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
	end := time.Now().Add(bound + writeTime)
	for e.s.Hub().Linked(ident.ClientID(slow.Client)) {
		if time.Now().After(end) {
			t.Fatal("the slow reader keeps its socket")
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (e *edge) ask(method, path string, header http.Header, body io.Reader) (int, string) {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), method, "http://"+e.addr+path, body)
	if err != nil {
		e.t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func (e *edge) signIn(login string) http.Header {
	e.t.Helper()
	code, raw := e.ask("POST", "/api/v1/staff/session", nil, strings.NewReader(fmt.Sprintf(`{"login":%q,"password":"password-1"}`, login)))
	var s struct{ Token string }
	if err := json.Unmarshal([]byte(raw), &s); err != nil || code != 200 {
		e.t.Fatal(code, raw)
	}
	return http.Header{"Authorization": {"Bearer " + s.Token}}
}

func TestStaffNeedsAValidToken(t *testing.T) {
	e := serve(t)
	for name, h := range map[string]http.Header{"missing": nil, "forged": {"Authorization": {"Bearer AAAA"}}, "caller's": {"Authorization": {"Bearer "}}} {
		if code, raw := e.ask("GET", "/api/v1/evidence/calls", h, nil); code != http.StatusUnauthorized || !strings.Contains(raw, `"not_signed_in"`) {
			t.Error(name, code, raw)
		}
	}
	h := e.signIn("investigator")
	if code, _ := e.ask("GET", "/api/v1/evidence/calls", h, nil); code != 200 {
		t.Fatal(code)
	}
	if code, _ := e.ask("DELETE", "/api/v1/staff/session", h, nil); code != http.StatusNoContent {
		t.Fatal(code)
	}
	if code, _ := e.ask("GET", "/api/v1/evidence/calls", h, nil); code != http.StatusUnauthorized {
		t.Fatal("a session that was ended still opens")
	}
	for _, body := range []string{`{"login":"investigator","password":"wrong-pass"}`, `{"login":"nobody","password":"password-1"}`} {
		if code, raw := e.ask("POST", "/api/v1/staff/session", nil, strings.NewReader(body)); code != 401 || !strings.Contains(raw, "bad_sign_in") {
			t.Error(code, raw)
		}
	}
	ws := e.dial(nil)
	send(t, ws, 1, &wire.Hello{Version: 1, Role: wire.RoleConsole, Lang: "kk", Token: "forged"})
	if r := refusal(t, ws); r.Code != fault.NotSignedIn {
		t.Fatalf("%+v", r)
	}
}

// TestEveryRouteAsksForTheRightRole walks evidence routes by role.
func TestEveryRouteAsksForTheRightRole(t *testing.T) {
	e := serve(t)
	id := string(ident.New[ident.CallID]())
	routes := map[string][]string{
		"GET /api/v1/evidence/calls":                        {"investigator"},
		"GET /api/v1/evidence/calls/" + id:                  {"investigator"},
		"POST /api/v1/evidence/calls/" + id + "/verify":     {"investigator", "administrator"},
		"GET /api/v1/evidence/calls/" + id + "/archive.tar": {"investigator"},
	}
	for _, role := range []string{"operator", "investigator", "administrator"} {
		h := e.signIn(role)
		for route, allowed := range routes {
			method, path, _ := strings.Cut(route, " ")
			code, _ := e.ask(method, path, h, nil)
			want := http.StatusForbidden
			for _, a := range allowed {
				if a == role {
					want = http.StatusOK
				}
			}
			if code != want {
				t.Errorf("%s %s: %d, want %d", role, route, code, want)
			}
		}
	}
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPicturesAreKeptExactAndServedSafely(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	h := http.Header{"X-Client": {w.Client}, "X-Client-Key": {w.Key}, "X-File-Name": {"..%2F..%2Fetc%2Fpass%3Cwd.html"}}
	path := "/api/v1/calls/" + string(ident.New[ident.CallID]()) + "/files"
	raw := picture(t)
	code, body := e.ask("POST", path, h, bytes.NewReader(raw))
	var ref wire.FileRef
	if err := json.Unmarshal([]byte(body), &ref); err != nil || code != 201 || ref.Width != 40 || strings.ContainsAny(ref.Name, "/\\") || !strings.HasSuffix(ref.Name, ".jpg") {
		t.Fatal(code, body)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+e.addr+path+"/"+ref.File, nil)
	req.Header = h
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, _ := io.ReadAll(res.Body)
	if !bytes.Equal(got, raw) || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Fatal(res.Header)
	}
	for name, bad := range map[string]string{"SVG": "<svg onload=alert(1)>", "HTML": "<!doctype html>", "nothing": ""} {
		if code, body := e.ask("POST", path, h, strings.NewReader(bad)); code != 400 || !strings.Contains(body, "bad_file") {
			t.Error(name, code, body)
		}
	}
	h.Set("X-Client-Key", "forged")
	if code, _ := e.ask("POST", path, h, bytes.NewReader(raw)); code != 401 {
		t.Error("a stranger's key", code)
	}
}

func TestFiftyPhotosStopAtTwenty(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	h := http.Header{"X-Client": {w.Client}, "X-Client-Key": {w.Key}}
	path, raw, kept := "/api/v1/calls/"+string(ident.New[ident.CallID]())+"/files", picture(t), 0
	for range 50 {
		code, body := e.ask("POST", path, h, bytes.NewReader(raw))
		switch {
		case code == 201:
			kept++
		case !strings.Contains(body, "too_many"):
			t.Fatal(code, body)
		}
	}
	if kept != maxFiles {
		t.Fatal(kept)
	}
}

func TestPagesComeWholeAndGuarded(t *testing.T) {
	e := serve(t)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+e.addr+"/", nil)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || len(got) != 1100 {
		t.Fatal(len(got), err)
	}
	csp := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Fatal(csp)
	}
}

func TestDescriptionAndRoutesAgree(t *testing.T) {
	e := serve(t)
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(openAPIDoc, &doc); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, ops := range doc.Paths {
		for method := range ops {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	for route := range e.s.table() {
		if strings.Contains(route, "/api/v1/") && !described[route] {
			t.Errorf("%s is not described", route)
		}
		delete(described, route)
	}
	for route := range described {
		t.Errorf("%s is described and does not exist", route)
	}
}
