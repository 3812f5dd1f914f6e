package evr

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Block is one block as it was found.
type Block struct {
	Segment int   // index of its segment in Segments
	Offset  int64 // in the segment's file
	Header  BlockHeader
	Raw     []byte // header and payload; valid until the next block
}

// Payload returns the bytes after the header.
func (b Block) Payload() []byte { return b.Raw[HeaderSize:] }

// Fault is a place that could not be read.
type Fault struct {
	Segment int // index in Segments; -1 for a file that is missing
	Name    string
	Offset  int64
	Bytes   int64  // how many were passed over
	Tail    bool   // nothing readable follows in this segment: torn by a crash, or cut
	Stream  uint16 // the bad block's, where it can be told
	T       uint64 // the same, nanoseconds since the call was opened; else of the block before
	Err     error
}

// Scanner reads an archive's segments block by block. It never fails on content: what cannot be
// read is in Faults. Bytes that a later segment declares a torn tail are neither given nor faults.
type Scanner struct {
	fsys     fs.FS
	segments []Segment
	faults   []Fault
	missing  string // a segment that another one names and that is not there

	cur  int // segment being read; -1 before the first
	in   *source
	at   int64
	last uint64 // T of the last good block
	leaf uint64 // that follows the last good block
	work int64  // bytes that searching through damage may still check
}

// searchBudget bounds the bytes checked while searching damaged segments for the next good block.
// More than any real damage needs; less, and hostile files cost more than a minute.
const searchBudget = 4 << 30

// NewScanner begins at the first segment of an archive's folder. It reads the headers of all
// segments: only together they tell which bytes count.
func NewScanner(fsys fs.FS) (*Scanner, error) {
	s := &Scanner{fsys: fsys, cur: -1, work: searchBudget}
	var err error
	if s.segments, err = readHeaders(fsys); err != nil {
		return nil, err
	}
	if s.missing, err = s.chain(); err != nil {
		return nil, err
	}
	if s.missing != "" {
		s.faults = append(s.faults, Fault{Segment: -1, Name: s.missing, Err: fmt.Errorf("segment: %w", ErrMissing)})
	}
	return s, nil
}

// Segments returns all segments in order. Valid is known of those already read.
func (s *Scanner) Segments() []Segment { return s.segments }

// Faults returns what could not be read so far.
func (s *Scanner) Faults() []Fault { return s.faults }

// Next returns the next good block, or io.EOF after the last. Other errors come from the file
// system.
func (s *Scanner) Next() (Block, error) {
	for {
		if s.in == nil {
			if err := s.open(); err != nil {
				return Block{}, err
			}
		}
		b, ok := s.block()
		if ok {
			return b, nil
		}
		if err := s.Close(); err != nil {
			return Block{}, err
		}
	}
}

// Close ends the scan of the present segment.
func (s *Scanner) Close() error {
	if s.in == nil {
		return nil
	}
	err := s.in.close()
	s.in = nil
	if err != nil {
		return fmt.Errorf("close segment: %w", err)
	}
	return nil
}

// open goes to the next segment that counts.
func (s *Scanner) open() error {
	for s.cur++; s.cur < len(s.segments) && !s.segments[s.cur].Counts; s.cur++ {
	}
	if s.cur >= len(s.segments) {
		s.cur = len(s.segments)
		return io.EOF
	}
	seg := &s.segments[s.cur]
	in, err := openSource(s.fsys, seg.Name)
	if err != nil {
		return err
	}
	s.in, s.at = in, 0
	if seg.Err != nil {
		s.skip(0, fmt.Errorf("segment header: %w", seg.Err))
		return nil
	}
	s.at, seg.Valid = int64(len(seg.Raw)), int64(len(seg.Raw))
	s.last, s.leaf = max(s.last, uint64(max(seg.Header.Mono0, 0))), seg.Header.FirstLeaf+1
	return nil
}

// block reads the block at s.at, passing over what is bad; false at the end of the segment.
func (s *Scanner) block() (Block, bool) {
	for {
		seg := &s.segments[s.cur]
		if s.at >= seg.End {
			return Block{}, false
		}
		raw, h, err := s.in.block(s.at, seg.End)
		if err == nil {
			b := Block{Segment: s.cur, Offset: s.at, Header: h, Raw: raw}
			s.at += int64(len(raw))
			seg.Valid, s.last, s.leaf = s.at, h.T, h.Leaf+1
			return b, true
		}
		if !s.skip(s.at, err) {
			return Block{}, false
		}
	}
}

// skip notes a bad place and goes on at the next good block; false where there is none.
func (s *Scanner) skip(from int64, why error) bool {
	seg := &s.segments[s.cur]
	f := Fault{Segment: s.cur, Name: seg.Name, Offset: from, T: s.last, Err: why}
	next, err := s.in.search(from+1, seg.End, &s.work)
	if err != nil {
		f.Err = errors.Join(why, err)
	}
	f.Tail = next < 0
	end := next
	if f.Tail {
		end = seg.End
	}
	f.Bytes = end - from
	if from > 0 && len(s.faults) < maxPlaced {
		about := neighbours{s.last, s.leaf, s.until(next)}
		if h, ok := place(s.in.read(from, int(min(min(end, seg.Size)-from, HeaderSize+MaxBlock+Sealed))), about); ok {
			f.Stream, f.T = h.Stream, h.T
		}
	}
	s.at = end
	s.faults = append(s.faults, f)
	return !f.Tail
}

// until returns the time of the block at an offset, where there is one.
func (s *Scanner) until(off int64) uint64 {
	if h, err := DecodeBlockHeader(s.in.read(off, HeaderSize)); off > 0 && err == nil {
		return h.T
	}
	return MaxTime
}

// ReadBlock reads the payload of one block again, whose place and header a Scanner gave.
func ReadBlock(fsys fs.FS, segment string, offset int64, h BlockHeader) ([]byte, error) {
	in, err := openSource(fsys, segment)
	if err != nil {
		return nil, err
	}
	raw, got, err := in.block(offset, offset+HeaderSize+int64(h.Len))
	if err := errors.Join(err, in.close()); err != nil {
		return nil, fmt.Errorf("read block: %w", err)
	}
	if got != h {
		return nil, fmt.Errorf("read block: %w", ErrMagic)
	}
	return raw[HeaderSize:], nil
}
