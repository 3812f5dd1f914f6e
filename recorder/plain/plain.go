// Package plain opens the payloads of an archive's blocks with what keys there are.
package plain

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
)

// Reader opens blocks of one archive. It is used by one goroutine.
type Reader struct {
	ring     *keys.Ring
	segments map[string]*keys.Segment
	buf      []byte
}

// NewReader returns a reader that has the keys of a ring; nil has none.
func NewReader(ring *keys.Ring) *Reader {
	return &Reader{ring: ring, segments: map[string]*keys.Segment{}}
}

// Payload returns the plain payload of a block, valid until the next call: the stored one where it
// is not encrypted. It returns keys.ErrNoKey where the block stays closed, keys.ErrWrongKey or
// keys.ErrTampered where it is not what was sealed.
func (r *Reader) Payload(seg *evr.Segment, h evr.BlockHeader, stored []byte) ([]byte, error) {
	if h.Flags&evr.FlagEncrypted == 0 {
		return stored, nil
	}
	s := r.segments[seg.Name]
	if s == nil {
		s = r.ring.Segment(Info(seg.Header))
		r.segments[seg.Name] = s
	}
	aad := h.AAD()
	out, err := s.Open(r.buf[:0], keys.At{Stream: h.Stream, Epoch: h.Epoch, Leaf: h.Leaf}, aad[:], stored)
	r.buf = out[:0]
	return out, err
}

// Info returns what a segment's header says of its keys.
func Info(h evr.SegmentHeader) keys.SegmentInfo {
	salt, err := base64.StdEncoding.DecodeString(h.Salt)
	if err != nil {
		salt = nil // then nothing opens
	}
	return keys.SegmentInfo{Call: h.Call, Segment: h.Seg, KEK: h.KEKID, Wrapped: h.WrappedDEK, Salt: salt}
}

// KeyName is the file of a call's key in its archive.
func KeyName(kek string) string { return "kek-" + kek + ".age" }

// maxKeys bounds the key files of one archive: one a life of the recorder.
const maxKeys = 1000

// Unwrap returns a ring with the call's keys that identities open. Key files that none of them
// opens are passed over: their blocks stay closed. Errors are those of the file system.
func Unwrap(fsys fs.FS, ids ...keys.Identity) (*keys.Ring, error) {
	names, err := KeyFiles(fsys)
	if err != nil {
		return nil, err
	}
	ring := &keys.Ring{}
	for _, name := range names {
		raw, err := read(fsys, name)
		if err != nil {
			return nil, err
		}
		k, err := keys.UnwrapKEK(raw, ids...)
		switch {
		case errors.Is(err, keys.ErrNoKey), errors.Is(err, keys.ErrTampered):
			continue
		case err != nil:
			return nil, err
		}
		ring.AddKEK(k)
	}
	return ring, nil
}

// KeyFiles lists the key files of an archive.
func KeyFiles(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var out []string
	for _, e := range entries {
		if n := e.Name(); strings.HasPrefix(n, "kek-") && strings.HasSuffix(n, ".age") && e.Type().IsRegular() && len(out) < maxKeys {
			out = append(out, n)
		}
	}
	return out, nil
}

// maxKeyFile bounds a key file in bytes.
const maxKeyFile = 64 << 10

func read(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return raw, nil
}
