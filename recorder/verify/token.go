package verify

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"

	"jedel/recorder/proof"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// Token is the answer of a time-stamping authority (RFC 3161).
type Token struct {
	*timestamp.Timestamp
	signed *pkcs7.PKCS7
}

// ParseToken reads a TimeStampResp as an authority sent it. It must be DER, as RFC 3161 section 3 asks:
// the library reads looser encodings too, and beyond the end of broken ones.
func ParseToken(raw []byte) (Token, error) {
	if err := proof.CheckDER(raw); err != nil {
		return Token{}, fmt.Errorf("time stamp: %w", err)
	}
	t, err := timestamp.ParseResponse(raw)
	if err != nil {
		return Token{}, fmt.Errorf("time stamp: %w", err)
	}
	signed, err := pkcs7.Parse(t.RawToken)
	if err != nil {
		return Token{}, fmt.Errorf("time stamp: %w", err)
	}
	return Token{t, signed}, nil
}

// Stamps tells whether the token is about a text.
func (t Token) Stamps(text string) bool {
	sum := sha256.Sum256([]byte(text))
	return t.HashAlgorithm == crypto.SHA256 && bytes.Equal(t.HashedMessage, sum[:])
}
