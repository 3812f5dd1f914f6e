package geo

import (
	"strings"
	"unicode"
)

// Latin writes Cyrillic in the letters of English readers. Capitals stay capitals.
func Latin(s string) string {
	var b strings.Builder
	for _, r := range s {
		low := unicode.ToLower(r)
		to, ok := latin[low]
		switch {
		case !ok:
			b.WriteRune(r)
		case low != r && to != "":
			b.WriteString(strings.ToUpper(to[:1]) + to[1:])
		default:
			b.WriteString(to)
		}
	}
	return b.String()
}

var latin = map[rune]string{
	'а': "a", 'ә': "a", 'б': "b", 'в': "v", 'г': "g", 'ғ': "g", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "zh", 'з': "z", 'и': "i", 'й': "i", 'к': "k", 'қ': "q", 'л': "l",
	'м': "m", 'н': "n", 'ң': "ng", 'о': "o", 'ө': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ұ': "u", 'ү': "u", 'ф': "f", 'х': "kh", 'һ': "h", 'ц': "ts",
	'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'і': "i", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
}

// MaxFold bounds what is folded, in letters; longer names are cut.
const MaxFold = 120

// Fold writes a name so that ways of writing it meet: Kazakh and Russian letters, their usual Latin
// transliterations, capitals, marks and doubled letters all become the same few Latin letters. Words
// are parted by one space.
func Fold(s string) string {
	var out, run strings.Builder // run: Latin letters that are read together
	flush := func() {
		out.WriteString(sounds.Replace(run.String()))
		run.Reset()
	}
	n := 0
	for _, r := range strings.ToLower(s) {
		if n++; n > MaxFold {
			break
		}
		to, known := folded[r]
		switch {
		case r >= 'a' && r <= 'z':
			run.WriteRune(r)
		case bare[r] != 0:
			run.WriteRune(bare[r])
		case r == '\'' || r == '’' || r == 'ʻ' || r == '`' || unicode.Is(unicode.Mn, r):
		case known:
			flush()
			out.WriteString(to)
		case r >= '0' && r <= '9':
			flush()
			out.WriteRune(r)
		default:
			flush()
			out.WriteByte(' ')
		}
	}
	flush()
	return squeeze(strings.Join(strings.Fields(out.String()), " "))
}

// folded are the letters of Kazakh and Russian as Fold writes them.
var folded = map[rune]string{
	'а': "a", 'ә': "a", 'б': "b", 'в': "v", 'г': "g", 'ғ': "g", 'д': "d", 'е': "e", 'ё': "e", 'ж': "z", 'з': "z", 'и': "i", 'й': "i", 'к': "k", 'қ': "k", 'л': "l", 'м': "m", 'н': "n",
	'ң': "n", 'о': "o", 'ө': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ұ': "u", 'ү': "u", 'ф': "f", 'х': "h", 'һ': "h", 'ц': "c", 'ч': "c", 'ш': "s", 'щ': "s", 'ъ': "",
	'ы': "i", 'і': "i", 'ь': "", 'э': "e", 'ю': "u", 'я': "a",
}

// bare are Latin letters with marks, as in the names of maps.
var bare = map[rune]rune{
	'á': 'a', 'ä': 'a', 'â': 'a', 'à': 'a', 'ã': 'a', 'å': 'a', 'ā': 'a', 'é': 'e', 'è': 'e', 'ê': 'e', 'ë': 'e', 'ē': 'e', 'í': 'i', 'ı': 'i', 'î': 'i', 'ï': 'i', 'ī': 'i', 'ó': 'o',
	'ö': 'o', 'ô': 'o', 'õ': 'o', 'ō': 'o', 'ú': 'u', 'ü': 'u', 'û': 'u', 'ū': 'u', 'ý': 'y', 'ÿ': 'y', 'ñ': 'n', 'ń': 'n', 'ç': 'c', 'ğ': 'g', 'ş': 's', 'š': 's', 'ž': 'z', 'č': 'c',
}

// sounds meets transliterations of one sound that differ.
var sounds = makeReplacer(
	"tsh", "ts", "shch", "s", "sh", "s", "ch", "c", "zh", "z", "dzh", "z", "dz", "z", "kh", "h", "ts", "c", "ng", "n", "gh", "g", "q", "k", "x", "h", "w", "u", "yo", "e", "ye", "e", "yu", "u", "ya", "a",
	"iy", "i", "yi", "i", "y", "i", "j", "z", "ph", "f", "ck", "k", "ou", "u", "oo", "u",
)

func makeReplacer(pairs ...string) *strings.Replacer { return strings.NewReplacer(pairs...) }

// squeeze writes letters that stand twice once; digits stay, 11 is not 1.
func squeeze(s string) string {
	var b strings.Builder
	var last rune
	for _, r := range s {
		if r == last && r >= 'a' && r <= 'z' {
			continue
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}
