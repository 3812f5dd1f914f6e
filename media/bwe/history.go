package bwe

import (
	"sync/atomic"
	"time"
)

// historyLen is how many sent packets are remembered: 8 s of the largest video here. A report
// comes within a round trip and a tenth of a second.
const historyLen = 1024

// history remembers when packets left. One goroutine puts, another may get: each packet is one
// word.
type history struct {
	slots [historyLen]atomic.Uint64 // number, size, and time in ticks of 16 µs; 0: none
}

const historyTick = 16 * time.Microsecond

func (h *history) put(seq uint16, size int, at time.Duration) {
	ticks := uint32(at / historyTick)
	h.slots[seq%historyLen].Store(uint64(seq)<<48 | uint64(uint16(min(size, 0xFFFF)))<<32 | uint64(ticks))
}

// get returns when the packet left and its size, seen from now; ok is false where that is forgotten.
func (h *history) get(seq uint16, now time.Duration) (at time.Duration, size int, ok bool) {
	w := h.slots[seq%historyLen].Load()
	size = int(uint16(w >> 32))
	if size == 0 || uint16(w>>48) != seq {
		return 0, 0, false
	}
	nowTicks := uint64(now / historyTick)
	age := int32(uint32(nowTicks) - uint32(w))
	if age < 0 || time.Duration(age)*historyTick > 2*stale {
		return 0, 0, false
	}
	return time.Duration(nowTicks-uint64(age)) * historyTick, size, true
}
