package recorder

import (
	"math"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"jedel/internal/ident"

	dto "github.com/prometheus/client_model/go"
)

// BenchmarkCalls records calls of two parties with audio (50 packets of 160 bytes a second) and
// video (110 of 1100 bytes, 0.97 Mbit/s), each iteration one second in real time. It prints the age
// of the oldest record that is not durable, as seen at random moments: what a kill would lose.
func BenchmarkCalls(b *testing.B) {
	for _, calls := range []int{30, 200} {
		b.Run(map[int]string{30: "30", 200: "200"}[calls], func(b *testing.B) { benchCalls(b, calls) })
	}
}

func benchCalls(b *testing.B, calls int) {
	cfg := config(b.TempDir())
	cfg.FlushEvery, cfg.HeadEvery = 250*time.Millisecond, time.Second
	r, _ := run(b, cfg)
	var archives []*Archive
	var tracks [][4]*Stream
	for range calls {
		a := start(b, r, ident.New[ident.CallID](), time.Now())
		var t [4]*Stream
		for i := range t {
			t[i] = a.OpenStream(StreamInfo{Role: "caller", Kind: []string{"audio", "video"}[i%2]})
		}
		archives, tracks = append(archives, a), append(tracks, t)
	}
	sound, picture := make([]byte, 160), make([]byte, 1100)
	var lags []time.Duration
	packets := 0
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	spent := usedCPU()
	for b.Loop() {
		for step := range 100 {
			<-tick.C
			var wg sync.WaitGroup
			for half := range 2 {
				wg.Go(func() {
					for _, t := range tracks[half*len(tracks)/2 : (half+1)*len(tracks)/2] {
						feed(t, step, sound, picture)
					}
				})
			}
			wg.Wait()
			lags = append(lags, archives[(step*37)%calls].Status().Lag, archives[(step*61)%calls].Status().Lag)
		}
		packets += calls * 2 * 160
	}
	b.StopTimer()
	b.ReportMetric(100*(usedCPU()-spent)/b.Elapsed().Seconds(), "%core")
	b.ReportMetric(durableAfter(b, r, 0.99), "p99-first-packet-durable-ms")
	slices.Sort(lags)
	at := func(share float64) float64 { return float64(lags[int(share*float64(len(lags)-1))].Milliseconds()) }
	b.ReportMetric(at(0.5), "p50-lag-ms")
	b.ReportMetric(at(0.99), "p99-lag-ms")
	b.ReportMetric(at(1), "max-lag-ms")
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}

// usedCPU returns the seconds of processor time of this process so far.
func usedCPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// durableAfter returns how many milliseconds after its first packet a share of the flushes was durable:
// the bound of the histogram's bucket, so not less.
func durableAfter(b *testing.B, r *Recorder, share float64) float64 {
	b.Helper()
	var m dto.Metric
	if err := r.met.lag.Write(&m); err != nil {
		b.Fatal(err)
	}
	for _, bucket := range m.GetHistogram().GetBucket() {
		if float64(bucket.GetCumulativeCount()) >= share*float64(m.GetHistogram().GetSampleCount()) {
			return 1000 * bucket.GetUpperBound()
		}
	}
	return math.Inf(1)
}

// feed gives 10 ms of two parties.
func feed(t [4]*Stream, step int, sound, picture []byte) {
	now := time.Now()
	for party := range 2 {
		if step%2 == 0 {
			t[2*party].RTP(now, sound, false)
		}
		for range 1 + step%10/9 { // 110 a second
			t[2*party+1].RTP(now, picture, false)
		}
	}
}

func TestTapAllocatesNothing(t *testing.T) {
	r, _ := run(t, config(t.TempDir()))
	a := start(t, r, ident.New[ident.CallID](), time.Now())
	s := a.OpenStream(StreamInfo{Kind: "audio"})
	p, now := packet(1), time.Now()
	if n := testing.AllocsPerRun(20_000, func() { s.RTP(now, p, false) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}
