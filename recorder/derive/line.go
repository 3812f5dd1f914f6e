package derive

import (
	"math/bits"
	"slices"
)

// point is one measurement of an offset: y at x, both nanoseconds.
type point struct{ x, y int64 }

// line is an offset that drifts: y0 at x0, then ppb nanoseconds per second of x. All arithmetic
// is in integers so that every machine gets the same bytes.
type line struct{ x0, y0, ppb int64 }

func (l line) at(x int64) int64 { return l.y0 + scale(x-l.x0, l.ppb) }

// scale returns d * ppb / 1e9, towards zero, without overflow.
func scale(d, ppb int64) int64 {
	neg := (d < 0) != (ppb < 0)
	hi, lo := bits.Mul64(abs(d), abs(ppb))
	if hi >= 1e9 {
		return 0 // beyond 292 years; ppb is bounded, so only hostile numbers come here
	}
	q, _ := bits.Div64(hi, lo, 1e9)
	if neg {
		return -int64(q)
	}
	return int64(q)
}

func abs(v int64) uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

const (
	// maxDrift bounds what is believed of two quartz clocks; phones are within 100 ppm.
	maxDrift = 500_000
	// fitPoints bounds the work of a fit, which grows with the square.
	fitPoints = 128
)

// fit lays a line through the points by the median of all slopes (Theil and Sen), which a third
// of wild points does not move. Over less than minRange of x the slope is 0. There must be at
// least one point, and they are in the order of x.
func fit(points []point, minRange int64) line {
	if len(points) > fitPoints {
		few := make([]point, 0, fitPoints)
		for i := range fitPoints {
			few = append(few, points[i*(len(points)-1)/(fitPoints-1)])
		}
		points = few
	}
	l := line{x0: points[0].x}
	if points[len(points)-1].x-points[0].x >= minRange {
		l.ppb = slope(points)
	}
	rest := make([]int64, len(points))
	for i, p := range points {
		rest[i] = p.y - scale(p.x-l.x0, l.ppb)
	}
	l.y0 = median(rest)
	return l
}

func slope(points []point) int64 {
	var all []int64
	for i, a := range points {
		for _, b := range points[i+1:] {
			dx, dy := b.x-a.x, min(max(b.y-a.y, -4e9), 4e9)
			if dx > 1e9 {
				all = append(all, dy*1e9/dx)
			}
		}
	}
	if len(all) == 0 {
		return 0
	}
	return min(max(median(all), -maxDrift), maxDrift)
}

// median sorts v and returns its middle, the lower of two.
func median(v []int64) int64 {
	slices.Sort(v)
	return v[(len(v)-1)/2]
}
