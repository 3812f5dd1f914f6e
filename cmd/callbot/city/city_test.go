package city

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// place draws a place in the city or around it.
func place(t *rapid.T, name string) Spot {
	return Spot{rapid.Float64Range(54.84, 54.90).Draw(t, name+" lat"), rapid.Float64Range(69.10, 69.21).Draw(t, name+" lon")}
}

// TestAWayLeadsThereAlongStreets holds that every way begins and ends where it should, is no shorter
// than the straight line and no longer than a detour around the city, and that driving it never jumps.
func TestAWayLeadsThereAlongStreets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := place(t, "a"), place(t, "b")
		w := Route(a, b)
		if w[0] != a || w[len(w)-1] != b {
			t.Fatalf("%v does not lead from %v to %v", w, a, b)
		}
		straight, whole := Metres(a, b), w.Metres()
		if whole < straight-1 || whole > 3*straight+12_000 {
			t.Fatalf("%.0f m for %.0f m", whole, straight)
		}
		last := a
		for at := 0.0; at <= whole+50; at += 25 {
			s, heading := w.At(at)
			if Metres(last, s) > 26 || heading < 0 || heading >= 360 {
				t.Fatalf("jumps %.0f m at %.0f m, looks %.0f", Metres(last, s), at, heading)
			}
			last = s
		}
		if Metres(last, b) > 1 {
			t.Fatal("never there")
		}
	})
}

func TestAddressesStandOnStreetsOfTheCity(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	for range 500 {
		a := Anywhere(r)
		x, y := grid(a.Spot)
		fx, fy := nearest(x, y).foot(x, y)
		if off := math.Hypot(x-fx, y-fy); off > 15 {
			t.Fatalf("%s is %.0f m from every street", a.RU, off)
		}
		if Metres(a.Spot, Spot{54.8753, 69.1628}) > 5000 || a.KK == a.RU || a.Words("kk") != a.KK || a.Words("en") != a.RU {
			t.Fatalf("%+v", a)
		}
		seen[a.RU] = true
	}
	if len(seen) < 200 {
		t.Fatalf("only %d addresses", len(seen))
	}
}

func TestNearIsNear(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	at := Spot{54.87, 69.16}
	for range 1000 {
		if far := Metres(at, Near(r, at, 60)); far > 60.5 {
			t.Fatal(far)
		}
	}
}
