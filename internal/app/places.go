package app

import (
	"context"

	"jedel/internal/fault"
	"jedel/internal/gazetteer"
	"jedel/internal/geo"
	"jedel/signaling"
)

// maxFindings bounds what a search shows.
const maxFindings = 10

// places implements signaling.Geo.
type places struct{ settled *gazetteer.Settled }

// Address implements signaling.Geo.
func (p places) Address(_ context.Context, at signaling.Place, accuracyM float64) (signaling.GeoAddress, error) {
	a, ok := p.settled.Reverse(geo.Point(at), accuracyM)
	if !ok {
		return signaling.GeoAddress{}, fault.New(fault.NotFound, "geo.address", nil)
	}
	return signaling.GeoAddress{
		Words: wordsOf(a.Words), Kind: string(a.Kind), Lat: a.At.Lat, Lon: a.At.Lon, Metres: a.Metres, Bearing: string(geo.WindOf(a.Bearing)), BearingDeg: a.Bearing,
		Confidence: a.Confidence, ReachM: a.ReachM, AccuracyM: accuracyM, Source: a.Source, Credit: a.Credit, Parts: partsOf(a.Parts),
	}, nil
}

// Search implements signaling.Geo.
func (p places) Search(_ context.Context, words string, near *signaling.Place) (signaling.GeoFindings, error) {
	out := signaling.GeoFindings{Found: []signaling.GeoFound{}, Source: "embedded", Credit: gazetteer.Credit}
	for _, f := range p.settled.Search(words, (*geo.Point)(near), maxFindings) {
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
