package day

import "time"

// Zone is the clock of Petropavl.
func Zone() *time.Location { return time.FixedZone("Petropavl", 5*60*60) }

// The founding case: a centre that answers about 120 calls a day, which are some four in a hundred of
// what citizens send.
const (
	CallsPerDay    = 120
	ReportsPerCall = 24
)

// hours is how much comes in each hour of a day, against the mean: quiet before dawn, most in the evening.
var hours = [24]float64{0.80, 0.60, 0.45, 0.35, 0.30, 0.35, 0.50, 0.75, 0.95, 1.00, 1.00, 1.00, 1.05, 1.05, 1.05, 1.10, 1.15, 1.30, 1.50, 1.65, 1.75, 1.70, 1.45, 1.20}

// days is the same of a week, from Sunday.
var days = [7]float64{1.15, 0.88, 0.88, 0.90, 0.94, 1.10, 1.25}

// Weight is how much comes at t against the mean over a week, which is 1.
func Weight(t time.Time) float64 {
	local := t.In(Zone())
	return hours[local.Hour()] / mean(hours[:]) * days[local.Weekday()] / mean(days[:])
}

// heaviest bounds Weight.
func heaviest() float64 { return most(hours[:]) / mean(hours[:]) * most(days[:]) / mean(days[:]) }

func mean(list []float64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}

func most(list []float64) float64 {
	best := list[0]
	for _, v := range list {
		best = max(best, v)
	}
	return best
}
