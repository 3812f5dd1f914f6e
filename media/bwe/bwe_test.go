package bwe

import (
	"fmt"
	"testing"
	"time"
)

var seeds = [...]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}

// roomy is a way as mobile ones are: long queues, some jitter.
func roomy(bps float64) link {
	return link{bps: bps, delay: 20 * time.Millisecond, jitter: 5 * time.Millisecond, room: 2 * time.Second}
}

func TestRateConvergesToTheBottleneck(t *testing.T) {
	for _, bps := range []float64{64e3, 300e3, 1000e3, 3000e3} {
		for _, rtt := range []time.Duration{40 * time.Millisecond, 300 * time.Millisecond} {
			for _, seed := range seeds {
				l := roomy(bps)
				l.delay = rtt / 2
				c := newCall(seed, l).run(8 * time.Second).run(20 * time.Second)
				what := fmt.Sprintf("%.0f kbit/s, %v, seed %d", bps/1e3, rtt, seed)
				within(t, what, mean(c.rates), bps, 0.15)
				if q := standing(c.queues); q > 300*time.Millisecond {
					t.Errorf("%s: a queue of %v stands", what, q)
				}
			}
		}
	}
}

// A picture that starts on a way too thin for it must not keep the voice waiting for long.
func TestStartOnAThinWayIsOverSoon(t *testing.T) {
	for _, seed := range seeds {
		c := newCall(seed, roomy(64e3)).run(3 * time.Second).run(time.Second)
		if q := standing(c.queues); q > 300*time.Millisecond {
			t.Errorf("seed %d: after three seconds %v stand", seed, q)
		}
	}
}

func TestRateFollowsTheWay(t *testing.T) {
	for _, seed := range seeds {
		c := newCall(seed, roomy(300e3)).run(15 * time.Second)
		c.link.bps = 1000e3
		c.run(12 * time.Second).run(10 * time.Second)
		within(t, fmt.Sprintf("widened, seed %d", seed), mean(c.rates), 1000e3, 0.15)
		c.link.bps = 150e3
		c.run(6 * time.Second).run(10 * time.Second)
		within(t, fmt.Sprintf("narrowed, seed %d", seed), mean(c.rates), 150e3, 0.15)
		if q := standing(c.queues); q > 300*time.Millisecond {
			t.Errorf("narrowed, seed %d: %v stand", seed, q)
		}
	}
}

func TestLossOfTheRadioTakesNoRoomAway(t *testing.T) {
	for lose, least := range map[float64]float64{0.05: 600e3, 0.1: 600e3, 0.2: 400e3, 0.3: 400e3} {
		for _, seed := range seeds {
			l := roomy(5000e3)
			l.lose = lose
			c := newCall(seed, l)
			c.most = 1000e3
			c.run(25 * time.Second).run(10 * time.Second)
			if got := mean(c.rates); got < least {
				t.Errorf("%.0f %% loss, seed %d: %.0f kbit/s of a way without a queue", 100*lose, seed, got/1e3)
			}
		}
	}
}

// Nor does it hold a small one for long: of a hundred calls none has less than three fifths of it after half a minute.
func TestLossOfTheRadioHoldsNoPictureSmall(t *testing.T) {
	for _, lose := range []float64{0.05, 0.1, 0.15, 0.2, 0.3} {
		for seed := range uint64(100) {
			l := roomy(5000e3)
			l.lose = lose
			c := newCall(seed, l).speak(56e3)
			c.most = 250e3
			c.run(25 * time.Second).run(20 * time.Second)
			sum := 0.0
			for _, r := range c.rates {
				sum += min(r, c.most)
			}
			if got := sum / float64(len(c.rates)); got < 0.6*c.most {
				t.Errorf("%.0f %% loss, seed %d: %.0f kbit/s", 100*lose, seed, got/1e3)
			}
		}
	}
}

// A way without a queue says by loss alone that it is full.
func TestLossForWantOfRoomIsHeeded(t *testing.T) {
	for _, bps := range []float64{150e3, 500e3} {
		for _, seed := range seeds {
			l := roomy(bps)
			l.room, l.jitter = 60*time.Millisecond, 0
			c := newCall(seed, l).run(20 * time.Second)
			before, sent := c.lost, c.seq
			c.run(20 * time.Second)
			if share := float64(c.lost-before) / float64(c.seq-sent); share > 0.1 {
				t.Errorf("%.0f kbit/s, seed %d: %.0f %% are lost", bps/1e3, seed, 100*share)
			}
			if got := mean(c.rates); got < 0.55*bps {
				t.Errorf("%.0f kbit/s, seed %d: only %.0f are used", bps/1e3, seed, got/1e3)
			}
		}
	}
}

// The voice is not reported on; what it takes is no room for the picture.
func TestVoiceHasItsRoomFirst(t *testing.T) {
	for _, seed := range seeds {
		c := newCall(seed, roomy(300e3)).speak(56e3)
		c.run(10 * time.Second).run(20 * time.Second)
		within(t, fmt.Sprintf("seed %d", seed), mean(c.rates), 244e3, 0.15)
		if q := standing(c.queues); q > 300*time.Millisecond {
			t.Errorf("seed %d: %v stand", seed, q)
		}
	}
	for _, seed := range seeds {
		c := newCall(seed, roomy(64e3)).speak(56e3).run(10 * time.Second).run(10 * time.Second)
		if got := mean(c.rates); got > 25e3 {
			t.Errorf("seed %d: beside the voice %.0f kbit/s are left of 64", seed, got/1e3)
		}
	}
}

func TestLostReportsAreBorne(t *testing.T) {
	for _, seed := range seeds {
		c := newCall(seed, roomy(300e3))
		c.hidden = 0.3
		c.run(10 * time.Second).run(20 * time.Second)
		within(t, fmt.Sprintf("seed %d", seed), mean(c.rates), 300e3, 0.2)
	}
}

func TestJitterIsNoQueue(t *testing.T) {
	for _, seed := range seeds {
		l := roomy(2000e3)
		l.jitter = 40 * time.Millisecond
		c := newCall(seed, l)
		c.most = 800e3
		c.run(15 * time.Second).run(10 * time.Second)
		if got := mean(c.rates); got < 600e3 {
			t.Errorf("seed %d: %.0f kbit/s", seed, got/1e3)
		}
	}
}

// A radio that stops for a moment now and then is no narrow way.
func TestStallsAreNoQueue(t *testing.T) {
	for _, seed := range seeds {
		l := roomy(2000e3)
		l.stalls = 120 * time.Millisecond
		c := newCall(seed, l)
		c.most = 500e3
		c.run(15 * time.Second).run(15 * time.Second)
		if got := mean(c.rates); got < 300e3 {
			t.Errorf("seed %d: %.0f kbit/s", seed, got/1e3)
		}
	}
}

// A camera that looks at a wall sends little: that says nothing about the way.
func TestLittleSentTakesNoRoomAway(t *testing.T) {
	c := newCall(1, roomy(1000e3)).run(15 * time.Second)
	c.most = 20e3
	c.run(time.Minute)
	if got := c.est.State(c.now).Bps; got < 700e3 {
		t.Errorf("%d bit/s are left of a million", got)
	}
	c = newCall(1, roomy(1000e3))
	c.most = 20e3
	c.run(time.Minute)
	if got := c.est.State(c.now).Bps; got > 250e3 {
		t.Errorf("%d bit/s are promised where nothing was tested", got)
	}
}

// Another tower is a longer way, not a queue that never drains.
func TestALongerWayIsTakenAsItIs(t *testing.T) {
	c := newCall(1, roomy(1000e3)).run(15 * time.Second)
	c.link.delay += 250 * time.Millisecond
	c.run(12 * time.Second).run(10 * time.Second)
	within(t, "after the step", mean(c.rates), 1000e3, 0.2)
}

func TestSilenceIsKnown(t *testing.T) {
	c := newCall(1, roomy(300e3))
	if s := c.est.State(c.now); s.Known || s.Bps != StartBps {
		t.Errorf("before anything: %+v", s)
	}
	c.run(5 * time.Second)
	if s := c.est.State(c.now); !s.Known || s.Acked < 200e3 {
		t.Errorf("%+v", s)
	}
	if s := c.est.State(c.now + stale + time.Second); s.Known || s.Queue != 0 {
		t.Errorf("after silence: %+v", s)
	}
}

func TestReceiversOwnWordCountsWithoutFeedback(t *testing.T) {
	e := New()
	e.Limit(420_000, 0, 0, time.Second)
	if s := e.State(time.Second); s.Bps != 420_000 || !s.Known || !s.Full {
		t.Errorf("%+v", s)
	}
	c := newCall(1, roomy(300e3)).run(15 * time.Second)
	c.est.Limit(30_000, 0, 0, c.now)
	if s := c.est.State(c.now); s.Bps < 200e3 {
		t.Errorf("feedback knows better: %+v", s)
	}
}

// Where a receiver tells of nothing but loss, that is heeded where it falls with the rate.
func TestLossOfReportsAlone(t *testing.T) {
	e, now, sent := New(), time.Duration(0), 800_000
	const bears = 300_000
	for range 60 {
		now += time.Second
		e.Limit(0, max(0, 1-bears/float64(sent)), sent, now)
		if s := e.State(now); s.Full {
			sent = min(800_000, s.Bps)
		}
	}
	if s := e.State(now); !s.Full || s.Bps < 200_000 || s.Bps > 380_000 {
		t.Errorf("a way of %d: %+v", bears, s)
	}
	e = New()
	for range 60 {
		now += time.Second
		e.Limit(0, 0.1, 500_000, now)
	}
	if s := e.State(now); s.Full && s.Bps < 500_000 {
		t.Errorf("10 %% that have nothing to do with us: %+v", s)
	}
}

func TestFullIsKnownFromTested(t *testing.T) {
	c := newCall(1, roomy(300e3)).run(15 * time.Second)
	if s := c.est.State(c.now); !s.Full {
		t.Errorf("filled: %+v", s)
	}
	c.most = 20e3
	c.run(30 * time.Second)
	if s := c.est.State(c.now); s.Full {
		t.Errorf("nothing tests it any more: %+v", s)
	}
	c = newCall(1, roomy(5000e3))
	c.most = 400e3
	c.run(30 * time.Second)
	if s := c.est.State(c.now); s.Full {
		t.Errorf("never filled: %+v", s)
	}
}

// After a picture has ended for want of room it begins small, and what is too much shows soon.
func TestSilenceForgetsTheWay(t *testing.T) {
	c := newCall(1, roomy(64e3)).speak(56e3).run(10 * time.Second)
	c.now += time.Minute
	c.told, c.arrived, c.reports = c.seq, map[uint16]time.Duration{}, nil
	c.run(500 * time.Millisecond)
	if s := c.est.State(c.now); s.Bps > 160e3 {
		t.Errorf("it begins with %+v", s)
	}
	c.run(1500 * time.Millisecond)
	if s := c.est.State(c.now); !s.Full || s.Bps > 50e3 {
		t.Errorf("after two seconds %+v", s)
	}
}

func TestNothingAllocates(t *testing.T) {
	c := newCall(1, roomy(300e3)).run(5 * time.Second)
	times := make([]time.Duration, 40)
	for i := range times {
		times[i] = c.now + time.Duration(i)*time.Millisecond
	}
	raw := writeReport(c.seq, times, 1)
	if n := testing.AllocsPerRun(100, func() {
		for i := range times {
			c.est.Sent(c.seq+uint16(i), 1000, c.now+time.Duration(i)*time.Millisecond)
		}
		if err := c.est.Feedback(raw, c.now+time.Second); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSent(b *testing.B) {
	e := New()
	for i := 0; b.Loop(); i++ {
		e.Sent(uint16(i), 1000, time.Duration(i)*time.Millisecond)
	}
}

// BenchmarkFeedback is one report of 40 packets.
func BenchmarkFeedback(b *testing.B) {
	e := New()
	times := make([]time.Duration, 40)
	now := time.Hour
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		base := uint16(40 * i)
		for k := range times {
			times[k] = now + time.Duration(k)*2*time.Millisecond
			e.Sent(base+uint16(k), 1000, times[k]-20*time.Millisecond)
		}
		now += 80 * time.Millisecond
		b.StopTimer()
		raw := writeReport(base, times, uint8(i))
		b.StartTimer()
		if err := e.Feedback(raw, now+20*time.Millisecond); err != nil {
			b.Fatal(err)
		}
	}
}
