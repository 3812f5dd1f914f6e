package signaling

import (
	"bufio"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"jedel/signaling/wire"
)

func TestPagesComeWholeAndGuarded(t *testing.T) {
	e := serve(t)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+e.addr+"/", nil)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || len(got) != 1100 {
		t.Fatal(len(got), err)
	}
	csp := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Fatal(csp)
	}
}

// TestPagesMayConnectNowhereElse sends hosts that would widen the policy.
func TestPagesMayConnectNowhereElse(t *testing.T) {
	e := serve(t)
	policy := func(host string) (int, string) {
		t.Helper()
		res, err := http.ReadResponse(bufio.NewReader(e.raw("GET / HTTP/1.1\r\nConnection: close\r\nHost: "+host+"\r\n\r\n")), nil)
		if err != nil {
			t.Fatal(host, err)
		}
		defer res.Body.Close()
		csp := res.Header.Get("Content-Security-Policy")
		_, connect, _ := strings.Cut(csp, "connect-src ")
		connect, _, _ = strings.Cut(connect, ";")
		if res.StatusCode == http.StatusOK && (strings.Count(csp, ";") != 9 || !strings.HasSuffix(csp, "frame-ancestors 'none'")) {
			t.Errorf("%s: %s", host, csp)
		}
		return res.StatusCode, connect
	}
	for _, host := range []string{"112.example.kz", "localhost:8080", "192.0.2.7:8443"} {
		if _, got := policy(host); got != "'self' ws://"+host+" wss://"+host {
			t.Error(host, got)
		}
	}
	for _, host := range []string{
		"*", "*.kz", "x;script-src", "x;script-src:80", "a,b", "'unsafe-inline'", "[2001:db8::1]:8080", "a.kz:*", "a.kz:", "a.kz:+1", "a.kz:99999",
		"a..kz", ".", "", "a.kz:80:80", strings.Repeat("a", 64), strings.Repeat("a.", 200) + "kz", "a_b", "a%20b", "user@a.kz",
	} {
		if code, got := policy(host); code == http.StatusOK && got != "'self'" {
			t.Error(host, got)
		}
	}
	if got := socketSource(&http.Request{Host: "a.kz", TLS: &tls.ConnectionState{}}); got != " wss://a.kz" {
		t.Error(got)
	}
}

func TestDescriptionAndRoutesAgree(t *testing.T) {
	e := serve(t)
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(openAPIDoc, &doc); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, ops := range doc.Paths {
		for method := range ops {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	for route := range e.s.table() {
		if route = strings.TrimSuffix(route, "{$}"); strings.Contains(route, "/api/v1/") && !described[route] {
			t.Errorf("%s is not described", route)
		}
		delete(described, route)
	}
	for route := range described {
		t.Errorf("%s is described and does not exist", route)
	}
}

// TestDescribedBodiesAreThoseTaken holds every field of a request, and whether it may be missing.
func TestDescribedBodiesAreThoseTaken(t *testing.T) {
	type operation struct {
		Body struct {
			Content map[string]struct {
				Schema struct {
					Properties map[string]any `json:"properties"`
					Required   []string       `json:"required"`
				} `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
	}
	var doc struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := json.Unmarshal(openAPIDoc, &doc); err != nil {
		t.Fatal(err)
	}
	taken := map[string]reflect.Type{
		"post /api/v1/push/subscriptions": reflect.TypeFor[PushSubscription](), "delete /api/v1/push/subscriptions": reflect.TypeFor[endpointRequest](),
		"post /api/v1/caller/code": reflect.TypeFor[codeRequest](), "post /api/v1/caller/register": reflect.TypeFor[registerRequest](),
		"put /api/v1/caller/me": reflect.TypeFor[profileRequest](), "post /api/v1/staff/session": reflect.TypeFor[signInRequest](),
		"put /api/v1/staff/totp": reflect.TypeFor[totpRequest](), "delete /api/v1/staff/totp": reflect.TypeFor[dropTOTPRequest](),
		"post /api/v1/evidence/calls/{call}/opening": reflect.TypeFor[openingRequest](), "post /api/v1/evidence/calls/{call}/exports": reflect.TypeFor[exportRequest](),
		"post /api/v1/evidence/calls/{call}/holds": reflect.TypeFor[holdRequest](), "post /api/v1/evidence/calls/{call}/holds/release": reflect.TypeFor[releaseRequest](),
		"post /api/v1/evidence/calls/{call}/keeping/extend": reflect.TypeFor[untilRequest](), "post /api/v1/evidence/calls/{call}/keeping/shorten": reflect.TypeFor[untilRequest](),
		"post /api/v1/evidence/calls/{call}/keeping/shorten/confirm": reflect.TypeFor[confirmRequest](), "post /api/v1/evidence/calls/{call}/keeping/shorten/withdraw": reflect.TypeFor[nothingRequest](),
		"post /api/v1/evidence/calls/{call}/deletion": reflect.TypeFor[becauseRequest](), "post /api/v1/evidence/calls/{call}/deletion/approve": reflect.TypeFor[nothingRequest](),
		"post /api/v1/cameras/{camera}/clips":                reflect.TypeFor[clipRequest](),
		"post /api/v1/evidence/calls/{call}/deletion/cancel": reflect.TypeFor[becauseRequest](),
		"post /api/v1/cases/{case}/acts":                     reflect.TypeFor[CaseAct](), "post /api/v1/cases/{case}/files": reflect.TypeFor[Declaration](),
		"post /api/v1/patrol/cases/{case}/words": reflect.TypeFor[PatrolWord](), "post /api/v1/patrol/alarm": reflect.TypeFor[AlarmRequest](), "post /api/v1/alarms/{patrol}/answers": reflect.TypeFor[alarmAnswer](), "put /api/v1/patrol/fix": reflect.TypeFor[wire.Fix](), "put /api/v1/patrol/duty": reflect.TypeFor[dutyRequest](),
		"post /api/v1/reports": reflect.TypeFor[ReportRequest](), "post /api/v1/reports/{report}/amends": reflect.TypeFor[Amendment](),
		"post /api/v1/admin/accounts": reflect.TypeFor[newAccountRequest](), "put /api/v1/admin/accounts/{staff}": reflect.TypeFor[accountRequest](),
		"put /api/v1/admin/accounts/{staff}/roles": reflect.TypeFor[rolesRequest](),
		"post /api/v1/staff/invitation":            reflect.TypeFor[invitedRequest](), "put /api/v1/staff/invitation": reflect.TypeFor[acceptRequest](),
		"put /api/v1/wall/limits": reflect.TypeFor[limitRequest](), "put /api/v1/shifts/lines": reflect.TypeFor[shiftLineRequest](), "post /api/v1/shifts/handovers": reflect.TypeFor[handRequest](),
		"post /api/v1/shifts/handovers/{case}/answer": reflect.TypeFor[answerRequest](),
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			s, described := op.Body.Content["application/json"]
			typ := taken[method+" "+path]
			if described != (typ != nil) {
				t.Errorf("%s %s: described %v, taken %v", method, path, described, typ)
			}
			if typ == nil {
				continue
			}
			fields, required := map[string]any{}, []string{}
			for i := range typ.NumField() {
				name, option, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
				if fields[name] = s.Schema.Properties[name]; option != "omitempty" {
					required = append(required, name)
				}
			}
			if !reflect.DeepEqual(fields, s.Schema.Properties) || !slices.Equal(required, s.Schema.Required) {
				t.Errorf("%s %s: takes %v, %v; described %v, %v", method, path, fields, required, s.Schema.Properties, s.Schema.Required)
			}
		}
	}
}

func TestDocumentTellsEveryCloseCode(t *testing.T) {
	raw, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []int{
		websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseMessageTooBig, websocket.CloseInternalServerErr, websocket.CloseServiceRestart,
		CloseSlow, CloseBad, CloseReplaced, CloseHello, CloseSignedOut,
	} {
		if !strings.Contains(string(raw), fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("%d is not told", code)
		}
	}
}
