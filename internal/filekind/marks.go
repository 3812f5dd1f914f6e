package filekind

import (
	"math"
	"time"
)

// Marks that are put on a file. They are for people to look at; nothing is refused for them.
const (
	ForeignData = "foreign_data" // something stands in the file that is not of its format
	OtherTime   = "other_time"   // it says to have been taken at another time than was declared
	OtherPlace  = "other_place"  // or at another place
)

// Tolerances of marks.
const (
	// timeApart is how far a declared time may be from one with a zone. Shorter marks clocks that nobody
	// set, longer lets an old picture pass for one of now.
	timeApart = time.Hour
	// unzonedApart is the same where the camera's zone is unknown: the widest two zones are 26 hours apart.
	unzonedApart = 27 * time.Hour
	// placeApart is in metres, beside the declared accuracy.
	placeApart = 1000
)

// Declared is what was said of a file when it was announced.
type Declared struct {
	At        time.Time // zero: nothing
	Fixed     bool
	Lat, Lon  float64
	AccuracyM float64 // radius at 95 %
}

// Marks compares what was declared with what was found.
func Marks(d Declared, f Found) []string {
	out := []string{}
	if f.Foreign {
		out = append(out, ForeignData)
	}
	if !d.At.IsZero() && !f.Taken.At.IsZero() {
		apart := unzonedApart
		if f.Taken.Zoned {
			apart = timeApart
		}
		if d.At.Sub(f.Taken.At).Abs() > apart {
			out = append(out, OtherTime)
		}
	}
	if d.Fixed && f.Taken.Fixed && metres(d.Lat, d.Lon, f.Taken.Lat, f.Taken.Lon) > placeApart+d.AccuracyM {
		out = append(out, OtherPlace)
	}
	return out
}

// metres is the great-circle distance of two places.
func metres(lat1, lon1, lat2, lon2 float64) float64 {
	const radius = 6371000
	rad := math.Pi / 180
	a := math.Pow(math.Sin((lat2-lat1)*rad/2), 2) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Pow(math.Sin((lon2-lon1)*rad/2), 2)
	return 2 * radius * math.Asin(math.Sqrt(min(1, a)))
}
