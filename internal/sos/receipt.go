package sos

import (
	"encoding/binary"
	"unicode/utf8"
)

// Status says what became of a datagram.
type Status uint8

// Statuses of receipts.
const (
	Registered  Status = iota + 1 // durable: the call stands, whatever happens to this network
	Unreadable                    // the seal is of a key that is not known: send it in the open
	Wait                          // too many from this sender or address: again later
	Unavailable                   // the gateway could not make it durable: again
	Over                          // the call has ended
)

// Phase is where the call stands, for those who hear of it by receipts only.
type Phase uint8

// Phases of a receipt.
const (
	Waiting Phase = iota + 1
	Ringing
	Answered
	Ended
)

// Receipt answers a datagram.
type Receipt struct {
	Status Status
	Phase  Phase
	N      uint16 // of the message
	Number string // of the call, "26-000123"
	Line   uint32 // chat number of the line that Text is of; 0: no words
	Part   uint8  // which part of the line, from 0
	Last   bool   // the last part of it
	More   bool   // there is more: ask again at once
	Text   string
}

// Bytes makes the receipt of f: never longer than f itself, so that a forged address gains nothing. Words that have no
// room are left out and More is set. k is nil in the open.
func (r Receipt) Bytes(f Frame, k *Key, nonce [12]byte) []byte {
	room := f.Len - headLen - receiptLen - len(r.Number)
	if k != nil {
		room -= tagLen
	}
	if len(r.Text) > room {
		r.Text, r.Line, r.Part, r.Last, r.More = "", 0, 0, false, true
	}
	b := make([]byte, receiptLen, MaxFrame)
	b[0], b[1] = byte(r.Status), byte(r.Phase)
	binary.BigEndian.PutUint16(b[2:], r.N)
	binary.BigEndian.PutUint32(b[4:], r.Line)
	b[8] = r.Part
	if r.Last {
		b[9] |= 1
	}
	if r.More {
		b[9] |= 2
	}
	b[10], b[11] = byte(len(r.Number)), byte(len(r.Text))
	b = append(append(b, r.Number...), r.Text...)
	if k == nil {
		return append(head(receiptOpen, f.From, nonce), b...)
	}
	h := head(receiptSealed, f.From, nonce)
	return aead(*k).Seal(h, nonce[:], b, h)
}

// Challenge asks the sender of f to send again with proof. It is shorter than any datagram.
func Challenge(f Frame, proof [12]byte) []byte { return head(challenge, f.From, proof) }

// Answer is what came back.
type Answer struct {
	Receipt
	Proof *[12]byte // a challenge: send again, in the open, with this
}

// ReadAnswer reads an answer to what from sent; k is the key it was sealed with, nil in the open. An answer in the open
// to a sealed datagram says nothing but Unreadable or a Challenge: anybody could have made it.
func ReadAnswer(b []byte, from [16]byte, k *Key) (Answer, error) {
	if !Is(b) || len(b) > MaxFrame || b[4] != version || [16]byte(b[6:22]) != from {
		return Answer{}, ErrNotOurs
	}
	nonce := [12]byte(b[22:headLen])
	body := b[headLen:]
	switch b[5] {
	case challenge:
		return Answer{Proof: &nonce}, nil
	case receiptSealed:
		if k == nil {
			return Answer{}, ErrSeal
		}
		var err error
		if body, err = aead(*k).Open(nil, nonce[:], body, b[:headLen]); err != nil {
			return Answer{}, ErrSeal
		}
	case receiptOpen:
	default:
		return Answer{}, ErrNotOurs
	}
	r, err := readReceipt(body)
	if err == nil && k != nil && b[5] == receiptOpen && r.Status != Unreadable {
		err = ErrSeal
	}
	return Answer{Receipt: r}, err
}

func readReceipt(b []byte) (Receipt, error) {
	if len(b) < receiptLen || len(b) < receiptLen+int(b[10])+int(b[11]) {
		return Receipt{}, ErrShape
	}
	r := Receipt{
		Status: Status(b[0]), Phase: Phase(b[1]), N: binary.BigEndian.Uint16(b[2:]), Line: binary.BigEndian.Uint32(b[4:]),
		Part: b[8], Last: b[9]&1 != 0, More: b[9]&2 != 0,
	}
	words := b[receiptLen:]
	r.Number, r.Text = string(words[:b[10]]), string(words[b[10]:int(b[10])+int(b[11])])
	if r.Status < Registered || r.Status > Over || r.Phase > Ended || b[9] > 3 || !plain(r.Text) || !plain(r.Number) {
		return Receipt{}, ErrShape
	}
	return r, nil
}

// Parts divides words so that each part fits a receipt and no letter is cut.
func Parts(s string) []string {
	var out []string
	for len(s) > MaxPart {
		at := MaxPart
		for at > 0 && !utf8.RuneStart(s[at]) {
			at--
		}
		out, s = append(out, s[:at]), s[at:]
	}
	return append(out, s)
}
