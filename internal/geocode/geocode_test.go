package geocode

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/geo"

	"github.com/prometheus/client_golang/prometheus"
)

const photonHouse = `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[69.1510,54.8702]},
"properties":{"osm_key":"building","type":"house","housenumber":"12","street":"улица Абая","city":"Петропавловск","country":"Қазақстан"}}]}`

const nominatimHouse = `{"lat":"54.8702","lon":"69.1510","addresstype":"building","name":"","display_name":"x","address":{"house_number":"12","road":"улица Абая","city":"Петропавловск"}}`

// server is a fake that records what it was asked and answers what it is told.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []url.URL
	agent  string
	answer http.HandlerFunc
}

func newServer(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked, s.agent = append(s.asked, *r.URL), r.UserAgent()
		s.mu.Unlock()
		s.answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) questions() []url.URL {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.URL{}, s.asked...)
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func geocoder(t *testing.T, source, url string, perSecond int) *Geocoder {
	t.Helper()
	cfg := Config{Dir: t.TempDir(), Remote: RemoteConfig{Source: source, URL: url, Timeout: 200 * time.Millisecond, PerSecond: perSecond, Agent: "jedel/test"}}
	return New(t.Context(), cfg, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
}

var home = geo.Point{Lat: 54.8702, Lon: 69.1510}

func TestAServerIsAskedAndItsAnswersAreKept(t *testing.T) {
	for source, answer := range map[string]string{Photon: photonHouse, Nominatim: nominatimHouse} {
		s := newServer(t, says(answer))
		g := geocoder(t, source, s.URL, 10)
		for range 3 {
			a, ok := g.Reverse(t.Context(), home, 8)
			if want := "Петропавловск, улица Абая, 12"; !ok || a.Words.RU != want || a.Source != source || a.Kind != geo.House || a.Confidence < 0.9 || a.Credit != credit {
				t.Fatalf("%s: %+v", source, a)
			}
		}
		q := s.questions()
		if len(q) != 1 || q[0].Path != "/reverse" || q[0].Query().Get("lat") != "54.87020" || q[0].Query().Get("lon") != "69.15100" || s.agent != "jedel/test" {
			t.Errorf("%s: %v %s", source, q, s.agent)
		}
		// No more is told than is needed: nothing but the position.
		for key := range q[0].Query() {
			if !strings.Contains("lat lon format addressdetails", key) {
				t.Errorf("%s learns %s", source, key)
			}
		}
	}
}

func TestAServerIsSearched(t *testing.T) {
	for source, answer := range map[string]string{Photon: photonHouse, Nominatim: "[" + nominatimHouse + "]"} {
		s := newServer(t, says(answer))
		list := geocoder(t, source, s.URL, 10).Search(t.Context(), "абая 12", &home, 5)
		if len(list) != 1 || list[0].Words.RU != "Петропавловск, улица Абая, 12" || list[0].Metres > 1 {
			t.Errorf("%s: %+v", source, list)
		}
		if q := s.questions(); len(q) != 1 || q[0].Query().Get("q") != "абая 12" {
			t.Error(source, q)
		}
	}
}

// TestWhateverAServerDoesThereIsAnAnswer has one that is slow, gone, broken, lying and endless.
func TestWhateverAServerDoesThereIsAnAnswer(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"slow":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"an error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, photonHouse, http.StatusTooManyRequests) },
		"garbage":  says("<html>"), "nothing": says(`{"features":[]}`), "a number": says("5"), "no coordinates": says(`{"features":[{"properties":{"name":"x","type":"house"}}]}`),
		"nowhere on earth": says(strings.Replace(photonHouse, "54.8702", "540.8702", 1)), "far away": says(strings.Replace(photonHouse, "54.8702", "44.8702", 1)),
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		},
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
	} {
		for _, source := range []string{Photon, Nominatim} {
			g := geocoder(t, source, newServer(t, answer).URL, 10)
			begin := time.Now()
			a, ok := g.Reverse(t.Context(), home, 8)
			if !ok || a.Source != "embedded" || a.Words.RU == "" {
				t.Errorf("%s %s: %+v", source, name, a)
			}
			if list := g.Search(t.Context(), "петропавловск", &home, 5); len(list) == 0 || list[0].Source != "embedded" && name != "far away" { // who searches may look for what is far
				t.Errorf("%s %s: %+v", source, name, list)
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("%s %s: %v", source, name, took)
			}
		}
	}
	gone := newServer(t, says(""))
	gone.Close()
	if a, ok := geocoder(t, Photon, gone.URL, 10).Reverse(t.Context(), home, 8); !ok || a.Source != "embedded" {
		t.Errorf("%+v", a)
	}
}

func TestAServerThatFailedIsLeftAlone(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) })
	g := geocoder(t, Photon, s.URL, 100)
	for i := range 5 {
		g.Reverse(t.Context(), geo.Point{Lat: 54.87 + float64(i)/100, Lon: 69.15}, 8)
	}
	if q := s.questions(); len(q) != 1 {
		t.Errorf("asked %d times", len(q))
	}
}

func TestAServerIsNotAskedTooOften(t *testing.T) {
	s := newServer(t, says(photonHouse))
	g := geocoder(t, Photon, s.URL, 2)
	for i := range 20 {
		if _, ok := g.Reverse(t.Context(), geo.Point{Lat: 54.87 + float64(i)/1e4, Lon: 69.15}, 8); !ok {
			t.Fatal("no answer")
		}
	}
	if q := s.questions(); len(q) < 2 || len(q) > 4 {
		t.Errorf("asked %d times", len(q))
	}
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{photonHouse, nominatimHouse, "[" + nominatimHouse + "]", `{"error":"Unable to geocode"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, parse := range []func([]byte) ([]place, error){parsePhoton, parseNominatim, parseNominatimOne} {
			list, _ := parse(raw)
			for _, p := range list {
				if words := p.words(); !p.at.Valid() || words.Empty() || strings.ContainsAny(words.RU+words.KK+words.EN, "\n\r\x00") {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}
