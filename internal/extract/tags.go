package extract

import (
	"strconv"
	"strings"

	"jedel/internal/geo"
	"jedel/internal/pbf"
)

// named reads what an element is called. The name without a language is taken for Kazakh where it has
// a letter that only Kazakh has, for Russian where it has other Cyrillic ones, and for English where it
// is Latin.
func named(t pbf.Tags) (geo.Text, []string) {
	name := geo.Text{KK: t.Get("name:kk"), RU: t.Get("name:ru"), EN: t.Get("name:en")}
	if plain := t.Get("name"); plain != "" {
		to := languageOf(&name, plain)
		if *to == "" {
			*to = plain
		}
	}
	var also []string
	for _, key := range []string{"name", "alt_name", "alt_name:kk", "alt_name:ru", "old_name", "old_name:kk", "old_name:ru", "official_name", "short_name", "loc_name"} {
		for one := range strings.SplitSeq(t.Get(key), ";") {
			if one = strings.TrimSpace(one); one != "" {
				also = append(also, one)
			}
		}
	}
	if name.Empty() {
		return name, nil
	}
	return name.Filled(), also
}

// languageOf is the language that a name is in, by its letters.
func languageOf(name *geo.Text, plain string) *string {
	switch lower := strings.ToLower(plain); {
	case strings.ContainsAny(lower, "әғқңөұүһі"):
		return &name.KK
	case strings.ContainsFunc(lower, func(r rune) bool { return r >= 'а' && r <= 'ё' }):
		return &name.RU
	case strings.ContainsFunc(lower, func(r rune) bool { return r >= 'a' && r <= 'z' }):
		return &name.EN
	}
	return &name.RU // "№ 5"
}

// landmarkKeys make an element with a name something that people know.
var landmarkKeys = [...]string{"amenity", "shop", "tourism", "historic", "leisure", "railway", "aeroway", "office", "healthcare", "man_made", "public_transport", "building", "natural", "craft", "emergency"}

func landmarkOf(t pbf.Tags) bool {
	if t.Get("place") != "" {
		return false
	}
	if h := t.Get("highway"); h == "bus_stop" || h == "services" || h == "rest_area" {
		return true
	}
	for _, key := range landmarkKeys {
		if v := t.Get(key); v != "" && v != "no" {
			return true
		}
	}
	return false
}

// place is the rank and, at a guess, the reach of a kind of settlement.
type place struct {
	rank   int
	metres float64
}

var placeKinds = map[string]place{
	"city": {1, 7000}, "town": {2, 3000}, "village": {4, 1200}, "hamlet": {4, 600}, "isolated_dwelling": {4, 200}, "locality": {4, 300},
	"suburb": {5, 1500}, "quarter": {5, 1000}, "neighbourhood": {5, 600}, "allotments": {5, 800},
}

func placeOf(t pbf.Tags) (place, bool) {
	p, ok := placeKinds[t.Get("place")]
	if people, err := strconv.Atoi(t.Get("population")); err == nil && ok && p.rank < 5 && people > 0 {
		p.metres = geo.Reach(people)
		switch {
		case people >= 1_000_000:
			p.rank = 0
		case people >= 30_000:
			p.rank = min(p.rank, 2)
		case people >= 8000:
			p.rank = min(p.rank, 3)
		}
	}
	return p, ok
}

// postOf reads the number of a kilometre post.
func postOf(t pbf.Tags) (string, bool) {
	if t.Get("highway") != "milestone" {
		return "", false
	}
	for _, key := range []string{"distance", "pk", "ref", "name"} {
		text := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(t.Get(key)), "км"), "km")
		text = strings.TrimSuffix(strings.TrimSpace(text), ".0")
		if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 && n < 20_000 {
			return text, true
		}
	}
	return "", false
}

// roadOf is what a road is called at its kilometre posts: its number, else its name.
func roadOf(t pbf.Tags) geo.Text {
	if ref := strings.TrimSpace(strings.Split(t.Get("ref"), ";")[0]); ref != "" {
		return geo.Text{KK: ref, RU: ref, EN: geo.Latin(ref)}
	}
	name, _ := named(t)
	return name
}

// speeds are what a car drives on a kind of road where nothing else is told, in km/h.
var speeds = map[string]float64{
	"motorway": 110, "trunk": 90, "primary": 80, "secondary": 70, "tertiary": 60, "unclassified": 50, "residential": 40, "living_street": 20, "service": 20, "road": 40, "track": 20,
	"motorway_link": 60, "trunk_link": 50, "primary_link": 50, "secondary_link": 40, "tertiary_link": 40,
}

// words for a speed instead of a number.
var speedWords = map[string]float64{
	"walk": 5, "KZ:urban": 60, "RU:urban": 60, "KZ:rural": 90, "RU:rural": 90, "KZ:motorway": 110, "RU:motorway": 110, "KZ:living_street": 20, "RU:living_street": 20, "none": 130,
}

// Bounds of a speed, km/h, and the share of it that one drives with crossings and bends.
const (
	slowest, fastest = 5, 130
	usualShare       = 0.8
)

// drive is how a way is driven: metres a second in each direction, 0 where it is not.
func drive(t pbf.Tags) (forth, back float64) {
	kmh, ok := speeds[t.Get("highway")]
	if !ok || t.Get("area") == "yes" {
		return 0, 0
	}
	for _, key := range []string{"access", "vehicle", "motor_vehicle", "motorcar"} {
		if t.Get(key) == "no" {
			kmh = 0
		}
	}
	if kmh == 0 {
		return 0, 0
	}
	kmh = speedLimit(t.Get("maxspeed"), kmh)
	switch t.Get("surface") {
	case "unpaved", "ground", "dirt", "earth", "sand", "mud", "grass":
		kmh = min(kmh, 40)
	case "gravel", "fine_gravel", "compacted", "pebblestone":
		kmh = min(kmh, 60)
	}
	ms := kmh / 3.6 * usualShare
	switch way := t.Get("oneway"); {
	case way == "-1" || way == "reverse":
		return 0, ms
	case way == "yes" || way == "true" || way == "1", way == "" && (t.Get("junction") == "roundabout" || t.Get("highway") == "motorway"):
		return ms, 0
	}
	return ms, ms
}

// speedLimit reads a limit; what cannot be read leaves the usual speed.
func speedLimit(text string, usual float64) float64 {
	if v, ok := speedWords[text]; ok {
		return v
	}
	number, mph := strings.CutSuffix(text, "mph")
	number = strings.TrimSpace(strings.TrimSuffix(number, "km/h"))
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= slowest && v <= 300) {
		return usual
	}
	if mph {
		v *= 1.609
	}
	return min(v, fastest)
}
