// Package h264 has what must be known of H.264 to pass it on: pictures, whether they can be shown
// one after the other, and their packets. It is pure and takes any bytes.
package h264

import (
	"encoding/binary"
	"iter"
	"slices"
	"time"
)

// Clock is how many ticks of a Picture's time make a second (RFC 6184 section 8.2.1).
const Clock = 90000

// Kinds of NAL units (ITU-T H.264 table 7-1) that are looked for.
const (
	unitSlice     = 1
	unitPartA     = 2
	unitIDR       = 5
	unitSPS       = 7
	unitPPS       = 8
	unitDelimiter = 9
	unitFiller    = 12
)

// Picture is one access unit. Its bytes are shared by everybody who has it: nobody changes them.
type Picture struct {
	NALUs [][]byte  // without start codes; those of a key picture begin with SPS and PPS
	TS    int64     // ticks of Clock; rises from picture to picture of one source
	At    time.Time // when it arrived, by our clock
	Key   bool      // can be decoded by itself
}

// Size is the picture's length in bytes.
func (p Picture) Size() int {
	n := 0
	for _, u := range p.NALUs {
		n += len(u)
	}
	return n
}

func kind(nalu []byte) byte {
	if len(nalu) == 0 {
		return 0
	}
	return nalu[0] & 0x1f
}

// Key reports whether an access unit has an IDR slice.
func Key(nalus [][]byte) bool {
	return slices.ContainsFunc(nalus, func(u []byte) bool { return kind(u) == unitIDR })
}

// Reordered reports whether an access unit has a B slice (ITU-T H.264 table 7-6): a browser shows
// pictures as they come and cannot wait for a later one.
func Reordered(nalus [][]byte) bool {
	return slices.ContainsFunc(nalus, func(u []byte) bool {
		if k := kind(u); k != unitSlice && k != unitPartA {
			return false
		}
		b := bits{b: u[1:]}
		b.golomb() // first_mb_in_slice
		t, ok := b.golomb()
		return ok && t%5 == 1
	})
}

// bits reads Exp-Golomb numbers (ITU-T H.264 section 9.1).
type bits struct {
	b  []byte
	at int
}

func (r *bits) bit() (uint32, bool) {
	if r.at >= 8*len(r.b) {
		return 0, false
	}
	v := r.b[r.at/8] >> (7 - r.at%8) & 1
	r.at++
	return uint32(v), true
}

func (r *bits) golomb() (uint32, bool) {
	zeros := 0
	for {
		v, ok := r.bit()
		if !ok || zeros > 31 {
			return 0, false
		}
		if v == 1 {
			break
		}
		zeros++
	}
	n := uint32(1)
	for range zeros {
		v, ok := r.bit()
		if !ok {
			return 0, false
		}
		n = n<<1 | v
	}
	return n - 1, true
}

// Sets are the parameter sets without which no picture can be decoded.
type Sets struct{ SPS, PPS []byte }

// Complete reports whether both are known.
func (s Sets) Complete() bool { return len(s.SPS) > 3 && len(s.PPS) > 0 }

// Same reports whether o has the same bytes.
func (s Sets) Same(o Sets) bool { return slices.Equal(s.SPS, o.SPS) && slices.Equal(s.PPS, o.PPS) }

// Tidy takes an access unit as a camera sends it. It returns what is worth passing on: without
// delimiters, filler and empty units; and before an IDR slice always the newest parameter sets,
// which s keeps. Nothing is copied.
func (s *Sets) Tidy(nalus [][]byte) [][]byte {
	out := make([][]byte, 0, len(nalus)+2)
	for _, u := range nalus {
		switch kind(u) {
		case 0, unitDelimiter, unitFiller:
		case unitSPS:
			s.SPS = u
		case unitPPS:
			s.PPS = u
		default:
			out = append(out, u)
		}
	}
	if Key(out) && s.Complete() {
		out = slices.Insert(out, 0, s.SPS, s.PPS)
	}
	return out
}

// Sets returns the parameter sets that a key picture begins with.
func (p Picture) Sets() Sets {
	if !p.Key || len(p.NALUs) < 2 {
		return Sets{}
	}
	return Sets{SPS: p.NALUs[0], PPS: p.NALUs[1]}
}

// Packets yields the RTP payloads of an access unit (RFC 6184 sections 5.6, 5.7.1 and 5.8), each at
// most len(buf) bytes, and whether it is the last one. What it yields lies in buf, or in the unit
// itself, and holds until the next. len(buf) is at least 64.
func Packets(nalus [][]byte, buf []byte) iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		for i := 0; i < len(nalus); {
			if n := together(nalus[i:], len(buf)); n > 1 {
				if !yield(aggregate(nalus[i:i+n], buf), i+n == len(nalus)) {
					return
				}
				i += n
				continue
			}
			if !fragments(nalus[i], buf, i+1 == len(nalus), yield) {
				return
			}
			i++
		}
	}
}

// together is how many units fit in one STAP-A.
func together(nalus [][]byte, room int) int {
	n, size := 0, 1
	for _, u := range nalus {
		if size += 2 + len(u); size > room {
			break
		}
		n++
	}
	return n
}

func aggregate(nalus [][]byte, buf []byte) []byte {
	buf[0] = 24
	at := 1
	for _, u := range nalus {
		buf[0] = max(buf[0]&0x60, u[0]&0x60) | 24
		binary.BigEndian.PutUint16(buf[at:], uint16(len(u)))
		at += 2 + copy(buf[at+2:], u)
	}
	return buf[:at]
}

// fragments yields a unit whole, or as FU-A.
func fragments(u, buf []byte, final bool, yield func([]byte, bool) bool) bool {
	if len(u) <= len(buf) {
		return yield(u, final)
	}
	buf[0] = u[0]&0xe0 | 28
	first := byte(0x80)
	for rest := u[1:]; len(rest) > 0; first = 0 {
		n := min(len(rest), len(buf)-2)
		end := byte(0)
		if n == len(rest) {
			end = 0x40
		}
		buf[1] = first | end | u[0]&0x1f
		copy(buf[2:], rest[:n])
		rest = rest[n:]
		if !yield(buf[:2+n], final && end != 0) {
			return false
		}
	}
	return true
}
