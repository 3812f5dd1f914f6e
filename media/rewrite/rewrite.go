// Package rewrite keeps what one receiver gets continuous when the source behind it changes: RTP
// sequence numbers, timestamps and VP8 picture ids go on where they stood (RFC 3550 section 5.1,
// RFC 7741 section 4.2). It is pure; one goroutine owns a Stream.
package rewrite

import "jedel/media/codec"

// youth is after how many packets of a source nothing from before its first one is expected.
const youth = 1024

// window is how far a packet may be behind the newest.
const window = 1024

// patience is how many packets in a row with impossible numbers make a source one that has begun anew.
const patience = 50

// Stream is the outgoing side of one slot. Its zero value has sent nothing.
type Stream struct {
	clock   uint32 // RTP ticks per second
	source  uint64
	started bool

	lastSeq uint16 // the highest sent
	lastTS  uint32
	lastAt  int64 // when, in nanoseconds

	seqOff uint16 // out = in + off
	tsOff  uint32
	first  uint16 // the source's sequence number at its first packet; older ones belong to nobody
	young  bool   // first still says what is older: sequence numbers have not come round

	sent [window / 64]uint64 // which of the numbers up to lastSeq have been used, by number

	refused int // packets in a row whose number could not be used

	pidOff   uint16
	tl0Off   uint8
	lastPID  uint16
	lastTL0  uint8
	sentPIDs bool
}

// New returns the stream of a slot whose clock ticks so often per second.
func New(clock uint32) Stream { return Stream{clock: clock} }

// Packet is what of a packet is rewritten.
type Packet struct {
	Seq uint16
	TS  uint32
}

// Next translates a packet of source that arrived at nanosecond at. ok is false for a packet that
// must not be sent: one from before the moment the source was switched in, one that is older than
// window, and one whose number has been used: a number that is sealed twice with other bytes gives the
// key of SRTP's tags away (RFC 7714 section 9.1).
func (s *Stream) Next(source uint64, in Packet, at int64) (out Packet, switched, ok bool) {
	if !s.started || s.source != source {
		s.begin(source, in, at)
		switched = true
	}
	out, ok = s.place(in, switched)
	if !ok {
		if s.refused++; s.refused < patience {
			return Packet{}, switched, false
		}
		s.begin(source, in, at) // it has begun to count anew
		switched = true
		out, _ = s.place(in, true)
	}
	s.refused = 0
	if switched || int16(out.Seq-s.lastSeq) > 0 {
		s.lastSeq, s.lastAt = out.Seq, at
		if switched || int32(out.TS-s.lastTS) > 0 {
			s.lastTS = out.TS
		}
	}
	return out, switched, true
}

// place returns the place of a packet of the present source, and uses it.
func (s *Stream) place(in Packet, first bool) (out Packet, ok bool) {
	if behind := int16(in.Seq - s.first); s.young && behind < 0 {
		return out, false
	} else if behind > youth {
		s.young = false
	}
	out = Packet{Seq: in.Seq + s.seqOff, TS: in.TS + s.tsOff}
	return out, s.use(out.Seq, first)
}

// use marks a number as used; false where it was, or is too old to know. first tells that nothing after
// lastSeq was.
func (s *Stream) use(seq uint16, first bool) bool {
	ahead := int(int16(seq - s.lastSeq))
	if first && ahead != 1 { // the very first packet
		s.sent, ahead = [window / 64]uint64{}, 1
	}
	for i := range min(max(ahead, 0), window) { // numbers that were skipped are free
		n := (seq - uint16(i)) % window
		s.sent[n/64] &^= 1 << (n % 64)
	}
	bit := uint64(1) << (seq % 64)
	word := &s.sent[seq%window/64]
	if ahead <= -window || *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// begin sets the offsets so that the first packet of source follows what was sent: the next
// sequence number, and a timestamp later by the time that has passed.
func (s *Stream) begin(source uint64, in Packet, at int64) {
	if s.started {
		elapsed := uint32(max(1, int64(s.clock)*max(0, at-s.lastAt)/1e9))
		s.seqOff = s.lastSeq + 1 - in.Seq
		s.tsOff = s.lastTS + elapsed - in.TS
	}
	s.source, s.started, s.first, s.young = source, true, in.Seq, true
}

// VP8 rewrites the descriptor of a VP8 payload in place so that picture ids go on; switched tells
// that this is the first packet of a new source.
func (s *Stream) VP8(payload []byte, switched bool) {
	d, ok := codec.ParseVP8(payload)
	if !ok || d.PictureIDLen == 0 {
		return
	}
	if switched && s.sentPIDs {
		s.pidOff = s.lastPID + 1 - d.PictureID
		s.tl0Off = s.lastTL0 + 1 - d.TL0
	}
	pid, tl0 := s.descriptor(payload, d)
	s.lastPID, s.lastTL0, s.sentPIDs = pid, tl0, true
}
