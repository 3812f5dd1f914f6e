package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/shift"
)

// versions is how many decisions there are about a case.
func (g *gateway) versions(id string) uint64 {
	g.t.Helper()
	s, err := g.app.cases.State(g.t.Context(), ident.CaseID(id))
	if err != nil {
		g.t.Fatal(err)
	}
	return s.Version
}

// refused does something to a case that must be refused with a code, in words, and change nothing.
func (g *gateway) refused(want fault.Code, who http.Header, id, body string) {
	g.t.Helper()
	before := g.versions(id)
	_, code, out := g.raw("POST", "/api/v1/cases/"+id+"/acts", who, body)
	if code != want || g.versions(id) != before {
		g.t.Fatalf("%s: %s, want %s; %d decisions became %d", body, out, want, before, g.versions(id))
	}
	for _, lang := range []string{"kk", "ru", "en"} {
		if !strings.Contains(string(out), `"`+lang+`":"`) {
			g.t.Fatalf("%s: no words in %s: %s", body, lang, out)
		}
	}
}

// onRoster gives somebody a shift that is over in so long, and brings them on duty by it.
func (g *gateway) onRoster(staff ident.StaffID, role string, left time.Duration) {
	g.t.Helper()
	l := shift.Line{ID: shift.ID(ident.New[ident.FileID]()), Staff: staff, Role: role, From: time.Now().Add(-time.Hour), To: time.Now().Add(left)}
	for _, ev := range []shift.Event{shift.Write{By: "boss", Line: l}, shift.Come{Staff: staff}} {
		if _, err := g.app.shifts.Do(g.t.Context(), ev); err != nil {
			g.t.Fatal(err)
		}
	}
}

// TestWhoseShiftIsOverChangesNothingButWhatTheyHold holds the end of a shift at every act on a case.
func TestWhoseShiftIsOverChangesNothingButWhatTheyHold(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	staff, who := g.member("late", "supervisor", "")
	held, others := g.caseIn(""), g.caseIn("")
	g.onRoster(staff, "supervisor", time.Hour)
	g.ask(acts, 200, who, `{"act":"take"}`, "{case}", held)
	patrol, patrolPage := g.member("patrol", "patrol", "")
	g.ask("PUT /api/v1/patrol/duty", 200, patrolPage, `{"on":true}`)
	if _, err := g.app.shifts.Do(t.Context(), shift.Go{Staff: staff}); err != nil {
		t.Fatal(err)
	}
	for _, act := range []string{
		`{"act":"take"}`, `{"act":"take_over"}`, `{"act":"classify","kind":"noise","priority":1}`, `{"act":"add","line":{"id":"n","what":"note","text":"x"}}`,
		`{"act":"send","patrol":"` + string(patrol) + `"}`, `{"act":"close","outcome":"measures","text":"x"}`, `{"act":"merge","case":"` + held + `"}`,
		`{"act":"link","case":"` + held + `"}`,
	} {
		g.refused(fault.ShiftOver, who, others, act)
	}
	g.refused(fault.ShiftOver, who, held, `{"act":"merge","case":"`+others+`"}`) // one's own into what is another's
	if v := g.ask("GET /api/v1/patrol", 200, patrolPage, ""); v["state"] != "available" {
		t.Fatal(v)
	}
	g.ask(acts, 200, who, `{"act":"add","line":{"id":"n","what":"note","text":"x"}}`, "{case}", held)
	g.ask(acts, 200, who, `{"act":"close","outcome":"measures","text":"x"}`, "{case}", held)
	g.ask(caseOf, 200, who, "", "{case}", others) // reading is no change
}

// TestAPatrolWhoseShiftEndsAtItsTaskFinishesIt holds that what is in hand stays in hand.
func TestAPatrolWhoseShiftEndsAtItsTaskFinishesIt(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	staff, who := g.member("patrol", "patrol", "")
	id, other := g.caseIn(""), g.caseIn("")
	g.ask("PUT /api/v1/patrol/duty", 200, who, `{"on":true}`)
	g.ask(acts, 200, g.as("dispatcher"), `{"act":"send","patrol":"`+string(staff)+`"}`, "{case}", id)
	g.onRoster(staff, "patrol", time.Hour)
	if _, err := g.app.shifts.Do(t.Context(), shift.Go{Staff: staff}); err != nil {
		t.Fatal(err)
	}
	const words = "POST /api/v1/patrol/cases/{case}/words"
	for _, word := range []string{"accepted", "on_scene", "on_scene", "cleared", "cleared"} { // each twice is once
		g.ask(words, 200, who, `{"what":"`+word+`"}`, "{case}", id)
		if word == "on_scene" {
			g.ask(acts, 200, who, `{"act":"add","line":{"id":"n","what":"note","text":"x"}}`, "{case}", id)
			g.ask(acts, 200, who, `{"act":"close","outcome":"measures","text":"x"}`, "{case}", id)
			g.ask(acts, 200, who, `{"act":"unclose"}`, "{case}", id)
			g.refused(fault.NoSuchCase, who, other, `{"act":"add","line":{"id":"n","what":"note","text":"x"}}`)
		}
	}
	decided := g.versions(id)
	for _, word := range []string{"accepted", "declined", "en_route"} { // an old word again
		if code := g.code(words, 409, who, `{"what":"`+word+`"}`, "{case}", id); code != "task_over" {
			t.Fatal(word, code)
		}
	}
	if code := g.code(words, 409, who, `{"what":"on_scene"}`, "{case}", other); code != "task_over" {
		t.Fatal("a word on another's task:", code)
	}
	if g.versions(id) != decided || g.versions(other) != 1 {
		t.Fatal("refused words are recorded")
	}
}

// TestWhatIsSentTwiceIsDoneOnce replays every act that a page may repeat after a broken line.
func TestWhatIsSentTwiceIsDoneOnce(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	staff, patrol := g.member("patrol", "patrol", "")
	g.ask("PUT /api/v1/patrol/duty", 200, patrol, `{"on":true}`)
	id, into, boss := g.caseIn(""), g.caseIn(""), g.as("supervisor")
	twice := func(id, body string) {
		t.Helper()
		g.ask(acts, 200, boss, body, "{case}", id)
		decided := g.versions(id)
		g.ask(acts, 200, boss, body, "{case}", id)
		if g.versions(id) != decided {
			t.Fatal(body, "is done twice")
		}
	}
	twice(id, `{"act":"take"}`)
	twice(id, `{"act":"classify","kind":"noise","priority":1}`)
	twice(id, `{"act":"add","line":{"id":"n","what":"note","text":"x"}}`)
	twice(id, `{"act":"link","case":"`+into+`"}`)
	twice(id, `{"act":"send","patrol":"`+string(staff)+`"}`)
	twice(id, `{"act":"recall","patrol":"`+string(staff)+`"}`)
	twice(g.caseIn(""), `{"act":"merge","case":"`+into+`"}`)
	twice(id, `{"act":"close","outcome":"measures","text":"x"}`)
	if v := g.ask("GET /api/v1/patrol", 200, patrol, ""); v["state"] != "available" {
		t.Fatal(v)
	}

	key := phone()
	one := g.ask(sendReport, 201, key, `{"ref":"a","text":"Шу","lang":"kk"}`)
	for range 3 {
		if again := g.ask(sendReport, 201, key, `{"ref":"a","text":"Шу","lang":"kk"}`); again["number"] != one["number"] {
			t.Fatal("one report became two")
		}
	}
	if stranger := g.ask(sendReport, 201, phone(), `{"ref":"a","text":"Шу","lang":"kk"}`); stranger["number"] == one["number"] {
		t.Fatal("a stranger's report with the same reference is taken for this one")
	}
	report := one["report"].(string)
	g.ask("POST /api/v1/reports/{report}/amends", 200, key, `{"id":"r","text":"Тағы"}`, "{report}", report)
	decided := g.versions(report)
	g.ask("POST /api/v1/reports/{report}/amends", 200, key, `{"id":"r","text":"Тағы"}`, "{report}", report)
	if g.versions(report) != decided {
		t.Fatal("words are added twice")
	}
}

// TestNothingIsDoneToWhatIsClosedOrMerged holds the states of a case against whoever ignores them.
func TestNothingIsDoneToWhatIsClosedOrMerged(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	staff, patrol := g.member("patrol", "patrol", "")
	g.ask("PUT /api/v1/patrol/duty", 200, patrol, `{"on":true}`)
	boss := g.as("supervisor")
	closed, merged, into, open := g.caseIn(""), g.caseIn(""), g.caseIn(""), g.caseIn("")
	g.ask(acts, 200, boss, `{"act":"close","outcome":"measures","text":"x"}`, "{case}", closed)
	g.ask(acts, 200, boss, `{"act":"merge","case":"`+into+`"}`, "{case}", merged)
	merge := func(id string) string { return `{"act":"merge","case":"` + id + `"}` }
	send := `{"act":"send","patrol":"` + string(staff) + `"}`
	g.refused(fault.CaseClosed, boss, closed, send)
	g.refused(fault.CaseClosed, boss, closed, `{"act":"classify","kind":"noise","priority":0}`)
	g.refused(fault.CaseClosed, boss, closed, merge(open))
	g.refused(fault.CaseClosed, boss, open, merge(closed))
	g.refused(fault.CaseMerged, boss, merged, send)
	g.refused(fault.CaseMerged, boss, merged, `{"act":"close","outcome":"measures","text":"x"}`)
	g.refused(fault.BadValue, boss, open, merge(open))     // into itself
	g.refused(fault.CaseMerged, boss, into, merge(merged)) // in a circle of two
	g.refused(fault.CaseMerged, boss, into, merge(open))   // a chain, of which a circle could be made
	g.refused(fault.CaseMerged, boss, open, merge(merged))
	g.refused(fault.NoSuchCase, boss, open, merge(string(ident.New[ident.CaseID]())))
	g.refused(fault.NoSuchCase, boss, open, merge("../../etc"))
	g.refused(fault.NoSuchOperator, boss, open, `{"act":"send","patrol":"nobody"}`)
	g.refused(fault.UnknownType, boss, open, `{"act":"erase"}`)
	g.ask(acts, 200, boss, send, "{case}", open) // and the patrol is free for what is open
}

// TestFilesAndReportsAreOfTheirOwn holds files of another case and reports of another key.
func TestFilesAndReportsAreOfTheirOwn(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	file := string(ident.New[ident.FileID]())
	body := fmt.Sprintf(`{"ref":"a","text":"x","lang":"kk","files":[{"file":%q,"bytes":3,"sha256":%q}]}`, file, strings.Repeat("ab", 32))
	mine, key := g.ask(sendReport, 201, phone(), body)["report"].(string), phone()
	theirs := g.ask(sendReport, 201, key, `{"ref":"b","text":"y","lang":"kk"}`)["report"].(string)
	op := g.as("operator")
	const one = "GET /api/v1/cases/{case}/files/{recording}/{file}"
	if code := g.code(one, 404, op, "", "{case}", theirs, "{recording}", mine, "{file}", file); code != "no_such_file" {
		t.Fatal("a file by way of another case:", code)
	}
	if code := g.code(one, 404, g.sendPatrol("patrol14", theirs), "", "{case}", mine, "{recording}", mine, "{file}", file); code != "no_such_case" {
		t.Fatal("a file of a case that a patrol is not at:", code)
	}
	if code := g.code("POST /api/v1/reports/{report}/amends", 404, key, `{"id":"r1","text":"x","reopen":true}`, "{report}", mine); code != "no_such_case" {
		t.Fatal("a report of another key:", code)
	}
	if list := g.ask("GET /api/v1/reports", 200, key, "")["reports"].([]any); len(list) != 1 || list[0].(map[string]any)["report"] != theirs {
		t.Fatal(list)
	}
}

// TestMarkupStaysText holds that what looks like markup comes out as it went in, as data that no browser
// takes for a page.
func TestMarkupStaysText(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const evil = `<script>alert(1)</script>`
	body := `{"ref":"a","lang":"kk","text":"` + evil + `","plate":"<b>123</b>","name":"<img src=x onerror=alert(1)>","where":"=1+1<svg onload=alert(1)>"}`
	id := g.ask(sendReport, 201, phone(), body)["report"].(string)
	op := g.as("operator")
	res := g.header("/api/v1/cases/"+id, op)
	if h := res.Header; !strings.HasPrefix(h.Get("Content-Type"), "application/json") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatal(h)
	}
	v := g.ask(caseOf, 200, op, "", "{case}", id)
	found := map[string]bool{}
	for _, l := range v["card"].([]any) {
		line := l.(map[string]any)
		found[fmt.Sprint(line["text"])], found[fmt.Sprint(line["name"])] = true, true
		if p, ok := line["place"].(map[string]any); ok {
			found[fmt.Sprint(p["words"])] = true
		}
	}
	if !found[evil] || !found["<b>123</b>"] || !found["=1+1<svg onload=alert(1)>"] || v["citizen"].(map[string]any)["name"] != "<img src=x onerror=alert(1)>" {
		t.Fatal(v["card"], v["citizen"])
	}
	for name, bad := range map[string]string{
		"two lines": `{"ref":"b","text":"x","plate":"1\n2"}`, "a control": `{"ref":"b","text":"x","name":"a\u0000b"}`, "too long": `{"ref":"b","text":"x","plate":"` + strings.Repeat("1", 21) + `"}`,
	} {
		if code := g.code(sendReport, 400, phone(), bad); code != "bad_value" {
			t.Error(name, code)
		}
	}
}

// header asks for a page of the API and returns the answer without its body.
func (g *gateway) header(path string, who http.Header) *http.Response {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.url+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header = who.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res
}

// TestPositionsThatCannotBe holds places out of range, in the future, and jumps of 500 km.
func TestPositionsThatCannotBe(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	now := time.Now()
	fix := func(lat, accuracy float64, at time.Time) string {
		return fmt.Sprintf(`{"lat":%g,"lon":69.16,"accuracyM":%g,"source":"device","clientMs":%d,"serverMs":0}`, lat, accuracy, at.UnixMilli())
	}
	for name, f := range map[string]string{
		"out of range": fix(91, 10, now), "in the future": fix(54, 10, now.Add(time.Hour)), "less than nothing": fix(54, -1, now),
	} {
		for _, field := range []string{"fix", "pin"} {
			if code := g.code(sendReport, 400, phone(), `{"ref":"a","text":"x","`+field+`":`+f+`}`); code != "bad_value" {
				t.Errorf("%s %s: %s", name, field, code)
			}
		}
	}
	// Who reports what is 500 km away is believed in both: where they are, and where it is.
	pin := strings.Replace(fix(50.37, 0, now), `"device"`, `"pin"`, 1)
	key := phone()
	id := g.ask(sendReport, 201, key, `{"ref":"a","text":"x","lang":"kk","fix":`+fix(54.87, 10, now)+`,"pin":`+pin+`}`)["report"].(string)
	places := 0
	for _, l := range g.ask(caseOf, 200, g.as("operator"), "", "{case}", id)["card"].([]any) {
		if l.(map[string]any)["place"] != nil {
			places++
		}
	}
	if places != 2 {
		t.Fatalf("%d places are kept of two", places)
	}

	_, patrol := g.member("patrol", "patrol", "")
	const put = "PUT /api/v1/patrol/fix"
	if code := g.code(put, 409, patrol, fix(54.87, 10, now)); code != "not_ready" {
		t.Fatal("off duty:", code)
	}
	g.ask("PUT /api/v1/patrol/duty", 200, patrol, `{"on":true}`)
	g.ask(put, 204, patrol, fix(54.87, 10, now.Add(-2*time.Second)))
	for name, f := range map[string]string{
		"500 km": fix(50.37, 10, now), "500 km, and says that it does not know": fix(50.37, 1e6, now), "out of range": fix(-91, 10, now), "of yesterday": fix(54.87, 10, now.Add(-24*time.Hour)),
	} {
		if code := g.code(put, 400, patrol, f); code != "bad_value" {
			t.Errorf("%s: %s", name, code)
		}
	}
	rows := g.ask("GET /api/v1/patrols", 200, g.as("dispatcher"), "")["patrols"].([]any)
	if len(rows) != 1 || rows[0].(map[string]any)["lat"] != 54.87 {
		t.Fatal("a broken fix moved it:", rows)
	}
}
