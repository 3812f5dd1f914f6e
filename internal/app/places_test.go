package app

import (
	"testing"
)

func TestAPositionIsSaidWithoutAnyMap(t *testing.T) {
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
