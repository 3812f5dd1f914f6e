package app

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"jedel/internal/config"
	"jedel/signaling"
	"jedel/signaling/signon"
)

// maxSecret bounds a file with a secret in bytes.
const maxSecret = 4096

// openSignOn returns the identity provider that is configured; nil where none is. It is not asked
// before somebody signs in: it may be down when we start.
func openSignOn(c config.OIDC, secret []byte) (signaling.SignOn, error) {
	if c.Issuer == "" {
		return nil, nil
	}
	f, err := os.Open(c.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("oidc.secret_file: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return nil, fmt.Errorf("oidc.secret_file: %w", err)
	}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 {
		return nil, fmt.Errorf("oidc.secret_file: %s is empty", c.SecretFile)
	}
	return signon.New(signon.Config{
		Issuer: c.Issuer, ClientID: c.ClientID, Secret: string(raw), Redirect: c.Redirect, Scopes: c.Scopes,
		RolesClaim: c.RolesClaim, Roles: c.Roles, UnitClaim: c.UnitClaim, Units: c.Units,
	}, secret)
}
