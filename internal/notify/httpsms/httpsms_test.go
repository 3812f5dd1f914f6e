package httpsms

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/notify"
	"jedel/internal/outbox"
)

// provider is a real server in this process that remembers what it was asked.
type provider struct {
	*httptest.Server
	mu    sync.Mutex
	asked []*http.Request
	body  []string
}

func serve(t *testing.T, answer http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.asked, p.body = append(p.asked, r), append(p.body, string(raw))
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

func (p *provider) config() Config {
	return Config{
		URL: p.URL + "/sms?to={digits}", Method: http.MethodPost, Headers: map[string]string{"Authorization": "Bearer {secret}"}, Body: `{"to":"{phone}","text":"{text}","ref":"{id}","from":"{sender}"}`,
		Format: JSON, Sender: "Police", Secret: "s3cret", IDAt: "messages.0.id", ErrorAt: "error.code", Refuse: []string{"7"},
		CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}), Timeout: 2 * time.Second,
	}
}

func carrier(t *testing.T, cfg Config) *Carrier {
	t.Helper()
	c, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var letter = notify.Letter{ID: "m1-1", Phone: "+77015551212", Text: "Өтініш \"26-000123\"\n{secret} &to=1\\ 😀", Lang: "kk"}

func TestAMessageReachesTheProviderWholeAndGetsItsName(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"messages":[{"id":90071992547409931}]}`)
	})
	if got := carrier(t, p.config()).Send(t.Context(), letter); got != (outbox.Accepted{ID: "90071992547409931"}) {
		t.Fatalf("%#v", got)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(p.body[0]), &got); err != nil {
		t.Fatal(p.body[0], err)
	}
	if got["text"] != letter.Text || got["to"] != letter.Phone || got["ref"] != "m1-1" || got["from"] != "Police" || len(got) != 4 {
		t.Error(got)
	}
	r := p.asked[0]
	if r.Header.Get("Authorization") != "Bearer s3cret" || r.URL.Query().Get("to") != "77015551212" || r.Header.Get("Content-Type") != "application/json" {
		t.Error(r.URL, r.Header)
	}
}

func TestAFormIsEscapedAsAForm(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `ok`) })
	cfg := p.config()
	cfg.Format, cfg.Body, cfg.IDAt, cfg.ErrorAt = Form, "recipient={digits}&text={text}", "", ""
	if got := carrier(t, cfg).Send(t.Context(), letter); got != (outbox.Accepted{}) {
		t.Fatalf("%#v", got)
	}
	v, err := url.ParseQuery(p.body[0])
	if err != nil || v.Get("text") != letter.Text || v.Get("recipient") != "77015551212" || len(v) != 2 {
		t.Error(v, err)
	}
	cfg.Method, cfg.Body, cfg.URL = http.MethodGet, "", p.URL+"/?t={text}&k={secret}"
	if got := carrier(t, cfg).Send(t.Context(), letter); got != (outbox.Accepted{}) || p.asked[1].URL.Query().Get("t") != letter.Text || p.body[1] != "" {
		t.Errorf("%#v %v", got, p.asked[1].URL)
	}
}

func TestEveryAnswerHasItsMeaning(t *testing.T) {
	say := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
	}
	unknown, later, refused, accepted := outbox.Unknown{}, outbox.Later{}, outbox.Refused{}, outbox.Accepted{}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   outbox.Outcome
	}{
		"accepted":                   {say(200, `{"messages":[{"id":"x1"}],"error":{"code":0}}`), accepted},
		"a bad number":               {say(200, `{"error":{"code":7}}`), refused},
		"no money":                   {say(200, `{"error":{"code":3}}`), later},
		"no identifier":              {say(200, `{"messages":[]}`), unknown},
		"an identifier that is none": {say(200, `{"messages":[{"id":{"a":1}}]}`), unknown},
		"too long an identifier":     {say(200, `{"messages":[{"id":"`+strings.Repeat("x", 65)+`"}]}`), unknown},
		"garbage":                    {say(200, "\x00\xff<html>"), unknown},
		"nothing":                    {say(204, ""), unknown},
		"a mountain":                 {say(200, `{"messages":[{"id":"x1"}],"pad":"`+strings.Repeat("a", 1<<20)+`"}`), unknown},
		"a deep well":                {say(200, strings.Repeat("[", 60000)), unknown},
		"a bad request":              {say(400, ""), refused},
		"a bad request for money":    {say(400, `{"error":{"code":3}}`), later},
		"a wrong key":                {say(401, ""), later},
		"busy":                       {say(429, ""), later},
		"broken":                     {say(500, ""), unknown},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, later},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = io.WriteString(w, `{"messages":[{"id":"x1"}]}`)
		}, unknown},
		"a slammed door": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, c.answer)
			got := carrier(t, p.config()).Send(t.Context(), letter)
			if kind(got) != kind(c.want) {
				t.Errorf("%#v", got)
			}
			if n := p.count(); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func kind(o outbox.Outcome) string {
	switch o.(type) {
	case outbox.Accepted:
		return "accepted"
	case outbox.Refused:
		return "refused"
	case outbox.Later:
		return "later"
	case outbox.Unknown:
		return "unknown"
	}
	return "none"
}

func TestASlowProviderEndsInTime(t *testing.T) {
	release := make(chan struct{})
	slowBody := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	slowHead := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	defer close(release)
	for _, answer := range []http.HandlerFunc{slowBody, slowHead} {
		cfg := serve(t, answer).config()
		cfg.Timeout = 200 * time.Millisecond
		c := carrier(t, cfg)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		got := c.Send(ctx, letter)
		if kind(got) != "unknown" || ctx.Err() != nil {
			t.Errorf("%#v", got)
		}
		cancel()
	}
}

func TestWhoDoesNotProveTheirNameGetsNothing(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) })
	cfg := p.config()
	cfg.CA = nil
	if got := carrier(t, cfg).Send(t.Context(), letter); p.count() != 0 || kind(got) == "accepted" {
		t.Errorf("%#v, %d requests", got, p.count())
	}
	p.Close()
	if got := carrier(t, p.config()).Send(t.Context(), letter); got != (outbox.Later{Reason: "no connection"}) {
		t.Errorf("%#v", got)
	}
}

func TestABusyProviderSaysWhen(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "120"); w.WriteHeader(503) })
	got, ok := carrier(t, p.config()).Send(t.Context(), letter).(outbox.Later)
	if wait := time.Until(got.At); !ok || wait < 110*time.Second || wait > 121*time.Second {
		t.Error(got)
	}
}

func TestADescriptionThatWouldShowTheTextIsRefused(t *testing.T) {
	for _, u := range []string{"http://sms.example.kz/send", "ftp://localhost/", "://", "http://127.0.0.1.example.kz/"} {
		if _, err := New(t.Context(), Config{URL: u, Method: "POST", Timeout: time.Second}); err == nil {
			t.Error(u)
		}
	}
	for _, u := range []string{"http://127.0.0.1:13013/", "http://[::1]/", "http://localhost/x", "https://sms.example.kz/send"} {
		if _, err := New(t.Context(), Config{URL: u, Method: "POST", Timeout: time.Second}); err != nil {
			t.Error(u, err)
		}
	}
	if _, err := New(t.Context(), Config{URL: "https://sms.example.kz", Method: "POST", CA: []byte("none")}); err == nil {
		t.Error("authorities that are none")
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":1}]}`), "a.0.b")
	f.Fuzz(func(_ *testing.T, raw []byte, path string) { _, _ = at(raw, path) })
}
