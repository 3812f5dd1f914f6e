package roads

import (
	"math"
	"slices"

	"jedel/internal/geo"
)

// grid finds edges near a point: cells of cellDeg by cellDeg, sorted, with the edges that have a point
// of their line in them or pass through.
type grid struct {
	keys  []uint64 // of the cells that have edges, sorted
	first []uint32 // of each cell's edges, and one more
	edges []uint32
}

// cellDeg is about 1.1 km from south to north, and 0.6 km from west to east at Petropavl.
const cellDeg = 0.01

// maxCells bounds how many cells one edge may be in: 60 km of straight road are in 100.
const maxCells = 200

func cell(deg float64, half float64) uint64 { return uint64(int64(math.Floor((deg + half) / cellDeg))) }

func cellKey(lat, lon uint64) uint64 { return lat<<32 | lon }

func makeGrid(n *Network) grid {
	type entry struct {
		key  uint64
		edge uint32
	}
	var all []entry
	var line []geo.Point
	for i := range n.edges {
		line = n.line(uint32(i), line[:0])
		from, left := len(all), maxCells
		for k := 0; k+1 < len(line) && left > 0; k++ {
			for _, key := range passed(line[k], line[k+1], left) {
				all = append(all, entry{key, uint32(i)})
				left--
			}
		}
		slices.SortFunc(all[from:], func(a, b entry) int { return compare(a.key, b.key) })
		all = all[:from+len(slices.Compact(all[from:]))]
	}
	slices.SortFunc(all, func(a, b entry) int {
		if c := compare(a.key, b.key); c != 0 {
			return c
		}
		return compare(uint64(a.edge), uint64(b.edge))
	})
	g := grid{edges: make([]uint32, len(all))}
	for i, e := range all {
		if i == 0 || e.key != all[i-1].key {
			g.keys, g.first = append(g.keys, e.key), append(g.first, uint32(i))
		}
		g.edges[i] = e.edge
	}
	g.first = append(g.first, uint32(len(all)))
	return g
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// passed are the cells of a segment's points a third of a cell apart: one that only a corner of it
// touches may be missing, which the search of the neighbours makes up for.
func passed(a, b geo.Point, most int) []uint64 {
	steps := int(3*max(math.Abs(b.Lat-a.Lat), math.Abs(b.Lon-a.Lon))/cellDeg) + 1
	steps = min(steps, most)
	out := make([]uint64, 0, steps+1)
	for i := range steps + 1 {
		t := float64(i) / float64(steps)
		key := cellKey(cell(a.Lat+(b.Lat-a.Lat)*t, 90), cell(a.Lon+(b.Lon-a.Lon)*t, 180))
		if len(out) == 0 || out[len(out)-1] != key {
			out = append(out, key)
		}
	}
	return out
}

// around calls fn with every edge in the cells up to rings away from p, some twice.
func (g grid) around(p geo.Point, rings int, fn func(edge uint32)) {
	lat, lon := int64(cell(p.Lat, 90)), int64(cell(p.Lon, 180))
	for y := lat - int64(rings); y <= lat+int64(rings); y++ {
		if y < 0 {
			continue
		}
		from := max(0, lon-int64(rings))
		i, _ := slices.BinarySearch(g.keys, cellKey(uint64(y), uint64(from)))
		for ; i < len(g.keys) && g.keys[i] <= cellKey(uint64(y), uint64(lon+int64(rings))); i++ {
			for _, e := range g.edges[g.first[i]:g.first[i+1]] {
				fn(e)
			}
		}
	}
}

// Snap is a place on a road.
type Snap struct {
	Edge   uint32
	Part   float64 // of the way from its beginning to its end
	Metres float64 // from the point to the road
}

// snapM is how far from a road a place may be to be reached by it.
const snapM = 2000

// maxSnaps is how many roads are tried: the other carriageway, and the road in front of and behind a
// house.
const maxSnaps = 6

// Snaps are the roads nearest to p, the nearest first, no farther than 2 km, and not much farther than
// the nearest.
func (n *Network) Snaps(p geo.Point) []Snap {
	var out []Snap
	seen := map[uint32]bool{}
	var line []geo.Point
	for _, rings := range []int{1, 4} { // 4 cells are 2 km also from west to east
		n.grid.around(p, rings, func(e uint32) {
			if seen[e] {
				return
			}
			seen[e] = true
			line = n.line(e, line[:0])
			if s := snap(p, e, line); s.Metres <= snapM {
				out = append(out, s)
			}
		})
		if len(out) > 0 {
			break
		}
	}
	slices.SortFunc(out, func(a, b Snap) int {
		switch {
		case a.Metres < b.Metres:
			return -1
		case a.Metres > b.Metres:
			return 1
		}
		return compare(uint64(a.Edge), uint64(b.Edge))
	})
	for i := range out {
		if i >= maxSnaps || out[i].Metres > out[0].Metres+60 {
			return out[:i]
		}
	}
	return out
}

// snap is the place of an edge's line that is nearest to p.
func snap(p geo.Point, edge uint32, line []geo.Point) Snap {
	best := Snap{Edge: edge, Metres: math.Inf(1)}
	length, at := 0.0, 0.0
	for i := 0; i+1 < len(line); i++ {
		l := geo.Metres(line[i], line[i+1])
		if _, m, part := geo.Nearest(p, line[i], line[i+1]); m < best.Metres {
			best.Metres, at = m, length+part*l
		}
		length += l
	}
	if length > 0 {
		best.Part = min(1, at/length)
	}
	return best
}
