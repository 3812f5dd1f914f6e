package bag

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a path in bytes: with the name of the bag in front, Windows takes 260 letters.
const maxName = 180

// maxPart bounds one name made by SafeName, in bytes.
const maxPart = 80

// ErrName reports a path that may not stand in a bag.
var ErrName = errors.New("not a name for a file of a bag")

// reserved are names that Windows keeps for devices, whatever ending they have.
var reserved = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true, "conin$": true, "conout$": true,
	"com0": true, "com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt0": true, "lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// CheckName refuses a path that is not safe on every system: absolute, with "..", with letters or
// names that Windows does not take, with control characters, not in UTF-8, or too long.
func CheckName(name string) error {
	if !fs.ValidPath(name) || name == "." || len(name) > maxName || !utf8.ValidString(name) {
		return fmt.Errorf("%w: %q", ErrName, name)
	}
	for part := range strings.SplitSeq(name, "/") {
		stem, _, _ := strings.Cut(part, ".")
		if strings.IndexFunc(part, unfit) >= 0 || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || strings.HasPrefix(part, " ") ||
			reserved[strings.ToLower(strings.TrimSpace(stem))] {
			return fmt.Errorf("%w: %q", ErrName, name)
		}
	}
	return nil
}

// unfit reports letters that a name may not have: what Windows refuses, what cannot be seen, and
// what turns the direction of reading, with which a name can pretend another ending.
func unfit(r rune) bool {
	return r < 0x20 || r == 0x7f || strings.ContainsRune(`<>:"/\|?*%~`, r) || r == utf8.RuneError || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) ||
		unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Co, r)
}

// SafeName makes one name, without a folder, of what somebody called a file. It never fails; of a
// name without one fit letter "file" is left.
func SafeName(name string) string {
	name = strings.ToValidUTF8(name, "_")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unfit(r) {
			return '_'
		}
		return r
	}, name)
	name = strings.TrimLeft(strings.Trim(name, ". "), "-")
	ending := path.Ext(name)
	if len(ending) > 10 || ending == name {
		ending = ""
	}
	stem := strings.TrimRight(cut(strings.TrimSuffix(name, ending), maxPart-len(ending)), ". ")
	first, _, _ := strings.Cut(stem, ".")
	if reserved[strings.ToLower(strings.TrimSpace(first))] {
		stem = "_" + stem
	}
	if stem == "" {
		stem = "file"
	}
	if out := stem + ending; CheckName(out) == nil {
		return out
	}
	return "file"
}

// cut shortens to at most n bytes without breaking a letter.
func cut(s string, n int) string {
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// encodePath writes a path as RFC 8493 section 2.1.3 wants it in a manifest.
func encodePath(name string) string {
	return strings.NewReplacer("%", "%25", "\n", "%0A", "\r", "%0D").Replace(name)
}

// decodePath is its reverse. Other percent signs stay as they are.
func decodePath(name string) string {
	return strings.NewReplacer("%0A", "\n", "%0a", "\n", "%0D", "\r", "%0d", "\r", "%25", "%").Replace(name)
}
