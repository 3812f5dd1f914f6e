package red

import "jedel/media/codec"

// Bounds of an Unwrapper.
const (
	// window is how many sequence numbers back a frame may be to be taken: 1.3 s of 20 ms frames.
	// Older sound is of no use to who listens. A power of two.
	window = 64
	// restart is a jump of sequence numbers that is no loss: the sender began anew.
	restart = 1000
)

// Unwrapper turns the packets of one sender into single frames, for receivers that do not know
// redundant audio: copies fill the places of packets that did not come, and nothing comes twice.
// The sender may change between redundant and plain packets at any time. Make it with NewUnwrapper;
// one owner at a time.
type Unwrapper struct {
	pt      uint8
	started bool
	strange bool   // odd is set
	highest uint16 // newest sequence number
	odd     uint16 // the last one that was far from the others
	known   [window]known
}

// known is a frame that was taken. It stands at its sequence number modulo window.
type known struct {
	ts  uint32
	seq uint16
	ok  bool
}

// NewUnwrapper returns the unwrapper of a sender whose frames have payload type pt; blocks of
// other types, such as tones, are passed over.
func NewUnwrapper(pt uint8) Unwrapper { return Unwrapper{pt: pt} }

// Plain takes a packet that is not redundant. It reports whether its frame is wanted: false for one
// that was there already, or is too old.
func (u *Unwrapper) Plain(seq uint16, ts uint32) bool { return u.accept(seq, ts) }

// Unwrap takes a redundant packet and appends the frames that it brings to out, oldest first: those
// that were missing and, unless it was there already, its own. Nothing is allocated where out has
// room for MaxBlocks. Errors are those of Parse; nothing is taken then.
func (u *Unwrapper) Unwrap(seq uint16, ts uint32, payload []byte, out []Frame) ([]Frame, error) {
	var room [MaxBlocks]Block
	blocks, err := Parse(payload, room[:0])
	if err != nil {
		return out, err
	}
	last := len(blocks) - 1
	fresh := u.accept(seq, ts)
	if !fresh && !u.near(seq) {
		return out, nil
	}
	for i, b := range blocks[:last] {
		if b.PT != u.pt || len(b.Data) == 0 || b.Offset == 0 {
			continue
		}
		if s, ok := u.place(seq, ts, b, last-i); ok && u.accept(s, ts-b.Offset) {
			out = append(out, Frame{Seq: s, TS: ts - b.Offset, Data: b.Data, Recovered: true})
		}
	}
	if b := blocks[last]; fresh && b.PT == u.pt && len(b.Data) > 0 {
		out = append(out, Frame{Seq: seq, TS: ts, Data: b.Data})
	}
	return out, nil
}

// near reports whether seq is within the window.
func (u *Unwrapper) near(seq uint16) bool { return u.highest-seq < window }

// accept notes a frame; false for one that is known or too old.
func (u *Unwrapper) accept(seq uint16, ts uint32) bool {
	ahead := int(int16(seq - u.highest))
	switch {
	case !u.started:
	case ahead > window:
		u.known = [window]known{}
	case ahead > 0:
	case ahead <= -restart && u.strange && seq == u.odd+1: // RFC 3550 A.1: two in a row are a new beginning
		u.known = [window]known{}
		ahead = 1
	case ahead <= -restart:
		u.odd, u.strange = seq, true
		return false
	case ahead <= -window:
		return false
	}
	k := &u.known[seq%window]
	if k.ok && k.seq == seq {
		return false
	}
	if !u.started || ahead > 0 {
		u.started, u.strange, u.highest = true, false, seq
	}
	*k = known{ts: ts, seq: seq, ok: true}
	return true
}

// place finds the sequence number of a copy in packet seq, position blocks before its primary. The
// format does not tell it. It lies between the known frames before and after it in time. Where that
// leaves a choice, the blocks are frames in a row, as encoders make them; else the time tells how
// many frames of this length lie between.
func (u *Unwrapper) place(seq uint16, ts uint32, b Block, position int) (uint16, bool) {
	at := ts - b.Offset
	after, before := 0, window // the copy is between after and before places behind seq
	for back := 1; back < window; back++ {
		s := seq - uint16(back)
		k := &u.known[s%window]
		if !k.ok || k.seq != s {
			continue
		}
		if k.ts == at {
			return 0, false // it is there
		}
		if int32(k.ts-at) < 0 {
			before = back
			break
		}
		after = back
	}
	ticks := codec.OpusTicks(b.Data)
	if ticks == 0 {
		return 0, false // no decoder would take it
	}
	back := int(b.Offset) / ticks
	switch {
	case before-after == 2:
		back = after + 1
	case position > after && position < before:
		back = position
	case int(b.Offset)%ticks == 0 && back > after && back < before:
	default:
		return 0, false
	}
	return seq - uint16(back), true
}
