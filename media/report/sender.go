package report

import (
	"time"

	"jedel/media/compound"
)

// Trip returns the round trip that a report block of one of our streams tells, received at time at
// (RFC 3550 section 6.4.1); false where it tells none.
func Trip(b compound.Block, at int64) (time.Duration, bool) {
	if b.LSR == 0 {
		return 0, false
	}
	d := int32(middle(NTP(at)) - b.LSR - b.DLSR) // in 1/65536 s
	if d < 0 || d > maxTrip {
		return 0, false
	}
	return time.Duration(int64(d) * int64(time.Second) >> 16), true
}

// maxTrip is the longest round trip that is believed, 60 s.
const maxTrip = 60 << 16

// Origin is the clock of a sender held against ours. All streams of the sender share it, so that what
// belongs together stays together. Its zero value knows nothing.
type Origin struct {
	known  bool
	offset int64 // our time less theirs, with the shortest delay seen
	at     int64
}

// Bounds of an Origin.
const (
	// drift is how fast two clocks may part: 100 millionths.
	drift = 10000
	// newClock is a difference that is no delay: the sender's clock was set.
	newClock = int64(2 * time.Second)
)

// SenderReport notes that a report of the sender's time ntp came at time at. Of all delays the shortest
// counts, the others are those of the network.
func (o *Origin) SenderReport(ntp uint64, at int64) {
	offset := at - Unix(ntp)
	grown := offset - o.offset
	switch {
	case !o.known, grown < 0, grown > newClock:
		o.known, o.offset = true, offset
	default:
		o.offset += min(grown, max(0, at-o.at)/drift)
	}
	o.at = at
}

// Line is which moment the timestamps of one stream mean: a point of the last sender report and the
// rate. Its zero value knows nothing.
type Line struct {
	ntp   uint64
	rtp   uint32
	clock uint32
}

// NewLine returns the line through a sender report's time and timestamp.
func NewLine(ntp uint64, rtp, clock uint32) Line { return Line{ntp, rtp, clock} }

// RTP returns the timestamp that the stream has at our time at; false before both are known.
func (l Line) RTP(o Origin, at int64) (uint32, bool) {
	if l.clock == 0 || !o.known {
		return 0, false
	}
	return l.rtp + uint32(ticks(at-o.offset-Unix(l.ntp), l.clock)), true
}

// Ahead returns ts moved on by an elapsed time in nanoseconds.
func Ahead(ts uint32, elapsed int64, clock uint32) uint32 { return ts + uint32(ticks(elapsed, clock)) }
