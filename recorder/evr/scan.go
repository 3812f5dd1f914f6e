package evr

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"sort"
	"strings"
)

// Block is one block as it was found.
type Block struct {
	Segment int   // index of its segment among those found
	Offset  int64 // in the segment's file
	Header  BlockHeader
	Raw     []byte // header and payload; valid until the next block
}

// Payload returns the bytes after the header.
func (b Block) Payload() []byte { return b.Raw[HeaderSize:] }

// Fault is a place that could not be read.
type Fault struct {
	Segment int
	Name    string
	Offset  int64
	Bytes   int64  // how many were passed over
	Tail    bool   // nothing readable follows in this segment: torn by a crash, or cut
	Stream  uint16 // as the bad block's header says, where there is one
	T       uint64 // the same; else the time of the block before
	Err     error
}

// Segment is one file of an archive.
type Segment struct {
	Name   string
	Size   int64
	Header SegmentHeader
	Raw    []byte // the header as stored; nil where it could not be read
	Valid  int64  // bytes up to the end of the last good block
	Err    error  // of the header
}

// Scanner reads an archive's segments block by block. It never fails on content: what cannot be
// read is in Faults.
type Scanner struct {
	fsys     fs.FS
	segments []Segment
	faults   []Fault

	cur  int // segment being read; -1 before the first
	file fs.File
	in   io.ReaderAt
	at   int64
	void uint64 // leaf from which blocks of this segment do not count
	last uint64 // T of the last good block
	buf  []byte
}

// ErrVoid marks blocks that were written but never acknowledged: the disk failed, and the next
// segment begins again at their leaf.
var ErrVoid = errors.New("never acknowledged: the next segment begins at this leaf")

// SegmentNames lists the segment files of an archive in order.
func SegmentNames(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); strings.HasSuffix(n, ".evr") && len(n) == len("00000.evr") && e.Type().IsRegular() {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names, nil
}

// NewScanner begins at the first segment of an archive's folder.
func NewScanner(fsys fs.FS) (*Scanner, error) {
	names, err := SegmentNames(fsys)
	if err != nil {
		return nil, err
	}
	s := &Scanner{fsys: fsys, cur: -1}
	for _, n := range names {
		s.segments = append(s.segments, Segment{Name: n})
	}
	return s, nil
}

// Segments returns the segments read so far with what was found of them.
func (s *Scanner) Segments() []Segment { return s.segments[:max(0, min(s.cur+1, len(s.segments)))] }

// Faults returns what could not be read so far.
func (s *Scanner) Faults() []Fault { return s.faults }

// Next returns the next good block, or io.EOF after the last. Other errors come from the file
// system.
func (s *Scanner) Next() (Block, error) {
	for {
		if s.file == nil {
			if err := s.open(); err != nil {
				return Block{}, err
			}
		}
		b, err := s.block()
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, io.EOF) {
			return Block{}, err
		}
		if err := s.file.Close(); err != nil {
			return Block{}, fmt.Errorf("close segment: %w", err)
		}
		s.file = nil
	}
}

// Close ends the scan early.
func (s *Scanner) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// open goes to the next segment and reads its header.
func (s *Scanner) open() error {
	s.cur++
	if s.cur >= len(s.segments) {
		s.cur = len(s.segments)
		return io.EOF
	}
	seg := &s.segments[s.cur]
	f, err := s.fsys.Open(seg.Name)
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("stat segment: %w", err), f.Close())
	}
	in, ok := f.(io.ReaderAt)
	if !ok { // fs.FS without ReadAt: read it whole
		raw, err := io.ReadAll(f)
		if err != nil {
			return errors.Join(fmt.Errorf("read segment: %w", err), f.Close())
		}
		in = bytes.NewReader(raw)
	}
	s.file, s.in, s.at = f, in, 0
	seg.Size = st.Size()
	head := s.read(0, int(min(seg.Size, PrefixSize+MaxHeader)))
	h, n, err := DecodeSegmentHeader(head)
	if err != nil {
		seg.Err = err
		s.fault(0, BlockHeader{}, fmt.Errorf("segment header: %w", err))
		return nil
	}
	seg.Header, seg.Raw, seg.Valid = h, append([]byte(nil), head[:n]...), int64(n)
	s.at = int64(n)
	s.void = s.nextLeaf()
	return nil
}

// nextLeaf returns the first leaf of the following segment, the highest number where there is
// none.
func (s *Scanner) nextLeaf() uint64 {
	for _, next := range s.segments[s.cur+1:] {
		f, err := s.fsys.Open(next.Name)
		if err != nil {
			continue
		}
		head, _ := io.ReadAll(io.LimitReader(f, PrefixSize+MaxHeader))
		_ = f.Close()
		if h, _, err := DecodeSegmentHeader(head); err == nil {
			return h.FirstLeaf
		}
	}
	return math.MaxUint64
}

// read returns up to n bytes at off; fewer at the end of the file or where it cannot be read.
func (s *Scanner) read(off int64, n int) []byte {
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	got, _ := s.in.ReadAt(s.buf[:n], off)
	return s.buf[:got]
}

// block reads the block at s.at, passing over what is bad.
func (s *Scanner) block() (Block, error) {
	seg := &s.segments[s.cur]
	if s.at >= seg.Size {
		return Block{}, io.EOF
	}
	head := s.read(s.at, HeaderSize)
	h, err := DecodeBlockHeader(head)
	if err == nil {
		raw := s.read(s.at, HeaderSize+int(h.Len))
		if len(raw) < HeaderSize+int(h.Len) {
			err = ErrShort
		} else if err = CheckBlock(raw, h); err == nil && h.Leaf >= s.void {
			s.faults = append(s.faults, Fault{
				Segment: s.cur, Name: seg.Name, Offset: s.at, Bytes: seg.Size - s.at, Tail: true, Stream: h.Stream, T: h.T, Err: ErrVoid,
			})
			s.at = seg.Size
			return Block{}, io.EOF
		} else if err == nil {
			b := Block{Segment: s.cur, Offset: s.at, Header: h, Raw: raw}
			s.at += int64(len(raw))
			seg.Valid, s.last = s.at, h.T
			return b, nil
		}
	}
	if !s.fault(s.at, h, err) {
		return Block{}, io.EOF
	}
	return s.block()
}

// fault notes a bad place and goes on at the next magic; false where there is none.
func (s *Scanner) fault(from int64, h BlockHeader, why error) bool {
	seg := &s.segments[s.cur]
	f := Fault{Segment: s.cur, Name: seg.Name, Offset: from, Stream: h.Stream, T: h.T, Err: why}
	if h.T == 0 || errors.Is(why, ErrMagic) || errors.Is(why, ErrShort) && h.Len == 0 {
		f.Stream, f.T = 0, s.last
	}
	next := s.magic(from + 1)
	f.Tail = next < 0
	f.Bytes = next - from
	if f.Tail {
		f.Bytes, next = seg.Size-from, seg.Size
	}
	s.at = next
	s.faults = append(s.faults, f)
	return !f.Tail
}

// magic finds the next block that holds, at or after off, or -1.
func (s *Scanner) magic(off int64) int64 {
	const window = 64 << 10
	size := s.segments[s.cur].Size
	for off < size {
		chunk := append([]byte(nil), s.read(off, window)...)
		at := bytes.Index(chunk, []byte(blockMagic))
		if at < 0 {
			if len(chunk) < window {
				return -1
			}
			off += window - int64(len(blockMagic)-1)
			continue
		}
		off += int64(at)
		if h, err := DecodeBlockHeader(s.read(off, HeaderSize)); err == nil {
			if raw := s.read(off, HeaderSize+int(h.Len)); CheckBlock(raw, h) == nil {
				return off
			}
		}
		off++
	}
	return -1
}

// ReadBlock reads one block again.
func ReadBlock(fsys fs.FS, segment string, offset int64, h BlockHeader) ([]byte, error) {
	f, err := fsys.Open(segment)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	raw := make([]byte, HeaderSize+int(h.Len))
	if at, ok := f.(io.ReaderAt); ok {
		_, err = at.ReadAt(raw, offset)
	} else if _, err = io.CopyN(io.Discard, f, offset); err == nil {
		_, err = io.ReadFull(f, raw)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read block: %w", err)
	}
	if err := CheckBlock(raw, h); err != nil {
		return nil, err
	}
	return raw[HeaderSize:], nil
}
