package roads

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"jedel/internal/geo"

	"pgregory.net/rapid"
)

// square is a block of four junctions 1.11 km apart, driven at 10 m/s; the road along its south side
// leads east only.
func square(t testing.TB) *Network {
	t.Helper()
	var b Builder
	for _, p := range []geo.Point{{Lat: 54.87, Lon: 69.15}, {Lat: 54.87, Lon: 69.17}, {Lat: 54.88, Lon: 69.17}, {Lat: 54.88, Lon: 69.15}} {
		b.Vertex(p)
	}
	road := func(from, to uint32, both bool) {
		m := geo.Metres(b.n.vertices[from].point(), b.n.vertices[to].point())
		e := Edge{From: from, To: to, Metres: float32(m), Forth: uint32(m * 10), Back: Closed}
		if both {
			e.Back = e.Forth
		}
		b.Edge(e, nil)
	}
	road(0, 1, false)
	road(1, 2, true)
	road(2, 3, true)
	road(3, 0, true)
	return b.Build()
}

func TestOneWayStreetsAreDrivenTheirWay(t *testing.T) {
	n := square(t)
	west, east := geo.Point{Lat: 54.87, Lon: 69.152}, geo.Point{Lat: 54.87, Lon: 69.168}
	r := n.TimesTo(east, []geo.Point{west, east, {Lat: 54.9, Lon: 69.9}}, 3600)
	if m := geo.Metres(west, east); !r[0].Known || math.Abs(r[0].Seconds-m/10) > 1 {
		t.Errorf("along the street: %+v, want %.0f s", r[0], m/10)
	}
	if !r[1].Known || r[1].Seconds > 1 {
		t.Errorf("one is there already: %+v", r[1])
	}
	if r[2].Known || r[2].OnRoad || !r[0].OnRoad {
		t.Errorf("there is no road: %+v", r[2])
	}
	// Against it one must go round three sides.
	back := n.TimesTo(west, []geo.Point{east}, 3600)[0]
	if !back.Known || back.Seconds < 300 || back.Seconds > 500 {
		t.Errorf("round the block: %+v", back)
	}
	if got := n.TimesTo(west, []geo.Point{east}, 60)[0]; got.Known || !got.OnRoad {
		t.Errorf("beyond the bound: %+v", got)
	}
}

// reference is Floyd and Warshall over vertices.
func reference(n *Network) [][]float64 {
	d := make([][]float64, len(n.vertices))
	for i := range d {
		d[i] = make([]float64, len(d))
		for j := range d[i] {
			d[i][j] = math.Inf(1)
		}
		d[i][i] = 0
	}
	for _, e := range n.edges {
		if e.Forth != Closed {
			d[e.From][e.To] = min(d[e.From][e.To], float64(e.Forth))
		}
		if e.Back != Closed {
			d[e.To][e.From] = min(d[e.To][e.From], float64(e.Back))
		}
	}
	for k := range d {
		for i := range d {
			for j := range d {
				d[i][j] = min(d[i][j], d[i][k]+d[k][j])
			}
		}
	}
	return d
}

func TestTimesAreTheShortest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Builder
		side := rapid.IntRange(2, 5).Draw(t, "side")
		for y := range side {
			for x := range side {
				b.Vertex(geo.Point{Lat: 54.8 + 0.02*float64(y), Lon: 69 + 0.02*float64(x)})
			}
		}
		time := func() uint32 {
			v := rapid.Uint32Range(1, 100_000).Draw(t, "time")
			if rapid.IntRange(0, 3).Draw(t, "closed") == 0 {
				return Closed
			}
			return v
		}
		for v := range uint32(side * side) {
			if int(v)%side < side-1 {
				b.Edge(Edge{From: v, To: v + 1, Metres: 1, Forth: time(), Back: time()}, nil)
			}
			if int(v)/side < side-1 {
				b.Edge(Edge{From: v, To: v + uint32(side), Metres: 1, Forth: time(), Back: time()}, nil)
			}
		}
		n := b.Build()
		want := reference(n)
		to := rapid.IntRange(0, side*side-1).Draw(t, "to")
		s := search{n: n, best: make([]uint32, len(n.vertices)), done: make([]bool, len(n.vertices)), wanted: map[uint32]bool{}}
		for i := range s.best {
			s.best[i] = Closed
			s.wanted[uint32(i)] = true
		}
		s.reach(uint32(to), 0)
		s.run(Closed - 1)
		for from := range want {
			got := math.Inf(1)
			if s.done[from] {
				got = float64(s.best[from])
			}
			if got != want[from][to] {
				t.Fatalf("%d to %d: %v, want %v", from, to, got, want[from][to])
			}
		}
	})
}

func TestANetworkIsReadAsItWasWritten(t *testing.T) {
	var b Builder
	for range 3 {
		b.Vertex(geo.Point{Lat: 54.87, Lon: 69.15 + 0.01*float64(len(b.n.vertices))})
	}
	b.Edge(Edge{From: 0, To: 1, Metres: 640, Forth: 6400, Back: Closed}, []geo.Point{{Lat: 54.871, Lon: 69.155}})
	b.Edge(Edge{From: 1, To: 2, Metres: 640, Forth: 6400, Back: 6400}, nil)
	n := b.Build()
	var first, second bytes.Buffer
	if err := n.Write(&first); err != nil {
		t.Fatal(err)
	}
	back, err := Parse(first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Fatal("it changed", err)
	}
	at := geo.Point{Lat: 54.8709, Lon: 69.155}
	if got, want := back.Snaps(at), n.Snaps(at); len(got) != len(want) || got[0] != want[0] || got[0].Metres > 20 {
		t.Fatal(got, want)
	}
	for i := range first.Len() {
		raw := bytes.Clone(first.Bytes())
		raw[i] ^= 0x40
		if _, err := Parse(raw); !errors.Is(err, ErrBroken) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := Parse(raw[:i]); !errors.Is(err, ErrBroken) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	var b bytes.Buffer
	if err := square(f).Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := Parse(resum(raw))
		if err != nil {
			return
		}
		n.TimesTo(geo.Point{Lat: 54.87, Lon: 69.15}, []geo.Point{{Lat: 54.88, Lon: 69.17}, {}}, 3600)
	})
}

// streets is a town of side by side junctions 150 m apart, every third street one-way, with a point in
// each road.
func streets(side int) *Network {
	var b Builder
	r := rand.New(rand.NewPCG(1, 2))
	at := func(x, y float64) geo.Point { return geo.Point{Lat: 54 + y*0.00135, Lon: 68 + x*0.0023} }
	for y := range side {
		for x := range side {
			b.Vertex(at(float64(x), float64(y)))
		}
	}
	road := func(x, y, dx, dy int) {
		e := Edge{From: uint32(y*side + x), To: uint32((y+dy)*side + x + dx), Metres: 150, Forth: 900 + r.Uint32N(900)}
		if e.Back = e.Forth; (x*dy+y*dx)%3 == 0 {
			e.Back = Closed
		}
		b.Edge(e, []geo.Point{at(float64(x)+float64(dx)/2+0.05, float64(y)+float64(dy)/2+0.05)})
	}
	for y := range side {
		for x := range side {
			if x < side-1 {
				road(x, y, 1, 0)
			}
			if y < side-1 {
				road(x, y, 0, 1)
			}
		}
	}
	return b.Build()
}

// BenchmarkProposals is what a dispatcher waits for: forty patrols all over a region of half a million
// roads.
func BenchmarkProposals(b *testing.B) {
	n := streets(500)
	_, edges := n.Size()
	r := rand.New(rand.NewPCG(3, 4))
	somewhere := func() geo.Point {
		return geo.Point{Lat: 54 + r.Float64()*500*0.00135, Lon: 68 + r.Float64()*500*0.0023}
	}
	for b.Loop() {
		from := make([]geo.Point, 40)
		for i := range from {
			from[i] = somewhere()
		}
		known := 0
		for _, x := range n.TimesTo(somewhere(), from, 2*3600) {
			if x.Known {
				known++
			}
		}
		if known < 30 {
			b.Fatal(known)
		}
	}
	b.ReportMetric(float64(edges), "roads")
}

func BenchmarkParse(b *testing.B) {
	var raw bytes.Buffer
	if err := streets(500).Write(&raw); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(raw.Len())/1e6, "MB")
	for b.Loop() {
		if _, err := Parse(raw.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
