package cases

import (
	"math"
	"slices"
	"time"

	"jedel/internal/ident"
)

const (
	// SimilarTime and SimilarM bound what can be about one event: what people report of a fire or a
	// crash comes within minutes and from around the corner, what they report of noise within the hour.
	SimilarTime = time.Hour
	SimilarM    = 150
	// enough is the score from which a case is proposed.
	enough = 0.35
)

// Brief is what is compared of a case.
type Brief struct {
	ID     ident.CaseID
	Number string
	Kind   string
	At     time.Time
	Place  Place
}

// Match is a case that may be about the same event. Score is 0 to 1, M metres, Apart the time between.
type Match struct {
	Brief
	Score float64
	M     float64
	Apart time.Duration
}

// Similar returns those of others that may be about the event of s, the likeliest first. Only positions
// are compared, never words; each position's own accuracy widens the circle, up to 300 m.
func Similar(s Brief, others []Brief) []Match {
	var out []Match
	if !s.Place.HasFix {
		return nil
	}
	for _, o := range others {
		if o.ID == s.ID || !o.Place.HasFix || s.Kind != "" && o.Kind != "" && s.Kind != o.Kind {
			continue
		}
		m, limit := Metres(s.Place, o.Place), SimilarM+min(s.Place.AccuracyM, 300)+min(o.Place.AccuracyM, 300)
		apart := s.At.Sub(o.At).Abs()
		if m > limit || apart > SimilarTime {
			continue
		}
		score := 0.5*(1-m/limit) + 0.3*(1-float64(apart)/float64(SimilarTime))
		if s.Kind == o.Kind {
			score += 0.2
		}
		if score >= enough {
			out = append(out, Match{o, score, m, apart})
		}
	}
	slices.SortFunc(out, func(a, b Match) int {
		if a.Score != b.Score {
			if a.Score > b.Score {
				return -1
			}
			return 1
		}
		return b.At.Compare(a.At)
	})
	return out
}

// Metres returns the distance of two near places; flat, and good to 0.1 % within a city.
func Metres(a, b Place) float64 {
	const perDegree = 111_195
	dLon := math.Remainder(a.Lon-b.Lon, 360)
	return perDegree * math.Hypot(a.Lat-b.Lat, dLon*math.Cos((a.Lat+b.Lat)/2*math.Pi/180))
}
