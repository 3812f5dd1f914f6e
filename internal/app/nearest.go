package app

import (
	"jedel/internal/cases"
	"jedel/internal/geo"
)

// maxDrive is how long a way is looked for, in seconds: a region is crossed in that time.
const maxDrive = 3 * 3600

// drive tells patrols how long they need by road to a case, where a road network was imported. Nothing is
// known of one that is far from every road of it, and of a case that is: the map ends there, the roads
// may not.
func (d patrolDesk) drive(s cases.State, units []cases.Unit) {
	network := d.a.geo.Roads()
	where, known := s.Where()
	if network == nil || !known || !where.HasFix {
		return
	}
	var from []geo.Point
	var of []int
	for i, u := range units {
		if u.Place != nil && u.State == "available" {
			from, of = append(from, geo.Point{Lat: u.Place.Lat, Lon: u.Place.Lon}), append(of, i)
		}
	}
	for k, r := range network.TimesTo(geo.Point{Lat: where.Lat, Lon: where.Lon}, from, maxDrive) {
		switch {
		case r.Known:
			units[of[k]].Seconds = max(1, r.Seconds)
		case r.OnRoad:
			units[of[k]].Seconds = -1
		}
	}
}
