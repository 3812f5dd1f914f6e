package signon

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

// begun is what is remembered between the two steps of a sign-in.
type begun struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // of PKCE
	Back     string    `json:"b"`
	Until    time.Time `json:"u"`
}

// maxCookie bounds a sealed cookie in bytes.
const maxCookie = 2048

var errSeal = errors.New("not sealed by us")

// sealer hides what travels in a cookie and notices when it was changed (AES-256-GCM).
type sealer struct{ aead cipher.AEAD }

func newSealer(secret []byte) (*sealer, error) {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("sign-on cookie"))
	block, err := aes.NewCipher(m.Sum(nil))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &sealer{aead}, err
}

func (s *sealer) close(b begun) (string, error) {
	raw, err := json.Marshal(b)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, raw, nil)), nil
}

func (s *sealer) open(cookie string) (b begun, err error) {
	if len(cookie) > maxCookie {
		return b, errSeal
	}
	raw, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return b, errSeal
	}
	n := s.aead.NonceSize()
	plain, err := s.aead.Open(nil, raw[:n], raw[n:], nil)
	if err != nil || json.Unmarshal(plain, &b) != nil {
		return b, errSeal
	}
	return b, nil
}
