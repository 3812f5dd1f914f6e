package sitelog

import (
	"syscall"
	"testing"
	"time"
)

// BenchmarkHeads has thirty calls say a head each second, at different moments; each iteration is a
// second of real time. It prints the share of a core that the log takes for it.
func BenchmarkHeads(b *testing.B) {
	cfg := config(b.TempDir())
	l, _ := started(b, cfg)
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	n := 0
	b.ResetTimer()
	begin := used()
	for b.Loop() {
		for range 30 {
			<-tick.C
			n++
			l.Say(about(n))
		}
	}
	b.StopTimer()
	b.ReportMetric(100*(used()-begin).Seconds()/b.Elapsed().Seconds(), "%core")
}
