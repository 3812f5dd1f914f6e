package cameras

import (
	"time"

	"jedel/media/h264"
)

// ring keeps the newest past of a camera, from a key frame on. It belongs to its camera's lock.
type ring struct {
	length time.Duration
	bytes  int

	pics []h264.Picture
	size int
}

// put adds a picture and lets go of whole groups of pictures that are too old or too many. The
// newest group stays even if it is older than length, unless it alone has too many bytes.
func (r *ring) put(p h264.Picture) {
	if len(r.pics) == 0 && !p.Key {
		return
	}
	r.pics = append(r.pics, p)
	r.size += p.Size()
	for {
		next := r.secondKey()
		old := next > 0 && p.At.Sub(r.pics[next].At) >= r.length
		switch {
		case r.size > r.bytes && next == 0:
			r.clear()
			return
		case !old && r.size <= r.bytes:
			return
		}
		r.drop(next)
	}
}

// secondKey is where the second group begins, 0 where there is none.
func (r *ring) secondKey() int {
	for i := 1; i < len(r.pics); i++ {
		if r.pics[i].Key {
			return i
		}
	}
	return 0
}

func (r *ring) drop(n int) {
	for i := range n {
		r.size -= r.pics[i].Size()
		r.pics[i] = h264.Picture{}
	}
	r.pics = r.pics[n:]
}

func (r *ring) clear() { r.pics, r.size = nil, 0 }

// since returns the pictures from the last key frame that is not after at; where all are later, all.
// A picture past the ring's limits holds while it is used.
func (r *ring) since(at time.Time) []h264.Picture {
	from := 0
	for i, p := range r.pics {
		if p.Key && !p.At.After(at) {
			from = i
		}
	}
	return append([]h264.Picture(nil), r.pics[from:]...)
}
