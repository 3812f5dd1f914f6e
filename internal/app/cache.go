package app

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"jedel/internal/ident"
)

// cache keeps files derived from recordings on the disk, where they lie encrypted under a key that
// only this process has: what is decrypted for playing must not outlive it.
type cache struct {
	dir string
	key [32]byte

	mu    sync.Mutex // guards the rest
	files map[string]cached
	ready bool // the folder has been emptied
}

// cached is one file of the cache.
type cached struct {
	path string
	iv   [aes.BlockSize]byte
	size int64
	made time.Time
	mime string // as fill said
}

// maxCached bounds the files kept; the oldest goes first.
const maxCached = 200

func newCache(dir string) *cache {
	c := &cache{dir: dir, files: map[string]cached{}}
	rand.Read(c.key[:])
	return c
}

// open returns a file of the cache, made anew where it is missing or older than fresh. What fill
// returns is the file's type.
func (c *cache) open(name string, fresh time.Duration, fill func(io.Writer) (mime string, err error)) (*secretFile, error) {
	c.mu.Lock()
	f, ok := c.files[name]
	c.mu.Unlock()
	if !ok || time.Since(f.made) > fresh {
		var err error
		if f, err = c.fill(name, fill); err != nil {
			return nil, err
		}
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(c.key[:])
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &secretFile{file: file, block: block, cached: f}, nil
}

// fill writes a file and takes it in.
func (c *cache) fill(name string, fill func(io.Writer) (string, error)) (cached, error) {
	if err := c.prepare(); err != nil {
		return cached{}, fmt.Errorf("cache: %w", err)
	}
	tmp, err := os.CreateTemp(c.dir, "derived-*")
	if err != nil {
		return cached{}, fmt.Errorf("cache: %w", err)
	}
	f := cached{path: tmp.Name(), made: time.Now()}
	rand.Read(f.iv[:])
	block, err := aes.NewCipher(c.key[:])
	if err == nil {
		f.mime, err = fill(cipher.StreamWriter{S: cipher.NewCTR(block, f.iv[:]), W: tmp})
	}
	if err == nil {
		f.size, err = tmp.Seek(0, io.SeekEnd)
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return cached{}, errors.Join(err, os.Remove(tmp.Name()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	old, was := c.files[name]
	c.files[name] = f
	if !was && len(c.files) > maxCached {
		oldest := name
		for n, o := range c.files {
			if o.made.Before(c.files[oldest].made) {
				oldest = n
			}
		}
		old, was = c.files[oldest], true
		delete(c.files, oldest)
	}
	if was {
		_ = os.Remove(old.path) // those who read it go on
	}
	return f, nil
}

// dropAll removes what was derived from a call. Those who read it go on.
func (c *cache) dropAll(call ident.CallID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for name, f := range c.files {
		if strings.HasPrefix(name, string(call)+"-") {
			delete(c.files, name)
			errs = append(errs, os.Remove(f.path))
		}
	}
	return errors.Join(errs...)
}

// drop removes a file; those who read it go on.
func (c *cache) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.files[name]; ok {
		delete(c.files, name)
		_ = os.Remove(f.path)
	}
}

// prepare empties the folder once: nobody has the key of what an earlier process left.
func (c *cache) prepare() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready {
		return nil
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(c.dir, "*"))
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	c.ready = true
	return nil
}

// secretFile reads a file of the cache in the clear.
type secretFile struct {
	file  *os.File
	block cipher.Block
	at    int64
	cached
}

// Read implements io.Reader.
func (f *secretFile) Read(p []byte) (int, error) {
	n, err := f.file.ReadAt(p, f.at)
	if n > 0 {
		f.stream(f.at).XORKeyStream(p[:n], p[:n])
		f.at += int64(n)
		err = nil
	}
	return n, err
}

// stream returns the key stream from a place on.
func (f *secretFile) stream(at int64) cipher.Stream {
	iv := f.iv
	hi, lo := binary.BigEndian.Uint64(iv[:8]), binary.BigEndian.Uint64(iv[8:])
	n := uint64(at / aes.BlockSize)
	if lo+n < lo {
		hi++
	}
	binary.BigEndian.PutUint64(iv[:8], hi)
	binary.BigEndian.PutUint64(iv[8:], lo+n)
	s := cipher.NewCTR(f.block, iv[:])
	var skip [aes.BlockSize]byte
	s.XORKeyStream(skip[:at%aes.BlockSize], skip[:at%aes.BlockSize])
	return s
}

// Seek implements io.Seeker.
func (f *secretFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	f.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (f *secretFile) Close() error { return f.file.Close() }
