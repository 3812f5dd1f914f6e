package recorder

import (
	"math"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"jedel/internal/ident"

	dto "github.com/prometheus/client_model/go"
)

// load is what the parties of a bench's calls send.
type load struct {
	name   string
	calls  int
	frames int // pictures a second, of four packets of 1000 bytes each; 0: sound alone
}

// BenchmarkCalls records calls of two parties with sound (50 packets of 160 bytes a second) and
// pictures (30 a second, each four packets of 1000 bytes at once), each iteration one second in real
// time. It prints processor time for each packet, feeding and disk included, memory, and the age of the oldest
// record that is not durable, as seen at random moments: what a kill would lose.
func BenchmarkCalls(b *testing.B) {
	for _, l := range []load{{"30", 30, 30}, {"250", 250, 30}, {"60 sound", 60, 0}} {
		b.Run(l.name, func(b *testing.B) { benchCalls(b, l) })
	}
}

func benchCalls(b *testing.B, l load) {
	cfg := config(b.TempDir())
	cfg.FlushEvery, cfg.HeadEvery = 250*time.Millisecond, time.Second
	r, _ := run(b, cfg)
	before, goroutines := inUse(), runtime.NumGoroutine()
	var archives []*Archive
	var tracks [][4]*Stream
	for range l.calls {
		a := start(b, r, ident.New[ident.CallID](), time.Now())
		var t [4]*Stream
		for i := range t {
			t[i] = a.OpenStream(StreamInfo{Role: "caller", Kind: []string{"audio", "video"}[i%2]})
		}
		archives, tracks = append(archives, a), append(tracks, t)
	}
	sound, picture := make([]byte, 160), make([]byte, 1000)
	var lags []time.Duration
	packets := 0
	tick := time.NewTicker(time.Second / ticksASecond)
	defer tick.Stop()
	feedAll := func(step int) {
		<-tick.C
		for i, t := range tracks {
			packets += feed(t, l, step+i, sound, picture)
		}
	}
	for step := range 2 * ticksASecond { // until every file is open and every buffer has its size
		feedAll(step)
	}
	packets = 0
	b.ResetTimer()
	spent := usedCPU()
	for b.Loop() {
		for step := range ticksASecond {
			feedAll(step)
			lags = append(lags, archives[(step*37)%l.calls].Status().Lag, archives[(step*61)%l.calls].Status().Lag)
		}
	}
	b.StopTimer()
	used := usedCPU() - spent
	b.ReportMetric((inUse()-before)/1024/float64(l.calls), "KiB/call")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(l.calls), "goroutines/call")
	b.ReportMetric(100*used/b.Elapsed().Seconds(), "%core")
	b.ReportMetric(1e6*used/float64(packets), "us/packet")
	b.ReportMetric(durableAfter(b, r, 0.99), "p99-first-packet-durable-ms")
	slices.Sort(lags)
	at := func(share float64) float64 { return float64(lags[int(share*float64(len(lags)-1))].Milliseconds()) }
	b.ReportMetric(at(0.5), "p50-lag-ms")
	b.ReportMetric(at(0.99), "p99-lag-ms")
	b.ReportMetric(at(1), "max-lag-ms")
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}

// ticksASecond is how often a bench feeds.
const ticksASecond = 150

// inUse returns the bytes of heap and stacks that are in use.
func inUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
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

// feed gives one tick of two parties: every third a packet of sound, every fifth a picture.
func feed(t [4]*Stream, l load, step int, sound, picture []byte) (packets int) {
	now := time.Now()
	for party := range 2 {
		if step%3 == party {
			t[2*party].RTP(now, sound, false)
			packets++
		}
		if l.frames > 0 && step%(ticksASecond/l.frames) == 2*party {
			for range 4 {
				t[2*party+1].RTP(now, picture, false)
			}
			packets += 4
		}
	}
	return packets
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
