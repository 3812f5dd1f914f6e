package keys

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// maxKeyFile bounds a key file: some 1.7 KB a recipient.
const maxKeyFile = 64 << 10

// Recipient is somebody who may open calls.
type Recipient struct {
	Name string // for people; not part of the cryptography
	Text string // age1pq1...
}

// ID returns a fingerprint that says nothing of who it is.
func (r Recipient) ID() string {
	sum := sha256.Sum256([]byte(r.Text))
	return hex.EncodeToString(sum[:8])
}

// ErrRecipients reports a list of recipients that cannot be used.
var ErrRecipients = errors.New("recipients")

// ParseRecipients reads a list: one recipient a line, its name after it; '#' begins a remark.
// Only post-quantum recipients are taken: archives must stay closed for decades.
func ParseRecipients(text string) ([]Recipient, error) {
	var out []Recipient
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		key, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if key == "" {
			continue
		}
		if _, err := age.ParseHybridRecipient(key); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrRecipients, n+1, err)
		}
		out = append(out, Recipient{Name: strings.TrimSpace(name), Text: key})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: none", ErrRecipients)
	}
	return out, nil
}

// FormatRecipients writes a list that ParseRecipients reads.
func FormatRecipients(all []Recipient) string {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "%s %s\n", r.Text, r.Name)
	}
	return b.String()
}

// WrapKEK returns an age file (age-encryption.org/v1) from which each recipient can get the key.
func WrapKEK(kek Key, to []Recipient) ([]byte, error) {
	file, err := Seal(kek[:], to)
	if err != nil {
		return nil, fmt.Errorf("wrap key: %w", err)
	}
	return file, nil
}

// Seal returns an age file that each of the recipients can open.
func Seal(plain []byte, to []Recipient) ([]byte, error) {
	recipients := make([]age.Recipient, 0, len(to))
	for _, r := range to {
		p, err := age.ParseHybridRecipient(r.Text)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrRecipients, r.Name, err)
		}
		recipients = append(recipients, p)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Identity opens what was wrapped to its recipient. It is secret.
type Identity struct{ in *age.HybridIdentity }

// NewIdentity makes an identity.
func NewIdentity() (Identity, error) {
	in, err := age.GenerateHybridIdentity()
	return Identity{in}, err
}

// ParseIdentities reads a file of identities, one a line, the newest first; '#' begins a remark.
func ParseIdentities(text string) ([]Identity, error) {
	var out []Identity
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		in, err := age.ParseHybridIdentity(line)
		if err != nil {
			return nil, errors.New("not the identity of a recipient") // never the text: it may be half a secret
		}
		out = append(out, Identity{in})
	}
	if len(out) == 0 {
		return nil, errors.New("no identity")
	}
	return out, nil
}

// Recipient returns the public side.
func (i Identity) Recipient(name string) Recipient {
	return Recipient{Name: name, Text: i.in.Recipient().String()}
}

// Secret returns the text of the identity, for the one file that keeps it.
func (i Identity) Secret() string { return i.in.String() }

// UnwrapKEK opens an age file that WrapKEK made. It returns ErrNoKey where none of the identities
// is among its recipients, ErrTampered where the file is not one of ours.
func UnwrapKEK(file []byte, ids ...Identity) (Key, error) {
	if len(file) > maxKeyFile {
		return Key{}, fmt.Errorf("call key: %w", ErrNoKey)
	}
	raw, err := Open(file, Size, ids...)
	if err == nil && len(raw) != Size {
		err = ErrTampered
	}
	if err != nil {
		return Key{}, fmt.Errorf("call key: %w", err)
	}
	return Key(raw), nil
}

// Open opens an age file of at most so many bytes within. It returns ErrNoKey where none of the
// identities is among its recipients, ErrTampered where the file is damaged or longer.
func Open(file []byte, most int, ids ...Identity) ([]byte, error) {
	if len(ids) == 0 {
		return nil, ErrNoKey
	}
	all := make([]age.Identity, 0, len(ids))
	for _, i := range ids {
		all = append(all, i.in)
	}
	r, err := age.Decrypt(bytes.NewReader(file), all...)
	if err != nil {
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return nil, ErrNoKey
		}
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if len(raw) > most {
		return nil, ErrTampered
	}
	return raw, nil
}
