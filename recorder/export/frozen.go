package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"jedel/recorder/evr"
	"jedel/recorder/proof"
)

// frozen is an archive as it was durable at one moment: what is appended later is not seen, so that
// everything of an export speaks of the same bytes.
type frozen struct {
	in    fs.FS
	sizes map[string]int64
	names []string // sorted
}

// maxHeads bounds what is read of the file of heads in bytes.
const maxHeads = 256 << 20

// freeze looks at an archive. A sealed one is whole; of another one all counts that its last signed
// head covers, and of one without a head everything.
func freeze(in fs.FS) (*frozen, error) {
	entries, err := fs.ReadDir(in, ".")
	if err != nil {
		return nil, fmt.Errorf("list archive: %w", err)
	}
	f := &frozen{in: in, sizes: map[string]int64{}}
	for _, e := range entries {
		if !belongs(e) {
			continue
		}
		st, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("list archive: %w", err)
		}
		f.sizes[e.Name()] = st.Size()
	}
	if _, sealed := f.sizes["seal.note"]; !sealed {
		if err := f.cut(); err != nil {
			return nil, err
		}
	}
	for n := range f.sizes {
		f.names = append(f.names, n)
	}
	slices.Sort(f.names)
	return f, nil
}

// belongs reports whether a file is part of an archive.
func belongs(e fs.DirEntry) bool {
	n := e.Name()
	return e.Type().IsRegular() && (n == "heads" || n == "seal.note" || isSegment(n) || strings.HasPrefix(n, "kek-") && strings.HasSuffix(n, ".age"))
}

func isSegment(name string) bool { return strings.HasSuffix(name, ".evr") }

// cut leaves what the last head covers.
func (f *frozen) cut() error {
	if _, ok := f.sizes["heads"]; !ok {
		return nil
	}
	raw, err := f.read("heads", maxHeads)
	if err != nil {
		return err
	}
	heads, torn := proof.SplitHeads(raw)
	f.sizes["heads"] = int64(len(raw) - len(torn))
	if len(heads) == 0 {
		return nil
	}
	text, _, _ := bytes.Cut(heads[len(heads)-1], []byte("\n\n"))
	last, err := proof.ParseHead(string(text) + "\n")
	if err != nil {
		return nil // it is what there is: verifying says what is wrong with it
	}
	end := fmt.Sprintf("%05d.evr", last.Seg)
	for n, size := range f.sizes {
		switch {
		case isSegment(n) && n > end:
			delete(f.sizes, n)
		case n == end:
			f.sizes[n] = min(size, max(last.Bytes, 0))
		}
	}
	return nil
}

// read returns a file of at most limit bytes.
func (f *frozen) read(name string, limit int64) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(file, limit))
	return raw, errors.Join(err, file.Close())
}

// fill writes a file as it was.
func (f *frozen) fill(name string) func(io.Writer) error {
	return func(w io.Writer) error {
		file, err := f.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, file)
		return errors.Join(err, file.Close())
	}
}

// Open implements fs.FS.
func (f *frozen) Open(name string) (fs.File, error) {
	size, ok := f.sizes[name]
	if strings.HasPrefix(name, "proofs/") { // what others have signed does not change
		return f.in.Open(name)
	}
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	file, err := f.in.Open(name)
	if err != nil {
		return nil, err
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}, file.Close())
	}
	return &frozenFile{SectionReader: io.NewSectionReader(at, 0, size), file: file, entry: frozenEntry{name, size}}, nil
}

// ReadDir implements fs.ReadDirFS.
func (f *frozen) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	out := make([]fs.DirEntry, 0, len(f.names))
	for _, n := range f.names {
		out = append(out, frozenEntry{n, f.sizes[n]})
	}
	return out, nil
}

// header returns the first segment's header that can be read.
func (f *frozen) header() (evr.SegmentHeader, error) {
	sc, err := evr.NewScanner(f)
	if err != nil {
		return evr.SegmentHeader{}, err
	}
	defer sc.Close()
	for _, s := range sc.Segments() {
		if s.Raw != nil {
			return s.Header, nil
		}
	}
	return evr.SegmentHeader{}, ErrNoArchive
}

type frozenFile struct {
	*io.SectionReader
	file  fs.File
	entry frozenEntry
}

// Stat implements fs.File.
func (f *frozenFile) Stat() (fs.FileInfo, error) { return f.entry, nil }

// Close implements fs.File.
func (f *frozenFile) Close() error { return f.file.Close() }

// frozenEntry is a file in a list, and what is known of it.
type frozenEntry struct {
	name string
	size int64
}

func (e frozenEntry) Name() string               { return e.name }
func (e frozenEntry) Size() int64                { return e.size }
func (e frozenEntry) IsDir() bool                { return false }
func (e frozenEntry) Type() fs.FileMode          { return 0 }
func (e frozenEntry) Mode() fs.FileMode          { return 0o444 }
func (e frozenEntry) ModTime() time.Time         { return time.Time{} }
func (e frozenEntry) Sys() any                   { return nil }
func (e frozenEntry) Info() (fs.FileInfo, error) { return e, nil }
