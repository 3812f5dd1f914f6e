// Package city is a small Petropavl to play in: streets that cross, addresses on them, and ways along
// them. The streets bear the names of real ones; their lines are drawn by hand for a demonstration and
// are no survey.
package city

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Spot is a place, degrees WGS 84.
type Spot struct{ Lat, Lon float64 }

// Centre of the grid, and how it lies: metres to a degree, and its turn against north.
const (
	centreLat, centreLon = 54.8700, 69.1560
	metresLat            = 111_320.0
	turn                 = 0.12 // radians, clockwise
)

// Street is a straight one. Along streets run west to east at one y, the others north to south at one x,
// in metres of the grid.
type Street struct {
	KK, RU   string
	Along    bool
	At       float64 // the y of one that runs along, the x of one that crosses
	From, To float64 // on the other axis
}

// Streets returns them all.
func Streets() []Street {
	return []Street{
		{"Абай көшесі", "улица Абая", true, 750, -2200, 2200},
		{"Жамбыл көшесі", "улица Жамбыла", true, 350, -2400, 2400},
		{"Сәтбаев көшесі", "улица Сатпаева", true, 0, -2200, 2600},
		{"Нұрсұлтан Назарбаев көшесі", "улица Нурсултана Назарбаева", true, -420, -2000, 2600},
		{"Әуезов көшесі", "улица Ауэзова", true, -900, -1800, 2400},
		{"Шәжімбаев көшесі", "улица Шажимбаева", true, -1400, -1600, 2200},
		{"Пушкин көшесі", "улица Пушкина", false, -1500, -1500, 1000},
		{"Жұмабаев көшесі", "улица Жумабаева", false, -800, -1600, 1100},
		{"Қазақстан Конституциясы көшесі", "улица Конституции Казахстана", false, -150, -1700, 1300},
		{"Интернационал көшесі", "улица Интернациональная", false, 420, -1700, 1200},
		{"Бөкетов көшесі", "улица Букетова", false, 1050, -1600, 1100},
		{"Мүсірепов көшесі", "улица Мусрепова", false, 1750, -1500, 1000},
	}
}

// spot turns metres of the grid into a place.
func spot(x, y float64) Spot {
	east, north := x*math.Cos(turn)+y*math.Sin(turn), y*math.Cos(turn)-x*math.Sin(turn)
	return Spot{centreLat + north/metresLat, centreLon + east/metresLon()}
}

// grid is the reverse of spot.
func grid(s Spot) (x, y float64) {
	north, east := (s.Lat-centreLat)*metresLat, (s.Lon-centreLon)*metresLon()
	return east*math.Cos(turn) - north*math.Sin(turn), north*math.Cos(turn) + east*math.Sin(turn)
}

func metresLon() float64 { return metresLat * math.Cos(centreLat*math.Pi/180) }

// Metres is the distance in a straight line, good enough for a city.
func Metres(a, b Spot) float64 {
	return math.Hypot((a.Lat-b.Lat)*metresLat, (a.Lon-b.Lon)*metresLon())
}

// Near returns a place up to metres away from s, of every direction alike.
func Near(r *rand.Rand, s Spot, metres float64) Spot {
	way, far := 2*math.Pi*r.Float64(), metres*math.Sqrt(r.Float64())
	return Spot{s.Lat + far*math.Cos(way)/metresLat, s.Lon + far*math.Sin(way)/metresLon()}
}

// Address is a house on a street.
type Address struct {
	Spot
	KK, RU string
}

// Words is the address in a language.
func (a Address) Words(lang string) string {
	if lang == "kk" {
		return a.KK
	}
	return a.RU
}

// Anywhere returns an address, each metre of street as likely as another.
func Anywhere(r *rand.Rand) Address {
	all := Streets()
	whole := 0.0
	for _, s := range all {
		whole += s.To - s.From
	}
	at := whole * r.Float64()
	for _, s := range all {
		if at -= s.To - s.From; at <= 0 {
			return s.house(s.To+at, r.IntN(2))
		}
	}
	return all[0].house(all[0].From, 0)
}

// house is the one at a metre of a street, on either side.
func (s Street) house(at float64, side int) Address {
	number := 1 + 2*int((at-s.From)/40) + side
	off := 14.0 * float64(2*side-1) // houses stand beside the street
	a := Address{KK: fmt.Sprintf("%s, %d", s.KK, number), RU: fmt.Sprintf("%s, %d", s.RU, number)}
	if s.Along {
		a.Spot = spot(at, s.At+off)
	} else {
		a.Spot = spot(s.At+off, at)
	}
	return a
}
