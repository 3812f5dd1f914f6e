package media

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/media/bwe"
	"jedel/media/tune"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// narrow is a socket behind a bottleneck: what comes in waits its turn, and is lost where too much waits.
type narrow struct {
	net.PacketConn
	bps    atomic.Int64
	queued atomic.Int64 // nanoseconds that the newest datagram waits
	come   chan datagramIn
	done   chan struct{}
	once   sync.Once
}

type datagramIn struct {
	b    []byte
	from net.Addr
	due  time.Time
}

func newNarrow(t testing.TB, bps int64) *narrow {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	w := &narrow{PacketConn: c, come: make(chan datagramIn, 4096), done: make(chan struct{})}
	w.bps.Store(bps)
	go w.take()
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func (w *narrow) take() {
	var free time.Time
	for {
		b := make([]byte, 2048)
		n, from, err := w.PacketConn.ReadFrom(b)
		if err != nil {
			close(w.come)
			return
		}
		now := time.Now()
		if free.Before(now) {
			free = now
		}
		if w.queued.Store(int64(free.Sub(now))); free.Sub(now) > 1500*time.Millisecond {
			continue
		}
		free = free.Add(time.Duration(int64(n+28) * 8 * int64(time.Second) / w.bps.Load()))
		w.come <- datagramIn{b[:n], from, free.Add(10 * time.Millisecond)}
	}
}

func (w *narrow) ReadFrom(b []byte) (int, net.Addr, error) {
	d, ok := <-w.come
	if !ok {
		return 0, nil, net.ErrClosed
	}
	timer := time.NewTimer(time.Until(d.due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.done:
		return 0, nil, net.ErrClosed
	}
	return copy(b, d.b), d.from, nil
}

func (w *narrow) Close() error {
	w.once.Do(func() { close(w.done) })
	return w.PacketConn.Close()
}

// newNarrowPage is a page behind a bottleneck.
func newNarrowPage(t testing.TB, n *Node, role Role, w *narrow) *page {
	t.Helper()
	p := &page{t: t, id: ident.New[ident.ClientID](), pcID: "1", role: role, node: n, got: map[string][]*rtp.Packet{}}
	p.settings = func(s *webrtc.SettingEngine) { s.SetICEUDPMux(webrtc.NewICEUDPMux(nil, w)) }
	p.connect()
	return p
}

// camera plays somebody who speaks and sends a picture as large as REMB allows.
type camera struct {
	page *page
	bps  atomic.Int64
	done chan struct{}
	wg   sync.WaitGroup
}

func newCamera(t testing.TB, p *page) *camera {
	t.Helper()
	c := &camera{page: p, done: make(chan struct{})}
	c.bps.Store(300_000) // as a browser begins
	for _, s := range p.pc.GetSenders() {
		if s.Track() == p.video {
			go c.obey(s)
		}
	}
	c.wg.Go(func() { c.run(t) })
	t.Cleanup(func() { close(c.done); c.wg.Wait() })
	return c
}

func (c *camera) obey(s *webrtc.RTPSender) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if r, ok := p.(*rtcp.ReceiverEstimatedMaximumBitrate); ok {
				c.bps.Store(int64(r.Bitrate))
			}
		}
	}
}

func (c *camera) run(t testing.TB) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	audio := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 40)}
	video := &rtp.Packet{Header: rtp.Header{Version: 2}}
	frame := make([]byte, 1000)
	copy(frame, []byte{0x90, 0x80, 0x80, 0x01, 0x00})
	began := time.Now()
	for i := 0; ; { // a microphone loses no time: after a stall it has more to send
		select {
		case <-tick.C:
		case <-c.done:
			return
		}
		for ; time.Duration(i)*20*time.Millisecond < time.Since(began); i++ {
			audio.SequenceNumber++
			audio.Timestamp += 960
			if err := c.page.audio.WriteRTP(audio); err != nil {
				t.Error(err)
				return
			}
			if i%2 == 0 {
				c.picture(t, video, frame)
			}
		}
	}
}

// picture sends one, 25 a second.
func (c *camera) picture(t testing.TB, video *rtp.Packet, frame []byte) {
	video.Timestamp += 3600
	for left := int(c.bps.Load())/25/8 - bwe.Overhead; left > 20; left -= 1000 {
		video.SequenceNumber++
		video.Payload = frame[:min(left, len(frame))]
		video.Marker = left <= 1000
		if err := c.page.video.WriteRTP(video); err != nil {
			t.Error(err)
		}
	}
}

// arrived is how many packets of a slot came.
func (p *page) arrived(slot string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got[slot])
}

// over measures what f counts in a time.
func over(d time.Duration, f func() int) int {
	before := f()
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	return f() - before
}

// A caller sends to an operator whose way becomes narrow: the picture fits the way, ends where there is
// room for words alone, both ends are told, and it comes back.
func TestPictureFitsTheWayOfWhoWatches(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes the time that networks take")
	}
	n := openNode(t, nil)
	way := newNarrow(t, 400_000)
	a, b := newPage(t, n, RoleCaller), newNarrowPage(t, n, RoleOperator, way)
	a.connected()
	b.connected()
	must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{
		{From: a.id, To: b.id, Kind: Audio}, {From: a.id, To: b.id, Kind: Video}, {From: b.id, To: a.id, Kind: Audio}}))
	c := newCamera(t, a)
	began := time.Now()
	eventually(t, "the picture fills the way", func() bool {
		return c.bps.Load() > 220_000 && c.bps.Load() < 370_000 && time.Since(began) > 3*time.Second
	})
	eventually(t, "no queue stands", func() bool { return way.queued.Load() < int64(100*time.Millisecond) })

	way.bps.Store(50_000) // words take 38
	eventually(t, "the picture ends, and both ends are told", func() bool {
		ta, _ := n.Tune(a.id)
		tb, ok := n.Tune(b.id)
		return ta.Video == tune.Off && ta.Why == tune.Slow && ok && tb.Shown == tune.Off && tb.Video == tune.On
	})
	eventually(t, "the sender is asked for little", func() bool { return c.bps.Load() <= rembOff })
	eventually(t, "words are not late any more", func() bool { return way.queued.Load() < int64(100*time.Millisecond) })
	words := 0
	pictures := over(time.Second, func() int { words = b.arrived("audio-0"); return b.arrived("video-0") })
	if pictures > 0 || b.arrived("audio-0") < words {
		t.Errorf("%d packets of a picture", pictures)
	}
	if got := over(time.Second, func() int { return b.arrived("audio-0") }); got < 25 { // 50 on a machine of its own
		t.Errorf("%d packets of words within a second", got)
	}

	seen := b.arrived("video-0")
	way.bps.Store(3_000_000)
	back := func() bool {
		ta, _ := n.Tune(a.id)
		tb, _ := n.Tune(b.id)
		return ta.Video == tune.Thin && tb.Shown == tune.Thin && b.arrived("video-0") > seen
	}
	for end := time.Now().Add(4 * tune.HoldThin); !back(); { // where the machine itself was late, on the second trial
		if over(50*time.Millisecond, func() int { return 0 }); time.Now().After(end) {
			t.Fatal("the picture does not come back")
		}
	}
	if got := counter(t, n.met.rate.ended); got < 2 { // one sent, one shown
		t.Errorf("%v pictures ended", got)
	}
}

// Words are what measures a caller's way: one that is too narrow for a picture is known without any
// feedback of the caller's.
func TestLossyCallerIsToldToRepeat(t *testing.T) {
	n := openNode(t, nil)
	a, b := newPage(t, n, RoleCaller), newPage(t, n, RoleOperator)
	a.connected()
	b.connected()
	must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{{From: a.id, To: b.id, Kind: Audio}}))
	packet := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 40)}
	eventually(t, "both are told", func() bool {
		packet.SequenceNumber++
		packet.Timestamp += 960
		if packet.SequenceNumber%5 > 0 {
			must(t, a.audio.WriteRTP(packet))
		}
		ta, _ := n.Tune(a.id)
		tb, _ := n.Tune(b.id)
		return ta.RED && ta.Jitter == 0 && ta.Why == tune.Loss && !tb.RED && tb.Jitter >= tune.WaitLeast && ta.Video == tune.On
	})
}

func TestEstimateOfTheReceiverIsRead(t *testing.T) {
	n := openNode(t, nil)
	c := bare(n)
	for _, bps := range []int{40_000, 512_000, 5_000_000, 900_000_000} {
		raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: float32(bps), SSRCs: []uint32{7}}})
		must(t, err)
		now := time.Now()
		c.feedback.control(raw, now, nil)
		_, out, ok := c.rate.states(c.rate.since(now), 0)
		want := min(bps, bwe.MaxBps)
		if !ok || out.Bps > want || out.Bps < want*99/100 {
			t.Errorf("%d: %+v %v", bps, out, ok)
		}
	}
	for _, bad := range [][]byte{nil, {'R'}, []byte("REMB"), []byte("REMX\x01\x00\x00\x00"), []byte("REMB\x01\xff\xff\xff")} {
		c.rate.estimate(bad, time.Now())
	}
	if _, out, _ := c.rate.states(c.rate.since(time.Now()), 0); out.Bps != bwe.MaxBps {
		t.Errorf("%+v", out)
	}
}

// A receiver may send any feedback about packets it never got.
func TestForgedFeedbackIsHarmless(t *testing.T) {
	w := newWay(t, 1, "video/VP8", Video)
	d := (*w.up.conn.peer.receivers(Video))[0]
	b := *d.bound.Load()
	b.wide = 5
	d.bound.Store(&b)
	for seq := range uint16(50) {
		w.one(seq)
	}
	feedback := []byte{2<<6 | 15, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0x3F, 0xFF, 0, 0}
	refused := counter(t, w.to.peer.node.met.refusedPackets)
	for range 1000 {
		w.to.feedback.control(feedback, time.Now(), nil)
	}
	if got := counter(t, w.to.peer.node.met.refusedPackets) - refused; got != 1000 {
		t.Errorf("%v of 1000 are refused", got)
	}
	for seq := range uint16(50) {
		w.one(50 + seq)
	}
	if w.n != 100 {
		t.Errorf("%d of 100 packets are sent", w.n)
	}
}

func TestTransportWideNumbersCostNothing(t *testing.T) {
	w := newWay(t, 3, "video/VP8", Video)
	for _, d := range *w.up.conn.peer.receivers(Video) {
		b := *d.bound.Load()
		b.wide = 5
		d.bound.Store(&b)
	}
	seq := uint16(0)
	for range 100 {
		seq++
		w.one(seq)
	}
	if n := testing.AllocsPerRun(2000, func() { seq++; w.one(seq) }); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if got := w.to.rate.numbers.next; got != 3*(100+2001) {
		t.Errorf("%d packets have a number", got)
	}
}
