// Package notice has the texts of messages to citizens: which there are, what may stand in them, how long they get.
package notice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"jedel/internal/smpp"
)

// Kind is what a message is about.
type Kind string

// The kinds. Each has one text in each language.
const (
	Registered Kind = "registered" // a report was registered
	Changed    Kind = "changed"    // its status is another
	Closed     Kind = "closed"     // the reply
	News       Kind = "news"       // there is news, and no word of what: for lock screens, and where others may read
	Code       Kind = "code"       // a one-time code
	Test       Kind = "test"       // that messages arrive
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Registered, Changed, Closed, News, Code, Test} }

// Langs are the languages of the service.
func Langs() []string { return []string{"kk", "ru", "en"} }

// Args are what stands in place of {number}, {status} and {text}.
type Args struct {
	Number string // of the case
	Status string // in words, in the citizen's language
	Text   string // a reply or a code; it is shortened where the message would get too long
}

// allowed are the placeholders of each kind.
var allowed = map[Kind][]string{
	Registered: {"{number}"}, Changed: {"{number}", "{status}"}, Closed: {"{number}", "{status}", "{text}"}, News: {"{number}"}, Code: {"{text}"}, Test: {},
}

// needed are those without which the message says nothing.
var needed = map[Kind][]string{Registered: {"{number}"}, Changed: {"{number}", "{status}"}, Closed: {"{number}", "{text}"}, News: {"{number}"}, Code: {"{text}"}}

// Texts are the words of each kind, by language.
type Texts map[Kind]map[string]string

// Bounds of what fills a text, in letters.
const (
	maxNumber = 32
	maxStatus = 60
	maxNews   = 120 // what a lock screen shows
	maxText   = 4000
)

// Check complains of a text that is missing, has an unknown placeholder or lacks one, or is longer than
// maxParts text messages before {text} has a letter.
func (t Texts) Check(maxParts int) error {
	var errs []error
	complain := func(k Kind, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{k}, args...)...))
	}
	if maxParts < 1 || maxParts > 20 {
		errs = append(errs, fmt.Errorf("%d parts are not within 1 and 20", maxParts))
	}
	for k := range t {
		if !slices.Contains(Kinds(), k) {
			complain(k, "no such message")
		}
	}
	for _, k := range Kinds() {
		for _, lang := range Langs() {
			text := t[k][lang]
			if strings.TrimSpace(text) == "" {
				complain(k, "no text in %s", lang)
				continue
			}
			if !utf8.ValidString(text) || text != tidy(text) {
				complain(k, "%s has letters that are not shown", lang)
			}
			for _, p := range placeholders(text) {
				if !slices.Contains(allowed[k], p) {
					complain(k, "%s: %s does not stand for anything", lang, p)
				}
			}
			for _, p := range needed[k] {
				if !strings.Contains(text, p) {
					complain(k, "%s lacks %s", lang, p)
				}
			}
			longest := fill(text, Args{Number: "26-0001234", Status: strings.Repeat("Ә", maxStatus)})
			if n := smpp.Count(longest); n > maxParts {
				complain(k, "%s takes %d text messages, allowed are %d", lang, n, maxParts)
			}
			if n := utf8.RuneCountInString(longest); k == News && n > maxNews {
				complain(k, "%s has %d letters, a lock screen shows %d", lang, n, maxNews)
			}
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// placeholders returns everything in braces, and a brace that is alone.
func placeholders(text string) (out []string) {
	for {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			return out
		}
		end := strings.IndexByte(text[i:], '}')
		if text[i] == '}' || end < 0 {
			return append(out, text[i:i+1])
		}
		out = append(out, text[i:i+end+1])
		text = text[i+end+1:]
	}
}

// Render writes a message of at most maxParts text messages. An unknown language gets Kazakh.
func (t Texts) Render(k Kind, lang string, a Args, maxParts int) string {
	text := t[k][lang]
	if text == "" {
		text = t[k]["kk"]
	}
	a = Args{Number: line(a.Number, maxNumber), Status: line(a.Status, maxStatus), Text: line(a.Text, maxText)}
	if s := fill(text, a); smpp.Count(s) <= maxParts {
		return s
	}
	runes := []rune(a.Text)
	low, high := 0, len(runes) // the longest that fits
	for low < high {
		mid := (low + high + 1) / 2
		a.Text = string(runes[:mid]) + "…"
		if smpp.Count(fill(text, a)) <= maxParts {
			low = mid
		} else {
			high = mid - 1
		}
	}
	a.Text = string(runes[:low]) + "…"
	return smpp.Cut(fill(text, a), maxParts)
}

// fill puts the values in, in one pass: braces in a value are only letters.
func fill(text string, a Args) string {
	return strings.NewReplacer("{number}", a.Number, "{status}", a.Status, "{text}", a.Text).Replace(text)
}

// line makes one line of at most n letters of what somebody wrote.
func line(s string, n int) string {
	s = strings.Join(strings.Fields(tidy(s)), " ")
	if utf8.RuneCountInString(s) > n {
		s = string([]rune(s)[:n])
	}
	return s
}

// tidy leaves out what is not shown or turns other letters round, such as marks of direction.
func tidy(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}
