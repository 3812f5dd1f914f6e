package bwe

import "time"

const (
	meterBins = 12
	meterBin  = 50 * time.Millisecond
	// meterSpan is over how long a rate is measured. Shorter shakes with every large picture,
	// longer tells late of a way that became narrow.
	meterSpan  = (meterBins - 2) * meterBin
	meterLeast = 5
)

// meter measures what arrived lately, by the arrival times alone.
type meter struct {
	bins  [meterBins]int
	first time.Duration // when the first packet arrived
	bin   int64         // the newest bin since then
	begun bool
}

func (m *meter) reset() { *m = meter{} }

func (m *meter) add(at time.Duration, size int) {
	if !m.begun {
		*m = meter{first: at, begun: true}
	}
	bin := int64((at - m.first) / meterBin)
	switch {
	case at < m.first || bin <= m.bin-meterBins:
		return // too late to matter
	case bin-m.bin >= meterBins:
		m.bins, m.bin = [meterBins]int{}, bin
	}
	for ; m.bin < bin; m.bin++ {
		m.bins[(m.bin+1)%meterBins] = 0
	}
	m.bins[bin%meterBins] += size
}

// bps is the rate over the last whole bins before a time, 0 before there is one.
func (m *meter) bps(now time.Duration) float64 {
	if m.begun {
		m.add(now, 0)
	}
	n := min(m.bin, int64(meterSpan/meterBin))
	if n == 0 {
		return 0
	}
	sum := 0
	for i := int64(1); i <= n; i++ {
		sum += m.bins[(m.bin-i)%meterBins]
	}
	return float64(sum) * 8 / (float64(max(n, meterLeast)) * meterBin.Seconds()) // one large picture is no rate
}
