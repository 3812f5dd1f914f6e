package signaling

import (
	"net/http"
	"strings"
	"testing"

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
