// Package nack decides which packets of one stream to ask for again and when (RFC 4585 section
// 6.2.1). It asks once per round trip: whoever asks again before an answer can be there gets each
// packet several times, and a sender that limits its retransmissions spends them on packets that
// nobody can use any more. It is pure; one owner at a time. Times are nanoseconds on any clock.
package nack

import "time"

// Rules say how a kind of media is asked for.
type Rules struct {
	// Wait is how long a missing packet may still come by itself. Longer costs that much of each
	// recovery, shorter asks for what was merely overtaken.
	Wait time.Duration
	// Reorder is after how many later packets a missing one is not waited for any longer.
	Reorder uint16
	// GiveUp is after how long a packet is of no use any more.
	GiveUp time.Duration
	// Tries is how often one packet is asked for at most.
	Tries uint8
	// Window is how many packets may be missing at a time; of more the oldest are given up.
	Window int
}

// Audio are the rules of audio: a frame later than a jitter buffer can wait is silence.
func Audio() Rules {
	return Rules{Wait: 10 * time.Millisecond, Reorder: 3, GiveUp: 400 * time.Millisecond, Tries: 8, Window: 64}
}

// Video are the rules of video: the packets of a picture come close together, and a hole stops the
// picture until it is filled or a key frame comes.
func Video() Rules {
	return Rules{Wait: 10 * time.Millisecond, Reorder: 3, GiveUp: time.Second, Tries: 10, Window: 256}
}

// Bounds of the time between two requests for one packet.
const (
	// unknown is used before the round trip is known.
	unknown = 100 * time.Millisecond
	// floor is the shortest: senders' timers are not finer.
	floor = 20 * time.Millisecond
	// margin is added to the round trip at least, else a quarter of it: an answer waits in a pacer.
	margin = 10 * time.Millisecond
	// echo is how long after a request it is said once more; see Echo.
	echo = 15 * time.Millisecond
)

// restart is a jump of sequence numbers that is no loss: the stream began anew.
const restart = 1000

// Arrival says what a packet is that came.
type Arrival uint8

// What a packet is that came.
const (
	Newest Arrival = iota // later than all before
	Late                  // it was missing, and had not been asked for
	Answer                // it was missing, and had been asked for
	Old                   // it was there already, or had been given up
)

// Counts is what became of the packets that were missing.
type Counts struct {
	Missing  uint64 // found missing
	Asked    uint64 // requests, each counted for each packet
	Late     uint64 // came by themselves
	Answered uint64 // came after a request
	Spared   uint64 // came otherwise; see Forget
	GivenUp  uint64
}

// Generator makes the requests for one stream. Make it with New.
type Generator struct {
	rules   Rules
	started bool
	strange bool   // odd is set
	highest uint16 // newest sequence number
	odd     uint16 // the last one that was far behind
	last    int64  // when the newest came
	echoes  uint8
	rtt     time.Duration
	answer  time.Duration // from a request to its answer, smoothed; 0: unknown
	missing []missing     // oldest first
	counts  Counts
}

type missing struct {
	lost  int64 // about when it should have come
	mark  int64 // when it was found missing, then when it was last asked for
	seq   uint16
	tries uint8
	said  uint8 // echoes of the last request that were made
}

// New returns the generator of a stream.
func New(r Rules) Generator { return Generator{rules: r} }

// Counts returns what became of missing packets until now.
func (g *Generator) Counts() Counts { return g.counts }

// Echo says how often each request is made again, a moment later each time, without waiting for the answer. Requests get
// lost as other packets do and cost little beside what they bring: where half of all is lost one arrives half of the times,
// of two in three quarters, of three in seven eighths. A sender does not answer twice within a round trip.
func (g *Generator) Echo(times uint8) { g.echoes = times }

// Received notes packet seq at time at.
func (g *Generator) Received(seq uint16, at int64) Arrival {
	ahead := int(int16(seq - g.highest))
	switch {
	case !g.started, ahead > restart:
		g.begin(seq, at)
		return Newest
	case ahead > 0:
		g.gap(ahead, at)
		g.highest, g.last, g.strange = seq, at, false
		return Newest
	case ahead < -restart && g.strange && seq == g.odd+1: // RFC 3550 A.1: two in a row are a new beginning
		g.begin(seq, at)
		return Newest
	case ahead < -restart:
		g.odd, g.strange = seq, true
		return Old
	}
	return g.found(seq, at)
}

func (g *Generator) begin(seq uint16, at int64) {
	g.counts.GivenUp += uint64(len(g.missing))
	g.started, g.strange, g.highest, g.last, g.missing = true, false, seq, at, g.missing[:0]
}

// gap notes the packets between the newest and the one ahead of it as missing. They should have
// come evenly in the time between: after a long silence only the youngest are worth asking for.
func (g *Generator) gap(ahead int, at int64) {
	n := ahead - 1
	if n == 0 {
		return
	}
	g.counts.Missing += uint64(n)
	first := max(1, ahead-g.rules.Window)
	keep := g.rules.Window - (ahead - first)
	g.counts.GivenUp += uint64(first - 1)
	if over := len(g.missing) - keep; over > 0 {
		g.counts.GivenUp += uint64(over)
		g.missing = g.missing[:copy(g.missing, g.missing[over:])]
	}
	for i := first; i < ahead; i++ {
		lost := g.last + (at-g.last)*int64(i)/int64(ahead)
		g.missing = append(g.missing, missing{lost: lost, mark: at, seq: g.highest + uint16(i)})
	}
}

// found takes a packet that is not the newest off the list.
func (g *Generator) found(seq uint16, at int64) Arrival {
	for i := range g.missing {
		m := g.missing[i]
		if m.seq != seq {
			continue
		}
		g.missing = append(g.missing[:i], g.missing[i+1:]...)
		if m.tries == 0 {
			g.counts.Late++
			return Late
		}
		g.counts.Answered++
		if m.tries == 1 { // of more nobody knows which was answered
			g.measure(time.Duration(at - m.mark))
		}
		return Answer
	}
	return Old
}

// Forget takes a packet off the list whose content came otherwise.
func (g *Generator) Forget(seq uint16) {
	for i := range g.missing {
		if g.missing[i].seq == seq {
			g.missing = append(g.missing[:i], g.missing[i+1:]...)
			g.counts.Spared++
			return
		}
	}
}

func (g *Generator) measure(took time.Duration) {
	if g.answer == 0 {
		g.answer = took
	}
	g.answer += (took - g.answer) / 8
}

// trip is the round trip: as told, or as the answers took, 0 while unknown.
func (g *Generator) trip() time.Duration { return max(g.rtt, g.answer) }

// pause is the time between two requests for one packet.
func (g *Generator) pause() time.Duration {
	rtt := g.trip()
	if rtt == 0 {
		return unknown
	}
	return max(floor, rtt+max(margin, rtt/4))
}

// due is when m is to be asked for next.
func (g *Generator) due(m *missing) int64 {
	switch {
	case g.echoing(m):
		return m.mark + int64(m.said+1)*int64(echo)
	case m.tries > 0:
		return m.mark + int64(g.pause())
	case g.highest-m.seq >= g.rules.Reorder:
		return m.mark
	}
	return m.mark + int64(g.rules.Wait)
}

// echoing reports whether the last request for m is said once more before the next is made.
func (g *Generator) echoing(m *missing) bool {
	return m.tries > 0 && m.said < g.echoes && time.Duration(m.said+1)*echo < g.pause()
}

// Due appends the packets that are to be asked for at time at to out, and counts them as asked for.
// rtt is the measured round trip, 0 while it is unknown. A packet is asked for at least once while
// it is of use, and again only where the answer would come in time.
func (g *Generator) Due(at int64, rtt time.Duration, out []uint16) []uint16 {
	g.rtt = rtt
	kept := g.missing[:0]
	for i := range g.missing {
		m := g.missing[i]
		left := m.lost + int64(g.rules.GiveUp) - at
		if left <= 0 {
			g.counts.GivenUp++
			continue
		}
		if g.echoing(&m) && at >= m.mark+int64(g.pause()) {
			m.said = g.echoes // too late for it
		}
		if g.due(&m) <= at && g.worth(&m, left) {
			if g.echoing(&m) {
				m.said++
			} else {
				m.tries++
				m.mark, m.said = at, 0
			}
			g.counts.Asked++
			out = append(out, m.seq)
		}
		kept = append(kept, m)
	}
	g.missing = kept
	return out
}

// worth reports whether an answer to one more request for m can be of use, where it has left so long.
func (g *Generator) worth(m *missing, left int64) bool {
	return g.echoing(m) || m.tries < g.rules.Tries && (m.tries == 0 || left >= int64(g.trip()))
}

// Next is when Due has something to do, as far as is known; false: nothing is missing.
func (g *Generator) Next() (at int64, ok bool) {
	for i := range g.missing {
		m := &g.missing[i]
		due := m.lost + int64(g.rules.GiveUp)
		if d := g.due(m); g.worth(m, due-d) {
			due = min(due, d)
		}
		if !ok || due < at {
			at, ok = due, true
		}
	}
	return at, ok
}
