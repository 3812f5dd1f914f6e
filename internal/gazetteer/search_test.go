package gazetteer

import (
	"fmt"
	"path/filepath"
	"testing"

	"jedel/internal/geo"
)

// A letter and a number fit a house of every street: not all of them are looked through, but the near ones are.
func TestALetterAndANumberLookIntoFewStreets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "g")
	w, err := Create(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	const streets = maxNumbered + 100
	var last geo.Point
	for i := range streets {
		id, name := w.NewID(), fmt.Sprint("Абай", i)
		last = geo.Point{Lat: 50 + float64(i)/100, Lon: 70}
		if err := w.Street(t.Context(), id, Thing{Name: geo.Text{KK: name, RU: name, EN: name}, At: last}); err != nil {
			t.Fatal(err)
		}
		if err := w.House(t.Context(), Thing{Number: "7", At: last, Of: id}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(t.Context(), map[string]string{}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := f.Search(t.Context(), "а 7", &last, 2*streets)
	houses := 0
	for _, x := range list {
		if x.Kind == geo.House {
			houses++
		}
	}
	if err != nil || houses == 0 || houses > maxNumbered {
		t.Fatal(houses, "streets were looked into", err)
	}
	if list[0].Kind != geo.House || list[0].At != last {
		t.Error("the nearest is not the first:", list[0])
	}
}
