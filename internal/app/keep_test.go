package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jedel/internal/call"
	"jedel/internal/config"
	"jedel/internal/ident"
	"jedel/internal/retention"
	"jedel/recorder/evr"
	"jedel/recorder/proof"
	"jedel/recorder/verify"
	"jedel/signaling/wire"
)

// as signs somebody of the demo in.
func (g *gateway) as(login string) http.Header {
	g.t.Helper()
	return bearerOf(g.ask("POST /api/v1/staff/session", 200, nil, `{"login":"`+login+`","password":"`+DemoPassword+`"}`))
}

// call makes a call that ends, and returns it once it is sealed.
func (g *gateway) call(signed http.Header) string {
	g.t.Helper()
	c := g.tab(wire.RoleCaller, "")
	id := c.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindVoice}).(*wire.CallCreated).View.Call
	c.ask(&wire.ChatSend{Call: id, ID: "c1", Text: "Абай 24"})
	desk := g.tab(wire.RoleConsole, strings.TrimPrefix(g.as("operator").Get("Authorization"), "Bearer "))
	desk.ask(&wire.DutySet{State: wire.DutyReady})
	desk.ask(&wire.OfferAccept{Call: id, Epoch: desk.offer().Epoch})
	desk.ask(&wire.CallEnd{Call: id})
	desk.ask(&wire.CallWrapUp{Call: id, Category: "false", Outcome: "patrol"})
	g.until("the call is not sealed", func() bool {
		row := g.ask("GET /api/v1/evidence/calls", 200, signed, "")["calls"].([]any)[0].(map[string]any)
		return row["recording"] == "sealed" && row["phase"] == "ended"
	})
	return id
}

func (g *gateway) refusal(route string, status int, header http.Header, body, id string) string {
	g.t.Helper()
	e, _ := g.ask(route, status, header, body, "{call}", id)["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

const (
	keepingOf = "GET /api/v1/evidence/calls/{call}/keeping"
	holds     = "POST /api/v1/evidence/calls/{call}/holds"
	deletion  = "POST /api/v1/evidence/calls/{call}/deletion"
	shorten   = "POST /api/v1/evidence/calls/{call}/keeping/shorten"
)

// TestARecordingEndsByTwoPeople walks the life of a recording through the API of a whole gateway, to
// its end.
func TestARecordingEndsByTwoPeople(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	look, sup, admin := g.as("investigator"), g.as("supervisor"), g.as("administrator")
	id := g.call(look)
	g.ask("POST /api/v1/evidence/calls/{call}/opening", 204, look, `{"case":"24-17","reason":"r"}`, "{call}", id)
	g.ask("GET /api/v1/evidence/calls/{call}", 200, look, "", "{call}", id)
	g.until("its keeping does not begin", func() bool {
		s := g.ask(keepingOf, 200, sup, "", "{call}", id)
		return s["class"] == "normal" && s["shorter"] != nil // a false call is kept shorter once a second person agrees
	})
	g.ask(keepingOf, 403, g.as("operator"), "", "{call}", id)
	if code := g.refusal(holds, 403, sup, `{"id":"h1","case":"26-1","reason":"r"}`, id); code != "forbidden" {
		t.Fatal(code)
	}
	g.ask(holds, 200, look, `{"id":"h1","case":"26-1","reason":"court order"}`, "{call}", id)
	now := time.Now().UnixMilli()
	g.ask(shorten, 200, sup, fmt.Sprintf(`{"untilMs":%d,"reason":"a test"}`, now), "{call}", id)
	confirm := fmt.Sprintf(`{"untilMs":%d}`, now)
	if code := g.refusal(shorten+"/confirm", 409, sup, confirm, id); code != "second_person" {
		t.Fatal(code)
	}
	g.ask(shorten+"/confirm", 200, admin, confirm, "{call}", id)
	if code := g.refusal(deletion, 409, sup, `{"reason":"a test"}`, id); code != "on_hold" {
		t.Fatal(code)
	}
	if rows := g.list(sup, "held"); len(rows) != 1 {
		t.Fatal(rows)
	}
	if code := g.refusal(holds+"/release", 404, look, `{"id":"h2","reason":"r"}`, id); code != "no_such_hold" {
		t.Fatal(code)
	}
	g.ask(holds+"/release", 200, look, `{"id":"h1","reason":"the case is closed"}`, "{call}", id)
	if rows := g.list(sup, "due"); len(rows) != 1 {
		t.Fatal(rows)
	}
	g.ask(deletion, 200, sup, `{"reason":"a test"}`, "{call}", id)
	g.ask(deletion+"/cancel", 200, look, `{"reason":"not yet"}`, "{call}", id)
	s := g.ask(deletion, 200, sup, `{"reason":"a test"}`, "{call}", id)
	if may := s["may"].(map[string]any); may["approve"] != "second_person" || may["hold"] != nil {
		t.Fatal(may)
	}
	if rows := g.list(sup, "pending"); len(rows) != 1 {
		t.Fatal(rows)
	}
	if code := g.refusal(deletion+"/approve", 409, sup, `{}`, id); code != "second_person" {
		t.Fatal(code)
	}
	if code := g.refusal(deletion+"/approve", 409, admin, `{}`, id); code != "too_early" {
		t.Fatal(code)
	}
	g.until("the wait does not end", func() bool {
		return g.ask(keepingOf, 200, admin, "", "{call}", id)["may"].(map[string]any)["approve"] == ""
	})
	g.ask(deletion+"/approve", 200, admin, `{}`, "{call}", id)
	g.until("the keys are not destroyed", func() bool {
		return g.ask(keepingOf, 200, look, "", "{call}", id)["stage"] == "destroyed"
	})
	g.gone(look, id)
}

func (g *gateway) list(h http.Header, which string) []any {
	g.t.Helper()
	rows, _ := g.ask("GET /api/v1/evidence/keeping?list="+which, 200, h, "")["rows"].([]any)
	return rows
}

// gone holds what is left of a destroyed recording: it does not open, it is verified, it is named.
func (g *gateway) gone(look http.Header, id string) {
	t := g.t
	t.Helper()
	if code := g.refusal("GET /api/v1/evidence/calls/{call}", 410, look, "", id); code != "destroyed" {
		t.Fatal(code)
	}
	row := g.ask("GET /api/v1/evidence/calls", 200, look, "")["calls"].([]any)[0].(map[string]any)
	if row["recording"] != "destroyed" {
		t.Fatal(row)
	}
	if found, _ := g.ask("GET /api/v1/evidence/calls?q=%D0%B0%D0%B1%D0%B0%D0%B9", 200, look, "")["calls"].([]any); len(found) != 0 {
		t.Fatal("what was written is still found")
	}
	if rows := g.list(look, "gone"); len(rows) != 1 {
		t.Fatal(rows)
	}
	s := g.ask(keepingOf, 200, look, "", "{call}", id)
	d, _ := s["deletion"].(map[string]any)
	if d["by"] == "" || d["approver"] == "" || d["by"] == d["approver"] || s["root"] == "" {
		t.Fatal(s)
	}
	keys, _ := filepath.Glob(filepath.Join(g.dir, "archive", "*", "*", "*", "*", "*", "kek-*"))
	second, _ := filepath.Glob(filepath.Join(g.dir, "archive", "keystore", id, "*"))
	if len(keys)+len(second) > 0 {
		t.Fatal(keys, second)
	}
	proofs, _ := filepath.Glob(filepath.Join(g.dir, "archive", "calls", "*", "*", "*", id, verify.DestroyedProof))
	if len(proofs) != 1 {
		t.Fatal(proofs)
	}
	raw, err := os.ReadFile(proofs[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := proof.ParseLogged(raw)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := proof.ParseLeaf(p.Entry)
	if err != nil || leaf.Kind != proof.LeafDestroyed || string(leaf.Call) != id || leaf.Text("root") != s["root"] || leaf.Text("row") == "" || leaf.Text("by") == leaf.Text("approver") {
		t.Fatal(leaf, err)
	}
	report := g.ask("POST /api/v1/evidence/calls/{call}/verify", 200, look, "", "{call}", id)
	for _, l := range report["levels"].([]any) {
		if level := l.(map[string]any); level["state"] == "failed" {
			t.Errorf("%v", level)
		}
	}
	var told []string
	for _, a := range g.ask("GET /api/v1/evidence/calls/{call}/accesses", 200, look, "", "{call}", id)["accesses"].([]any) {
		told = append(told, a.(map[string]any)["action"].(string))
	}
	all := strings.Join(told, ",")
	for _, want := range []string{"hold", "hold refused", "hold.release", "keep.class", "keep.shorten", "keep.shorten.confirm refused", "delete.request refused", "delete.request", "delete.cancel", "delete.approve refused", "delete.approve", "destroy"} {
		if !strings.Contains(","+all+",", ","+want+",") {
			t.Errorf("%q is not in the audit: %s", want, all)
		}
	}
}

func TestAShortWaitIsForDemonstrations(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Retention.Wait = retention.Wait - time.Second
	a := &App{cfg: cfg}
	if _, err := a.newKeeper(Options{}, archives{}, nil); err == nil || !strings.Contains(err.Error(), "retention.wait") {
		t.Fatal(err)
	}
	if raw, err := json.Marshal(cfg.Retention.Erase()); err != nil || !strings.Contains(string(raw), `"normal":true`) {
		t.Fatal(string(raw), err)
	}
}

// TestAnEndedCallLeavesNothingInMemory holds that whatever is asked or shown of a call after its end, and
// whatever happens to its case, makes no entry that would stay for ever.
func TestAnEndedCallLeavesNothingInMemory(t *testing.T) {
	g := startGateway(t)
	id := g.call(g.as("investigator"))
	g.until("the ended call is still held", func() bool { return len(g.app.ledger.all()) == 0 })
	rec := ident.CallID(id)
	g.app.keep(rec, evr.Event, time.Now(), entry{Kind: "late"}) // what is shown of a call may come after its end
	g.app.view(call.State{ID: rec, Phase: call.WrapUp}, true)
	g.ask("POST /api/v1/cases/{case}/acts", 200, g.as("operator"), `{"act":"close","outcome":"measures","text":"Рақмет."}`, "{case}", id)
	g.until("not settled", func() bool {
		return g.ask("GET /api/v1/cases/{case}", 200, g.as("operator"), "", "{case}", id)["undoMs"] == 0.0
	})
	if over := newLedger(nil, func(*openCall) {}); true { // as many as there are, few are remembered
		for range 3 * overKept {
			id := ident.New[ident.CallID]()
			over.open(id)
			over.close(id)
		}
		if len(over.over) != overKept || len(over.order) != overKept || len(over.all()) != 0 {
			t.Fatal(len(over.over), len(over.order))
		}
	}
	if held := g.app.ledger.all(); len(held) != 0 {
		t.Fatalf("%d ended calls are held", len(held))
	}
}

// TestAnAbandonedCallIsSealed holds that a call which somebody has to call back is sealed at its end, not at the next start.
func TestAnAbandonedCallIsSealed(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	look := g.as("investigator")
	c := g.tab(wire.RoleCaller, "")
	id := c.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindVoice}).(*wire.CallCreated).View.Call
	c.ask(&wire.ChatSend{Call: id, ID: "c1", Text: "Абай 24"})
	c.ask(&wire.CallEnd{Call: id})
	g.until("it is not sealed", func() bool {
		row := g.ask("GET /api/v1/evidence/calls", 200, look, "")["calls"].([]any)[0].(map[string]any)
		return row["recording"] == "sealed" && row["callback"] == "pending"
	})
	g.until("it is still held", func() bool { return len(g.app.ledger.all()) == 0 })
	desk := g.tab(wire.RoleConsole, strings.TrimPrefix(g.as("operator").Get("Authorization"), "Bearer "))
	desk.ask(&wire.CallBackDone{Call: id, Outcome: "reached"})
	g.until("the call-back is still owed", func() bool {
		return g.ask("GET /api/v1/evidence/calls", 200, look, "")["calls"].([]any)[0].(map[string]any)["callback"] != "pending"
	})
}
