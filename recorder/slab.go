package recorder

import (
	"math/bits"
	"sync"
)

// Slabs are the buffers of blocks: powers of two from smallSlab on, lent by all archives of a
// recorder to each other. A stream asks for as much as its last block had, so that sound holds
// 2 KiB and not as much as pictures need.
const (
	smallSlab = 10 // 1 KiB
	largeSlab = 18 // 256 KiB
)

// slab is a buffer that goes back to the stock.
type slab struct{ b []byte }

// stock lends slabs. What nobody needs the garbage collector takes.
type stock struct {
	sizes [largeSlab - smallSlab + 1]sync.Pool
}

// get returns a slab with room for at least n bytes.
func (s *stock) get(n int) *slab {
	size := max(smallSlab, bits.Len(uint(max(n, 1)-1)))
	if size > largeSlab { // one record larger than a block should be
		return &slab{make([]byte, n)}
	}
	if x, ok := s.sizes[size-smallSlab].Get().(*slab); ok {
		return x
	}
	return &slab{make([]byte, 1<<size)}
}

// put takes a slab back; nil is none.
func (s *stock) put(x *slab) {
	if x == nil || len(x.b) > 1<<largeSlab {
		return
	}
	s.sizes[bits.Len(uint(len(x.b)-1))-smallSlab].Put(x)
}
