// Package gazetteer tells where a position is and where a name is, without a network: from the
// settlements that are built in, and from a file that is made of a map (Write), an SQLite database with
// an R*Tree of houses, streets, kilometre posts, landmarks and settlements.
package gazetteer

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"jedel/internal/geo"
)

// settlementsTSV is written by web/map/build-base.mjs.
//
//go:embed settlements.tsv
var settlementsTSV string

// Credit names whose data the built-in settlements are, as their licence asks.
const Credit = "GeoNames (CC BY 4.0)"

// Settled are the settlements that are built in: all of Kazakhstan that GeoNames has with 500 people or
// more, and the cities around it.
type Settled struct{ list []settlement }

type settlement struct {
	name   geo.Text
	at     geo.Point
	people int
	rank   int // 0 capital … 4 village
	home   bool
	keys   []string // folded names
}

// NewSettled reads the table that is built in; a test reads all of it.
func NewSettled() *Settled {
	s, err := readSettled(settlementsTSV)
	if err != nil {
		panic(err) // the program was built from a broken table
	}
	return s
}

func readSettled(table string) (*Settled, error) {
	s := &Settled{}
	for n, line := range strings.Split(strings.Trim(table, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		one, err := readSettlement(strings.Split(line, "\t"))
		if err != nil {
			return nil, fmt.Errorf("settlements.tsv, line %d: %w", n+1, err)
		}
		s.list = append(s.list, one)
	}
	return s, nil
}

func readSettlement(col []string) (settlement, error) {
	if len(col) != 9 {
		return settlement{}, fmt.Errorf("%d columns", len(col))
	}
	lat, e1 := strconv.ParseFloat(col[3], 64)
	lon, e2 := strconv.ParseFloat(col[4], 64)
	people, e3 := strconv.Atoi(col[5])
	rank, e4 := strconv.Atoi(col[6])
	for _, err := range []error{e1, e2, e3, e4} {
		if err != nil {
			return settlement{}, err
		}
	}
	s := settlement{name: geo.Text{KK: col[0], RU: col[1], EN: col[2]}, at: geo.Point{Lat: lat, Lon: lon}, people: people, rank: rank, home: col[7] == "1"}
	if !s.at.Valid() || s.name.KK == "" || s.name.RU == "" || s.name.EN == "" {
		return s, fmt.Errorf("no name or no place")
	}
	for _, name := range append([]string{col[0], col[1], col[2]}, strings.Split(col[8], "|")...) {
		if key := geo.Fold(name); key != "" && !slices.Contains(s.keys, key) {
			s.keys = append(s.keys, key)
		}
	}
	return s, nil
}

// maxFar is how far away a settlement may be to say where something is.
const maxFar = 500_000

// Reverse says where a position is by the settlement that tells it best: the nearest, but a town counts
// as if it were closer than a village, because people know it. accuracyM is the radius at 95 %, 0 where
// it is not known. ok is false far from all of them.
func (s *Settled) Reverse(p geo.Point, accuracyM float64) (geo.Answer, bool) {
	best, least := -1, math.Inf(1)
	for i, x := range s.list {
		m := geo.Metres(x.at, p)
		cost := max(0, m-geo.Reach(x.people)) * (1 + float64(x.rank)*0.15)
		if cost == 0 {
			cost = m/geo.Reach(x.people) - 1 // within it: the one in whose middle it is
		}
		if m <= maxFar && cost < least {
			best, least = i, cost
		}
	}
	if best < 0 {
		return geo.Answer{}, false
	}
	x := s.list[best]
	a := geo.Answer{Kind: geo.Settlement, At: x.at, Metres: geo.Metres(x.at, p), Bearing: geo.Bearing(x.at, p), Parts: geo.Parts{Settlement: x.name}, Source: "embedded", Credit: Credit}
	a.Words, a.ReachM = aroundSettlement(x.name, geo.Reach(x.people), a)
	return settle(a, accuracyM), true
}

// aroundSettlement words an answer by a settlement, and says how far the words reach.
func aroundSettlement(name geo.Text, radius float64, a geo.Answer) (geo.Text, float64) {
	// What is said is a distance as people say it and one of eight winds: half a wind is 0.39 of the way.
	reach := max(100, 0.39*a.Metres+accuracyOfFar(a.Metres))
	if a.Metres <= radius {
		return geo.InSettlement(name, a.Metres, geo.WindOf(a.Bearing)), max(300, reach)
	}
	return geo.FromSettlement(name, a.Metres, geo.WindOf(a.Bearing)), reach
}

// accuracyOfFar is by how much geo.Far rounds, and by how much the middle of a settlement is a matter
// of opinion.
func accuracyOfFar(metres float64) float64 {
	if metres < 10_000 {
		return 250
	}
	return 700
}

// settle ends an answer by a settlement: how probable it is that the words hold.
func settle(a geo.Answer, accuracyM float64) geo.Answer {
	if accuracyM <= 0 {
		return a
	}
	a.Confidence = geo.Within(0, accuracyM, a.ReachM)
	if a.Confidence < geo.Sure {
		a.Words = geo.About(a.Words)
	}
	return a
}

// Search finds settlements whose name begins with the words, the known and the near ones first.
func (s *Settled) Search(words string, near *geo.Point, limit int) []geo.Found {
	key := geo.Fold(words)
	if key == "" {
		return nil
	}
	var out []geo.Found
	for _, x := range s.list {
		match := 0.0
		for _, k := range x.keys {
			match = max(match, matches(k, key))
		}
		if match == 0 {
			continue
		}
		f := geo.Found{Words: x.name, Kind: geo.Settlement, At: x.at, Metres: -1, Source: "embedded", Credit: Credit}
		f.Score = match + 0.1*float64(4-x.rank)
		if !x.home {
			f.Score -= 0.3
		}
		if near != nil {
			f.Metres = geo.Metres(*near, x.at)
			f.Score += nearness(f.Metres)
		}
		out = append(out, f)
	}
	return ranked(out, limit)
}

// matches is how well a folded name fits folded words: whole, as its beginning, or as that of a later
// word.
func matches(name, words string) float64 {
	switch {
	case name == words:
		return 1
	case strings.HasPrefix(name, words):
		return 0.7
	case strings.Contains(name, " "+words):
		return 0.5
	}
	return 0
}

// nearness is 0.5 where one stands, half of that at 10 km, and nothing far away.
func nearness(metres float64) float64 { return 0.5 / (1 + metres/10_000) }

// ranked is the best findings.
func ranked(list []geo.Found, limit int) []geo.Found {
	slices.SortStableFunc(list, func(a, b geo.Found) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return strings.Compare(a.Words.RU, b.Words.RU)
	})
	return list[:min(len(list), limit)]
}
