// Package red reads and builds redundant audio (RFC 2198): a packet that carries, besides its own
// frame, copies of earlier ones, so that what is lost comes with a later packet. It is pure and
// takes any bytes; slices that it returns point into those it was given.
package red

import (
	"encoding/binary"
	"errors"
)

// Limits of RFC 2198 section 3, and of what one packet holds here.
const (
	// MaxBlocks is how many blocks a packet may have, the primary included. Senders use 2 to 4.
	MaxBlocks = 16
	// MaxDepth is how many earlier frames Append puts into a packet at most. Each costs the bit rate
	// of the stream once more.
	MaxDepth = 3
	// maxOffset is the largest timestamp offset, of 14 bits: 341 ms of Opus.
	maxOffset = 1<<14 - 1
	// maxLength is the largest redundant block in bytes, of 10 bits.
	maxLength = 1<<10 - 1
)

// Why a payload is not redundant audio.
var (
	ErrShort = errors.New("redundant audio is shorter than it says")
	ErrMany  = errors.New("redundant audio has too many blocks")
)

// Block is one block of a packet.
type Block struct {
	PT     uint8
	Offset uint32 // ticks before the packet's own timestamp; 0 for the primary
	Data   []byte
}

// Parse appends the blocks of a payload to out, oldest first, the primary last. It allocates
// nothing where out has room for MaxBlocks. Errors are ErrShort and ErrMany, and leave out as it was.
func Parse(b []byte, out []Block) ([]Block, error) {
	// 1 | block PT (7) | timestamp offset (14) | block length (10), and in the end 0 | block PT (7)
	heads, total := 0, 0
	for {
		rest := b[4*heads:]
		if len(rest) == 0 {
			return out, ErrShort
		}
		if rest[0]&0x80 == 0 {
			break
		}
		if len(rest) < 4 {
			return out, ErrShort
		}
		if heads == MaxBlocks-1 {
			return out, ErrMany
		}
		total += int(binary.BigEndian.Uint16(rest[2:])) & maxLength
		heads++
	}
	data := b[4*heads+1:]
	if total > len(data) {
		return out, ErrShort
	}
	for i := range heads {
		w := binary.BigEndian.Uint32(b[4*i:])
		n := int(w & maxLength)
		out = append(out, Block{PT: uint8(w>>24) & 0x7f, Offset: w >> 10 & maxOffset, Data: data[:n:n]})
		data = data[n:]
	}
	return append(out, Block{PT: b[4*heads] & 0x7f, Data: data}), nil
}

// Frame is one Opus packet with the numbers of the RTP packet that it came in, or would have.
type Frame struct {
	Seq       uint16
	TS        uint32
	Data      []byte
	Recovered bool // it came as a copy in a later packet
}

// Append appends a payload with primary and as many of past as fit: past is newest first, at most
// MaxDepth of them are taken, up to the first that is empty, longer than a block may be, or further
// back than an offset can say. limit bounds the payload in bytes; only a primary that is longer by
// itself goes beyond it. pt is the payload type of the frames.
func Append(dst []byte, pt uint8, primary Frame, past []Frame, limit int) []byte {
	n, size := 0, 1+len(primary.Data)
	for n < len(past) && n < MaxDepth {
		f := &past[n]
		offset := primary.TS - f.TS
		size += 4 + len(f.Data)
		if len(f.Data) == 0 || len(f.Data) > maxLength || offset == 0 || offset > maxOffset || size > limit {
			break
		}
		n++
	}
	for i := n - 1; i >= 0; i-- {
		f := &past[i]
		dst = binary.BigEndian.AppendUint32(dst, 1<<31|uint32(pt&0x7f)<<24|(primary.TS-f.TS)<<10|uint32(len(f.Data)))
	}
	dst = append(dst, pt&0x7f)
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, past[i].Data...)
	}
	return append(dst, primary.Data...)
}

// wanted is how many earlier frames are to go along with each packet to a receiver that loses the share loss
// (0..1) and gets was now. It deepens at once, and gives back only where loss is less than half of
// what the step was for, so that a link at the edge does not swing. Measured with random loss and
// 40 ms round trip, one copy leaves p² of the sound lost, two p³: MaxDepth is for a quarter and more.
func wanted(was int, loss float64) int {
	steps := [MaxDepth]float64{0.05, 0.10, 0.25}
	up, keep := 0, 0
	for i, at := range steps {
		if loss > at {
			up = i + 1
		}
		if loss > at/2 {
			keep = i + 1
		}
	}
	return max(up, min(was, keep))
}
