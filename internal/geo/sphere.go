// Package geo is the arithmetic and the wording of places: distances and bearings on the sphere, what an
// uncertain position means (RFC 7459), and how a place is said in Kazakh, Russian and English. It is
// pure.
package geo

import "math"

// Point is a position in degrees WGS 84.
type Point struct{ Lat, Lon float64 }

// Valid reports whether p is on earth.
func (p Point) Valid() bool {
	return p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180 // false for NaN
}

// EarthM is the mean radius of the earth (IUGG), in metres.
const EarthM = 6_371_008.8

const rad = math.Pi / 180

// Metres is the length of the great circle from a to b; within 0.5 % of the ellipsoid.
func Metres(a, b Point) float64 {
	dLat, dLon := (b.Lat-a.Lat)*rad, (b.Lon-a.Lon)*rad
	s, t := math.Sin(dLat/2), math.Sin(dLon/2)
	h := s*s + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*t*t
	return 2 * EarthM * math.Asin(math.Sqrt(min(1, h)))
}

// Bearing is the direction in which b lies from a, in degrees clockwise from north, 0 to 360.
func Bearing(a, b Point) float64 {
	dLon := (b.Lon - a.Lon) * rad
	y := math.Sin(dLon) * math.Cos(b.Lat*rad)
	x := math.Cos(a.Lat*rad)*math.Sin(b.Lat*rad) - math.Sin(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Cos(dLon)
	deg := math.Atan2(y, x) / rad
	if deg < 0 {
		deg += 360
	}
	if deg >= 360 { // a tiny negative angle rounds to 360
		deg = 0
	}
	return deg
}

// Offset is the point so many metres from p in a direction.
func Offset(p Point, bearing, metres float64) Point {
	d, b, lat := metres/EarthM, bearing*rad, p.Lat*rad
	sin := math.Sin(lat)*math.Cos(d) + math.Cos(lat)*math.Sin(d)*math.Cos(b)
	to := math.Asin(max(-1, min(1, sin)))
	dLon := math.Atan2(math.Sin(b)*math.Sin(d)*math.Cos(lat), math.Cos(d)-math.Sin(lat)*sin)
	lon := math.Mod(p.Lon+dLon/rad+540, 360) - 180
	return Point{to / rad, lon}
}

// Wind is one of eight directions: n, ne, e, se, s, sw, w, nw.
type Wind string

var winds = [...]Wind{"n", "ne", "e", "se", "s", "sw", "w", "nw"}

// WindOf is the wind nearest to a bearing.
func WindOf(bearing float64) Wind {
	if math.IsNaN(bearing) || math.IsInf(bearing, 0) {
		return winds[0]
	}
	i := int(math.Round(math.Mod(bearing, 360)/45)) % len(winds)
	return winds[(i+len(winds))%len(winds)]
}

// Box is an area between two parallels and two meridians, in degrees.
type Box struct{ South, West, North, East float64 }

// Around is the box that holds everything within metres of p. It does not wrap at the date line.
func Around(p Point, metres float64) Box {
	dLat := metres / EarthM / rad
	dLon := 360.0
	if c := math.Cos(min(90, math.Abs(p.Lat)+dLat) * rad); c > 1e-6 {
		dLon = min(360, dLat/c)
	}
	return Box{max(-90, p.Lat-dLat), max(-180, p.Lon-dLon), min(90, p.Lat+dLat), min(180, p.Lon+dLon)}
}

// Nearest is the point of the segment from a to b that is nearest to p, how far it is, and which part of
// the way from a to b lies before it. Segments are short: the earth is flat for it.
func Nearest(p, a, b Point) (at Point, metres, part float64) {
	k := math.Cos(p.Lat * rad)
	ax, ay := (a.Lon-p.Lon)*k, a.Lat-p.Lat
	bx, by := (b.Lon-p.Lon)*k, b.Lat-p.Lat
	dx, dy := bx-ax, by-ay
	if l := dx*dx + dy*dy; l > 0 {
		part = max(0, min(1, -(ax*dx+ay*dy)/l))
	}
	at = Point{a.Lat + (b.Lat-a.Lat)*part, a.Lon + (b.Lon-a.Lon)*part}
	return at, Metres(p, at), part
}
