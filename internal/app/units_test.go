package app

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/accounts"
)

var update = flag.Bool("update", false, "write docs/ACCESS-CASES.md anew")

const unitsDoc = "../../docs/ACCESS-CASES.md"

const unitsHead = `# Who may do what to which case

Made by asking a whole gateway, as everybody, about cases of their own unit, of another unit and of none; "go test ./internal/app -run
EveryCaseByEverybody -update" writes it anew, and the test fails on an answer that differs. "yes": of every unit; "own": of the person's
own unit, or of none; "-": refused, with nothing changed. Everybody here works in one unit; whoever has no unit works for the whole
site, as if every unit were theirs. "patrol" has no task; "patrol sent there" is at the case that is asked about. [ACCESS.md](ACCESS.md)
has every route.

`

// ownOnly are those whose reach ends with their unit, whatever the table says; never is what nobody may let
// them do by writing it anew.
var ownOnly = []string{"investigator", "patrol"}

var never = map[string][]string{
	"operator":          {"send a patrol of one's unit", "send a patrol of another unit", "take it over"},
	"dispatcher":        {"send a patrol of another unit", "take it over"},
	"camera":            {"take it", "classify it", "close it", "send a patrol of one's unit"},
	"navigation":        {"send a patrol of one's unit", "take it over"},
	"investigator":      {"take it", "classify it", "close it", "reopen it", "send a patrol of one's unit"},
	"administrator":     {"read it", "find it in a list", "see it as similar to one's own", "read its course", "take it", "close it", "add a note", "declare files for it"},
	"patrol":            {"read it", "find it in a list", "see it as similar to one's own", "read its course", "add a note", "close it", "declare files for it", "say a patrol's word on it"},
	"patrol sent there": {"take it", "classify it", "reopen it", "see it as similar to one's own", "send a patrol of one's unit"},
}

// member makes somebody with a role and a unit and signs them in.
func (g *gateway) member(name, role, unit string) (ident.StaffID, http.Header) {
	g.t.Helper()
	id, token := ident.New[ident.StaffID](), string(ident.New[ident.CallID]())
	err := g.app.db.PutStaff(g.t.Context(), store.Staff{ID: id, Login: string(id), Name: name, Roles: []string{role}, Unit: unit, Lang: "kk"})
	if err == nil {
		err = g.app.db.PutStaffSession(g.t.Context(), string(accounts.SessionOf(token)), id, time.Now().Add(time.Hour))
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return id, http.Header{"Authorization": {"Bearer " + token}}
}

// caseIn makes a case of a unit, as the store has one that came there.
func (g *gateway) caseIn(unit string) string {
	g.t.Helper()
	id := ident.New[ident.CaseID]()
	number := "26-" + string(id[:8])
	body := fmt.Appendf(nil, `{"id":%q,"number":%q,"lane":"report","unit":%q,"citizen":{"lang":"kk"},"recording":{"id":%q},"card":[{"id":"p","what":"place","place":{"source":"device","hasFix":true,"lat":54.87,"lon":69.16,"accuracyM":20}}]}`,
		id, number, unit, id)
	row := store.CaseAppend{
		Record: store.CaseRecord{Version: 1, At: time.Now().UTC(), Kind: "began", Body: body},
		Row:    store.CaseSummary{Case: id, Number: number, Version: 1, Lane: "report", Unit: unit, Status: "registered", Place: &store.Spot{Lat: 54.87, Lon: 69.16}, CaseTimes: store.CaseTimes{OpenedAt: time.Now().UTC()}},
		Find:   number,
	}
	if err := g.app.db.AppendCases(g.t.Context(), row); err != nil {
		g.t.Fatal(err)
	}
	return string(id)
}

// raw asks and returns the status, the code of a refusal and the body.
func (g *gateway) raw(method, path string, header http.Header, body string) (int, fault.Code, []byte) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for key, values := range header {
		req.Header[key] = values
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	var refusal struct {
		Error struct{ Code fault.Code }
	}
	_ = json.Unmarshal(out, &refusal) // what is no JSON is no refusal
	return res.StatusCode, refusal.Error.Code, out
}

// deed is one line of the table. It reports whether access let somebody through.
type deed struct {
	name string
	ask  func(g *gateway, who http.Header, id string) bool
}

// let asks with a body and reports whether it was refused by access.
func let(method, path, body string) func(*gateway, http.Header, string) bool {
	return func(g *gateway, who http.Header, id string) bool {
		_, code, out := g.raw(method, strings.ReplaceAll(path, "CASE", id), who, body)
		if slices.Contains([]fault.Code{fault.BadMessage, fault.UnknownType, fault.Internal}, code) {
			g.t.Errorf("%s %s: not understood: %s", method, path, out)
		}
		return !slices.Contains([]fault.Code{fault.Forbidden, fault.NoSuchCase, fault.NotSignedIn}, code)
	}
}

func act(body string) func(*gateway, http.Header, string) bool {
	return let("POST", "/api/v1/cases/CASE/acts", body)
}

// deeds are what is asked about. Patrols and other cases are there for the acts that need one.
func (g *gateway) deeds(patrols map[string]ident.StaffID) []deed {
	with := func(kind, unit string) func(*gateway, http.Header, string) bool {
		return func(g *gateway, who http.Header, id string) bool {
			return act(fmt.Sprintf(`{"act":%q,"case":%q}`, kind, g.caseIn(unit)))(g, who, id)
		}
	}
	send := func(unit string) func(*gateway, http.Header, string) bool {
		return act(`{"act":"send","patrol":"` + string(patrols[unit]) + `"}`)
	}
	return []deed{
		{"read it", let("GET", "/api/v1/cases/CASE", "")},
		{"find it in a list", func(g *gateway, who http.Header, id string) bool {
			_, _, out := g.raw("GET", "/api/v1/cases?text=26-"+id[:8], who, "")
			return strings.Contains(string(out), id)
		}},
		{"see it as similar to one's own", func(g *gateway, who http.Header, id string) bool {
			_, _, out := g.raw("GET", "/api/v1/cases/"+g.caseIn("north")+"/similar", who, "")
			return strings.Contains(string(out), id)
		}},
		{"read its course", let("GET", "/api/v1/cases/CASE/course", "")},
		{"see who could be sent", let("GET", "/api/v1/cases/CASE/proposals", "")},
		{"take it", act(`{"act":"take"}`)},
		{"take it over", act(`{"act":"take_over"}`)},
		{"classify it", act(`{"act":"classify","kind":"noise","priority":2}`)},
		{"add a note", act(`{"act":"add","line":{"id":"n","what":"note","text":"x"}}`)},
		{"send a patrol of one's unit", send("north")},
		{"send a patrol of another unit", send("south")},
		{"close it", act(`{"act":"close","outcome":"measures","text":"x"}`)},
		{"reopen it", act(`{"act":"reopen","reason":"x"}`)},
		{"merge it into a case of one's unit", with("merge", "north")},
		{"merge it into a case of another unit", with("merge", "south")},
		{"link it with a case of another unit", with("link", "south")},
		{"declare files for it", let("POST", "/api/v1/cases/CASE/files", `{"ref":"r","files":[{"file":"`+string(ident.New[ident.FileID]())+`","bytes":1,"sha256":"`+strings.Repeat("0", 64)+`"}]}`)},
		{"say a patrol's word on it", func(g *gateway, who http.Header, id string) bool {
			_, code, _ := g.raw("POST", "/api/v1/patrol/cases/"+id+"/words", who, `{"what":"accepted"}`)
			return code != fault.Forbidden && code != fault.TaskOver && code != fault.NotSignedIn
		}},
	}
}

// TestEveryCaseByEverybody is the table of who may do what to cases of which unit.
func TestEveryCaseByEverybody(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	var names []string
	for _, r := range access.Roles() {
		names = append(names, string(r))
	}
	names = append(names, "patrol sent there")
	patrols := map[string]ident.StaffID{}
	for _, unit := range []string{"north", "south"} {
		id, who := g.member("patrol of "+unit, "patrol", unit)
		g.ask("PUT /api/v1/patrol/duty", 200, who, `{"on":true}`)
		patrols[unit] = id
	}
	var rows []string
	for _, d := range g.deeds(patrols) {
		cells := []string{d.name}
		for _, name := range names {
			may := map[string]bool{}
			for _, unit := range []string{"north", "south", ""} {
				may[unit] = g.may(d, name, unit)
			}
			cell, ok := map[[3]bool]string{{true, true, true}: "yes", {true, false, true}: "own", {}: "-"}[[3]bool{may["north"], may["south"], may[""]}]
			if !ok {
				cell = fmt.Sprintf("ODD %v", may)
				t.Errorf("%s as %s: %v", d.name, name, may)
			}
			if cell != "-" && slices.Contains(never[name], d.name) || cell == "yes" && slices.Contains(ownOnly, name) {
				t.Errorf("%s as %s: %s", d.name, name, cell)
			}
			cells = append(cells, cell)
		}
		rows = append(rows, "| "+strings.Join(cells, " | ")+" |\n")
	}
	doc := unitsHead + "| deed | " + strings.Join(names, " | ") + " |\n|" + strings.Repeat("---|", len(names)+1) + "\n" + strings.Join(rows, "")
	if *update && !t.Failed() {
		if err := os.WriteFile(unitsDoc, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(unitsDoc)
	if err != nil || string(raw) != doc {
		t.Errorf("%s differs from what was answered (%v); where it is meant, write it anew:\n%s", unitsDoc, err, strings.Join(rows, ""))
	}
}

// may asks about a case of its own as somebody of their own, so that no question changes the next answer.
func (g *gateway) may(d deed, name, unit string) bool {
	g.t.Helper()
	role, sent, _ := strings.Cut(name, " ")
	staff, who := g.member(name, role, "north")
	id := g.caseIn(unit)
	if sent != "" {
		g.ask("PUT /api/v1/patrol/duty", 200, who, `{"on":true}`)
		_, boss := g.member("boss", "supervisor", "")
		g.ask(acts, 200, boss, `{"act":"send","patrol":"`+string(staff)+`"}`, "{case}", id)
	}
	return d.ask(g, who, id)
}
