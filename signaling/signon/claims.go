package signon

import (
	"slices"
	"strings"
	"unicode"

	"jedel/internal/fault"
)

const maxName = 100 // letters

// read takes from the claims what concerns us. Nothing of it is believed to be well formed. Whom
// units are read for and who has none here has no account: no unit would be every unit.
func (p *Provider) read(id Identity, claims map[string]any) (Identity, error) {
	for _, c := range []string{"name", "preferred_username"} {
		if id.Name == "" {
			text, _ := claims[c].(string)
			id.Name = line(text)
		}
	}
	id.Mapped, id.UnitMapped = p.cfg.RolesClaim != "", p.cfg.UnitClaim != ""
	for _, v := range values(claims[p.cfg.RolesClaim]) {
		for _, r := range p.cfg.Roles[v] {
			if !slices.Contains(id.Roles, r) {
				id.Roles = append(id.Roles, r)
			}
		}
	}
	for _, v := range values(claims[p.cfg.UnitClaim]) {
		if unit, ok := p.cfg.Units[v]; ok {
			id.Unit = unit
			return id, nil
		}
	}
	if id.UnitMapped {
		return id, fault.New(fault.NoAccount, op, nil)
	}
	return id, nil
}

// values are those of a claim: one text, or a list of them.
func values(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, item := range v[:min(len(v), maxGroups)] {
			if text, ok := item.(string); ok {
				list = append(list, text)
			}
		}
		return list
	}
	return nil
}

// line makes one short line of a text.
func line(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if letters := []rune(text); len(letters) > maxName {
		return strings.TrimSpace(string(letters[:maxName]))
	}
	return text
}
