package signaling

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"jedel/internal/store"

	"github.com/gorilla/websocket"
)

// accountOf asks an account route and returns the answer's account and link.
func (e *edge) accountOf(h http.Header, method, path, body string, want int) (Account, string) {
	e.t.Helper()
	code, raw := e.ask(method, "/api/v1/admin/"+path, h, strings.NewReader(body))
	var a struct {
		Account Account
		Link    string
	}
	if err := json.Unmarshal([]byte(raw), &a); err != nil || code != want {
		e.t.Fatal(method, path, code, raw)
	}
	return a.Account, a.Link
}

func (e *edge) staffID(login string) string {
	e.t.Helper()
	s, err := e.db.StaffByLogin(e.t.Context(), login)
	if err != nil {
		e.t.Fatal(err)
	}
	return string(s.ID)
}

func TestAnAdministratorInvitesAndASecondPersonOpensEvidence(t *testing.T) {
	e := serve(t)
	boss, lead := e.signIn("administrator"), e.signIn("supervisor")
	a, link := e.accountOf(boss, "POST", "accounts", `{"login":"dana","name":"Дана","unit":"north","lang":"kk","roles":["operator","investigator"]}`, http.StatusCreated)
	if !slices.Equal(a.Roles, []string{"operator"}) || !slices.Equal(a.Pending, []string{"investigator"}) || a.Approve != "second_person" || a.Local || link == "" {
		t.Fatalf("%+v", a)
	}
	if code, raw := e.ask("POST", "/api/v1/staff/invitation", nil, strings.NewReader(`{"token":"`+link+`"}`)); code != http.StatusOK || !strings.Contains(raw, `"login":"dana"`) {
		t.Fatal(code, raw)
	}
	if code, raw := e.ask("PUT", "/api/v1/staff/invitation", nil, strings.NewReader(`{"token":"`+link+`","password":"password-1"}`)); code >= 300 {
		t.Fatal(code, raw)
	}
	if code, raw := e.ask("PUT", "/api/v1/staff/invitation", nil, strings.NewReader(`{"token":"`+link+`","password":"password-2"}`)); code != http.StatusNotFound || !strings.Contains(raw, "bad_invitation") {
		t.Fatal(code, raw)
	}
	dana := e.signIn("dana")
	if code, _ := e.ask("GET", "/api/v1/evidence/calls", dana, nil); code != http.StatusForbidden {
		t.Fatal("a role that waits was good already", code)
	}
	if code, raw := e.ask("POST", "/api/v1/admin/accounts/"+a.Staff+"/roles/approve", boss, nil); code != http.StatusConflict || !strings.Contains(raw, "second_person") {
		t.Fatal(code, raw)
	}
	e.accountOf(lead, "POST", "accounts/"+a.Staff+"/roles/approve", "", 200)
	if code, raw := e.ask("GET", "/api/v1/evidence/calls", dana, nil); code != 200 {
		t.Fatal(code, raw)
	}
	code, raw := e.ask("GET", "/api/v1/admin/changes?staff="+a.Staff, boss, nil)
	if code != 200 || !strings.Contains(raw, `"field":"roles","before":"operator","after":"operator investigator"`) {
		t.Fatal(code, raw)
	}
}

// TestWhoIsDisabledIsOutWithinASecond also changes roles, and disables at the store as the command
// line and other nodes do.
func TestWhoIsDisabledIsOutWithinASecond(t *testing.T) {
	e := serve(t)
	boss := e.signIn("administrator")
	for name, act := range map[string]struct {
		do   func()
		code int
	}{
		"disabled": {func() { e.accountOf(boss, "POST", "accounts/"+e.staffID("operator")+"/disable", "", 200) }, CloseSignedOut},
		"blocked at the command line": {func() {
			s, err := e.db.StaffByLogin(t.Context(), "operator")
			if s.Disabled = true; err != nil || e.db.PutStaff(t.Context(), s) != nil {
				t.Fatal(err)
			}
		}, CloseSignedOut},
		"other roles": {func() {
			e.accountOf(boss, "PUT", "accounts/"+e.staffID("operator")+"/roles", `{"roles":["camera"]}`, 200)
		}, websocket.CloseServiceRestart},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := e.db.StaffByLogin(t.Context(), "operator")
			s.Disabled, s.Roles = false, []string{"operator"}
			if err != nil || e.db.PutStaff(t.Context(), s) != nil {
				t.Fatal(err)
			}
			ws, _, token := e.console("operator")
			begin := time.Now()
			act.do()
			if code := closeCode(t, ws); code != act.code {
				t.Fatal(code)
			}
			if d := time.Since(begin); d > time.Second {
				t.Fatal(d)
			}
			if act.code != CloseSignedOut {
				return
			}
			if code, _ := e.ask("GET", "/api/v1/staff/session", token, nil); code != http.StatusUnauthorized {
				t.Fatal(code)
			}
			eventually(t, "their media goes on", func() bool {
				e.d.mu.Lock()
				defer e.d.mu.Unlock()
				return slices.Contains(e.d.ended, s.ID)
			})
		})
	}
}

func TestAccountsTellNoSecrets(t *testing.T) {
	e := serve(t)
	boss := e.signIn("administrator")
	s, err := e.db.StaffByLogin(t.Context(), "operator")
	if s.TOTPSecret = "JBSWY3DPEHPK3PXP"; err != nil || e.db.PutStaff(t.Context(), s) != nil {
		t.Fatal(err)
	}
	e.accountOf(boss, "DELETE", "accounts/"+string(s.ID)+"/totp", "", 200)
	_, link := e.accountOf(boss, "POST", "accounts/"+string(s.ID)+"/invitation", "", 200)
	for _, path := range []string{"/api/v1/admin/accounts", "/api/v1/admin/changes"} {
		code, raw := e.ask("GET", path, boss, nil)
		if code != 200 || strings.Contains(raw, "argon2") || strings.Contains(raw, s.TOTPSecret) || strings.Contains(raw, link) {
			t.Fatal(code, raw)
		}
	}
	if _, err := e.db.Invited(t.Context(), link, time.Now()); err != store.ErrNotFound {
		t.Fatal("the link itself is kept")
	}
	for _, path := range []string{"accounts/none/disable", "accounts/" + strings.Repeat("0", 26) + "/disable"} {
		if code, raw := e.ask("POST", "/api/v1/admin/"+path, boss, nil); code != http.StatusNotFound || !strings.Contains(raw, "no_such_account") {
			t.Error(path, code, raw)
		}
	}
}
