package geo

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestDistancesAndBearingsAreThoseOfKnownPlaces(t *testing.T) {
	petropavl, astana := Point{54.8667, 69.15}, Point{51.18, 71.446}
	if m := Metres(petropavl, astana); math.Abs(m-437_700) > 100 {
		t.Error(m)
	}
	if b := Bearing(petropavl, astana); math.Abs(b-159) > 1 {
		t.Error(b)
	}
	for want, to := range map[Wind]Point{"n": {55, 69.15}, "e": {54.8667, 70}, "s": {54, 69.15}, "w": {54.8667, 69}, "ne": {54.9, 69.21}, "sw": {54.83, 69.09}} {
		if got := WindOf(Bearing(petropavl, to)); got != want {
			t.Errorf("%v: %s, want %s", to, got, want)
		}
	}
	if WindOf(math.NaN()) != "n" || WindOf(359) != "n" || WindOf(-45) != "nw" {
		t.Error("odd bearings")
	}
}

func TestGoingThereAndMeasuringAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Point{rapid.Float64Range(-80, 80).Draw(t, "lat"), rapid.Float64Range(-179, 179).Draw(t, "lon")}
		bearing, metres := rapid.Float64Range(0, 359.9).Draw(t, "bearing"), rapid.Float64Range(1, 100_000).Draw(t, "metres")
		q := Offset(p, bearing, metres)
		if got := Metres(p, q); math.Abs(got-metres) > 0.01+metres/1e6 {
			t.Fatalf("%v metres, got %v", metres, got)
		}
		if turn := math.Abs(Bearing(p, q) - bearing); metres > 100 && min(turn, 360-turn) > 0.01 {
			t.Fatalf("bearing %v, got %v", bearing, Bearing(p, q))
		}
		if box := Around(p, metres); q.Lon > -180+1 && q.Lon < 180-1 && (q.Lat < box.South-1e-9 || q.Lat > box.North+1e-9 || q.Lon < box.West-1e-9 || q.Lon > box.East+1e-9) {
			t.Fatalf("%v is not in %v", q, box)
		}
	})
}

func TestNearestPointOfASegmentIsNotBeyondItsEnds(t *testing.T) {
	a, b := Point{54.87, 69.15}, Point{54.87, 69.16}
	at, m, part := Nearest(Point{54.871, 69.155}, a, b)
	if math.Abs(m-111.2) > 1 || math.Abs(part-0.5) > 0.01 || math.Abs(at.Lat-54.87) > 1e-9 {
		t.Error(at, m, part)
	}
	if at, _, part := Nearest(Point{54.87, 69.2}, a, b); at != b || part != 1 {
		t.Error(at, part)
	}
	if _, m, _ := Nearest(Point{54.871, 69.15}, a, a); math.Abs(m-111.2) > 1 {
		t.Error(m)
	}
}

// TestRadiiAtOtherConfidences compares with the quantiles of a normal error in the plane, RFC 7459,
// section 5.4.2: 39.3 % within one deviation, 86.5 % within two.
func TestRadiiAtOtherConfidences(t *testing.T) {
	for _, c := range []struct{ from, to, want float64 }{
		{0.95, 0.95, 100}, {0.95, 1 - math.Exp(-0.5), 100 / 2.44775}, {1 - math.Exp(-2), 0.95, 100 / 2 * 2.44775}, {0.5, 0.95, 207.8}, {0.95, 0.5, 48.1}, {0, 0.95, 100}, {0.95, 1, 100},
	} {
		if got := Rescale(100, c.from, c.to); math.Abs(got-c.want) > 0.1 {
			t.Errorf("%v -> %v: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

func TestProbabilityOfBeingWithinReach(t *testing.T) {
	for _, c := range []struct{ metres, radius, reach, want float64 }{
		{0, 100, 100, 0.95},                   // that is what the radius means
		{0, 100, Rescale(100, 0.95, 0.5), .5}, // half of it within the median
		{0, 0, 10, 1}, {11, 0, 10, 0},         // exact
		{1000, 10, 10, 0}, {10, 1, 1000, 1}, // hopeless and certain
		{100, 100, 100, 0.4165}, // the circle about the object runs through the middle; by simulation
	} {
		if got := Within(c.metres, c.radius, c.reach); math.Abs(got-c.want) > 0.005 {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if got := Beside(0, 100, Sigma(100)); math.Abs(got-0.6827) > 0.001 {
		t.Error(got)
	}
	if got := Within(math.NaN(), 1, 1); got != 0 {
		t.Error(got)
	}
}

func TestProbabilitiesAreOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(0, 1e6)
		d, r, h := f.Draw(t, "metres"), f.Draw(t, "radius"), f.Draw(t, "reach")
		for _, p := range []float64{Within(d, r, h), Beside(d, r, h)} {
			if !(p >= 0 && p <= 1) {
				t.Fatal(d, r, h, p)
			}
		}
		if more := Within(d, r, h*1.5); more < Within(d, r, h)-1e-3 {
			t.Fatal("a longer reach is less probable", d, r, h)
		}
	})
}

func TestPlacesAreSaidInThreeLanguages(t *testing.T) {
	petropavl := Text{"Петропавл", "Петропавловск", "Petropavl"}
	for _, c := range []struct{ got, want Text }{
		{FromSettlement(petropavl, 2130, "ne"), Text{"Петропавлдан солтүстік-шығысқа қарай 2,1 км", "2,1 км к северо-востоку от Петропавловска", "2.1 km north-east of Petropavl"}},
		{FromSettlement(Text{"Жоғарғы Қайрақты", "Верхние Кайракты", "Verkhnie Kairakty"}, 12_400, "s"), Text{"Жоғарғы Қайрақтыдан оңтүстікке қарай 12 км", "12 км к югу от н. п. Верхние Кайракты", "12 km south of Verkhnie Kairakty"}},
		{InSettlement(petropavl, 1400, "w"), Text{"Петропавл, орталығынан батысқа қарай 1,4 км", "Петропавловск, 1,4 км к западу от центра", "Petropavl, 1.4 km west of the centre"}},
		{Post(Same("A21"), "128"), Text{"A21, 128-шақырым", "A21, 128-й км", "A21, km 128"}},
		{Address(Text{"Абай көшесі", "улица Абая", "Abai Street"}, "12А"), Text{"Абай көшесі, 12А", "улица Абая, 12А", "Abai Street, 12A"}},
		{Join(petropavl, Near(Same("Рамстор"))), Text{"Петропавл, «Рамстор» жанында", "Петропавловск, рядом с «Рамстор»", "near “Рамстор”, Petropavl"}},
		{Join(Text{}, petropavl), petropavl}, {Join(petropavl, Text{}), petropavl},
		{Text{KK: "Абай көшесі"}.Filled(), Text{"Абай көшесі", "Абай көшесі", "Abai koshesi"}},
	} {
		if c.got != c.want {
			t.Errorf("%v\nwant %v", c.got, c.want)
		}
	}
	for m, want := range map[float64]string{0: "0 m", 12: "10 m", 94: "95 m", 96: "100 m", 994: "990 m", 996: "1.0 km", 9949: "9.9 km", 9951: "10 km", 123_456: "123 km", -5: "0 m"} {
		if got := Far(m).EN; got != want {
			t.Errorf("%v: %s, want %s", m, got, want)
		}
	}
}

// TestKazakhNamesTakeTheirEnding has towns as their people write them.
func TestKazakhNamesTakeTheirEnding(t *testing.T) {
	for name, want := range map[string]string{
		"Петропавл": "Петропавлдан", "Алматы": "Алматыдан", "Астана": "Астанадан", "Шымкент": "Шымкенттен", "Семей": "Семейден", "Өскемен": "Өскеменнен", "Ақтөбе": "Ақтөбеден",
		"Екібастұз": "Екібастұздан", "Степногорск": "Степногорскіден", "Балқаш": "Балқаштан", "Атырау": "Атыраудан", "Ақсу": "Ақсудан", "Шиелі": "Шиеліден", "Есік": "Есіктен",
		"Жезқазған": "Жезқазғаннан", "Талдықорған": "Талдықорғаннан", "Шу": "Шудан", "Айтеке би": "Айтеке биден", "Сарань": "Сараньнан",
	} {
		if got, ok := ablative(name); !ok || got != want {
			t.Errorf("%s: %s %v, want %s", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "М", "Kievka", "ст. 5", "Брр"} {
		if got, ok := ablative(name); ok {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestRussianNamesTakeTheirEnding(t *testing.T) {
	for name, want := range map[string]string{
		"Петропавловск": "Петропавловска", "Караганда": "Караганды", "Алматы": "Алматы", "Астана": "Астаны", "Шу": "Шу", "Тайынша": "Тайынши", "Рудный": "Рудного", "Семей": "Семея",
		"Алтай": "Алтая", "Сарань": "Сарани", "Усть-Каменогорск": "Усть-Каменогорска", "Смирново": "Смирново", "Явленка": "Явленки", "Актобе": "Актобе", "Новоишимское": "Новоишимского",
	} {
		if got, ok := genitive(name); !ok || got != want {
			t.Errorf("%s: %s %v, want %s", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "Верхние Кайракты", "Тобыль", "Городок", "Заводской", "Бескөл", "Kievka", "Берёзовец"} {
		if got, ok := genitive(name); ok {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestWaysOfWritingANameMeet(t *testing.T) {
	for _, same := range [][]string{
		{"Қарағанды", "Караганды", "Qaraghandy", "karagandy", " КАРАҒАНДЫ "}, {"Көкшетау", "Кокшетау", "Kokshetau", "Kökşetau"}, {"Шымкент", "Shymkent", "shimkent"},
		{"Щучинск", "Shchuchinsk"}, {"Абай көшесі", "абай кошеси", "Abai koshesi", "Abay köşesi"}, {"Жезқазған", "Жезказган", "Zhezkazgan", "Jezqazghan"}, {"Хромтау", "Khromtau", "Hromtau"}, {"Усть-Каменогорск", "усть каменогорск", "Ust-Kamenogorsk"},
	} {
		for _, other := range same[1:] {
			if a, b := Fold(same[0]), Fold(other); a != b {
				t.Errorf("%s is %q, %s is %q", same[0], a, other, b)
			}
		}
	}
	for _, apart := range [][2]string{{"Абай", "Абылай"}, {"1-й микрорайон", "11-й микрорайон"}, {"Сары", "Кара"}} {
		if Fold(apart[0]) == Fold(apart[1]) {
			t.Error(apart)
		}
	}
}

func FuzzWording(f *testing.F) {
	f.Add("Петропавл", "Петропавловск", 2100.0, "ne")
	f.Add("", "ь", -1.0, "")
	f.Fuzz(func(t *testing.T, kk, ru string, m float64, w string) {
		name := Text{kk, ru, ""}.Filled()
		for _, text := range []Text{FromSettlement(name, m, Wind(w)), InSettlement(name, m, Wind(w)), Address(name, kk), Near(name), Post(name, ru)} {
			if text.KK == "" || text.RU == "" || text.EN == "" {
				t.Fatal(text)
			}
		}
		if folded := Fold(kk); len(folded) > 4*MaxFold {
			t.Fatal(len(folded))
		}
	})
}
