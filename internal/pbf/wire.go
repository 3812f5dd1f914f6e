package pbf

import (
	"encoding/binary"
	"math"
)

// field is one field of a protobuf message: a number, or bytes.
type field struct {
	num  uint64
	n    uint64 // of a varint or fixed field
	data []byte // of a field with a length; nil else
}

// fields goes through a message. It stops at the first field that is not whole and remembers that.
type fields struct {
	rest []byte
	bad  bool
}

// next reports whether there was a field.
func (f *fields) next() (field, bool) {
	if len(f.rest) == 0 || f.bad {
		return field{}, false
	}
	key, ok := f.varint()
	out := field{num: key >> 3}
	if !ok || out.num == 0 {
		f.bad = true
		return field{}, false
	}
	switch key & 7 {
	case 0:
		out.n, ok = f.varint()
	case 1:
		out.n, ok = f.fixed(8)
	case 2:
		out.data, ok = f.bytes()
	case 5:
		out.n, ok = f.fixed(4)
	default: // groups, which nobody writes
		ok = false
	}
	f.bad = !ok
	return out, ok
}

func (f *fields) varint() (uint64, bool) {
	v, n := binary.Uvarint(f.rest)
	if n <= 0 {
		return 0, false
	}
	f.rest = f.rest[n:]
	return v, true
}

func (f *fields) fixed(size int) (uint64, bool) {
	if len(f.rest) < size {
		return 0, false
	}
	var wide [8]byte
	copy(wide[:], f.rest[:size])
	f.rest = f.rest[size:]
	return binary.LittleEndian.Uint64(wide[:]), true
}

func (f *fields) bytes() ([]byte, bool) {
	size, ok := f.varint()
	if !ok || size > uint64(len(f.rest)) {
		return nil, false
	}
	out := f.rest[:size:size]
	f.rest = f.rest[size:]
	return out, true
}

// numbers goes through a packed list of varints.
type numbers struct {
	rest []byte
	bad  bool
}

func (n *numbers) more() bool { return len(n.rest) > 0 && !n.bad }

func (n *numbers) unsigned() uint64 {
	v, size := binary.Uvarint(n.rest)
	if size <= 0 {
		n.bad, n.rest = true, nil
		return 0
	}
	n.rest = n.rest[size:]
	return v
}

// signed reads a zigzag number.
func (n *numbers) signed() int64 { return zigzag(n.unsigned()) }

func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// degrees turns units of a block into degrees; false where that is not on earth.
func degrees(offset, granularity, units int64, limit float64) (float64, bool) {
	d := 1e-9 * (float64(offset) + float64(granularity)*float64(units))
	return d, math.Abs(d) <= limit
}
