package derive

import "encoding/binary"

// redBlock is one block of a redundant audio packet.
type redBlock struct {
	pt   uint8
	back int64 // ticks before the packet's own timestamp
	data []byte
}

// maxRedBlocks bounds what one packet may carry; senders use 1 to 3.
const maxRedBlocks = 16

// parseRED splits a payload of RFC 2198: headers of 4 bytes with the redundant blocks, oldest
// first, one of 1 byte for the newest, then the blocks. It appends to out and reports false for
// anything else.
func parseRED(b []byte, out []redBlock) ([]redBlock, bool) {
	type head struct {
		pt   uint8
		back int64
		n    int
	}
	var heads [maxRedBlocks]head
	n, total := 0, 0
	for {
		if len(b) == 0 {
			return out, false
		}
		if b[0]&0x80 == 0 {
			break
		}
		if len(b) < 4 || n == maxRedBlocks-1 {
			return out, false
		}
		w := binary.BigEndian.Uint32(b)
		heads[n] = head{uint8(w>>24) & 0x7f, int64(w >> 10 & 0x3fff), int(w & 0x3ff)}
		total += heads[n].n
		n++
		b = b[4:]
	}
	last := b[0] & 0x7f
	b = b[1:]
	if total > len(b) {
		return out, false
	}
	for _, h := range heads[:n] {
		out = append(out, redBlock{h.pt, h.back, b[:h.n]})
		b = b[h.n:]
	}
	return append(out, redBlock{last, 0, b}), true
}
