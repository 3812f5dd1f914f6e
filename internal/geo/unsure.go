package geo

import "math"

// The confidence that a browser's accuracy has (W3C Geolocation), and that ours have: the place is
// within the radius 95 times in 100.
const usual = 0.95

// Rescale gives the radius of a circle at another confidence, for a position whose error is normal and
// the same in all directions: RFC 7459, section 5.4.2, in two dimensions. Confidences are between 0 and
// 1, ends excluded; others leave the radius as it is.
func Rescale(radius, from, to float64) float64 {
	if !(from > 0 && from < 1 && to > 0 && to < 1) {
		return radius
	}
	return radius * math.Sqrt(math.Log1p(-to)/math.Log1p(-from))
}

// Sigma is the standard deviation along one axis of a position known to a radius at 95 %.
func Sigma(radius float64) float64 { return radius / math.Sqrt(-2*math.Log(1-usual)) }

// Within is how probable it is that a place known to a radius at 95 % lies within reach of a point
// that is so far from the middle of its circle: RFC 7459, section 5.5, for a normal error. A radius of
// zero is exact.
func Within(metres, radius, reach float64) float64 {
	switch {
	case math.IsNaN(metres+radius+reach) || reach <= 0:
		return 0
	case radius <= 0:
		return certain(metres <= reach)
	}
	s := Sigma(radius)
	d, h := metres/s, reach/s
	// Rice's distribution: all but nothing of it lies within eight deviations of d.
	from, to := max(0, d-8), min(h, d+8)
	if to <= from {
		return certain(h > d)
	}
	const steps = 400 // even, for Simpson's rule
	step, sum := (to-from)/steps, 0.0
	for i := range steps + 1 {
		u := from + float64(i)*step
		weight := 2.0 + 2*float64(i%2)
		if i == 0 || i == steps {
			weight = 1
		}
		sum += weight * u * math.Exp(-(u-d)*(u-d)/2) * besselScaled(u*d)
	}
	return max(0, min(1, sum*step/3))
}

// Beside is Within for a long line, a street: only the error across it counts.
func Beside(metres, radius, reach float64) float64 {
	switch {
	case math.IsNaN(metres+radius+reach) || reach <= 0:
		return 0
	case radius <= 0:
		return certain(metres <= reach)
	}
	s := Sigma(radius) * math.Sqrt2
	return max(0, min(1, (math.Erf((reach-metres)/s)+math.Erf((reach+metres)/s))/2))
}

func certain(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// besselScaled is exp(-x) I0(x) for x >= 0: Abramowitz and Stegun, 9.8.1 and 9.8.2, error below 2e-7.
func besselScaled(x float64) float64 {
	if x < 3.75 {
		t := x / 3.75
		t *= t
		return math.Exp(-x) * (1 + t*(3.5156229+t*(3.0899424+t*(1.2067492+t*(0.2659732+t*(0.0360768+t*0.0045813))))))
	}
	t := 3.75 / x
	return (0.39894228 + t*(0.01328592+t*(0.00225319+t*(-0.00157565+t*(0.00916281+t*(-0.02057706+t*(0.02635537+t*(-0.01647633+t*0.00392377)))))))) / math.Sqrt(x)
}
