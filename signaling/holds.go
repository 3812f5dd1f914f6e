package signaling

import (
	"sync"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Limits of files under way in the process, each for those that come and those that go.
const (
	maxHolds     = 64        // at once
	maxHoldBytes = 256 << 20 // of all together; one that comes may take twice its size for a moment
	maxHoldsCall = 6         // of one call at once: as many as a browser opens connections
	maxReaders   = 4         // originals read from archives at once
	holdRetry    = 5         // seconds after which to try again
)

// holds are the files that are in memory while a peer sends or takes them. Each has its place for
// as long, so that what is held is bounded, and so is the number of files of a call however many
// come at the same moment.
type holds struct {
	mu    sync.Mutex // guards the rest
	count int
	bytes int64
	calls map[ident.CallID]int
}

// begin takes a place for a file of at most size bytes. nth is how many files of the call have
// one with this: together with those kept when it is asked afterwards, at least all that were
// begun before. The place is given back by done.
func (h *holds) begin(op string, call ident.CallID, size int64) (nth int, done func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count >= maxHolds || h.bytes+size > maxHoldBytes || h.calls[call] >= maxHoldsCall {
		return 0, nil, fault.Newf(fault.RateLimited, op, "%d files of %d bytes under way", h.count, h.bytes)
	}
	if h.calls == nil {
		h.calls = map[ident.CallID]int{}
	}
	h.count, h.bytes = h.count+1, h.bytes+size
	h.calls[call]++
	return h.calls[call], func() { h.end(call, size) }, nil
}

func (h *holds) end(call ident.CallID, size int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count, h.bytes = h.count-1, h.bytes-size
	if h.calls[call]--; h.calls[call] == 0 {
		delete(h.calls, call)
	}
}
