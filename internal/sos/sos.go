// Package sos is the smallest way to call the police: one datagram of at most 200 bytes that names its sender,
// the call, a place and a few words, and the receipt for it. It is pure: bytes in, bytes out.
//
// A datagram is sealed with AES-256-GCM under a key that both sides make of the client's key (Welcome.Key), so that
// nobody on the way reads the place, changes a bit, or speaks in another's name. The gateway keeps no table of keys: it
// makes the client's key of the name in the datagram. A symmetric seal was chosen over Ed25519 because it costs one
// microsecond to check where a signature costs fifty (a flood must not cost the gateway its calls), because it leaves
// 48 bytes more for words, and because it hides the place. Who has no key, or one that is not known any more, sends the
// same in the open; then the sender has to show that it receives at its address (Challenge), as every TCP client does.
//
// The first byte is 0x0E: none of STUN, ZRTP, DTLS, TURN channels, QUIC or RTP (RFC 7983 section 7, RFC 9443).
// docs/PROTOCOL.md, "One datagram", has the layout.
package sos

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

const (
	// MaxFrame is the longest datagram in bytes, request or receipt.
	MaxFrame = 200
	// First is the first byte of every datagram.
	First = 0x0e
	// MaxText is how many bytes of UTF-8 one datagram carries.
	MaxText = MaxFrame - headLen - bodyLen - tagLen
	// MaxPart is how many bytes of the other side's words one receipt carries at most.
	MaxPart = 96

	headLen    = 34
	bodyLen    = 46
	tagLen     = 16
	receiptLen = 12
	version    = 1
	magic      = "\x0eSOS"
)

// Forms of a datagram.
const (
	Sealed        = 1    // under the client's key
	Open          = 2    // readable: the sender has no key that is known
	receiptSealed = 0x81 // answers Sealed
	receiptOpen   = 0x82 // answers Open
	challenge     = 0x83 // answers a sender who must show its address first
)

// Errors of reading. Nothing of the datagram may be used after one.
var (
	ErrNotOurs = errors.New("not an SOS datagram")
	ErrSeal    = errors.New("the seal does not hold")
	ErrShape   = errors.New("a field of the SOS datagram is wrong")
)

// Key seals the datagrams of one client.
type Key [32]byte

// KeyOf makes the key of a client's key as Welcome carries it.
func KeyOf(client string) Key {
	m := hmac.New(sha256.New, []byte(client))
	m.Write([]byte("jedel sos 1"))
	return Key(m.Sum(nil))
}

// Kind is what the caller would do if the network let them.
type Kind uint8

// Kinds, as in wire.CallKind.
const (
	Silent Kind = iota + 1
	Voice
	Video
)

// Sources of a place, as in wire.Fix.
const (
	Device = 0
	Pin    = 1
)

// NoBattery says that the charge is not known.
const NoBattery = 255

// Place is where the caller is.
type Place struct {
	Lat, Lon  float64 // degrees, kept to 1e-7
	AccuracyM uint16
	AgeS      uint16 // seconds since it was measured, when the message was made
	Source    uint8
}

// Message is what a datagram says.
type Message struct {
	Ref     [16]byte // of the call, as call.create's: the same ref is the same call
	N       uint16   // counts the messages of a ref from 0; a message sent again keeps its number
	SentMs  int64    // when it was made, by the client's clock
	Kind    Kind
	Lang    uint8 // 0 kk, 1 ru, 2 en
	Battery uint8 // percent; NoBattery
	Poll    bool  // nothing new: it only asks for the receipt
	Place   *Place
	Have    uint32 // chat number of the newest line of the other side that the client has whole
	Part    uint8  // parts that it has of the line after
	Text    string
}

// Frame is a datagram whose head was read.
type Frame struct {
	Form  uint8
	From  [16]byte // Sealed: the client; Open: a claim, 128 random bits chosen by the sender
	Nonce [12]byte // Sealed: never the same twice under one key; Open: the proof from a Challenge, or zero
	Len   int      // of the whole datagram: no answer may be longer
	head  [headLen]byte
	rest  []byte
}

// Is reports whether b begins as a datagram of ours does.
func Is(b []byte) bool { return len(b) >= headLen && string(b[:len(magic)]) == magic }

// Parse reads the head of a request. The Frame keeps b.
func Parse(b []byte) (Frame, error) {
	if !Is(b) || len(b) > MaxFrame || b[4] != version {
		return Frame{}, ErrNotOurs
	}
	f := Frame{Form: b[5], From: [16]byte(b[6:22]), Nonce: [12]byte(b[22:headLen]), Len: len(b), head: [headLen]byte(b[:headLen]), rest: b[headLen:]}
	least := bodyLen
	switch f.Form {
	case Sealed:
		least += tagLen
	case Open:
	default:
		return Frame{}, ErrNotOurs
	}
	if len(f.rest) < least {
		return Frame{}, ErrNotOurs
	}
	return f, nil
}

func head(form uint8, from [16]byte, nonce [12]byte) []byte {
	b := make([]byte, 0, MaxFrame)
	b = append(b, magic...)
	b = append(b, version, form)
	b = append(b, from[:]...)
	return append(b, nonce[:]...)
}

func aead(k Key) cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic("bug: 32 bytes are a key of AES-256")
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic("bug: AES has a block of GCM's size")
	}
	return g
}

// Seal makes a datagram of at least pad bytes under k. nonce must be random.
func Seal(k Key, client [16]byte, nonce [12]byte, m Message, pad int) ([]byte, error) {
	body, err := m.bytes(pad - headLen - tagLen)
	if err != nil {
		return nil, err
	}
	h := head(Sealed, client, nonce)
	return aead(k).Seal(h, nonce[:], body, h), nil
}

// Clear makes a datagram of at least pad bytes that anybody can read. proof is what the Challenge gave, zero before.
func Clear(claim [16]byte, proof [12]byte, m Message, pad int) ([]byte, error) {
	body, err := m.bytes(pad - headLen)
	if err != nil {
		return nil, err
	}
	return append(head(Open, claim, proof), body...), nil
}

// Message reads a datagram in the open.
func (f Frame) Message() (Message, error) {
	if f.Form != Open {
		return Message{}, ErrSeal
	}
	return read(f.rest)
}

// Unseal reads a sealed one, or returns ErrSeal.
func (f Frame) Unseal(k Key) (Message, error) {
	if f.Form != Sealed {
		return Message{}, ErrSeal
	}
	body, err := aead(k).Open(nil, f.Nonce[:], f.rest, f.head[:])
	if err != nil {
		return Message{}, ErrSeal
	}
	return read(body)
}

const (
	flagPlace = 1 << 4
	flagPoll  = 1 << 5
)

// bytes lays m out, filled with zeros up to pad bytes.
func (m Message) bytes(pad int) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	b := make([]byte, bodyLen, MaxFrame)
	copy(b, m.Ref[:])
	binary.BigEndian.PutUint16(b[16:], m.N)
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(m.SentMs))
	copy(b[18:24], at[2:])
	b[24] = byte(m.Kind)
	if m.Poll {
		b[24] |= flagPoll
	}
	b[25], b[26] = m.Lang, m.Battery
	if p := m.Place; p != nil {
		b[24] |= flagPlace
		b[27] = p.Source
		binary.BigEndian.PutUint32(b[28:], uint32(int32(math.Round(p.Lat*1e7))))
		binary.BigEndian.PutUint32(b[32:], uint32(int32(math.Round(p.Lon*1e7))))
		binary.BigEndian.PutUint16(b[36:], p.AccuracyM)
		binary.BigEndian.PutUint16(b[38:], p.AgeS)
	}
	binary.BigEndian.PutUint32(b[40:], m.Have)
	b[44], b[45] = m.Part, byte(len(m.Text))
	b = append(b, m.Text...)
	for len(b) < pad && len(b) < MaxFrame {
		b = append(b, 0)
	}
	return b, nil
}

// read is the inverse of bytes; anything that bytes does not write is refused.
func read(b []byte) (Message, error) {
	if len(b) < bodyLen {
		return Message{}, ErrShape
	}
	m := Message{
		Ref: [16]byte(b[:16]), N: binary.BigEndian.Uint16(b[16:]), SentMs: int64(binary.BigEndian.Uint64(b[16:]) & (1<<48 - 1)),
		Kind: Kind(b[24] & 0x0f), Poll: b[24]&flagPoll != 0, Lang: b[25], Battery: b[26],
		Have: binary.BigEndian.Uint32(b[40:]), Part: b[44],
	}
	if b[24]&flagPlace != 0 {
		m.Place = &Place{
			Lat: float64(int32(binary.BigEndian.Uint32(b[28:]))) / 1e7, Lon: float64(int32(binary.BigEndian.Uint32(b[32:]))) / 1e7,
			AccuracyM: binary.BigEndian.Uint16(b[36:]), AgeS: binary.BigEndian.Uint16(b[38:]), Source: b[27],
		}
	}
	text := b[bodyLen:]
	if int(b[45]) > len(text) {
		return Message{}, ErrShape
	}
	m.Text = string(text[:b[45]])
	for _, z := range text[b[45]:] {
		if z != 0 {
			return Message{}, ErrShape
		}
	}
	return m, m.check()
}

// check holds what the fields may be.
func (m Message) check() error {
	switch {
	case m.Kind < Silent || m.Kind > Video, m.Lang > 2, m.Battery > 100 && m.Battery != NoBattery, m.SentMs < 0, m.SentMs >= 1<<48:
		return ErrShape
	case len(m.Text) > MaxText || !plain(m.Text):
		return fmt.Errorf("%w: text", ErrShape)
	}
	if p := m.Place; p != nil && !(p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180 && p.Source <= Pin) {
		return fmt.Errorf("%w: place", ErrShape)
	}
	return nil
}

// plain reports whether s is words and nothing else.
func plain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case r < ' ' && r != '\n' && r != '\t', r == 0x7f, r >= 0x80 && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return false
		}
	}
	return true
}
