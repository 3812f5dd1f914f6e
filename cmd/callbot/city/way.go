package city

import "math"

// Way is a line to drive, from its first place to its last.
type Way []Spot

// Route leads from a to b along streets: out to the nearest one, along it, over a crossing where that is
// another one, and from there straight to the end.
func Route(a, b Spot) Way {
	ax, ay := grid(a)
	bx, by := grid(b)
	from, to := nearest(ax, ay), nearest(bx, by)
	x1, y1 := from.foot(ax, ay)
	x2, y2 := to.foot(bx, by)
	line := [][2]float64{{ax, ay}, {x1, y1}}
	switch {
	case from.Along != to.Along: // they cross
		if from.Along {
			line = append(line, [2]float64{to.At, from.At})
		} else {
			line = append(line, [2]float64{from.At, to.At})
		}
	case from.At != to.At: // side by side: over the street between them that is the least way round
		over := between(from, x1, y1, x2, y2)
		if from.Along {
			line = append(line, [2]float64{over.At, from.At}, [2]float64{over.At, to.At})
		} else {
			line = append(line, [2]float64{from.At, over.At}, [2]float64{to.At, over.At})
		}
	}
	line = append(line, [2]float64{x2, y2})
	w := Way{a}
	for _, p := range line[1:] {
		w = append(w, spot(p[0], p[1]))
	}
	return append(w, b)
}

func nearest(x, y float64) Street {
	all := Streets()
	best, least := all[0], math.Inf(1)
	for _, s := range all {
		fx, fy := s.foot(x, y)
		if d := math.Hypot(x-fx, y-fy); d < least {
			best, least = s, d
		}
	}
	return best
}

// foot is the place of s that is nearest.
func (s Street) foot(x, y float64) (float64, float64) {
	if s.Along {
		return min(max(x, s.From), s.To), s.At
	}
	return s.At, min(max(y, s.From), s.To)
}

func between(from Street, x1, y1, x2, y2 float64) Street {
	var best Street
	least := math.Inf(1)
	for _, s := range Streets() {
		if s.Along == from.Along {
			continue
		}
		round := math.Abs(s.At-x1) + math.Abs(s.At-x2)
		if !from.Along {
			round = math.Abs(s.At-y1) + math.Abs(s.At-y2)
		}
		if round < least {
			best, least = s, round
		}
	}
	return best
}

// Metres is the length of w.
func (w Way) Metres() float64 {
	sum := 0.0
	for i := 1; i < len(w); i++ {
		sum += Metres(w[i-1], w[i])
	}
	return sum
}

// At is where somebody is who has come so many metres along w, and where they look, degrees from north.
// Beyond the end they stand there.
func (w Way) At(metres float64) (s Spot, heading float64) {
	for i := 1; i < len(w); i++ {
		step := Metres(w[i-1], w[i])
		if step == 0 {
			continue
		}
		heading = math.Mod(math.Atan2((w[i].Lon-w[i-1].Lon)*metresLon(), (w[i].Lat-w[i-1].Lat)*metresLat)*180/math.Pi+360, 360)
		if metres <= step {
			part := max(metres, 0) / step
			return Spot{w[i-1].Lat + part*(w[i].Lat-w[i-1].Lat), w[i-1].Lon + part*(w[i].Lon-w[i-1].Lon)}, heading
		}
		metres -= step
	}
	if len(w) == 0 {
		return Spot{}, 0
	}
	return w[len(w)-1], heading
}
