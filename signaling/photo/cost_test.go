package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"runtime"
	"testing"
)

// progressive returns a progressive JPEG of w x h pixels whose three components are sampled as
// told: one scan of DC coefficients with nothing in it.
func progressive(w, h int, sampling [3]byte) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc2, 0, 17, 8)
	b = binary.BigEndian.AppendUint16(b, uint16(h))
	b = binary.BigEndian.AppendUint16(b, uint16(w))
	b = append(b, 3, 1, sampling[0], 0, 2, sampling[1], 0, 3, sampling[2], 0)
	b = append(b, 0xff, 0xc4, 0, 20, 0, 1)
	b = append(b, make([]byte, 15)...)
	b = append(b, 0)                                               // one code of one bit: no difference
	b = append(b, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0) // DC of all three
	across, down := (w+7)/8, (h+7)/8
	b = append(b, make([]byte, across*down*3/8+1)...)
	return append(b, 0xff, 0xd9)
}

func TestProgressivePictureThatTakesTooMuchIsRefused(t *testing.T) {
	const full, half = 0x11, 0x22
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"50 MP, 4:4:4": {progressive(10000, 5000, [3]byte{full, full, full})[:2000], ErrTooLarge}, // 750 MB
		"20 MP, 4:4:4": {progressive(5000, 4000, [3]byte{full, full, full})[:2000], ErrTooLarge},
		"1 MP, 4:4:4":  {progressive(1000, 1000, [3]byte{full, full, full}), nil},
		"30 MP, 4:2:0": {progressive(6000, 5000, [3]byte{half, full, full}), nil},
		"40 MP, 4:2:0": {progressive(8000, 5000, [3]byte{half, full, full})[:2000], ErrTooLarge},
	} {
		if _, err := Check(c.raw); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDecodingTakesWhatWasSaid counts the bytes that decoders allocate.
func TestDecodingTakesWhatWasSaid(t *testing.T) {
	var interlaced, deep bytes.Buffer
	if err := png.Encode(&interlaced, picture(700, 500)); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&deep, image.NewNRGBA64(image.Rect(0, 0, 700, 500))); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"progressive 4:4:4": progressive(1600, 1200, [3]byte{0x11, 0x11, 0x11}),
		"progressive 4:2:0": progressive(1600, 1200, [3]byte{0x22, 0x11, 0x11}),
		"baseline":          jpegOf(t, 1600, 1200),
		"PNG":               interlaced.Bytes(),
		"PNG of 16 bits":    deep.Bytes(),
	} {
		cfg, format, err := image.DecodeConfig(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(name, err)
		}
		said := cost(raw, format, cfg)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, _, err := image.Decode(bytes.NewReader(raw)); err != nil {
			t.Fatal(name, err)
		}
		runtime.ReadMemStats(&after)
		if took := int64(after.TotalAlloc - before.TotalAlloc); took > said+said/10+256<<10 || took < said/4 {
			t.Errorf("%s: said %d, took %d", name, said, took)
		}
	}
}
