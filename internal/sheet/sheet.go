// Package sheet writes tables for spreadsheet programs: comma-separated values as RFC 4180 has them,
// with the departures that such programs need. It is pure.
//
//   - A byte order mark begins the text: without one the programs take UTF-8 for a code page, and Kazakh
//     and Russian come out as rubbish.
//   - Semicolons stand between cells. In Kazakh and Russian the comma divides decimals, and programs of
//     these languages split at semicolons only; a line "sep=;" would help the others, and makes the most
//     used one forget the mark.
//   - Numbers are whole. A point or a comma in one is read as a date somewhere: 1.5 as the first of May.
//   - Text is quoted always, and text that a program would calculate gets an apostrophe in front.
package sheet

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mark is what a file begins with.
const Mark = "\ufeff"

// Mime is what a file is.
const Mime = "text/csv; charset=utf-8; header=present"

// separator divides cells, end lines.
const (
	separator = ';'
	end       = "\r\n"
)

// Writer collects lines. Its zero value is ready.
type Writer struct{ out strings.Builder }

// Cell is a text or a whole number.
type Cell struct {
	text   string
	number int64
	whole  bool
}

// Text is a cell of words.
func Text(s string) Cell { return Cell{text: s} }

// Number is a cell of a whole number.
func Number[N int | int64](n N) Cell { return Cell{number: int64(n), whole: true} }

// None is an empty cell: what was not measured, which is not 0.
func None() Cell { return Cell{} }

// Line adds a line.
func (w *Writer) Line(cells ...Cell) {
	if w.out.Len() == 0 {
		w.out.WriteString(Mark)
	}
	for i, c := range cells {
		if i > 0 {
			w.out.WriteByte(separator)
		}
		switch {
		case c.whole:
			w.out.WriteString(strconv.FormatInt(c.number, 10))
		case c.text != "":
			w.out.WriteByte('"')
			w.out.WriteString(strings.ReplaceAll(Safe(c.text), `"`, `""`))
			w.out.WriteByte('"')
		}
	}
	w.out.WriteString(end)
}

// String is all that was written.
func (w *Writer) String() string { return w.out.String() }

// Safe returns text that no spreadsheet program calculates: text that begins like a formula, be it
// after blanks or marks that such programs drop, gets an apostrophe in front. Control characters
// become blanks, so that a cell is a line.
func Safe(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return ' '
		case r == utf8.RuneError:
			return '?'
		}
		return r
	}, s)
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.In(r, unicode.Cf): // dropped, as is a byte order mark
			continue
		case strings.ContainsRune("=+-@|%＝＋－＠−", r):
			return "'" + s
		}
		break
	}
	return s
}
