package tune

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

const tick = 250 * time.Millisecond

// hold gives a line the same inputs for a time and returns what came of it.
func hold(l *Line, now *time.Duration, d time.Duration, in Inputs) Decision {
	for end := *now + d; *now < end; *now += tick {
		l.Next(*now, in)
	}
	return l.Decide(nil, On)
}

func wide() Way { return Way{Kbps: 3000} }

func narrow(kbps int) Way { return Way{Kbps: kbps, Full: true} }

func TestNothingIsHeldBackOnAGoodNetwork(t *testing.T) {
	now := time.Hour
	l := NewLine()
	if d := l.Decide(nil, On); d != Start() {
		t.Errorf("at the start %+v", d)
	}
	if d := hold(l, &now, time.Minute, Inputs{Up: wide(), Down: wide(), RTT: 40 * time.Millisecond}); d != Start() {
		t.Errorf("after a minute %+v", d)
	}
}

func TestFiguresOfThePicture(t *testing.T) {
	for _, c := range []struct {
		name string
		way  Way
		want Level
		kbps int
		why  Reason
	}{
		{"nothing known", Way{}, On, 0, ""},
		{"no room but never full", Way{Kbps: 20}, On, 0, ""},
		{"20 kbit/s", narrow(20), Off, 0, Slow},
		{"just too little", narrow(OffKbps - 1), Off, 0, Slow},
		{"just enough", narrow(OffKbps), Thin, 60, Slow},
		{"small", narrow(200), Thin, 180, Slow},
		{"almost full", narrow(ThinKbps - 1), Thin, 220, Slow},
		{"full", narrow(ThinKbps), On, 220, Slow},
		{"large", narrow(1000), On, 770, Slow},
		{"more than a camera needs", narrow(4000), On, 0, ""},
		{"10 % loss", Way{Kbps: 3000, Loss: 0.1}, On, 0, ""},
		{"20 % loss", Way{Kbps: 3000, Loss: 0.2}, Thin, thinMost, Loss},
		{"40 % loss", Way{Kbps: 3000, Loss: 0.4}, Thin, thinMost, Loss},
		{"50 % loss", Way{Kbps: 3000, Loss: 0.5}, Off, 0, Loss},
		{"words are half a second late", Way{Kbps: 3000, Queue: 500 * time.Millisecond}, Off, 0, Slow},
	} {
		for _, up := range []bool{true, false} { // a caller's way up is an operator's way down
			now := time.Hour
			l, other := NewLine(), NewLine()
			in := Inputs{Up: wide(), Down: c.way}
			if up {
				in = Inputs{Up: c.way, Down: wide()}
			}
			hold(l, &now, 20*time.Second, in)
			d, kbps := l.Decide(nil, On), c.kbps
			if !up {
				d = other.Decide([]*Line{l}, On)
			} else if c.way.Loss >= lossPoor { // a browser sends no more there
				kbps = min(kbps, poorMost)
			}
			if d.Video != c.want || d.VideoKbps != kbps || c.want < On && d.Why != c.why {
				t.Errorf("%s, up %v: %+v, want %v at %d for %q", c.name, up, d, c.want, kbps, c.why)
			}
			if got := l.Decide(nil, On).Shown; !up && got != c.want {
				t.Errorf("%s: its page is told %v", c.name, got)
			}
		}
	}
}

func TestRedundancyFollowsLossEachWayByItself(t *testing.T) {
	now := time.Hour
	l := NewLine()
	lose := func(up, down float64, d time.Duration) Decision {
		return hold(l, &now, d, Inputs{Up: Way{Kbps: 500, Loss: up}, Down: Way{Kbps: 500, Loss: down}})
	}
	if d := lose(0.05, 0.05, 5*time.Second); d.RED || d.Deepen || d.Jitter != 0 {
		t.Errorf("at 5 %%: %+v", d)
	}
	if d := lose(0.06, 0, time.Second); !d.RED || d.Deepen || d.Jitter != 0 || d.Why != Loss {
		t.Errorf("up: %+v", d)
	}
	if d := lose(0.03, 0.06, 30*time.Second); !d.RED || !d.Deepen || d.Jitter != WaitLeast {
		t.Errorf("down too, up not clean yet: %+v", d)
	}
	if d := lose(0, 0, 9*time.Second); !d.RED || !d.Deepen {
		t.Errorf("not clean for long enough: %+v", d)
	}
	if d := lose(0, 0, 2*time.Second); d != Start() {
		t.Errorf("clean: %+v", d)
	}
}

// Where much is lost a browser is told that its way bears more than it believes, unless a queue says that it does not.
func TestTheLeastRateIsForWaysThatLose(t *testing.T) {
	for _, c := range []struct {
		name  string
		up    Way
		least int
	}{
		{"clean", Way{Kbps: 500, Watched: true}, 0},
		{"a fifth is lost", Way{Kbps: 500, Loss: 0.2, Watched: true}, 0},
		{"a third is lost", Way{Kbps: 500, Loss: 0.33, Watched: true}, leastKbps},
		{"half is lost", Way{Kbps: 500, Loss: 0.5, Watched: true}, leastKbps},
		{"half is lost and no queue is measured", Way{Loss: 0.5}, leastKbps},
		{"half is lost for want of room", Way{Kbps: 20, Full: true, Loss: 0.5, Watched: true, Queue: 300 * time.Millisecond}, 0},
	} {
		now := time.Hour
		l := NewLine()
		if d := hold(l, &now, 10*time.Second, Inputs{Up: c.up, Down: wide()}); d.LeastKbps != c.least {
			t.Errorf("%s: %+v", c.name, d)
		}
		if c.least == 0 {
			continue
		}
		c.up.Watched, c.up.Queue = true, 120*time.Millisecond
		if d := hold(l, &now, time.Second, Inputs{Up: c.up, Down: wide()}); d.LeastKbps != c.least {
			t.Errorf("%s, and a small queue: %+v", c.name, d)
		}
		c.up.Queue = 160 * time.Millisecond
		if d := hold(l, &now, tick, Inputs{Up: c.up, Down: wide()}); d.LeastKbps != 0 {
			t.Errorf("%s, and a queue: %+v", c.name, d)
		}
		c.up.Queue = 0
		if d := hold(l, &now, freeTime-tick, Inputs{Up: c.up, Down: wide()}); d.LeastKbps != 0 {
			t.Errorf("%s, and the queue has only just gone: %+v", c.name, d)
		}
		if d := hold(l, &now, 2*tick, Inputs{Up: c.up, Down: wide()}); d.LeastKbps != c.least {
			t.Errorf("%s, and the queue is gone: %+v", c.name, d)
		}
		if d := hold(l, &now, time.Minute, Inputs{Up: wide(), Down: wide()}); d != Start() {
			t.Errorf("%s, and clean again: %+v", c.name, d)
		}
	}
}

// A way that is full is not given the same words twice, nor one that loses more with them.
func TestRedundancyNeedsRoom(t *testing.T) {
	now := time.Hour
	l := NewLine()
	lossy := narrow(30) // the picture ends for it; words that are late and lost all the same are said once
	lossy.Loss, lossy.Queue = 0.2, 200*time.Millisecond
	if d := hold(l, &now, 10*time.Second, Inputs{Up: lossy, Down: lossy}); d.RED || d.Deepen {
		t.Errorf("no room: %+v", d)
	}
	l = NewLine()
	lossy.Queue = 0
	if d := hold(l, &now, 10*time.Second, Inputs{Up: lossy, Down: lossy}); !d.RED || !d.Deepen || d.Video != Off {
		t.Errorf("room without a picture: %+v", d)
	}
	for loss, want := range map[float64]bool{0.1: false, 0.25: true} { // lost for want of room, or by the way itself
		l = NewLine()
		full := narrow(twiceKbps - 2)
		full.Loss = loss
		if d := hold(l, &now, 10*time.Second, Inputs{Up: full, Down: full}); d.RED != want || d.Deepen != want {
			t.Errorf("room for a voice alone, %v lost: %+v", loss, d)
		}
	}
	l = NewLine()
	in := Inputs{Up: Way{Kbps: 500, Loss: 0.08, Watched: true}}
	if d := hold(l, &now, time.Second, in); !d.RED {
		t.Fatalf("%+v", d)
	}
	in.Up.Loss = 0.3 // the first seconds of a bad way are measured with the last of a good one
	if d := hold(l, &now, 10*time.Second, in); !d.RED {
		t.Errorf("the way became bad, not by redundancy: %+v", d)
	}
	l = NewLine()
	in.Up.Loss = 0.08
	hold(l, &now, settleTime, in)
	in.Up.Loss = 0.3
	if d := hold(l, &now, 2*time.Second, in); !d.RED {
		t.Errorf("no queue: it is not by redundancy: %+v", d)
	}
	in.Up.Queue = 140 * time.Millisecond
	if d := hold(l, &now, 2*time.Second, in); d.RED {
		t.Errorf("it made things worse: %+v", d)
	}
	if d := hold(l, &now, restTime-5*time.Second, in); d.RED {
		t.Errorf("it does not rest: %+v", d)
	}
}

// A loss that begins at once is first measured in a window that it fills only in part.
func TestALossThatBeganAtOnceIsNotTheFaultOfRED(t *testing.T) {
	now := time.Hour
	l := NewLine()
	in := Inputs{Up: wide(), Down: wide()}
	hold(l, &now, 5*time.Second, in)
	in.Up.Loss = 0.2
	hold(l, &now, 2*time.Second, in)
	in.Up.Loss = 0.5
	if d := hold(l, &now, 20*time.Second, in); !d.RED {
		t.Errorf("%+v", d)
	}
}

// Where packets are lost in runs, windows of two seconds differ by more than redundancy makes worse; words
// said twice are not given up for that, nor for a loss that is first measured with a clean second.
func TestRedundancyOutlastsRunsOfLoss(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		now := time.Hour
		l := NewLine()
		in := Inputs{Up: wide(), Down: wide(), RTT: 45 * time.Millisecond}
		hold(l, &now, 5*time.Second, in)
		for window := range 15 {
			in.Up.Loss = min(max(0.3+0.09*rnd.NormFloat64(), 0.06), 0.6)
			if window == 0 {
				in.Up.Loss = 0.08
			}
			in.Down.Loss = in.Up.Loss
			in.RTT = time.Duration(40+rnd.IntN(30)) * time.Millisecond
			in.Up.Watched, in.Up.Queue = true, in.RTT-40*time.Millisecond
			if d := hold(l, &now, 2*time.Second, in); !d.RED || !d.Deepen {
				t.Fatalf("seed %d, window %d: %+v", seed, window, d)
			}
		}
	}
}

// Nothing tells of a queue on the way down where no pictures go but the round trip.
func TestRedundancyDownNeedsRoomToo(t *testing.T) {
	now := time.Hour
	l := NewLine()
	in := Inputs{Up: wide(), RTT: 40 * time.Millisecond}
	hold(l, &now, 3*time.Second, in)
	in.Down.Loss, in.RTT = 0.3, 350*time.Millisecond
	if d := hold(l, &now, 10*time.Second, in); d.Deepen {
		t.Errorf("words said twice wait in line: %+v", d)
	}
	in.RTT = 60 * time.Millisecond
	if d := hold(l, &now, time.Second, in); !d.Deepen {
		t.Errorf("the queue is gone: %+v", d)
	}
	in.RTT = 350 * time.Millisecond
	if d := hold(l, &now, 2*time.Second, in); d.Deepen {
		t.Errorf("and came back: %+v", d)
	}
}

func TestWaitIsForLossyCallsOnly(t *testing.T) {
	for _, c := range []struct {
		rtt, jitter time.Duration
		loss        float64
		want        time.Duration
	}{
		{0, 0, 0.1, 200 * time.Millisecond}, {40 * time.Millisecond, 5 * time.Millisecond, 0.1, 200 * time.Millisecond},
		{100 * time.Millisecond, 10 * time.Millisecond, 0.1, 240 * time.Millisecond}, {time.Second, 50 * time.Millisecond, 0.1, 300 * time.Millisecond},
		{40 * time.Millisecond, 5 * time.Millisecond, 0.2, 220 * time.Millisecond}, {40 * time.Millisecond, 5 * time.Millisecond, 0.3, 260 * time.Millisecond}, {40 * time.Millisecond, 5 * time.Millisecond, 0.5, 260 * time.Millisecond},
		{40 * time.Millisecond, 5 * time.Millisecond, 0.8, 260 * time.Millisecond}, {200 * time.Millisecond, 50 * time.Millisecond, 0.5, 300 * time.Millisecond},
	} {
		now := time.Hour
		in := Inputs{Up: wide(), Down: wide(), RTT: c.rtt, Jitter: c.jitter}
		l := NewLine()
		if d := hold(l, &now, 5*time.Second, in); d.Jitter != 0 {
			t.Errorf("clean, %v: waits %v", c.rtt, d.Jitter)
		}
		in.Heard = c.loss // the one it hears is on a lossy way: words come late by repetition
		if d := hold(l, &now, 5*time.Second, in); d.Jitter != c.want || d.RED || d.Deepen {
			t.Errorf("%v ± %v at %v: %+v, want %v", c.rtt, c.jitter, c.loss, d, c.want)
		}
	}
}

// What a page itself does not get is said to it twice: it waits less for that than for what it hears of others.
func TestOnesOwnLossIsWaitedForLess(t *testing.T) {
	for loss, want := range map[float64]time.Duration{0.1: 200 * time.Millisecond, 0.3: 220 * time.Millisecond, 0.5: 260 * time.Millisecond} {
		now, l := time.Hour, NewLine()
		in := Inputs{Up: wide(), Down: wide(), RTT: 40 * time.Millisecond, Jitter: 5 * time.Millisecond}
		in.Down.Loss = loss
		if d := hold(l, &now, 5*time.Second, in); d.Jitter != want {
			t.Errorf("at %v: %v, want %v", loss, d.Jitter, want)
		}
	}
}

func TestASlowWatcherTakesThePictureFromItselfAlone(t *testing.T) {
	now := time.Hour
	speaker, good, bad := NewLine(), NewLine(), NewLine()
	hold(speaker, &now, 10*time.Second, Inputs{Up: wide(), Down: wide()})
	from := now
	hold(good, &now, 10*time.Second, Inputs{Up: wide(), Down: narrow(800)})
	now = from
	hold(bad, &now, 10*time.Second, Inputs{Up: wide(), Down: narrow(30)})
	if d := speaker.Decide([]*Line{good, bad}, On); d.Video != On || d.VideoKbps != 620 || d.Shown != On {
		t.Errorf("%+v", d)
	}
	if d := speaker.Decide([]*Line{bad}, Off); d.Video != Off || d.Shown != Off || d.Why != Slow {
		t.Errorf("%+v", d)
	}
	if d := bad.Decide([]*Line{speaker}, On); d.Video != On || d.Shown != Off || d.Why != Slow {
		t.Errorf("%+v", d)
	}
}

// walk is a network that changes as it likes.
func walk(rnd *rand.Rand, w *Way) {
	if rnd.IntN(8) == 0 {
		w.Kbps = rnd.IntN(600)
	}
	if rnd.IntN(8) == 0 {
		w.Full = rnd.IntN(3) > 0
	}
	if rnd.IntN(10) == 0 {
		w.Loss = rnd.Float64() * rnd.Float64()
	}
	if rnd.IntN(10) == 0 {
		w.Queue = time.Duration(rnd.IntN(600)) * time.Millisecond * time.Duration(rnd.IntN(2))
	}
}

// Whatever the network does: a picture comes back no sooner than its hold, one level at a time; it
// never stays where the voice has no room; bounds and waits keep within theirs.
func TestNothingFlaps(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		l, in := NewLine(), Inputs{Up: wide(), Down: wide()}
		now := time.Hour
		last, was := now, l.Decide(nil, On)
		starved, capped, bound, loss := now, time.Duration(0), 0, 0.0
		for range 4000 {
			walk(rnd, &in.Up)
			walk(rnd, &in.Down)
			in.RTT = time.Duration(rnd.IntN(900)) * time.Millisecond
			l.Next(now, in)
			d := l.Decide(nil, On)
			if d.Video != was.Video {
				what := fmt.Sprintf("seed %d: %v to %v after %v", seed, was.Video, d.Video, now-last)
				if d.Video > was.Video && (d.Video != was.Video+1 || now-last < []time.Duration{HoldThin, HoldOn}[was.Video]) {
					t.Fatal(what)
				}
				last = now
			}
			if b := l.cap[0]; b.kbps != bound {
				if now-capped < boundFall {
					t.Fatalf("seed %d: bound %d to %d after %v", seed, bound, b.kbps, now-capped)
				}
				bound, capped = b.kbps, now
			}
			loss += (in.Up.Loss - loss) * float64(tick) / float64(lossTime)
			starving := in.Up.Full && in.Up.Kbps < OffKbps || loss >= lossOff || in.Up.Queue >= queueOff
			if !starving {
				starved = now
			}
			if d.Video > Off && now-starved > fallTime {
				t.Fatalf("seed %d: a picture while the voice starves: %+v, %+v", seed, in.Up, d)
			}
			if d.VideoKbps < 0 || d.Video == Off && d.VideoKbps != 0 || d.Video == Thin && (d.VideoKbps == 0 || d.VideoKbps > thinMost) ||
				d.Jitter != 0 && (d.Jitter < WaitLeast || d.Jitter > WaitMost) || d.Shown > l.Down() {
				t.Fatalf("seed %d: %+v", seed, d)
			}
			was, now = d, now+tick
		}
	}
}

func TestMoreRoomNeverMeansLess(t *testing.T) {
	before := Decision{}
	for kbps := 0; kbps < 2500; kbps += 10 {
		now := time.Hour
		d := hold(NewLine(), &now, time.Minute, Inputs{Up: narrow(kbps), Down: wide()})
		if d.Video < before.Video || d.Video == before.Video && d.VideoKbps != 0 && d.VideoKbps < before.VideoKbps {
			t.Fatalf("%d kbit/s: %+v, with less %+v", kbps, d, before)
		}
		before = d
	}
}

// A way on which nothing is sent tells nothing: a picture comes back on trial, and where that fails
// seldom more.
func TestTrialsBecomeRare(t *testing.T) {
	g := NewGate()
	trials, shown, was := 0, 0, On
	now := time.Hour
	for i := range 4 * 3600 { // an hour
		w := Way{}
		if g.level > Off {
			w = narrow(25) // a picture shows at once that there is no room
		}
		if l := g.Next(now, w); l > was {
			trials++
		} else if l > Off && i > 8 {
			shown++
		}
		was, now = g.level, now+tick
	}
	if trials < 5 || trials > 24 {
		t.Errorf("%d trials within an hour", trials)
	}
	if shown > 2*trials {
		t.Errorf("%d ticks of a picture in %d trials", shown, trials)
	}
}

func TestALastingPictureForgetsItsFailures(t *testing.T) {
	g := NewGate()
	now := time.Hour
	run := func(d time.Duration, w Way) {
		for end := now + d; now < end; now += tick {
			g.Next(now, w)
		}
	}
	back := func() time.Duration {
		from := now
		for g.level == Off && now-from < time.Hour {
			g.Next(now, Way{})
			now += tick
		}
		return now - from
	}
	run(3*time.Second, narrow(10))
	for range 4 {
		back()
		run(3*time.Second, narrow(10))
	}
	if d := back(); d < 100*time.Second {
		t.Errorf("after four failures it comes back within %v", d)
	}
	run(2*lasting+time.Minute, Way{})
	run(3*time.Second, narrow(10))
	if d := back(); d > 2*HoldThin {
		t.Errorf("after a minute of pictures it comes back after %v", d)
	}
}
