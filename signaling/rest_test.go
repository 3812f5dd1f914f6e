package signaling

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/wire"
)

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
		"GET /api/v1/evidence/calls/" + id + "/accesses":    {"investigator"},
		"GET /api/v1/evidence/calls/" + id:                  {"investigator"},
		"POST /api/v1/evidence/calls/" + id + "/verify":     {"investigator", "administrator"},
		"GET /api/v1/evidence/calls/" + id + "/archive.tar": {"investigator"},
	}
	for _, role := range []string{"operator", "investigator", "administrator"} {
		h := e.signIn(role)
		e.ask("POST", "/api/v1/evidence/calls/"+id+"/opening", h, strings.NewReader(`{"case":"1","reason":"test"}`))
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

// brokenDisk lists two files and can read only the first.
type brokenDisk struct{ fstest.MapFS }

func (b brokenDisk) Open(name string) (fs.File, error) {
	if name == "b" {
		return nil, errors.New("input/output error")
	}
	return b.MapFS.Open(name)
}

func TestHalfAnArchiveIsNotTakenForTheWhole(t *testing.T) {
	e := serve(t)
	e.d.archive = brokenDisk{fstest.MapFS{"a": {Data: make([]byte, 1<<20)}, "b": {Data: []byte("x")}}}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+e.addr+"/api/v1/evidence/calls/"+string(ident.New[ident.CallID]())+"/archive.tar", nil)
	req.Header = e.signIn("investigator")
	e.ask("POST", strings.TrimSuffix(req.URL.Path, "archive.tar")+"opening", req.Header, strings.NewReader(`{"case":"1","reason":"test"}`))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Fatal("it ended as if it were whole", n)
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	e := serve(t, func(s *Server) {
		s.mux.HandleFunc("GET /early", func(http.ResponseWriter, *http.Request) { panic("early") })
		s.mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1<<20))
			panic("late")
		})
	})
	if code, body := e.ask("GET", "/early", nil, nil); code != http.StatusInternalServerError || strings.Contains(body, "early") {
		t.Fatal(code, body)
	}
	res, err := http.Get("http://" + e.addr + "/late")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Fatal("it ended as if it were whole", n)
	}
	if code, _ := e.ask("GET", "/healthz", nil, nil); code != http.StatusOK {
		t.Fatal(code)
	}
}

func TestUnknownRequestsAreRefusedByCodeAndWords(t *testing.T) {
	e := serve(t)
	ask := func(method, path string) (*http.Response, wire.Error) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+e.addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var b struct {
			Error wire.Error `json:"error"`
		}
		if err := json.NewDecoder(res.Body).Decode(&b); err != nil {
			t.Errorf("%s %s: %d %v", method, path, res.StatusCode, err)
		}
		return res, b.Error
	}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		for _, path := range []string{"/api/", "/api/v1", "/api/v2/calls", "/api/v1/staff/session/", "/api/v1/evidence/calls/x/y/z", "/api/../api/v1/%2e%2e"} {
			if res, b := ask(method, path); res.StatusCode != http.StatusNotFound || b.Code != fault.NotFound || b.Words.KK == "" || b.Words.RU == "" || b.Words.EN == "" {
				t.Error(method, path, res.StatusCode, b)
			}
		}
	}
	if res, b := ask("PATCH", "/api/v1/staff/session"); res.StatusCode != http.StatusMethodNotAllowed || b.Code != fault.UnknownType ||
		res.Header.Get("Allow") != "GET, HEAD, POST, DELETE" {
		t.Error(res.StatusCode, res.Header, b)
	}
	for _, path := range []string{"/", "/nothing"} {
		if code, _ := e.ask("POST", path, nil, nil); code != http.StatusMethodNotAllowed {
			t.Error(path, code)
		}
	}
}
