package recorder

import (
	"sync"
	"time"

	"jedel/recorder/evr"
)

const (
	// maxBlock is how many bytes one block has at most, with its header, while more can be cut off.
	maxBlock = 1 << largeSlab
	// maxPiece is how many bytes of a block are lent at once: archives write at different moments, so
	// that what one does not hold yet another can.
	maxPiece = 8 << 10
	// owedMost is how many bytes of a stream the accounts of what waits may not know of: they are
	// shared by all cores, and asked every few packets instead of at each.
	owedMost = 4 << 10
)

// StreamInfo describes a stream; it is the record at its beginning.
type StreamInfo struct {
	Participant  string   `json:"participant"`
	Role         string   `json:"role"`
	Mid          string   `json:"mid"`
	RID          string   `json:"rid"`
	Kind         string   `json:"kind"` // audio, video
	Codec        string   `json:"codec"`
	ClockRate    uint32   `json:"clockRate"`
	Channels     uint16   `json:"channels"`
	SSRC         uint32   `json:"ssrc"`
	RTXSSRC      uint32   `json:"rtxSsrc"`
	PayloadTypes []uint16 `json:"payloadTypes"`
	Fmtp         string   `json:"fmtp"`
	Cname        string   `json:"cname"`
	Direction    string   `json:"direction"`
}

// Stream collects the records of one stream until the writer takes them. Its methods never wait
// for a disk and may be called after Close, which they ignore.
type Stream struct {
	// Set at creation, read by all.
	archive *Archive
	id      uint16
	kind    evr.BlockKind
	video   bool

	mu     sync.Mutex // guards the rest
	cur    chunk
	size   int     // bytes of the block that cur is of
	full   []chunk // waiting for the writer
	owed   int     // bytes that the accounts do not know of
	lost   uint32  // dropped since the last block was begun
	gap    gap     // dropped since the writer last took
	closed bool
}

// chunk is a piece of a block to be: whole records.
type chunk struct {
	buf    []byte // within slab
	slab   *slab
	first  uint64 // T of the block
	last   uint64
	lost   uint32
	stream uint16
	kind   evr.BlockKind
	more   bool // it goes on from the chunk before it
}

// RTP keeps one packet as it came from SRTP.
func (s *Stream) RTP(at time.Time, packet []byte, recovered bool) {
	k := evr.RTP
	if recovered {
		k = evr.RTPRecovered
	}
	s.add(k, at, packet)
}

// RTCP keeps one compound packet.
func (s *Stream) RTCP(at time.Time, packet []byte, outgoing bool) {
	k := evr.RTCPIn
	if outgoing {
		k = evr.RTCPOut
	}
	s.add(k, at, packet)
}

// Close ends the stream.
func (s *Stream) Close() {
	s.add(evr.StreamClose, time.Now(), nil)
	s.end()
}

// end lets the stream take nothing more.
func (s *Stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// add keeps a record; false where it had to be dropped, which is counted and declared, or where
// the stream has ended.
func (s *Stream) add(k evr.Kind, at time.Time, data []byte) bool { return s.put(k, at, data, false) }

// note keeps what the archive says of itself. It is small, and kept after the end, too.
func (s *Stream) note(k evr.Kind, at time.Time, data []byte) bool { return s.put(k, at, data, true) }

func (s *Stream) put(k evr.Kind, at time.Time, data []byte, own bool) bool {
	t := s.archive.clock(at)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(k, t, data, own)
}

// keep is put for one who holds mu.
func (s *Stream) keep(k evr.Kind, t uint64, data []byte, own bool) bool {
	if s.closed && !own {
		return false
	}
	size := evr.RecordSize(len(data))
	if size > evr.MaxBlock || !own && !s.admitted(size) {
		s.drop(t)
		return false
	}
	if s.size > 0 && (t/evr.EpochTime != s.cur.first/evr.EpochTime || s.size+size > maxBlock-evr.HeaderSize) {
		s.cut()
	}
	if len(s.cur.buf)+size > cap(s.cur.buf) {
		s.piece(size)
	}
	c := &s.cur
	if s.size == 0 {
		c.lost, s.lost = s.lost, 0
		c.first = max(t, c.last) // blocks of a stream do not go back in time
		t = c.first
	}
	before := len(c.buf)
	c.buf = evr.AppendRecord(c.buf, k, (max(t, c.first)-c.first)/1000, data)
	c.last = max(c.last, t)
	s.size += len(c.buf) - before
	if s.owed += len(c.buf) - before; s.owed > owedMost {
		s.settle()
	}
	return true
}

// admitted tells whether a record of so many bytes may wait for the disk. The caller holds mu.
func (s *Stream) admitted(size int) bool {
	if s.owed > 0 && s.owed+size <= owedMost {
		return !s.video || s.archive.rec.Rung().Pictures()
	}
	return s.archive.admits(s.video, int64(s.owed+size))
}

// settle puts into the accounts what they do not know of. The caller holds mu.
func (s *Stream) settle() {
	if s.owed > 0 {
		s.archive.charge(int64(s.owed))
		s.owed = 0
	}
}

// piece begins the next piece of the block, with room for size bytes at least: as long as all before
// it, so that sound holds little. The caller holds mu.
func (s *Stream) piece(size int) {
	if s.size > 0 {
		s.leave()
	}
	c := &s.cur
	c.slab = s.archive.rec.stock.get(max(size, min(s.size, maxPiece)))
	c.buf = c.slab.b[:0]
}

// leave moves the present piece to those that wait; the next one is of the same block. The caller
// holds mu.
func (s *Stream) leave() {
	c := s.cur
	c.stream, c.kind = s.id, s.kind
	s.full = append(s.full, c)
	s.cur = chunk{first: c.first, last: c.last, more: true}
}

// drop counts a record that is not kept. The next block says how many were lost before it. The
// caller holds mu.
func (s *Stream) drop(t uint64) {
	if s.size > 0 {
		s.cut()
	}
	if s.gap.Count == 0 {
		s.gap = gap{From: t, Stream: s.id, Cause: s.archive.cause()}
	}
	s.gap.To = t
	s.gap.Count++
	s.lost++
	s.archive.rec.met.dropped.WithLabelValues(s.gap.Cause).Inc()
}

// cut ends the block. The caller holds mu.
func (s *Stream) cut() {
	s.settle()
	s.leave()
	s.size, s.cur = 0, chunk{last: s.cur.last}
}

// take hands over everything collected, at the end of those there, and what was dropped since the
// last time.
func (s *Stream) take(to []chunk) ([]chunk, gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size > 0 {
		s.cut()
	}
	to = append(to, s.full...)
	clear(s.full)
	s.full = s.full[:0]
	g := s.gap
	s.gap = gap{}
	return to, g
}

// oldest returns the time of the oldest record collected, and whether there is one.
func (s *Stream) oldest() (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.full) > 0 {
		return s.full[0].first, true
	}
	return s.cur.first, s.size > 0
}

// over reports whether the stream has ended and nothing of it waits.
func (s *Stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed && len(s.full) == 0 && s.size == 0 && s.gap.Count == 0
}

// gap is a GAP record.
type gap struct {
	From   uint64 `json:"from"` // nanoseconds since the call was opened
	To     uint64 `json:"to"`
	Stream uint16 `json:"stream"`
	Count  uint32 `json:"count"`
	Cause  string `json:"cause"`
}
