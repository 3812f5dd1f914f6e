package gazetteer

import (
	"strings"
	"testing"

	"jedel/internal/geo"
)

func settledTest(t testing.TB) *Settled {
	t.Helper()
	s, err := readSettled(settlementsTSV)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestThereIsAlwaysAnAnswerInKazakhstan(t *testing.T) {
	s := settledTest(t)
	for lat := 41.0; lat <= 55.5; lat += 0.5 {
		for lon := 47.0; lon <= 87; lon += 0.5 {
			a, ok := s.Reverse(geo.Point{Lat: lat, Lon: lon}, 20)
			if !ok || a.Words.KK == "" || a.Words.RU == "" || a.Words.EN == "" || a.Source != "embedded" || a.Credit == "" {
				t.Fatalf("%v, %v: %+v %v", lat, lon, a, ok)
			}
		}
	}
	if _, ok := s.Reverse(geo.Point{Lat: -40, Lon: -120}, 20); ok {
		t.Error("an answer from the other side of the earth")
	}
}

func TestPositionsAreSaidByTheNearestSettlement(t *testing.T) {
	s := settledTest(t)
	for _, c := range []struct {
		at   geo.Point
		want geo.Text
	}{
		{geo.Point{Lat: 54.8667, Lon: 69.15}, geo.Text{KK: "Петропавл, орталығы", RU: "Петропавловск, центр", EN: "Petropavl, centre"}},
		{geo.Point{Lat: 54.88, Lon: 69.3}, geo.Text{KK: "Петропавлдан шығысқа қарай 9,7 км", RU: "9,7 км к востоку от Петропавловска", EN: "9.7 km east of Petropavl"}},
		{geo.Point{Lat: 51.17, Lon: 71.43}, geo.Text{KK: "Астана, орталығынан оңтүстік-батысқа қарай 1,6 км", RU: "Астана, 1,6 км к юго-западу от центра", EN: "Astana, 1.6 km south-west of the centre"}},
	} {
		if a, _ := s.Reverse(c.at, 20); a.Words != c.want {
			t.Errorf("%v: %+v", c.at, a.Words)
		}
	}
}

// TestUncertaintyIsSaid has a fix so bad that the words do not hold.
func TestUncertaintyIsSaid(t *testing.T) {
	s := settledTest(t)
	at := geo.Point{Lat: 54.89, Lon: 69.18}
	good, _ := s.Reverse(at, 20)
	bad, _ := s.Reverse(at, 20_000)
	none, _ := s.Reverse(at, 0)
	if good.Confidence < 0.99 || strings.HasPrefix(good.Words.EN, "about") {
		t.Errorf("%+v", good)
	}
	if bad.Confidence > 0.2 || bad.Words.EN != "about: "+good.Words.EN || !strings.HasPrefix(bad.Words.KK, "шамамен") || !strings.HasPrefix(bad.Words.RU, "примерно") {
		t.Errorf("%+v", bad)
	}
	if none.Confidence != 0 {
		t.Errorf("%+v", none)
	}
}

func TestSettlementsAreFoundByAnyOfTheirNames(t *testing.T) {
	s := settledTest(t)
	for words, want := range map[string]string{
		"Петропавл": "Petropavl", "петропавловск": "Petropavl", "petropavlovsk": "Petropavl", "Қарағ": "Karaganda", "karagandy": "Karaganda", "кокшетау": "Kokshetau", "Бишкуль": "Beskol", "Шу": "Shu", "Ust-Kam": "Oskemen",
	} {
		if found := s.Search(words, nil, 5); len(found) == 0 || found[0].Words.EN != want {
			t.Errorf("%s: %+v", words, found)
		}
	}
	near := geo.Point{Lat: 51.8, Lon: 67.35}
	if found := s.Search("жақсы", &near, 5); len(found) == 0 || found[0].Metres < 0 || found[0].Metres > 50_000 {
		t.Errorf("%+v", found)
	}
	for _, nothing := range []string{"", "  ", "!!!", "Ғжцқщ", strings.Repeat("абвгд", 10_000)} {
		if found := s.Search(nothing, nil, 5); len(found) != 0 {
			t.Errorf("%q: %v", nothing, found)
		}
	}
}
