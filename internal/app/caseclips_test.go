package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"testing"

	"jedel/internal/ident"
)

// TestAClipIsKeptWithTheCaseOfAReport lets camera watch keep a clip for a case without a call: it is a
// recording of the case, sealed, with the bytes that were taken.
func TestAClipIsKeptWithTheCaseOfAReport(t *testing.T) {
	t.Parallel()
	g := withCamera(t)
	watch := g.as("camera")
	id := g.placedReport("a")
	clip := string(ident.New[ident.FileID]())
	order := func(rec string) string {
		return fmt.Sprintf(`{"id":%q,"recording":%q,"backS":0,"seconds":2}`, clip, rec)
	}
	one := []string{"{camera}", "yard", "{clip}", clip}
	g.ask("POST /api/v1/cameras/{camera}/clips", 404, watch, order(string(ident.New[ident.CallID]())), one...)
	g.ask("POST /api/v1/cameras/{camera}/clips", 202, watch, order(id), one...)
	var st map[string]any
	g.until("it is not kept", func() bool {
		st = g.ask("GET /api/v1/cameras/{camera}/clips/{clip}", 200, watch, "", one...)
		return st["state"] != "taking" && st["state"] != "keeping"
	})
	if st["state"] != "kept" || st["keptIn"] == id {
		t.Fatal(st)
	}
	var rec map[string]any
	for _, r := range g.ask(caseOf, 200, watch, "", "{case}", id)["recordings"].([]any) {
		if r := r.(map[string]any); r["kind"] == "camera" {
			rec = r
		}
	}
	file := rec["files"].([]any)[0].(map[string]any)
	if rec["call"] != st["keptIn"] || file["sha256"] != st["sha256"] || file["keptMs"].(float64) == 0 {
		t.Fatal(rec)
	}
	look := g.as("investigator")
	g.until("it is not sealed", func() bool {
		for _, row := range g.ask("GET /api/v1/evidence/calls", 200, look, "")["calls"].([]any) {
			if row := row.(map[string]any); row["call"] == st["keptIn"] {
				return row["recording"] == "sealed"
			}
		}
		return false
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/api/v1/cases/"+id+"/files/"+rec["call"].(string)+"/"+clip, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = watch.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if sum := sha256.Sum256(raw); err != nil || hex.EncodeToString(sum[:]) != st["sha256"] {
		t.Fatal("other bytes are read back", res.StatusCode, len(raw), err)
	}
	g.ask(acts, 200, g.as("operator"), `{"act":"close","outcome":"measures","text":"x"}`, "{case}", id)
	clip = string(ident.New[ident.FileID]())
	if code := g.code("POST /api/v1/cameras/{camera}/clips", 409, watch, order(id), one...); code != "wrong_state" {
		t.Fatal("a clip for a closed case", code)
	}
}
