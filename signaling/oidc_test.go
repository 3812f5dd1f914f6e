package signaling

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"jedel/internal/fault"
	"jedel/signaling/signon"
)

// elsewhere is an identity provider that knows one person; signon's own tests ask a real one.
type elsewhere struct{ refuse error }

func (e elsewhere) Begin(context.Context, string) (string, string, error) {
	return "https://id.example/auth?state=s", "sealed", e.refuse
}

func (e elsewhere) Back(cookie string) string {
	return map[string]string{"sealed": "/evidence"}[cookie]
}

func (e elsewhere) Finish(_ context.Context, cookie, state, code string) (signon.Identity, error) {
	if cookie != "sealed" || state != "s" || code != "c" {
		return signon.Identity{}, fault.New(fault.BadSignIn, "staff.oidc", nil)
	}
	return signon.Identity{Issuer: "https://id.example", Subject: "7", Name: "Дана", Mapped: true, Roles: []string{"operator"}}, nil
}

// goTo asks an address without following where it leads.
func (e *edge) goTo(path, cookie string) *http.Response {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), "GET", "http://"+e.addr+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	if cookie != "" {
		req.AddCookie(&http.Cookie{Name: signOnCookie, Value: cookie})
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		e.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res
}

func TestSignInByAProviderOpensALocalSession(t *testing.T) {
	e := serve(t, func(s *Server) { s.signOn = elsewhere{} })
	res := e.goTo("/api/v1/staff/oidc?back=/evidence", "")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "https://id.example/auth?state=s" {
		t.Fatal(res.Status, res.Header)
	}
	if c := res.Header.Get("Set-Cookie"); !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || !strings.Contains(c, "Path="+signOnPath) {
		t.Fatal(c)
	}
	res = e.goTo("/api/v1/staff/oidc/callback?state=s&code=c", "sealed")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/evidence" {
		t.Fatal(res.Status, res.Header)
	}
	var session string
	for _, c := range res.Cookies() {
		if c.Name == cookieName {
			session = c.Value
		}
	}
	h := http.Header{"Cookie": {cookieName + "=" + session}}
	if code, raw := e.ask("GET", "/api/v1/staff/session", h, nil); code != 200 || !strings.Contains(raw, "Дана") {
		t.Fatal(code, raw)
	}
	if code, _ := e.ask("DELETE", "/api/v1/staff/session", h, nil); code != http.StatusNoContent {
		t.Fatal(code)
	}
	if code, _ := e.ask("GET", "/api/v1/staff/session", h, nil); code != http.StatusUnauthorized {
		t.Fatal(code)
	}
	for query, cookie := range map[string]string{"state=s&code=x": "sealed", "state=x&code=c": "sealed", "state=s&code=c": "", "error=access_denied&state=s": "sealed"} {
		res := e.goTo("/api/v1/staff/oidc/callback?"+query, cookie)
		if at := res.Header.Get("Location"); !strings.HasSuffix(at, "#refused=bad_sign_in") || strings.Contains(strings.Join(res.Header.Values("Set-Cookie"), ""), cookieName+"=") {
			t.Error(query, at, res.Header)
		}
	}
}

func TestAProviderThatIsDownLeavesLocalAccounts(t *testing.T) {
	e := serve(t, func(s *Server) { s.signOn = elsewhere{fault.New(fault.ProviderDown, "staff.oidc", nil)} })
	for back, want := range map[string]string{"/admin": "/admin#refused=provider_down", "https://evil.example": "/console#refused=provider_down", "//evil": "/console#refused=provider_down"} {
		if at := e.goTo("/api/v1/staff/oidc?back="+back, "").Header.Get("Location"); at != want {
			t.Error(at)
		}
	}
	e.signIn("administrator")
	none := serve(t)
	for _, path := range []string{"", "/callback"} {
		if res := none.goTo(signOnPath+path, ""); res.StatusCode != http.StatusNotFound {
			t.Error(res.Status)
		}
	}
}
