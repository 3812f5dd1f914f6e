package signaling

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/shift"
	"jedel/internal/store"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"
)

var update = flag.Bool("update", false, "write docs/ACCESS.md anew")

const accessDoc = "../docs/ACCESS.md"

const accessHead = `# Who may use which route

Made by asking the running handlers for every route, as everybody; "go test ./signaling -run EveryRouteByEverybody -update" writes
it anew. The test fails on a route that is not here and on an answer that differs. "yes": of every unit; "own": of the person's own
unit, or of none; "-": refused. "caller" is a registered caller with an open page. A route may still refuse for other reasons than
the role: a recording is opened with a reason only, a file is read by those in its call. [ACCESS-CASES.md](ACCESS-CASES.md) has who may
do what to which case.

`

// asker is one column of the table.
type asker struct {
	name  string
	roles []string // of staff; none: nobody or a caller
}

func askers() []asker {
	list := []asker{{name: "nobody"}, {name: "caller"}}
	for _, r := range access.Roles() {
		list = append(list, asker{string(r), []string{string(r)}})
	}
	return list
}

// public are the routes that nobody at all may use: adding one takes a line here, not only -update.
var public = []string{
	"GET /api/openapi.json", "GET /api/v1/config", "GET /healthz", "GET /map/street.pmtiles", "GET /readyz", "GET /ws",
	"POST /api/v1/sos", // a call, as the tap is
	"POST /api/v1/caller/code", "POST /api/v1/caller/register", "POST /api/v1/staff/session", "DELETE /api/v1/staff/session",
	"GET /api/v1/cases/choices",
	"GET /api/v1/geo/address", "GET /api/v1/geo/search", // a map answers; nothing is kept of who asks
	"POST /api/v1/staff/invitation", "PUT /api/v1/staff/invitation", // who has the link has shown who they are
	"GET /api/v1/staff/oidc", "GET /api/v1/staff/oidc/callback", "GET /api/v1/push/key",
	"OPTIONS /api/v1/reports/uploads/{$}", // which protocol is spoken, no more
}

// evidenceOf are the roles that may be let through to what is said in recordings.
var evidenceOf = []string{"supervisor", "investigator"}

// world is what the routes are asked about: one thing of the asker's unit, one of another.
type world struct {
	*edge
	own, other string
	bodies     map[string]string // "METHOD /path" -> a body that is understood
}

// UnitOf implements Units.
func (x *world) UnitOf(_ context.Context, call ident.CallID) (string, error) {
	return map[string]string{x.own: "north", x.other: "south"}[string(call)], nil
}

// knock asks one route as somebody and reports whether access let them through.
func (x *world) knock(route string, a asker, own bool) bool {
	x.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	object, unit := x.own, "north"
	if !own {
		object, unit = x.other, "south"
	}
	body := strings.ReplaceAll(x.bodies[route], "UNIT", unit)
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if p == "{$}" {
			parts[i] = ""
		} else if strings.HasPrefix(p, "{") {
			parts[i] = object
		}
	}
	x.lines()
	r := httptest.NewRequestWithContext(x.t.Context(), method, strings.Join(parts, "/"), strings.NewReader(body))
	x.dress(r, a)
	w := httptest.NewRecorder()
	x.s.ServeHTTP(w, r)
	var refusal struct {
		Error struct{ Code fault.Code }
	}
	_ = json.Unmarshal(w.Body.Bytes(), &refusal) // what is no JSON is no refusal
	switch refusal.Error.Code {
	case fault.NotSignedIn, fault.Forbidden:
		return false
	case fault.BadMessage, fault.ForeignOrigin, fault.UnknownType:
		if x.bodies[route] != "" {
			x.t.Errorf("%s as %s: the question was not understood: %s", route, a.name, w.Body)
		}
	}
	return true
}

// lines sees to it that both units have a line in the roster; the question before may have struck it.
func (x *world) lines() {
	x.t.Helper()
	s, err := x.s.shifts.State(x.t.Context())
	for id, unit := range map[string]string{x.own: "north", x.other: "south"} {
		if _, there := s.Lines[shift.ID(id)]; err == nil && !there {
			l := shift.Line{ID: shift.ID(id), Staff: ident.StaffID("of " + unit), Role: "patrol", Unit: unit, From: time.Now(), To: time.Now().Add(time.Hour)}
			_, err = x.s.shifts.Do(x.t.Context(), shift.Write{Line: l})
		}
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

// dress signs somebody in: a session or registration of its own for every question, as the one
// before may have ended it.
func (x *world) dress(r *http.Request, a asker) {
	x.t.Helper()
	ctx, token := x.t.Context(), string(ident.New[ident.CallID]())
	switch {
	case a.name == "nobody":
		return
	case a.name == "caller":
		c, err := x.db.UpsertCaller(ctx, store.Caller{ID: ident.New[ident.CallerID](), Phone: "+77015551212", CreatedAt: time.Now()})
		if err == nil {
			err = x.db.PutCallerToken(ctx, string(accounts.SessionOf(token)), c.ID, time.Now().Add(time.Hour))
		}
		if err != nil {
			x.t.Fatal(err)
		}
		if client := ident.New[ident.ClientID](); strings.Contains(r.URL.Path, "/files") {
			r.Header.Set("X-Client", string(client))
			r.Header.Set("X-Client-Key", x.s.hub.key(client))
		}
	default:
		st := store.Staff{ID: ident.StaffID("staff of " + a.name), Login: a.name + "@north", Name: a.name, Roles: a.roles, Unit: "north"}
		err := x.db.PutStaff(ctx, st)
		if err == nil {
			err = x.db.PutStaffSession(ctx, string(accounts.SessionOf(token)), st.ID, time.Now().Add(time.Hour))
		}
		if err != nil {
			x.t.Fatal(err)
		}
	}
	r.Header.Set("Authorization", "Bearer "+token)
}

// hello asks for the console's socket.
func (x *world) hello(a asker) bool {
	x.t.Helper()
	r := httptest.NewRequestWithContext(x.t.Context(), http.MethodGet, "/ws", nil)
	x.dress(r, a)
	_, _, err := x.s.identify(x.t.Context(), r, &wire.Hello{Role: wire.RoleConsole, Lang: "kk", Token: bearer(r)})
	return err == nil
}

// TestEveryRouteByEverybody is the table of who may use what, asked of the running handlers.
func TestEveryRouteByEverybody(t *testing.T) {
	x := &world{own: string(ident.New[ident.CallID]()), other: string(ident.New[ident.CallID]()), bodies: bodies(t)}
	x.edge = serve(t, func(s *Server) { s.units = x })
	var routes []string
	for route := range x.s.table() {
		routes = append(routes, route)
	}
	slices.SortFunc(routes, func(a, b string) int {
		_, pathA, _ := strings.Cut(a, " ")
		_, pathB, _ := strings.Cut(b, " ")
		return strings.Compare(pathA+" "+a, pathB+" "+b)
	})
	var rows []string
	row := func(route string, may func(a asker, own bool) bool) {
		cells := []string{"`" + route + "`"}
		for _, a := range askers() {
			cell := map[[2]bool]string{{true, true}: "yes", {true, false}: "own", {false, false}: "-", {false, true}: "OTHER ONLY"}[[2]bool{may(a, true), may(a, false)}]
			if a.name == "nobody" && (cell != "-") != slices.Contains(public, route) {
				t.Errorf("%s: nobody: %s, and it is public: %v", route, cell, slices.Contains(public, route))
			}
			opens := strings.Contains(route, "/evidence/calls/{call}/media") || strings.HasSuffix(route, "archive.tar") || strings.Contains(route, "/exports")
			if opens && cell != "-" && !slices.Contains(evidenceOf, a.name) {
				t.Errorf("%s: %s: %s", route, a.name, cell)
			}
			cells = append(cells, cell)
		}
		rows = append(rows, "| "+strings.Join(cells, " | ")+" |\n")
	}
	for _, route := range routes {
		row(route, func(a asker, own bool) bool { return x.knock(route, a, own) })
	}
	row("hello of a console", func(a asker, _ bool) bool { return x.hello(a) })
	compare(t, rows)
}

// compare holds the rows against the committed table.
func compare(t *testing.T, rows []string) {
	t.Helper()
	names := []string{"route"}
	for _, a := range askers() {
		names = append(names, a.name)
	}
	doc := accessHead + "| " + strings.Join(names, " | ") + " |\n|" + strings.Repeat("---|", len(names)) + "\n" + strings.Join(rows, "")
	if *update {
		if err := os.WriteFile(accessDoc, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	raw, err := os.ReadFile(accessDoc)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) == doc {
		return
	}
	written := strings.SplitAfter(string(raw), "\n")
	for _, line := range rows {
		if !slices.Contains(written, line) {
			t.Errorf("answered, and not in %s: %s", accessDoc, line)
		}
	}
	for _, line := range written {
		if strings.HasPrefix(line, "| `") && !slices.Contains(rows, line) {
			t.Errorf("in %s, and not answered: %s", accessDoc, line)
		}
	}
	t.Error("look at every line above; where it is meant, write the table anew")
}

// sample is a schema, as far as bodies of requests use it.
type sample struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Enum       []string          `json:"enum"`
	Items      *sample           `json:"items"`
	Properties map[string]sample `json:"properties"`
	Required   []string          `json:"required"`
}

// value is something that s describes. A text named unit is the one asked about.
func (s sample) value(name string, all map[string]sample) any {
	switch {
	case s.Ref != "":
		return all[s.Ref[strings.LastIndex(s.Ref, "/")+1:]].value(name, all)
	case len(s.Enum) > 0:
		return s.Enum[0]
	case name == "unit":
		return "UNIT"
	}
	switch s.Type {
	case "object":
		v := map[string]any{}
		for _, field := range s.Required {
			v[field] = s.Properties[field].value(field, all)
		}
		if unit, ok := s.Properties["unit"]; ok {
			v["unit"] = unit.value("unit", all)
		}
		return v
	case "array":
		return []any{}
	case "integer", "number":
		return 1
	case "boolean":
		return true
	}
	return "x"
}

// bodies makes a body for every route that takes JSON, from the description of the API.
func bodies(t *testing.T) map[string]string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Body struct {
				Content map[string]struct{ Schema sample }
			} `json:"requestBody"`
		}
		Components struct{ Schemas map[string]sample }
	}
	if err := json.Unmarshal(openAPIDoc, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			c, ok := op.Body.Content["application/json"]
			if !ok {
				continue
			}
			raw, err := json.Marshal(c.Schema.value("", doc.Components.Schemas))
			if err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%s %s", strings.ToUpper(method), path)] = string(raw)
		}
	}
	return out
}
