package signaling

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

	"jedel/internal/duty"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
)

const bound = 20 * time.Second

// desk is a small backend: it welcomes everybody and answers every request with OK.
type desk struct {
	mu      sync.Mutex
	gone    int
	ended   []ident.StaffID // whose media ended
	put     map[string][]byte
	welcome func(Who) // called while a welcome is made
	archive fs.FS     // in place of a small one
}

func (d *desk) Hello(_ context.Context, who Who, _ *wire.Hello) (*wire.Welcome, error) {
	if d.welcome != nil {
		d.welcome(who)
	}
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

func (d *desk) Ended(who Who) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = append(d.ended, who.Staff)
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
	if d.archive != nil {
		return d.archive, nil
	}
	return fstest.MapFS{"a": {}}, nil
}

func (d *desk) Accesses(context.Context, ident.CallID) ([]Access, error) { return []Access{}, nil }

func (d *desk) Ready(context.Context) error { return nil }

func (d *desk) Audit(context.Context, Who, string, string, string) error { return nil }

func (d *desk) SendCode(context.Context, string, string, string) error { return nil }

type edge struct {
	t    testing.TB
	s    *Server
	d    *desk
	db   *store.DB
	addr string
	stop func()
}

// serve starts an edge with its desk; change may set the server before it serves.
func serve(t testing.TB, change ...func(*Server)) *edge {
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
	for _, role := range []string{"operator", "supervisor", "investigator", "administrator"} {
		st := store.Staff{ID: ident.New[ident.StaffID](), Login: role, Name: role, Roles: []string{role}, PasswordHash: hash}
		if err := db.PutStaff(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	d := &desk{put: map[string][]byte{}}
	s, err := New(Parts{
		Config: Config{Secret: []byte("secret")}, Backend: d, Accounts: accounts.New(db, d, []byte("secret")), Files: d, Evidence: d, Keeping: &shelf{}, Probes: d, Shifts: duty.New(db, nil),
		Pages: fstest.MapFS{"index.html": {Data: bytes.Repeat([]byte("<p>page</p>"), 100)}}, Reg: prometheus.NewRegistry(), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(s)
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
	return &edge{t: t, s: s, d: d, db: db, addr: l.Addr().String(), stop: cancel}
}

// dial opens a socket and says nothing.
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

func send(t testing.TB, ws *websocket.Conn, seq uint64, b wire.Body) {
	t.Helper()
	raw, err := wire.Encode(wire.Message{Seq: seq, Body: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.WriteMessage(websocket.TextMessage, raw); err != nil {
		t.Fatal(err)
	}
}

func receive(t testing.TB, ws *websocket.Conn) wire.Message {
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

// console says hello as a member of staff with their token.
func (e *edge) console(login string) (*websocket.Conn, *wire.Welcome, http.Header) {
	e.t.Helper()
	h := e.signIn(login)
	ws := e.dial(nil)
	send(e.t, ws, 1, &wire.Hello{Version: 1, Role: wire.RoleConsole, Lang: "kk", Token: strings.TrimPrefix(h.Get("Authorization"), "Bearer ")})
	return ws, receive(e.t, ws).Body.(*wire.Welcome), h
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(2 * bound)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal(what)
		}
	}
}
