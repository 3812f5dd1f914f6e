package extract

import (
	"context"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"jedel/internal/gazetteer"
	"jedel/internal/geo"
	"jedel/internal/pbf"
	"jedel/internal/pbf/pbftest"
)

var update = flag.Bool("update", false, "write testdata/quarter.osm.pbf anew")

const sample = "testdata/quarter.osm.pbf"

func job(t testing.TB, raw []byte) Job {
	t.Helper()
	dir := t.TempDir()
	j := Job{Source: filepath.Join(dir, "in.osm.pbf"), Dir: filepath.Join(dir, "geo"), Now: func() time.Time { return time.Unix(1_790_000_000, 0) }}
	if err := os.WriteFile(j.Source, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return j
}

func imported(t testing.TB, raw []byte) (Job, Report, *gazetteer.File) {
	t.Helper()
	j := job(t, raw)
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return j, r, opened(t, j)
}

func opened(t testing.TB, j Job) *gazetteer.File {
	t.Helper()
	g, err := gazetteer.Open(t.Context(), filepath.Join(j.Dir, GazetteerFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func TestEverythingThatHasAnAddressComesIn(t *testing.T) {
	_, r, _ := imported(t, quarter().Bytes())
	want := gazetteer.Counts{Houses: 5, Streets: 2, Posts: 2, Landmarks: 2, Settlements: 2}
	if r.Counts != want || r.NoHouse != 1 || r.LostNodes != 0 || r.Roads != 5 || r.Junctions != 5 {
		t.Errorf("%+v", r)
	}
}

// TestTheSampleIsTheQuarter holds the file that other tests import to the map above.
func TestTheSampleIsTheQuarter(t *testing.T) {
	if *update {
		if err := os.WriteFile(sample, quarter().Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := imported(t, raw)
	_, want, _ := imported(t, quarter().Bytes())
	got.Bytes = want.Bytes // another version of the packer is no other map
	if got != want {
		t.Errorf("%+v, want %+v: run with -update", got, want)
	}
}

func TestPositionsAreSaidByWhatIsThere(t *testing.T) {
	_, _, g := imported(t, quarter().Bytes())
	for _, c := range []struct {
		name     string
		lat, lon float64
		accuracy float64
		kind     geo.Kind
		want     geo.Text
	}{
		{"a house that is a node", 54.8702, 69.1510, 8, geo.House, geo.Text{KK: "Петропавл, Абай көшесі, 12", RU: "Петропавловск, улица Абая, 12", EN: "Abai Street, 12, Petropavl"}},
		{"a building", 54.8703, 69.1532, 8, geo.House, geo.Text{KK: "Петропавл, Абай көшесі, 14", RU: "Петропавловск, улица Абая, 14", EN: "Abai Street, 14, Petropavl"}},
		{"a building of several outlines", 54.8703, 69.1547, 8, geo.House, geo.Text{KK: "Петропавл, Абай көшесі, 16", RU: "Петропавловск, улица Абая, 16", EN: "Abai Street, 16, Petropavl"}},
		{"a house of a village", 54.7901, 69.1602, 8, geo.House, geo.Text{KK: "Бескөл, 5", RU: "Бесколь, 5", EN: "Beskol, 5"}},
		{"a street", 54.8700, 69.1586, 8, geo.StreetKind, geo.Text{KK: "Петропавл, Абай көшесі (үйі белгісіз)", RU: "Петропавловск, улица Абая (дом неизвестен)", EN: "Abai Street (house unknown), Petropavl"}},
		{"a landmark", 54.8697, 69.1568, 8, geo.Landmark, geo.Text{KK: "Петропавл, «Рамстор» жанында", RU: "Петропавловск, рядом с «Рамстор»", EN: "near “Ramstore”, Petropavl"}},
		{"a kilometre post", 54.8410, 69.1601, 8, geo.PostKind, geo.Text{KK: "Петропавл, А-21, 129-шақырым", RU: "Петропавловск, А-21, 129-й км", EN: "A-21, km 129, Petropavl"}},
		{"a bad fix names no house", 54.8702, 69.1510, 600, geo.Settlement, geo.Text{KK: "шамамен: Петропавл, орталығынан солтүстікке қарай 470 м", RU: "примерно: Петропавловск, 470 м к северу от центра", EN: "about: Petropavl, 470 m north of the centre"}},
		{"an unknown fix is about", 54.87025, 69.1511, 0, geo.House, geo.Text{KK: "шамамен: Петропавл, Абай көшесі, 12", RU: "примерно: Петропавловск, улица Абая, 12", EN: "about: Abai Street, 12, Petropavl"}},
		{"the steppe: people know the town", 54.60, 69.16, 8, geo.Settlement, geo.Text{KK: "Петропавлдан оңтүстікке қарай 30 км", RU: "30 км к югу от Петропавловска", EN: "30 km south of Petropavl"}},
	} {
		a, ok, err := g.Reverse(t.Context(), geo.Point{Lat: c.lat, Lon: c.lon}, c.accuracy)
		if err != nil || !ok {
			t.Errorf("%s: %v %v", c.name, ok, err)
			continue
		}
		if a.Kind != c.kind || a.Words != c.want {
			t.Errorf("%s: %s %+v (%.2f)", c.name, a.Kind, a.Words, a.Confidence)
		}
		if (c.accuracy > 0) != (a.Confidence > 0) || a.Credit != credit {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
	if _, ok, err := g.Reverse(t.Context(), geo.Point{Lat: 43, Lon: 77}, 8); ok || err != nil {
		t.Error("an answer from 1300 km away", err)
	}
}

func TestPlacesAreFoundByWhatIsTyped(t *testing.T) {
	_, _, g := imported(t, quarter().Bytes())
	here := &geo.Point{Lat: 54.87, Lon: 69.15}
	for typed, want := range map[string]string{
		"улица Абая 14": "Петропавловск, улица Абая, 14", "абай көшесі 14": "Петропавловск, улица Абая, 14", "abai 14": "Петропавловск, улица Абая, 14", "Абая, 1": "Петропавловск, улица Абая, 12",
		"бейбит": "Петропавловск, улица Мира", "мира": "Петропавловск, улица Мира", "рамст": "Петропавловск, Рамстор", "дәріхана": "Петропавловск, Аптека № 3", "Бишкуль": "Бесколь", "beskol": "Бесколь", "петропавл": "Петропавловск",
	} {
		found, err := g.Search(t.Context(), typed, here, 5)
		if err != nil || len(found) == 0 || found[0].Words.RU != want {
			t.Errorf("%s: %+v %v", typed, found, err)
		}
	}
	for _, nothing := range []string{"", "12", "'; DROP TABLE thing; --", "%", "улица"} {
		if found, err := g.Search(t.Context(), nothing, here, 5); err != nil || len(found) > 0 && nothing != "улица" {
			t.Errorf("%q: %+v %v", nothing, found, err)
		}
	}
}

func TestRoadsAreDrivenAsTheMapSays(t *testing.T) {
	j, _, _ := imported(t, quarter().Bytes())
	n, err := OpenRoads(j.Dir)
	if err != nil {
		t.Fatal(err)
	}
	west, east, village := geo.Point{Lat: 54.87, Lon: 69.15}, geo.Point{Lat: 54.87, Lon: 69.16}, geo.Point{Lat: 54.79, Lon: 69.16}
	along := n.TimesTo(east, []geo.Point{west, village}, 3600)
	back := n.TimesTo(west, []geo.Point{east}, 3600)
	if want := geo.Metres(west, east) / (60 / 3.6 * usualShare); math.Abs(along[0].Seconds-want) > 1 {
		t.Errorf("along: %+v, want %.0f s", along[0], want)
	}
	if want := geo.Metres(village, east) / (90 / 3.6 * usualShare); math.Abs(along[1].Seconds-want) > 1 {
		t.Errorf("from the village: %+v, want %.0f s", along[1], want)
	}
	if !back[0].Known || back[0].Seconds < along[0].Seconds*1.5 {
		t.Errorf("against the one-way street: %+v", back[0])
	}
}

func TestAnImportReplacesTheOldWhole(t *testing.T) {
	j, _, _ := imported(t, quarter().Bytes())
	second := quarter()
	second.Nodes[0].Lat += 0.00001
	second.Nodes = append(second.Nodes, pbftest.Node{ID: 900, Lat: 54.8702, Lon: 69.1520, Tags: []string{"addr:housenumber", "12А", "addr:street", "улица Абая"}})
	if err := os.WriteFile(j.Source, second.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := j.Run(t.Context())
	if err != nil || r.Houses != 6 {
		t.Fatal(r, err)
	}
	if found, err := opened(t, j).Search(t.Context(), "абая 12а", nil, 3); err != nil || len(found) == 0 || found[0].Words.EN != "Abai Street, 12A, Petropavl" {
		t.Error(found, err)
	}
}

// TestAnImportThatEndsEarlyLeavesTheOld ends it at every block of every pass, and by bad files.
func TestAnImportThatEndsEarlyLeavesTheOld(t *testing.T) {
	j, _, _ := imported(t, quarter().Bytes())
	before, err := os.ReadFile(filepath.Join(j.Dir, GazetteerFile))
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string) {
		t.Helper()
		files, err := os.ReadDir(j.Dir)
		after, readErr := os.ReadFile(filepath.Join(j.Dir, GazetteerFile))
		if err != nil || readErr != nil || len(files) != 2 || !slices.Equal(before, after) {
			t.Fatalf("%s: %v %v %v", what, files, err, readErr)
		}
	}
	for end := range 9 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		j.Tell = func(Step) {
			if n++; n > end {
				cancel()
			}
		}
		if _, err := j.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d steps: %v", end, err)
		}
		same("cancelled")
		cancel()
	}
	j.Tell = nil
	raw := quarter().Bytes()
	for name, bad := range map[string][]byte{"cut": raw[:len(raw)-10], "no map": []byte("hello, I am no map"), "empty": {}} {
		if err := os.WriteFile(j.Source, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Run(t.Context()); !errors.Is(err, pbf.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		same(name)
	}
	lost := quarter()
	lost.Nodes = lost.Nodes[5:15]
	if err := os.WriteFile(j.Source, lost.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Run(t.Context()); !errors.Is(err, ErrIncomplete) {
		t.Error(err)
	}
	same("most nodes lost")
}

// TestWhatAKilledImportLeftIsRemoved has the files that one leaves behind.
func TestWhatAKilledImportLeftIsRemoved(t *testing.T) {
	j, _, _ := imported(t, quarter().Bytes())
	for _, name := range []string{GazetteerFile + ".new", RoadsFile + ".new"} {
		if err := os.WriteFile(filepath.Join(j.Dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(j.Dir); err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
}

func TestForeignFilesAreNoGazetteer(t *testing.T) {
	dir := t.TempDir()
	for name, raw := range map[string]string{"empty.db": "", "text.db": "hello", "half.db": "SQLite format 3\x00garbage"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := gazetteer.Open(t.Context(), path); !errors.Is(err, gazetteer.ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzImport imports what a fuzzer makes of a map's tags.
func FuzzImport(f *testing.F) {
	f.Add("addr:housenumber", "1", "highway", "residential", 54.87)
	f.Add("place", "village", "population", "-1", 90.0)
	f.Add("highway", "milestone", "distance", "1e9", 0.0)
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string, lat float64) {
		if !(math.Abs(lat) <= 90) {
			return
		}
		tags := []string{k1, v1, k2, v2, "name", v1, "addr:street", v2}
		m := pbftest.Map{Nodes: []pbftest.Node{{ID: 1, Lat: lat, Lon: 179.9, Tags: tags}, {ID: 2, Lat: lat, Lon: -179.9}}, Ways: []pbftest.Way{{ID: 1, Nodes: []int64{1, 2, 1}, Tags: tags}}}
		j := job(t, m.Bytes())
		if _, err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		g := opened(t, j)
		if _, _, err := g.Reverse(t.Context(), geo.Point{Lat: lat, Lon: 179.9}, 10); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Search(t.Context(), v1, nil, 5); err != nil {
			t.Fatal(err)
		}
	})
}
