package art

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"math"
	"testing"
	"time"

	"jedel/cmd/callbot/day"
)

func at() time.Time { return time.Date(2026, 11, 27, 18, 30, 5, 0, day.Zone()) }

// differ counts points that are not alike.
func differ(a, b *image.RGBA) int {
	n := 0
	for i := 0; i < len(a.Pix); i += 4 {
		if !bytes.Equal(a.Pix[i:i+4], b.Pix[i:i+4]) {
			n++
		}
	}
	return n
}

func TestEveryThemeHasAPictureOfItsOwn(t *testing.T) {
	var all []*image.RGBA
	for i, theme := range day.Themes() {
		s := Scene{Theme: theme.Key, Plate: "001 ZZA 15", At: at(), Seed: uint64(i)}
		one := s.Draw(160, 120, 0)
		if differ(one, s.Draw(160, 120, 0)) != 0 {
			t.Fatal(theme.Key, "is another picture each time")
		}
		for _, other := range all {
			if differ(one, other) < 500 {
				t.Error(theme.Key, "looks like another")
			}
		}
		all = append(all, one)
	}
	fire := Scene{Theme: "fire", At: at(), Seed: 3}
	if differ(fire.Draw(160, 120, 0), fire.Draw(160, 120, 0.5)) < 100 {
		t.Error("a fire does not move")
	}
}

// TestAPhotoSaysWhenAndWhere reads the segment back by hand, as its standard describes it.
func TestAPhotoSaysWhenAndWhere(t *testing.T) {
	raw, err := Photo{Scene{Theme: "parking", Plate: "001 ZZA 15", At: at(), Seed: 1}, 54.8753, -69.1628, true}.JPEG()
	if err != nil {
		t.Fatal(err)
	}
	if cfg, err := jpeg.DecodeConfig(bytes.NewReader(raw)); err != nil || cfg.Width != 1280 {
		t.Fatal(cfg, err)
	}
	tiff := raw[12:]
	fields := func(at uint32) map[uint16]field {
		out := map[uint16]field{}
		for i := range binary.BigEndian.Uint16(tiff[at:]) {
			e := tiff[at+2+12*uint32(i):]
			f := field{binary.BigEndian.Uint16(e), binary.BigEndian.Uint16(e[2:]), binary.BigEndian.Uint32(e[4:]), e[8:12]}
			size := f.count * map[uint16]uint32{tiffASCII: 1, tiffLong: 4, tiffRational: 8}[f.kind]
			if size > 4 {
				f.data = tiff[binary.BigEndian.Uint32(f.data):][:size]
			}
			out[f.tag] = f
		}
		return out
	}
	main := fields(8)
	taken := fields(binary.BigEndian.Uint32(main[0x8769].data))
	place := fields(binary.BigEndian.Uint32(main[0x8825].data))
	if got := string(taken[0x9003].data); got != "2026:11:27 18:30:05\x00" || string(taken[0x9011].data) != "+05:00\x00" {
		t.Fatalf("%q %q", got, taken[0x9011].data)
	}
	degrees := func(f field) float64 {
		v := 0.0
		for i, part := range []float64{1, 60, 3600} {
			v += float64(binary.BigEndian.Uint32(f.data[8*i:])) / float64(binary.BigEndian.Uint32(f.data[8*i+4:])) / part
		}
		return v
	}
	if math.Abs(degrees(place[2])-54.8753) > 1e-5 || math.Abs(degrees(place[4])-69.1628) > 1e-5 || string(place[3].data[:1]) != "W" {
		t.Fatal(degrees(place[2]), degrees(place[4]), string(place[3].data))
	}
	if raw, err = (Photo{Scene: Scene{Theme: "road", At: at()}}).JPEG(); err != nil || bytes.Contains(raw[:300], []byte{0x88, 0x25}) {
		t.Fatal("a place that nobody asked for", err)
	}
}
