package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/cases"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/wire"
)

const (
	proposals = "GET /api/v1/cases/{case}/proposals"
	putFix    = "PUT /api/v1/patrol/fix"
	putDuty   = "PUT /api/v1/patrol/duty"
)

func fixAt(lat, lon float64) string {
	return fmt.Sprintf(`{"lat":%g,"lon":%g,"accuracyM":8,"source":"device","clientMs":%d,"serverMs":0}`, lat, lon, time.Now().UnixMilli())
}

// placedReport is a case with a position.
func (g *gateway) placedReport(ref string) string {
	g.t.Helper()
	return g.ask(sendReport, 201, phone(), `{"ref":"`+ref+`","text":"x","lang":"kk","fix":`+fixAt(54.87, 69.16)+`}`)["report"].(string)
}

// moved waits until a console is told that a patrol stands as ok wants.
func (c *tab) moved(name string, ok func(wire.PatrolRow) bool) wire.PatrolRow {
	c.t.Helper()
	for {
		m, is := c.receive().Body.(*wire.PatrolsMoved)
		if !is {
			continue
		}
		for _, row := range m.Patrols {
			if row.Name == name && ok(row) {
				return row
			}
		}
	}
}

// TestABoardIsToldHowPatrolsStand holds what a dispatcher's console hears of a patrol's evening.
func TestABoardIsToldHowPatrolsStand(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	disp, patrol := g.as("dispatcher"), g.as("patrol14")
	board := g.tab(wire.RoleConsole, strings.TrimPrefix(disp.Get("Authorization"), "Bearer "))
	state := func(want string) func(wire.PatrolRow) bool {
		return func(r wire.PatrolRow) bool { return r.State == want }
	}
	id := g.placedReport("a")
	g.ask(putDuty, 200, patrol, `{"on":true}`)
	row := board.moved("П-14", state("available"))
	sent := time.Now()
	g.ask(putFix, 204, patrol, fixAt(54.88, 69.16))
	at := board.moved("П-14", func(r wire.PatrolRow) bool { return r.FixMs > 0 })
	took := time.Since(sent)
	t.Logf("fix to board: %v", took)
	if took > time.Second+boardEvery {
		t.Errorf("the board hears of a fix after %v", took)
	}
	if at.Lat == nil || *at.Lat != 54.88 {
		t.Error(at)
	}
	g.ask(acts, 200, disp, `{"act":"send","patrol":"`+row.Patrol+`","reason":"1.1 km"}`, "{case}", id)
	if r := board.moved("П-14", state("assigned")); r.Case != id || r.Number == "" || r.Late {
		t.Error(r)
	}
	for _, word := range []string{"accepted", "en_route", "on_scene"} {
		g.ask("POST /api/v1/patrol/cases/{case}/words", 200, patrol, `{"what":"`+word+`"}`, "{case}", id)
		board.moved("П-14", state(word))
	}
	g.ask("POST /api/v1/patrol/cases/{case}/words", 200, patrol, `{"what":"cleared"}`, "{case}", id)
	board.moved("П-14", state("available"))
	g.ask(putDuty, 200, patrol, `{"on":false}`)
	if r := board.moved("П-14", state("off")); r.Lat != nil || r.Case != "" {
		t.Error("whoever is off duty is nowhere", r)
	}
}

// TestTwoDispatchersSendOnePatrol lets both send the same one to two cases at once: one wins, the other reads
// why, and a patrol that went home is not sent.
func TestTwoDispatchersSendOnePatrol(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	disp, patrol := g.as("dispatcher"), g.as("patrol14")
	ids := []string{g.placedReport("a"), g.placedReport("b")}
	g.ask(putDuty, 200, patrol, `{"on":true}`)
	g.ask(putFix, 204, patrol, fixAt(54.88, 69.16))
	staff := g.ask(proposals, 200, disp, "", "{case}", ids[0])["patrols"].([]any)[0].(map[string]any)["patrol"].(string)
	codes := make([]string, 2)
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() { codes[i] = sendBy(g, disp, id, staff) })
	}
	wg.Wait()
	slices.Sort(codes)
	if fmt.Sprint(codes) != "[ patrol_busy]" {
		t.Fatal(codes)
	}
	won := ids[0]
	if v := g.ask("GET /api/v1/patrol", 200, patrol, ""); v["task"].(map[string]any)["case"] != ids[0] {
		won = ids[1]
	}
	p := g.ask(proposals, 200, disp, "", "{case}", ids[0])
	if won == ids[0] {
		p = g.ask(proposals, 200, disp, "", "{case}", ids[1])
	}
	left := p["others"].([]any)[0].(map[string]any)
	if len(p["patrols"].([]any)) != 0 || left["by"] != "busy" || left["words"].(map[string]any)["en"] != "at case No. "+left["number"].(string) {
		t.Fatal(p)
	}
	g.ask(acts, 200, disp, `{"act":"recall","patrol":"`+staff+`"}`, "{case}", won)
	g.ask(putDuty, 200, patrol, `{"on":false}`)
	if code := sendBy(g, disp, won, staff); code != "patrol_busy" {
		t.Fatal("sent from home", code)
	}
	left = g.ask(proposals, 200, disp, "", "{case}", won)["others"].([]any)[0].(map[string]any)
	if left["by"] != "off" {
		t.Fatal(left)
	}
}

// sendBy sends a patrol and returns the code of the refusal; it may be called from any goroutine.
func sendBy(g *gateway, who http.Header, id, staff string) string {
	req, err := http.NewRequest(http.MethodPost, g.url+"/api/v1/cases/"+id+"/acts", strings.NewReader(`{"act":"send","patrol":"`+staff+`"}`))
	if err != nil {
		return err.Error()
	}
	req.Header = who.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	var v struct{ Error struct{ Code string } }
	if err := json.Unmarshal(raw, &v); err != nil {
		return err.Error()
	}
	return v.Error.Code
}

// TestNavigationMayNotSend holds that a role without dispatch reads proposals and sends nobody.
func TestNavigationMayNotSend(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	op, patrol := g.as("operator"), g.as("patrol14")
	id := g.placedReport("a")
	g.ask(putDuty, 200, patrol, `{"on":true}`)
	g.ask(putFix, 204, patrol, fixAt(54.88, 69.16))
	staff := g.ask(proposals, 200, op, "", "{case}", id)["patrols"].([]any)[0].(map[string]any)["patrol"].(string)
	if code := sendBy(g, op, id, staff); code != "forbidden" {
		t.Fatal(code)
	}
}

// TestProposalsOfABigCity reports how long proposals take with 200 patrols and 50 open cases.
func TestProposalsOfABigCity(t *testing.T) {
	if testing.Short() {
		t.Skip("a figure")
	}
	g := startGateway(t)
	disp := g.as("dispatcher")
	now := time.Now()
	for i := range 200 {
		p := store.Patrol{Staff: ident.New[ident.StaffID](), Name: fmt.Sprintf("P-%03d", i)}
		if err := g.app.db.SetDuty(t.Context(), p, true, now); err != nil {
			t.Fatal(err)
		}
		if err := g.app.db.PutFix(t.Context(), p.Staff, store.Spot{Lat: 54.8 + float64(i)/1000, Lon: 69.1}, 8, now); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for i := range 50 {
		ids = append(ids, g.placedReport(fmt.Sprint(i)))
	}
	list, err := g.app.db.ListPatrols(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if _, err := g.app.cases.Post(t.Context(), ident.CaseID(id), cases.Send{By: "x", Patrol: list[2*i].Staff, Name: list[2*i].Name}); err != nil {
			t.Fatal(err)
		}
	}
	var took []time.Duration
	for _, id := range ids {
		begun := time.Now()
		v := g.ask(proposals, 200, disp, "", "{case}", id)
		took = append(took, time.Since(begun))
		if len(v["patrols"].([]any)) != maxProposals || len(v["others"].([]any)) != maxOthers {
			t.Fatal(v)
		}
	}
	slices.Sort(took)
	t.Logf("proposals, 200 patrols, 50 cases: median %v, p95 %v, worst %v", took[25], took[47], took[49])
}
