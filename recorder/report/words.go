package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"

	"jedel/recorder/verify"
	"jedel/web"
)

// ErrLanguage means that there are no words in a language.
var ErrLanguage = errors.New("no words in this language")

// Words are the texts of reports in one language: their own, and what the evidence page calls
// events, streams and the verifier's findings.
type Words struct {
	Lang string
	of   map[string]string
}

// In returns the words of a language: kk, ru or en.
func In(lang string) (Words, error) {
	w := Words{lang, map[string]string{}}
	for _, page := range []string{"evidence", "report"} {
		texts, err := web.Texts(page, lang)
		if err != nil {
			return w, fmt.Errorf("%w: %q: %w", ErrLanguage, lang, err)
		}
		maps.Copy(w.of, texts)
	}
	return w, nil
}

// plural is the form of a count, in texts such as "{n, plural, one{# time} other{# times}}".
var plural = regexp.MustCompile(`\{(\w+), plural,((?: *\w+\{[^{}]*\})+)\}`)

// form is one of a plural's forms.
var form = regexp.MustCompile(`(\w+)\{([^{}]*)\}`)

// Say returns a text with its blanks filled: pairs of a name and a value. A text that is not there
// is its key.
func (w Words) Say(key string, pairs ...any) string {
	args := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return w.fill(key, args)
}

func (w Words) fill(key string, args map[string]any) string {
	text, ok := w.of[key]
	if !ok {
		return key
	}
	text = plural.ReplaceAllStringFunc(text, func(m string) string {
		parts := plural.FindStringSubmatch(m)
		n := number(args[parts[1]])
		forms := map[string]string{}
		for _, f := range form.FindAllStringSubmatch(parts[2], -1) {
			forms[f[1]] = f[2]
		}
		chosen, ok := forms[category(w.Lang, n)]
		if !ok {
			chosen = forms["other"]
		}
		return strings.ReplaceAll(chosen, "#", strconv.FormatInt(n, 10))
	})
	pairs := make([]string, 0, 2*len(args))
	for name, v := range args {
		pairs = append(pairs, "{"+name+"}", w.value(name, v))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// category is the plural category of a whole number by CLDR.
func category(lang string, n int64) string {
	switch {
	case lang != "ru" && n == 1, lang == "ru" && n%10 == 1 && n%100 != 11:
		return "one"
	case lang == "ru" && n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return "few"
	case lang == "ru":
		return "many"
	}
	return "other"
}

func number(v any) int64 {
	n, err := strconv.ParseInt(plainly(v), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// plainly is a value as the page would print it.
func plainly(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		if v == math.Trunc(v) {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return strconv.FormatFloat(v, 'f', 3, 64)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

func (w Words) value(name string, v any) string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]string, 0, len(list))
	for _, one := range list {
		text := plainly(one)
		switch name {
		case "cause":
			text = w.known("proof."+text, text)
		case "stream", "streams":
			text = w.Stream(text)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func (w Words) known(key, otherwise string) string {
	if text, ok := w.of[key]; ok {
		return text
	}
	return otherwise
}

// Stream names a stream, such as "caller audio".
func (w Words) Stream(name string) string {
	parts := strings.Fields(name)
	for i, p := range parts {
		parts[i] = w.known("stream."+p, p)
	}
	return strings.Join(parts, " · ")
}

// Event names an event of a call.
func (w Words) Event(kind string) string { return w.known("ev."+kind, w.Say("ev.other")) }

// Cause says why something is missing.
func (w Words) Cause(cause string) string { return w.known("why."+cause, cause) }

// Note says what the verifier found; a code of a newer verifier keeps its English text.
func (w Words) Note(n verify.Note) string {
	if _, ok := w.of["proof."+string(n.Code)]; !ok {
		return n.Text
	}
	return w.fill("proof."+string(n.Code), generic(n.Args))
}

// Fault says what is wrong with an archive, and where.
func (w Words) Fault(f verify.Fault) string {
	what := w.Note(verify.Note{Code: f.Code, Args: f.Args, Text: f.What})
	return w.Say("fault", "what", what, "stream", f.Name, "second", f.Second)
}

// generic returns arguments as JSON knows them.
func generic(args verify.Args) map[string]any {
	raw, err := json.Marshal(args)
	out := map[string]any{}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return map[string]any{}
	}
	return out
}
