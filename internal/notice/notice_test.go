package notice

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"jedel/internal/smpp"

	"pgregory.net/rapid"
)

func TestDefaultTextsAreGood(t *testing.T) {
	if err := Default().Check(3); err != nil {
		t.Fatal(err)
	}
	for _, lang := range Langs() {
		if n := smpp.Count(Default().Render(Registered, lang, Args{Number: "26-000123"}, 3)); n != 1 {
			t.Errorf("%s: a registration costs %d text messages", lang, n)
		}
	}
}

func TestBadTextsAreNamed(t *testing.T) {
	for want, change := range map[string]func(Texts){
		"closed: no text in ru":                   func(t Texts) { t[Closed]["ru"] = " " },
		"registered: no text in kk":               func(t Texts) { delete(t, Registered) },
		"changed: kk: {stаtus} does not stand":    func(t Texts) { t[Changed]["kk"] = "{number} {status} {stаtus}" }, // a Cyrillic а
		"news: en: {text} does not stand":         func(t Texts) { t[News]["en"] = "{number} {text}" },
		"news: en: { does not stand":              func(t Texts) { t[News]["en"] = "{number} {" },
		"news: en: } does not stand":              func(t Texts) { t[News]["en"] = "{number} }" },
		"closed: en lacks {text}":                 func(t Texts) { t[Closed]["en"] = "{number}" },
		"registered: ru takes 4 text messages":    func(t Texts) { t[Registered]["ru"] = "{number}" + strings.Repeat("ж", 200) },
		"news: kk has 140 letters":                func(t Texts) { t[News]["kk"] = "{number}" + strings.Repeat("ж", 130) },
		"test: kk has letters that are not shown": func(t Texts) { t[Test]["kk"] = "a\u202Eb" },
		"birthday: no such message":               func(t Texts) { t["birthday"] = map[string]string{} },
		"code: en lacks {text}":                   func(t Texts) { t[Code]["en"] = "code" },
	} {
		texts := Default()
		change(texts)
		if err := texts.Check(3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if Default().Check(0) == nil || Default().Check(21) == nil {
		t.Error("no parts, or any number, is allowed")
	}
}

func TestWhatIsWrittenInAValueIsOnlyLetters(t *testing.T) {
	got := Default().Render(Closed, "en", Args{Number: "26-1", Status: "x", Text: "{number}\n{status} \u202Eabc\x00 d\u200b"}, 3)
	if got != "Reply to report 26-1: {number} {status} abc d" {
		t.Errorf("%q", got)
	}
	if got := Default().Render(News, "de", Args{Number: "26-1"}, 3); got != "26-1: жаңалық бар." {
		t.Error(got)
	}
}

func TestMessagesFitAndKeepTheirFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.OneOf(rapid.Rune(), rapid.RuneFrom([]rune("Қә 😀z{}"))), 0, 900, -1).Draw(t, "text")
		n, lang := rapid.IntRange(2, 6).Draw(t, "parts"), rapid.SampledFrom(Langs()).Draw(t, "lang")
		got := Default().Render(Closed, lang, Args{Number: "26-000123", Text: text}, n)
		if c := smpp.Count(got); c > n {
			t.Fatalf("%d parts of %d", c, n)
		}
		if !strings.Contains(got, "26-000123") || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("%q", got)
		}
		if whole := line(text, maxText); !strings.Contains(got, whole) && !strings.HasSuffix(got, "…") {
			t.Fatalf("%q lost a part of %q without a word", got, whole)
		}
	})
}
