package tips

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
)

// Class is a size that letters are padded to before they are sealed, so that a size tells only
// which of five it is: words alone, a picture, some, many, documents.
type Class int

// Classes are the sizes of a padded letter in bytes.
var classes = [...]int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20}

// Largest is the class of the largest letter.
const Largest = Class(len(classes) - 1)

// Bytes is the size of a letter of the class before it is sealed.
func (c Class) Bytes() int { return classes[c] }

// ClassOf returns the smallest class that n bytes fit into.
func ClassOf(n int) (Class, error) {
	for c, size := range classes {
		if n <= size {
			return Class(c), nil
		}
	}
	return 0, fmt.Errorf("%w: %d bytes are more than the largest letter has", ErrFormat, n)
}

// Classes returns the sizes of all classes in bytes, the smallest first.
func Classes() []int { return slices.Clone(classes[:]) }

// What an age file (C2SP age v1) to hybrid post-quantum recipients consists of. Every part has a
// fixed length, so that the length of a sealed letter follows from class and number of recipients.
const (
	ageIntro   = "age-encryption.org/v1\n"
	ageStanza  = "-> mlkem768x25519 "
	encBytes   = 1120 // an ML-KEM-768 ciphertext and an X25519 share
	bodyBytes  = 32   // a file key of 16 bytes and its tag
	macBytes   = 32
	nonceBytes = 16
	chunkBytes = 64 << 10
	tagBytes   = 16
)

func base64Len(n int) int { return base64.RawStdEncoding.EncodedLen(n) }

// SealedBytes is the length of a letter of class c sealed to so many recipients.
func SealedBytes(c Class, recipients int) int {
	stanza := len(ageStanza) + base64Len(encBytes) + 1 + base64Len(bodyBytes) + 1
	header := len(ageIntro) + recipients*stanza + len("--- ") + base64Len(macBytes) + 1
	return header + nonceBytes + c.Bytes() + c.Bytes()/chunkBytes*tagBytes
}

// SealedClass returns the class of a sealed letter of n bytes.
func SealedClass(n, recipients int) (Class, error) {
	for c := range Largest + 1 {
		if n == SealedBytes(c, recipients) {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%w: no sealed letter has %d bytes", ErrFormat, n)
}

// CheckSealed holds that raw is an age file with exactly that number of hybrid recipients and the
// length of a padded letter. Whose recipients they are cannot be told from outside: that is the
// purpose of the format.
func CheckSealed(raw []byte, recipients int) (Class, error) {
	c, err := SealedClass(len(raw), recipients) // sizes first
	if err != nil {
		return 0, err
	}
	rest, ok := bytes.CutPrefix(raw, []byte(ageIntro))
	if !ok {
		return 0, fmt.Errorf("%w: not an age file", ErrFormat)
	}
	for range recipients {
		if rest, ok = bytes.CutPrefix(rest, []byte(ageStanza)); ok {
			rest, ok = cutBase64(rest, encBytes)
		}
		if ok {
			rest, ok = cutBase64(rest, bodyBytes)
		}
		if !ok {
			return 0, fmt.Errorf("%w: a stanza is not of a post-quantum recipient", ErrFormat)
		}
	}
	if rest, ok = bytes.CutPrefix(rest, []byte("--- ")); ok {
		_, ok = cutBase64(rest, macBytes)
	}
	if !ok {
		return 0, fmt.Errorf("%w: the header does not end after %d recipients", ErrFormat, recipients)
	}
	return c, nil
}

// cutBase64 takes a line that encodes exactly n bytes.
func cutBase64(raw []byte, n int) ([]byte, bool) {
	size := base64Len(n)
	if len(raw) < size+1 || raw[size] != '\n' {
		return nil, false
	}
	out := make([]byte, n)
	if got, err := base64.RawStdEncoding.Strict().Decode(out, raw[:size]); err != nil || got != n { // the decoder passes over line breaks
		return nil, false
	}
	return raw[size+1:], true
}
