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
	"jedel/signaling/wire"
)

// pole has one camera, "yard", and its viewers.
type pole struct {
	mu      sync.Mutex // guards the rest
	near    *Place
	viewers map[string]bool
}

func (p *pole) List(near *Place) []CameraRow {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.near = near
	return []CameraRow{{Camera: "yard", State: "idle"}}
}

func (p *pole) View(_ context.Context, who Who, camera, offer string) (View, error) {
	if camera != "yard" {
		return View{}, fault.New(fault.NoSuchCamera, "test", nil)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v := string(ident.New[ident.ClientID]())
	p.viewers[v] = true
	relays := []wire.ICEServer{{URLs: []string{"turn:" + who.Host + "?transport=udp", "turns:" + who.Host + "?transport=tcp"}, Username: "1795:" + v, Credential: "c2VjcmV0"}}
	return View{Viewer: v, Answer: "answer to " + offer, Relays: relays}, nil
}

func (p *pole) Leave(camera, viewer string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if camera != "yard" || !p.viewers[viewer] {
		return fault.New(fault.NotFound, "test", nil)
	}
	delete(p.viewers, viewer)
	return nil
}

func (p *pole) Looks(_, viewer string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewers[viewer]
}

func (p *pole) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.viewers)
}

// servePole serves an edge with a camera that looks at sessions often.
func servePole(t *testing.T) (*edge, *pole) {
	t.Helper()
	p := &pole{viewers: map[string]bool{}}
	return serve(t, func(s *Server) { s.evidence.lookers.cameras, s.checkEvery = p, 20*time.Millisecond }), p
}

// look posts an offer and returns the viewer's address.
func look(t *testing.T, e *edge, h http.Header) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+e.addr+"/api/v1/cameras/yard/whep", strings.NewReader("v=0"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h.Clone()
	req.Header.Set("Content-Type", "application/sdp; charset=utf-8")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	at := res.Header.Get("Location")
	viewer := at[strings.LastIndex(at, "/")+1:]
	want := []string{
		fmt.Sprintf(`<turn:%s?transport=udp>; rel="ice-server"; username="1795:%s"; credential="c2VjcmV0"; credential-type="password"`, e.addr, viewer),
		fmt.Sprintf(`<turns:%s?transport=tcp>; rel="ice-server"; username="1795:%s"; credential="c2VjcmV0"; credential-type="password"`, e.addr, viewer),
	}
	if got := res.Header.Values("Link"); !slices.Equal(got, want) {
		t.Errorf("relays for the next offer: %q, want %q", got, want)
	}
	if res.StatusCode != http.StatusCreated || res.Header.Get("Content-Type") != "application/sdp" || !strings.HasPrefix(at, "/api/v1/cameras/yard/whep/") {
		t.Fatal(res.StatusCode, res.Header)
	}
	return at
}

func TestOnlyThoseOnDutySeeCameras(t *testing.T) {
	e, _ := servePole(t)
	for login, want := range map[string]int{"operator": 200, "supervisor": 200, "investigator": 403, "administrator": 403} {
		if code, raw := e.ask("GET", "/api/v1/cameras", e.signIn(login), nil); code != want {
			t.Error(login, code, raw)
		}
	}
	if code, _ := e.ask("GET", "/api/v1/cameras", nil, nil); code != 401 {
		t.Error(code)
	}
}

func TestPlaceOfTheListIsChecked(t *testing.T) {
	e, p := servePole(t)
	h := e.signIn("operator")
	for query, want := range map[string]int{
		"": 200, "?lat=54.8&lon=69.1": 200, "?lat=54.8": 400, "?lat=91&lon=0": 400, "?lat=0&lon=181": 400, "?lat=NaN&lon=0": 400, "?lat=0&lon=Inf": 400, "?lat=&lon=": 400, "?lat=1x&lon=2": 400,
	} {
		if code, raw := e.ask("GET", "/api/v1/cameras"+query, h, nil); code != want {
			t.Error(query, code, raw)
		}
	}
	if _, _ = e.ask("GET", "/api/v1/cameras?lat=54.8&lon=69.1", h, nil); p.near == nil || *p.near != (Place{54.8, 69.1}) {
		t.Error(p.near)
	}
}

func TestOfferIsCheckedBeforeAnybodySeesIt(t *testing.T) {
	e, p := servePole(t)
	h := e.signIn("operator")
	for _, x := range []struct {
		kind, body, camera string
		want               int
		code               string
	}{
		{"application/json", "v=0", "yard", 400, "bad_sdp"}, {"", "v=0", "yard", 400, "bad_sdp"},
		{"application/sdp", strings.Repeat("a", maxOffer+1), "yard", 413, "too_large"}, {"application/sdp", "v=0", "roof", 404, "no_such_camera"},
	} {
		hh := h.Clone()
		hh.Set("Content-Type", x.kind)
		if code, raw := e.ask("POST", "/api/v1/cameras/"+x.camera+"/whep", hh, strings.NewReader(x.body)); code != x.want || !strings.Contains(raw, x.code) {
			t.Error(x.kind, len(x.body), x.camera, code, raw)
		}
	}
	if p.count() != 0 {
		t.Error("a viewer of nothing")
	}
}

func TestViewerEndsOnceByItsAddress(t *testing.T) {
	e, p := servePole(t)
	h := e.signIn("operator")
	at := look(t, e, h)
	for _, want := range []int{204, 404} {
		if code, raw := e.ask("DELETE", at, h, nil); code != want {
			t.Error(code, raw)
		}
	}
	if p.count() != 0 {
		t.Error("still there")
	}
}

func TestViewersEndWithTheirSession(t *testing.T) {
	e, p := servePole(t)
	h, other := e.signIn("operator"), e.signIn("supervisor")
	look(t, e, h)
	kept := look(t, e, other)
	if code, _ := e.ask("DELETE", "/api/v1/staff/session", h, nil); code != 204 {
		t.Fatal(code)
	}
	if p.count() != 1 || !p.Looks("yard", kept[strings.LastIndex(kept, "/")+1:]) {
		t.Errorf("%d viewers after one signed out", p.count())
	}
	st, err := e.db.StaffByLogin(t.Context(), "supervisor")
	if err != nil {
		t.Fatal(err)
	}
	st.Roles = []string{"investigator"}
	if err := e.db.PutStaff(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(bound); p.count() > 0 || len(e.s.evidence.lookers.all()) > 0; {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("who may no longer see cameras still does")
		}
	}
}
