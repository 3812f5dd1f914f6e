// Package keys has the keys of an archive, as docs/EVIDENCE.md, "Keys", says. It is pure.
//
//	recipients (age, X25519 with ML-KEM-768)   who may ever open calls; the recorder knows no more of them
//	KEK     of a call and one life of the recorder, 32 random bytes, wrapped to every recipient
//	DEK     of a segment, 32 random bytes, wrapped under the KEK in the segment's header
//	stream  HKDF-SHA256(DEK, salt, "evr1 stream" call 0 stream)
//	epoch   HKDF-SHA256(stream, "", "evr1 epoch" epoch): ten seconds of one stream
//	cipher  AES-256-GCM under HKDF(epoch, "", "evr1 seal"), nonce = the block's leaf
//	commit  HKDF(epoch, "", "evr1 commit"), in front of the ciphertext
//
// GCM does not commit to its key: without the commitment somebody could make a block that opens
// to one thing with one key and to another with another (Grubbs, Lu, Ristenpart, CRYPTO 2017).
// Because the commitment lies in the tree, a key that is shown later is the key that was used.
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// Sizes in bytes.
const (
	Size     = 32              // of every key
	Lead     = sha256.Size     // of what is sealed: the commitment before the ciphertext
	Overhead = Lead + 16       // what sealing adds to a payload: commitment and tag
	wrapped  = 12 + Size + 16  // nonce, key, tag
	idSize   = sha256.Size / 2 // of a KEK's name
)

// Errors of opening.
var (
	ErrNoKey    = errors.New("no key for this") // withheld, destroyed, or never had
	ErrWrongKey = errors.New("not the key this was sealed with")
	ErrTampered = errors.New("the ciphertext is not what was sealed")
)

// Key is 32 secret bytes.
type Key [Size]byte

// Parse reads a key as String wrote it.
func Parse(s string) (Key, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != Size {
		return Key{}, fmt.Errorf("key: %w", ErrWrongKey)
	}
	return Key(raw), nil
}

// String returns the key in base64url. It is secret: for disclosure files, never for logs.
func (k Key) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// derive is HKDF-SHA256 (RFC 5869) to one key. Its only error is a length that is too large.
func derive(secret, salt []byte, info string) Key {
	out, err := hkdf.Key(sha256.New, secret, salt, info, Size)
	if err != nil {
		panic(fmt.Sprintf("hkdf: %v", err))
	}
	return Key(out)
}

// ID returns the name of a KEK: it tells nothing of the key, and no other key has it.
func (k Key) ID() string {
	id := derive(k[:], nil, "evr1 kek id")
	return hex.EncodeToString(id[:idSize])
}

// WrapDEK seals a segment's key under its call's. place says of which call and segment it is: the
// wrapped key opens nowhere else. nonce is 12 fresh random bytes.
func WrapDEK(kek, dek Key, place string, nonce [12]byte) string {
	out := append(make([]byte, 0, wrapped), nonce[:]...)
	return base64.StdEncoding.EncodeToString(gcm(derive(kek[:], nil, "evr1 wrap")).Seal(out, nonce[:], dek[:], []byte(place)))
}

// UnwrapDEK opens what WrapDEK made.
func UnwrapDEK(kek Key, text, place string) (Key, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != wrapped {
		return Key{}, fmt.Errorf("segment key: %w", ErrTampered)
	}
	dek, err := gcm(derive(kek[:], nil, "evr1 wrap")).Open(nil, raw[:12], raw[12:], []byte(place))
	if err != nil {
		return Key{}, fmt.Errorf("segment key: %w", ErrTampered)
	}
	return Key(dek), nil
}

// Place names a segment for WrapDEK.
func Place(call string, segment int) string { return fmt.Sprintf("evr1 dek %s %d", call, segment) }

// Stream returns the key of one stream of a segment.
func Stream(dek Key, salt []byte, call string, stream uint16) Key {
	return derive(dek[:], salt, "evr1 stream"+call+"\x00"+string(binary.LittleEndian.AppendUint16(nil, stream)))
}

// Epoch returns the key of ten seconds of a stream.
func Epoch(stream Key, epoch uint32) Key {
	return derive(stream[:], nil, "evr1 epoch"+string(binary.LittleEndian.AppendUint32(nil, epoch)))
}

// Cipher seals and opens the blocks of one epoch of one stream.
type Cipher struct {
	aead   cipher.AEAD
	commit Key
}

// NewCipher returns the cipher of an epoch's key.
func NewCipher(epoch Key) *Cipher {
	return &Cipher{aead: gcm(derive(epoch[:], nil, "evr1 seal")), commit: derive(epoch[:], nil, "evr1 commit")}
}

func gcm(k Key) cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic(fmt.Sprintf("aes: %v", err)) // the length is right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("gcm: %v", err))
	}
	return aead
}

// Seal appends commitment, ciphertext and tag to dst. leaf must never come twice with one key; aad
// is the rest of the block's header. plain must not overlap with dst, or begin Lead bytes behind its end.
func (c *Cipher) Seal(dst []byte, leaf uint64, aad, plain []byte) []byte {
	dst = append(dst, c.commit[:]...)
	n := nonce(leaf)
	return c.aead.Seal(dst, n[:], plain, aad)
}

// Open appends the plaintext of what Seal made to dst. It returns ErrWrongKey or ErrTampered.
func (c *Cipher) Open(dst []byte, leaf uint64, aad, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return dst, ErrTampered
	}
	if subtle.ConstantTimeCompare(sealed[:sha256.Size], c.commit[:]) != 1 {
		return dst, ErrWrongKey
	}
	n := nonce(leaf)
	out, err := c.aead.Open(dst, n[:], sealed[sha256.Size:], aad)
	if err != nil {
		return dst, ErrTampered
	}
	return out, nil
}

func nonce(leaf uint64) [12]byte {
	var n [12]byte
	binary.LittleEndian.PutUint64(n[4:], leaf)
	return n
}
