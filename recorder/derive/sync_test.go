package derive

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"
)

// rough is a long call over a bad network, made of packets that hold little: sound with a card that
// runs 200 ppm fast, silences of a minute, pictures that change their size, new SSRCs, and a wall clock
// that runs 200 ppm slow.
type rough struct {
	m     *memory
	all   []sent
	net   network
	truth map[uint64]int64 // by SSRC and timestamp: when it was made, on the call clock
}

const (
	roughSoundPpm = 200
	roughWallPpm  = -200
)

// ours is a moment of the sender's wall clock on the call clock.
func ours(at time.Duration) time.Duration { return at + at*roughWallPpm/1e6 }

// put sends one packet that was made at a moment. ppm is how fast its own clock runs.
func (c *rough) put(tb testing.TB, x *sender, stream uint16, at time.Duration, ppm int64, payload []byte) {
	media := at + at*time.Duration(ppm)/1e6
	c.truth[uint64(x.ssrc)<<32|uint64(x.base+uint32(int64(media)*x.clock/1e9))] = int64(ours(at))
	c.all = c.net.send(c.all, ours(at), stream, x.packet(tb, media, true, payload))
}

// report sends a sender report; one in twenty is lost.
func (c *rough) report(x *sender, stream uint16, at time.Duration, ppm int64) {
	b := x.report(at)
	media := at + at*time.Duration(ppm)/1e6
	binary.BigEndian.PutUint32(b[16:], x.base+uint32(int64(media)*x.clock/1e9))
	if c.net.rnd.IntN(20) > 0 {
		c.all = append(c.all, sent{at: int64(ours(at) + c.net.delay), stream: stream, kind: recSR, data: b})
	}
}

func roughCall(tb testing.TB, length time.Duration) *rough {
	tb.Helper()
	c := &rough{m: &memory{}, truth: map[uint64]int64{}, net: network{
		rnd: rand.New(rand.NewPCG(9, 9)), delay: 40 * time.Millisecond, jitter: 30 * time.Millisecond, loss: 0.05, rtx: 0.02, rtxLate: 150 * time.Millisecond, reorder: 0.02, dup: 0.01,
	}}
	c.m.open(tb, 1, streamInfo{Participant: "p1", Kind: "audio", Codec: "opus", ClockRate: 48000, PayloadType: 111})
	c.m.open(tb, 2, streamInfo{Participant: "p1", Kind: "video", Codec: "vp8", ClockRate: 90000, PayloadType: 96})
	x, y := &sender{ssrc: 1, pt: 111, base: 0xfff00000, clock: 48000}, &sender{ssrc: 2, pt: 96, base: 7, clock: 90000}
	for at := time.Duration(0); at < length; at += 20 * time.Millisecond {
		step := int(at / (20 * time.Millisecond))
		if at >= length/3 && x.ssrc == 1 { // another microphone
			x = &sender{ssrc: 11, pt: 111, base: 99, seq: 60000, clock: 48000}
		}
		if at >= length/2 && y.ssrc == 2 { // the camera begins anew
			y = &sender{ssrc: 12, pt: 96, base: 0x80000000, seq: 5, clock: 90000}
		}
		silent := int(at/time.Minute)%3 == 2
		if !silent {
			c.put(tb, x, 1, at, roughSoundPpm, []byte{0x78, 1, 2, 3})
		} else if step%20 == 0 { // DTX: a byte each 400 ms
			c.put(tb, x, 1, at, roughSoundPpm, []byte{0x78})
		}
		if step%5 == 0 {
			c.put(tb, y, 2, at+7*time.Millisecond, 0, vp8Frame(step%250 == 0, int(at/(5*time.Minute))%2 == 1))
		}
		if step%250 == 3 {
			c.report(x, 1, at, roughSoundPpm)
			c.report(y, 2, at, 0)
		}
	}
	c.m.deliver(c.all)
	c.all = nil
	return c
}

// vp8Frame is the smallest thing that passes for a frame: payload descriptor, frame tag, size.
func vp8Frame(key, large bool) []byte {
	if !key {
		return []byte{0x10, 0x11, 0, 0, 1}
	}
	w, h := byte(0x40), byte(0xf0) // 320x240
	wide := byte(1)
	if large {
		w, h, wide = 0x80, 0xe0, 2 // 640x480
	}
	tall := byte(0)
	if large {
		tall = 1
	}
	return []byte{0x10, 0x10, 2, 0, 0x9d, 0x01, 0x2a, w, wide, h, tall, 1}
}

// TestALongRoughCallStaysInSync derives two hours, and compares what is played when with what
// was made when: sound and picture are never 40 ms apart.
func TestALongRoughCallStaysInSync(t *testing.T) {
	const length = 2 * time.Hour
	c := roughCall(t, length)
	r := c.m.load(t)
	const window = int64(10 * time.Second)
	type edges struct{ lo, hi int64 }
	off := map[int64]*edges{} // by window
	frames, sizes := map[string]int{}, map[[2]uint16]bool{}
	for _, p := range r.parts {
		for _, tr := range []*track{p.sound, p.pictures} {
			for _, f := range tr.frames {
				if f.take == filled {
					continue
				}
				run := tr.takes[f.take].run
				made, ok := c.truth[uint64(run.lane.ssrc)<<32|uint64(uint32(run.packets[f.first].ts))]
				if !ok {
					t.Fatal("a frame that nobody sent")
				}
				frames[tr.kind]++
				if f.key() && tr.kind == "video" {
					sizes[[2]uint16{f.w, f.h}] = true
				}
				w := off[made/window]
				if w == nil {
					w = &edges{f.t - made, f.t - made}
					off[made/window] = w
				}
				w.lo, w.hi = min(w.lo, f.t-made), max(w.hi, f.t-made)
			}
		}
	}
	var worst, lo, hi int64
	for _, w := range off {
		worst, lo, hi = max(worst, w.hi-w.lo), min(lo, w.lo), max(hi, w.hi)
	}
	t.Logf("%d frames of sound, %d pictures of %d sizes; apart at most %v, placed %v to %v after they were made", frames["audio"], frames["video"], len(sizes), ns(worst), ns(lo), ns(hi))
	if frames["audio"] < int(length/(40*time.Millisecond)) || frames["video"] < int(length/(150*time.Millisecond)) || len(sizes) != 2 {
		t.Error("not the call that was meant")
	}
	if worst > int64(40*time.Millisecond) {
		t.Errorf("sound and picture are %v apart", ns(worst))
	}
}
