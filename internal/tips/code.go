package tips

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// CodeSize is the chance in a code, in bytes: 96 bits.
const CodeSize = 12

// Words of a code: each is 16 bits as consonant, vowel, consonant, vowel, consonant. They are
// quickly said and typed, and each letter has one counterpart in Cyrillic, so that a code made on
// one keyboard can be typed on another.
const (
	consonants = "bdfghjklmnprstvz"
	vowels     = "aiou"
	cyrillic   = "бдфгхжклмнпрствз" + "аиоу"
)

// Code is what a citizen comes back with. It is the only secret; all else is derived from it.
type Code [CodeSize]byte

// Words returns the code as six words of Latin letters.
func (c Code) Words() string {
	var b strings.Builder
	for i := 0; i < CodeSize; i += 2 {
		if i > 0 {
			b.WriteByte(' ')
		}
		n := binary.BigEndian.Uint16(c[i:])
		for _, part := range []struct {
			shift  int
			letter string
		}{{12, consonants}, {10, vowels}, {6, consonants}, {4, vowels}, {0, consonants}} {
			b.WriteByte(part.letter[int(n>>part.shift)&(len(part.letter)-1)])
		}
	}
	return b.String()
}

// maxCodeText bounds what is read as a code, in bytes.
const maxCodeText = 256

// ParseCode reads six words in Latin or Cyrillic letters of either case; spaces, hyphens and line
// breaks between letters do not matter.
func ParseCode(text string) (Code, error) {
	var c Code
	if len(text) > maxCodeText {
		return c, ErrFormat
	}
	var letters []byte
	for _, r := range strings.ToLower(text) {
		if strings.ContainsRune(" -\t\r\n\u00a0", r) {
			continue
		}
		if at := indexRune(cyrillic, r); at >= 0 {
			r = rune((consonants + vowels)[at])
		}
		if r > 'z' {
			return c, ErrFormat
		}
		letters = append(letters, byte(r))
	}
	if len(letters) != CodeSize/2*5 {
		return c, ErrFormat
	}
	for i := range CodeSize / 2 {
		n := 0
		for j, l := range letters[i*5 : i*5+5] {
			from, bits := consonants, 4
			if j%2 == 1 {
				from, bits = vowels, 2
			}
			at := strings.IndexByte(from, l)
			if at < 0 {
				return c, ErrFormat
			}
			n = n<<bits | at
		}
		binary.BigEndian.PutUint16(c[2*i:], uint16(n))
	}
	return c, nil
}

func indexRune(s string, want rune) int {
	i := 0
	for _, r := range s {
		if r == want {
			return i
		}
		i++
	}
	return -1
}

// derive is HKDF-SHA256 (RFC 5869) of the code. The code is random and whole: nothing is stretched.
func (c Code) derive(use string) [KeySize]byte {
	out, err := hkdf.Key(sha256.New, c[:], []byte("jedel.tips.code/1"), use, KeySize)
	if err != nil {
		panic("bug: 32 bytes are within the limit of HKDF: " + err.Error())
	}
	return [KeySize]byte(out)
}

// Key returns the key of the code's mailbox.
func (c Code) Key() Key { return c.derive("mailbox") }

// Identity returns the age identity (AGE-SECRET-KEY-PQ-1...) to which replies are sealed.
func (c Code) Identity() string {
	seed := c.derive("identity")
	return strings.ToUpper(bech32("age-secret-key-pq-", seed[:]))
}

const bech32Letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// bech32 encodes as BIP 173 does, without its limit of 90 characters.
func bech32(prefix string, data []byte) string {
	values := make([]byte, 0, len(data)*8/5+1)
	acc, bits := uint(0), 0
	for _, b := range data {
		acc, bits = acc<<8|uint(b), bits+8
		for bits >= 5 {
			bits -= 5
			values = append(values, byte(acc>>bits)&31)
		}
		acc &= 1<<bits - 1
	}
	if bits > 0 {
		values = append(values, byte(acc<<(5-bits))&31)
	}
	check := bech32Sum(prefix, append(values, 0, 0, 0, 0, 0, 0)) ^ 1
	for i := range 6 {
		values = append(values, byte(check>>(5*(5-i)))&31)
	}
	out := []byte(prefix + "1")
	for _, v := range values {
		out = append(out, bech32Letters[v])
	}
	return string(out)
}

func bech32Sum(prefix string, values []byte) uint32 {
	all := make([]byte, 0, 2*len(prefix)+1+len(values))
	for i := range len(prefix) {
		all = append(all, prefix[i]>>5)
	}
	all = append(all, 0)
	for i := range len(prefix) {
		all = append(all, prefix[i]&31)
	}
	sum := uint32(1)
	for _, v := range append(all, values...) {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ uint32(v)
		for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}
