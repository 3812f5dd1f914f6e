package extract

import (
	"math"
	"slices"

	"jedel/internal/geo"
)

// nodes are the places of those nodes that ways are made of.
type nodes struct {
	ids      []int64 // sorted
	lat, lon []int32 // 1e-7 degrees; unknown where it is not in the file
	joins    []bool  // more than one road meets here, or a road ends
	vertex   []uint32
}

// unknown is no latitude.
const unknown = math.MinInt32

// none is no vertex.
const none = math.MaxUint32

// wanted collects the nodes that are to be placed.
type wanted struct{ of, roads []int64 }

func (w *wanted) add(ids []int64) { w.of = append(w.of, ids...) }

// road notes the nodes of a road; its ends count twice, so that they are junctions.
func (w *wanted) road(ids []int64) {
	w.roads = append(w.roads, ids...)
	w.roads = append(w.roads, ids[0], ids[len(ids)-1])
}

// nodes returns the collection, sorted.
func (w *wanted) nodes() *nodes {
	slices.Sort(w.roads)
	n := &nodes{ids: append(w.of, w.roads...)}
	w.of = nil
	slices.Sort(n.ids)
	n.ids = slices.Clip(slices.Compact(n.ids))
	n.lat, n.lon, n.joins, n.vertex = make([]int32, len(n.ids)), make([]int32, len(n.ids)), make([]bool, len(n.ids)), make([]uint32, len(n.ids))
	for i := range n.ids {
		n.lat[i], n.vertex[i] = unknown, none
	}
	for i := 1; i < len(w.roads); i++ {
		if w.roads[i] != w.roads[i-1] {
			continue
		}
		if at, ok := n.find(w.roads[i]); ok {
			n.joins[at] = true
		}
	}
	w.roads = nil
	return n
}

func (n *nodes) find(id int64) (int, bool) { return slices.BinarySearch(n.ids, id) }

func (n *nodes) put(id int64, lat, lon float64) {
	if at, ok := n.find(id); ok {
		n.lat[at], n.lon[at] = int32(math.Round(lat*1e7)), int32(math.Round(lon*1e7))
	}
}

func (n *nodes) at(i int) geo.Point {
	return geo.Point{Lat: float64(n.lat[i]) / 1e7, Lon: float64(n.lon[i]) / 1e7}
}

// line is the places of a way's nodes and their indexes, those left out that are not in the file.
func (n *nodes) line(ids []int64, points []geo.Point, at []int) ([]geo.Point, []int, int) {
	lost := 0
	for _, id := range ids {
		i, ok := n.find(id)
		if !ok || n.lat[i] == unknown {
			lost++
			continue
		}
		points, at = append(points, n.at(i)), append(at, i)
	}
	return points, at, lost
}
