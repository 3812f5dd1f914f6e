package app

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/wire"
)

const (
	acts       = "POST /api/v1/cases/{case}/acts"
	caseOf     = "GET /api/v1/cases/{case}"
	sendReport = "POST /api/v1/reports"
)

// phone is a citizen's phone: the key of its reports.
func phone() http.Header {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	return http.Header{"X-Report-Key": {base64.RawURLEncoding.EncodeToString(raw)}}
}

// code asks for what is refused and returns the code.
func (g *gateway) code(route string, status int, header http.Header, body string, ids ...string) string {
	g.t.Helper()
	e, _ := g.ask(route, status, header, body, ids...)["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

// mine returns the only report of a phone.
func (g *gateway) mine(key http.Header) map[string]any {
	g.t.Helper()
	list := g.ask("GET /api/v1/reports", 200, key, "")["reports"].([]any)
	if len(list) != 1 {
		g.t.Fatal("reports", list)
	}
	return list[0].(map[string]any)
}

// TestAReportBecomesACaseAndGetsItsReply walks a report from the phone to the reply, by way of a patrol.
func TestAReportBecomesACaseAndGetsItsReply(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key, disp, op, patrol := phone(), g.as("dispatcher"), g.as("operator"), g.as("patrol14")
	body := fmt.Sprintf(`{"ref":"a","kind":"noise","text":"Музыка түні бойы","lang":"kk","madeMs":%d,"plate":"123 ABC 15","fix":{"lat":54.87,"lon":69.16,"accuracyM":20,"source":"device","clientMs":%d,"serverMs":0}}`,
		time.Now().UnixMilli(), time.Now().UnixMilli())
	receipt := g.ask(sendReport, 201, key, body)
	if sum := sha256.Sum256([]byte(body)); receipt["sha256"] != hex.EncodeToString(sum[:]) {
		t.Fatal("the receipt is not over the bytes that were sent")
	}
	if again := g.ask(sendReport, 201, key, body); again["number"] != receipt["number"] || again["sha256"] != receipt["sha256"] {
		t.Fatal("sent twice it is two", receipt, again)
	}
	if code := g.code(sendReport, 400, key, `{"ref":"b","text":"  "}`); code != "empty_report" {
		t.Fatal(code)
	}
	if code := g.code("GET /api/v1/reports", 401, http.Header{"X-Report-Key": {"short"}}, ""); code != "not_signed_in" {
		t.Fatal(code)
	}
	id := receipt["report"].(string)
	list := g.ask("GET /api/v1/cases", 200, disp, "")["cases"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["number"] != receipt["number"] {
		t.Fatal(list)
	}
	act := func(who http.Header, body string) map[string]any { return g.ask(acts, 200, who, body, "{case}", id) }
	act(op, `{"act":"take"}`)
	act(op, `{"act":"classify","kind":"noise","priority":2}`)
	act(op, `{"act":"add","line":{"id":"n1","what":"note","text":"Екінші рет"}}`)

	g.ask("PUT /api/v1/patrol/duty", 200, patrol, `{"on":true}`)
	g.ask("PUT /api/v1/patrol/fix", 204, patrol, fmt.Sprintf(`{"lat":54.88,"lon":69.16,"accuracyM":10,"source":"device","clientMs":%d,"serverMs":0}`, time.Now().UnixMilli()))
	if code := g.code("PUT /api/v1/patrol/fix", 400, patrol, fmt.Sprintf(`{"lat":44.88,"lon":69.16,"accuracyM":10,"source":"device","clientMs":%d,"serverMs":0}`, time.Now().Add(50*time.Second).UnixMilli())); code != "" && code != "bad_value" {
		t.Fatal(code)
	}
	near := g.ask("GET /api/v1/cases/{case}/proposals", 200, disp, "", "{case}", id)["patrols"].([]any)
	if len(near) != 1 || near[0].(map[string]any)["metres"].(float64) < 1000 {
		t.Fatal(near)
	}
	staff := near[0].(map[string]any)["patrol"].(string)
	if code := g.code(acts, 403, op, `{"act":"send","patrol":"`+staff+`"}`, "{case}", id); code != "forbidden" {
		t.Fatal(code)
	}
	if code := g.code(caseOf, 404, patrol, "", "{case}", id); code != "no_such_case" {
		t.Fatal("a patrol sees what it is not at", code)
	}
	act(disp, `{"act":"send","patrol":"`+staff+`","reason":"1.1 km"}`)
	if v := g.ask("GET /api/v1/patrol", 200, patrol, ""); v["state"] != "assigned" || v["task"] == nil {
		t.Fatal(v)
	}
	say := func(word string) map[string]any {
		return g.ask("POST /api/v1/patrol/cases/{case}/words", 200, patrol, `{"what":"`+word+`"}`, "{case}", id)
	}
	say("accepted")
	say("on_scene")
	g.ask("GET /api/v1/patrols", 200, disp, "")
	if code := g.code("PUT /api/v1/patrol/duty", 409, patrol, `{"on":false}`); code != "wrong_state" {
		t.Fatal(code)
	}
	if code := g.code(acts, 400, op, `{"act":"close","outcome":"measures","text":""}`, "{case}", id); code != "reply_needed" {
		t.Fatal(code)
	}
	act(op, `{"act":"close","outcome":"measures","text":"Шара қолданылды."}`)
	if s := g.mine(key)["status"]; s != "on_scene" {
		t.Fatal("told before the closing is settled:", s)
	}
	act(op, `{"act":"unclose"}`)
	act(op, `{"act":"close","outcome":"measures","text":"Шара қолданылды."}`)
	g.until("no reply", func() bool { return g.mine(key)["status"] == "closed" })
	replies := g.mine(key)["replies"].([]any)
	if last := replies[len(replies)-1].(map[string]any); last["text"] != "Шара қолданылды." {
		t.Fatal(replies)
	}
	if v := g.ask("GET /api/v1/patrol", 200, patrol, ""); v["state"] != "available" {
		t.Fatal(v)
	}
	g.ask("POST /api/v1/reports/{report}/amends", 200, key, `{"id":"r1","text":"Тағы да","reopen":true}`, "{report}", id)
	v := g.ask(caseOf, 200, op, "", "{case}", id)
	if v["status"] != "reopened" || len(v["recordings"].([]any)) != 2 {
		t.Fatal(v["status"], v["recordings"])
	}
	if code := g.code("POST /api/v1/reports/{report}/amends", 404, phone(), `{"id":"r1","text":"x"}`, "{report}", id); code != "no_such_case" {
		t.Fatal("a stranger's report", code)
	}
	g.ask("GET /api/v1/cases/{case}/similar", 200, op, "", "{case}", id)
	g.ask("GET /api/v1/cases/choices", 200, nil, "")
}

// TestAReportIsEvidence holds that a report is sealed, found and verified as a call is.
func TestAReportIsEvidence(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	look := g.as("investigator")
	receipt := g.ask(sendReport, 201, phone(), `{"ref":"a","text":"Жол ойылған","lang":"kk"}`)
	id := receipt["report"].(string)
	g.until("it is not sealed", func() bool {
		row := g.ask("GET /api/v1/evidence/calls", 200, look, "")["calls"].([]any)[0].(map[string]any)
		return row["call"] == id && row["kind"] == "report" && row["recording"] == "sealed"
	})
	g.ask("POST /api/v1/evidence/calls/{call}/opening", 204, look, `{"case":"24-17","reason":"r"}`, "{call}", id)
	detail := g.ask("GET /api/v1/evidence/calls/{call}", 200, look, "", "{call}", id)
	events := detail["timeline"].(map[string]any)["events"].([]any)
	if len(events) == 0 {
		t.Fatal("the report is not in its archive")
	}
	report := g.ask("POST /api/v1/evidence/calls/{call}/verify", 200, look, "", "{call}", id)
	for _, l := range report["levels"].([]any) {
		if state := l.(map[string]any)["state"]; state == "failed" || state == "partial" {
			t.Fatal(report)
		}
	}
	if ref, _ := detail["case"].(map[string]any); ref["number"] != receipt["number"] {
		t.Fatal("the recording does not name its case", detail["case"])
	}
	whole := g.ask("GET /api/v1/evidence/cases/{case}", 200, look, "", "{case}", id)
	if list := whole["recordings"].([]any); len(list) != 1 || list[0].(map[string]any)["call"] != id {
		t.Fatal(whole)
	}
	g.ask(acts, 200, g.as("operator"), `{"act":"take"}`, "{case}", id)
	course := g.ask("GET /api/v1/cases/{case}/course", 200, look, "", "{case}", id)["course"].([]any)
	if len(course) != 2 || course[0].(map[string]any)["fact"] != "began" || course[1].(map[string]any)["by"] != "Оператор 1" {
		t.Fatal(course)
	}
	for _, route := range []string{"GET /api/v1/evidence/cases/{case}", "GET /api/v1/cases/{case}/course"} {
		if code := g.code(route, 404, look, "", "{case}", strings.Repeat("0", 26)); code != "no_such_case" {
			t.Error(route, code)
		}
	}
	if lines, err := g.app.db.ListAudit(t.Context(), id, 50); err != nil || !slices.ContainsFunc(lines, func(l store.Audit) bool { return l.Action == "case" }) {
		t.Error("nobody was kept as having looked at the case", err)
	}
}

// TestACallBeginsACase holds that a call has its case, with its place, and that its write-up ends it.
func TestACallBeginsACase(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	look, op := g.as("investigator"), g.as("operator")
	id := g.call(look) // wrapped up with an outcome that closes nothing
	g.until("no case", func() bool {
		list := g.ask("GET /api/v1/cases", 200, op, "")["cases"].([]any)
		return len(list) == 1 && list[0].(map[string]any)["kind"] == "false"
	})
	v := g.ask(caseOf, 200, op, "", "{case}", id)
	if v["lane"] != "call" || v["status"] != "in_work" || v["ownerName"] != "Оператор 1" {
		t.Fatal(v)
	}
}

// TestPositionsOfACallAreOnItsCard holds that the first position is there even where it comes before the
// news of its call, and that a pin does not displace it.
func TestPositionsOfACallAreOnItsCard(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	c := g.tab(wire.RoleCaller, "")
	id := c.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindVoice, Fix: &wire.Fix{Lat: 54.87, Lon: 69.16, AccuracyM: 900, Source: "device"}}).(*wire.CallCreated).View.Call
	for i, f := range []wire.Fix{{Lat: 54.8701, Lon: 69.16, AccuracyM: 800, Source: "device"}, {Lat: 54.8702, Lon: 69.16, AccuracyM: 10, Source: "device"}, {Lat: 54.88, Lon: 69.17, Source: "pin"}} {
		c.ask(&wire.PositionReport{Call: id, ID: fmt.Sprint(i), Fix: f})
	}
	g.until("not three places", func() bool {
		v := g.ask(caseOf, 200, g.as("operator"), "", "{case}", id)
		card := v["card"].([]any)
		return len(card) == 3 && v["lat"] == 54.88
	})
}

// TestAnotherUnitsCaseIsNotTouched holds the unit on the case itself.
func TestAnotherUnitsCaseIsNotTouched(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	receipt := g.ask(sendReport, 201, phone(), `{"ref":"a","text":"x","lang":"kk"}`)
	id := receipt["report"].(string)
	list, err := g.app.db.ListStaff(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Login == "dispatcher" {
			s.Unit = "north"
			if err := g.app.db.PutStaff(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	disp := g.as("dispatcher")
	g.ask(acts, 200, disp, `{"act":"take"}`, "{case}", id) // nobody's alone
	south := ident.New[ident.CaseID]()
	at := time.Now()
	row := store.CaseAppend{Record: store.CaseRecord{Version: 1, At: at, Kind: "began", Body: fmt.Appendf(nil, `{"id":%q,"number":"26-9","lane":"report","unit":"south","citizen":{"lang":"kk"},"recording":{"id":%q}}`, south, south)}, Row: store.CaseSummary{Case: south, Number: "26-9", Lane: "report", Unit: "south", Status: "registered", CaseTimes: store.CaseTimes{OpenedAt: at}}}
	if err := g.app.db.AppendCases(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if code := g.code(acts, 403, disp, `{"act":"take"}`, "{case}", string(south)); code != "forbidden" {
		t.Fatal(code)
	}
	if code := g.code(acts, 403, disp, `{"act":"merge","case":"`+string(south)+`"}`, "{case}", id); code != "forbidden" {
		t.Fatal(code)
	}
	g.ask(acts, 200, g.as("operator"), `{"act":"take"}`, "{case}", string(south))
}

// TestTwoPeopleAtOneCase holds that nobody classifies or closes over what they have not seen, and that lists
// tell cases apart: what they are about, why they were found, which are alike.
func TestTwoPeopleAtOneCase(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	op, disp, camera := g.as("operator"), g.as("dispatcher"), g.as("camera")
	key := phone()
	one := func(ref, text string) string {
		fix := `{"lat":54.87,"lon":69.16,"accuracyM":20,"source":"device","clientMs":0,"serverMs":0}`
		return g.ask(sendReport, 201, key, `{"ref":"`+ref+`","kind":"parking","text":"`+text+`","lang":"ru","plate":"123 ABC 15","where":"Абай 24","phone":"+77015551212","fix":`+fix+`}`)["report"].(string)
	}
	id, other := one("a", "Машина на газоне"), one("b", "Стоит у подъезда")
	act := func(who http.Header, body string) map[string]any { return g.ask(acts, 200, who, body, "{case}", id) }
	seen := act(op, `{"act":"take"}`)["version"].(float64)
	act(disp, fmt.Sprintf(`{"act":"classify","kind":"driving","priority":1,"version":%v}`, seen))
	for _, body := range []string{
		fmt.Sprintf(`{"act":"classify","kind":"noise","priority":3,"version":%v}`, seen),
		fmt.Sprintf(`{"act":"close","outcome":"measures","text":"Спасибо","version":%v}`, seen),
	} {
		if code := g.code(acts, 409, op, body, "{case}", id); code != "case_stale" {
			t.Fatal(body, code)
		}
	}
	v := g.ask(caseOf, 200, op, "", "{case}", id)
	if v["kind"] != "driving" || v["priority"] != 1.0 || !slices.Equal(v["may"].([]any), []any{"edit"}) {
		t.Fatal(v)
	}
	if may := g.ask(caseOf, 200, camera, "", "{case}", id)["may"].([]any); len(may) != 0 {
		t.Fatal("the camera watch is offered", may)
	}
	replies := v["replies"].([]any)
	if m, _ := replies[0].(map[string]any)["message"].(map[string]any); m["stage"] == "" || m["atMs"] == 0.0 {
		t.Fatal("nobody knows whether the citizen was reached", replies)
	}
	act(disp, `{"act":"classify","kind":"parking","priority":3}`)
	find := func(query string) []any {
		return g.ask("GET /api/v1/cases"+query, 200, op, "")["cases"].([]any)
	}
	list := find("?open=1&order=urgent&unanswered=1")
	if len(list) != 1 || list[0].(map[string]any)["case"] != other {
		t.Fatal("one of the two was answered when it was taken:", list)
	}
	if list = find("?text=123авс15&order=oldest"); len(list) != 2 || list[0].(map[string]any)["case"] != id {
		t.Fatal(list)
	}
	first := list[0].(map[string]any)
	why := first["why"].([]any)
	if len(why) != 1 || why[0].(map[string]any)["what"] != "plate" || first["plate"] != "123 ABC 15" || first["place"] != "Абай 24" || first["text"] != "Машина на газоне" {
		t.Fatal(first)
	}
	if alike := first["alike"].([]any); len(alike) != 1 || alike[0] != other {
		t.Fatal("two reports about one place are not alike", alike)
	}
	if list = find("?unowned=1&limit=1"); len(list) != 1 || list[0].(map[string]any)["case"] != other {
		t.Fatal(list)
	}
	for _, bad := range []string{"?order=best", "?limit=0", "?limit=x", "?near=1,2"} {
		if code := g.code("GET /api/v1/cases"+bad, 400, op, ""); code != "bad_value" {
			t.Error(bad, code)
		}
	}
}
