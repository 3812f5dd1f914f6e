package derive

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"
)

// BenchmarkHour derives one side of a call of an hour: sound and 25 pictures a second. It reports
// how many times faster than the call that is, and what the index of it takes in memory.
func BenchmarkHour(b *testing.B) {
	for _, codec := range []string{"vp8", "h264"} {
		b.Run(codec, func(b *testing.B) {
			m := hour(b, codec)
			for b.Loop() {
				began := time.Now()
				r := m.load(b)
				loaded := time.Since(began)
				if _, err := r.WriteMedia(io.Discard, "p1"); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(3600/time.Since(began).Seconds(), "x-real-time")
				b.ReportMetric(loaded.Seconds(), "load-s")
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				runtime.KeepAlive(r)
				r = nil
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(before.HeapAlloc-after.HeapAlloc)/(1<<20), "index-MiB")
			}
		})
	}
}

// hour repeats six seconds of real frames 600 times.
func hour(tb testing.TB, codec string) *memory {
	tb.Helper()
	m := &memory{}
	m.open(tb, 1, streamInfo{Participant: "p1", Kind: "audio", Codec: "opus", ClockRate: 48000, PayloadType: 111})
	m.open(tb, 2, streamInfo{Participant: "p1", Kind: "video", Codec: codec, ClockRate: 90000, PayloadType: 96})
	x, y := &sender{ssrc: 1, pt: 111, clock: 48000}, &sender{ssrc: 2, pt: 96, clock: 90000}
	pay := payloader(codec)
	for k := range 600 {
		var all []sent
		start := time.Duration(k) * 6 * time.Second
		for _, f := range sound(tb, 6) {
			all = clean().send(all, start+f.at, 1, x.packet(tb, start+f.at, false, f.data))
		}
		for _, f := range video(tb, codec, "320x240", 6) {
			parts := pay.Payload(1100, f.data)
			for i, p := range parts {
				all = clean().send(all, start+f.at, 2, y.packet(tb, start+f.at, i == len(parts)-1, p))
			}
		}
		all = append(all, sent{at: int64(start) + 40e6, stream: 1, kind: recSR, data: x.report(start)},
			sent{at: int64(start) + 40e6, stream: 2, kind: recSR, data: y.report(start)})
		m.deliver(all)
	}
	if len(m.records) < 3600*50 {
		tb.Fatal(fmt.Errorf("only %d records", len(m.records)))
	}
	return m
}
