package bwe

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// caller plays somebody who speaks, 50 packets a second, and sends a picture of a rate; obeys tells
// that it follows what we estimate, as a program obeys REMB.
type caller struct {
	rnd     *rand.Rand
	in      *Arrivals
	link    *link
	picture float64
	obeys   bool
	now     time.Duration
	stamp   uint32
	come    []arrival // in order

	rates  []float64
	queues []time.Duration
}

type arrival struct {
	at    time.Duration
	stamp uint32
	size  int
	voice bool
}

func newCaller(seed uint64, l link) *caller {
	return &caller{rnd: rand.New(rand.NewPCG(seed, 11)), in: NewArrivals(), link: &l, now: time.Hour, stamp: 0xFFFF0000}
}

func (c *caller) run(d time.Duration) *caller {
	c.rates, c.queues = c.rates[:0], c.queues[:0]
	for end := c.now + d; c.now < end; c.now += 20 * time.Millisecond {
		if c.obeys {
			c.picture = 0.9 * float64(c.in.State(c.now).Bps)
		}
		c.send(arrival{stamp: c.stamp, size: 140, voice: true})
		c.stamp += 960
		if c.picture > 0 && (c.now/time.Millisecond)%40 == 0 {
			size := int(c.picture / 25 / 8 * (0.8 + 0.4*c.rnd.Float64()))
			for parts := size/1050 + 1; size > 0; size -= size/parts + 1 {
				c.send(arrival{size: size/parts + 1})
			}
		}
		for len(c.come) > 0 && c.come[0].at <= c.now {
			if a := c.come[0]; a.voice {
				c.in.Voice(a.stamp, a.size, a.at)
			} else {
				c.in.Picture(a.size, a.at)
			}
			c.come = c.come[1:]
		}
		c.rates = append(c.rates, float64(c.in.State(c.now).Bps))
	}
	return c
}

func (c *caller) send(a arrival) {
	at, queued, ok := c.link.carry(c.rnd, a.size, c.now)
	c.queues = append(c.queues, queued)
	if a.at = at; ok {
		c.come = append(c.come, a)
	}
}

func TestWhoObeysIsGivenTheRoomThereIs(t *testing.T) {
	for _, bps := range []float64{200e3, 500e3, 1000e3} {
		for _, seed := range seeds {
			c := newCaller(seed, roomy(bps))
			c.obeys = true
			c.run(10 * time.Second).run(20 * time.Second)
			what := fmt.Sprintf("%.0f kbit/s, seed %d", bps/1e3, seed)
			within(t, what, mean(c.rates), bps-56e3, 0.2)
			if q := standing(c.queues); q > 300*time.Millisecond {
				t.Errorf("%s: a queue of %v stands", what, q)
			}
		}
	}
}

func TestVoiceAloneTellsOfATooThinWay(t *testing.T) {
	c := newCaller(1, roomy(80e3)).run(10 * time.Second)
	if s := c.in.State(c.now); !s.Known || s.Queue > 20*time.Millisecond {
		t.Errorf("room enough: %+v", s)
	}
	c.link.bps = 50e3
	c.run(6 * time.Second)
	if s := c.in.State(c.now); s.Bps > 60e3 {
		t.Errorf("no room even for the voice: %+v", s)
	}
}

func TestALargePictureIsSeenInTheVoice(t *testing.T) {
	for _, seed := range seeds {
		c := newCaller(seed, roomy(300e3)).run(5 * time.Second)
		c.picture = 600e3
		c.run(3 * time.Second)
		if s := c.in.State(c.now); s.Bps > 250e3 || s.Queue < 100*time.Millisecond {
			t.Errorf("seed %d: %+v", seed, s)
		}
	}
}

func TestStallsOfTheVoiceAreNoQueue(t *testing.T) {
	for _, seed := range seeds {
		l := roomy(2000e3)
		l.stalls, l.jitter = 120*time.Millisecond, 20*time.Millisecond
		c := newCaller(seed, l).run(15 * time.Second)
		if s := c.in.State(c.now); s.Full || s.Queue > queueHigh/2 {
			t.Errorf("seed %d, voice alone: %+v", seed, s)
		}
		c.picture = 300e3
		c.run(15 * time.Second)
		if s := c.in.State(c.now); s.Full && s.Bps < 200e3 {
			t.Errorf("seed %d: %+v", seed, s)
		}
	}
}

func TestANewMicrophoneIsNoQueue(t *testing.T) {
	c := newCaller(1, roomy(1000e3))
	c.picture = 300e3
	c.run(10 * time.Second)
	before := c.in.State(c.now).Bps
	c.stamp += 1 << 30
	c.run(3 * time.Second)
	if s := c.in.State(c.now); s.Queue > 20*time.Millisecond || s.Bps < before*9/10 {
		t.Errorf("%+v, before %d", s, before)
	}
}

// What stays whatever is sent is the way's own; where a queue stands, or more than half is lost, nobody knows.
func TestLossOfItsOwnIsKnown(t *testing.T) {
	for _, c := range []struct{ lost, own float64 }{{0, 0}, {0.1, 0.1}, {0.3, 0.3}, {0.7, lossOwn}} {
		a := NewArrivals()
		now := time.Duration(0)
		for i := range 1000 {
			now += 20 * time.Millisecond
			a.Voice(uint32(i*960), 140, now)
			a.Picture(600, now)
			a.Lost(c.lost, now)
		}
		if s := a.State(now); s.Own != c.own {
			t.Errorf("%v lost: %+v", c.lost, s)
		}
		late := now
		for i := range 100 { // they come more and more late
			now += 30 * time.Millisecond
			late += 20 * time.Millisecond
			a.Voice(uint32((1000+i)*960), 140, now)
			a.Lost(c.lost, now)
		}
		if s := a.State(now); s.Own != 0 {
			t.Errorf("%v lost, %v late: %+v", c.lost, now-late, s)
		}
		if s := a.State(now + 2*stale); s.Own != 0 {
			t.Errorf("long ago: %+v", s)
		}
	}
}

func TestLossTakesThePicturesRoom(t *testing.T) {
	a := NewArrivals()
	now := time.Duration(0)
	for i := range 500 {
		now += 20 * time.Millisecond
		a.Voice(uint32(i*960), 140, now)
		a.Picture(600, now)
		if i%50 == 0 {
			a.Lost(0.7, now)
		}
	}
	if s := a.State(now); !s.Full || s.Bps > 240_000 { // of which nothing more came through
		t.Errorf("at 70 %% loss %+v", s)
	}
}

func BenchmarkVoice(b *testing.B) {
	a := NewArrivals()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		a.Voice(uint32(i*960), 140, time.Duration(i)*20*time.Millisecond)
	}
}
