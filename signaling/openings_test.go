package signaling

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
)

func TestNothingOfARecordingIsShownBeforeSomebodySaysWhy(t *testing.T) {
	e := serve(t)
	path := "/api/v1/evidence/calls/" + string(ident.New[ident.CallID]())
	h := e.signIn("investigator")
	for _, route := range []string{"", "/media/caller", "/archive.tar"} {
		if code, body := e.ask("GET", path+route, h, nil); code != http.StatusPreconditionRequired || !strings.Contains(body, "reason_needed") {
			t.Errorf("%s: %d %s", route, code, body)
		}
	}
	for _, bad := range []string{`{}`, `{"case":"","reason":"x"}`, `{"case":"1","reason":"  "}`, `{"case":"1","reason":"` + strings.Repeat("я", maxReason+1) + `"}`, `{"case":"1","reason":"x","more":1}`} {
		if code, body := e.ask("POST", path+"/opening", h, strings.NewReader(bad)); code/100 == 2 {
			t.Errorf("%s was taken: %s", bad, body)
		}
	}
	if code, body := e.ask("POST", path+"/opening", h, strings.NewReader(`{"case":"24-17","reason":"Сот"}`)); code != http.StatusNoContent {
		t.Fatal(code, body)
	}
	if code, body := e.ask("GET", path, h, nil); code != http.StatusOK {
		t.Fatal(code, body)
	}
	if code, _ := e.ask("GET", "/api/v1/evidence/calls/"+string(ident.New[ident.CallID]()), h, nil); code != http.StatusPreconditionRequired {
		t.Error("one reason opens another recording")
	}
}

func TestAReasonLastsAnHourOfUseAndIsOnePersons(t *testing.T) {
	var o openings
	now := time.Unix(1e9, 0)
	mine, why := openedBy{"me", "call"}, openingRequest{"24-1", "court"}
	use := func(k openedBy, at time.Time) bool {
		got, ok := o.use(k, at)
		return ok && got == why
	}
	o.add(mine, why, now)
	if !use(mine, now.Add(openTime)) || !use(mine, now.Add(2*openTime)) {
		t.Error("it ended while it was used")
	}
	if use(openedBy{"other", "call"}, now) || use(mine, now.Add(3*openTime+time.Second)) || use(mine, now.Add(2*openTime)) {
		t.Error("it opens too much")
	}
	for n := range maxOpenings + 50 {
		o.add(openedBy{"me", ident.CallID(fmt.Sprint(n))}, why, now.Add(time.Duration(n)))
	}
	if len(o.used) > maxOpenings || use(openedBy{"me", "0"}, now) || !use(openedBy{"me", ident.CallID(fmt.Sprint(maxOpenings + 49))}, now) {
		t.Error(len(o.used), "are remembered, or the wrong ones")
	}
}
