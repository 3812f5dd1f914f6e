package h264

import (
	"bytes"
	"testing"

	"github.com/pion/rtp/codecs"
	"pgregory.net/rapid"
)

// TestPacketsMakeThePictureAgain lets Pion's depacketizer put together what Packets took apart.
func TestPacketsMakeThePictureAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var nalus [][]byte
		var want []byte
		for range rapid.IntRange(1, 6).Draw(t, "units") {
			n := rapid.SampledFrom([]int{1, 2, 20, 600, 1190, 1199, 1200, 1201, 1202, 5000}).Draw(t, "size")
			u := bytes.Repeat([]byte{rapid.Byte().Draw(t, "fill")}, n)
			u[0] = rapid.SampledFrom([]byte{0x67, 0x68, 0x65, 0x41, 0x06}).Draw(t, "head")
			nalus = append(nalus, u)
			want = append(append(want, 0, 0, 0, 1), u...)
		}
		var got []byte
		var d codecs.H264Packet
		buf := make([]byte, 1200)
		ends := 0
		for p, last := range Packets(nalus, buf) {
			if len(p) > len(buf) || ends > 0 {
				t.Fatalf("%d bytes, %d ends before", len(p), ends)
			}
			if last {
				ends++
			}
			b, err := d.Unmarshal(p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b...)
		}
		if ends != 1 || !bytes.Equal(got, want) {
			t.Fatalf("%d ends, %d bytes of %d", ends, len(got), len(want))
		}
	})
}

func TestSliceTypesAreToldApart(t *testing.T) {
	for _, c := range []struct {
		name string
		nalu []byte
		b    bool
	}{
		{"P slice, first_mb 0, type 5", []byte{0x41, 0x98}, false}, // 1 00110
		{"B slice, type 6", []byte{0x01, 0x9c}, true},              // 1 00111
		{"B slice, type 1", []byte{0x01, 0xa0}, true},              // 1 010
		{"I slice, type 7", []byte{0x41, 0x88, 0x80}, false},       // 1 0001000
		{"IDR", []byte{0x65, 0x88}, false},
		{"cut off", []byte{0x41}, false},
		{"zeros for ever", append([]byte{0x41}, make([]byte, 40)...), false},
		{"no slice", []byte{0x06, 0x9c}, false},
		{"empty", nil, false},
	} {
		if got := Reordered([][]byte{c.nalu}); got != c.b {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestKeyPicturesBeginWithTheNewestSets(t *testing.T) {
	var s Sets
	sps, pps, idr, p := []byte{0x67, 66, 0, 31, 1}, []byte{0x68, 1}, []byte{0x65, 0x88}, []byte{0x41, 0x98}
	if out := s.Tidy([][]byte{idr}); len(out) != 1 {
		t.Fatalf("without sets: %x", out)
	}
	out := s.Tidy([][]byte{{9, 0xf0}, sps, pps, {12, 0xff}, {}, idr})
	if len(out) != 3 || &out[0][0] != &sps[0] || &out[1][0] != &pps[0] || &out[2][0] != &idr[0] {
		t.Fatalf("%x", out)
	}
	if out := s.Tidy([][]byte{idr}); len(out) != 3 {
		t.Fatalf("sets not kept: %x", out)
	}
	if out := s.Tidy([][]byte{p}); len(out) != 1 {
		t.Fatalf("%x", out)
	}
	if got := (Picture{NALUs: s.Tidy([][]byte{idr}), Key: true}).Sets(); !got.Same(s) || !got.Complete() {
		t.Fatalf("%x", got)
	}
}

func FuzzAnyBytes(f *testing.F) {
	f.Add([]byte{0x41, 0x98}, []byte{0x65})
	f.Add([]byte{}, []byte{0x67, 0, 0, 0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var s Sets
		out := s.Tidy([][]byte{a, b, a})
		Reordered(out)
		n := 0
		for p := range Packets(out, make([]byte, 64)) {
			if n += len(p); len(p) == 0 || len(p) > 64 {
				t.Fatal(len(p))
			}
		}
		if size := (Picture{NALUs: out}).Size(); n < size-len(out) {
			t.Fatalf("%d bytes of %d", n, size)
		}
	})
}
