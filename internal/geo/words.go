package geo

import (
	"math"
	"strconv"
	"strings"
)

// Text is one thing said in the three languages of the service.
type Text struct{ KK, RU, EN string }

// Same is a text that is alike in all languages.
func Same(s string) Text { return Text{s, s, s} }

// Empty reports whether nothing is said in any language.
func (t Text) Empty() bool { return t == Text{} }

// Filled is t with what one language lacks taken from another; English gets the letters it can read.
func (t Text) Filled() Text {
	if t.RU == "" {
		t.RU = first(t.KK, t.EN)
	}
	if t.KK == "" {
		t.KK = first(t.RU, t.EN)
	}
	if t.EN == "" {
		t.EN = Latin(t.KK)
	}
	return t
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// About says that t is not certain.
func About(t Text) Text {
	return Text{"шамамен: " + t.KK, "примерно: " + t.RU, "about: " + t.EN}
}

// Far is a distance as people say it: to ten metres below a kilometre, to a hundred below ten.
func Far(metres float64) Text {
	metres = max(0, metres)
	switch {
	case metres < 95:
		n := strconv.Itoa(int(math.Round(metres/5) * 5))
		return Text{n + " м", n + " м", n + " m"}
	case metres < 995:
		n := strconv.Itoa(int(math.Round(metres/10) * 10))
		return Text{n + " м", n + " м", n + " m"}
	case metres < 9950:
		n := strconv.FormatFloat(metres/1000, 'f', 1, 64)
		comma := strings.Replace(n, ".", ",", 1)
		return Text{comma + " км", comma + " км", n + " km"}
	}
	n := strconv.Itoa(int(math.Round(metres / 1000)))
	return Text{n + " км", n + " км", n + " km"}
}

// Towards is a wind as the direction one goes in.
func Towards(w Wind) Text {
	t, ok := towards[w]
	if !ok {
		return towards["n"]
	}
	return t
}

var towards = map[Wind]Text{
	"n":  {"солтүстікке қарай", "к северу", "north"},
	"ne": {"солтүстік-шығысқа қарай", "к северо-востоку", "north-east"},
	"e":  {"шығысқа қарай", "к востоку", "east"},
	"se": {"оңтүстік-шығысқа қарай", "к юго-востоку", "south-east"},
	"s":  {"оңтүстікке қарай", "к югу", "south"},
	"sw": {"оңтүстік-батысқа қарай", "к юго-западу", "south-west"},
	"w":  {"батысқа қарай", "к западу", "west"},
	"nw": {"солтүстік-батысқа қарай", "к северо-западу", "north-west"},
}

// FromSettlement is where a place lies that is so far from a settlement. Names are inflected where
// the rule is sure; else a word that takes the ending stands before or after them.
func FromSettlement(name Text, metres float64, w Wind) Text {
	far, to := Far(metres), Towards(w)
	kk, ok := ablative(name.KK)
	if !ok {
		kk = name.KK + " елді мекенінен"
	}
	ru, ok := genitive(name.RU)
	if !ok {
		ru = "н. п. " + name.RU
	}
	return Text{kk + " " + to.KK + " " + far.KK, far.RU + " " + to.RU + " от " + ru, far.EN + " " + to.EN + " of " + name.EN}
}

// InSettlement is where a place lies within a settlement of which only the middle is known.
func InSettlement(name Text, metres float64, w Wind) Text {
	if metres < 300 {
		return Text{name.KK + ", орталығы", name.RU + ", центр", name.EN + ", centre"}
	}
	far, to := Far(metres), Towards(w)
	return Text{
		name.KK + ", орталығынан " + to.KK + " " + far.KK, name.RU + ", " + far.RU + " " + to.RU + " от центра", name.EN + ", " + far.EN + " " + to.EN + " of the centre",
	}
}

// From is where a place lies that is so far from anything that has a name.
func From(name Text, metres float64, w Wind) Text {
	far, to := Far(metres), Towards(w)
	return Text{name.KK + ": " + to.KK + " " + far.KK, name.RU + ": " + far.RU + " " + to.RU, name.EN + ": " + far.EN + " " + to.EN}
}

// Address is a house in a street or village.
func Address(street Text, house string) Text {
	return Text{street.KK + ", " + house, street.RU + ", " + house, street.EN + ", " + Latin(house)}
}

// Street is a street where the house is not known.
func Street(name Text) Text {
	return Text{name.KK + " (үйі белгісіз)", name.RU + " (дом неизвестен)", name.EN + " (house unknown)"}
}

// Near is a place beside something known.
func Near(name Text) Text {
	return Text{"«" + name.KK + "» жанында", "рядом с «" + name.RU + "»", "near “" + name.EN + "”"}
}

// Post is a place at a kilometre post of a road. The name of the road may be missing.
func Post(road Text, km string) Text {
	if road.Empty() {
		return Text{km + "-шақырым", km + "-й км", "km " + km}
	}
	return Text{road.KK + ", " + km + "-шақырым", road.RU + ", " + km + "-й км", road.EN + ", km " + km}
}

// Join puts what is smaller before what it lies in, as each language does: the larger first in Kazakh
// and Russian, last in English. Either may be empty.
func Join(within, what Text) Text {
	if within.Empty() {
		return what
	}
	if what.Empty() {
		return within
	}
	return Text{within.KK + ", " + what.KK, within.RU + ", " + what.RU, what.EN + ", " + within.EN}
}
