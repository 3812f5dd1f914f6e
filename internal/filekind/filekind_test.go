package filekind

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func picture() image.Image {
	m := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.Black, color.White})
	for i := range m.Pix {
		m.Pix[i] = uint8(i / 7 % 2)
	}
	return m
}

func jpegOf(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gifOf(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("a.txt")
	if err == nil {
		_, err = w.Write(make([]byte, 1<<20)) // a small bomb
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exif is a block with a time, its zone and a position, as cameras write them.
func exif(at, zone string, lat, lon float64) []byte {
	o := binary.BigEndian
	b := []byte("MM\x00*\x00\x00\x00\x08")
	entry := func(tag, typ uint16, n uint32, value []byte) {
		b = o.AppendUint16(b, tag)
		b = o.AppendUint16(b, typ)
		b = o.AppendUint32(b, n)
		b = append(b, value[:4]...)
	}
	u32 := func(v uint32) []byte { return o.AppendUint32(nil, v) }
	const exifAt, gpsAt, data = 8 + 2 + 24 + 4, 8 + 2 + 24 + 4 + 2 + 24 + 4, 8 + 2 + 24 + 4 + 2 + 24 + 4 + 2 + 48 + 4
	b = o.AppendUint16(b, 2)
	entry(tagExifIFD, 4, 1, u32(exifAt))
	entry(tagGPSIFD, 4, 1, u32(gpsAt))
	b = append(b, 0, 0, 0, 0)
	b = o.AppendUint16(b, 2)
	entry(tagTaken, 2, 20, u32(data))
	entry(tagTakenZone, 2, 7, u32(data+20))
	b = append(b, 0, 0, 0, 0)
	b = o.AppendUint16(b, 4)
	ref := func(v float64, pos, neg string) []byte {
		if v < 0 {
			pos = neg
		}
		return []byte(pos + "\x00\x00\x00")
	}
	entry(gpsLatRef, 2, 2, ref(lat, "N", "S"))
	entry(gpsLat, 5, 3, u32(data+28))
	entry(gpsLonRef, 2, 2, ref(lon, "E", "W"))
	entry(gpsLon, 5, 3, u32(data+52))
	b = append(b, 0, 0, 0, 0)
	b = append(b, at...)
	b = append(b, make([]byte, 20-len(at))...)
	b = append(b, zone...)
	b = append(b, make([]byte, 8-len(zone))...)
	for _, v := range []float64{math.Abs(lat), math.Abs(lon)} {
		b = append(b, slices.Concat(u32(uint32(v*10000)), u32(10000), u32(0), u32(1), u32(0), u32(1))...)
	}
	return b
}

// withEXIF puts a block into a JPEG.
func withEXIF(raw, block []byte) []byte {
	body := append([]byte("Exif\x00\x00"), block...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(body)+2))
	return slices.Concat(head, body, raw[2:])
}

func look(raw []byte) (Found, error) { return Look(bytes.NewReader(raw), int64(len(raw))) }

func TestPicturesAreToldByContent(t *testing.T) {
	for mime, raw := range map[string][]byte{"image/jpeg": jpegOf(t), "image/png": pngOf(t), "image/gif": gifOf(t)} {
		f, err := look(raw)
		if err != nil || f.Mime != mime || f.Class != Photo || f.Foreign || f.Drawn != (mime != "image/gif") {
			t.Errorf("%s: %+v %v", mime, f, err)
		}
		if f, err := look(raw[:len(raw)/2]); err == nil {
			t.Errorf("half a %s is %+v", mime, f)
		}
	}
}

// TestPolyglotsAreMarked holds that a file that is two things is kept as the one it shows, with a mark.
func TestPolyglotsAreMarked(t *testing.T) {
	comment := func(text string) []byte {
		head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xfe}, uint16(len(text)+2))
		return slices.Concat(head, []byte(text), jpegOf(t)[2:])
	}
	for name, raw := range map[string][]byte{
		"JPEG+ZIP":            slices.Concat(jpegOf(t), zipOf(t)),
		"PNG+ZIP":             slices.Concat(pngOf(t), zipOf(t)),
		"GIF+JS":              slices.Concat(gifOf(t), []byte("/*\n*/=1;alert(document.cookie)//")),
		"JPEG+page":           slices.Concat(jpegOf(t), []byte("<script>alert(1)</script>")),
		"PDF within JPEG":     comment("%PDF-1.7\n1 0 obj"),
		"page within JPEG":    comment("<html><script>alert(1)</script>"),
		"JPEG+program":        slices.Concat(jpegOf(t), []byte("MZ\x90\x00")),
		"two pictures of PNG": slices.Concat(pngOf(t), pngOf(t)),
	} {
		f, err := look(raw)
		if err != nil || !f.Foreign {
			t.Errorf("%s: %+v %v", name, f, err)
		}
	}
	second := slices.Concat(jpegOf(t), jpegOf(t))
	if f, err := look(second); err != nil || f.Foreign {
		t.Errorf("a phone's second picture (MPF) is marked: %+v %v", f, err)
	}
}

func TestOtherThingsUnderPicturesNamesAreRefused(t *testing.T) {
	for name, raw := range map[string][]byte{
		"SVG":           []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"HTML":          []byte("<!doctype html><script>alert(1)</script>"),
		"EXE":           append([]byte("MZ\x90\x00\x03"), make([]byte, 1000)...),
		"ELF":           append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 1000)...),
		"ZIP":           zipOf(t),
		"PDF":           []byte("%PDF-1.7\n"),
		"PDF then JPEG": slices.Concat([]byte("%PDF-1.7\n"), jpegOf(t)),
		"GIF of JS":     []byte("GIF89a/*" + strings.Repeat("x", 200) + "*/=1;alert(1)"),
		"JPEG's name":   []byte("\xff\xd8\xff<script>alert(1)</script>"),
		"BMFF of HTML":  []byte("<!--ftypmp42--><script>alert(1)</script>"),
		"nothing":       {},
		"text":          []byte("hello"),
		"sync word":     append([]byte{0xff, 0xfb, 0x90, 0x00}, bytes.Repeat([]byte("MZ"), 2000)...),
	} {
		if f, err := look(raw); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %+v %v", name, f, err)
		}
	}
}

func TestTimeAndPlaceOfEXIFAreRead(t *testing.T) {
	raw := withEXIF(jpegOf(t), exif("2026:11:28 14:05:09", "+05:00", 54.8753, -69.1628))
	f, err := look(raw)
	if err != nil || !f.Taken.Zoned || !f.Taken.At.Equal(time.Date(2026, 11, 28, 9, 5, 9, 0, time.UTC)) {
		t.Fatalf("%+v %v", f, err)
	}
	if !f.Taken.Fixed || math.Abs(f.Taken.Lat-54.8753) > 1e-3 || math.Abs(f.Taken.Lon+69.1628) > 1e-3 {
		t.Fatalf("%+v", f.Taken)
	}
	near := Declared{At: f.Taken.At.Add(time.Minute), Fixed: true, Lat: 54.876, Lon: -69.163}
	if m := Marks(near, f); len(m) != 0 {
		t.Error("marked without need:", m)
	}
	far := Declared{At: f.Taken.At.Add(26 * time.Hour), Fixed: true, Lat: 54.8, Lon: -62}
	if m := Marks(far, f); !slices.Equal(m, []string{OtherTime, OtherPlace}) {
		t.Error(m)
	}
}

// TestHostileEXIFSaysNothing holds that text, loops and absurd sizes in EXIF neither break the reading nor
// are believed.
func TestHostileEXIFSaysNothing(t *testing.T) {
	good := exif("2026:11:28 14:05:09", "+05:00", 54.8753, 69.1628)
	for name, change := range map[string]func(b []byte){
		"text for a time":       func(b []byte) { copy(b[8+2+24+4+2+24+4+2+48+4:], "<script>alert(1)<") },
		"a directory of itself": func(b []byte) { copy(b[8+2+8:], []byte{0, 0, 0, 8}) },
		"far beyond the end":    func(b []byte) { copy(b[4:], []byte{0xff, 0xff, 0xff, 0xf0}) },
		"65535 entries":         func(b []byte) { copy(b[8:], []byte{0xff, 0xff}) },
		"a value of 4 GB":       func(b []byte) { copy(b[8+2+24+4+2+4:], []byte{0xff, 0xff, 0xff, 0xff}) },
	} {
		b := slices.Clone(good)
		change(b)
		f, err := look(withEXIF(jpegOf(t), b))
		if err != nil || f.Mime != "image/jpeg" {
			t.Errorf("%s: %+v %v", name, f, err)
		}
		if strings.Contains(name, "text") && !f.Taken.At.IsZero() {
			t.Errorf("%s: believed %v", name, f.Taken.At)
		}
	}
	if f := readEXIF(exif("2026:11:28 14:05:09", "+05:00", 154, 69)); f.Fixed {
		t.Error("154 degrees north")
	}
}

// TestFilmsAndSoundsAreTold asks of what real encoders write.
func TestFilmsAndSoundsAreTold(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not here")
	}
	film := []string{"-f", "lavfi", "-i", "testsrc=d=1:s=64x48:r=5"}
	tone := []string{"-f", "lavfi", "-i", "sine=d=1"}
	for _, c := range []struct {
		mime string
		args []string
	}{
		{"video/mp4", append(film, "-c:v", "mpeg4", "-metadata", "creation_time=2026-11-28T09:05:09Z", "-f", "mp4")},
		{"video/quicktime", append(film, "-c:v", "mpeg4", "-f", "mov")},
		{"video/webm", append(film, "-c:v", "libvpx", "-f", "webm")},
		{"video/x-matroska", append(film, "-c:v", "mpeg4", "-f", "matroska")},
		{"video/x-msvideo", append(film, "-c:v", "mpeg4", "-f", "avi")},
		{"video/mp2t", append(film, "-c:v", "mpeg2video", "-f", "mpegts")},
		{"video/3gpp", append(film, "-c:v", "mpeg4", "-f", "3gp")},
		{"audio/mp4", append(tone, "-c:a", "aac", "-f", "mp4")},
		{"audio/webm", append(tone, "-c:a", "libopus", "-f", "webm")},
		{"audio/ogg", append(tone, "-c:a", "libopus", "-f", "ogg")},
		{"audio/wav", append(tone, "-f", "wav")},
		{"audio/aac", append(tone, "-c:a", "aac", "-f", "adts")},
		{"audio/mpeg", append(tone, "-c:a", "libmp3lame", "-f", "mp3")},
	} {
		name := t.TempDir() + "/x"
		out, err := exec.CommandContext(t.Context(), "ffmpeg", append(append([]string{"-v", "error", "-y"}, c.args...), name)...).CombinedOutput()
		if err != nil {
			t.Logf("%s: not made here: %s", c.mime, out)
			continue
		}
		raw := read(t, name)
		f, err := look(raw)
		if err != nil || f.Mime != c.mime || f.Foreign {
			t.Errorf("%s: %+v %v", c.mime, f, err)
		}
		if c.mime == "video/mp4" && !f.Taken.At.Equal(time.Date(2026, 11, 28, 9, 5, 9, 0, time.UTC)) {
			t.Error(f.Taken)
		}
		if f, err := look(slices.Concat(raw, zipOf(t))); err != nil || !f.Foreign {
			t.Errorf("%s with a ZIP: %+v %v", c.mime, f, err)
		}
	}
}

// FuzzLook holds that no content breaks the telling, and that what it says is possible.
func FuzzLook(f *testing.F) {
	for _, raw := range [][]byte{jpegOf(f), pngOf(f), gifOf(f), zipOf(f), withEXIF(jpegOf(f), exif("2026:11:28 14:05:09", "+05:00", 1, 2))} {
		f.Add(raw)
	}
	f.Add([]byte("\x00\x00\x00\x14ftypmp42\x00\x00\x00\x00isom\x00\x00\x00\x10moov\x00\x00\x00\x08udta"))
	f.Add([]byte("\x1a\x45\xdf\xa3\x84webm\x18\x53\x80\x67\xff"))
	f.Add([]byte("OggS\x00\x02aaaaaaaabbbbccccdddd\x01\x05hello"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := look(raw)
		if err != nil {
			return
		}
		if found.Mime == "" || found.Class == "" {
			t.Fatalf("%+v", found)
		}
		if p := found.Taken; p.Fixed && (math.Abs(p.Lat) > 90 || math.Abs(p.Lon) > 180) {
			t.Fatalf("%+v", p)
		}
		_ = Marks(Declared{At: time.Unix(0, 0), Fixed: true}, found)
	})
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// readBytes counts what is read of a file.
type readBytes struct {
	*bytes.Reader
	n int64
}

func (r *readBytes) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.Reader.ReadAt(p, at)
	r.n += int64(n)
	return n, err
}

// A few bytes for each step of a walk: the work must follow the size of the file, not the number of steps.
func TestManySmallBlocksAreReadOnce(t *testing.T) {
	movie := func(inside string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(inside)))) + "moov" + inside
	}
	for name, raw := range map[string]string{
		"scans of a JPEG":      "\xff\xd8" + strings.Repeat("\xff\xda\x00\x02", 1<<18) + "\xff\xd9",
		"restarts and padding": "\xff\xd8" + strings.Repeat("\xff\xda\x00\x02\xff\xd0\xff", 1<<17) + "\xff\xd9",
		"blocks of a GIF":      "GIF89a" + strings.Repeat("\x00", 7) + strings.Repeat("\x21\x00\x00", 1<<18) + ";",
		"chunks of a PNG":      "\x89PNG\r\n\x1a\n\x00\x00\x00\x00IHDR\x00\x00\x00\x00" + strings.Repeat("\x00\x00\x00\x00eXIf\x00\x00\x00\x00", 1<<16),
		"boxes of a film":      "\x00\x00\x00\x10ftypisom\x00\x00\x00\x00" + strings.Repeat(movie(strings.Repeat("\x00\x00\x00\x08free", 4000)), 8),
	} {
		r := &readBytes{Reader: bytes.NewReader([]byte(raw))}
		_, _ = Look(r, r.Size())
		if limit := 4*r.Size() + 1<<20; r.n > limit {
			t.Errorf("%s: %d bytes read of a file of %d", name, r.n, r.Size())
		}
	}
}
