package derive

import "encoding/binary"

// header is the part of an RTP header (RFC 3550 section 5.1) that is needed here.
type header struct {
	ssrc, ts uint32
	seq      uint16
	pt       uint8
	marker   bool
	head     uint16 // bytes before the payload
	pad      uint8  // bytes after it
}

// parseRTP reads the header of b. It reports false for anything that is not an RTP packet of at
// most 65535 bytes.
func parseRTP(b []byte) (header, bool) {
	if len(b) < 12 || len(b) > 65535 || b[0]>>6 != 2 {
		return header{}, false
	}
	h := header{
		marker: b[1]&0x80 != 0,
		pt:     b[1] & 0x7f,
		seq:    binary.BigEndian.Uint16(b[2:]),
		ts:     binary.BigEndian.Uint32(b[4:]),
		ssrc:   binary.BigEndian.Uint32(b[8:]),
	}
	head := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // extension: 4 bytes, then as many words as they say
		if len(b) < head+4 {
			return header{}, false
		}
		head += 4 + 4*int(binary.BigEndian.Uint16(b[head+2:]))
	}
	if head > len(b) {
		return header{}, false
	}
	if b[0]&0x20 != 0 {
		pad := int(b[len(b)-1])
		if pad == 0 || head+pad > len(b) {
			return header{}, false
		}
		h.pad = uint8(pad)
	}
	h.head = uint16(head)
	return h, true
}

// senderReport is the clock line of an RTCP sender report: this RTP time was this wall time.
type senderReport struct {
	at   int64 // arrival, nanoseconds since the call was opened
	ntp  int64 // nanoseconds since 1900 by the sender's clock
	rtp  uint32
	ssrc uint32
}

// senderReports finds the sender reports (RFC 3550 section 6.4.1) in a compound RTCP packet.
// Reading ends at the first malformed part.
func senderReports(at int64, b []byte, yield func(senderReport)) {
	for len(b) >= 4 && b[0]>>6 == 2 {
		n := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if n > len(b) {
			return
		}
		if b[1] == 200 && n >= 28 {
			sec, frac := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
			if sec != 0 { // 0 means that the sender has no wall clock
				yield(senderReport{
					at:   at,
					ntp:  int64(sec)*1e9 + int64(uint64(frac)*1e9>>32),
					rtp:  binary.BigEndian.Uint32(b[16:]),
					ssrc: binary.BigEndian.Uint32(b[4:]),
				})
			}
		}
		b = b[n:]
	}
}

// ticksNs converts RTP ticks to nanoseconds without overflow.
func ticksNs(ticks, clock int64) int64 {
	return ticks/clock*1e9 + ticks%clock*1e9/clock
}
