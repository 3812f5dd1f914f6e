package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"jedel/internal/access"
)

// OIDC is the identity provider by which staff may sign in; without an issuer there is none.
type OIDC struct {
	Issuer     string              `yaml:"issuer"`
	ClientID   string              `yaml:"client_id"`
	SecretFile string              `yaml:"secret_file"`
	Redirect   string              `yaml:"redirect"`
	Scopes     []string            `yaml:"scopes"`
	RolesClaim string              `yaml:"roles_claim"`
	Roles      map[string][]string `yaml:"roles"`
	UnitClaim  string              `yaml:"unit_claim"`
	Units      map[string]string   `yaml:"units"`
	Button     Text                `yaml:"button"`
}

// OIDCCallback is the path that a redirect ends with.
const OIDCCallback = "/api/v1/staff/oidc/callback"

func (o OIDC) check() []error {
	if o.Issuer == "" {
		return nil
	}
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("oidc."+format, args...))
		}
	}
	want(secure(o.Issuer), "issuer: %q is no https address", o.Issuer)
	want(o.ClientID != "" && o.SecretFile != "", "issuer: needs client_id and secret_file")
	want(secure(o.Redirect) && strings.HasSuffix(o.Redirect, OIDCCallback), "redirect: %q is no https address that ends with %s", o.Redirect, OIDCCallback)
	want((o.RolesClaim == "") == (len(o.Roles) == 0), "roles_claim and roles: one needs the other")
	want((o.UnitClaim == "") == (len(o.Units) == 0), "unit_claim and units: one needs the other")
	for value, roles := range o.Roles {
		for _, r := range roles {
			want(slices.Contains(access.Roles(), access.Role(r)), "roles: %q of %q is no role", r, value)
		}
	}
	want(o.Button.KK != "" && o.Button.RU != "" && o.Button.EN != "", "button: needs words in kk, ru and en")
	return errs
}

// secure takes addresses that nobody on the way can change; this machine's own are for tests.
func secure(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	own := slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && own
}
