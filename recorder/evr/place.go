package evr

import "bytes"

// maxPlaced is how many faults of a scan are examined for where they stand. The first matters.
const maxPlaced = 16

// slack is how far a bad block's time may stand from that of the block before it and still be
// believed, in nanoseconds: a long silence, not a flipped high bit.
const slack = 60_000_000_000

// place tells which stream and time the bad block at the front of raw belongs to. raw reaches to
// the next good block. One wrong bit of the header is found through the checksum; otherwise the
// header is believed where it is likely. last is the time of the block before.
func place(raw []byte, last uint64) (BlockHeader, bool) {
	if len(raw) < HeaderSize {
		return BlockHeader{}, false
	}
	head := bytes.Clone(raw)
	copy(head, blockMagic)
	putLen(head, uint32(len(raw)-HeaderSize))
	h, err := DecodeBlockHeader(head)
	if err != nil {
		return BlockHeader{}, false
	}
	if CheckBlock(head, h) == nil { // only magic or length were wrong
		return h, true
	}
	for bit := 12 * 8; bit < HeaderSize*8; bit++ {
		head[bit/8] ^= 1 << (bit % 8)
		if g, err := DecodeBlockHeader(head); err == nil && CheckBlock(head, g) == nil {
			return g, true
		}
		head[bit/8] ^= 1 << (bit % 8)
	}
	likely := h.Epoch == uint32(h.T/EpochTime) && h.T+slack >= last && h.T <= last+slack && h.Kind >= BlockMedia && h.Kind <= BlockRecovery
	return h, likely
}
