package tipline

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"jedel/internal/fault"
	"jedel/internal/tipmail"
	"jedel/internal/tips"
	"jedel/recorder/keys"

	"github.com/prometheus/client_golang/prometheus"
)

// world is a listener of tips with two units.
type world struct {
	t      *testing.T
	line   *Line
	client tipmail.Client
	log    *lines
	reg    *prometheus.Registry
	ids    map[string][]keys.Identity

	mu  sync.Mutex
	now time.Time
}

type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

func start(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, log: &lines{}, reg: prometheus.NewRegistry(), ids: map[string][]keys.Identity{}, now: time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)}
	cfg := Config{
		File: filepath.Join(t.TempDir(), "tips.db"), Bounds: tips.Bounds{Total: 64 << 20, Mailbox: 20 << 20}, StampBits: 8, KeepText: "1y",
		Keep: func(d time.Time) time.Time { return d.AddDate(-1, 0, 0) }, Zone: time.FixedZone("site", 5*3600), Onion: "http://x.onion/",
	}
	for key, n := range map[string]int{"anticor": 2, "customs": 1} {
		u := Unit{Key: key, Names: fault.Text{KK: "а", RU: "б", EN: "c"}}
		for range n {
			id, err := keys.NewIdentity()
			if err != nil {
				t.Fatal(err)
			}
			u.Recipients = append(u.Recipients, id.Recipient(""))
			w.ids[key] = append(w.ids[key], id)
		}
		cfg.Units = append(cfg.Units, u)
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	w.line, err = Open(t.Context(), cfg, Parts{
		Pages: fstest.MapFS{"tip.html": {Data: []byte("<!doctype html>")}, "assets/a.js": {Data: []byte("1")}, "assets/x.map": {Data: []byte("1")}},
		Reg:   w.reg, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.line.now = func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.now
	}
	ear, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.line.Serve(ctx, ear, nil); close(done) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := w.line.Close(); err != nil {
			t.Error(err)
		}
	})
	w.client = tipmail.Client{Server: "http://" + ear.Addr().String(), HTTP: &http.Client{Timeout: 20 * time.Second}}
	return w
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) begin() tipmail.Start {
	w.t.Helper()
	s, err := w.client.Begin(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) unit(key string) tipmail.Unit {
	for _, u := range w.begin().Units {
		if u.Key == key {
			return u
		}
	}
	w.t.Fatal("no unit", key)
	return tipmail.Unit{}
}

func (w *world) send(code tips.Code, unit, text string, files ...tips.File) error {
	return w.client.Send(w.t.Context(), w.begin(), w.unit(unit), code, tips.Letter{Text: text, Lang: "ru", Files: files})
}

func (w *world) duty(unit string) *tipmail.Duty {
	w.t.Helper()
	d, err := w.client.Duty(w.t.Context(), unit, w.ids[unit])
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func TestATipIsReadByItsUnitAndTheReplyByItsCode(t *testing.T) {
	w := start(t)
	code := tips.Code{1, 2, 3}
	if err := w.send(code, "anticor", "Взятка", tips.File{Name: "a.jpg", Type: "image/jpeg", Data: bytes.Repeat([]byte("x"), 100000)}); err != nil {
		t.Fatal(err)
	}
	d := w.duty("anticor")
	list, err := d.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Day != "2026-11-29" || list[0].Bytes != tips.SealedBytes(1, 2) {
		t.Fatal(list, err)
	}
	l, err := d.Read(t.Context(), list[0].Letter)
	if err != nil || l.Text != "Взятка" || len(l.Files) != 1 || len(l.Files[0].Data) != 100000 {
		t.Fatal(l.Text, err)
	}
	if err := d.Reply(t.Context(), list[0], "Где это было?"); err != nil {
		t.Fatal(err)
	}
	got, err := w.client.Replies(t.Context(), code)
	if err != nil || len(got) != 1 || got[0].Letter.Text != "Где это было?" || got[0].Day != "2026-11-29" {
		t.Fatal(got, err)
	}
	if err := w.send(code, "anticor", "На Абая, 24"); err != nil {
		t.Fatal(err)
	}
	if list, _ := d.List(t.Context()); len(list) != 2 || list[0].Mailbox != list[1].Mailbox {
		t.Fatal(list)
	}
	if err := d.Prune(t.Context(), list[0].Letter); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read(t.Context(), list[0].Letter); fault.CodeOf(err) != fault.NotFound {
		t.Fatal(err)
	}
}

func TestOneUnitSeesNothingOfAnother(t *testing.T) {
	w := start(t)
	if err := w.send(tips.Code{1}, "anticor", "x"); err != nil {
		t.Fatal(err)
	}
	if err := w.send(tips.Code{1}, "customs", "x"); fault.CodeOf(err) != fault.BadValue {
		t.Fatal("one mailbox with two units:", err)
	}
	list, err := w.duty("anticor").List(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	other := w.duty("customs")
	if mine, err := other.List(t.Context()); err != nil || len(mine) != 0 {
		t.Fatal(mine, err)
	}
	_, readErr := other.Read(t.Context(), list[0].Letter)
	for name, got := range map[string]error{"read": readErr, "prune": other.Prune(t.Context(), list[0].Letter)} {
		if fault.CodeOf(got) != fault.NotFound {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, err := w.client.Duty(t.Context(), "anticor", w.ids["customs"]); !errors.Is(err, keys.ErrNoKey) {
		t.Fatal(err)
	}
}

// TestAUnitOpensNoLetterForTheGateway serves a letter where the question ought to be.
func TestAUnitOpensNoLetterForTheGateway(t *testing.T) {
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	packed, _ := tips.Letter{Kind: tips.Tip, Text: "canary", Lang: "ru", Reply: "r"}.Pack()
	other := tips.Ask([]byte("s"), "customs", time.Unix(1e9, 0), [16]byte{}).Text()
	for name, plain := range map[string][]byte{"a letter": packed, "a question to another unit": []byte(other), "something short": []byte("canary")} {
		sealed, err := keys.Seal(plain, []keys.Recipient{id.Recipient("")})
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		srv := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			if r.Header.Get("Authorization") != "" {
				t.Errorf("%s was answered", name)
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"sealed": sealed})
		})}
		ear, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = srv.Serve(ear) }()
		_, err = tipmail.Client{Server: "http://" + ear.Addr().String(), HTTP: http.DefaultClient}.Duty(t.Context(), "anticor", []keys.Identity{id})
		if !errors.Is(err, tipmail.ErrQuestion) || asked != 1 {
			t.Errorf("%s: %v, asked %d times", name, err, asked)
		}
		_ = srv.Close()
	}
}

// raw sends a request as it is and returns the code of its refusal.
func (w *world) raw(method, path string, head map[string]string, body io.Reader, length int64) (int, fault.Code) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.client.Server+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.ContentLength = length
	for k, v := range head {
		req.Header.Set(k, v)
	}
	res, err := w.client.HTTP.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var v struct {
		Error struct {
			Code  fault.Code
			Words fault.Text
		}
	}
	_ = json.NewDecoder(res.Body).Decode(&v)
	if v.Error.Code != "" && (v.Error.Words.KK == "" || v.Error.Words.RU == "" || v.Error.Words.EN == "") {
		w.t.Error("a refusal without words:", v.Error.Code)
	}
	return res.StatusCode, v.Error.Code
}

func TestWhatIsNotATipIsRefused(t *testing.T) {
	w := start(t)
	u := w.unit("customs")
	to, err := keys.ParseRecipients(u.Recipients[0])
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal(make([]byte, 64<<10), to)
	if err != nil {
		t.Fatal(err)
	}
	key := tips.Code{9}.Key()
	const path = "/api/v1/tips/units/customs/letters"
	heads := func(body []byte, change map[string]string) map[string]string {
		c, err := tips.ParseChallenge(w.begin().Challenge)
		if err != nil {
			t.Fatal(err)
		}
		id := tips.IDOf(body)
		h := map[string]string{"Tip-Mailbox": key.Text(), "Tip-Letter": id.String(), "Tip-Stamp": tips.Make(c, 12, key.Mailbox(), id).Text()}
		for k, v := range change {
			h[k] = v
		}
		return h
	}
	text := bytes.Repeat([]byte("a"), len(sealed))
	stale := heads(sealed, nil)
	for _, c := range []struct {
		name, path string
		body       []byte
		head       map[string]string
		want       fault.Code
	}{
		{"no such unit", "/api/v1/tips/units/nobody/letters", sealed, heads(sealed, nil), fault.NoSuchUnit},
		{"plain text of the right size", path, text, heads(text, nil), fault.NotSealed},
		{"not padded", path, sealed[:1000], heads(sealed[:1000], nil), fault.NotSealed},
		{"nothing", path, nil, heads(nil, nil), fault.NotSealed},
		{"no mailbox", path, sealed, heads(sealed, map[string]string{"Tip-Mailbox": ""}), fault.BadMessage},
		{"a mailbox that is none", path, sealed, heads(sealed, map[string]string{"Tip-Mailbox": strings.Repeat("!", 43)}), fault.BadMessage},
		{"no stamp", path, sealed, heads(sealed, map[string]string{"Tip-Stamp": ""}), fault.BadStamp},
		{"a stamp of another letter", path, sealed, heads(sealed, map[string]string{"Tip-Stamp": heads(text, nil)["Tip-Stamp"]}), fault.BadStamp},
		{"another digest", path, sealed, heads(text, nil), fault.BadMessage},
		{"a page of elsewhere", path, sealed, heads(sealed, map[string]string{"Origin": "https://example.com"}), fault.ForeignOrigin},
		{"as it should be", path, sealed, heads(sealed, nil), ""},
		{"the same again", path, sealed, heads(sealed, nil), ""},
	} {
		if _, got := w.raw("POST", c.path, c.head, bytes.NewReader(c.body), int64(len(c.body))); got != c.want && !(c.name == "a stamp of another letter" && got == "") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	w.tooLarge(path)
	w.later(3 * tips.StampTime)
	if _, got := w.raw("POST", path, stale, bytes.NewReader(sealed), int64(len(sealed))); got != fault.BadStamp {
		t.Errorf("an old stamp: %q", got)
	}
	for _, c := range []struct {
		method, path string
		want         fault.Code
	}{
		{"GET", "/api/v1/tips/mailbox", fault.BadMessage}, {"GET", "/api/v1/tips/units/customs/letters", fault.NotSignedIn},
		{"GET", "/api/v1/tips/units/nobody/question", fault.NoSuchUnit}, {"GET", "/api/v1/evidence/calls", fault.NotFound}, {"GET", "/ws", ""}, {"GET", "/metrics", ""},
	} {
		if status, got := w.raw(c.method, c.path, nil, nil, 0); got != c.want || status < 400 {
			t.Errorf("%s %s: %d %q", c.method, c.path, status, got)
		}
	}
	if _, got := w.raw("GET", "/api/v1/tips/mailbox", map[string]string{"Tip-Mailbox": tips.Code{77}.Key().Text()}, nil, 0); got != fault.NoSuchMailbox {
		t.Errorf("a mailbox of nobody: %q", got)
	}
}

// tooLarge announces 10 GB and sends none of them.
func (w *world) tooLarge(path string) {
	w.t.Helper()
	host := strings.TrimPrefix(w.client.Server, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 10737418240\r\n\r\n", path, host); err != nil {
		w.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		w.t.Errorf("10 GB: %d", res.StatusCode)
	}
}

func TestSpaceIsBoundedAndWordsGoOn(t *testing.T) {
	w := start(t, func(c *Config) { c.Bounds = tips.Bounds{Total: 2 << 20, Mailbox: 1 << 20} })
	picture := tips.File{Name: "a", Data: make([]byte, 200<<10)}
	var codes []fault.Code
	for i := range 7 {
		codes = append(codes, fault.CodeOf(w.send(tips.Code{byte(i)}, "customs", "x", picture)))
	}
	if codes[4] != "" || codes[6] != fault.NoSpace {
		t.Fatal(codes)
	}
	if err := w.send(tips.Code{50}, "customs", "words"); err != nil {
		t.Fatal("words are refused:", err)
	}
	if got := fault.CodeOf(w.send(tips.Code{51}, "customs", "x", tips.File{Name: "a", Data: make([]byte, 3<<20)})); got != fault.TooMany {
		t.Fatal(got)
	}
}

// TestNothingIsSaidOnAccountOfARequest looks at the log, at debug, and at every metric before and
// after tips, refusals and a bug.
func TestNothingIsSaidOnAccountOfARequest(t *testing.T) {
	w := start(t)
	before := w.metrics()
	if err := w.send(tips.Code{1}, "anticor", "canary"); err != nil {
		t.Fatal(err)
	}
	w.duty("anticor")
	w.raw("POST", "/api/v1/tips/units/anticor/letters", map[string]string{"User-Agent": "canary"}, strings.NewReader("canary"), 6)
	w.line.mux.HandleFunc("GET /bug", func(http.ResponseWriter, *http.Request) { panic("canary") })
	if res, err := w.client.HTTP.Get(w.client.Server + "/bug"); err == nil {
		_ = res.Body.Close()
		t.Error("a bug was answered")
	}
	if got := w.log.text(); got != "" {
		t.Errorf("the log says %q", got)
	}
	if after := w.metrics(); after != before {
		t.Errorf("metrics were\n%s\nand are\n%s", before, after)
	}
	w.line.round(t.Context())
	if got := w.log.text(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "a request ended in a bug") || strings.Contains(got, "canary") {
		t.Errorf("the round says %q", got)
	}
}

func (w *world) metrics() string {
	all, err := w.reg.Gather()
	if err != nil || len(all) == 0 {
		w.t.Fatal(err)
	}
	var b strings.Builder
	for _, m := range all {
		b.WriteString(m.String() + "\n")
	}
	return b.String()
}

// TestNoHandlerSeesAnAddress asks a handler of the listener what it knows of the caller.
func TestNoHandlerSeesAnAddress(t *testing.T) {
	w := start(t)
	seen := make(chan string, 1)
	w.line.mux.HandleFunc("GET /who", func(_ http.ResponseWriter, r *http.Request) {
		seen <- r.RemoteAddr
	})
	res, err := w.client.HTTP.Get(w.client.Server + "/who")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if got := <-seen; got != "somebody" {
		t.Fatal(got)
	}
}

func TestTheBrowserIsToldToKeepAndSendNothing(t *testing.T) {
	w := start(t)
	for _, path := range []string{"/", "/assets/a.js", "/api/v1/tips", "/nothing"} {
		res, err := w.client.HTTP.Get(w.client.Server + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		h := res.Header
		if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || len(h["Set-Cookie"]) > 0 || h.Get("ETag") != "" || h.Get("Last-Modified") != "" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Onion-Location") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	if status, _ := w.raw("GET", "/assets/x.map", nil, nil, 0); status != http.StatusNotFound {
		t.Error("a file that the page does not need is served")
	}
}

// patient is an answer that notes until when its request may be read.
type patient struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (p *patient) SetReadDeadline(at time.Time) error {
	p.until = at
	return nil
}

// A body that is not read is read to its end by the server, and whoever sends it byte by byte holds a connection.
func TestWhatIsRefusedDoesNotWaitForItsBody(t *testing.T) {
	w := start(t)
	for path, method := range map[string]string{"/api/v1/tips": "GET", "/api/v1/tips/units/anticor/letters": "POST", "/api/v1/nothing": "PUT", "/": "POST"} {
		p := &patient{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("slow"))
		w.line.ServeHTTP(p, r)
		if p.until.IsZero() || time.Until(p.until) > time.Minute {
			t.Errorf("%s %s: its body may come until %v", method, path, p.until)
		}
	}
}

func TestAFloodIsSlowedForEverybodyAlike(t *testing.T) {
	w := start(t)
	refused := 0
	for range readBurst + 20 {
		if _, err := w.client.Begin(t.Context()); fault.CodeOf(err) == fault.RateLimited {
			refused++
		}
	}
	if refused != 20 {
		t.Fatalf("%d of 20 are refused", refused)
	}
	w.later(time.Second)
	w.begin()
}

func TestOldLettersGoAtMidnight(t *testing.T) {
	w := start(t)
	if err := w.send(tips.Code{1}, "customs", "x"); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		list, err := w.duty("customs").List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	w.later(364 * 24 * time.Hour)
	w.line.round(t.Context())
	if count() != 1 {
		t.Fatal("too early")
	}
	w.later(2 * 24 * time.Hour)
	w.line.round(t.Context())
	if count() != 0 {
		t.Fatal("too late")
	}
}

// TestRoutesAreDescribed holds docs/PROTOCOL.md and the listener together.
func TestRoutesAreDescribed(t *testing.T) {
	raw, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	w := start(t)
	for route := range w.line.Table() {
		if !strings.Contains(string(raw), "`"+route+"`") {
			t.Errorf("docs/PROTOCOL.md has no line on %s", route)
		}
	}
}
