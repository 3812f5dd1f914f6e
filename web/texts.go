package web

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed locales/evidence/*.json locales/report/*.json
var texts embed.FS

// Texts returns the words of one page (evidence, report) in one language (kk, ru, en) by their keys.
func Texts(page, lang string) (map[string]string, error) {
	raw, err := texts.ReadFile("locales/" + page + "/" + lang + ".json")
	if err != nil {
		return nil, fmt.Errorf("no texts of %q in %q: %w", page, lang, err)
	}
	out := map[string]string{}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("texts of %q in %q: %w", page, lang, err)
	}
	return out, nil
}
