package tips

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"strings"
	"time"
)

// StampTime is how long one challenge of stamps is given out; it is taken for as long again. A
// longer time lets stamps be hoarded, a shorter one refuses slow phones.
const StampTime = 10 * time.Minute

const challengeSize = 16

// Challenge is what stamps are made for. All senders of a time get the same one, so that it marks nobody.
type Challenge [challengeSize]byte

// ChallengeAt returns the challenge of a time. secret is random and never leaves the process.
func ChallengeAt(secret []byte, t time.Time) Challenge {
	return challengeOf(secret, t.Unix()/int64(StampTime/time.Second))
}

func challengeOf(secret []byte, slot int64) Challenge {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("jedel.tips.challenge/1\n"))
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(slot)))
	return Challenge(m.Sum(nil)[:challengeSize])
}

// Text returns the challenge in base64url.
func (c Challenge) Text() string { return base64.RawURLEncoding.EncodeToString(c[:]) }

// ParseChallenge reads what Text writes.
func ParseChallenge(text string) (Challenge, error) {
	raw, err := decode(text, challengeSize)
	if err != nil {
		return Challenge{}, err
	}
	return Challenge(raw), nil
}

func decode(text string, n int) ([]byte, error) {
	if len(text) != base64.RawURLEncoding.EncodedLen(n) {
		return nil, ErrFormat
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != n { // the decoder passes over line breaks
		return nil, ErrFormat
	}
	return raw, nil
}

// Stamp is work done for one letter to one mailbox: SHA-256(seed | nonce) begins with so many zero
// bits, where seed is SHA-256 of the intro, the challenge, the mailbox and the letter's ID.
type Stamp struct {
	Challenge Challenge
	Nonce     uint64
}

// Text returns the stamp as "challenge.nonce", the nonce in 16 hexadecimal digits.
func (s Stamp) Text() string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	b.WriteString(s.Challenge.Text() + ".")
	for shift := 60; shift >= 0; shift -= 4 {
		b.WriteByte(digits[s.Nonce>>shift&15])
	}
	return b.String()
}

// ParseStamp reads what Text writes.
func ParseStamp(text string) (Stamp, error) {
	first, nonce, ok := strings.Cut(text, ".")
	if !ok || len(nonce) != 16 {
		return Stamp{}, ErrFormat
	}
	c, err := ParseChallenge(first)
	if err != nil {
		return Stamp{}, err
	}
	s := Stamp{Challenge: c}
	for _, d := range []byte(nonce) {
		at := strings.IndexByte("0123456789abcdef", d)
		if at < 0 {
			return Stamp{}, ErrFormat
		}
		s.Nonce = s.Nonce<<4 | uint64(at)
	}
	return s, nil
}

func seedOf(c Challenge, to Mailbox, letter ID) [KeySize]byte {
	raw := append([]byte("jedel.tips.stamp/1\n"), c[:]...)
	return sha256.Sum256(append(append(raw, to[:]...), letter[:]...))
}

func zeros(seed [KeySize]byte, nonce uint64) int {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(seed[:], nonce))
	return bits.LeadingZeros64(binary.BigEndian.Uint64(sum[:]))
}

// Bits is how much work a letter of a class costs where one of words alone costs base.
func Bits(base int, c Class) int { return base + int(c)/2 }

// Check holds in two hashes, whatever was sent, that the stamp was made for this letter and for the
// present challenge or the one before.
func (s Stamp) Check(secret []byte, now time.Time, to Mailbox, letter ID) (zeroBits int, ok bool) {
	slot := now.Unix() / int64(StampTime/time.Second)
	this, last := challengeOf(secret, slot), challengeOf(secret, slot-1)
	if !hmac.Equal(s.Challenge[:], this[:]) && !hmac.Equal(s.Challenge[:], last[:]) {
		return 0, false
	}
	return zeros(seedOf(s.Challenge, to, letter), s.Nonce), true
}

// Make does the work. It takes 2^zeroBits hashes on the average.
func Make(c Challenge, zeroBits int, to Mailbox, letter ID) Stamp {
	seed := seedOf(c, to, letter)
	for nonce := uint64(0); ; nonce++ {
		if zeros(seed, nonce) >= zeroBits {
			return Stamp{c, nonce}
		}
	}
}
