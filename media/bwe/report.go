package bwe

import (
	"encoding/binary"
	"errors"
	"time"
)

// report reads transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section
// 3.1) packet by packet, without a copy:
//
//	V=2 P FMT=15 | PT=205 | length | SSRC of sender | SSRC of media
//	base number, packet count | reference time (24 bits, 64 ms), feedback count
//	chunks of 16 bits: 0 SS run(13) | 1 0 fourteen bits | 1 1 seven pairs
//	deltas of 250 µs: one byte, or two with a sign
type report struct {
	chunks []byte // those not begun yet
	deltas []byte
	seq    uint16 // of the next packet
	left   int    // packets not told yet
	time   time.Duration

	chunk uint16
	inIt  int // packets left in chunk
}

var errReport = errors.New("not transport-wide feedback")

const (
	reportHeader = 20
	statusTick   = 250 * time.Microsecond
	refTick      = 64 * time.Millisecond
)

// Statuses of a packet. 3 is reserved and has no delta.
const (
	notReceived = iota
	smallDelta
	largeDelta
)

// readReport checks that raw is one such packet, complete, of no more packets than are remembered.
func readReport(raw []byte) (report, error) {
	if len(raw) < reportHeader || raw[0]&0xDF != 2<<6|15 || raw[1] != 205 {
		return report{}, errReport
	}
	size := 4 * (int(binary.BigEndian.Uint16(raw[2:])) + 1)
	if size < reportHeader || size > len(raw) {
		return report{}, errReport
	}
	end := size
	if raw[0]&0x20 != 0 {
		end -= int(raw[size-1])
		if end < reportHeader || end == size {
			return report{}, errReport
		}
	}
	r := report{
		seq: binary.BigEndian.Uint16(raw[12:]), left: int(binary.BigEndian.Uint16(raw[14:])),
		time: time.Duration(uint32(raw[16])<<16|uint32(raw[17])<<8|uint32(raw[18])) * refTick,
	}
	if r.left == 0 || r.left > historyLen {
		return report{}, errReport
	}
	// The deltas begin where the chunks end, and must all be there.
	body := raw[reportHeader:end]
	need, covered, at := 0, 0, 0
	for covered < r.left {
		if at+2 > len(body) {
			return report{}, errReport
		}
		chunk := binary.BigEndian.Uint16(body[at:])
		at += 2
		n := min(chunkLen(chunk), r.left-covered)
		if n == 0 {
			return report{}, errReport // a run of nothing
		}
		covered += n
		if chunk>>15 == 0 {
			need += n * deltaLen(status(chunk, 0))
			continue
		}
		for i := range n {
			need += deltaLen(status(chunk, i))
		}
	}
	r.chunks, r.deltas = body[:at], body[at:]
	if need > len(r.deltas) {
		return report{}, errReport
	}
	return r, nil
}

func chunkLen(chunk uint16) int {
	switch {
	case chunk>>15 == 0:
		return int(chunk & 0x1FFF)
	case chunk>>14 == 2:
		return 14
	}
	return 7
}

// status returns the status of the i-th packet of a chunk.
func status(chunk uint16, i int) int {
	switch {
	case chunk>>15 == 0:
		return int(chunk >> 13)
	case chunk>>14 == 2:
		return int(chunk>>(13-i)) & 1
	}
	return int(chunk>>(12-2*i)) & 3
}

func deltaLen(status int) int {
	switch status {
	case smallDelta:
		return 1
	case largeDelta:
		return 2
	}
	return 0
}

// next returns one packet after the other: when it arrived by the receiver's clock, or that it did
// not.
func (r *report) next() (seq uint16, arrived time.Duration, got, more bool) {
	if r.left == 0 {
		return 0, 0, false, false
	}
	if r.inIt == 0 {
		r.chunk = binary.BigEndian.Uint16(r.chunks)
		r.chunks = r.chunks[2:]
		r.inIt = chunkLen(r.chunk)
	}
	s := 0
	if r.chunk>>15 == 0 {
		s = status(r.chunk, 0)
	} else {
		s = status(r.chunk, chunkLen(r.chunk)-r.inIt)
	}
	seq = r.seq
	r.seq++
	r.left--
	r.inIt--
	switch s {
	case smallDelta:
		r.time += time.Duration(r.deltas[0]) * statusTick
		r.deltas = r.deltas[1:]
	case largeDelta:
		r.time += time.Duration(int16(binary.BigEndian.Uint16(r.deltas))) * statusTick
		r.deltas = r.deltas[2:]
	default:
		return seq, 0, false, true
	}
	return seq, r.time, true, true
}
