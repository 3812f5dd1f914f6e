package roads

import (
	"math"

	"jedel/internal/geo"
)

// offRoad is how fast one is between a road and a place beside it, in metres a second: a yard, on foot
// or at a walking pace.
const offRoad = 3

// Route is how long the way from one place takes.
type Route struct {
	Seconds float64
	Known   bool // there is a way within the bound
	OnRoad  bool // there are roads near both ends
}

// TimesTo are the travel times by car from many places to one. It is one search backwards from there,
// which ends when every place is reached or limit seconds are over.
func (n *Network) TimesTo(to geo.Point, from []geo.Point, limit float64) []Route {
	out := make([]Route, len(from))
	goals := n.Snaps(to)
	if len(goals) == 0 || len(from) == 0 {
		return out
	}
	s := search{n: n, best: make([]uint32, len(n.vertices)), done: make([]bool, len(n.vertices)), wanted: map[uint32]bool{}}
	for i := range s.best {
		s.best[i] = Closed
	}
	starts := make([][]Snap, len(from))
	for i, p := range from {
		starts[i] = n.Snaps(p)
		for _, x := range starts[i] {
			e := n.edges[x.Edge]
			s.wanted[e.From], s.wanted[e.To] = true, true
		}
	}
	for _, g := range goals {
		s.begin(g)
	}
	s.run(centi(limit))
	for i := range from {
		out[i] = s.route(starts[i], goals, limit)
		out[i].OnRoad = len(starts[i]) > 0
	}
	return out
}

func centi(seconds float64) uint32 { return uint32(max(0, min(seconds*100, Closed-1))) }

// part is a share of a time; Closed stays closed.
func part(t uint32, share float64) uint32 {
	if t == Closed {
		return Closed
	}
	return uint32(float64(t) * share)
}

func plus(a, b uint32) uint32 {
	if a == Closed || b == Closed || a > Closed-1-b {
		return Closed
	}
	return a + b
}

// search is Dijkstra's, backwards.
type search struct {
	n      *Network
	queue  queue
	best   []uint32 // by vertex
	done   []bool   // its best is final
	wanted map[uint32]bool
}

// begin starts from a place on a road: from its beginning one drives forth to it, from its end back.
func (s *search) begin(g Snap) {
	e := s.n.edges[g.Edge]
	off := centi(g.Metres / offRoad)
	s.reach(e.From, plus(part(e.Forth, g.Part), off))
	s.reach(e.To, plus(part(e.Back, 1-g.Part), off))
}

func (s *search) reach(v, t uint32) {
	if s.best[v] <= t { // Closed too
		return
	}
	s.best[v] = t
	s.queue.push(uint64(t)<<32 | uint64(v))
}

// run settles vertices in the order of their time until none that is wanted is left.
func (s *search) run(limit uint32) {
	left := len(s.wanted)
	for len(s.queue) > 0 && left > 0 {
		x := s.queue.pop()
		t, v := uint32(x>>32), uint32(x)
		if t > limit {
			return
		}
		if s.done[v] {
			continue
		}
		s.done[v] = true
		if s.wanted[v] {
			left--
		}
		for _, arc := range s.n.arcs[s.n.heads[v]:s.n.heads[v+1]] {
			e := s.n.edges[arc>>1]
			if arc&1 == 0 {
				s.reach(e.From, plus(t, e.Forth))
			} else {
				s.reach(e.To, plus(t, e.Back))
			}
		}
	}
}

// route is the best way from a place: out of its road by either end, or along it.
func (s *search) route(starts, goals []Snap, limit float64) Route {
	best := uint32(Closed)
	for _, x := range starts {
		e := s.n.edges[x.Edge]
		off := centi(x.Metres / offRoad)
		if s.done[e.To] {
			best = min(best, plus(off, plus(part(e.Forth, 1-x.Part), s.best[e.To])))
		}
		if s.done[e.From] {
			best = min(best, plus(off, plus(part(e.Back, x.Part), s.best[e.From])))
		}
		for _, g := range goals {
			if g.Edge != x.Edge {
				continue
			}
			along := part(e.Forth, math.Abs(g.Part-x.Part))
			if g.Part < x.Part {
				along = part(e.Back, x.Part-g.Part)
			}
			best = min(best, plus(off+centi(g.Metres/offRoad), along))
		}
	}
	if best == Closed || float64(best) > limit*100 {
		return Route{}
	}
	return Route{Seconds: float64(best) / 100, Known: true}
}

// queue is a binary heap of times with their vertices below them.
type queue []uint64

func (q *queue) push(x uint64) {
	h := append(*q, x)
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if h[up] <= h[i] {
			break
		}
		h[up], h[i] = h[i], h[up]
		i = up
	}
	*q = h
}

func (q *queue) pop() uint64 {
	h := *q
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && h[down+1] < h[down] {
			down++
		}
		if h[i] <= h[down] {
			break
		}
		h[down], h[i] = h[i], h[down]
		i = down
	}
	*q = h
	return top
}
