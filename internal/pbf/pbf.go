// Package pbf reads OpenStreetMap's PBF format (wiki: PBF Format): blocks of nodes, ways and relations.
// A file comes from outside: whatever is in it, reading ends with what it says or with ErrCorrupt, in
// memory bounded by one block.
//
// The library of the field decodes in goroutines of its own, where it panics at what it does not expect
// and inflates without a bound; a server's tool cannot have that.
package pbf

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrCorrupt is a file that is not what it should be; the error around it says where and why.
var ErrCorrupt = errors.New("not a whole OpenStreetMap PBF file")

// Bounds of the format.
const (
	maxHeader = 64 << 10
	maxBlob   = 32 << 20
	// Writers put 8000 elements into a block; a block of nothing but empty strings would be dear.
	maxStrings = 2 << 20
	maxGroups  = 1 << 20
)

// Has says what a block has.
type Has uint8

// What a block may have.
const (
	Nodes Has = 1 << iota
	Ways
	Relations
)

// Ref is one block of a file, as File.Index found it.
type Ref struct {
	Off  int64
	Size int // of the blob
	Has  Has
}

// File is a PBF file.
type File struct {
	r    io.ReaderAt
	size int64
	blob []byte
	raw  bytes.Buffer
}

// Open returns the file that is in r. Nothing is read yet.
func Open(r io.ReaderAt, size int64) *File { return &File{r: r, size: size} }

// Size is the length of the file in bytes.
func (f *File) Size() int64 { return f.size }

// Index goes through the whole file once: every block is inflated and looked into. each is told of every
// block with data and may end it with an error.
func (f *File) Index(each func(Ref, *Block) error) error {
	off, begun := int64(0), false
	for off < f.size {
		kind, ref, next, err := f.header(off)
		if err != nil {
			return err
		}
		switch kind {
		case "OSMHeader":
			begun = true
			err = f.features(ref)
		case "OSMData":
			if !begun {
				return corrupt(off, "data before the header")
			}
			var b *Block
			if b, err = f.Block(ref); err == nil {
				ref.Has = b.has
				err = each(ref, b)

			}
		}
		if err != nil {
			return err
		}
		off = next
	}
	if !begun {
		return corrupt(0, "no header")
	}
	return nil
}

func corrupt(off int64, format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", ErrCorrupt, off, fmt.Sprintf(format, args...))
}

// header reads the head of the block at off, and where the next one is.
func (f *File) header(off int64) (kind string, ref Ref, next int64, err error) {
	var size [4]byte
	if err := f.read(size[:], off); err != nil {
		return "", ref, 0, err
	}
	n := int64(binary.BigEndian.Uint32(size[:]))
	if n == 0 || n > maxHeader {
		return "", ref, 0, corrupt(off, "a block header of %d bytes", n)
	}
	head := make([]byte, n)
	if err := f.read(head, off+4); err != nil {
		return "", ref, 0, err
	}
	length := uint64(0)
	fs := fields{rest: head}
	for x, ok := fs.next(); ok; x, ok = fs.next() {
		switch x.num {
		case 1:
			kind = string(x.data)
		case 3:
			length = x.n
		}
	}
	if fs.bad || kind == "" || length > maxBlob {
		return "", ref, 0, corrupt(off, "a broken block header")
	}
	ref = Ref{Off: off + 4 + n, Size: int(length)}
	next = ref.Off + int64(length)
	if next > f.size {
		return "", ref, 0, corrupt(off, "the file ends within a block of %d bytes", length)
	}
	return kind, ref, next, nil
}

func (f *File) read(to []byte, off int64) error {
	n, err := f.r.ReadAt(to, off)
	switch {
	case n == len(to):
		return nil
	case errors.Is(err, io.EOF):
		return corrupt(off, "the file ends here")
	}
	return fmt.Errorf("read: %w", err)
}

// inflate returns what is in a blob, until the next call.
func (f *File) inflate(ref Ref) ([]byte, error) {
	f.blob = slices.Grow(f.blob[:0], ref.Size)[:ref.Size]
	if err := f.read(f.blob, ref.Off); err != nil {
		return nil, err
	}
	var raw, packed []byte
	size := uint64(0)
	fs := fields{rest: f.blob}
	for x, ok := fs.next(); ok; x, ok = fs.next() {
		switch x.num {
		case 1:
			raw = x.data
		case 2:
			size = x.n
		case 3:
			packed = x.data
		case 4, 5, 6, 7:
			return nil, corrupt(ref.Off, "packed by another method than zlib")
		}
	}
	switch {
	case fs.bad || size > maxBlob:
		return nil, corrupt(ref.Off, "a broken block")
	case packed == nil:
		return raw, nil
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, corrupt(ref.Off, "%v", err)
	}
	f.raw.Reset()
	n, err := f.raw.ReadFrom(io.LimitReader(z, int64(size)+1))
	if err != nil || uint64(n) != size {
		return nil, corrupt(ref.Off, "a block of %d bytes inflates to %d: %v", size, n, err)
	}
	return f.raw.Bytes(), nil
}

// features refuses files that need what we do not know.
func (f *File) features(ref Ref) error {
	raw, err := f.inflate(ref)
	if err != nil {
		return err
	}
	known := []string{"OsmSchema-V0.6", "DenseNodes", "HistoricalInformation"}
	fs := fields{rest: raw}
	for x, ok := fs.next(); ok; x, ok = fs.next() {
		if x.num == 4 && !slices.Contains(known, string(x.data)) {
			return corrupt(ref.Off, "it needs %.60q", x.data)
		}
	}
	if fs.bad {
		return corrupt(ref.Off, "a broken header")
	}
	return nil
}
