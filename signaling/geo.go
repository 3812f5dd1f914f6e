package signaling

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jedel/internal/fault"
	"jedel/signaling/wire"
)

// Geo tells where a position is and where a name is.
type Geo interface {
	// Address is a position in words. accuracyM is its radius at 95 %; 0: not known.
	Address(ctx context.Context, at Place, accuracyM float64) (GeoAddress, error)
	// Search finds places by words that somebody is typing; those near a point first, where it is given.
	Search(ctx context.Context, words string, near *Place) (GeoFindings, error)
}

// GeoAddress is where a position is, in words.
type GeoAddress struct {
	Words      Words    `json:"words"`
	Kind       string   `json:"kind"` // house, post, landmark, street, settlement
	Lat        float64  `json:"lat"`  // of what is named
	Lon        float64  `json:"lon"`
	Metres     float64  `json:"metres"`     // from there to the position
	Bearing    string   `json:"bearing"`    // from there to the position: n, ne, e, se, s, sw, w, nw
	BearingDeg float64  `json:"bearingDeg"` // the same in degrees clockwise from north
	Confidence float64  `json:"confidence"` // that the place is within reachM of what is named (RFC 7459), 0 to 1; 0 also where the accuracy is not known
	ReachM     float64  `json:"reachM"`
	AccuracyM  float64  `json:"accuracyM"` // as asked
	Source     string   `json:"source"`    // embedded, gazetteer, photon, nominatim
	Credit     string   `json:"attribution"`
	Parts      GeoParts `json:"parts"`
}

// GeoParts are what an address is made of; what is not known is empty.
type GeoParts struct {
	House      string `json:"house"`
	Street     Words  `json:"street"`
	Settlement Words  `json:"settlement"`
	Road       Words  `json:"road"`
	Km         string `json:"km"`
	Landmark   Words  `json:"landmark"`
}

// GeoFound is one finding of a search.
type GeoFound struct {
	Words  Words    `json:"words"`
	Kind   string   `json:"kind"`
	Lat    float64  `json:"lat"`
	Lon    float64  `json:"lon"`
	Metres *float64 `json:"metres,omitempty"` // from the point asked for
}

// GeoFindings are what a search found, the best first.
type GeoFindings struct {
	Found  []GeoFound `json:"found"`
	Source string     `json:"source"`
	Credit string     `json:"attribution"`
}

// How often an address may ask where something is: a mobile network puts many people behind one, and
// somebody who types asks with every letter.
const (
	geoEvery = 100 * time.Millisecond
	geoBurst = 100
	// maxAccuracy is half of the earth.
	maxAccuracy = 20_000_000
	maxWords    = 200
)

// atlas answers where things are. Positions are never logged.
type atlas struct {
	s    *Server
	geo  Geo
	asks pacer
}

func (a atlas) table() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/geo/address": a.paced(a.address),
		"GET /api/v1/geo/search":  a.paced(a.search),
	}
}

// paced bounds how often one address asks.
func (a atlas) paced(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := error(nil)
		if !a.asks.take(a.s.addr(r), time.Now()) {
			err = fault.New(fault.RateLimited, "geo", nil)
		}
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			a.s.fail(w, r, err)
		}
	}
}

func (a atlas) address(w http.ResponseWriter, r *http.Request) error {
	const op = "geo.address"
	q := r.URL.Query()
	at, err := placeOf(q)
	if err != nil || at == nil {
		return fault.Newf(fault.BadValue, op, "lat or lon")
	}
	accuracy := 0.0
	if q.Has("accuracy") {
		if accuracy, err = strconv.ParseFloat(q.Get("accuracy"), 64); err != nil || !(accuracy >= 0 && accuracy <= maxAccuracy) {
			return fault.Newf(fault.BadValue, op, "accuracy")
		}
	}
	v, err := a.geo.Address(r.Context(), *at, accuracy)
	if err == nil {
		a.s.answer(w, http.StatusOK, v)
	}
	return err
}

func (a atlas) search(w http.ResponseWriter, r *http.Request) error {
	const op = "geo.search"
	q := r.URL.Query()
	words := strings.TrimSpace(q.Get("q"))
	if err := wire.Line("q", words, maxWords); err != nil || words == "" {
		return fault.New(fault.BadValue, op, err)
	}
	near, err := nearTo(q)
	if err != nil {
		return fault.Newf(fault.BadValue, op, "near")
	}
	v, err := a.geo.Search(r.Context(), words, near)
	if err == nil {
		a.s.answer(w, http.StatusOK, v)
	}
	return err
}

// nearTo reads the point that findings should be near: lat and lon, or near=lat,lon.
func nearTo(q url.Values) (*Place, error) {
	if q.Has("near") {
		lat, lon, _ := strings.Cut(q.Get("near"), ",")
		q = url.Values{"lat": {lat}, "lon": {lon}}
	}
	return placeOf(q)
}
