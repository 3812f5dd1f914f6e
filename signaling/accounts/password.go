package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id: OWASP's second recommendation (19 MiB, 2 passes, 1 lane). More memory
// would let a flood of sign-ins starve calls on a small machine.
const (
	argonKiB    = 19 * 1024
	argonPasses = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
	atOnce      = 2 // hashes computed at the same time
	maxPassword = 1024
	hashWait    = 5 * time.Second // for a slot; who waits longer is told to come again
)

// HashPassword returns the kept form of a password.
func HashPassword(password string) (string, error) {
	if len(password) < 8 || len(password) > maxPassword {
		return "", errors.New("a password has 8 to 1024 bytes")
	}
	var salt [argonSalt]byte
	rand.Read(salt[:])
	key := argon2.IDKey([]byte(password), salt[:], argonPasses, argonKiB, argonLanes, argonKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonKiB, argonPasses, argonLanes, b64(salt[:]), b64(key)), nil
}

// hasher bounds how many passwords are checked at once.
type hasher struct{ slots chan struct{} }

func newHasher() *hasher { return &hasher{slots: make(chan struct{}, atOnce)} }

// check reports whether password is the one of a hash. An empty or broken hash is checked against
// nothing, in the same time. An error says that too many wait.
func (h *hasher) check(ctx context.Context, password, kept string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if len(password) > maxPassword {
		password = password[:maxPassword] + "\x00"
	}
	salt, want := parts(kept)
	got := argon2.IDKey([]byte(password), salt, argonPasses, argonKiB, argonLanes, argonKey)
	return want != nil && subtle.ConstantTimeCompare(got, want) == 1, nil
}

// parts takes salt and key from a kept hash of our parameters.
func parts(kept string) (salt, key []byte) {
	f := strings.Split(kept, "$")
	if len(f) == 6 && f[1] == "argon2id" && f[3] == fmt.Sprintf("m=%d,t=%d,p=%d", argonKiB, argonPasses, argonLanes) {
		s, err1 := base64.RawStdEncoding.DecodeString(f[4])
		k, err2 := base64.RawStdEncoding.DecodeString(f[5])
		if err1 == nil && err2 == nil && len(k) == argonKey {
			return s, k
		}
	}
	return make([]byte, argonSalt), nil
}
