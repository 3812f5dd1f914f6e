// Package staging keeps what has come of files that are still on their way, one file each in one folder,
// until they are whole and in an archive. It survives kill -9 and a power cut: what was told to be here is
// here. The content lies enciphered under a key of the site, since what becomes evidence is never written
// open; that it is whole is told by its hash, later.
//
// A staged file is 16 random bytes, the initial counter, and the content in AES-256-CTR (NIST SP 800-38A
// section 6.5) under HMAC-SHA256(secret, "staged file " + name).
package staging

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"syscall"
)

// Staging is the folder. Its methods may be called by many goroutines; those of one name by one at a time.
type Staging struct {
	root   *os.Root
	secret []byte
}

// ErrElsewhere means that a part does not begin where the file ends.
var ErrElsewhere = errors.New("the part does not begin where the file ends")

// headBytes is what stands before the content.
const headBytes = aes.BlockSize

// Open takes the folder, making it where it is not there. Close gives it back.
func Open(dir string, secret []byte) (*Staging, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	return &Staging{root, secret}, nil
}

// Close gives the folder back.
func (s *Staging) Close() error { return s.root.Close() }

// Size returns how many bytes of a file are here; 0 where none.
func (s *Staging) Size(name string) (int64, error) {
	st, err := s.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("staging: %w", err)
	}
	return max(0, st.Size()-headBytes), nil
}

// Append adds what src has, at most limit bytes, to a file that ends at:
//
//  1. make the file and its name durable     killed here: an empty file, which is none
//  2. look where it ends                     a part for elsewhere is refused, nothing is changed
//  3. write what comes, in order             killed here: more may be here than was told; the sender asks, and the hash tells
//  4. fdatasync                              from here on it survives a power cut
//  5. tell how much
//
// A source that breaks off ends the part: what came before counts.
func (s *Staging) Append(name string, at, limit int64, src io.Reader) (n int64, err error) {
	f, stream, err := s.open(name, at)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, copied := io.Copy(cipher.StreamWriter{S: stream, W: f}, io.LimitReader(src, limit))
	if err := syscall.Fdatasync(int(f.Fd())); err != nil {
		return 0, fmt.Errorf("staging: fdatasync: %w", err)
	}
	if copied != nil {
		return n, fmt.Errorf("staging: %w", copied)
	}
	return n, nil
}

// open opens a file that ends at for appending, and the key stream from there on.
func (s *Staging) open(name string, at int64) (*os.File, cipher.Stream, error) {
	f, err := s.root.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("staging: %w", err)
	}
	iv, end, err := s.begin(f)
	if err == nil && end != at {
		err = fmt.Errorf("%w: at %d, it ends at %d", ErrElsewhere, at, end)
	}
	var stream cipher.Stream
	if err == nil {
		stream, err = s.stream(name, iv, at)
	}
	if err == nil {
		_, err = f.Seek(headBytes+at, io.SeekStart)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, stream, nil
}

// begin reads the counter of a file and where it ends, or makes them for a new one.
func (s *Staging) begin(f *os.File) (iv [headBytes]byte, end int64, err error) {
	st, err := f.Stat()
	if err != nil {
		return iv, 0, fmt.Errorf("staging: %w", err)
	}
	if st.Size() >= headBytes {
		if _, err = f.ReadAt(iv[:], 0); err != nil {
			return iv, 0, fmt.Errorf("staging: %w", err)
		}
		return iv, st.Size() - headBytes, nil
	}
	rand.Read(iv[:])
	if _, err = f.WriteAt(iv[:], 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.syncDir()
	}
	if err != nil {
		return iv, 0, fmt.Errorf("staging: %w", err)
	}
	return iv, 0, nil
}

func (s *Staging) syncDir() error {
	d, err := s.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// stream returns the key stream of a file from a place on.
func (s *Staging) stream(name string, iv [headBytes]byte, at int64) (cipher.Stream, error) {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte("staged file " + name))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	hi, lo := binary.BigEndian.Uint64(iv[:8]), binary.BigEndian.Uint64(iv[8:])
	lo, carry := bits.Add64(lo, uint64(at/aes.BlockSize), 0)
	binary.BigEndian.PutUint64(iv[:8], hi+carry)
	binary.BigEndian.PutUint64(iv[8:], lo)
	stream := cipher.NewCTR(block, iv[:])
	var skip [aes.BlockSize]byte
	stream.XORKeyStream(skip[:at%aes.BlockSize], skip[:at%aes.BlockSize])
	return stream, nil
}

// Drop removes a file; none is no error.
func (s *Staging) Drop(name string) error {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("staging: %w", err)
	}
	return nil
}

// Names returns the names of all files.
func (s *Staging) Names() ([]string, error) {
	list, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	var out []string
	for _, e := range list {
		if e.Type().IsRegular() {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// Free returns how many bytes the disk still takes.
func (s *Staging) Free() (int64, error) {
	d, err := s.root.Open(".")
	if err != nil {
		return 0, fmt.Errorf("staging: %w", err)
	}
	var st syscall.Statfs_t
	if err := errors.Join(syscall.Fstatfs(int(d.Fd()), &st), d.Close()); err != nil {
		return 0, fmt.Errorf("staging: statfs: %w", err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}
