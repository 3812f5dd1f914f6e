package derive

import (
	"cmp"
	"slices"
	"time"
)

// packet is where one RTP packet stands, in 40 bytes; its payload stays in the archive.
type packet struct {
	at    int64 // arrival, nanoseconds since the call was opened
	ts    int64 // unwrapped, ticks
	seq   int32 // unwrapped within the run
	block uint32
	off   uint32
	n     uint16
	head  uint16
	pad   uint8
	pt    uint8
	flags uint8
	front uint8 // VP8: bytes of the payload descriptor; 0: not known
}

const (
	flagMarker uint8 = 1 << iota
	flagRecovered
	flagBegins // VP8: the first packet of a picture
	flagKey    // VP8: which is a key frame
)

// empty reports a packet of padding only, as congestion control sends to probe.
func (p *packet) empty() bool { return int(p.head)+int(p.pad) >= int(p.n) }

// run is a stretch of one SSRC in which sequence numbers and timestamps go on without a break.
type run struct {
	lane    *lane
	packets []packet // by arrival while the lane grows, by sequence number afterwards
	spans   []span   // pieces with one time offset each; set by placeLanes
	bound   bool     // placed by sender reports

	topSeq int32 // the highest so far
	topTs  int64
	topAt  int64
	dups   int
	lost   int
	copied int // sound that only copies in later packets brought
}

// Limits of what one run can be.
const (
	// dropout is how many packets may be missing while the timestamps need not prove that it is
	// still the same sequence; RFC 3550 appendix A.1 has 3000.
	dropout = 3000
	// misorder is how late a packet may be. A retransmission may come 2 s late at 1000 packets/s.
	misorder = 8192
	// tsSlack is how far timestamps may run ahead of arrival between two packets. Less would
	// split at every recovery from a delay, more would hide an encoder's restart.
	tsSlack = 2 * time.Second
	// lateSlack is how far back the timestamp of a late packet may lie.
	lateSlack = 30 * time.Second
	// triedRuns is how many runs a packet is offered to, for two senders on one SSRC.
	triedRuns = 4
)

// lane is one SSRC within one recorded stream.
type lane struct {
	stream uint16
	ssrc   uint32
	clock  int64 // ticks per second
	runs   []*run
	srs    []senderReport

	pending []*run // packets that fit nowhere, the newest last: a second one makes each a run
	stray   int
}

// add takes the next packet of the lane, in order of arrival. Only at, block, off, n and flags
// of p are read; the rest comes from h.
func (l *lane) add(p packet, h header) {
	p.head, p.pad, p.pt = h.head, h.pad, h.pt
	if h.marker {
		p.flags |= flagMarker
	}
	for i := len(l.runs) - 1; i >= 0 && i >= len(l.runs)-triedRuns; i-- {
		if l.runs[i].take(p, h) {
			return
		}
	}
	for i, r := range l.pending {
		if p.flags&flagRecovered == 0 && r.take(p, h) {
			l.runs = append(l.runs, r)
			l.pending = slices.Delete(l.pending, i, i+1)
			return
		}
	}
	if len(l.pending) == triedRuns {
		l.pending = slices.Delete(l.pending, 0, 1)
		l.stray++
	}
	p.seq, p.ts = int32(h.seq), int64(h.ts)
	l.pending = append(l.pending, &run{lane: l, packets: []packet{p}, topSeq: p.seq, topTs: p.ts, topAt: p.at})
}

// take adds p if it goes on with the run.
func (r *run) take(p packet, h header) bool {
	dseq := int32(int16(h.seq - uint16(r.topSeq)))
	dts := int64(int32(h.ts - uint32(r.topTs)))
	ahead := time.Duration(ticksNs(dts, r.lane.clock))
	skew := ahead - time.Duration(p.at-r.topAt) // how far timestamps ran ahead of arrival
	switch {
	case dseq > 0 && (ahead < -time.Second || skew > tsSlack):
		return false
	case dseq > dropout && (ahead < 0 || skew < -tsSlack):
		return false
	case dseq == 0 && dts != 0:
		return false
	case dseq < 0 && (dseq < -misorder || ahead > time.Second || ahead < -lateSlack):
		return false
	}
	p.seq, p.ts = r.topSeq+dseq, r.topTs+dts
	if dseq > 0 {
		r.topSeq, r.topTs = p.seq, p.ts
		if p.flags&flagRecovered == 0 {
			r.topAt = max(r.topAt, p.at)
		}
	}
	r.packets = append(r.packets, p)
	return true
}

// finish puts the packets of every run in the order of sending and drops doubles: the copy that
// came first stays.
func (l *lane) finish() {
	if len(l.runs) == 0 && len(l.pending) > 0 {
		l.runs, l.pending = l.pending[:1], l.pending[1:]
	}
	l.stray += len(l.pending)
	l.pending = nil
	slices.SortStableFunc(l.srs, func(a, b senderReport) int { return cmp.Compare(a.at, b.at) })
	for _, r := range l.runs {
		slices.SortStableFunc(r.packets, func(a, b packet) int { return cmp.Compare(a.seq, b.seq) })
		n := len(r.packets)
		r.packets = slices.CompactFunc(r.packets, func(a, b packet) bool { return a.seq == b.seq })
		r.dups = n - len(r.packets)
		r.lost = int(r.packets[len(r.packets)-1].seq-r.packets[0].seq) + 1 - len(r.packets)
	}
	slices.SortStableFunc(l.runs, func(a, b *run) int {
		return cmp.Compare(a.packets[0].at, b.packets[0].at)
	})
}
