package prefetch

import (
	"testing"
	"unsafe"
)

// lines is how many of them a plan names.
func lines(p *Plan) int {
	n := 0
	for _, x := range p.pieces[:p.n.Load()] {
		n += x.lines
	}
	return n
}

func TestAPlanNamesWholeLines(t *testing.T) {
	b := make([]byte, 4096)
	base := unsafe.Pointer(&b[(lineSize-uintptr(unsafe.Pointer(&b[0]))%lineSize)%lineSize])
	for _, c := range []struct {
		from, size uintptr
		lines      int
	}{{0, 1, 1}, {0, 64, 1}, {0, 65, 2}, {63, 1, 1}, {63, 2, 2}, {60, 600, 11}, {0, 0, 0}} {
		var p Plan
		p.Add(unsafe.Add(base, c.from), c.size)
		if lines(&p) != c.lines {
			t.Errorf("%d bytes from %d on: %d lines", c.size, c.from, lines(&p))
		}
		p.Itself()
		p.Fetch()
	}
}

func TestAPlanIsBounded(t *testing.T) {
	var p Plan
	x := new([256]byte)
	for range 3 * most {
		p.Object(x, 256)
	}
	if p.n.Load() != most {
		t.Fatal(p.n.Load())
	}
	p.Fetch()
	p.Clear()
	p.Add(nil, 64)
	p.Fetch()
	if lines(&p) != 0 {
		t.Fatal(lines(&p))
	}
}

// Addresses that are nobody's any more, or never were, are asked for without harm.
func TestAnyAddressMayBeAskedFor(t *testing.T) {
	for _, at := range []uintptr{0, 1, 4096, 1 << 46, ^uintptr(0) &^ 63} {
		fetch(&piece{at, 3}, 1)
	}
}

func BenchmarkFetch(b *testing.B) {
	var p Plan
	x := new([4096]byte)
	for range 20 {
		p.Object(x, 256)
	}
	for range b.N {
		p.Fetch()
	}
}
