package media

import (
	"sync"

	"jedel/media/h264"
)

// Bounds of what a source keeps for viewers that come later. Longer key frame intervals are not
// kept: their viewers wait for the next key frame.
const (
	gopPictures = 600
	gopBytes    = 8 << 20
	// sightLen is how many pictures may wait for one viewer, about two seconds. What a slower
	// viewer misses it gets again as a whole: pictures of a camera cannot be asked for anew.
	sightLen = 64
)

// Source is where pictures come in that no peer sends, such as a camera's. It keeps those since the
// newest key frame, so that a viewer sees something at once.
type Source struct {
	relay *Relay

	mu      sync.Mutex // guards the rest
	gop     []h264.Picture
	bytes   int
	viewers []*Viewer
}

// Write gives a picture to all viewers. It never blocks.
func (s *Source) Write(p h264.Picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(p)
	for _, v := range s.viewers {
		v.push(p)
	}
}

func (s *Source) keep(p h264.Picture) {
	if p.Key {
		s.gop, s.bytes = s.gop[:0:0], 0
	}
	if !p.Key && len(s.gop) == 0 {
		return
	}
	s.bytes += p.Size()
	if s.gop = append(s.gop, p); len(s.gop) > gopPictures || s.bytes > gopBytes {
		s.gop, s.bytes = nil, 0
	}
}

// Reset forgets what is kept: the next picture does not follow the last.
func (s *Source) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gop, s.bytes = nil, 0
	for _, v := range s.viewers {
		v.waitKey = true
	}
}

// Viewers is how many look, those included whose connection is still being made.
func (s *Source) Viewers() int { return s.relay.count(s) }

// join lets v have what comes, and returns what came since the newest key frame.
func (s *Source) join(v *Viewer) []h264.Picture {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.waitKey = len(s.gop) == 0
	s.viewers = append(s.viewers, v)
	return s.gop[:len(s.gop):len(s.gop)]
}

// again begins anew with v: what waits is dropped for what came since the newest key frame.
func (s *Source) again(v *Viewer) []h264.Picture {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.drain()
	v.waitKey = len(s.gop) == 0
	return s.gop[:len(s.gop):len(s.gop)]
}

func (s *Source) leave(v *Viewer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, x := range s.viewers {
		if x == v {
			s.viewers = append(s.viewers[:i:i], s.viewers[i+1:]...)
			return
		}
	}
}
