package keys

import (
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Wrap returns the call keys of the ring as age files for recipients, by the keys' names. Disclosed
// keys of parts are not among them.
func (r *Ring) Wrap(to []Recipient) (map[string][]byte, error) {
	out := map[string][]byte{}
	if r == nil {
		return out, nil
	}
	for id, k := range r.keks {
		raw, err := WrapKEK(k, to)
		if err != nil {
			return nil, err
		}
		out[id] = raw
	}
	return out, nil
}

// Encrypt returns a writer whose content, as an age file in w, only the recipient can read. Closing
// it ends the file and leaves w open.
func Encrypt(w io.Writer, to Recipient) (io.WriteCloser, error) {
	p, err := age.ParseHybridRecipient(to.Text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecipients, err)
	}
	out, err := age.Encrypt(w, p)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return out, nil
}

// Decrypt reads what Encrypt wrote. It returns ErrNoKey where it is for none of the identities.
func Decrypt(r io.Reader, ids ...Identity) (io.Reader, error) {
	all := make([]age.Identity, 0, len(ids))
	for _, i := range ids {
		all = append(all, i.in)
	}
	out, err := age.Decrypt(r, all...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("decrypt: %w", ErrNoKey)
	}
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	return out, nil
}
