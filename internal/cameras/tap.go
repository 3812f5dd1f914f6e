package cameras

import (
	"slices"
	"time"

	"jedel/media/h264"
)

// tapLen is how many pictures may wait for the disk: some ten seconds.
const tapLen = 256

// item is a picture, or a gap where pic is empty.
type item struct {
	pic h264.Picture
	gap Code
}

// tap is a clip's way to the pictures. push is called under the camera's lock.
type tap struct {
	queue chan item // never closed
	full  bool      // something was dropped: wait for a key frame
}

func (t *tap) push(it item) {
	if t.full && !it.pic.Key {
		return
	}
	if t.full { // the gap first, then the key frame: both or neither
		if cap(t.queue)-len(t.queue) < 2 {
			return
		}
		t.queue <- item{gap: NotKept}
		t.full = false
	}
	select {
	case t.queue <- it:
	default:
		t.full = true
	}
}

// tapIn gives t every picture from now on, and returns those from at on that are still there. The
// camera is wanted until tapOut.
func (c *camera) tapIn(t *tap, at time.Time) []item {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taps = append(c.taps, t)
	var past []item
	for _, p := range c.ring.since(at) {
		past = append(past, item{pic: p})
	}
	return past
}

// tapOut ends what tapIn began; it may be called twice.
func (c *camera) tapOut(t *tap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taps = slices.DeleteFunc(c.taps, func(x *tap) bool { return x == t })
}
