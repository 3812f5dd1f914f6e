package app

import (
	"context"
	"math"
	"path/filepath"

	"jedel/internal/cases"
	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/gazetteer"
	"jedel/internal/geo"
	"jedel/internal/geocode"
	"jedel/signaling"
)

// maxFindings bounds what a search shows.
const maxFindings = 10

// GeoDir is the folder of imported maps within the data folder.
func GeoDir(data string) string { return filepath.Join(data, "geo") }

func geoConfig(c config.Geo, opt Options) geocode.Config {
	out := geocode.Config{Dir: GeoDir(opt.DataDir)}
	if c.Source != config.GeoEmbedded {
		out.Remote = geocode.RemoteConfig{Source: c.Source, URL: c.URL, Timeout: c.Timeout, PerSecond: c.PerSecond, Agent: "jedel/" + opt.Version}
	}
	return out
}

// places implements signaling.Geo.
type places struct{ geo *geocode.Geocoder }

// Address implements signaling.Geo.
func (p places) Address(ctx context.Context, at signaling.Place, accuracyM float64) (signaling.GeoAddress, error) {
	a, ok := p.geo.Reverse(ctx, geo.Point(at), accuracyM)
	if !ok {
		return signaling.GeoAddress{}, fault.New(fault.NotFound, "geo.address", nil)
	}
	return signaling.GeoAddress{
		Words: wordsOf(a.Words), Kind: string(a.Kind), Lat: a.At.Lat, Lon: a.At.Lon, Metres: a.Metres, Bearing: string(geo.WindOf(a.Bearing)), BearingDeg: a.Bearing,
		Confidence: a.Confidence, ReachM: a.ReachM, AccuracyM: accuracyM, Source: a.Source, Credit: a.Credit, Parts: partsOf(a.Parts),
	}, nil
}

// Search implements signaling.Geo.
func (p places) Search(ctx context.Context, words string, near *signaling.Place) (signaling.GeoFindings, error) {
	out := signaling.GeoFindings{Found: []signaling.GeoFound{}, Source: "embedded", Credit: gazetteer.Credit}
	for i, f := range p.geo.Search(ctx, words, (*geo.Point)(near), maxFindings) {
		if i == 0 {
			out.Source, out.Credit = f.Source, f.Credit
		}
		found := signaling.GeoFound{Words: wordsOf(f.Words), Kind: string(f.Kind), Lat: f.At.Lat, Lon: f.At.Lon}
		if f.Metres >= 0 {
			found.Metres = &f.Metres
		}
		out.Found = append(out.Found, found)
	}
	return out, nil
}

func wordsOf(t geo.Text) signaling.Words { return signaling.Words(t) }

func partsOf(p geo.Parts) signaling.GeoParts {
	return signaling.GeoParts{
		House: p.House, Street: wordsOf(p.Street), Settlement: wordsOf(p.Settlement), Road: wordsOf(p.Road), Km: p.Km, Landmark: wordsOf(p.Landmark),
	}
}

// derive adds to a position what a map makes of it. It is marked as such, and kept as it was then: maps
// change.
func (a *App) derive(ctx context.Context, p *cases.Place) {
	if p == nil || !p.HasFix {
		return
	}
	x, ok := a.geo.Reverse(ctx, geo.Point{Lat: p.Lat, Lon: p.Lon}, p.AccuracyM)
	if ok {
		p.Derived = &cases.Derived{KK: x.Words.KK, RU: x.Words.RU, EN: x.Words.EN, Source: x.Source, Confidence: math.Round(x.Confidence*100) / 100}
	}
}

// derived is derive for the lines of a card.
func (a *App) derived(ctx context.Context, lines []cases.Line) []cases.Line {
	for _, l := range lines {
		a.derive(ctx, l.Place)
	}
	return lines
}
