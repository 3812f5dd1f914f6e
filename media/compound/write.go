package compound

import "encoding/binary"

// maxBlocks is how many report blocks one packet can have, 5 bits.
const maxBlocks = 31

// head appends a common header for a body of so many bytes.
func head(b []byte, count int, kind uint8, body int) []byte {
	return binary.BigEndian.AppendUint16(append(b, 2<<6|uint8(count), kind), uint16(body/4))
}

// AppendSR appends a sender report with up to 31 blocks.
func AppendSR(b []byte, sender uint32, i SenderInfo, blocks []Block) []byte {
	blocks = blocks[:min(len(blocks), maxBlocks)]
	b = head(b, len(blocks), SR, 24+blockSize*len(blocks))
	b = binary.BigEndian.AppendUint32(b, sender)
	b = binary.BigEndian.AppendUint64(b, i.NTP)
	b = binary.BigEndian.AppendUint32(b, i.RTP)
	b = binary.BigEndian.AppendUint32(b, i.Packets)
	b = binary.BigEndian.AppendUint32(b, i.Octets)
	return appendBlocks(b, blocks)
}

// AppendRR appends a receiver report with up to 31 blocks.
func AppendRR(b []byte, sender uint32, blocks []Block) []byte {
	blocks = blocks[:min(len(blocks), maxBlocks)]
	b = head(b, len(blocks), RR, 4+blockSize*len(blocks))
	return appendBlocks(binary.BigEndian.AppendUint32(b, sender), blocks)
}

func appendBlocks(b []byte, blocks []Block) []byte {
	for i := range blocks {
		r := &blocks[i]
		b = binary.BigEndian.AppendUint32(b, r.SSRC)
		b = binary.BigEndian.AppendUint32(b, uint32(r.Fraction)<<24|uint32(max(-1<<23, min(1<<23-1, r.Lost)))&0xffffff)
		b = binary.BigEndian.AppendUint32(b, r.Highest)
		b = binary.BigEndian.AppendUint32(b, r.Jitter)
		b = binary.BigEndian.AppendUint32(b, r.LSR)
		b = binary.BigEndian.AppendUint32(b, r.DLSR)
	}
	return b
}

// AppendCNAME appends a source description with the canonical name of one SSRC (RFC 3550 section 6.5.1),
// which every compound must have. name has up to 255 bytes.
func AppendCNAME(b []byte, ssrc uint32, name string) []byte {
	name = name[:min(len(name), 255)]
	body := 4 + 2 + len(name) + 1 // the list of items ends with a zero
	pad := -body & 3
	b = binary.BigEndian.AppendUint32(head(b, 1, SDES, body+pad), ssrc)
	b = append(append(b, 1, uint8(len(name))), name...)
	return append(b, make([]byte, 1+pad)...)
}

// AppendNACK appends a request for the packets seqs of media, which must be in ascending order. Nothing
// is appended for none.
func AppendNACK(b []byte, sender, media uint32, seqs []uint16) []byte {
	if len(seqs) == 0 {
		return b
	}
	at := len(b)
	b = feedback(b, NACK, RTPFB, sender, media)
	for i := 0; i < len(seqs); {
		pid, bits := seqs[i], uint16(0)
		for i++; i < len(seqs) && seqs[i]-pid-1 < 16; i++ {
			bits |= 1 << (seqs[i] - pid - 1)
		}
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, pid), bits)
	}
	binary.BigEndian.PutUint16(b[at+2:], uint16((len(b)-at)/4-1))
	return b
}

// AppendPLI appends a picture loss indication for media.
func AppendPLI(b []byte, sender, media uint32) []byte { return feedback(b, PLI, PSFB, sender, media) }

func feedback(b []byte, format int, kind uint8, sender, media uint32) []byte {
	b = head(b, format, kind, 8)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, sender), media)
}
