// Package early keeps what a source sends before anybody listens (early media, RFC 3960), so that the first
// listener sees and hears at once: of pictures all since the newest key frame, of sound the last moment. It is pure;
// one owner at a time.
package early

import "slices"

// Bounds of what is kept of one source. What goes beyond them is forgotten, and a key frame is asked for as soon as
// somebody listens.
const (
	MostPackets = 512
	MostBytes   = 256 << 10
	MostAge     = 2e9 // nanoseconds from the key frame on
	// PictureFresh is how old the newest picture may be, in nanoseconds: who has shut their camera is not shown as they
	// were before.
	PictureFresh = 250e6
	// SoundPackets and SoundFresh bound what is kept of sound: more would stay in the listener's jitter buffer.
	SoundPackets, SoundFresh = 2, 40e6
	// pictureStep is how far apart the pictures of the past are shown, in ticks of 90 kHz: one millisecond. With their
	// own timestamps a receiver would play them at the pace at which they were taken, and be late by their age.
	pictureStep = 90
)

// Store keeps the packets of one source. Make it with Sound or Pictures.
type Store struct {
	pictures bool
	arena    []byte
	list     []entry // by sequence number
	next     int     // the first that has not been passed on
	open     bool    // a listener has come: nothing is forgotten any more
}

// entry says where a packet lies.
type entry struct {
	seq     uint16
	ts      uint32
	shown   uint32 // its timestamp for the listener
	from, n int
	at      int64
}

// Sound returns a store for packets of sound.
func Sound() Store { return Store{} }

// Pictures returns a store for packets of pictures.
func Pictures() Store { return Store{pictures: true} }

// Put keeps a copy of a packet that came at nanosecond at. key tells that it begins a picture that stands alone.
// False where nothing is kept: there is no key frame, or it became too much or too old.
func (s *Store) Put(raw []byte, seq uint16, ts uint32, key bool, at int64) bool {
	switch {
	case s.open:
	case !s.pictures:
		if len(s.list) == SoundPackets {
			s.shift()
		}
	case key && (len(s.list) == 0 || int32(ts-s.list[0].ts) > 0):
		s.Forget()
	case len(s.list) == 0 || int16(seq-s.list[0].seq) < 0:
		return len(s.list) > 0
	}
	if len(s.list)-s.next >= MostPackets || s.Waiting()+len(raw) > MostBytes || s.pictures && !s.open && len(s.list) > 0 && at-s.list[0].at > MostAge {
		s.Forget()
		return false
	}
	i := len(s.list)
	for i > s.next && int16(seq-s.list[i-1].seq) < 0 {
		i--
	}
	if i > 0 && s.list[i-1].seq == seq {
		return true // it came twice
	}
	s.list = slices.Insert(s.list, i, entry{seq: seq, ts: ts, shown: ts, from: len(s.arena), n: len(raw), at: at})
	s.arena = append(s.arena, raw...)
	return true
}

// shift forgets the oldest packet.
func (s *Store) shift() {
	n := s.list[0].from + s.list[0].n
	if n > s.list[len(s.list)-1].from { // they came in another order
		s.Forget()
		return
	}
	s.arena = append(s.arena[:0], s.arena[n:]...)
	s.list = append(s.list[:0], s.list[1:]...)
	for i := range s.list {
		s.list[i].from -= n
	}
}

// Forget drops all.
func (s *Store) Forget() { s.list, s.arena, s.next = s.list[:0], s.arena[:0], 0 }

// Waiting is how many bytes are to be passed on.
func (s *Store) Waiting() int {
	n := 0
	for _, e := range s.list[s.next:] {
		n += e.n
	}
	return n
}

// Size is how long the next packet to be passed on is, 0 where none waits.
func (s *Store) Size() int {
	if !s.open || s.next == len(s.list) {
		return 0
	}
	return s.list[s.next].n
}

// Held is how many bytes of memory are taken for packets.
func (s *Store) Held() int { return cap(s.arena) }

// Open begins to pass on what is kept, at nanosecond at; false where there is nothing that shows the present.
func (s *Store) Open(at int64) bool {
	if s.open {
		return true
	}
	fresh := int64(PictureFresh)
	if !s.pictures {
		fresh = SoundFresh
		for len(s.list) > 0 && at-s.list[0].at > fresh {
			s.shift()
		}
	}
	if n := len(s.list); n == 0 || at-s.list[n-1].at > fresh || s.pictures && at-s.list[0].at > MostAge {
		s.Forget()
		return false
	}
	s.open = true
	if s.pictures {
		s.hasten()
	}
	return true
}

// hasten moves the timestamps of pictures of the past near that of the newest whole one. Those from a missing packet
// on keep theirs: what comes of them later must fit.
func (s *Store) hasten() {
	i := 1
	for i < len(s.list) && s.list[i].seq == s.list[i-1].seq+1 {
		i++
	}
	i--
	shown, last := s.list[i].ts, s.list[i].ts
	for ; i >= 0; i-- {
		e := &s.list[i]
		if e.ts != last { // an earlier picture
			last, shown = e.ts, later(e.ts, shown-pictureStep)
		}
		e.shown = shown
	}
}

func later(a, b uint32) uint32 {
	if int32(a-b) > 0 {
		return a
	}
	return b
}

// Next returns the next packet to be passed on, as long as any waits. The slice is the store's until the next Put; its
// timestamp is the listener's.
func (s *Store) Next() []byte {
	if s.Size() == 0 {
		return nil
	}
	e := &s.list[s.next]
	s.next++
	raw := s.arena[e.from : e.from+e.n]
	if e.shown != e.ts && e.n >= 8 { // RFC 3550 section 5.1
		raw[4], raw[5], raw[6], raw[7] = byte(e.shown>>24), byte(e.shown>>16), byte(e.shown>>8), byte(e.shown)
	}
	return raw
}
