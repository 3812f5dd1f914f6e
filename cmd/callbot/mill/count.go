package mill

// Count tells the packets of one RTP stream apart: new, late, doubled, missing. The zero value is
// a stream before its first packet.
type Count struct {
	begun    bool
	first    uint64 // extended sequence numbers (RFC 3550 appendix A.1)
	highest  uint64
	seen     uint64 // bit n: highest-n has come
	Received uint64 // without doubles
	Frames   uint64 // packets with the marker bit
}

// window is how many packets behind the highest a late one is still told from a double.
const window = 64

// Take counts one packet.
func (c *Count) Take(seq uint16, marker bool) {
	if !c.begun {
		*c = Count{begun: true, first: 1<<16 | uint64(seq), highest: 1<<16 | uint64(seq), seen: 1, Received: 1}
		c.mark(marker)
		return
	}
	step := int64(int16(seq - uint16(c.highest)))
	at := uint64(int64(c.highest) + step)
	switch {
	case step > 0:
		c.seen = c.seen<<min(uint64(step), window) | 1
		c.highest = at
	case at < c.first || -step >= window:
		return // older than what we count
	case c.seen>>uint64(-step)&1 == 1:
		return // a double
	default:
		c.seen |= 1 << uint64(-step)
	}
	c.Received++
	c.mark(marker)
}

func (c *Count) mark(marker bool) {
	if marker {
		c.Frames++
	}
}

// Lost returns how many packets between the first and the highest have not come.
func (c *Count) Lost() uint64 {
	if !c.begun {
		return 0
	}
	return c.highest - c.first + 1 - c.Received
}

// Highest returns the highest sequence number so far, extended by its wraps.
func (c *Count) Highest() uint64 { return c.highest }
