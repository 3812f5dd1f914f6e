package app

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/signaling/wire"
)

const progressOf = "GET /api/v1/calls/{call}/progress"

// sendPatrol takes a patrol on duty and sends it to a case.
func (g *gateway) sendPatrol(login, id string) http.Header {
	g.t.Helper()
	who := g.as(login)
	g.ask("PUT /api/v1/patrol/duty", 200, who, `{"on":true}`)
	st, err := g.app.db.StaffByLogin(g.t.Context(), login)
	if err != nil {
		g.t.Fatal(err)
	}
	g.ask(acts, 200, g.as("dispatcher"), `{"act":"send","patrol":"`+string(st.ID)+`"}`, "{case}", id)
	return who
}

// TestAPatrolClosesItsTask holds that a patrol may end its own task's case from the scene, take that
// back for a while, and do nothing else to it or to others.
func TestAPatrolClosesItsTask(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key := phone()
	id := g.ask(sendReport, 201, key, `{"ref":"a","text":"Шу","lang":"kk"}`)["report"].(string)
	other := g.ask(sendReport, 201, phone(), `{"ref":"b","text":"Шу","lang":"kk"}`)["report"].(string)
	patrol := g.sendPatrol("patrol14", id)
	say := func(word string) {
		g.ask("POST /api/v1/patrol/cases/{case}/words", 200, patrol, `{"what":"`+word+`","atMs":1}`, "{case}", id)
	}
	const end = `{"act":"close","outcome":"measures","text":"Шара қолданылды."}`
	say("en_route")
	if code := g.code(acts, 409, patrol, end, "{case}", id); code != "wrong_state" {
		t.Fatal("closed on the way:", code)
	}
	say("on_scene")
	for _, act := range []string{`{"act":"take"}`, `{"act":"classify","kind":"noise","priority":0}`, `{"act":"reopen"}`, `{"act":"withdraw","id":"text0"}`, `{"act":"merge","case":"` + other + `"}`} {
		if code := g.code(acts, 403, patrol, act, "{case}", id); code != "forbidden" {
			t.Fatal(act, code)
		}
	}
	if code := g.code(acts, 404, patrol, end, "{case}", other); code != "no_such_case" {
		t.Fatal("another's case:", code)
	}
	if code := g.code(acts, 400, patrol, `{"act":"close","outcome":"measures","text":""}`, "{case}", id); code != "reply_needed" {
		t.Fatal(code)
	}
	second := g.sendPatrol("patrol06", id)
	if code := g.code(acts, 409, patrol, end, "{case}", id); code != "patrol_there" {
		t.Fatal("closed under a colleague:", code)
	}
	g.ask("POST /api/v1/patrol/cases/{case}/words", 200, second, `{"what":"declined"}`, "{case}", id)
	g.ask(acts, 200, patrol, end, "{case}", id)
	g.ask(acts, 200, patrol, `{"act":"unclose"}`, "{case}", id)
	g.ask(acts, 200, patrol, end, "{case}", id)
	g.until("the citizen has no reply", func() bool { return g.mine(key)["status"] == "closed" })
	if v := g.ask("GET /api/v1/patrol", 200, patrol, ""); v["state"] != "available" {
		t.Fatal(v)
	}
}

// TestAPatrolHearsOfItsOwnCasesOnly holds whom the news of a case reach.
func TestAPatrolHearsOfItsOwnCasesOnly(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	session := g.ask("POST /api/v1/staff/session", 200, nil, `{"login":"patrol14","password":"`+DemoPassword+`"}`)
	page := g.tab(wire.RoleConsole, session["token"].(string))
	other := g.ask(sendReport, 201, phone(), `{"ref":"b","text":"Шу","lang":"kk"}`)["report"].(string)
	id := g.ask(sendReport, 201, phone(), `{"ref":"a","text":"Шу","lang":"kk"}`)["report"].(string)
	g.ask(acts, 200, g.as("operator"), `{"act":"take"}`, "{case}", other)
	g.sendPatrol("patrol14", id)
	for heard := false; !heard; {
		n, ok := page.receive().Body.(*wire.CaseNews)
		if ok && n.Case == other {
			t.Fatal("it heard of another's case")
		}
		heard = ok && n.Case == id && n.Status == "patrol_sent"
	}
}

// TestACallersPageFollowsItsCall holds that whoever made a call sees what became of it, after its end
// too, and nobody else does.
func TestACallersPageFollowsItsCall(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	c := g.tab(wire.RoleCaller, "")
	id := c.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindVoice}).(*wire.CallCreated).View.Call
	mine := http.Header{"X-Client": {c.welcome.Client}, "X-Client-Key": {c.welcome.Key}}
	c.ask(&wire.CallEnd{Call: id})
	g.until("no case", func() bool { return g.follows(mine, id) })
	patrol := g.sendPatrol("patrol14", id)
	for _, word := range []string{"en_route", "on_scene"} {
		g.ask("POST /api/v1/patrol/cases/{case}/words", 200, patrol, `{"what":"`+word+`"}`, "{case}", id)
	}
	g.ask(acts, 200, patrol, `{"act":"close","outcome":"measures","text":"Шара қолданылды."}`, "{case}", id)
	if s := g.ask(progressOf, 200, mine, "", "{call}", id)["status"]; s != "on_scene" {
		t.Fatal("told before the closing is settled:", s)
	}
	g.until("no reply", func() bool {
		v := g.ask(progressOf, 200, mine, "", "{call}", id)
		replies := v["replies"].([]any)
		return v["status"] == "closed" && replies[len(replies)-1].(map[string]any)["text"] == "Шара қолданылды."
	})
	stranger := g.tab(wire.RoleCaller, "")
	for want, header := range map[string]http.Header{
		"no_such_call":  {"X-Client": {stranger.welcome.Client}, "X-Client-Key": {stranger.welcome.Key}},
		"not_signed_in": {"X-Client": {c.welcome.Client}, "X-Client-Key": {stranger.welcome.Key}},
	} {
		status := map[string]int{"no_such_call": 404, "not_signed_in": 401}[want]
		if code := g.code(progressOf, status, header, "", "{call}", id); code != want {
			t.Fatal(want, code)
		}
	}
	if code := g.code(progressOf, 401, nil, "", "{call}", id); code != "not_signed_in" {
		t.Fatal(code)
	}
	if code := g.code(progressOf, 404, mine, "", "{call}", string(ident.New[ident.CallID]())); code != "no_such_call" {
		t.Fatal(code)
	}
}

// TestAPageThatCalledGetsNotices holds that a caller without a registration may ask for notices of their
// call, and that a page that has not called may not.
func TestAPageThatCalledGetsNotices(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const route = "POST /api/v1/push/subscriptions"
	key := g.ask("GET /api/v1/push/key", 200, nil, "")["key"].(string)
	body := `{"endpoint":"https://fcm.googleapis.com/fcm/send/x","p256dh":"` + key + `","auth":"AAAAAAAAAAAAAAAAAAAAAA"}`
	other := g.tab(wire.RoleCaller, "") // it asks for none: its page alone tells it
	quiet := other.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindVoice}).(*wire.CallCreated).View.Call
	other.ask(&wire.CallEnd{Call: quiet})
	g.until("no case", func() bool {
		return g.follows(http.Header{"X-Client": {other.welcome.Client}, "X-Client-Key": {other.welcome.Key}}, quiet)
	})
	g.sendPatrol("patrol06", quiet)
	c := g.tab(wire.RoleCaller, "")
	mine := http.Header{"X-Client": {c.welcome.Client}, "X-Client-Key": {c.welcome.Key}}
	if code := g.code(route, 401, mine, body); code != "not_signed_in" {
		t.Fatal("a page that has not called:", code)
	}
	id := c.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindVoice}).(*wire.CallCreated).View.Call
	if code := g.code(route, 401, http.Header{"X-Client": {c.welcome.Client}, "X-Client-Key": {"x"}}, body); code != "not_signed_in" {
		t.Fatal(code)
	}
	g.ask(route, 204, mine, body)
	c.ask(&wire.CallEnd{Call: id})
	g.until("no case", func() bool { return g.follows(mine, id) })
	patrol := g.sendPatrol("patrol14", id)
	g.ask("POST /api/v1/patrol/cases/{case}/words", 200, patrol, `{"what":"on_scene"}`, "{case}", id)
	g.until("nobody is told", func() bool {
		list, err := g.app.mail.Case(t.Context(), id)
		told := 0
		for _, m := range list {
			if m.Citizen == "page:"+c.welcome.Client && m.Kind == "changed" {
				told++
			}
		}
		return err == nil && told == 2 // on its way, there
	})
	g.ask("DELETE /api/v1/push/subscriptions", 204, mine, `{"endpoint":"https://fcm.googleapis.com/fcm/send/x"}`)
	if list, err := g.app.mail.Case(t.Context(), quiet); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
}

// TestACallForHelpReachesEveryConsole holds that a patrol's call for help is durable, stands on every
// console until it is answered, by a restart too, and that the patrol hears who answered.
func TestACallForHelpReachesEveryConsole(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const raise, answer = "POST /api/v1/patrol/alarm", "POST /api/v1/alarms/{patrol}/answers"
	session := func(login string) string {
		token, _ := g.ask("POST /api/v1/staff/session", 200, nil, `{"login":"`+login+`","password":"`+DemoPassword+`"}`)["token"].(string)
		return token
	}
	desk, page := g.tab(wire.RoleConsole, session("operator")), g.tab(wire.RoleConsole, session("patrol14"))
	patrol, disp := g.as("patrol14"), g.as("dispatcher")
	alarmed := func(open bool) wire.PatrolAlarm {
		for {
			if s, ok := desk.receive().Body.(*wire.ConsoleState); ok && len(s.Alarms) == 1 && (s.Alarms[0].By == "") == open {
				return s.Alarms[0]
			}
		}
	}
	made := g.ask(raise, 201, patrol, fmt.Sprintf(`{"ref":"r1","fix":{"lat":54.87,"lon":69.16,"accuracyM":9,"source":"device","clientMs":%d,"serverMs":0}}`, time.Now().UnixMilli()))
	seen := alarmed(true)
	if seen.Name != "П-14" || seen.Lat == nil || *seen.Lat != 54.87 || seen.Ref != made["ref"] {
		t.Fatalf("%+v", seen)
	}
	if again := g.ask(raise, 201, patrol, `{"ref":"r1","fix":{"lat":540,"lon":69.16,"accuracyM":9,"source":"device","clientMs":0,"serverMs":0}}`); again["atMs"] != made["atMs"] {
		t.Fatal("sent twice it is two", again)
	}
	if after, err := newAlarms(t.Context(), g.app); err != nil || !after.get(ident.StaffID(seen.Patrol)).Open() {
		t.Fatal("a restart forgets it", err)
	}
	if code := g.code(answer, 403, patrol, `{"ref":"r1"}`, "{patrol}", seen.Patrol); code != "forbidden" {
		t.Fatal("a patrol answered itself:", code)
	}
	if code := g.code(answer, 404, disp, `{"ref":"r0"}`, "{patrol}", seen.Patrol); code != "not_found" {
		t.Fatal("another call was answered:", code)
	}
	if code := g.code(raise, 403, disp, `{"ref":"r1"}`); code != "forbidden" {
		t.Fatal(code)
	}
	g.ask(answer, 200, disp, `{"ref":"r1"}`, "{patrol}", seen.Patrol)
	g.ask(answer, 200, g.as("operator"), `{"ref":"r1"}`, "{patrol}", seen.Patrol)
	if a := alarmed(false); a.By != "Диспетчер" {
		t.Fatal("the first answer stands, not", a.By)
	}
	for heard := false; !heard; {
		n, ok := page.receive().Body.(*wire.AlarmNews)
		heard = ok && n.Alarm.By == "Диспетчер"
	}
	if v := g.ask("GET /api/v1/patrol", 200, patrol, "")["alarm"].(map[string]any); v["by"] != "Диспетчер" {
		t.Fatal(v)
	}
	if lines, err := g.app.db.ListAudit(t.Context(), seen.Patrol, 10); err != nil || len(lines) < 2 {
		t.Fatal("it is not in the audit", lines, err)
	}
}

// follows reports whether the progress of a call is told.
func (g *gateway) follows(header http.Header, call string) bool {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.url+"/api/v1/calls/"+call+"/progress", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}
