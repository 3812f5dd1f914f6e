package watch

import "time"

// Sample is what a gateway's metrics said at one moment.
type Sample struct {
	At        time.Time
	Talking   int     // calls between two parties then, as the bots know it
	CPU       float64 // seconds of processor time so far
	Resident  float64 // bytes
	Received  float64 // packets so far
	Forwarded float64
}

// Steady is the work of a gateway while its number of calls stood still at its highest.
type Steady struct {
	Calls         int     `json:"calls"`
	Seconds       float64 `json:"seconds"`
	CPUShare      float64 `json:"cpuShare"` // of one core
	Received      float64 `json:"receivedPerSecond"`
	Forwarded     float64 `json:"forwardedPerSecond"`
	CPUMicros     float64 `json:"cpuMicrosPerForwarded"` // microseconds of processor time a relayed packet, everything included
	ResidentMiB   float64 `json:"residentMiB"`
	ResidentAtOne float64 `json:"residentMiBAtFirstSample"`
}

// SteadyOf returns the work over the longest unbroken run of samples that had the most calls. ok is
// false where no two in a row had.
func SteadyOf(all []Sample) (out Steady, ok bool) {
	most := 0
	for _, s := range all {
		most = max(most, s.Talking)
	}
	var a, b Sample
	for i := 0; most > 0 && i < len(all); i++ {
		if all[i].Talking != most {
			continue
		}
		from := i
		for i+1 < len(all) && all[i+1].Talking == most {
			i++
		}
		if all[i].At.Sub(all[from].At) > b.At.Sub(a.At) {
			a, b = all[from], all[i]
		}
	}
	secs := b.At.Sub(a.At).Seconds()
	if secs <= 0 {
		return Steady{}, false
	}
	out = Steady{
		Calls: most, Seconds: secs, CPUShare: (b.CPU - a.CPU) / secs, Received: (b.Received - a.Received) / secs,
		Forwarded: (b.Forwarded - a.Forwarded) / secs, ResidentMiB: b.Resident / (1 << 20), ResidentAtOne: all[0].Resident / (1 << 20),
	}
	if n := b.Forwarded - a.Forwarded; n > 0 {
		out.CPUMicros = (b.CPU - a.CPU) / n * 1e6
	}
	return out, true
}
