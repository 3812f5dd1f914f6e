package media

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"jedel/media/bwe"
	"jedel/media/tune"
)

// uplink is a caller's way up in virtual time, with all that decides on its picture but the browser's own
// estimate: a voice, a camera that sends what it is told, and the rules that look at what arrives.
type uplink struct {
	losses
	kbps   float64       // 0: wide
	room   time.Duration // of the queue before a narrow way
	jitter time.Duration // in order

	now, free, last time.Duration
	flying          []carried
	again           []time.Duration // when a lost packet of the picture is sent once more

	in    *bwe.Arrivals
	line  *tune.Line
	tuned tune.Decision
	heard [2]int // packets of the voice in this window: sent, lost
	share float64

	ticks, blind int           // looks, and those without a picture
	lost, spoken int           // packets of the voice
	late         time.Duration // the longest that one of them waited
	cam          int           // what the camera fills where it may, kbit/s
	rate         int           // sum of the kbit/s that the camera was allowed
}

type carried struct {
	at, made time.Duration
	size     int
	voice    bool
}

const (
	simCamera = 500 // kbit/s that it fills where it may
	trialMost = tune.BackKbps + 5
)

func newUplink(seed uint64, loss, burst float64) *uplink {
	return &uplink{losses: losses{rng: rand.New(rand.NewPCG(seed, 103)), loss: loss, burst: burst}, room: 300 * time.Millisecond,
		in: bwe.NewArrivals(), line: tune.NewLine(), tuned: tune.Start(), now: time.Hour, cam: simCamera}
}

// carry sends a packet and reports whether it will arrive.
func (u *uplink) carry(size int, at time.Duration, voice bool) bool {
	if u.next() {
		return false
	}
	arrives := at
	if u.kbps > 0 {
		if u.free-at > u.room {
			return false
		}
		u.free = max(u.free, at) + time.Duration(float64(8*size)/u.kbps*float64(time.Millisecond))
		arrives = u.free
	}
	if voice {
		u.late = max(u.late, arrives-at)
	}
	arrives += simHalf + time.Duration(u.rng.Float64()*float64(2*u.jitter))
	u.last = max(u.last, arrives)
	u.flying = append(u.flying, carried{u.last, at, size, voice})
	return true
}

// speak sends 20 ms of voice, with its copies where it is told to.
func (u *uplink) speak() {
	size := 85 + 12 + bwe.Overhead
	if u.tuned.RED {
		size += 85
	}
	u.spoken++
	if u.heard[0]++; !u.carry(size, u.now, true) {
		u.heard[1]++
		u.lost++
	}
}

// show sends a picture, 20 a second, and what was lost of those before once more.
func (u *uplink) show() {
	kept := u.again[:0]
	for _, at := range u.again {
		if at > u.now {
			kept = append(kept, at)
		} else if u.tuned.Video > tune.Off && !u.carry(1000, u.now, false) {
			kept = append(kept, u.now+60*time.Millisecond)
		}
	}
	u.again = kept
	if u.tuned.Video == tune.Off {
		return
	}
	kbps := u.cam
	if u.tuned.VideoKbps > 0 {
		kbps = min(kbps, u.tuned.VideoKbps)
	}
	for left := kbps * 1000 / 20 / 8; left > 0; left -= 1000 {
		if !u.carry(min(left, 1000)+12+bwe.Overhead, u.now, false) {
			u.again = append(u.again, u.now+60*time.Millisecond)
		}
	}
}

// look is what the node's rate loop does.
func (u *uplink) look() {
	u.in.Lost(u.share, u.now)
	s := u.in.State(u.now)
	way := wayOf(s)
	way.Loss = u.share
	u.line.Next(u.now, tune.Inputs{Up: way, RTT: 2 * simHalf})
	u.tuned = u.line.Decide(nil, tune.On)
	u.ticks++
	switch {
	case u.tuned.Video == tune.Off:
		u.blind++
	case u.tuned.VideoKbps > 0:
		u.rate += min(u.cam, u.tuned.VideoKbps)
	default:
		u.rate += u.cam
	}
}

func (u *uplink) run(d time.Duration) *uplink {
	u.ticks, u.blind, u.lost, u.spoken, u.late, u.rate = 0, 0, 0, 0, 0, 0
	for end := u.now + d; u.now < end; u.now += 10 * time.Millisecond {
		if u.now%(20*time.Millisecond) == 0 {
			u.speak()
		}
		if u.now%(50*time.Millisecond) == 0 {
			u.show()
		}
		for len(u.flying) > 0 && u.flying[0].at <= u.now {
			f := u.flying[0]
			u.flying = u.flying[1:]
			if f.voice {
				u.in.Voice(uint32(f.made/time.Millisecond)*48, f.size, f.at)
			} else {
				u.in.Picture(f.size, f.at)
			}
		}
		if u.now%lossWindow == 0 && u.heard[0] > 50 {
			u.share = float64(u.heard[1]) / float64(max(1, u.heard[0]))
			u.heard = [2]int{}
		}
		if u.now%rateTick == 0 {
			u.look()
		}
	}
	return u
}

// uplinks plays minutes of calls that begin on a clean way, eight seconds after it became what change makes
// of it. blind is the share of the time without a picture, lost that of the words, kbps what the camera may
// send while it may.
func uplinks(burst float64, change func(u *uplink)) (blind, lost, kbps float64, late time.Duration) {
	const seeds = 20
	for seed := range uint64(seeds) {
		u := newUplink(seed, 0, burst).run(6 * time.Second)
		change(u)
		u.run(8 * time.Second).run(52 * time.Second)
		blind += float64(u.blind) / float64(u.ticks) / seeds
		lost += float64(u.lost) / float64(u.spoken) / seeds
		kbps += float64(u.rate) / float64(max(1, u.ticks-u.blind)) / seeds
		late = max(late, u.late)
	}
	return blind, lost, kbps, late
}

// What a radio loses by itself leaves a picture its room, up to where half of it would be sent again.
func TestLossWithoutAQueueLeavesAPicture(t *testing.T) {
	for _, c := range []struct{ loss, burst, least, most, kbps float64 }{
		{0.1, 1, 0, 0, 400}, {0.2, 1, 0, 0, 200}, {0.3, 1, 0, 0, 70}, {0.1, 3, 0, 0, 350}, {0.3, 3, 0, 0.01, 70}, {0.5, 1, 0.9, 1, 0},
	} {
		blind, _, kbps, _ := uplinks(c.burst, func(u *uplink) { u.loss = c.loss })
		what := fmt.Sprintf("loss %.0f %% in runs of %.0f: no picture for %.0f %% of the time, %.0f kbit/s else", 100*c.loss, c.burst, 100*blind, kbps)
		t.Log(what)
		if blind < c.least || blind > c.most || kbps < c.kbps {
			t.Error(what)
		}
	}
}

// A way that is too narrow for a picture carries words, whatever it does with what is too much; one that
// has room for a small one keeps it, also where it loses by itself.
func TestAPictureGivesWayToWords(t *testing.T) {
	for _, c := range []struct {
		loss, kbps  float64
		room        time.Duration
		least, most float64 // blind
		lost, trial float64
	}{
		{0, 64, 300 * time.Millisecond, 0.95, 1, 0.015, trialMost}, {0, 120, 300 * time.Millisecond, 0.9, 1, 0.005, trialMost},
		{0, 120, 60 * time.Millisecond, 0.9, 1, 0.025, trialMost}, {0, 250, 300 * time.Millisecond, 0, 0, 0.03, simCamera},
		{0.3, 250, 300 * time.Millisecond, 0, 0.01, 0.32, 130}, {0.3, 64, 300 * time.Millisecond, 0.95, 1, 0.32, trialMost},
	} {
		blind, lost, kbps, late := uplinks(1, func(u *uplink) { u.loss, u.kbps, u.room = c.loss, c.kbps, c.room })
		what := fmt.Sprintf("%.0f kbit/s with a queue of %v, loss %.0f %%: no picture for %.0f %% of the time, %.0f kbit/s else; of words %.1f %% lost, the last %v late",
			c.kbps, c.room, 100*c.loss, 100*blind, kbps, 100*lost, late)
		t.Log(what)
		if blind < c.least || blind > c.most || lost > c.lost || kbps > c.trial {
			t.Error(what)
		}
	}
}

// A radio whose delays swing by 200 ms has room all the same: a picture keeps moving.
func TestSwingingDelaysLeaveAPicture(t *testing.T) {
	for _, c := range []struct {
		jitter      time.Duration // half of the swing
		blind, kbps float64
	}{{25 * time.Millisecond, 0, 400}, {50 * time.Millisecond, 0, 300}, {100 * time.Millisecond, 0.02, 200}} {
		blind, _, kbps, _ := uplinks(1, func(u *uplink) { u.jitter = c.jitter })
		what := fmt.Sprintf("delays that swing by %v: no picture for %.0f %% of the time, %.0f kbit/s else", 2*c.jitter, 100*blind, kbps)
		t.Log(what)
		if blind > c.blind || kbps < c.kbps {
			t.Error(what)
		}
	}
}
