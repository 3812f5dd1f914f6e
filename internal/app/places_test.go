package app

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"jedel/internal/extract"
)

func TestAPositionIsSaidWithoutAnyMap(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	v := g.ask("GET /api/v1/geo/address?lat=54.88&lon=69.3&accuracy=20", 200, nil, "")
	if words := v["words"].(map[string]any); words["kk"] != "Петропавлдан шығысқа қарай 9,7 км" || v["source"] != "embedded" || v["attribution"] == "" || v["bearing"] != "e" {
		t.Error(v)
	}
	if code := g.code("GET /api/v1/geo/address?lat=-40&lon=-120", 404, nil, ""); code != "not_found" {
		t.Error(code)
	}
	if code := g.code("GET /api/v1/geo/address?lat=200&lon=0", 400, nil, ""); code != "bad_value" {
		t.Error(code)
	}
	found := g.ask("GET /api/v1/geo/search?q=petropavl&near=54.8,69.1", 200, nil, "")["found"].([]any)
	if len(found) == 0 || found[0].(map[string]any)["words"].(map[string]any)["ru"] != "Петропавловск" {
		t.Error(found)
	}
}

// imported gives a gateway an invented quarter of Petropavl as its map.
func imported(t *testing.T, g *gateway) {
	t.Helper()
	job := extract.Job{Source: "../extract/testdata/quarter.osm.pbf", Dir: GeoDir(g.dir), Now: time.Now}
	if _, err := job.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.until("the import is not in use", func() bool { return g.app.geo.Roads() != nil })
}

// TestAnImportIsTakenIntoUseByARunningGateway holds that nobody must restart, and that the words of a
// position are on the card beside what people said.
func TestAnImportIsTakenIntoUseByARunningGateway(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const where = "GET /api/v1/geo/address?lat=54.8702&lon=69.1510&accuracy=8"
	if v := g.ask(where, 200, nil, ""); v["source"] != "embedded" {
		t.Error(v)
	}
	imported(t, g)
	v := g.ask(where, 200, nil, "")
	if v["words"].(map[string]any)["kk"] != "Петропавл, Абай көшесі, 12" || v["kind"] != "house" || v["parts"].(map[string]any)["house"] != "12" || v["confidence"].(float64) < 0.95 {
		t.Error(v)
	}
	found := g.ask("GET /api/v1/geo/search?q="+url.QueryEscape("абай 14")+"&lat=54.87&lon=69.15", 200, nil, "")["found"].([]any)
	if len(found) == 0 || found[0].(map[string]any)["kind"] != "house" {
		t.Error(found)
	}

	op := g.as("operator")
	body := fmt.Sprintf(`{"ref":"p","text":"Шу","lang":"kk","fix":{"lat":54.8702,"lon":69.151,"accuracyM":8,"source":"device","clientMs":%d,"serverMs":0}}`, time.Now().UnixMilli())
	id := g.ask(sendReport, 201, phone(), body)["report"].(string)
	g.ask(acts, 200, op, `{"act":"add","line":{"id":"moved","what":"place","place":{"lat":54.8703,"lon":69.1532}}}`, "{case}", id)
	card := g.ask(caseOf, 200, op, "", "{case}", id)["card"].([]any)
	var said []string
	for _, l := range card {
		if p, ok := l.(map[string]any)["place"].(map[string]any); ok {
			d := p["derived"].(map[string]any)
			said = append(said, fmt.Sprint(p["source"], ": ", d["words"].(map[string]any)["ru"], ", ", d["source"], " ", l.(map[string]any)["by"] != ""))
		}
	}
	want := []string{"device: Петропавловск, улица Абая, 12, gazetteer false", "operator: Петропавловск, улица Абая, 14, gazetteer true"}
	if !slices.Equal(said, want) {
		t.Errorf("%q\n%q", said, want)
	}
	if list := g.ask("GET /api/v1/cases?q="+url.QueryEscape("Абай көшесі"), 200, op, "")["cases"].([]any); len(list) != 1 {
		t.Error("a case is not found by the street where it is", list)
	}
}

// TestPatrolsAreProposedByTheTimeOnTheRoad has one patrol that is nearer in a straight line, but behind a
// one-way street.
func TestPatrolsAreProposedByTheTimeOnTheRoad(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	imported(t, g)
	disp, patrol := g.as("dispatcher"), g.as("patrol14")
	at := func(lat, lon float64) string {
		return fmt.Sprintf(`{"lat":%v,"lon":%v,"accuracyM":8,"source":"device","clientMs":%d,"serverMs":0}`, lat, lon, time.Now().UnixMilli())
	}
	id := g.ask(sendReport, 201, phone(), `{"ref":"p","text":"Шу","lang":"kk","fix":`+at(54.87, 69.151)+`}`)["report"].(string)
	g.ask("PUT /api/v1/patrol/duty", 200, patrol, `{"on":true}`)
	propose := func() map[string]any {
		t.Helper()
		list := g.ask("GET /api/v1/cases/{case}/proposals", 200, disp, "", "{case}", id)["patrols"].([]any)
		if len(list) != 1 {
			t.Fatal(list)
		}
		return list[0].(map[string]any)
	}
	g.ask("PUT /api/v1/patrol/fix", 204, patrol, at(54.87, 69.152))
	p := propose()
	// 64 m away, and round the block it is 1.7 km.
	if p["by"] != "road" || p["seconds"].(float64) < 100 || p["seconds"].(float64) > 300 || p["metres"].(float64) > 70 || !strings.Contains(p["words"].(map[string]any)["en"].(string), "min by road") {
		t.Error(p)
	}
	// A place beyond the map is reached by roads that it has not told of.
	g.ask(acts, 200, g.as("operator"), `{"act":"add","line":{"id":"away","what":"place","place":{"lat":55.2,"lon":69.152}}}`, "{case}", id)
	if away := propose(); away["by"] != "straight" {
		t.Error(away)
	}
}
