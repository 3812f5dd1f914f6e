package staging

import (
	"fmt"
	"io"
	"os"
)

// Reader reads a staged file in the clear.
type Reader struct {
	s    *Staging
	f    *os.File
	name string
	iv   [headBytes]byte
	size int64
	at   int64
}

// Reader opens a file.
func (s *Staging) Reader(name string) (*Reader, error) {
	f, err := s.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	r := &Reader{s: s, f: f, name: name}
	st, err := f.Stat()
	if err == nil {
		_, err = f.ReadAt(r.iv[:], 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("staging: %w", err)
	}
	r.size = st.Size() - headBytes
	return r, nil
}

// Size returns how many bytes there are.
func (r *Reader) Size() int64 { return r.size }

// ReadAt implements io.ReaderAt.
func (r *Reader) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= r.size {
		return 0, io.EOF
	}
	n, err := r.f.ReadAt(p[:min(int64(len(p)), r.size-at)], headBytes+at)
	if n > 0 {
		stream, bad := r.s.stream(r.name, r.iv, at)
		if bad != nil {
			return 0, bad
		}
		stream.XORKeyStream(p[:n], p[:n])
	}
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.ReadAt(p, r.at)
	r.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// Rewind reads from the beginning again.
func (r *Reader) Rewind() { r.at = 0 }

// Close gives the file back.
func (r *Reader) Close() error { return r.f.Close() }
