package rewrite

import (
	"encoding/binary"

	"jedel/media/codec"
)

// Shift is what is added to the present source's timestamps.
func (s *Stream) Shift() uint32 { return s.tsOff }

// Last returns the latest timestamp that was sent and the nanosecond at which its packet arrived; ok is
// false before the first.
func (s *Stream) Last() (ts uint32, at int64, ok bool) { return s.lastTS, s.lastAt, s.started }

// Original returns the number that a sent packet had at its source; ok is false for one that the present
// source did not send, or that is too old to know.
func (s *Stream) Original(source uint64, sent uint16) (seq uint16, ok bool) {
	behind := int(int16(s.lastSeq - sent))
	if !s.started || s.source != source || behind < 0 || behind >= window {
		return 0, false
	}
	seq = sent - s.seqOff
	return seq, !s.young || int16(seq-s.first) >= 0
}

// Sent returns the number that a packet of the present source was sent with.
func (s *Stream) Sent(seq uint16) uint16 { return seq + s.seqOff }

// VP8Again rewrites the descriptor of a payload of the present source as VP8 did when it was first
// sent, and changes nothing else.
func (s *Stream) VP8Again(payload []byte) {
	if d, ok := codec.ParseVP8(payload); ok && d.PictureIDLen > 0 {
		s.descriptor(payload, d)
	}
}

// descriptor writes picture id and TL0PICIDX as the receiver is to see them, and returns them.
func (s *Stream) descriptor(payload []byte, d codec.VP8Descriptor) (pid uint16, tl0 uint8) {
	pid, tl0 = (d.PictureID+s.pidOff)&0x7fff, d.TL0+s.tl0Off
	if d.PictureIDLen == 2 {
		binary.BigEndian.PutUint16(payload[d.PictureIDAt:], pid|0x8000)
	} else {
		pid &= 0x7f
		payload[d.PictureIDAt] = byte(pid)
	}
	if d.TL0At > 0 {
		payload[d.TL0At] = tl0
	}
	return pid, tl0
}
