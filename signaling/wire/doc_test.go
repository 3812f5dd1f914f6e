package wire

import (
	"os"
	"strings"
	"testing"

	"jedel/internal/fault"
)

// TestDocumentTellsEveryMessage holds docs/PROTOCOL.md to the table and the examples.
func TestDocumentTellsEveryMessage(t *testing.T) {
	raw, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	sections := strings.Count(doc, "\n### ")
	if sections != len(Table()) {
		t.Errorf("%d sections for %d messages", sections, len(Table()))
	}
	for _, e := range Table() {
		_, rest, ok := strings.Cut(doc, "\n### "+e.Type+"\n")
		if !ok {
			t.Errorf("no section %s", e.Type)
			continue
		}
		section, _, _ := strings.Cut(rest, "\n### ")
		if !strings.Contains(section, "```json\n"+string(example(t, e.Type))+"```") {
			t.Errorf("%s: the example is not the one of testdata", e.Type)
		}
	}
	for _, code := range []fault.Code{fault.BadMessage, fault.OfferExpired, fault.BadSDP, fault.NotFound} {
		if !strings.Contains(doc, "| `"+string(code)+"` |") {
			t.Errorf("code %s is not listed", code)
		}
	}
}
