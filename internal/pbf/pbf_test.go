package pbf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"jedel/internal/pbf/pbftest"
)

func small() pbftest.Map {
	return pbftest.Map{
		Nodes:     []pbftest.Node{{ID: 7, Lat: 54.87, Lon: 69.15, Tags: []string{"addr:housenumber", "12", "addr:street", "улица Абая"}}, {ID: 9, Lat: -1.5, Lon: -2.25}, {ID: 5_000_000_001, Lat: 54.88, Lon: 69.16, Tags: []string{"place", "village"}}},
		Ways:      []pbftest.Way{{ID: 3, Nodes: []int64{9, 7, 5_000_000_001}, Tags: []string{"highway", "residential"}}, {ID: 4, Nodes: []int64{7}}},
		Relations: []pbftest.Relation{{ID: 2, Ways: []int64{4, 3}, Tags: []string{"type", "multipolygon"}}},
	}
}

// list is what a file says, one element a line.
func list(raw []byte) ([]string, error) {
	var out []string
	f := Open(bytes.NewReader(raw), int64(len(raw)))
	err := f.Index(func(ref Ref, b *Block) error {
		if err := b.Nodes(func(n Node) error {
			out = append(out, fmt.Sprintf("n%d %.4f %.4f %s %s", n.ID, n.Lat, n.Lon, n.Tags.Get("addr:housenumber"), n.Tags.Get("place")))
			return nil
		}); err != nil {
			return err
		}
		if err := b.Ways(func(w Way) error {
			out = append(out, fmt.Sprintf("w%d %v %s", w.ID, w.Nodes, w.Tags.Get("highway")))
			return nil
		}); err != nil {
			return err
		}
		return b.Relations(func(r Relation) error {
			out = append(out, fmt.Sprintf("r%d %v %s", r.ID, r.Members, r.Tags.Get("type")))
			return nil
		})
	})
	return out, err
}

func TestAFileIsReadAsItWasWritten(t *testing.T) {
	got, err := list(small().Bytes())
	want := []string{"n7 54.8700 69.1500 12 ", "n9 -1.5000 -2.2500  ", "n5000000001 54.8800 69.1600  village", "w3 [9 7 5000000001] residential", "w4 [7] ", "r2 [{4 2 outer} {3 2 outer}] multipolygon"}
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v\n%q\n%q", err, got, want)
	}
}

func TestACutFileIsRefusedWhereverItIsCut(t *testing.T) {
	raw := small().Bytes()
	whole := 0
	for i := range raw {
		_, err := list(raw[:i])
		if err == nil {
			whole++
			continue
		}
		if !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if whole > 3 {
		t.Error("cuts between blocks are not seen by the format, there are", whole)
	}
}

func TestNodesOnTheirOwnAreRead(t *testing.T) {
	node := []byte{1 << 3, 14, 8 << 3, 200, 1, 9 << 3, 100} // id 7, lat 100, lon 50, in units of 100e-9
	group := append([]byte{1<<3 | 2, byte(len(node))}, node...)
	block := append([]byte{2<<3 | 2, byte(len(group))}, group...)
	got, err := list(append(pbftest.Header(), pbftest.Block("OSMData", block)...))
	if err != nil || len(got) != 1 || got[0] != "n7 0.0000 0.0000  " {
		t.Fatal(got, err)
	}
}

func TestHostileBlocksAreRefused(t *testing.T) {
	head := pbftest.Header("OsmSchema-V0.6")
	huge := binary.AppendUvarint([]byte{2 << 3}, 1<<31) // says it inflates to 2 GiB
	bomb := binary.AppendUvarint([]byte{2 << 3}, 1000)
	zeros := pbftest.Block("OSMData", make([]byte, 20<<20))
	packed := zeros[bytes.Index(zeros, []byte{0x78}):] // the zlib stream of 20 MiB of nothing
	bomb = append(binary.AppendUvarint(append(bomb, 3<<3|2), uint64(len(packed))), packed...)
	var many []byte
	for range maxStrings + 1 {
		many = append(many, 1<<3|2, 0)
	}
	table := append(binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(many))), many...)
	for name, raw := range map[string][]byte{
		"empty": {}, "garbage": []byte("<?xml version=\"1.0\"?><osm></osm>"), "no header": pbftest.Block("OSMData", nil), "a header of 4 GiB": {0xff, 0xff, 0xff, 0xff}, "a header of nothing": {0, 0, 0, 0},
		"another feature": pbftest.Header("OsmSchema-V0.7"), "a block of 2 GiB": append(slices.Clone(head), pbftest.Blob("OSMData", huge)...), "a bomb": append(slices.Clone(head), pbftest.Blob("OSMData", bomb)...),
		"other packing": append(slices.Clone(head), pbftest.Blob("OSMData", []byte{4<<3 | 2, 1, 0})...), "no zlib": append(slices.Clone(head), pbftest.Blob("OSMData", []byte{2 << 3, 9, 3<<3 | 2, 3, 1, 2, 3})...),
		"a million strings": append(slices.Clone(head), pbftest.Block("OSMData", table)...), "text where a block should be": append(slices.Clone(head), pbftest.Block("OSMData", []byte("hello"))...),
	} {
		if _, err := list(raw); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(small().Bytes())
	f.Add([]byte{0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := list(raw); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
	})
}

// FuzzBlock changes what is within a block, which a fuzzer does not reach through its packing.
func FuzzBlock(f *testing.F) {
	raw := small().Bytes()
	file := Open(bytes.NewReader(raw), int64(len(raw)))
	if err := file.Index(func(ref Ref, _ *Block) error {
		inner, err := file.inflate(ref)
		f.Add(bytes.Clone(inner))
		return err
	}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, inner []byte) {
		got, err := list(append(pbftest.Header(), pbftest.Block("OSMData", inner)...))
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		if len(got) > math.MaxInt16*16 {
			t.Fatal(len(got))
		}
	})
}
