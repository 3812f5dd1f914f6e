package smpp

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The codings of a text (section 5.2.19).
const (
	CodingDefault byte = 0 // the centre's alphabet; only letters are sent in it that all alphabets have alike
	CodingUCS2    byte = 8 // what Kazakh and Russian need
)

// Lengths of a part: alone, and with the header of 6 bytes that joins several (3GPP TS 23.040 section 9.2.3.24.1).
const (
	onePlain, manyPlain = 160, 153 // letters
	oneUCS2, manyUCS2   = 70, 67   // units of 16 bits
)

// MaxParts is how many parts a message may have at all.
const MaxParts = 255

// plain tells whether GSM 7-bit (3GPP TS 23.038), ASCII and Latin 1 write s alike.
func plain(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c == '\n' || c == '\r' || c >= ' ' && c <= 'Z' && c != '$' && c != '@' || c >= 'a' && c <= 'z':
		default:
			return false
		}
	}
	return true
}

// Count returns how many parts s takes, which is what it costs.
func Count(s string) int {
	if plain(s) {
		return parts(len(s), onePlain, manyPlain)
	}
	return len(split(utf16.Encode([]rune(s))))
}

func parts(n, one, many int) int {
	if n <= one {
		return 1
	}
	return (n + many - 1) / many
}

// split cuts text into parts without parting a pair of surrogates, which many phones would show as two boxes.
func split(units []uint16) [][]uint16 {
	if len(units) <= oneUCS2 {
		return [][]uint16{units}
	}
	var out [][]uint16
	for len(units) > 0 {
		n := min(manyUCS2, len(units))
		if n < len(units) && utf16.IsSurrogate(rune(units[n])) && units[n] >= 0xDC00 {
			n--
		}
		out = append(out, units[:n])
		units = units[n:]
	}
	return out
}

// Cut shortens s to at most n parts, with an ellipsis where something is left out.
func Cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if Count(s) <= n {
		return s
	}
	runes := []rune(s)
	low, high := 0, len(runes) // the longest that fits; a longer one never takes fewer parts
	for low < high {
		mid := (low + high + 1) / 2
		if Count(string(runes[:mid])+"…") <= n {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return string(runes[:low]) + "…"
}

// Split writes a text in parts, each ready to be sent, and their coding. Where there are several, each
// begins with a header that names ref, which must differ between messages to the same phone. What is
// longer than MaxParts is cut.
func Split(s string, ref byte) (coding byte, out [][]byte) {
	s = Cut(s, MaxParts)
	if plain(s) {
		coding = CodingDefault
		size := onePlain
		if len(s) > onePlain {
			size = manyPlain
		}
		for first := true; first || s != ""; first = false {
			n := min(size, len(s))
			out = append(out, []byte(s[:n]))
			s = s[n:]
		}
	} else {
		coding = CodingUCS2
		for _, units := range split(utf16.Encode([]rune(s))) {
			b := make([]byte, 0, 2*len(units))
			for _, u := range units {
				b = append(b, byte(u>>8), byte(u))
			}
			out = append(out, b)
		}
	}
	if len(out) > 1 {
		for i, part := range out {
			out[i] = append([]byte{5, 0, 3, ref, byte(len(out)), byte(i + 1)}, part...)
		}
	}
	return coding, out
}

// Join is what a phone does: it reads the parts of Split in their order. ok is false where they are not such.
func Join(coding byte, parts [][]byte) (s string, ok bool) {
	var raw []byte
	for i, p := range parts {
		if len(parts) > 1 {
			if len(p) < 6 || p[0] != 5 || int(p[4]) != len(parts) || int(p[5]) != i+1 || p[3] != parts[0][3] {
				return "", false
			}
			p = p[6:]
		}
		raw = append(raw, p...)
	}
	if coding != CodingUCS2 {
		return string(raw), utf8.Valid(raw)
	}
	units := make([]uint16, 0, len(raw)/2)
	for ; len(raw) >= 2; raw = raw[2:] {
		units = append(units, uint16(raw[0])<<8|uint16(raw[1]))
	}
	return string(utf16.Decode(units)), len(raw) == 0
}
