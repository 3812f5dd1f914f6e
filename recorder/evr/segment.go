package evr

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Segment is one file of an archive.
type Segment struct {
	Name   string
	Size   int64
	Header SegmentHeader
	Raw    []byte // the header as stored; nil where it could not be read
	Err    error  // of the header
	Counts bool   // false: left by an attempt that never held a signed byte
	End    int64  // bytes that count: by the next segment's word, else Size. Beyond Size: cut
	Valid  int64  // bytes up to the end of the last good block; known once scanned
}

// SegmentName returns the file name of segment n.
func SegmentName(n int) string { return fmt.Sprintf("%05d.evr", n) }

// maxSegments bounds what is read of a folder: 64 MiB each, 640 GiB.
const maxSegments = 10_000

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
	if len(names) > maxSegments {
		return nil, fmt.Errorf("list segments: %d: %w", len(names), ErrSize)
	}
	slices.Sort(names)
	return names, nil
}

func readHeaders(fsys fs.FS) ([]Segment, error) {
	names, err := SegmentNames(fsys)
	if err != nil {
		return nil, err
	}
	segments := make([]Segment, 0, len(names))
	for _, name := range names {
		in, err := openSource(fsys, name)
		if err != nil {
			return nil, err
		}
		seg := Segment{Name: name, Size: in.size, End: in.size}
		head := in.read(0, int(min(in.size, PrefixSize+MaxHeader)))
		h, n, err := DecodeSegmentHeader(head)
		if err == nil {
			seg.Header, seg.Raw = h, bytes.Clone(head[:n])
		}
		seg.Err = err
		if err := in.close(); err != nil {
			return nil, fmt.Errorf("close segment: %w", err)
		}
		segments = append(segments, seg)
	}
	return segments, nil
}

// chain follows the segments from the last to the first and marks which of them, and how many of
// their bytes, count. It returns the name of a segment that should be there and is not.
func (s *Scanner) chain() (missing string, err error) {
	var after *SegmentHeader // of the segment that follows, where readable
	for i := len(s.segments) - 1; i >= 0; i-- {
		seg := &s.segments[i]
		switch {
		case after == nil && seg.Err == nil:
			seg.Counts = true
		case after == nil: // a header that cannot be read: an attempt, or damage before blocks?
			if seg.Counts, err = s.holdsBlocks(i); err != nil {
				return "", err
			}
			continue
		case seg.Name == after.Prev:
			seg.Counts, seg.End = true, after.PrevBytes
		case after.Prev == "" && after.FirstLeaf > 0: // does not say: the file before it
			seg.Counts = true
		case seg.Name > after.Prev:
			continue // a failed attempt between two that count
		default:
			missing, seg.Counts = after.Prev, true
		}
		after = nil
		if seg.Err == nil {
			after = &seg.Header
		}
	}
	if after != nil && after.Prev != "" { // the first file names one before it
		missing = after.Prev
	}
	return missing, nil
}

// holdsBlocks tells whether a segment without a readable header has blocks of its own: those of the
// segments before may stand in it, where a file system gave it what another file had left.
func (s *Scanner) holdsBlocks(i int) (bool, error) {
	first, _, err := s.leaves(s.segments[i])
	if err != nil || first < 0 {
		return false, err
	}
	for i--; i >= 0; i-- {
		if s.segments[i].Err == nil {
			_, last, err := s.leaves(s.segments[i])
			return first > last, err
		}
	}
	return true, nil
}

// leaves returns the first and the last leaf of the good blocks of a segment, -1 where it has none.
func (s *Scanner) leaves(seg Segment) (first, last int64, err error) {
	in, err := openSource(s.fsys, seg.Name)
	if err != nil {
		return -1, -1, err
	}
	first, last = -1, int64(min(seg.Header.FirstLeaf, MaxTime))
	for at := int64(len(seg.Raw)); at >= 0 && at < seg.Size; {
		raw, h, bad := in.block(at, seg.Size)
		if bad != nil {
			at, _ = in.search(at+1, seg.Size, &s.work)
			continue
		}
		if last = int64(min(h.Leaf, MaxTime)); first < 0 {
			first = last
		}
		at += int64(len(raw))
	}
	if err := in.close(); err != nil {
		return -1, -1, fmt.Errorf("close segment: %w", err)
	}
	return first, last, nil
}

// source is one open segment file.
type source struct {
	file fs.File
	in   io.ReaderAt
	size int64
	buf  []byte
}

func openSource(fsys fs.FS, name string) (*source, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	in, ok := f.(io.ReaderAt)
	if !ok { // a file system without ReadAt: read it whole
		raw, err := io.ReadAll(f)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read segment: %w", err), f.Close())
		}
		return &source{file: f, in: bytes.NewReader(raw), size: int64(len(raw))}, nil
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("stat segment: %w", err), f.Close())
	}
	return &source{file: f, in: in, size: st.Size()}, nil
}

func (s *source) close() error { return s.file.Close() }

// read returns up to n bytes at off, fewer where the file ends or cannot be read. They are valid
// until the next read.
func (s *source) read(off int64, n int) []byte {
	if n <= 0 {
		return nil
	}
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	got, _ := s.in.ReadAt(s.buf[:n], off) // what is short is judged by the caller
	return s.buf[:got]
}

// block returns the good block at off that ends by end.
func (s *source) block(off, end int64) ([]byte, BlockHeader, error) {
	h, err := DecodeBlockHeader(s.read(off, int(min(HeaderSize, end-off))))
	if err != nil {
		return nil, h, err
	}
	size := HeaderSize + int(h.Len)
	if off+int64(size) > end {
		return nil, h, ErrShort
	}
	raw := s.read(off, size)
	if len(raw) < size {
		return nil, h, ErrShort
	}
	return raw, h, CheckBlock(raw, h)
}

// search finds the first good block at or after off, or -1. budget is lowered by what it checks.
func (s *source) search(off, end int64, budget *int64) (int64, error) {
	const window = 64 << 10
	for off < end {
		if *budget < 0 {
			return -1, ErrTooBad
		}
		chunk := s.read(off, int(min(window, end-off)))
		*budget -= int64(len(chunk))
		at := bytes.Index(chunk, []byte(blockMagic))
		if at < 0 {
			if len(chunk) < window {
				return -1, nil
			}
			off += window - int64(len(blockMagic)-1)
			continue
		}
		off += int64(at)
		raw, h, err := s.block(off, end)
		if err == nil {
			return off, nil
		}
		if raw != nil {
			*budget -= int64(h.Len)
		}
		off++
	}
	return -1, nil
}
