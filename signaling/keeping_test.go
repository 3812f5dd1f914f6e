package signaling

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/retention"
)

// shelf is a small keeping: it takes every act and remembers it.
type shelf struct {
	mu      sync.Mutex // guards the rest
	done    []retention.Event
	refused []retention.Event
	gone    bool
	lists   []KeepingList
}

func (s *shelf) State(_ context.Context, _ Who, call ident.CallID) (KeepingState, error) {
	return KeepingState{Call: string(call)}, nil
}

func (s *shelf) Do(_ context.Context, _ Who, call ident.CallID, ev retention.Event) (KeepingState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, ev)
	return KeepingState{Call: string(call)}, nil
}

func (s *shelf) Refuse(_ context.Context, _ ident.CallID, ev retention.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, ev)
	return nil
}

func (s *shelf) Gone(context.Context, ident.CallID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return fault.New(fault.Destroyed, "evidence", nil)
	}
	return nil
}

func (s *shelf) List(_ context.Context, list KeepingList, _ string) ([]KeepingRow, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists = append(s.lists, list)
	return []KeepingRow{}, "", nil
}

// keepingActs is every act with a body that it takes, and who may do it.
func keepingActs() map[string]struct {
	body string
	may  []string
} {
	type row = struct {
		body string
		may  []string
	}
	decide, all := []string{"supervisor", "administrator"}, []string{"supervisor", "investigator", "administrator"}
	return map[string]row{
		"holds":                    {`{"id":"h","case":"26-1","reason":"суд"}`, []string{"investigator"}},
		"holds/release":            {`{"id":"h","reason":"r"}`, []string{"investigator"}},
		"keeping/extend":           {`{"untilMs":1900000000000,"reason":"r"}`, all},
		"keeping/shorten":          {`{"untilMs":1800000000000,"reason":"r"}`, decide},
		"keeping/shorten/confirm":  {`{"untilMs":1800000000000}`, decide},
		"keeping/shorten/withdraw": {`{}`, all},
		"deletion":                 {`{"reason":"r"}`, decide},
		"deletion/approve":         {`{}`, decide},
		"deletion/cancel":          {`{"reason":"r"}`, all},
	}
}

// TestEveryActOfKeepingAsksForItsRole walks acts by role; who may not is remembered by name.
func TestEveryActOfKeepingAsksForItsRole(t *testing.T) {
	k := &shelf{}
	e := serve(t, func(s *Server) { s.evidence.keeping = k })
	path := "/api/v1/evidence/calls/" + string(ident.New[ident.CallID]()) + "/"
	for _, role := range []string{"operator", "supervisor", "investigator", "administrator"} {
		h := e.signIn(role)
		for act, c := range keepingActs() {
			k.done, k.refused = nil, nil
			code, raw := e.ask("POST", path+act, h, strings.NewReader(c.body))
			may := slices.Contains(c.may, role)
			if may && (code != http.StatusOK || len(k.done) != 1 || len(k.refused) != 0) || !may && (code != http.StatusForbidden || len(k.done) != 0 || len(k.refused) != 1) {
				t.Errorf("%s %s: %d %s, %d done, %d refused", role, act, code, raw, len(k.done), len(k.refused))
			}
		}
		code, _ := e.ask("GET", path+"keeping", h, nil)
		if want := map[bool]int{true: 200, false: 403}[role != "operator"]; code != want {
			t.Errorf("%s looks: %d", role, code)
		}
	}
	if code, _ := e.ask("POST", path+"deletion", nil, strings.NewReader(`{"reason":"r"}`)); code != http.StatusUnauthorized {
		t.Error(code)
	}
}

func TestActsOfKeepingCarryWhoAndWhat(t *testing.T) {
	k := &shelf{}
	e := serve(t, func(s *Server) { s.evidence.keeping = k })
	path := "/api/v1/evidence/calls/" + string(ident.New[ident.CallID]()) + "/"
	e.ask("POST", path+"holds", e.signIn("investigator"), strings.NewReader(`{"id":"h1","case":" 26-1 ","reason":" сот "}`))
	st, err := e.db.StaffByLogin(t.Context(), "investigator")
	if err != nil {
		t.Fatal(err)
	}
	if want := (retention.PlaceHold{ID: "h1", By: st.ID, Case: "26-1", Reason: "сот"}); len(k.done) != 1 || k.done[0] != want {
		t.Fatalf("%+v, want %+v", k.done, want)
	}
	e.ask("POST", path+"keeping/shorten/confirm", e.signIn("administrator"), strings.NewReader(`{"untilMs":1800000000123}`))
	if c, ok := k.done[1].(retention.ConfirmShortening); !ok || !c.Until.Equal(time.UnixMilli(1800000000123)) {
		t.Fatalf("%+v", k.done[1])
	}
}

func TestHostileActsOfKeepingAreRefused(t *testing.T) {
	k := &shelf{}
	e := serve(t, func(s *Server) { s.evidence.keeping = k })
	h := e.signIn("investigator")
	id := string(ident.New[ident.CallID]())
	long := strings.Repeat("я", maxReason+1)
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{id + "/holds", ``, 400}, {id + "/holds", `{}`, 400}, {id + "/holds", `{"id":"h","case":"c","reason":"r","by":"x"}`, 400},
		{id + "/holds", `{"id":"h","id":"i","case":"c","reason":"r"}`, 400}, {id + "/holds", `[]`, 400},
		{id + "/holds", fmt.Sprintf(`{"id":"h","case":"c","reason":%q}`, long), 413}, {id + "/holds", fmt.Sprintf(`{"id":%q,"case":"c","reason":"r"}`, long), 413},
		{id + "/keeping/extend", `{"untilMs":1e400,"reason":"r"}`, 400}, {id + "/keeping/extend", `{"untilMs":"1","reason":"r"}`, 400},
		{"..%2f" + id + "/holds", `{"id":"h","case":"c","reason":"r"}`, 404}, {"x/holds", `{"id":"h","case":"c","reason":"r"}`, 404},
	} {
		if code, raw := e.ask("POST", "/api/v1/evidence/calls/"+c.path, h, strings.NewReader(c.body)); code != c.want {
			t.Errorf("%.60s %.60s: %d %s, want %d", c.path, c.body, code, raw, c.want)
		}
	}
	if len(k.done) > 0 {
		t.Errorf("%+v", k.done)
	}
	for _, list := range []string{"", "all", "held&cursor=" + long} {
		if code, _ := e.ask("GET", "/api/v1/evidence/keeping?list="+list, h, nil); code/100 != 4 {
			t.Errorf("list %.20s: %d", list, code)
		}
	}
	for _, list := range []KeepingList{KeepingHeld, KeepingPending, KeepingDue, KeepingGone} {
		if code, _ := e.ask("GET", "/api/v1/evidence/keeping?list="+string(list), h, nil); code != 200 {
			t.Errorf("list %s: %d", list, code)
		}
	}
	if len(k.lists) != 4 {
		t.Error(k.lists)
	}
}

func TestADestroyedRecordingIsNotOpenedAndSaysSo(t *testing.T) {
	k := &shelf{gone: true}
	e := serve(t, func(s *Server) { s.evidence.keeping = k })
	h := e.signIn("investigator")
	path := "/api/v1/evidence/calls/" + string(ident.New[ident.CallID]())
	if code, _ := e.ask("POST", path+"/opening", h, strings.NewReader(`{"case":"24-17","reason":"Сот"}`)); code != http.StatusNoContent {
		t.Fatal(code)
	}
	for _, route := range []string{"", "/media/caller"} {
		if code, raw := e.ask("GET", path+route, h, nil); code != http.StatusGone || !strings.Contains(raw, `"destroyed"`) {
			t.Errorf("%s: %d %s", route, code, raw)
		}
	}
	for _, route := range []string{"GET /custody", "GET /exports/x", "POST /exports"} {
		method, at, _ := strings.Cut(route, " ")
		body := `{"organization":"","case":"1","reason":"r","lang":"kk","recipient":"","tar":false,"withhold":[]}`
		if code, raw := e.ask(method, path+at, h, strings.NewReader(body)); code != http.StatusGone {
			t.Errorf("%s: %d %s", route, code, raw)
		}
	}
	for method, route := range map[string]string{"POST": "/verify", "GET": "/archive.tar"} { // seal and proofs remain
		if code, raw := e.ask(method, path+route, h, nil); code != http.StatusOK {
			t.Errorf("%s: %d %s", route, code, raw)
		}
	}
}
