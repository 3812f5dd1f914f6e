package turnd

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// CredentialTime is how long a credential opens allocations. Longer lets a page that went away be
// replayed longer, shorter cuts off pages whose clock of renewal the browser slows down.
const CredentialTime = 10 * time.Minute

// maxUser bounds a user name in bytes: an expiry, a colon and an identifier.
const maxUser = 64

var (
	errUser    = errors.New("not a user name of ours")
	errExpired = errors.New("the credential has expired")
)

// credential returns user name and password for a client, good until expires: the user name tells
// both (draft-uberti-behave-turn-rest-00 section 2.2), the password is its keyed hash, so that
// nothing need be kept and every node with the key knows it.
func credential(key []byte, client string, expires time.Time) (user, password string) {
	user = strconv.FormatInt(expires.Unix(), 10) + ":" + client
	return user, password256(key, user)
}

func password256(key []byte, user string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("turn\x00" + user))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// readUser returns the client of a user name and whether its time is over: errUser, or errExpired
// together with the client. Every user name has one spelling.
func readUser(user string, now time.Time) (client string, err error) {
	stamp, client, ok := strings.Cut(user, ":")
	if !ok || len(user) > maxUser || client == "" {
		return "", errUser
	}
	for _, c := range []byte(client) {
		if c <= ' ' || c > '~' || c == ':' {
			return "", errUser
		}
	}
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(unix, 10) != stamp {
		return "", errUser
	}
	if now.Unix() >= unix {
		return client, errExpired
	}
	if unix > now.Add(2*CredentialTime).Unix() { // nobody of ours makes such
		return "", errUser
	}
	return client, nil
}
