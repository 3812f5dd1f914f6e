package signaling

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAShiftIsWrittenWorkedAndSeen goes through a shift by the API.
func TestAShiftIsWrittenWorkedAndSeen(t *testing.T) {
	e := serve(t)
	lead, one := e.signIn("supervisor"), e.signIn("operator")
	now := time.Now()
	line := func(id, staff, role, unit string, from, to time.Duration) string {
		return fmt.Sprintf(`{"line":%q,"staff":%q,"role":%q,"seat":"1","unit":%q,"fromMs":%d,"toMs":%d}`, id, staff, role, unit, now.Add(from).UnixMilli(), now.Add(to).UnixMilli())
	}
	me := e.staffID("operator")
	ask := func(h http.Header, method, path, body string, want int, holds string) {
		t.Helper()
		code, raw := e.ask(method, "/api/v1/shifts"+path, h, strings.NewReader(body))
		if code != want || !strings.Contains(raw, holds) {
			t.Fatal(method, path, code, raw)
		}
	}
	ask(one, "PUT", "/lines", line("a", me, "operator", "", -time.Hour, time.Hour), http.StatusForbidden, "forbidden")
	ask(lead, "PUT", "/lines", line("a", me, "dispatcher", "", -time.Hour, time.Hour), http.StatusBadRequest, "bad_value") // not a role of theirs
	ask(lead, "PUT", "/lines", line("a", "nobody", "operator", "", -time.Hour, time.Hour), http.StatusNotFound, "no_such_account")
	ask(lead, "PUT", "/lines", line("a", me, "operator", "", -2*time.Hour, -time.Hour), http.StatusBadRequest, "bad_value")
	ask(lead, "PUT", "/lines", line("a", me, "operator", "", time.Hour, 9*time.Hour), 200, `"line":"a"`)
	ask(one, "POST", "/duty", "", http.StatusNotFound, "no_such_shift") // too early
	ask(lead, "PUT", "/lines", line("b", me, "operator", "", 8*time.Hour, 10*time.Hour), http.StatusConflict, "shift_overlap")
	ask(lead, "PUT", "/lines", line("a", me, "operator", "", -time.Hour, time.Hour), 200, `"line":"a"`)
	ask(one, "POST", "/duty", "", 200, `"duty":true`)
	ask(one, "POST", "/duty", "", http.StatusConflict, "wrong_state")
	ask(one, "GET", "", "", 200, `"on":[{"staff":"`+me+`"`)
	ask(lead, "DELETE", "/lines/a", "", http.StatusConflict, "wrong_state")
	ask(one, "GET", "/handovers", "", 200, `"mine":[]`)
	ask(one, "POST", "/handovers", `{"to":"x","cases":["none"]}`, http.StatusNotFound, "no_such_case")
	ask(one, "DELETE", "/duty", "", 200, `"duty":false`)
	ask(lead, "DELETE", "/lines/a", "", 200, `"lines":[]`)
	ask(lead, "DELETE", "/lines/a", "", http.StatusNotFound, "no_such_shift")
	for _, q := range []string{"?from=x", "?from=-1", "?from=9223372036854775807", "?from=0&to=9999999999"} {
		if code, raw := e.ask("GET", "/api/v1/shifts"+q, one, nil); code != http.StatusBadRequest && code != http.StatusRequestEntityTooLarge {
			t.Error(q, code, raw)
		}
	}
}

// TestARosterShowsItsUnit lets a patrol see their own unit's shifts and no other's.
func TestARosterShowsItsUnit(t *testing.T) {
	e := serve(t)
	patrol, err := e.db.StaffByLogin(t.Context(), "operator")
	patrol.Roles, patrol.Unit = []string{"patrol"}, "north"
	if err != nil || e.db.PutStaff(t.Context(), patrol) != nil {
		t.Fatal(err)
	}
	lead := e.signIn("supervisor")
	at := time.Now()
	for n, unit := range []string{"north", "south"} {
		body := fmt.Sprintf(`{"line":"l%d","staff":%q,"role":"patrol","seat":"","unit":%q,"fromMs":%d,"toMs":%d}`, n, patrol.ID, unit,
			at.Add(time.Duration(n)*time.Hour).UnixMilli(), at.Add(time.Duration(n+1)*time.Hour).UnixMilli())
		if code, raw := e.ask("PUT", "/api/v1/shifts/lines", lead, strings.NewReader(body)); code != 200 {
			t.Fatal(code, raw)
		}
	}
	code, raw := e.ask("GET", "/api/v1/shifts", e.signIn("operator"), nil)
	var got struct{ Lines []ShiftLine }
	if err := json.Unmarshal([]byte(raw), &got); err != nil || code != 200 || len(got.Lines) != 1 || got.Lines[0].Unit != "north" {
		t.Fatal(code, raw, err)
	}
}
