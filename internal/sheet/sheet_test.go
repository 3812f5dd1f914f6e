package sheet

import (
	"encoding/csv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// read takes a text apart as RFC 4180 does.
func read(t testing.TB, s string) [][]string {
	t.Helper()
	body, marked := strings.CutPrefix(s, Mark)
	if !marked {
		t.Fatal("no byte order mark")
	}
	r := csv.NewReader(strings.NewReader(body))
	r.Comma = ';'
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%v in %q", err, s)
	}
	return lines
}

// hostile are the beginnings by which spreadsheet programs take text for a formula.
func hostile() []string {
	return []string{"=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u00a0=", "\ufeff=", "\u200b=", "＝", "＋", "－", "＠", "|", "%"}
}

func TestNoCellIsAFormula(t *testing.T) {
	for _, begin := range hostile() {
		var w Writer
		w.Line(Text("name"), Text("n"))
		w.Line(Text(begin+`cmd|'/C calc'!A0`), Number(3))
		cell := read(t, w.String())[1][0]
		if !strings.HasPrefix(cell, "'") {
			t.Errorf("%q became %q", begin, cell)
		}
	}
	for _, text := range []string{"Шу", "kind: noise", "2026-11-24", "a=b", "5", "Д-12"} {
		if Safe(text) != text {
			t.Errorf("%q became %q", text, Safe(text))
		}
	}
}

func TestACellStaysOne(t *testing.T) {
	for _, text := range []string{`";=1+1;"`, "a;b", "line\r\nline", `"`, `""`, "tab\there", "\x00", "a\u2028b"} {
		var w Writer
		w.Line(Text(text), Number(-7), None(), Number(int64(1)<<40))
		lines := read(t, w.String())
		if len(lines) != 1 || len(lines[0]) != 4 || lines[0][1] != "-7" || lines[0][2] != "" || lines[0][3] != "1099511627776" {
			t.Errorf("%q: %q", text, lines)
		}
		if strings.Count(w.String(), "\n") != 1 {
			t.Errorf("%q: more than a line in %q", text, w.String())
		}
	}
}

// FuzzCells holds that whatever stands in a cell comes back in one, and begins like no formula.
func FuzzCells(f *testing.F) {
	for _, begin := range hostile() {
		f.Add(begin+"1+1", "b")
	}
	f.Add(`";=1;"`, "\r\n=1")
	f.Add("\xff=1", "'=1")
	f.Fuzz(func(t *testing.T, a, b string) {
		var w Writer
		w.Line(Text("x"), Text(a), Text(b), Number(1)) // the first is there, so that no line is empty
		lines := read(t, w.String())
		if len(lines) != 1 || len(lines[0]) != 4 || lines[0][3] != "1" {
			t.Fatalf("%q", lines)
		}
		for _, cell := range lines[0][1:3] {
			if !utf8.ValidString(cell) {
				t.Fatalf("%q is no UTF-8", cell)
			}
			first := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Cc) })
			if first != "" && strings.ContainsAny(first[:1], "=+-@") {
				t.Fatalf("%q is calculated", cell)
			}
		}
	})
}
