package signaling

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// geoEcho answers with what it was asked.
type geoEcho struct{}

func (geoEcho) Address(_ context.Context, at Place, accuracyM float64) (GeoAddress, error) {
	return GeoAddress{Lat: at.Lat, Lon: at.Lon, AccuracyM: accuracyM}, nil
}

func (geoEcho) Search(_ context.Context, words string, near *Place) (GeoFindings, error) {
	f := GeoFound{Kind: words}
	if near != nil {
		f.Lat, f.Lon = near.Lat, near.Lon
	}
	return GeoFindings{Found: []GeoFound{f}}, nil
}

// withGeo has the echo answer as often as p lets one ask.
func withGeo(p pacer) func(*Server) {
	return func(s *Server) {
		s.atlas = atlas{s, geoEcho{}, p}
		s.routes(&pages{})
	}
}

func (e *edge) geo(path string) (int, string) {
	e.t.Helper()
	w := httptest.NewRecorder()
	e.s.ServeHTTP(w, httptest.NewRequestWithContext(e.t.Context(), http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestNonsenseAboutPlacesIsRefusedByCode(t *testing.T) {
	e := serve(t, withGeo(newPacer(time.Hour, 1000)))
	for _, q := range []string{
		"", "?lat=54", "?lon=69", "?lat=91&lon=0", "?lat=0&lon=180.1", "?lat=NaN&lon=0", "?lat=Inf&lon=0", "?lat=x&lon=1", "?lat=1e400&lon=0", "?lat=1&lon=1&accuracy=-1",
		"?lat=1&lon=1&accuracy=NaN", "?lat=1&lon=1&accuracy=1e300", "?lat=1&lon=1&accuracy=", "?lat=" + strings.Repeat("1", 5000) + "&lon=1", "?lat=%00&lon=1",
	} {
		if code, body := e.geo("/api/v1/geo/address" + q); code != http.StatusBadRequest || !strings.Contains(body, `"bad_value"`) {
			t.Errorf("%.60s: %d %s", q, code, body)
		}
	}
	for _, q := range []string{"", "?q=", "?q=%20%20", "?q=a%0ab", "?q=" + strings.Repeat("a", maxWords+1), "?q=a&lat=1", "?q=a&near=1", "?q=a&near=1,2,3", "?q=a&near=91,0", "?q=%ff%fe"} {
		if code, body := e.geo("/api/v1/geo/search" + q); code != http.StatusBadRequest || !strings.Contains(body, `"bad_value"`) {
			t.Errorf("%.60s: %d %s", q, code, body)
		}
	}
	if code, body := e.geo("/api/v1/geo/address?lat=54.87&lon=69.15&accuracy=12"); code != http.StatusOK || !strings.Contains(body, `"lat":54.87,"lon":69.15`) || !strings.Contains(body, `"accuracyM":12`) {
		t.Error(code, body)
	}
	for _, near := range []string{"&lat=54.87&lon=69.15", "&near=54.87,69.15"} {
		if code, body := e.geo("/api/v1/geo/search?q=" + url.QueryEscape("абай") + near); code != http.StatusOK || !strings.Contains(body, `"lat":54.87,"lon":69.15`) || !strings.Contains(body, "абай") {
			t.Error(code, body)
		}
	}
}

func TestAskingForPlacesIsBounded(t *testing.T) {
	e := serve(t, withGeo(newPacer(time.Hour, 3)))
	for i := range 5 {
		code, body := e.geo("/api/v1/geo/address?lat=1&lon=1")
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 3]; code != want {
			t.Fatal(i, code, body)
		}
	}
}
