package peer

// count tells the packets of one RTP stream apart: new, late, doubled, missing. The zero value is
// a stream before its first packet.
type count struct {
	begun    bool
	first    uint64 // extended sequence numbers (RFC 3550 appendix A.1)
	highest  uint64
	seen     uint64 // bit n: highest-n has come
	received uint64 // without doubles
	frames   uint64 // packets with the marker bit
}

// window is how many packets behind the highest a late one is still told from a double.
const window = 64

// take counts one packet.
func (c *count) take(seq uint16, marker bool) {
	if !c.begun {
		*c = count{begun: true, first: 1<<16 | uint64(seq), highest: 1<<16 | uint64(seq), seen: 1, received: 1}
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
	c.received++
	c.mark(marker)
}

func (c *count) mark(marker bool) {
	if marker {
		c.frames++
	}
}

// lost returns how many packets between the first and the highest have not come.
func (c *count) lost() uint64 {
	if !c.begun {
		return 0
	}
	return c.highest - c.first + 1 - c.received
}
