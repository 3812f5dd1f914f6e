package simtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"jedel/internal/stats"
)

// SevenYears is how many contacts a city of 200,000 has in seven years.
const SevenYears = 2_000_000

// City makes n contacts of the seven years up to November 2026, with the peaks of evenings and
// weekends, winter quieter than summer, four reports of five contacts. The same n, the same contacts.
func City(n int, put func(stats.Contact)) {
	r := rand.New(rand.NewPCG(102, 112))
	begin := time.Date(2019, 11, 24, 0, 0, 0, 0, time.UTC)
	kinds := []string{"parking", "noise", "order", "traffic", "violence", "theft", "domestic", "smoking", "medical", "missing", "false", "other"}
	districts := []string{"north", "south", "centre", "station", "east"}
	outcomes := []string{"patrol", "passed", "advised", "registered", "no_contact", "false"}
	skewed := func(list []string) string { return list[int(float64(len(list))*r.Float64()*r.Float64())] }
	lasts := func(median time.Duration) time.Duration {
		return time.Duration(float64(median) * math.Exp(0.6*r.NormFloat64()))
	}
	for i := 0; i < n; {
		at := begin.Add(time.Duration(r.Int64N(int64(7 * 365.25 * 24 * float64(time.Hour)))))
		hour, season := float64((at.Hour()+5)%24), 1+0.2*math.Cos(2*math.Pi*(float64(at.YearDay())-196)/365)
		weight := (0.35 + 0.65*math.Exp(-math.Pow((hour-20)/4.5, 2))) * season
		if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
			weight *= 1.3
		}
		if r.Float64()*1.7 > weight {
			continue
		}
		c := stats.Contact{ID: fmt.Sprintf("01JD%022d", i), Opened: at, Report: r.IntN(5) > 0, Kind: skewed(kinds), Unit: skewed(districts)}
		for m := range c.Times {
			c.Times[m] = stats.None
		}
		if c.Abandoned = !c.Report && r.IntN(50) == 0; c.Abandoned {
			c.Owed, c.CalledBack = true, r.IntN(10) > 0
		} else if !c.Report {
			c.Times[stats.Answer], c.Times[stats.Handling] = lasts(6*time.Second), lasts(170*time.Second)
		}
		if r.IntN(3) == 0 {
			c.Times[stats.Dispatch] = lasts(3 * time.Minute)
			c.Times[stats.Arrival] = c.Times[stats.Dispatch] + lasts(8*time.Minute)
		}
		if c.Closed = at.Before(begin.AddDate(7, 0, -10)) || r.IntN(2) == 0; c.Closed {
			c.Outcome, c.Times[stats.Reply] = skewed(outcomes), lasts(4*time.Hour)
		}
		put(c)
		i++
	}
}
