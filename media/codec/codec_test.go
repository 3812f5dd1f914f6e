package codec

import "testing"

func TestVP8DescriptorIsRead(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want VP8Descriptor
		ok   bool
		key  bool
	}{
		{"plain start of a keyframe", []byte{0x10, 0x00, 1}, VP8Descriptor{Size: 1, Start: true}, true, true},
		{"plain delta frame", []byte{0x10, 0x01, 1}, VP8Descriptor{Size: 1, Start: true}, true, false},
		{"not the start", []byte{0x00, 0x00, 1}, VP8Descriptor{Size: 1}, true, false},
		{"7 bit picture id", []byte{0x90, 0x80, 0x11, 0x00}, VP8Descriptor{Size: 3, PictureID: 0x11, PictureIDLen: 1, PictureIDAt: 2, Start: true}, true, true},
		{"15 bit picture id, TL0, TID", []byte{0x90, 0xe0, 0x81, 0x02, 0x07, 0x20, 0x00},
			VP8Descriptor{Size: 6, PictureID: 0x0102, PictureIDLen: 2, PictureIDAt: 2, TL0: 7, TL0At: 4, Start: true}, true, true},
		{"empty", nil, VP8Descriptor{}, false, false},
		{"announces more than there is", []byte{0x90, 0xe0, 0x81}, VP8Descriptor{Size: 2, PictureIDAt: 2, PictureIDLen: 2, Start: true}, false, false},
	} {
		got, ok := ParseVP8(c.b)
		if ok != c.ok || got != c.want || Keyframe(VP8, c.b) != c.key {
			t.Errorf("%s: %+v, %v, key %v", c.name, got, ok, Keyframe(VP8, c.b))
		}
	}
}

func TestH264KeyframesAreFound(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"SPS", []byte{0x67, 1}, true}, {"IDR", []byte{0x65, 1}, true}, {"slice", []byte{0x41, 1}, false},
		{"STAP-A with SPS", []byte{0x78, 0, 1, 0x41, 0, 1, 0x67}, true}, {"STAP-A without", []byte{0x78, 0, 1, 0x41}, false},
		{"FU-A start of IDR", []byte{0x7c, 0x85}, true}, {"FU-A middle of IDR", []byte{0x7c, 0x05}, false},
		{"STAP-A cut short", []byte{0x78, 0, 9, 0x67}, false}, {"empty", nil, false},
	} {
		if Keyframe(H264, c.b) != c.want {
			t.Error(c.name)
		}
	}
}

func FuzzPayloads(f *testing.F) {
	f.Add([]byte{0x90, 0xe0, 0x81, 0x02, 0x07, 0x20, 0x00})
	f.Add([]byte{0x78, 0, 1, 0x41, 0, 1, 0x67})
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, ok := ParseVP8(b); ok && (d.Size >= len(b) || d.PictureIDAt+d.PictureIDLen > d.Size) {
			t.Fatalf("%+v of %d bytes", d, len(b))
		}
		Keyframe(VP8, b)
		Keyframe(H264, b)
	})
}

func TestOpusLengths(t *testing.T) {
	cases := []struct {
		name  string
		b     []byte
		ticks int
	}{
		{"empty", nil, 0},
		{"one byte of silence", []byte{0x78}, 960},
		{"SILK 60 ms", []byte{3 << 3, 1}, 2880},
		{"CELT 2.5 ms", []byte{28 << 3, 1}, 120},
		{"CELT 20 ms", []byte{31 << 3, 1}, 960},
		{"two equal", []byte{31<<3 | 1, 1, 2}, 1920},
		{"two equal of odd length", []byte{31<<3 | 1, 1, 2, 3}, 0},
		{"two with a size", []byte{31<<3 | 2, 1, 9, 9, 9}, 1920},
		{"two with a size beyond the end", []byte{31<<3 | 2, 9, 9}, 0},
		{"six of 20 ms", append([]byte{31<<3 | 3, 6}, make([]byte, 6)...), 5760},
		{"seven of 20 ms are too long", append([]byte{31<<3 | 3, 7}, make([]byte, 7)...), 0},
		{"none", []byte{31<<3 | 3, 0}, 0},
		{"padding beyond the end", []byte{31<<3 | 3, 0x41, 200}, 0},
		{"frame over 1275 bytes", make([]byte, 1300), 0},
	}
	for _, c := range cases {
		if got := OpusTicks(c.b); got != c.ticks {
			t.Errorf("%s: %d samples, want %d", c.name, got, c.ticks)
		}
	}
}

func FuzzOpusTicks(f *testing.F) {
	f.Add([]byte{0x78, 1, 2, 3})
	f.Add([]byte{31<<3 | 3, 0x41, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := OpusTicks(b); n < 0 || n > 5760 || n%120 != 0 {
			t.Fatalf("%d samples", n)
		}
	})
}
