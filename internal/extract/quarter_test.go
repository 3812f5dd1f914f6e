package extract

import "jedel/internal/pbf/pbftest"

// quarter is an invented part of a town and a village beside it. Streets lie on whole thousandths of a
// degree: 111 m from south to north, 64 m from west to east.
//
//	54.872  3 улица Мира            4
//	        |                       |
//	54.870  1 улица Абая (one-way ->) 2 ---- A-21 to the village, posts 128 and 129
//	      69.150                  69.160
func quarter() pbftest.Map {
	m := pbftest.Map{Nodes: []pbftest.Node{
		{ID: 1, Lat: 54.870, Lon: 69.150}, {ID: 2, Lat: 54.870, Lon: 69.160}, {ID: 3, Lat: 54.872, Lon: 69.150}, {ID: 4, Lat: 54.872, Lon: 69.160},
		{ID: 5, Lat: 54.870, Lon: 69.155},
		{ID: 10, Lat: 54.866, Lon: 69.152, Tags: []string{"place", "city", "name", "Петропавловск", "name:kk", "Петропавл", "name:ru", "Петропавловск", "name:en", "Petropavl", "population", "200920"}},
		{ID: 11, Lat: 54.790, Lon: 69.160, Tags: []string{"place", "village", "name", "Бесколь", "name:kk", "Бескөл", "name:ru", "Бесколь", "population", "2100", "old_name", "Бишкуль"}},
		{ID: 20, Lat: 54.8702, Lon: 69.1510, Tags: []string{"addr:housenumber", "12", "addr:street", "улица Абая"}},
		{ID: 21, Lat: 54.7901, Lon: 69.1602, Tags: []string{"addr:housenumber", "5", "addr:place", "Бесколь"}},
		{ID: 22, Lat: 54.8718, Lon: 69.1550, Tags: []string{"addr:housenumber", "7", "addr:street", "улица Мира", "amenity", "pharmacy", "name", "Дәріхана № 3", "name:ru", "Аптека № 3"}},
		{ID: 23, Lat: 54.8600, Lon: 69.1500, Tags: []string{"addr:housenumber", "1"}},
		{ID: 30, Lat: 54.8697, Lon: 69.1568, Tags: []string{"shop", "supermarket", "name", "Ramstore", "name:ru", "Рамстор"}},
		{ID: 40, Lat: 54.850, Lon: 69.160, Tags: []string{"highway", "milestone", "distance", "128"}},
		{ID: 41, Lat: 54.841, Lon: 69.160, Tags: []string{"highway", "milestone", "ref", "129"}},
		{ID: 42, Lat: 54.790, Lon: 69.160},
	}}
	box := func(first int64, lat, lon float64) []int64 {
		for i, d := range [][2]float64{{0, 0}, {0, 0.0004}, {0.0002, 0.0004}, {0.0002, 0}} {
			m.Nodes = append(m.Nodes, pbftest.Node{ID: first + int64(i), Lat: lat + d[0], Lon: lon + d[1]})
		}
		return []int64{first, first + 1, first + 2, first + 3, first}
	}
	m.Ways = []pbftest.Way{
		{ID: 100, Nodes: []int64{1, 5, 2}, Tags: []string{"highway", "residential", "name", "улица Абая", "name:kk", "Абай көшесі", "name:ru", "улица Абая", "name:en", "Abai Street", "oneway", "yes", "maxspeed", "60"}},
		{ID: 101, Nodes: []int64{3, 4}, Tags: []string{"highway", "residential", "name", "улица Мира", "name:kk", "Бейбітшілік көшесі", "name:ru", "улица Мира"}},
		{ID: 102, Nodes: []int64{1, 3}, Tags: []string{"highway", "residential"}},
		{ID: 103, Nodes: []int64{2, 4}, Tags: []string{"highway", "residential"}},
		{ID: 104, Nodes: []int64{2, 40, 41, 42}, Tags: []string{"highway", "trunk", "ref", "А-21", "maxspeed", "90"}},
		{ID: 105, Nodes: []int64{5, 22}, Tags: []string{"highway", "footway"}},
		{ID: 110, Nodes: box(200, 54.8702, 69.1530), Tags: []string{"building", "yes", "addr:housenumber", "14", "addr:street", "улица Абая"}},
		{ID: 111, Nodes: box(210, 54.8702, 69.1545)},
	}
	m.Relations = []pbftest.Relation{{ID: 300, Ways: []int64{111}, Tags: []string{"type", "multipolygon", "building", "yes", "addr:housenumber", "16", "addr:street", "улица Абая"}}}
	return m
}
