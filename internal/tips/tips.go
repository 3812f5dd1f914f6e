// Package tips has the rules and formats of anonymous tips: the citizen's code and what is derived
// from it, the letter that is sealed in the browser, the check that something really is sealed,
// the stamp that takes the place of limits by address, the bounds, and the proof by which a unit
// shows that it holds its key. Nothing here reads a clock, takes chance or touches a disk; nobody
// here can open a letter.
package tips

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
)

// ErrFormat reports bytes that are not what they ought to be. Every parser of this package returns it.
var ErrFormat = errors.New("tips: not the format")

// KeySize is the size in bytes of keys, digests and addresses.
const KeySize = 32

// Unit is who tips are sealed to.
type Unit struct {
	Key        string   // short name in addresses: "anticor"
	Recipients []string // age1pq1..., in the order of the configuration
}

// Day is the only time that is kept: a calendar day of the site, in days since 1 January 1970.
type Day int32

// DayOf returns the calendar day of a moment in its own zone.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Time returns the beginning of the day in UTC.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// ID names a sealed letter: the SHA-256 of its bytes. It tells nothing of when it came, and the
// same letter sent twice is one.
type ID [KeySize]byte

// IDOf returns the name of a sealed letter.
func IDOf(sealed []byte) ID { return sha256.Sum256(sealed) }

func (i ID) String() string { return hex.EncodeToString(i[:]) }

// ParseID reads what String writes.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != hex.EncodedLen(KeySize) || strings.ToLower(text) != text {
		return id, ErrFormat
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return id, ErrFormat
	}
	return id, nil
}

// Key is what a citizen shows for their mailbox. It is a secret and is not kept.
type Key [KeySize]byte

// ParseKey reads a mailbox key in base64url without padding.
func ParseKey(text string) (Key, error) {
	var k Key
	if len(text) != base64.RawURLEncoding.EncodedLen(KeySize) {
		return k, ErrFormat
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != KeySize {
		return k, ErrFormat
	}
	return Key(raw), nil
}

// Text returns what ParseKey reads.
func (k Key) Text() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// Mailbox is where replies lie: the hash of its key. Whoever reads the store learns no key from it.
type Mailbox [KeySize]byte

// Mailbox returns the address of the mailbox of a key.
func (k Key) Mailbox() Mailbox {
	return sha256.Sum256(append([]byte("jedel.tips.mailbox/1\n"), k[:]...))
}

func (m Mailbox) String() string { return hex.EncodeToString(m[:]) }

// ParseMailbox reads what String writes.
func ParseMailbox(text string) (Mailbox, error) {
	id, err := ParseID(text)
	return Mailbox(id), err
}

// Fingerprint returns what people compare: the first 80 bits of the SHA-256 of the unit's
// recipients, sorted, one a line; in five groups of four hexadecimal digits.
func Fingerprint(recipients []string) string {
	sorted := slices.Sorted(slices.Values(recipients))
	sum := sha256.Sum256([]byte(strings.Join(sorted, "\n")))
	text := hex.EncodeToString(sum[:10])
	var groups []string
	for len(text) > 0 {
		groups, text = append(groups, text[:4]), text[4:]
	}
	return strings.Join(groups, " ")
}
