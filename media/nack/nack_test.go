package nack

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = int64(time.Millisecond)

func TestAGapIsAskedForAfterAShortWait(t *testing.T) {
	for _, first := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		g := New(Audio())
		if _, ok := g.Next(); ok {
			t.Fatal("nothing is missing")
		}
		g.Received(first, 0)
		g.Received(first+3, 60*ms)
		if next, ok := g.Next(); !ok || next != 70*ms {
			t.Fatal(next, ok)
		}
		if got := g.Due(69*ms, 0, nil); got != nil {
			t.Fatal(got)
		}
		if got := g.Due(70*ms, 0, nil); !slices.Equal(got, []uint16{first + 1, first + 2}) {
			t.Fatal(first, got)
		}
		if next, ok := g.Next(); !ok || next != 170*ms { // the round trip is unknown
			t.Fatal(next, ok)
		}
		if got := g.Due(75*ms, 40*time.Millisecond, nil); got != nil {
			t.Fatal("asked again before an answer can be there", got)
		}
		if a := g.Received(first+1, 111*ms); a != Answer {
			t.Fatal(a)
		}
		if got := g.Due(122*ms, 40*time.Millisecond, nil); !slices.Equal(got, []uint16{first + 2}) {
			t.Fatal(got)
		}
	}
}

func TestWhereMostIsLostRequestsAreMadeAgain(t *testing.T) {
	for echoes, want := range [][]int64{{50, 100, 150}, {50, 65, 100, 115, 150, 165}, {50, 65, 80, 100, 115, 130, 150, 165, 180}} {
		if got := requests(t, uint8(echoes)); !slices.Equal(got, want) {
			t.Errorf("%d echoes: %v, want %v", echoes, got, want)
		}
	}
}

// requests are the times of those for one packet, in milliseconds.
func requests(t *testing.T, echoes uint8) []int64 {
	g := New(Audio())
	g.Echo(echoes)
	g.Received(0, 0)
	g.Received(2, 40*ms)
	var at []int64
	for now := 40 * ms; now < 200*ms; now += ms {
		if next, ok := g.Next(); ok && next == now {
			for range g.Due(now, 40*time.Millisecond, nil) {
				at = append(at, now/ms)
			}
		} else if got := g.Due(now, 40*time.Millisecond, nil); got != nil {
			t.Fatal(now, got)
		}
	}
	return at
}

func TestWhatIsOvertakenIsNotAskedFor(t *testing.T) {
	g := New(Audio())
	g.Received(10, 0)
	g.Received(12, 40*ms)
	if a := g.Received(11, 45*ms); a != Late {
		t.Fatal(a)
	}
	if got := g.Due(time.Second.Nanoseconds(), 0, nil); got != nil {
		t.Fatal(got)
	}
	if a := g.Received(11, 46*ms); a != Old {
		t.Fatal(a)
	}
	if c := g.Counts(); c != (Counts{Missing: 1, Late: 1}) {
		t.Fatal(c)
	}
}

func TestWhatCameOtherwiseIsNotAskedFor(t *testing.T) {
	g := New(Audio())
	g.Received(10, 0)
	g.Received(13, 60*ms)
	g.Forget(12)
	g.Forget(13)
	if got := g.Due(100*ms, 0, nil); !slices.Equal(got, []uint16{11}) {
		t.Fatal(got)
	}
	if c := g.Counts(); c != (Counts{Missing: 2, Spared: 1, Asked: 1}) {
		t.Fatal(c)
	}
}

func TestThreeLaterPacketsEndTheWait(t *testing.T) {
	g := New(Video())
	g.Received(10, 0)
	for i, seq := range []uint16{12, 13} {
		g.Received(seq, ms+int64(i))
		if got := g.Due(ms+int64(i), 0, nil); got != nil {
			t.Fatal(got)
		}
	}
	g.Received(14, ms+3)
	if got := g.Due(ms+3, 0, nil); !slices.Equal(got, []uint16{11}) {
		t.Fatal(got)
	}
}

func TestWhatCannotBeUsedIsNotAskedFor(t *testing.T) {
	g := New(Audio())
	g.Received(0, 0)
	g.Received(100, 2000*ms) // two seconds of silence: only the last 400 ms are of use
	got := g.Due(2010*ms, 40*time.Millisecond, nil)
	if len(got) < 18 || len(got) > 20 || got[0] < 80 {
		t.Fatal(got)
	}
	asked := len(got)
	for at := 2011 * ms; at < 3000*ms; at += ms {
		asked += len(g.Due(at, 40*time.Millisecond, nil))
	}
	if c := g.Counts(); c.GivenUp != 99 || int(c.Asked) != asked || asked > 20*8 {
		t.Fatal(c, asked)
	}
	if _, ok := g.Next(); ok {
		t.Fatal("it is given up")
	}
	// A round trip beyond all use: once, for the recording, not again.
	g.Received(101, 2980*ms)
	g.Received(103, 3000*ms)
	asked = 0
	for at := 3000 * ms; at < 4000*ms; at += ms {
		asked += len(g.Due(at, 600*time.Millisecond, nil))
	}
	if asked != 1 {
		t.Fatal(asked)
	}
}

func TestAJumpIsABeginning(t *testing.T) {
	g := New(Video())
	g.Received(60000, 0)
	g.Received(60002, ms)
	g.Received(2000, 2*ms) // 7,536 further on
	if got := g.Due(1000*ms, 0, nil); got != nil {
		t.Fatal(got)
	}
	if a := g.Received(60003, 3*ms); a != Old {
		t.Fatal("one packet of long ago", a)
	}
	if a := g.Received(2001, 4*ms); a != Newest {
		t.Fatal(a)
	}
	g.Received(500, 5*ms)
	if a := g.Received(501, 6*ms); a != Newest {
		t.Fatal("two in a row are a new beginning", a)
	}
	if got := g.Due(1000*ms, 0, nil); got != nil {
		t.Fatal(got)
	}
}

// TestRequestsAreBounded lets any packets come at any times and holds: only packets that did not
// come are asked for, none more often than the rules and once per pause, and never is more kept
// than the window; Next names the very moment.
func TestRequestsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Audio()
		if rapid.Bool().Draw(t, "video") {
			r = Video()
		}
		g := New(r)
		echoes := rapid.IntRange(0, 2).Draw(t, "echoes")
		g.Echo(uint8(echoes))
		rtt := time.Duration(rapid.IntRange(0, 300).Draw(t, "rtt")) * time.Millisecond
		seq, at := rapid.Uint16().Draw(t, "seq"), int64(0)
		came := map[uint16]bool{}
		type asked struct {
			tries, echoes int
			begin         int64
		}
		asks := map[uint16]asked{}
		for range rapid.IntRange(1, 200).Draw(t, "packets") {
			step := rapid.IntRange(-4, 6).Draw(t, "step")
			if rapid.IntRange(0, 30).Draw(t, "rare") == 0 {
				step = rapid.IntRange(6, restart).Draw(t, "far")
			}
			seq += uint16(step)
			at += int64(rapid.IntRange(0, 40).Draw(t, "ms")) * ms
			g.Received(seq, at)
			came[seq] = true
			if next, ok := g.Next(); ok && next > at {
				if got := g.Due(next-1, g.rtt, nil); got != nil {
					t.Fatalf("%v is due before Next says so", got)
				}
			}
			for _, s := range g.Due(at, rtt, nil) {
				if came[s] {
					t.Fatalf("%d is there", s)
				}
				a, ok := asks[s]
				switch since := at - a.begin; {
				case ok && since < int64(max(floor, rtt)) && g.echoes == 0:
					t.Fatalf("%d is asked for again after %v", s, time.Duration(since))
				case !ok || since >= int64(g.pause()):
					a.tries, a.echoes, a.begin = a.tries+1, 0, at
				default:
					if a.echoes++; since < int64(a.echoes)*int64(echo) {
						t.Fatalf("%d is asked for again after %v", s, time.Duration(since))
					}
				}
				if asks[s] = a; a.tries > int(r.Tries) || a.echoes > echoes {
					t.Fatalf("%d is asked for %+v", s, a)
				}
			}
			if len(g.missing) > r.Window {
				t.Fatal(len(g.missing))
			}
		}
		c := g.Counts()
		if c.Missing != c.Late+c.Answered+c.GivenUp+uint64(len(g.missing)) {
			t.Fatalf("%+v and %d", c, len(g.missing))
		}
	})
}

// link is a sender of 20 ms frames and this receiver at the ends of a path that loses packets both
// ways, in steps of a millisecond.
type link struct {
	loss   float64
	burst  float64 // mean length of a loss; 1: single packets
	rtt    int64   // ms
	rng    *rand.Rand
	bad    [2]bool
	toUs   map[int64][]uint16
	toThem map[int64][]uint16
}

// drop decides for one packet of a direction, by a two-state chain where losses come in bursts.
func (l *link) drop(direction int) bool {
	if l.burst <= 1 {
		return l.rng.Float64() < l.loss
	}
	if l.bad[direction] {
		l.bad[direction] = l.rng.Float64() >= 1/l.burst
	} else {
		l.bad[direction] = l.rng.Float64() < l.loss/(1-l.loss)/l.burst
	}
	return l.bad[direction]
}

type outcome struct {
	lost, in200, ever int // packets of the first transmission
	requests          int // each packet of each request
	sentAgain         int // retransmissions sent
	perTrip           int // most requests for one packet within one round trip
	doubles           int // came when they were there already
}

// run sends n packets over l. told is the round trip that the generator is told, 0 for none.
func (l *link) run(n int, told time.Duration) outcome {
	var o outcome
	g := New(Audio())
	half := l.rtt / 2
	l.toUs, l.toThem = map[int64][]uint16{}, map[int64][]uint16{}
	firstLost := map[uint16]bool{}
	asked := map[uint16][]int64{}
	for now := int64(0); now < int64(n)*20+3000; now++ {
		if now%20 == 0 && now/20 < int64(n) {
			seq := uint16(now / 20)
			if l.drop(0) {
				o.lost++
				firstLost[seq] = true
			} else {
				l.toUs[now+half] = append(l.toUs[now+half], seq)
			}
		}
		for _, seq := range l.toThem[now] { // the sender answers at once
			o.sentAgain++
			if !l.drop(0) {
				l.toUs[now+half] = append(l.toUs[now+half], seq)
			}
		}
		for _, seq := range l.toUs[now] {
			a := g.Received(seq, now*ms)
			if a == Old {
				o.doubles++
			}
			if a == Answer && firstLost[seq] {
				o.ever++
				if now-(int64(seq)*20+half) <= 200 {
					o.in200++
				}
			}
		}
		due := g.Due(now*ms, told, nil)
		for _, seq := range due {
			o.requests++
			trip := 1
			for _, t := range asked[seq] {
				if now-t < l.rtt {
					trip++
				}
			}
			o.perTrip = max(o.perTrip, trip)
			asked[seq] = append(asked[seq], now)
		}
		if len(due) > 0 && !l.drop(1) {
			l.toThem[now+half] = append(l.toThem[now+half], due...)
		}
	}
	return o
}

// TestEachLostPacketIsFetchedOnce measures over links that lose 10 to 50 % both ways at 40 ms: a
// packet is asked for at most once per round trip, what comes back comes once, and the share that
// is there within 200 ms is that of the tries that fit.
func TestEachLostPacketIsFetchedOnce(t *testing.T) {
	for _, c := range []struct {
		loss, burst float64
		least       float64 // recovered within 200 ms
	}{{0.1, 1, 0.98}, {0.2, 1, 0.92}, {0.3, 1, 0.82}, {0.5, 1, 0.50}, {0.3, 3, 0.70}} {
		for _, told := range []time.Duration{40 * time.Millisecond, 0} {
			name := fmt.Sprintf("loss %.0f%% in %.0f, told %v", c.loss*100, c.burst, told)
			l := link{loss: c.loss, burst: c.burst, rtt: 40, rng: rand.New(rand.NewPCG(102, uint64(c.loss*100)))}
			o := l.run(20000, told)
			lost := float64(o.lost)
			t.Logf("%s: %.1f %% recovered in 200 ms, %.1f %% ever; per lost packet %.2f requests, %.2f retransmissions, %.3f doubles",
				name, 100*float64(o.in200)/lost, 100*float64(o.ever)/lost, float64(o.requests)/lost, float64(o.sentAgain)/lost, float64(o.doubles)/lost)
			if o.perTrip > 1 {
				t.Errorf("%s: %d requests for a packet in one round trip", name, o.perTrip)
			}
			if got := float64(o.in200) / lost; got < c.least {
				t.Errorf("%s: %.3f of the lost packets in 200 ms, want %.2f", name, got, c.least)
			}
			// Each retransmission gets through with 1-p: 1/(1-p) of them bring a packet once.
			if got, want := float64(o.sentAgain)/lost, 1/(1-c.loss); c.burst == 1 && got > want*1.05 {
				t.Errorf("%s: %.2f retransmissions per lost packet, want %.2f", name, got, want)
			}
			if o.doubles > 0 {
				t.Errorf("%s: %d packets came twice", name, o.doubles)
			}
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	g, out := New(Video()), make([]uint16, 0, 256)
	seq, at := uint16(0), int64(0)
	step := func() {
		seq++
		at += 8 * ms
		if seq%7 == 0 {
			return
		}
		g.Received(seq, at)
		if next, ok := g.Next(); ok && next <= at {
			out = g.Due(at, 40*time.Millisecond, out[:0])
		}
	}
	for range 5000 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Fatal(n)
	}
}

func BenchmarkReceived(b *testing.B) {
	for _, every := range []uint16{0, 10} {
		b.Run(fmt.Sprintf("one lost of %d", every), func(b *testing.B) {
			g, out := New(Video()), make([]uint16, 0, 256)
			seq, at := uint16(0), int64(0)
			b.ReportAllocs()
			for b.Loop() {
				seq++
				at += 8 * ms
				if every > 0 && seq%every == 0 {
					seq++
				}
				g.Received(seq, at)
				if next, ok := g.Next(); ok && next <= at {
					out = g.Due(at, 40*time.Millisecond, out[:0])
				}
			}
		})
	}
}
