package media

import (
	"testing"

	"github.com/pion/rtp"
	"github.com/prometheus/client_golang/prometheus"
)

// nowhere takes packets and keeps nothing.
type nowhere struct{ bytes int }

func (w *nowhere) WriteRTP(_ *rtp.Header, payload []byte) (int, error) {
	w.bytes += len(payload)
	return len(payload), nil
}

func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkViewerSend is one picture of 17 kB to one viewer, without encryption: 2 Mbit/s at 15
// pictures a second.
func BenchmarkViewerSend(b *testing.B) {
	r := NewRelay(&Node{}, RelayConfig{}, prometheus.NewRegistry())
	v := newViewer(r.NewSource())
	w := &nowhere{}
	v.bound.Store(&outlet{writer: w, ssrc: 1, pt: 102})
	p := pictureNo(1, false, 17000)
	v.send(p, false)
	if n := testing.AllocsPerRun(100, func() { v.send(p, false) }); n > 2 {
		b.Fatalf("%v allocations a picture", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		v.send(p, false)
	}
	if w.bytes == 0 {
		b.Fatal("nothing was sent")
	}
}
