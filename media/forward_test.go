package media

import (
	"net/netip"
	"testing"
	"time"

	"jedel/media/batch"
	"jedel/media/codec"
	"jedel/media/srtpio"

	"github.com/pion/rtp"
)

// way is the direct way of a packet up to the outbox: one source, receivers, sealed for each.
type way struct {
	up   *upTrack
	to   *conn
	box  outbox
	raw  []byte
	p    packet
	head rtp.Header
	n    int
}

func newWay(t testing.TB, receivers int, mime string, kind Kind) *way {
	n := openNode(t, nil)
	from, to := bare(n), bare(n)
	w := &way{up: &upTrack{id: 1, conn: from, kind: kind, mime: mime, info: TrackInfo{PayloadType: 96}}, to: to}
	w.up.hearing.begin(w.up)
	w.up.words = newWords(w.up)
	session, err := srtpio.Fixed([16]byte{1}, [12]byte{2})
	must(t, err)
	sink, err := batch.Listen(netip.MustParseAddrPort("127.0.0.1:0"), batch.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, sink.Close()) })
	to.out.aim(target{n.ports.sockets[0], sink.LocalAddr()})
	to.out.direct(session)
	var downs []*downTrack
	for i := range receivers {
		d := newDownTrack(to, kind, "slot-0", 0)
		d.bound.Store(&binding{ssrc: uint32(7 + i), types: []numbered{{pt: 96, mime: mime}}})
		downs = append(downs, d)
	}
	from.peer.setReceivers(kind, downs)
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: 1}
	head, err := h.Marshal()
	must(t, err)
	w.raw = append(append(head, 0x90, 0x80, 0x80, 0x01, 0x00), make([]byte, 900)...)
	return w
}

// bare is a connection without Pion.
func bare(n *Node) *conn {
	c := &conn{peer: newPeer(n, "page", RoleCaller)}
	c.link.init(c)
	c.peer.live.Store(c)
	return c
}

// one lets a packet go the whole way.
func (w *way) one(seq uint16) {
	w.raw[2], w.raw[3] = byte(seq>>8), byte(seq)
	w.head = rtp.Header{Extensions: w.head.Extensions[:0]}
	if _, err := w.head.Unmarshal(w.raw); err != nil {
		panic(err)
	}
	w.p = packet{up: w.up, raw: w.raw, header: &w.head, at: time.Now()}
	w.up.take(&w.p, &w.box)
	for i := range w.box.lists {
		w.n += w.box.lists[i].n
		w.box.lists[i].n = 0
	}
}

func TestForwardingAllocatesNothing(t *testing.T) {
	for mime, kind := range map[string]Kind{codec.Opus: Audio, codec.VP8: Video} {
		w := newWay(t, 3, mime, kind)
		seq := uint16(0)
		for range 100 {
			seq++
			w.one(seq)
		}
		sent := w.n
		if n := testing.AllocsPerRun(2000, func() { seq++; w.one(seq) }); n > 0 {
			t.Errorf("%s: %v allocations a packet", mime, n)
		}
		if w.n-sent < 3*2000 {
			t.Fatalf("%s: %d of %d packets sent", mime, w.n-sent, 3*2001)
		}
	}
}

func TestSlowReceiverLosesTheOldestAndHoldsNobodyUp(t *testing.T) {
	w := newWay(t, 1, codec.Opus, Audio)
	met := w.to.peer.node.met
	w.to.out.way.Store(wayPlain)
	begin := time.Now()
	for seq := range uint16(3 * queueLen) {
		w.one(seq)
	}
	if d := time.Since(begin); d > bound {
		t.Fatal(d)
	}
	first := <-w.to.out.queue.tickets
	if got := first.p.header.SequenceNumber; got != 2*queueLen {
		t.Fatalf("the oldest kept is %d, want %d", got, 2*queueLen)
	}
	if got := counter(t, met.queueDrops); got != 2*queueLen {
		t.Fatalf("%v dropped", got)
	}
}

func BenchmarkForward(b *testing.B) {
	for _, receivers := range []int{1, 3} {
		b.Run(string(rune('0'+receivers))+" receivers", func(b *testing.B) {
			w := newWay(b, receivers, codec.VP8, Video)
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
