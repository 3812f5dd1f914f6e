package geocode

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"jedel/internal/geo"
)

// said makes a text of a name that a server gives in the language of the place.
func said(name string) geo.Text {
	name = tidy(name)
	if name == "" {
		return geo.Text{}
	}
	if strings.ContainsAny(strings.ToLower(name), "әғқңөұүһі") {
		return geo.Text{KK: name}.Filled()
	}
	return geo.Text{RU: name}.Filled()
}

// maxName bounds a name from outside, in letters.
const maxName = 160

func tidy(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName])
	}
	return s
}

// photonAnswer is GeoJSON as Photon writes it.
type photonAnswer struct {
	Features []struct {
		Geometry struct {
			Coordinates []float64 `json:"coordinates"` // lon, lat
		} `json:"geometry"`
		Properties struct {
			Type     string `json:"type"`
			Name     string `json:"name"`
			House    string `json:"housenumber"`
			Street   string `json:"street"`
			City     string `json:"city"`
			District string `json:"district"`
			Locality string `json:"locality"`
		} `json:"properties"`
	} `json:"features"`
}

// maxPlaces bounds what is read of one answer.
const maxPlaces = 50

func parsePhoton(raw []byte) ([]place, error) {
	var v photonAnswer
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	var out []place
	for _, f := range v.Features[:min(len(v.Features), maxPlaces)] {
		if len(f.Geometry.Coordinates) < 2 {
			continue
		}
		p := f.Properties
		x := place{at: geo.Point{Lat: f.Geometry.Coordinates[1], Lon: f.Geometry.Coordinates[0]}}
		city := first(p.City, p.Locality, p.District)
		x.parts = geo.Parts{House: tidy(p.House), Street: said(p.Street), Settlement: said(city)}
		switch p.Type {
		case "street":
			x.parts.Street = said(first(p.Name, p.Street))
		case "city", "district", "locality", "county", "state":
			x.parts.Settlement = said(first(p.Name, city))
		default:
			if x.parts.House == "" {
				x.parts.Landmark = said(p.Name)
			}
		}
		out = x.add(out)
	}
	return out, nil
}

// add appends x if it says anything.
func (p place) add(to []place) []place {
	switch {
	case !p.at.Valid() || p.words().Empty():
		return to
	case p.parts.House != "" && !p.parts.Street.Empty():
		p.kind = geo.House
	case !p.parts.Landmark.Empty():
		p.kind = geo.Landmark
	case !p.parts.Street.Empty():
		p.kind = geo.StreetKind
	default:
		p.kind = geo.Settlement
	}
	return append(to, p)
}

func first(list ...string) string {
	for _, s := range list {
		if tidy(s) != "" {
			return s
		}
	}
	return ""
}

// nominatimPlace is a place as Nominatim writes it in jsonv2.
type nominatimPlace struct {
	Lat     string `json:"lat"`
	Lon     string `json:"lon"`
	Type    string `json:"addresstype"`
	Name    string `json:"name"`
	Address struct {
		House   string `json:"house_number"`
		Road    string `json:"road"`
		Walk    string `json:"pedestrian"`
		City    string `json:"city"`
		Town    string `json:"town"`
		Village string `json:"village"`
		Hamlet  string `json:"hamlet"`
	} `json:"address"`
	Error string `json:"error"`
}

func (n nominatimPlace) place() (place, bool) {
	lat, latErr := strconv.ParseFloat(n.Lat, 64)
	lon, lonErr := strconv.ParseFloat(n.Lon, 64)
	if latErr != nil || lonErr != nil {
		return place{}, false
	}
	a := n.Address
	x := place{at: geo.Point{Lat: lat, Lon: lon}, parts: geo.Parts{House: tidy(a.House), Street: said(first(a.Road, a.Walk)), Settlement: said(first(a.City, a.Town, a.Village, a.Hamlet))}}
	switch n.Type {
	case "road", "building", "house", "place", "city", "town", "village", "hamlet", "suburb":
	default:
		if x.parts.House == "" {
			x.parts.Landmark = said(n.Name)
		}
	}
	return x, true
}

func parseNominatimOne(raw []byte) ([]place, error) {
	var v nominatimPlace
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	if v.Error != "" {
		return nil, nil
	}
	x, ok := v.place()
	if !ok {
		return nil, fmt.Errorf("%w: no place", errRefused)
	}
	return x.add(nil), nil
}

func parseNominatim(raw []byte) ([]place, error) {
	var list []nominatimPlace
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	var out []place
	for _, v := range list[:min(len(list), maxPlaces)] {
		if x, ok := v.place(); ok {
			out = x.add(out)
		}
	}
	return out, nil
}
