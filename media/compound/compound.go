// Package compound reads and writes the packets of RTCP (RFC 3550 section 6, RFC 4585 section 6, RFC 5104
// section 4.3.1) without allocating: who sends a thousand of them a second costs only their bytes. It
// is pure and takes any bytes; slices that it returns point into those it was given.
package compound

import "encoding/binary"

// Packet types (RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 3611 section 2).
const (
	SR    = 200 // sender report
	RR    = 201 // receiver report
	SDES  = 202 // source description
	BYE   = 203
	APP   = 204
	RTPFB = 205 // transport layer feedback
	PSFB  = 206 // payload specific feedback
	XR    = 207
)

// Formats of feedback.
const (
	NACK = 1  // RTPFB, RFC 4585 section 6.2.1
	TWCC = 15 // RTPFB, draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1
	PLI  = 1  // PSFB, RFC 4585 section 6.3.1
	FIR  = 4  // PSFB, RFC 5104 section 4.3.1
	AFB  = 15 // PSFB, application layer feedback, such as REMB
)

// Packet is one packet of a compound.
type Packet struct {
	Type  uint8
	Count uint8  // of blocks, or the format of feedback
	Raw   []byte // the whole packet
	Body  []byte // what follows the common header of 4 bytes, without padding
}

// Next returns the first packet of b and what follows it. ok is false at the end, and where the rest
// is no RTCP: nothing after that can be trusted.
func Next(b []byte) (p Packet, rest []byte, ok bool) {
	// V=2 (2) | P (1) | count (5) | type (8) | length in words - 1 (16)
	if len(b) < 4 || b[0]>>6 != 2 || b[1] < 192 || b[1] > 223 {
		return p, nil, false
	}
	n := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
	if n > len(b) {
		return p, nil, false
	}
	p = Packet{Type: b[1], Count: b[0] & 0x1f, Raw: b[:n:n], Body: b[4:n:n]}
	if b[0]&0x20 != 0 {
		if len(p.Body) == 0 {
			return Packet{}, nil, false
		}
		pad := int(b[n-1])
		if pad == 0 || pad > len(p.Body) { // browsers pad transport-wide feedback by one to three bytes
			return Packet{}, nil, false
		}
		p.Body = p.Body[:len(p.Body)-pad]
	}
	return p, b[n:], true
}

// Sender returns the SSRC of who sent a report or feedback, 0 where there is none.
func (p Packet) Sender() uint32 {
	if len(p.Body) < 4 || p.Type == SDES {
		return 0
	}
	return binary.BigEndian.Uint32(p.Body)
}

// SenderInfo is the sender's part of a sender report (RFC 3550 section 6.4.1).
type SenderInfo struct {
	NTP     uint64 // seconds since 1900 in 32.32 bits
	RTP     uint32 // the same moment by the media's clock
	Packets uint32
	Octets  uint32 // of payloads
}

// SenderInfo returns the sender's part of a sender report.
func (p Packet) SenderInfo() (i SenderInfo, ok bool) {
	if p.Type != SR || len(p.Body) < 24 {
		return i, false
	}
	b := p.Body[4:]
	return SenderInfo{
		NTP: binary.BigEndian.Uint64(b), RTP: binary.BigEndian.Uint32(b[8:]),
		Packets: binary.BigEndian.Uint32(b[12:]), Octets: binary.BigEndian.Uint32(b[16:]),
	}, true
}

// Block is a report block (RFC 3550 section 6.4.1).
type Block struct {
	SSRC     uint32
	Fraction uint8  // lost since the last report, in 1/256
	Lost     int32  // in all, 24 bits
	Highest  uint32 // extended sequence number
	Jitter   uint32 // ticks of the media's clock
	LSR      uint32 // the middle 32 bits of the last sender report's time; 0: none
	DLSR     uint32 // since then, in 1/65536 s
}

// blockSize is that of a report block in bytes.
const blockSize = 24

// Block returns report block i of a sender or receiver report; false where there are no more.
func (p Packet) Block(i int) (r Block, ok bool) {
	at := 4
	switch p.Type {
	case SR:
		at = 24
	case RR:
	default:
		return r, false
	}
	at += i * blockSize
	if i < 0 || i >= int(p.Count) || at+blockSize > len(p.Body) {
		return r, false
	}
	b := p.Body[at:]
	return Block{
		SSRC: binary.BigEndian.Uint32(b), Fraction: b[4], Lost: int32(binary.BigEndian.Uint32(b[4:])<<8) >> 8,
		Highest: binary.BigEndian.Uint32(b[8:]), Jitter: binary.BigEndian.Uint32(b[12:]),
		LSR: binary.BigEndian.Uint32(b[16:]), DLSR: binary.BigEndian.Uint32(b[20:]),
	}, true
}

// Feedback returns the SSRC that a feedback packet is about and its control information (RFC 4585
// section 6.1).
func (p Packet) Feedback() (media uint32, fci []byte, ok bool) {
	if p.Type != RTPFB && p.Type != PSFB || len(p.Body) < 8 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(p.Body[4:]), p.Body[8:], true
}

// Lost appends the sequence numbers that a NACK asks for to out, as many as out has room for.
func Lost(fci []byte, out []uint16) []uint16 {
	for len(fci) >= 4 {
		pid, bits := binary.BigEndian.Uint16(fci), binary.BigEndian.Uint16(fci[2:])
		fci = fci[4:]
		for seq := pid; ; seq++ {
			if len(out) == cap(out) {
				return out
			}
			if seq == pid || bits&1 != 0 {
				out = append(out, seq)
			}
			if seq != pid {
				bits >>= 1
			}
			if bits == 0 {
				break
			}
		}
	}
	return out
}

// Intra returns the SSRC that entry i of a full intra request is about; false where there are no more.
func Intra(fci []byte, i int) (ssrc uint32, ok bool) {
	if i < 0 || 8*i+8 > len(fci) {
		return 0, false
	}
	return binary.BigEndian.Uint32(fci[8*i:]), true
}
