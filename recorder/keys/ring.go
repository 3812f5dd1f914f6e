package keys

import (
	"fmt"
	"maps"
	"slices"
)

// Ring is the keys a reader has: of whole calls, of segments, streams or single epochs. What it
// has not, it does not open; the rest is proven all the same. The zero value opens nothing.
type Ring struct {
	keks map[string]Key
	some map[Part]Key
}

// All stands for every stream of a segment, or every epoch of a stream, in a Part.
const All = -1

// Part is what one disclosed key opens.
type Part struct {
	Call    string `json:"call"`
	Segment int    `json:"segment"`
	Stream  int    `json:"stream"` // All: the key is the segment's
	Epoch   int64  `json:"epoch"`  // All: the key is the stream's
}

// AddKEK adds the key of a call.
func (r *Ring) AddKEK(k Key) {
	if r.keks == nil {
		r.keks = map[string]Key{}
	}
	r.keks[k.ID()] = k
}

// KEKs returns the keys of calls, in no order.
func (r *Ring) KEKs() []Key {
	if r == nil {
		return nil
	}
	return slices.Collect(maps.Values(r.keks))
}

// Add adds a disclosed key.
func (r *Ring) Add(p Part, k Key) {
	if r.some == nil {
		r.some = map[Part]Key{}
	}
	r.some[p] = k
}

// Empty reports whether the ring has no key at all.
func (r *Ring) Empty() bool { return r == nil || len(r.keks)+len(r.some) == 0 }

// SegmentInfo is what a segment's header says of its keys.
type SegmentInfo struct {
	Call    string
	Segment int
	KEK     string // name of the call's key
	Wrapped string
	Salt    []byte
}

// Segment opens one segment's blocks.
type Segment struct {
	ring *Ring
	info SegmentInfo
	dek  Key
	has  bool  // dek is known
	err  error // why a wrapped key did not open
	last map[uint16]lastCipher
}

type lastCipher struct {
	epoch  uint32
	cipher *Cipher
}

// Segment returns what opens the blocks of a segment with the keys of the ring.
func (r *Ring) Segment(info SegmentInfo) *Segment {
	s := &Segment{ring: r, info: info, last: map[uint16]lastCipher{}}
	if r == nil {
		return s
	}
	if kek, ok := r.keks[info.KEK]; ok {
		s.dek, s.err = UnwrapDEK(kek, info.Wrapped, Place(info.Call, info.Segment))
		s.has = s.err == nil
	} else if dek, ok := r.some[Part{info.Call, info.Segment, All, All}]; ok {
		s.dek, s.has = dek, true
	}
	return s
}

// Key returns the key of a part of the segment, for disclosure. It returns ErrNoKey where the ring
// has none that opens it.
func (s *Segment) Key(stream int, epoch int64) (Key, error) {
	if s.err != nil {
		return Key{}, s.err
	}
	if stream == All {
		if !s.has {
			return Key{}, ErrNoKey
		}
		return s.dek, nil
	}
	if s.ring == nil {
		return Key{}, ErrNoKey
	}
	of, ok := s.ring.some[Part{s.info.Call, s.info.Segment, stream, All}]
	if s.has {
		of, ok = Stream(s.dek, s.info.Salt, s.info.Call, uint16(stream)), true
	}
	if epoch == All {
		if !ok {
			return Key{}, ErrNoKey
		}
		return of, nil
	}
	if ok {
		return Epoch(of, uint32(epoch)), nil
	}
	if k, ok := s.ring.some[Part{s.info.Call, s.info.Segment, stream, epoch}]; ok {
		return k, nil
	}
	return Key{}, ErrNoKey
}

// At is where a block stands: what selects its key and its nonce.
type At struct {
	Stream uint16
	Epoch  uint32
	Leaf   uint64
}

// Open appends the plaintext of a block to dst. It returns ErrNoKey, ErrWrongKey or ErrTampered.
func (s *Segment) Open(dst []byte, at At, aad, sealed []byte) ([]byte, error) {
	c := s.last[at.Stream]
	if c.cipher == nil || c.epoch != at.Epoch {
		k, err := s.Key(int(at.Stream), int64(at.Epoch))
		if err != nil {
			return dst, fmt.Errorf("stream %d, epoch %d: %w", at.Stream, at.Epoch, err)
		}
		c = lastCipher{at.Epoch, NewCipher(k)}
		s.last[at.Stream] = c
	}
	return c.cipher.Open(dst, at.Leaf, aad, sealed)
}

// Sealer seals the blocks of a segment that is being written. It is used by one goroutine.
type Sealer struct {
	dek  Key
	salt []byte
	call string
	last map[uint16]lastCipher
}

// NewSealer returns the sealer of a segment.
func NewSealer(dek Key, salt []byte, call string) *Sealer {
	return &Sealer{dek: dek, salt: salt, call: call, last: map[uint16]lastCipher{}}
}

// Seal appends commitment, ciphertext and tag of a block to dst; see Cipher.Seal.
func (s *Sealer) Seal(dst []byte, at At, aad, plain []byte) []byte {
	c := s.last[at.Stream]
	if c.cipher == nil || c.epoch != at.Epoch {
		c = lastCipher{at.Epoch, NewCipher(Epoch(Stream(s.dek, s.salt, s.call, at.Stream), at.Epoch))}
		s.last[at.Stream] = c
	}
	return c.cipher.Seal(dst, at.Leaf, aad, plain)
}

// Wipe forgets the segment's key.
func (s *Sealer) Wipe() {
	clear(s.dek[:])
	clear(s.last)
}
