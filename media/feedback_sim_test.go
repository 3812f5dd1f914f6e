package media

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"jedel/media/compound"
	"jedel/media/nack"
	"jedel/media/red"
	"jedel/media/report"
	"jedel/media/tune"
)

// Numbers of the simulated links: a page 20 ms away.
const (
	simStep = 5 * time.Millisecond
	simHalf = 20 * time.Millisecond
)

// simBuffer is how long players are told to wait where so much is lost, in windows of two seconds.
func simBuffer(e *ether) time.Duration {
	line := tune.NewLine()
	for window := range 30 {
		for range 100 {
			e.send(time.Time{}, nil)
		}
		lost := 1 - float64(len(e.flying))/100
		e.flying = nil
		line.Next(time.Duration(window+1)*2*time.Second, tune.Inputs{Heard: lost, RTT: 2 * simHalf})
	}
	return line.Decide(nil, tune.On).Jitter
}

// ether is a way that delays and loses what is sent over it, at random or in runs.
type ether struct {
	losses
	flying []flight
}

// losses takes a share of packets, in runs of burst in the mean; each by itself where burst is at most 1.
type losses struct {
	rng         *rand.Rand
	loss, burst float64
	bad         bool
}

// next reports whether the next packet is lost.
func (l *losses) next() bool {
	switch {
	case l.burst <= 1:
		l.bad = l.rng.Float64() < l.loss
	case l.bad:
		l.bad = l.rng.Float64() >= 1/l.burst
	default:
		l.bad = l.rng.Float64() < l.loss/(1-l.loss)/l.burst
	}
	return l.bad
}

type flight struct {
	at time.Time
	b  any
}

func (e *ether) send(now time.Time, b any) {
	if !e.next() {
		e.flying = append(e.flying, flight{now.Add(simHalf), b})
	}
}

// land returns what has arrived.
func (e *ether) land(now time.Time) (out []any) {
	for len(e.flying) > 0 && !e.flying[0].at.After(now) {
		out = append(out, e.flying[0].b)
		e.flying = e.flying[1:]
	}
	return out
}

// listener plays the frames that a receiver gets, and asks for those it misses as a browser does.
type listener struct {
	gen   nack.Generator
	when  map[uint16]time.Time
	told  time.Time
	stats report.Receiver
}

func newListener() *listener {
	return &listener{gen: nack.New(nack.Audio()), when: map[uint16]time.Time{}, stats: report.NewReceiver(48000)}
}

func (s *listener) hear(now time.Time, pt uint8, seq uint16, ts uint32, payload []byte) {
	if s.gen.Received(seq, now.UnixNano()) != nack.Old {
		s.stats.Received(seq, ts, now.UnixNano()) // repaired ones too: so do browsers
	}
	blocks := []red.Block{{}}
	if pt == 63 {
		blocks, _ = red.Parse(payload, nil)
	}
	for _, b := range blocks { // by their time, as players have it
		frame := uint16((ts - b.Offset) / 960)
		s.gen.Forget(frame)
		if _, ok := s.when[frame]; !ok {
			s.when[frame] = now
		}
	}
}

// concealed is the share of n frames, the first of which was spoken at begin, that were not there when
// they were to be played: so long after.
func (s *listener) concealed(begin time.Time, from, n int, late time.Duration) float64 {
	missed := 0
	for i := from; i < n; i++ {
		at, ok := s.when[uint16(i)]
		if !ok || at.Sub(begin.Add(time.Duration(i)*20*time.Millisecond)) > late {
			missed++
		}
	}
	return float64(missed) / float64(n-from)
}

// upwards is a page that speaks over a bad link, with one copy in each packet as browsers send it, to a
// receiver on a good one.
func upwards(t *testing.T, out, back *ether, frames int, wait time.Duration) float64 {
	l := newLab(t)
	var past red.History
	packets := map[uint16][]byte{}
	him, begin := newListener(), l.now
	for n := 0; n < 4*frames+100; n++ {
		if seq := uint16(n / 4); n%4 == 0 && n < 4*frames {
			ts := 960 * uint32(seq)
			packets[seq] = red.Append(nil, 111, red.Frame{TS: ts, Data: opus(seq)}, past.Before(seq, ts, 1, nil), 1200)
			past.Put(seq, ts, opus(seq))
			out.send(l.now, seq)
		}
		for _, seq := range out.land(l.now) {
			l.hears(seq.(uint16), packets[seq.(uint16)])
		}
		if seqs := requests(l.says(l.from), ssrcSound); len(seqs) > 0 {
			back.send(l.now, seqs)
		}
		for _, seqs := range back.land(l.now) {
			for _, seq := range seqs.([]uint16) {
				out.send(l.now, seq)
			}
		}
		for _, p := range l.open(l.sent()) {
			him.hear(l.now, p.PayloadType, p.SequenceNumber, p.Timestamp, p.Payload)
		}
		l.now = l.now.Add(simStep)
	}
	return him.concealed(begin, 0, frames, simHalf+wait)
}

// downwards is a page that listens over a bad link to a speaker on a good one. It asks for what it
// misses and reports each five seconds.
func downwards(t *testing.T, there, back *ether, frames int, wait time.Duration) (concealed, again float64) {
	l := newLab(t)
	him, begin := newListener(), l.now
	sent, repeated := 0, 0
	for n := 0; n < 4*frames+100; n++ {
		if n%4 == 0 && n < 4*frames {
			l.hears(uint16(n/4), nil)
		}
		l.says(l.to)
		for _, b := range l.sent() {
			sent += len(b)
			there.send(l.now, b)
		}
		for _, b := range there.land(l.now) {
			p := l.open([][]byte{b.([]byte)})[0]
			him.hear(l.now, p.PayloadType, p.SequenceNumber, p.Timestamp, p.Payload)
		}
		if seqs := him.gen.Due(l.now.UnixNano(), 2*simHalf, nil); len(seqs) > 0 {
			back.send(l.now, compound.AppendNACK(nil, 1, ssrcEar, seqs))
		}
		if l.now.Sub(him.told) > 5*time.Second {
			him.told = l.now
			back.send(l.now, compound.AppendRR(nil, 1, []compound.Block{him.stats.Block(ssrcEar, l.now.UnixNano())}))
		}
		for _, raw := range back.land(l.now) {
			l.tells(l.to, raw.([]byte))
		}
		for _, b := range out(&l.reply) {
			repeated += len(b)
			there.send(l.now, b)
		}
		l.now = l.now.Add(simStep)
	}
	return him.concealed(begin, 250, frames, simHalf+wait), float64(repeated) / float64(sent) // five seconds to find out
}

// TestWordsArriveAtAnyLoss lets a minute of speech go over links of 40 ms that lose packets both ways,
// towards us and from us, and holds what is missing when it is to be played against what was measured
// when this was made, with a margin. What the encoder adds by itself comes on top.
func TestWordsArriveAtAnyLoss(t *testing.T) {
	const frames = 3000
	for _, c := range []struct{ loss, burst, up, down float64 }{
		{0, 1, 0, 0}, {0.1, 1, 0.001, 0.001}, {0.2, 1, 0.003, 0.002}, {0.3, 1, 0.005, 0.003}, {0.5, 1, 0.035, 0.02}, {0.3, 3, 0.02, 0.022},
	} {
		link := func(seed uint64) *ether {
			return &ether{losses: losses{rng: rand.New(rand.NewPCG(seed, 102)), loss: c.loss, burst: c.burst}}
		}
		wait := simBuffer(link(5))
		up := upwards(t, link(1), link(2), frames, wait)
		down, again := downwards(t, link(3), link(4), frames, wait)
		name := fmt.Sprintf("loss %.0f %% in runs of %.0f", 100*c.loss, c.burst)
		t.Logf("%s: waits %v, concealed %.2f %% up, %.2f %% down; %.2f bytes again for each", name, wait, 100*up, 100*down, again)
		if up > c.up || down > c.down {
			t.Errorf("%s: concealed %.4f up and %.4f down, want %.4f and %.4f", name, up, down, c.up, c.down)
		}
		if again > 1 {
			t.Errorf("%s: %.2f bytes again for each", name, again)
		}
	}
}
