package media

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/media/codec"
	"jedel/media/early"

	"github.com/pion/rtp"
)

// ring is a source that nobody listens to yet, a slot that may, and a clock.
type ring struct {
	t   *testing.T
	way *way
	to  *downTrack
	at  time.Time
	seq uint16
}

func newRing(t *testing.T, kind Kind) *ring {
	mime := codec.VP8
	if kind == Audio {
		mime = codec.Opus
	}
	w := newWay(t, 1, mime, kind)
	w.to.out.way.Store(wayPlain) // what goes out waits in the queue, to be looked at
	peer := w.up.conn.peer
	r := &ring{t: t, way: w, to: (*peer.receivers(kind))[0], at: time.Now()}
	peer.setReceivers(kind, nil)
	peer.early.bits.Store(bitOf(kind))
	w.up.conn.ups = []*upTrack{w.up}
	peer.conn = w.up.conn
	n := peer.node
	n.mu.Lock()
	n.peers["page"] = peer
	n.mu.Unlock()
	t.Cleanup(func() { // it has nothing to be closed
		n.mu.Lock()
		delete(n.peers, "page")
		n.mu.Unlock()
	})
	return r
}

// send lets a packet come after d.
func (r *ring) send(d time.Duration, key bool, size int) {
	r.at = r.at.Add(d)
	r.seq++
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: 1, SequenceNumber: r.seq, Timestamp: uint32(r.seq) * 3000}
	raw, err := h.Marshal()
	must(r.t, err)
	raw = append(raw, 0x90, 0x80, 0x80, byte(r.seq), 0x01)
	if key {
		raw[len(raw)-1] = 0
	}
	raw = append(raw, make([]byte, size)...)
	p := packet{up: r.way.up, raw: raw, header: &h, at: r.at}
	r.way.up.take(&p, nil)
}

// route lets these hear the source after d.
func (r *ring) route(d time.Duration, to ...*downTrack) {
	r.at = r.at.Add(d)
	if u := r.way.up; u.conn.peer.setReceivers(u.kind, to) {
		u.listened(r.at)
	}
}

// got takes what has gone out: its numbers.
func (r *ring) got() (seqs []uint16) {
	for {
		select {
		case k := <-r.way.to.out.queue.tickets:
			if d := k.d; d != r.to {
				r.t.Fatal("it went to somebody else")
			}
			seqs = append(seqs, k.p.header.SequenceNumber)
		default:
			return seqs
		}
	}
}

func (r *ring) expect(want ...uint16) {
	r.t.Helper()
	if got := r.got(); !slices.Equal(got, want) {
		r.t.Fatalf("got %d, want %d", got, want)
	}
	if r.way.up.held.Load() == nil && r.way.up.conn.peer.node.early.Load() != 0 {
		r.t.Fatal("memory is not given back")
	}
}

// The key frame came 300 ms before the answer and none comes after.
func TestListenerSeesAtOnceWhatCameBefore(t *testing.T) {
	r := newRing(t, Video)
	asked := counter(t, r.way.to.peer.node.met.keyframes)
	r.send(0, true, 900)
	for range 9 {
		r.send(33*time.Millisecond, false, 100)
	}
	r.route(3*time.Millisecond, r.to)
	r.expect(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	if r.way.up.held.Load() != nil {
		t.Fatal("memory is kept though all has gone")
	}
	r.send(30*time.Millisecond, false, 100)
	r.expect(11)
	if counter(t, r.way.to.peer.node.met.keyframes) != asked || r.way.up.lastPLI.Load() != 0 {
		t.Fatal("a key frame was asked for that is not needed")
	}
}

func TestListenerHearsTheLastMoment(t *testing.T) {
	r := newRing(t, Audio)
	for range 30 {
		r.send(20*time.Millisecond, false, 80)
	}
	r.route(5*time.Millisecond, r.to)
	r.expect(29, 30)
	r.send(15*time.Millisecond, false, 80)
	r.expect(31)
}

// A thin line gets it little by little, and what comes meanwhile after it.
func TestWhatWasKeptDoesNotFillAThinLine(t *testing.T) {
	r := newRing(t, Video)
	r.send(0, true, 1000)
	for range 16 {
		r.send(2*time.Millisecond, false, 1000)
	}
	r.route(time.Millisecond, r.to)
	first := r.got()
	if n := len(first); n < 5 || n > early.FirstBytes/1000+1 {
		t.Fatal(n, "at once")
	}
	r.send(0, false, 1000)
	all := append(first, r.got()...)
	for range 20 {
		if len(all) == 18 {
			break
		}
		before := len(all)
		r.at = r.at.Add(feedbackTick)
		r.way.up.morePoured(r.at.UnixNano(), nil)
		if all = append(all, r.got()...); len(all) > before+3 {
			t.Fatal(len(all)-before, "in one tick")
		}
	}
	for i, seq := range all {
		if seq != uint16(i+1) {
			t.Fatal(all)
		}
	}
	if len(all) != 18 || r.way.up.held.Load() != nil {
		t.Fatal(all)
	}
}

// What would take longer than a new key frame is not passed on; that one is asked for.
func TestLongPastIsLeftOut(t *testing.T) {
	r := newRing(t, Video)
	r.send(0, true, 1000)
	for range 100 {
		r.send(time.Millisecond, false, 1000)
	}
	r.route(time.Millisecond, r.to)
	r.expect()
	if r.way.up.held.Load() != nil {
		t.Fatal("memory is kept")
	}
	r.send(time.Millisecond, false, 1000)
	r.send(time.Millisecond, true, 1000)
	for len(r.way.to.out.queue.tickets) > 0 {
		r.way.to.out.deliver(<-r.way.to.out.queue.tickets)
	}
	if got := r.to.source; got != r.way.up.id {
		t.Fatal("the next key frame is not shown")
	}
}

// Who is on hold is not kept for whoever takes them back.
func TestNothingOfAHoldIsPassedOn(t *testing.T) {
	for _, kind := range []Kind{Audio, Video} {
		r := newRing(t, kind)
		r.send(0, true, 100)
		r.route(time.Millisecond, r.to)
		r.expect(1)
		r.route(time.Second)
		for range 10 {
			r.send(10*time.Millisecond, true, 100)
		}
		if r.way.up.held.Load() != nil {
			t.Fatal("kept")
		}
		r.route(time.Millisecond, r.to)
		r.expect()
		r.send(10*time.Millisecond, true, 100)
		r.expect(12)
	}
}

// A hold in the midst of passing on ends it.
func TestHoldEndsWhatIsStillUnderWay(t *testing.T) {
	r := newRing(t, Video)
	for i := range 17 {
		r.send(2*time.Millisecond, i == 0, 1000)
	}
	r.route(time.Millisecond, r.to)
	r.got()
	r.route(time.Millisecond)
	r.at = r.at.Add(feedbackTick)
	r.way.up.morePoured(r.at.UnixNano(), nil)
	r.send(time.Millisecond, false, 100)
	r.expect()
	if r.way.up.held.Load() != nil {
		t.Fatal("kept")
	}
}

// Who shuts their camera or microphone is not shown or heard as they were before.
func TestNothingFromBeforeAShutDeviceIsPassedOn(t *testing.T) {
	for _, kind := range []Kind{Audio, Video} {
		r := newRing(t, kind)
		r.send(0, true, 100)
		r.way.up.conn.peer.node.SetEarly("page", Early{Audio: kind == Video, Video: kind == Audio})
		r.route(time.Millisecond, r.to)
		r.expect()

		r = newRing(t, kind) // the page says nothing of it
		r.send(0, true, 100)
		r.route(early.PictureFresh+time.Millisecond, r.to)
		r.expect()
	}
}

// A supervisor who takes over sees from then on, not before: whatever was kept was the first listener's.
func TestHandOverPassesNothingOn(t *testing.T) {
	r := newRing(t, Video)
	other := newDownTrack(r.way.to, Video, "slot-1", 0)
	other.bound.Store(r.to.bound.Load())
	r.send(0, true, 100)
	r.route(time.Millisecond, other)
	if n := len(r.way.to.out.queue.tickets); n != 1 {
		t.Fatal(n)
	}
	<-r.way.to.out.queue.tickets
	for range 5 {
		r.send(30*time.Millisecond, false, 100)
		<-r.way.to.out.queue.tickets
	}
	r.route(time.Millisecond, r.to)
	r.expect()
	r.send(30*time.Millisecond, false, 100)
	k := <-r.way.to.out.queue.tickets
	if _, fate := k.d.next(&k.p); fate != fateKey {
		t.Fatal("a picture that needs those before it is shown", fate)
	}
}

func TestNobodyIsKeptWithoutBeingAskedFor(t *testing.T) {
	r := newRing(t, Video)
	r.way.up.conn.peer.node.SetEarly("page", Early{})
	r.send(0, true, 100)
	if r.way.up.held.Load() != nil {
		t.Fatal("kept")
	}
	r.route(time.Millisecond, r.to)
	r.expect()
}

func TestMemoryOfAllThatIsKeptIsBounded(t *testing.T) {
	r := newRing(t, Video)
	n := r.way.up.conn.peer.node
	n.early.Store(earlyMost + 1)
	r.send(0, true, 100)
	if r.way.up.held.Load() != nil {
		t.Fatal("kept")
	}
	n.early.Store(0)
	r.send(0, true, 100)
	if n.early.Load() < 100 {
		t.Fatal(n.early.Load())
	}
	r.way.up.conn.ended(r.way.up)
	if n.early.Load() != 0 {
		t.Fatal("the track has ended and takes", n.early.Load())
	}
}

// A listener who comes within half a second of another request gets a key frame of its own, if that one was answered.
func TestAnsweredRequestDoesNotKeepTheNextFromBeingMade(t *testing.T) {
	n := openNode(t, nil)
	a := newPage(t, n, RoleCaller)
	a.connected()
	a.talk('a', true)
	var u *upTrack
	eventually(t, "pictures come", func() bool {
		u = n.find(a.id).current().find(func(u *upTrack) bool { return u.kind == Video && u.lastKey.Load() > 0 })
		return u != nil
	})
	now := time.Unix(0, u.lastKey.Load())
	met := n.met.keyframes
	before := counter(t, met)
	u.requestKeyframe(now.Add(time.Second))
	u.listened(now.Add(time.Second + 100*time.Millisecond))
	if got := counter(t, met) - before; got != 1 {
		t.Fatal(got, "requests while one is on its way")
	}
	u.lastKey.Store(now.Add(time.Second + 50*time.Millisecond).UnixNano())
	u.listened(now.Add(time.Second + 100*time.Millisecond))
	if got := counter(t, met) - before; got != 2 {
		t.Fatal(got, "requests though the first was answered")
	}
}

// Over real connections: what a listener gets of before is the same by either way, whole, in order, and the recorder
// has each packet once.
func TestEarlyMediaIsTheSameDirectAndPlain(t *testing.T) {
	var got [2][]string
	for i, plain := range []bool{false, true} {
		for try := 0; got[i] == nil; try++ {
			if try == 20 {
				t.Fatal("the machine is too slow to see anything within a quarter of a second")
			}
			got[i] = earlyOnce(t, plain)
		}
	}
	if !slices.Equal(got[0], got[1]) {
		t.Fatalf("direct:\n%q\nplain:\n%q", got[0], got[1])
	}
}

// earlyOnce returns the pictures that a listener got of a source that stopped before the route was made; nil where
// that was too long ago.
func earlyOnce(t *testing.T, plain bool) (got []string) {
	n := openNode(t, func(c *Config) { c.Plain = plain })
	a, b := newPage(t, n, RoleCaller), newPage(t, n, RoleOperator)
	a.connected()
	b.connected()
	tap := newLog()
	n.SetTap(a.id, tap)
	n.SetEarly(a.id, Early{Audio: true, Video: true})
	began := time.Now()
	for i := range 10 {
		a.talk(byte('0'+i), i == 0)
	}
	eventually(t, "all has come", func() bool { return tap.count(Audio)+tap.count(Video) == 20 })
	must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{{From: a.id, To: b.id, Kind: Audio}, {From: a.id, To: b.id, Kind: Video}}))
	if time.Since(began) > early.PictureFresh/2 {
		return nil
	}
	eventually(t, "it is shown", func() bool { return len(b.packets("video-0")) == 10 })
	base := b.packets("video-0")[0]
	for _, p := range b.packets("video-0") {
		got = append(got, fmt.Sprint(p.SequenceNumber-base.SequenceNumber, p.Timestamp-base.Timestamp, binary.BigEndian.Uint16(p.Payload[2:]), p.Payload[4:]))
	}
	if heard := len(b.packets("audio-0")); heard > early.SoundPackets {
		t.Fatal(heard, "packets of sound")
	}
	if tap.count(Audio)+tap.count(Video) != 20 {
		t.Fatal("recorded", tap.count(Audio), tap.count(Video))
	}
	return got
}
