package app

import (
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"jedel/internal/callctl"
	"jedel/internal/queue"
	"jedel/internal/stats"
)

// statistics asks for what one call, answered and written up, has left behind.
func (g *gateway) statistics() {
	g.t.Helper()
	lead := g.as("supervisor")
	var total map[string]any
	g.until("statistics do not follow", func() bool { // they are read every second
		total = g.ask("GET /api/v1/stats", 200, lead, "")["total"].(map[string]any)
		return total["answered"] == 1.0 && total["handling"].(map[string]any)["n"] == 1.0
	})
	if total["contacts"] != 1.0 || total["calls"] != 1.0 || total["abandoned"] != 0.0 {
		g.t.Error(total)
	}
	hours := g.ask("GET /api/v1/stats?by=hour", 200, lead, "")["rows"].([]any)
	n := 0.0
	for _, h := range hours {
		n += h.(map[string]any)["contacts"].(float64)
	}
	if len(hours) != 24 || n != 1 {
		g.t.Error(len(hours), n)
	}
	if kinds := g.ask("GET /api/v1/stats?by=kind", 200, lead, "")["rows"].([]any); len(kinds) != 1 || kinds[0].(map[string]any)["name"].(map[string]any)["en"] != "Theft, robbery" {
		g.t.Error(kinds)
	}
	g.ask("GET /api/v1/stats?by=caller", 400, lead, "")
	g.ask("GET /api/v1/stats", 403, g.as("operator"), "")
	wall := g.ask("GET /api/v1/wall", 200, lead, "")
	tiles := map[string]map[string]any{}
	for _, t := range wall["tiles"].([]any) {
		tile := t.(map[string]any)
		tiles[tile["key"].(string)] = tile
	}
	if tiles["today"]["value"] != 1.0 || tiles["queue"]["value"] != 0.0 || tiles["answered_in_time"]["value"] != 1.0 || wall["utcMin"] != 300.0 {
		g.t.Error(tiles["today"], tiles["queue"], tiles["answered_in_time"], wall["utcMin"])
	}
	if seats := wall["seats"].([]any); len(seats) != 1 || seats[0].(map[string]any)["name"] == "" {
		g.t.Error(seats)
	}
	g.ask("GET /api/v1/wall", 403, g.as("operator"), "")
	g.ask("PUT /api/v1/wall/limits", 200, lead, `{"rev":0,"key":"queue","warn":1,"bad":2}`)
	g.ask("PUT /api/v1/wall/limits", 409, lead, `{"rev":0,"key":"queue","warn":2,"bad":3}`)
	g.ask("PUT /api/v1/wall/limits", 400, lead, `{"rev":1,"key":"nothing","warn":2,"bad":3}`)
	if l := g.ask("GET /api/v1/wall/limits", 200, lead, ""); l["rev"] != 1.0 || l["changes"].([]any)[0].(map[string]any)["by"] == "" {
		g.t.Error(l)
	}
	g.csv(lead)
}

// csv holds the table against the API.
func (g *gateway) csv(lead http.Header) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), "GET", g.url+"/api/v1/stats.csv?by=lane&lang=en", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header = lead
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	body, marked := strings.CutPrefix(string(raw), "\ufeff")
	r := csv.NewReader(strings.NewReader(body))
	r.Comma = ';'
	lines, bad := r.ReadAll()
	if err != nil || bad != nil || !marked || len(lines) != 4 || lines[2][5] != "Calls" || lines[2][6] != "1" || lines[3][6] != "0" ||
		!strings.HasPrefix(res.Header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
		g.t.Error(err, bad, lines, res.Header)
	}
}

// TestLimitsOfTheWallOutliveARestart reads them back as another process does.
func TestLimitsOfTheWallOutliveARestart(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	g.ask("PUT /api/v1/wall/limits", 200, g.as("supervisor"), `{"rev":0,"key":"ready","warn":5,"bad":2}`)
	raw, err := g.app.db.Setting(t.Context(), limitsKey)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := limitsOf(raw)
	if err != nil || kept.Rev != 1 || kept.All()["ready"] != (stats.Limit{Warn: 5, Bad: 2, Below: true}) {
		t.Fatal(kept, err)
	}
	if _, err := limitsOf([]byte("{")); err == nil {
		t.Fatal("what cannot be read is taken for the usual limits")
	}
}

func TestTheGaugeShowsTheDesk(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	g := gaugeOf(&callctl.Snapshot{
		Waiting:   []queue.Call{{QueuedAt: now.Add(-5 * time.Second)}, {QueuedAt: now.Add(-41 * time.Second)}},
		Operators: []callctl.Standing{{State: queue.Talking}, {State: queue.Ready}, {State: queue.Talking}, {State: queue.Off}},
	}, now)
	if g != (stats.Gauge{Waiting: 2, LongestWait: 41 * time.Second, Talking: 2, Ready: 1}) {
		t.Fatal(g)
	}
}
