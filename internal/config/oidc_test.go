package config

import (
	"strings"
	"testing"
)

func TestAnIdentityProviderIsWholeOrNotThere(t *testing.T) {
	good := "oidc: {issuer: 'https://id.example/realms/police/', client_id: jedel, secret_file: s, redirect: 'https://112.example/api/v1/staff/oidc/callback', roles_claim: groups, roles: {a: [operator]}}"
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"plain http":         {"https://id.example", "http://id.example"},
		"no secret":          {"secret_file: s, ", ""},
		"another callback":   {"/oidc/callback", "/session"},
		"a password in it":   {"https://id.", "https://u:p@id."},
		"roles without them": {", roles: {a: [operator]}", ""},
		"a role that is not": {"[operator]", "[root]"},
		"units without them": {"roles_claim", "unit_claim: ou, roles_claim"},
		"no words":           {"roles_claim", "button: {kk: '', ru: '', en: ''}, roles_claim"},
	} {
		text := strings.Replace(good, c[0], c[1], 1)
		if text == good {
			t.Fatal(name)
		}
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "oidc.") {
			t.Error(name, err)
		}
	}
}
