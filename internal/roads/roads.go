// Package roads is a road network and the travel times on it. A network is built once, written as a file
// of its own form, and read back whole: vertices are junctions, edges are what lies between two of them.
// It is pure.
package roads

import (
	"math"

	"jedel/internal/geo"
)

// Closed is the travel time in a direction that nobody may drive.
const Closed = math.MaxUint32

// Edge is a road between two junctions. Times are in hundredths of a second.
type Edge struct {
	From, To    uint32
	Metres      float32
	Forth, Back uint32 // Closed: not that way
}

// Network is a road network. It does not change once it is built.
type Network struct {
	vertices []spot
	edges    []Edge
	first    []uint32 // of each edge's shape, and one more
	shape    []spot   // points between its ends

	arcs  []uint32 // edges by the vertex where they can be left, each with its direction in the lowest bit
	heads []uint32 // of each vertex in arcs, and one more
	grid  grid
}

// spot is a point in 1e-7 degrees.
type spot struct{ lat, lon int32 }

func spotOf(p geo.Point) spot {
	return spot{int32(math.Round(p.Lat * 1e7)), int32(math.Round(p.Lon * 1e7))}
}

func (s spot) point() geo.Point {
	return geo.Point{Lat: float64(s.lat) / 1e7, Lon: float64(s.lon) / 1e7}
}

func (s spot) valid() bool { return s.point().Valid() }

// Size is how many junctions and roads there are.
func (n *Network) Size() (vertices, edges int) { return len(n.vertices), len(n.edges) }

// Builder makes a network.
type Builder struct{ n Network }

// Vertex adds a junction and returns its number.
func (b *Builder) Vertex(p geo.Point) uint32 {
	b.n.vertices = append(b.n.vertices, spotOf(p))
	return uint32(len(b.n.vertices) - 1)
}

// Edge adds a road; between are the points between its ends.
func (b *Builder) Edge(e Edge, between []geo.Point) {
	b.n.first = append(b.n.first, uint32(len(b.n.shape)))
	for _, p := range between {
		b.n.shape = append(b.n.shape, spotOf(p))
	}
	b.n.edges = append(b.n.edges, e)
}

// Build ends the building.
func (b *Builder) Build() *Network {
	n := b.n
	n.first = append(n.first, uint32(len(n.shape)))
	n.link()
	return &n
}

// link makes what is not in the file: which edges end at a vertex, and the grid.
func (n *Network) link() {
	n.heads = make([]uint32, len(n.vertices)+1)
	each := func(do func(vertex uint32, arc uint32)) {
		for i, e := range n.edges {
			// A search from a place backwards goes from an edge's end to its beginning.
			if e.Forth != Closed {
				do(e.To, uint32(i)<<1)
			}
			if e.Back != Closed {
				do(e.From, uint32(i)<<1|1)
			}
		}
	}
	each(func(v, _ uint32) { n.heads[v+1]++ })
	for v := range n.vertices {
		n.heads[v+1] += n.heads[v]
	}
	n.arcs = make([]uint32, n.heads[len(n.vertices)])
	at := append([]uint32{}, n.heads...)
	each(func(v, arc uint32) { n.arcs[at[v]] = arc; at[v]++ })
	n.grid = makeGrid(n)
}

// line is the points of an edge from its beginning to its end.
func (n *Network) line(i uint32, to []geo.Point) []geo.Point {
	e := n.edges[i]
	to = append(to, n.vertices[e.From].point())
	for _, s := range n.shape[n.first[i]:n.first[i+1]] {
		to = append(to, s.point())
	}
	return append(to, n.vertices[e.To].point())
}
