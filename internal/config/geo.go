package config

import (
	"fmt"
	"net/url"
	"time"
)

// Geo is where addresses come from.
type Geo struct {
	Source    string        `yaml:"source"`
	URL       string        `yaml:"url"`
	Timeout   time.Duration `yaml:"timeout"`
	PerSecond int           `yaml:"per_second"`
}

// Where addresses come from.
const (
	GeoEmbedded  = "embedded"
	GeoPhoton    = "photon"
	GeoNominatim = "nominatim"
)

func (g Geo) check() []error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	want(g.Source == GeoEmbedded || g.Source == GeoPhoton || g.Source == GeoNominatim, "geo.source: %q is not embedded, photon or nominatim", g.Source)
	u, err := url.Parse(g.URL)
	root := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == ""
	want(g.Source == GeoEmbedded || root, "geo.url: %q is not the root of a server, such as https://photon.example.kz", g.URL)
	want(g.Timeout >= 100*time.Millisecond && g.Timeout <= 5*time.Second, "geo.timeout: %v is not within 100ms and 5s: somebody waits", g.Timeout)
	want(g.PerSecond >= 1 && g.PerSecond <= 1000, "geo.per_second: %d is not within 1 and 1000", g.PerSecond)
	return errs
}
