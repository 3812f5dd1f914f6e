package app

import (
	"fmt"
	"strings"
	"testing"
)

// TestWhatIsAddedToAMergedReportIsSeenWhereItIsWorkedOn sends more words of a report after it was merged.
func TestWhatIsAddedToAMergedReportIsSeenWhereItIsWorkedOn(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	boss, key := g.as("supervisor"), phone()
	mine := g.ask(sendReport, 201, key, `{"ref":"a","text":"Шу","lang":"kk"}`)["report"].(string)
	into := g.caseIn("")
	g.ask(acts, 200, boss, `{"act":"merge","case":"`+into+`"}`, "{case}", mine)
	before := g.ask(caseOf, 200, boss, "", "{case}", into)
	for range 2 { // sent twice
		g.ask("POST /api/v1/reports/{report}/amends", 200, key, `{"id":"r","text":"Олардың пышағы бар"}`, "{report}", mine)
	}
	after := g.ask(caseOf, 200, boss, "", "{case}", into)
	if n := strings.Count(fmt.Sprint(after["card"]), "пышағы"); n != 1 {
		t.Errorf("the words stand there %d times: %v", n, after["card"])
	}
	if n := len(after["recordings"].([]any)) - len(before["recordings"].([]any)); n != 1 {
		t.Errorf("%d recordings came with them", n)
	}
	g.ask(acts, 200, boss, `{"act":"split","case":"`+into+`"}`, "{case}", mine)
	if v := g.ask(caseOf, 200, boss, "", "{case}", into); strings.Contains(fmt.Sprint(v["card"]), "пышағы") {
		t.Error("they stay when the report is taken out again")
	}
}
