package geo

import (
	"slices"
	"strings"
)

// ablative is a Kazakh name with the ending that says "from"; ok is false where the rule is not sure.
//
// The vowel follows the last syllable, the consonant the last sound: after voiceless ones and б, в, г,
// д it is т, after м, н, ң it is н, else д.
func ablative(name string) (string, bool) {
	letters := []rune(strings.ToLower(strings.TrimSpace(name)))
	if len(letters) < 2 || !cyrillic(letters) {
		return "", false
	}
	front, ok := lastVowelFront(letters)
	if !ok {
		return "", false
	}
	last, before := letters[len(letters)-1], letters[len(letters)-2]
	if last == 'ь' || last == 'ъ' {
		last, before = before, 0
	}
	ending := "д"
	link := ""
	switch {
	case strings.ContainsRune("мнң", last):
		ending = "н"
	case strings.ContainsRune("пфкқтсшщчцхһбвгд", last):
		ending = "т"
		if last == 'к' && (before == 'с' || before == 'ц') { // Степногорскіден
			ending, link, front = "д", "і", true
		}
	}
	if front {
		return name + link + ending + "ен", true
	}
	return name + link + ending + "ан", true
}

// lastVowelFront tells whether the last syllable is a front one. и and у after another vowel are
// consonants; у and и by themselves follow the syllable before, и is else front and у back.
func lastVowelFront(letters []rune) (front, ok bool) {
	for i := len(letters) - 1; i >= 0; i-- {
		switch l := letters[i]; {
		case strings.ContainsRune("әеіөүэ", l):
			return true, true
		case strings.ContainsRune("аоұыёюя", l):
			return false, true
		case l == 'и' || l == 'у':
			if i > 0 {
				if f, ok := lastVowelFront(letters[:i]); ok {
					return f, true
				}
			}
			return l == 'и', true
		case l == ' ' || l == '-':
			// a word without a vowel is none that people inflect
			return false, false
		}
	}
	return false, false
}

func cyrillic(letters []rune) bool {
	return !slices.ContainsFunc(letters, func(l rune) bool {
		return !(l >= 'а' && l <= 'я' || strings.ContainsRune("ёәіңғүұқөһ -", l))
	})
}

// genitive is a Russian name as after "от"; ok is false where the rule is not sure: several words,
// a soft sign, plural and vowels that come and go.
func genitive(name string) (string, bool) {
	name = strings.TrimSpace(name)
	if g, ok := genitives[name]; ok {
		return g, true
	}
	lower := strings.ToLower(name)
	letters := []rune(lower)
	if len(letters) < 2 || strings.Contains(lower, " ") || !cyrillic(letters) || strings.ContainsAny(lower, "әіңғүұқөһ") {
		return "", false
	}
	for _, odd := range []string{"ок", "ек", "ёк", "ец", "ых", "их", "ие", "ые", "ь", "ъ", "ий"} {
		if strings.HasSuffix(lower, odd) {
			return "", false
		}
	}
	whole := []rune(name)
	stem, last, before := string(whole[:len(whole)-1]), letters[len(letters)-1], letters[len(letters)-2]
	switch last {
	case 'о', 'е':
		switch {
		case strings.HasSuffix(lower, "ское") || strings.HasSuffix(lower, "ное") || strings.HasSuffix(lower, "вое"):
			return stem + "го", true
		case strings.HasSuffix(lower, "ее"):
			return "", false
		}
		return name, true // Павлово, Шу-Тобе: as they are
	case 'ы', 'и', 'у', 'ю', 'э', 'ё':
		return name, true
	case 'а':
		if strings.ContainsRune("гкхжшщч", before) {
			return stem + "и", true
		}
		return stem + "ы", true
	case 'я':
		if strings.HasSuffix(lower, "ая") || strings.HasSuffix(lower, "яя") {
			return "", false
		}
		return stem + "и", true
	case 'й':
		switch before {
		case 'ы':
			return string(whole[:len(whole)-2]) + "ого", true
		case 'о':
			return "", false
		}
		return stem + "я", true
	}
	return name + "а", true
}

// genitives are names of towns that follow no rule above.
var genitives = map[string]string{
	"Сарань": "Сарани", "Арысь": "Арыси", "Тюмень": "Тюмени", "Пермь": "Перми", "Казань": "Казани", "Рязань": "Рязани", "Нижний Тагил": "Нижнего Тагила",
	"Великий Новгород": "Великого Новгорода", "Форт-Шевченко": "Форта-Шевченко", "Усть-Каменогорск": "Усть-Каменогорска", "Бесколь": "Бесколя", "Айтеке би": "Айтеке би",
}
