package extract

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"jedel/internal/gazetteer"
	"jedel/internal/geo"
	"jedel/internal/pbf"
)

// finding is what the tags of an element say that people ask for.
type finding struct {
	number, street, place string // of a house
	landmark              bool
	name                  geo.Text
	also                  []string
}

func find(t pbf.Tags) finding {
	var f finding
	if t.Len() == 0 {
		return f
	}
	if f.number = t.Get("addr:housenumber"); f.number != "" {
		f.street, f.place = t.Get("addr:street"), t.Get("addr:place")
	}
	if landmarkOf(t) {
		f.name, f.also = named(t)
		f.landmark = !f.name.Empty()
	}
	return f
}

func (f finding) anything() bool { return f.number != "" || f.landmark }

// put writes a house and a landmark; an element may be both.
func (m *maker) put(ctx context.Context, f finding, at geo.Point, reach float64) error {
	reach = min(reach, 500)
	if f.number != "" {
		of := m.houseOf(f, at)
		if of == 0 {
			m.report.NoHouse++
		} else if err := m.out.House(ctx, gazetteer.Thing{Number: f.number, At: at, Radius: reach, Of: of}); err != nil {
			return err
		}
	}
	if !f.landmark {
		return nil
	}
	return m.out.Landmark(ctx, gazetteer.Thing{Name: f.name, Also: f.also, At: at, Radius: reach})
}

// houseOf is the street or village that a house belongs to; 0: neither is told.
func (m *maker) houseOf(f finding, at geo.Point) int64 {
	switch {
	case f.street != "":
		return m.streetAt(f.street, at, geo.Text{}, nil).id
	case f.place != "":
		if t, ok := m.towns.named(f.place, at); ok {
			return t.id
		}
		return m.streetAt(f.place, at, geo.Text{}, nil).id
	}
	return 0
}

// streetKey tells streets apart: many towns have a street of Abai.
type streetKey struct {
	name string
	town int64
}

// streetOf is a street as it is put together from its parts and houses.
type streetOf struct {
	id       int64
	name     geo.Text
	also     []string
	lat, lon float64 // sums
	n        float64
}

// streetAt is the street of a name in the town of a place; it begins one that is not there yet. Names in
// other languages come from whichever part has them.
func (m *maker) streetAt(raw string, at geo.Point, name geo.Text, also []string) *streetOf {
	t, _ := m.towns.nearest(at)
	key := streetKey{raw, t.id}
	s := m.streets[key]
	if s == nil {
		s = &streetOf{id: m.out.NewID(), also: []string{raw}}
		m.streets[key] = s
	}
	if s.name.Empty() || name.KK != name.RU && s.name.KK == s.name.RU && !name.Empty() {
		s.name = name
	}
	for _, a := range also {
		if !slices.Contains(s.also, a) && len(s.also) < 12 {
			s.also = append(s.also, a)
		}
	}
	s.lat, s.lon, s.n = s.lat+at.Lat, s.lon+at.Lon, s.n+1
	return s
}

// pieceNodes is how many points one part of a street's line has at most: long boxes find too much.
const pieceNodes = 12

func (m *maker) street(ctx context.Context, w pbf.Way, line []geo.Point) error {
	name, also := named(w.Tags)
	raw := w.Tags.Get("name")
	if raw == "" {
		raw = name.RU
	}
	s := m.streetAt(raw, line[len(line)/2], name, also)
	for len(line) > 1 {
		n := min(len(line), pieceNodes)
		if err := m.out.Piece(ctx, s.id, line[:n]); err != nil {
			return err
		}
		line = line[n-1:]
	}
	return nil
}

func (m *maker) putStreets(ctx context.Context) error {
	for _, key := range slices.SortedFunc(maps.Keys(m.streets), func(a, b streetKey) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.town, b.town)) }) {
		s := m.streets[key]
		if s.name.Empty() {
			s.name = m.known(key.name)
		}
		t := gazetteer.Thing{Name: s.name, Also: s.also, At: geo.Point{Lat: s.lat / s.n, Lon: s.lon / s.n}}
		if err := m.out.Street(ctx, s.id, t); err != nil {
			return err
		}
	}
	return nil
}

// known is the name of a street that only its houses have: as a name without a language.
func (m *maker) known(raw string) geo.Text {
	var name geo.Text
	*languageOf(&name, raw) = raw
	return name.Filled()
}

func sortedKeys[V any](of map[int64]V) []int64 { return slices.Sorted(maps.Keys(of)) }

// town is a settlement that streets belong to.
type town struct {
	id   int64
	name geo.Text
	keys []string // folded names
	at   geo.Point
	rank int
}

// towns are the settlements by cells of half a degree, 32 km or more.
type towns map[[2]int][]town

func townCell(p geo.Point) [2]int {
	return [2]int{int(math.Floor(p.Lat * 2)), int(math.Floor(p.Lon * 2))}
}

func (t towns) add(x town, also []string) {
	for _, name := range append([]string{x.name.KK, x.name.RU, x.name.EN}, also...) {
		x.keys = append(x.keys, geo.Fold(name))
	}
	t[townCell(x.at)] = append(t[townCell(x.at)], x)
}

// best is the settlement around p that costs least; fn gives the cost, and whether it counts.
func (t towns) best(p geo.Point, fn func(town) (float64, bool)) (town, bool) {
	cell := townCell(p)
	var found town
	least := math.Inf(1)
	for y := -1; y <= 1; y++ {
		for x := -1; x <= 1; x++ {
			for _, one := range t[[2]int{cell[0] + y, cell[1] + x}] {
				if cost, ok := fn(one); ok && cost < least {
					found, least = one, cost
				}
			}
		}
	}
	return found, !math.IsInf(least, 1)
}

// nearest is the settlement that p belongs to, as far as one can tell.
func (t towns) nearest(p geo.Point) (town, bool) {
	return t.best(p, func(x town) (float64, bool) { return geo.Metres(x.at, p) * (1 + 0.4*float64(x.rank)), x.rank <= 4 })
}

// named is the nearest settlement of a name.
func (t towns) named(name string, p geo.Point) (town, bool) {
	key := geo.Fold(name)
	return t.best(p, func(x town) (float64, bool) { return geo.Metres(x.at, p), slices.Contains(x.keys, key) })
}
