package media

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"jedel/media/codec"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// discard is where a slot writes in a benchmark.
type discard struct{ packets int }

func (d *discard) WriteRTP(*rtp.Header, []byte) (int, error) { d.packets++; return 1, nil }
func (d *discard) Write(b []byte) (int, error)               { return len(b), nil }

// way is the way of a packet without sockets: one source, receivers, one writer.
type way struct {
	up    *upTrack
	downs []*downTrack
	out   *discard
	raw   []byte
}

func newWay(receivers int, mime string, kind Kind) *way {
	n := &Node{log: slog.New(slog.NewTextHandler(io.Discard, nil)), met: newMetrics(prometheus.NewRegistry()), start: time.Now()}
	p := newPeer(n, "source", RoleCaller)
	c := &conn{peer: p, out: egress{queue: make(chan ticket, queueLen)}}
	w := &way{up: &upTrack{id: 1, conn: c, kind: kind, mime: mime}, out: &discard{}}
	for range receivers {
		d := newDownTrack(c, kind, "slot-0")
		d.bound.Store(&binding{writer: w.out, ssrc: 7, types: []webrtc.RTPCodecParameters{{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime}, PayloadType: 96}}})
		w.downs = append(w.downs, d)
	}
	p.setReceivers(kind, w.downs)
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: 1}
	head, err := h.Marshal()
	if err != nil {
		panic(err)
	}
	w.raw = append(append(head, 0x90, 0x80, 0x80, 0x01, 0x00), make([]byte, 900)...)
	return w
}

// one lets a packet go the whole way.
func (w *way) one(seq uint16) {
	p := w.up.conn.packets.get()
	p.refs.Store(1)
	n := copy(p.buf[:], w.raw)
	p.buf[2], p.buf[3] = byte(seq>>8), byte(seq)
	w.up.take(p, n, time.Now(), false)
	for range w.downs {
		t := <-w.up.conn.out.queue
		t.d.send(t.p, w.up.conn.peer.node.met)
		w.up.conn.packets.release(t.p)
	}
}

func TestForwardingAllocatesNothing(t *testing.T) {
	for mime, kind := range map[string]Kind{codec.Opus: Audio, codec.VP8: Video} {
		w := newWay(3, mime, kind)
		seq := uint16(0)
		for range 100 {
			seq++
			w.one(seq)
		}
		sent := w.out.packets
		// A garbage collection may empty the pool in between: less than one in ten packets then.
		if n := testing.AllocsPerRun(2000, func() { seq++; w.one(seq) }); n > 0 {
			t.Errorf("%s: %v allocations a packet", mime, n)
		}
		if w.out.packets-sent < 3*2000 {
			t.Fatalf("%s: %d of %d packets sent", mime, w.out.packets-sent, 3*2001)
		}
	}
}

func TestSlowReceiverLosesTheOldestAndHoldsNobodyUp(t *testing.T) {
	w := newWay(1, codec.Opus, Audio)
	met := w.up.conn.peer.node.met
	begin := time.Now()
	for seq := range uint16(3 * queueLen) {
		p := w.up.conn.packets.get()
		p.refs.Store(1)
		n := copy(p.buf[:], w.raw)
		p.buf[2], p.buf[3] = byte(seq>>8), byte(seq)
		w.up.take(p, n, time.Now(), false)
	}
	if d := time.Since(begin); d > bound {
		t.Fatal(d)
	}
	first := <-w.up.conn.out.queue
	if got := first.p.header.SequenceNumber; got != 2*queueLen {
		t.Fatalf("the oldest kept is %d, want %d", got, 2*queueLen)
	}
	first.d.send(first.p, met)
	if w.out.packets != 1 {
		t.Fatal(w.out.packets)
	}
}

func BenchmarkForward(b *testing.B) {
	for _, receivers := range []int{1, 3} {
		b.Run(string(rune('0'+receivers))+" receivers", func(b *testing.B) {
			w := newWay(receivers, codec.VP8, Video)
			b.ReportAllocs()
			seq := uint16(0)
			for b.Loop() {
				seq++
				w.one(seq)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*receivers), "ns/receiver")
		})
	}
}
