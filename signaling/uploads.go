package signaling

import (
	"sync"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Limits of uploads under way in the process.
const (
	maxUploads     = 64        // at once
	maxUploadBytes = 256 << 20 // that they may hold together
	maxUploadsCall = 6         // of one call at once: as many as a browser opens connections
	uploadRetry    = 5         // seconds after which to try again
)

// uploads are the files that are being taken. Each has its place before a byte of it is read, so
// that what is held in memory is bounded, and so is the number of files of a call however many
// come at the same moment.
type uploads struct {
	mu    sync.Mutex // guards the rest
	count int
	bytes int64
	calls map[ident.CallID]int
}

// begin takes a place for a file of at most size bytes. nth is how many files of the call are
// under way with this one: together with those kept when it is asked afterwards, at least all
// that were begun before. The place is given back by done.
func (u *uploads) begin(call ident.CallID, size int64) (nth int, done func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count >= maxUploads || u.bytes+size > maxUploadBytes || u.calls[call] >= maxUploadsCall {
		return 0, nil, fault.Newf(fault.RateLimited, "files.put", "%d uploads of %d bytes under way", u.count, u.bytes)
	}
	if u.calls == nil {
		u.calls = map[ident.CallID]int{}
	}
	u.count, u.bytes = u.count+1, u.bytes+size
	u.calls[call]++
	return u.calls[call], func() { u.end(call, size) }, nil
}

func (u *uploads) end(call ident.CallID, size int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count, u.bytes = u.count-1, u.bytes-size
	if u.calls[call]--; u.calls[call] == 0 {
		delete(u.calls, call)
	}
}
