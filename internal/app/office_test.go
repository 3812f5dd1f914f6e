package app

import (
	"net/http"
	"testing"
	"time"

	"jedel/signaling/wire"
)

func tokenOf(h http.Header) string { return h.Get("Authorization")[len("Bearer "):] }

// TestTheCallOfADisabledOperatorIsOfferedToAnother also holds the answers about accounts against
// their description.
func TestTheCallOfADisabledOperatorIsOfferedToAnother(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	boss := g.as("administrator")
	made := g.ask("POST /api/v1/admin/accounts", 201, boss, `{"login":"dana","name":"Дана","unit":"","lang":"kk","roles":["operator","investigator"]}`)
	dana := made["account"].(map[string]any)["staff"].(string)
	link := made["link"].(string)
	g.ask("POST /api/v1/staff/invitation", 200, nil, `{"token":"`+link+`"}`)
	g.ask("PUT /api/v1/staff/invitation", 204, nil, `{"token":"`+link+`","password":"`+DemoPassword+`"}`)
	g.ask("POST /api/v1/admin/accounts/{staff}/roles/approve", 409, boss, "", "{staff}", dana)
	g.ask("POST /api/v1/admin/accounts/{staff}/roles/decline", 200, boss, "", "{staff}", dana)
	g.ask("PUT /api/v1/admin/accounts/{staff}", 200, boss, `{"name":"Дана А.","unit":"north"}`, "{staff}", dana)

	desk := g.tab(wire.RoleConsole, tokenOf(g.as("dana")))
	desk.ask(&wire.DutySet{State: wire.DutyReady})
	c := g.tab(wire.RoleCaller, "")
	id := c.ask(&wire.CallCreate{Ref: "r1", Kind: wire.KindSilent}).(*wire.CallCreated).View.Call
	desk.ask(&wire.OfferAccept{Call: id, Epoch: desk.offer().Epoch})

	other := g.tab(wire.RoleConsole, tokenOf(g.as("operator")))
	other.ask(&wire.DutySet{State: wire.DutyReady})
	begin := time.Now()
	g.ask("POST /api/v1/admin/accounts/{staff}/disable", 200, boss, "", "{staff}", dana)
	rung := other.offer()
	if rung.Call != id {
		t.Fatal(rung.Call)
	}
	t.Logf("offered again after %s", time.Since(begin)) // call.OperatorGrace and what it takes to see it
	other.ask(&wire.OfferAccept{Call: id, Epoch: rung.Epoch})
	other.ask(&wire.CallEnd{Call: id})
	g.ask("POST /api/v1/staff/session", 401, nil, `{"login":"dana","password":"`+DemoPassword+`"}`)
	g.ask("POST /api/v1/admin/accounts/{staff}/enable", 200, boss, "", "{staff}", dana)
	g.ask("PUT /api/v1/admin/accounts/{staff}/roles", 200, boss, `{"roles":["camera"]}`, "{staff}", dana)
	g.ask("POST /api/v1/admin/accounts/{staff}/invitation", 200, boss, "", "{staff}", dana)
	g.ask("DELETE /api/v1/admin/accounts/{staff}/totp", 409, boss, "", "{staff}", dana)
	changes, _ := g.ask("GET /api/v1/admin/changes", 200, boss, "")["changes"].([]any)
	if len(changes) < 5 {
		t.Fatal(changes)
	}
	for _, c := range changes {
		if c := c.(map[string]any); c["field"] == "roles" && c["undo"] == true {
			g.ask("POST /api/v1/admin/changes/{line}/undo", 200, boss, "", "{line}", c["change"].(string))
			break
		}
	}
	if all, _ := g.ask("GET /api/v1/admin/accounts", 200, boss, "")["accounts"].([]any); len(all) != len(demoStaff())+1 {
		t.Fatal(all)
	}
	g.ask("POST /api/v1/admin/accounts/{staff}/disable", 409, boss, "", "{staff}", g.staff("administrator"))
}

func (g *gateway) staff(login string) string {
	g.t.Helper()
	s, err := g.app.db.StaffByLogin(g.t.Context(), login)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(s.ID)
}
