// Package ident has the identifiers of the project. Each is 128 random bits, written as 26
// lower-case characters of Crockford's base 32, and a type of its own, so that a call is never
// mistaken for a client. An identifier is a name, never a permission: access is checked on the
// object it names.
package ident

import (
	"crypto/rand"
	"errors"
)

// CallID names one emergency call, from the tap to its sealed archive.
type CallID string

// CaseID names a case: what a call or a report is about. It is the identifier of its first
// recording.
type CaseID string

// ClientID names one signed-in tab. A client outlives its sockets, and its peer connection
// carries the same identifier.
type ClientID string

// StaffID names a member of staff: operator, supervisor, investigator, administrator.
type StaffID string

// CallerID names a registered caller.
type CallerID string

// FileID names a photo or another file sent within a call.
type FileID string

// NodeID names one running gateway process over its restarts.
type NodeID string

// ErrShape reports text that is not an identifier.
var ErrShape = errors.New("not an identifier")

const (
	alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	// Len is the length in characters of every identifier: 128 bits at 5 bits each, rounded up.
	Len = 26
)

// New returns a fresh identifier of kind T.
func New[T ~string]() T {
	var raw [16]byte
	rand.Read(raw[:]) // crypto/rand.Read never returns an error (Go 1.24)
	return T(encode(raw))
}

// Parse checks that s has the shape of an identifier and returns it as kind T, or ErrShape.
// It says nothing about whether the thing named exists.
func Parse[T ~string](s string) (T, error) {
	if len(s) != Len || s[0] > '7' {
		return "", ErrShape
	}
	for i := range len(s) {
		if !inAlphabet(s[i]) {
			return "", ErrShape
		}
	}
	return T(s), nil
}

func inAlphabet(c byte) bool {
	for i := range len(alphabet) {
		if alphabet[i] == c {
			return true
		}
	}
	return false
}

// encode writes raw as 26 characters, the most significant bits first; the first character
// carries 3 bits and is therefore at most '7'.
func encode(raw [16]byte) string {
	var out [Len]byte
	var acc uint32
	bits := 2 // two leading zero bits make 130 = 26 * 5
	n := 0
	for _, b := range raw {
		acc = acc<<8 | uint32(b)
		bits += 8
		for bits >= 5 {
			bits -= 5
			out[n] = alphabet[acc>>bits&31]
			n++
		}
	}
	return string(out[:])
}

// Of returns the identifier of kind T with the given 128 bits.
func Of[T ~string](raw [16]byte) T { return T(encode(raw)) }

// Raw returns the 128 bits of an identifier, or ErrShape.
func Raw[T ~string](id T) ([16]byte, error) {
	var out [16]byte
	if _, err := Parse[T](string(id)); err != nil {
		return out, err
	}
	var acc uint32
	bits, n := -2, 0 // the first two of the 130 bits are padding
	for i := range len(id) {
		var v uint32
		for alphabet[v] != id[i] {
			v++
		}
		acc = acc<<5 | v
		for bits += 5; bits >= 8; n++ {
			bits -= 8
			out[n] = byte(acc >> bits)
		}
	}
	return out, nil
}
