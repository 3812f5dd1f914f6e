package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

func picture(w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			m.Set(x, y, color.RGBA{uint8(255 * x / w), uint8(255 * y / h), 0, 255})
		}
	}
	return m
}

func jpegOf(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(w, h), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hugePNG announces 50,000 x 50,000 pixels in a few bytes.
func hugePNG() []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	ihdr := []byte("IHDR\x00\x00\x00\x00\x00\x00\x00\x00\x08\x06\x00\x00\x00")
	binary.BigEndian.PutUint32(ihdr[4:], 50000)
	binary.BigEndian.PutUint32(ihdr[8:], 50000)
	_ = binary.Write(&b, binary.BigEndian, uint32(13))
	b.Write(ihdr)
	_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(ihdr))
	return b.Bytes()
}

func TestOnlyPicturesAreTaken(t *testing.T) {
	whole := jpegOf(t, 40, 30)
	for name, raw := range map[string][]byte{
		"SVG":              []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"HTML":             []byte(`<!doctype html><script>alert(1)</script>`),
		"half a JPEG":      whole[:len(whole)/2],
		"empty":            nil,
		"GIF":              []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
		"JPEG magic, HTML": append([]byte{0xff, 0xd8, 0xff}, []byte("<script>")...),
	} {
		if _, _, err := Preview(raw); !errors.Is(err, ErrNotPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHugePictureIsRefusedByItsHeader(t *testing.T) {
	if _, _, err := Preview(hugePNG()); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestPreviewIsSmallAndBare(t *testing.T) {
	raw := append(jpegOf(t, 3000, 2000), []byte("<script>trailing</script>")...)
	out, info, err := Preview(raw)
	if err != nil || info.Mime != "image/jpeg" || info.Width != 3000 {
		t.Fatal(info, err)
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(out))
	if err != nil || cfg.Width != PreviewSide || bytes.Contains(out, []byte("script")) || bytes.Contains(out, []byte("Exif")) {
		t.Fatal(cfg, err)
	}
}

func TestPreviewIsTurnedAsTheCameraWasHeld(t *testing.T) {
	exif := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")
	raw := jpegOf(t, 40, 20)
	seg := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	raw = append(append(append([]byte{}, raw[:2]...), append(seg, exif...)...), raw[2:]...)
	out, info, err := Preview(raw)
	if err != nil || info.Width != 20 || info.Height != 40 {
		t.Fatal(info, err)
	}
	m, err := jpeg.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	// Turned by 90 degrees clockwise, the left column (no red) is on top.
	if r, _, _, _ := m.At(10, 1).RGBA(); r > 0x4000 {
		t.Fatal("top is red", r)
	}
}

func TestPNGIsTaken(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, picture(10, 10)); err != nil {
		t.Fatal(err)
	}
	if _, info, err := Preview(b.Bytes()); err != nil || info.Mime != "image/png" {
		t.Fatal(info, err)
	}
}

func FuzzPreview(f *testing.F) {
	f.Add(jpegOf(f, 8, 8))
	f.Add(hugePNG())
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _, _ = Preview(raw) })
}
