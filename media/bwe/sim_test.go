package bwe

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// link is a bottleneck in virtual time: a rate, a queue that drops its tail, a delay, random loss.
type link struct {
	bps    float64
	delay  time.Duration
	jitter time.Duration
	room   time.Duration // how long the queue may be
	lose   float64
	stalls time.Duration // a radio's: each second or so nothing comes for as long, then all of it

	free time.Duration // when the sending end is free again
	late time.Duration // arrivals stay in order
	stop time.Duration // when the next stall begins
}

// carry returns when a packet of so many bytes arrives, and false where it is lost. queued is how
// long it waited.
func (l *link) carry(rnd *rand.Rand, size int, at time.Duration) (arrived, queued time.Duration, ok bool) {
	queued = max(0, l.free-at)
	if queued > l.room {
		return 0, queued, false
	}
	l.free = max(l.free, at) + time.Duration(float64(size*8)/l.bps*float64(time.Second))
	arrived = l.free + l.delay + time.Duration(rnd.Float64()*float64(l.jitter))
	if l.stalls > 0 && arrived > l.stop {
		if arrived < l.stop+l.stalls {
			arrived = l.stop + l.stalls
		} else {
			l.stop = arrived + time.Duration((0.5+rnd.Float64())*float64(time.Second))
		}
	}
	l.late = max(l.late, arrived)
	return l.late, queued, rnd.Float64() >= l.lose
}

// writeReport is transport-wide feedback as a browser writes it: one status per packet, two to a
// chunk's bits.
func writeReport(base uint16, arrived []time.Duration, n uint8) []byte {
	raw := make([]byte, reportHeader)
	raw[0], raw[1] = 2<<6|15, 205
	binary.BigEndian.PutUint16(raw[12:], base)
	binary.BigEndian.PutUint16(raw[14:], uint16(len(arrived)))
	ref := time.Duration(-1)
	for _, a := range arrived {
		if a >= 0 {
			ref = a / refTick
			break
		}
	}
	raw[16], raw[17], raw[18], raw[19] = byte(ref>>16), byte(ref>>8), byte(ref), n
	var deltas []byte
	clock := ref * refTick
	for i := 0; i < len(arrived); i += 7 {
		chunk := uint16(3 << 14)
		for k := range min(7, len(arrived)-i) {
			a := arrived[i+k]
			if a < 0 {
				continue
			}
			d := (a - clock) / statusTick
			clock += d * statusTick
			if d >= 0 && d < 256 {
				chunk |= smallDelta << (12 - 2*k)
				deltas = append(deltas, byte(d))
				continue
			}
			chunk |= largeDelta << (12 - 2*k)
			deltas = binary.BigEndian.AppendUint16(deltas, uint16(int16(d)))
		}
		raw = binary.BigEndian.AppendUint16(raw, chunk)
	}
	raw = append(raw, deltas...)
	for len(raw)%4 != 0 {
		raw = append(raw, 0)
	}
	binary.BigEndian.PutUint16(raw[2:], uint16(len(raw)/4-1))
	return raw
}

// call plays a camera that sends what the estimator allows, 20 pictures a second, over a link, and
// a receiver that reports each 100 ms over a way of the same delay.
type call struct {
	rnd    *rand.Rand
	est    *Estimator
	link   *link
	most   float64 // what the camera can fill, bit/s; 0: anything
	voice  float64 // bits per second that share the link without reports
	hidden float64 // share of reports that are lost

	now     time.Duration
	seq     uint16
	told    uint16
	arrived map[uint16]time.Duration
	reports []pending
	count   uint8

	rates  []float64       // one per picture
	queues []time.Duration // of each packet
	lost   int
}

type pending struct {
	at  time.Duration
	raw []byte
}

func newCall(seed uint64, l link) *call {
	return &call{rnd: rand.New(rand.NewPCG(seed, 7)), est: New(), link: &l, now: time.Hour, arrived: map[uint16]time.Duration{}}
}

// event times of one picture's 50 ms: voice each 20 ms would do, each 25 is simpler.
func (c *call) picture() {
	s := c.est.State(c.now)
	c.rates = append(c.rates, float64(s.Bps))
	rate := float64(s.Bps)
	if c.most > 0 {
		rate = min(rate, c.most)
	}
	size := int(rate / 20 / 8 * (0.8 + 0.4*c.rnd.Float64()))
	parts := size/1050 + 1
	c.send(int(c.voice/40/8), c.now, false)
	for i := range parts {
		c.send(size/parts, c.now+time.Duration(i)*200*time.Microsecond, true)
	}
	c.send(int(c.voice/40/8), c.now+25*time.Millisecond, false)
	c.now += 50 * time.Millisecond
	if (c.now/time.Millisecond)%100 == 0 {
		c.report()
	}
	for len(c.reports) > 0 && c.reports[0].at <= c.now {
		if err := c.est.Feedback(c.reports[0].raw, c.now); err != nil {
			panic(err)
		}
		c.reports = c.reports[1:]
	}
}

func (c *call) send(size int, at time.Duration, counted bool) {
	if size == 0 {
		return
	}
	arrived, queued, ok := c.link.carry(c.rnd, size, at)
	c.queues = append(c.queues, queued)
	if !counted {
		return
	}
	c.est.Sent(c.seq, size, at)
	if ok {
		c.arrived[c.seq] = arrived
	} else {
		c.lost++
	}
	c.seq++
}

// report tells of everything that arrived by now. The clock of the receiver is another one.
func (c *call) report() {
	var times []time.Duration
	last := -1
	for i := 0; c.told+uint16(i) != c.seq; i++ {
		a, ok := c.arrived[c.told+uint16(i)]
		if ok && a <= c.now {
			last = i
			times = append(times, a-42*time.Minute)
		} else {
			times = append(times, -1)
		}
	}
	if last < 0 {
		return
	}
	raw := writeReport(c.told, times[:last+1], c.count)
	for i := range last + 1 {
		delete(c.arrived, c.told+uint16(i))
	}
	c.told += uint16(last + 1)
	c.count++
	if c.rnd.Float64() >= c.hidden {
		c.reports = append(c.reports, pending{c.now + c.link.delay, raw})
	}
}

func (c *call) speak(bps float64) *call {
	c.voice = bps
	c.est.Voice(int(bps))
	return c
}

func (c *call) run(d time.Duration) *call {
	c.rates, c.queues = c.rates[:0], c.queues[:0]
	for end := c.now + d; c.now < end; {
		c.picture()
	}
	return c
}

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// standing is the queue that nine of ten packets found: what stands, not what a large picture makes.
func standing(queues []time.Duration) time.Duration {
	q := slices.Sorted(slices.Values(queues))
	return q[len(q)*9/10]
}

func within(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if got < want*(1-share) || got > want*(1+share) {
		t.Errorf("%s: %.0f, want %.0f ± %.0f %%", what, got, want, 100*share)
	}
}
