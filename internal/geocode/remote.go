package geocode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"jedel/internal/admit"
	"jedel/internal/geo"

	"github.com/prometheus/client_golang/prometheus"
)

// Sources that can be configured.
const (
	Photon    = "photon"
	Nominatim = "nominatim"
)

// RemoteConfig is a server that answers instead.
type RemoteConfig struct {
	Source    string        // photon or nominatim; empty: none
	URL       string        // of its root
	Timeout   time.Duration // then the answer comes from here
	PerSecond int           // questions at most; more are answered from here
	Agent     string        // how it is told who asks
}

// Bounds of a server's answers, and how long it is left alone after it failed.
const (
	maxAnswer = 256 << 10
	restTime  = 10 * time.Second
	keepTime  = 10 * time.Minute
	maxKept   = 2000
	farM      = 20_000 // farther from the position an answer is none
)

// remote asks a server. Its answers are kept for a while.
type remote struct {
	cfg    RemoteConfig
	client *http.Client
	asked  *prometheus.CounterVec

	mu     sync.Mutex // guards the rest
	bucket admit.Bucket
	rest   time.Time // until when it is left alone
	kept   map[string]kept
}

type kept struct {
	found []place
	at    time.Time
}

// place is a finding of a server.
type place struct {
	kind  geo.Kind
	at    geo.Point
	parts geo.Parts
}

func newRemote(cfg RemoteConfig, reg prometheus.Registerer) *remote {
	r := &remote{cfg: cfg, kept: map[string]kept{}, client: &http.Client{
		Timeout:       cfg.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	r.asked = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "jedel_geo_remote_total", Help: "Questions to the configured server of addresses, by what came of them: ok, kept (answered from memory), failed, resting (it failed a moment ago), limited.",
	}, []string{"outcome"})
	reg.MustRegister(r.asked)
	return r
}

// errRefused is an answer that is none.
var errRefused = errors.New("no answer")

// ask returns what the server says to a question; ok is false where it says nothing useful in time.
func (r *remote) ask(ctx context.Context, path string, q url.Values, parse func([]byte) ([]place, error)) ([]place, bool) {
	key := path + "?" + q.Encode()
	now := time.Now()
	if found, outcome := r.admit(key, now); outcome != "" {
		r.asked.WithLabelValues(outcome).Inc()
		return found, outcome == "kept"
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	found, err := r.get(ctx, key, parse)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			r.rest = time.Now().Add(restTime)
		} // who asked may have gone; the server is not to blame
		r.asked.WithLabelValues("failed").Inc()
		return nil, false
	}
	r.asked.WithLabelValues("ok").Inc()
	if len(r.kept) >= maxKept {
		clear(r.kept)
	}
	r.kept[key] = kept{found, time.Now()}
	return found, true
}

// admit says whether the server may be asked now; outcome is empty where it may.
func (r *remote) admit(key string, now time.Time) (found []place, outcome string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.kept[key]; ok && now.Sub(k.at) < keepTime {
		return k.found, "kept"
	}
	if now.Before(r.rest) {
		return nil, "resting"
	}
	if ok, _ := r.bucket.Take(admit.Rate{Every: time.Second / time.Duration(r.cfg.PerSecond), Burst: r.cfg.PerSecond}, now); !ok {
		return nil, "limited"
	}
	return nil, ""
}

func (r *remote) get(ctx context.Context, key string, parse func([]byte) ([]place, error)) ([]place, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.cfg.URL+key, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", r.cfg.Agent)
	res, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode != http.StatusOK || len(raw) > maxAnswer:
		return nil, fmt.Errorf("%w: %s, %d bytes", errRefused, res.Status, len(raw))
	}
	return parse(raw)
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', 5, 64) }

func (r *remote) reverse(ctx context.Context, p geo.Point, accuracyM float64) (geo.Answer, bool) {
	q := url.Values{"lat": {degrees(p.Lat)}, "lon": {degrees(p.Lon)}}
	parse := parsePhoton
	if r.cfg.Source == Nominatim {
		q.Set("format", "jsonv2")
		q.Set("addressdetails", "1")
		parse = parseNominatimOne
	}
	found, ok := r.ask(ctx, "/reverse", q, parse)
	if !ok || len(found) == 0 {
		return geo.Answer{}, false
	}
	x := found[0]
	a := geo.Answer{Kind: x.kind, At: x.at, Metres: geo.Metres(x.at, p), Bearing: geo.Bearing(x.at, p), Parts: x.parts, Source: r.cfg.Source, Credit: credit}
	if a.Metres > farM {
		return a, false
	}
	a.ReachM = map[geo.Kind]float64{geo.House: 40, geo.Landmark: 80, geo.StreetKind: 100, geo.PostKind: 500}[x.kind]
	if a.ReachM == 0 {
		a.ReachM = max(1000, a.Metres)
	}
	what := x.words()
	if a.Metres > a.ReachM+50 {
		what = geo.From(what, a.Metres, geo.WindOf(a.Bearing))
	}
	a.Words = what
	if accuracyM > 0 {
		a.Confidence = geo.Within(a.Metres, accuracyM, a.ReachM)
	}
	if a.Confidence < geo.Sure {
		a.Words = geo.About(what)
	}
	return a, true
}

// credit is what the licence of the data asks to be shown; both servers answer from it.
const credit = "© OpenStreetMap contributors (ODbL)"

// words says what was found, within its settlement.
func (p place) words() geo.Text {
	what := geo.Text{}
	switch {
	case p.parts.House != "" && !p.parts.Street.Empty():
		what = geo.Address(p.parts.Street, p.parts.House)
	case !p.parts.Landmark.Empty():
		what = geo.Near(p.parts.Landmark)
	case !p.parts.Street.Empty():
		what = geo.Street(p.parts.Street)
	}
	return geo.Join(p.parts.Settlement, what)
}

func (r *remote) search(ctx context.Context, words string, near *geo.Point, limit int) ([]geo.Found, bool) {
	q := url.Values{"q": {words}, "limit": {strconv.Itoa(limit)}}
	path, parse := "/api", parsePhoton
	if r.cfg.Source == Nominatim {
		path, parse = "/search", parseNominatim
		q.Set("format", "jsonv2")
		q.Set("addressdetails", "1")
	}
	if near != nil && r.cfg.Source == Photon {
		q.Set("lat", degrees(near.Lat))
		q.Set("lon", degrees(near.Lon))
	}
	found, ok := r.ask(ctx, path, q, parse)
	var out []geo.Found
	for _, x := range found[:min(len(found), limit)] {
		f := geo.Found{Words: x.words(), Kind: x.kind, At: x.at, Metres: -1, Source: r.cfg.Source, Credit: credit}
		if near != nil {
			f.Metres = geo.Metres(*near, x.at)
		}
		if !f.Words.Empty() {
			out = append(out, f)
		}
	}
	return out, ok
}
