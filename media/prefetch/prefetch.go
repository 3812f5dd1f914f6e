// Package prefetch asks the processor for pieces of memory before they are read. What one packet needs of its
// connection, its track and its receiver is some eighty lines of memory, which in calls of fifty packets a second have
// left the cache from one packet to the next; read one after the other, each of them is waited for. Asked for together,
// for all packets of a batch, they come while others are worked on.
//
// A request is a hint: it waits for nothing, changes nothing, and an address that is no longer anybody's does no harm.
// On processors other than amd64 and arm64 nothing is asked for.
package prefetch

import (
	"sync/atomic"
	"unsafe"
)

// lineSize is that of a line of the cache in bytes. Where lines are longer, some are asked for twice.
const lineSize = 64

// most is how many pieces a Plan may name.
const most = 32

// Plan names the pieces of memory that belong together. Its zero value names none. It keeps addresses, not pointers:
// nothing stays in memory for its sake. One goroutine at a time makes it; who fetches it meanwhile asks for some of it.
type Plan struct {
	n      atomic.Int32
	pieces [most]piece
}

// piece is so many lines from an address on. The assembly knows its layout.
type piece struct {
	at    uintptr
	lines int
}

// pieceOf is the lines of size bytes at an address.
func pieceOf(at unsafe.Pointer, size uintptr) piece {
	first := uintptr(at) &^ (lineSize - 1)
	return piece{first, int((uintptr(at) + size - first + lineSize - 1) / lineSize)}
}

// Clear forgets all pieces.
func (p *Plan) Clear() { p.n.Store(0) }

// Add names size bytes at an address. Pieces that there is no room for are left out.
func (p *Plan) Add(at unsafe.Pointer, size uintptr) {
	n := p.n.Load()
	if at == nil || size == 0 || n == most {
		return
	}
	p.pieces[n] = pieceOf(at, size)
	p.n.Store(n + 1)
}

// Object names the first size bytes of what an interface points to: its second word, in Go's layout of them. In another
// layout it would ask for what nobody needs.
func (p *Plan) Object(x any, size uintptr) { p.Add((*[2]unsafe.Pointer)(unsafe.Pointer(&x))[1], size) }

// Fetch asks for all of it. A nil plan names nothing.
func (p *Plan) Fetch() {
	if p != nil {
		fetch(&p.pieces[0], int(p.n.Load()))
	}
}

// Itself asks for the plan, so that Fetch need not wait for it.
func (p *Plan) Itself() {
	if p != nil {
		Ask(unsafe.Pointer(p), unsafe.Sizeof(*p))
	}
}

// Ask asks for size bytes at an address.
func Ask(at unsafe.Pointer, size uintptr) {
	x := pieceOf(at, size)
	fetch(&x, 1)
}
