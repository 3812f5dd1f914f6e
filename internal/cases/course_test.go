package cases

import (
	"slices"
	"testing"
	"time"

	"jedel/internal/ident"
)

func TestTheCourseTellsEveryDecisionAndTheStatusAfterIt(t *testing.T) {
	at := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	line := Line{ID: "n1", What: NoteLine, By: "op", Text: "Дверь закрыта"}
	place := Line{ID: "p1", What: PlaceLine, Place: &Place{Source: "words", Words: "Абай 24"}}
	facts := []Fact{
		Began{ID: "c", Number: "26-0001", Lane: ReportLane, Card: []Line{place}}, Owned{Owner: "op"}, Classified{By: "op", CaseKind: "noise", Priority: 2},
		Added{Line: line}, Withdrawn{By: "op", ID: "n1"}, Withdrawn{By: "op", ID: "p1"}, Sent{Sending: Sending{Patrol: "p14", By: "disp", At: at}},
		Late{Patrol: "p14"}, Said{Patrol: "p14", What: "on_scene"}, Linked{By: "op", Case: "d", Off: true}, Shut{By: "op", Outcome: "fined", Text: "Протокол"}, Settled{}, Opened{Why: "снова шумят"},
	}
	var list []Entry
	for i, f := range facts {
		list = append(list, Entry{At: at.Add(time.Duration(i) * time.Second), Fact: f})
	}
	want := []Step{
		{Fact: "began", What: "report", Status: Registered}, {Fact: "owned", By: "op", Status: InWork}, {Fact: "classified", By: "op", What: "noise", Status: InWork},
		{Fact: "added", By: "op", What: "note", Text: "Дверь закрыта", Status: InWork}, {Fact: "withdrawn", By: "op", Text: "Дверь закрыта", Status: InWork},
		{Fact: "withdrawn", By: "op", Text: "Абай 24", Status: InWork}, {Fact: "sent", By: "disp", Whom: "p14", Status: PatrolSent}, {Fact: "late", Whom: "p14", Status: PatrolSent},
		{Fact: "said", Whom: "p14", What: "on_scene", Status: OnScene}, {Fact: "linked", By: "op", Other: "d", What: "off", Status: OnScene},
		{Fact: "shut", By: "op", What: "fined", Text: "Протокол", Status: Closed}, {Fact: "settled", Status: Closed}, {Fact: "opened", Text: "снова шумят", Status: Reopened},
	}
	got := Course(list)
	for i := range want {
		want[i].At = at.Add(time.Duration(i) * time.Second)
		if got[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Error(len(got))
	}
}

// A fact that is stored must be told: one that says nothing at all is one that was forgotten here.
func TestEveryFactHasAPlaceInTheCourse(t *testing.T) {
	silent := []string{"told", "settled", "parted"} // these say all there is by their kind and who
	for kind, read := range decoders() {
		f, err := read([]byte(`{"id":"x","number":"n","lane":"call","owner":"o","to":"t","by":"b","kind":"k","line":{"text":"t"},"recording":{"kind":"r"},"sending":{"patrol":"p"},"patrol":"p","what":"w","outcome":"o","text":"t","why":"w","into":"i","case":"c","status":"closed"}`))
		if err != nil {
			t.Fatal(kind, err)
		}
		step := stepOf(State{Hands: Hands{Owner: ident.StaffID("o")}}, f)
		if step == (Step{}) && !slices.Contains(silent, kind) {
			t.Errorf("%s is told as nothing", kind)
		}
	}
}
