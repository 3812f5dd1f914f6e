package evr

import "bytes"

// maxPlaced is how many faults of a scan are examined for where they stand. The first matters.
const maxPlaced = 16

// Slack is how far a bad block's time may stand from those of its neighbours and still be believed,
// in nanoseconds. Forward: a long silence, not a flipped high bit. Backward: blocks of one flush
// stand in the order of the streams, and a slow disk makes flushes long.
const (
	slackForward  = 60_000_000_000
	slackBackward = 1_000_000_000
)

// neighbours are what stands about a bad block.
type neighbours struct {
	last uint64 // T of the block before
	leaf uint64 // that should stand here
	next uint64 // T of the next good block, or MaxTime
}

// likely tells whether a header that cannot be proven may be believed.
func (n neighbours) likely(h BlockHeader) bool {
	return h.Leaf == n.leaf && h.Epoch == uint32(h.T/EpochTime) && h.Kind >= BlockMedia && h.Kind <= BlockRecovery &&
		h.T+slackBackward >= n.last && h.T <= n.last+slackForward && h.T <= n.next+slackBackward
}

// place tells which stream and time the bad block at the front of raw belongs to. raw reaches to
// the next good block. One wrong bit of the header is found through the checksum; otherwise the
// header is believed where it is likely.
func place(raw []byte, about neighbours) (BlockHeader, bool) {
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
	return h, about.likely(h)
}
