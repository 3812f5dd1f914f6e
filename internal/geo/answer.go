package geo

import "math"

// Kind is what a place is told by.
type Kind string

// Kinds, from the most exact. Point is a search's own finding without an address.
const (
	House      Kind = "house"
	PostKind   Kind = "post" // a kilometre post
	Landmark   Kind = "landmark"
	StreetKind Kind = "street"
	Settlement Kind = "settlement"
)

// Parts are what an address is made of; what is not known is empty.
type Parts struct {
	House      string
	Street     Text
	Settlement Text
	Road       Text
	Km         string
	Landmark   Text
}

// Answer is where a position is.
type Answer struct {
	Words      Text
	Kind       Kind
	At         Point   // of what is named
	Metres     float64 // from there to the position
	Bearing    float64 // from there to the position, degrees
	Confidence float64 // that the place is within ReachM of what is named; 0: the position's accuracy is not known
	ReachM     float64
	Parts      Parts
	Source     string // embedded, gazetteer, photon, nominatim
	Credit     string // whose data it is, to be shown
}

// Sure is the confidence from which on a place is said without "about".
const Sure = 0.8

// Found is one finding of a search.
type Found struct {
	Words  Text
	Kind   Kind
	At     Point
	Metres float64 // from the point that was asked for; negative where none was
	Score  float64
	Source string
	Credit string
}

// Reach is how far a settlement of so many people reaches from its middle, at a guess, in metres:
// nobody's outline is in the tables. 200 thousand people make 7 km.
func Reach(people int) float64 {
	return max(700, min(20_000, 500*math.Sqrt(float64(max(0, people))/1000)))
}
