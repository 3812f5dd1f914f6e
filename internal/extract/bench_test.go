package extract

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"jedel/internal/gazetteer"
	"jedel/internal/geo"
	"jedel/internal/pbf/pbftest"
)

// region is an invented region: side by side junctions 150 m apart with three nodes in every road, each
// street named, and a house of five nodes at every road.
func region(side int) pbftest.Map {
	m := pbftest.Map{Nodes: []pbftest.Node{{ID: 1, Lat: 54.3, Lon: 68.5, Tags: []string{"place", "city", "name", "Петропавловск", "name:kk", "Петропавл", "population", "200920"}}}}
	next := int64(1)
	node := func(x, y float64) int64 {
		next++
		m.Nodes = append(m.Nodes, pbftest.Node{ID: next, Lat: 54 + y*0.00135, Lon: 68 + x*0.0023})
		return next
	}
	at := make([]int64, side*side)
	for i := range at {
		at[i] = node(float64(i%side), float64(i/side))
	}
	for i := range at {
		x, y := i%side, i/side
		for k, d := range [][2]int{{1, 0}, {0, 1}} {
			if x+d[0] >= side || y+d[1] >= side {
				continue
			}
			fx, fy := float64(x), float64(y)
			refs := []int64{at[i]}
			for _, t := range []float64{0.25, 0.5, 0.75} {
				refs = append(refs, node(fx+t*float64(d[0]), fy+t*float64(d[1])))
			}
			street := fmt.Sprintf("улица %d-я %d", k, []int{y, x}[k])
			m.Ways = append(m.Ways, pbftest.Way{ID: int64(len(m.Ways) + 1), Nodes: append(refs, at[i+d[0]+d[1]*side]), Tags: []string{"highway", "residential", "name", street}})
			hx, hy := fx+0.4*float64(d[0])+0.1*float64(d[1]), fy+0.4*float64(d[1])+0.1*float64(d[0])
			house := []int64{node(hx, hy), node(hx+0.05, hy), node(hx+0.05, hy+0.05), node(hx, hy+0.05)}
			m.Ways = append(m.Ways, pbftest.Way{ID: int64(len(m.Ways) + 1), Nodes: append(house, house[0]), Tags: []string{"building", "yes", "addr:housenumber", fmt.Sprint(i), "addr:street", street}})
		}
	}
	return m
}

// BenchmarkImport imports a region of 180 thousand roads and as many houses, and says what it needed at
// its highest: a country has some thirty times as much.
func BenchmarkImport(b *testing.B) {
	j := job(b, region(300).Bytes())
	stat, err := os.Stat(j.Source)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(stat.Size())
	var r Report
	highest := uint64(0)
	j.Tell = func(Step) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		highest = max(highest, m.HeapInuse)
	}
	runtime.GC()
	for b.Loop() {
		if r, err = j.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(r.Houses), "houses")
	b.ReportMetric(float64(r.Roads), "roads")
	b.ReportMetric(float64(highest)/1e6, "MB-heap")
}

// BenchmarkReverse is one question to a gazetteer of a region.
func BenchmarkReverse(b *testing.B) {
	j := job(b, region(300).Bytes())
	if _, err := j.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	g, err := gazetteer.Open(b.Context(), filepath.Join(j.Dir, GazetteerFile))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	n := 0
	for b.Loop() {
		n++
		p := geo.Point{Lat: 54.05 + float64(n%300)*0.001, Lon: 68.05 + float64(n%500)*0.001}
		if _, ok, err := g.Reverse(b.Context(), p, 10); !ok || err != nil {
			b.Fatal(p, err)
		}
	}
}
