// Package filekind tells what a file is by its content, where the format ends and something else begins,
// and what it says of when and where it was taken. It is pure, and takes any bytes: every walk is bounded
// and stands within the file.
package filekind

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"time"
)

// Class is what people call a file.
type Class string

// Classes of files that are taken.
const (
	Photo Class = "photo"
	Video Class = "video"
	Sound Class = "sound"
)

// Found is what a file shows of itself.
type Found struct {
	Mime    string
	Class   Class
	Drawn   bool // a small picture of it can be drawn
	Foreign bool // something stands in it that is not of its format
	Taken   Taken
}

// Taken is when and where a file says that it was taken.
type Taken struct {
	At    time.Time // zero: it does not say; in UTC, or as the clock of the camera showed it
	Zoned bool      // At is an instant; otherwise nobody knows the camera's zone
	Fixed bool      // Lat and Lon are said, in degrees WGS 84
	Lat   float64
	Lon   float64
}

// ErrUnknown means that a file is none of the kinds that are taken.
var ErrUnknown = errors.New("no photo, video or sound")

// Bounds of what is read for telling.
const (
	headBytes = 4 << 10
	tailBytes = 65<<10 + 22 // a ZIP ends with its directory and a comment of at most 64 KiB (APPNOTE 4.3.16)
	maxSteps  = 1 << 20     // blocks of a file that are walked
)

// file reads the content. Reading outside of it gives nothing.
type file struct {
	io.ReaderAt
	size int64
	page *page
}

// page is the piece that was read last: formats are walked in small steps.
type page struct {
	at    int64
	bytes []byte
}

const pageBytes = 64 << 10

// bytes returns up to n bytes from at on. They are not to be changed.
func (f file) bytes(at int64, n int) []byte {
	if at < 0 || at >= f.size || n <= 0 {
		return nil
	}
	n = int(min(int64(n), f.size-at))
	p := f.page
	if at < p.at || at+int64(n) > p.at+int64(len(p.bytes)) {
		b := make([]byte, min(int64(max(n, pageBytes)), f.size-at))
		got, err := f.ReadAt(b, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil
		}
		p.at, p.bytes = at, b[:got]
	}
	from := int(at - p.at)
	return p.bytes[from:min(from+n, len(p.bytes))]
}

// rest returns what is at hand from at on: at least n bytes, where the file has so many. They are not to be
// changed.
func (f file) rest(at int64, n int) []byte {
	if len(f.bytes(at, n)) == 0 {
		return nil
	}
	return f.page.bytes[at-f.page.at:]
}

// format is one kind of file. walk returns where it ends; beyond it stands something foreign. It returns
// 0 where the content is not of this kind after all.
type format struct {
	is   func(head []byte) bool
	walk func(f file, found *Found) int64
}

func formats() []format {
	starts := func(magic string) func([]byte) bool {
		return func(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }
	}
	riff := func(kind string) func([]byte) bool {
		return func(h []byte) bool { return len(h) >= 12 && string(h[:4]) == "RIFF" && string(h[8:12]) == kind }
	}
	return []format{
		{starts("\xff\xd8\xff"), walkJPEG},
		{starts("\x89PNG\r\n\x1a\n"), walkPNG},
		{func(h []byte) bool { return starts("GIF87a")(h) || starts("GIF89a")(h) }, walkGIF},
		{riff("WEBP"), walkWebP},
		{riff("WAVE"), plainRIFF("audio/wav", Sound)},
		{riff("AVI "), plainRIFF("video/x-msvideo", Video)},
		{func(h []byte) bool { return len(h) >= 12 && string(h[4:8]) == "ftyp" }, walkBoxes},
		{starts("\x1a\x45\xdf\xa3"), walkEBML},
		{starts("OggS"), walkOgg},
		{starts("#!AMR"), whole("audio/amr", Sound)},
		{isTransport, whole("video/mp2t", Video)},
		{starts("ID3"), walkMPEGAudio},
		{func(h []byte) bool { return len(h) > 2 && h[0] == 0xff && h[1]&0xe0 == 0xe0 }, walkMPEGAudio},
	}
}

// Look tells what size bytes of content are.
func Look(content io.ReaderAt, size int64) (Found, error) {
	f := file{content, size, &page{}}
	head := f.bytes(0, headBytes)
	for _, kind := range formats() {
		if !kind.is(head) {
			continue
		}
		var found Found
		end := kind.walk(f, &found)
		if end <= 0 || found.Mime == "" {
			return Found{}, ErrUnknown
		}
		found.Foreign = found.Foreign || foreign(f, end, head)
		return found, nil
	}
	return Found{}, ErrUnknown
}

// whole takes a format whose blocks are not walked.
func whole(mime string, class Class) func(file, *Found) int64 {
	return func(f file, found *Found) int64 {
		found.Mime, found.Class = mime, class
		return f.size
	}
}

// foreign looks for what stands behind the end of a format, and for the marks of other formats where
// their readers look: PDF within the first 1024 bytes (ISO 32000-1 annex H), ZIP at the end, pages at the
// beginning.
func foreign(f file, end int64, head []byte) bool {
	start := head[:min(len(head), 1024)]
	if bytes.Contains(start, []byte("%PDF-")) || markup(head) {
		return true
	}
	tail := f.bytes(max(0, f.size-tailBytes), tailBytes)
	if at := bytes.LastIndex(tail, []byte("PK\x05\x06")); at >= 0 && len(tail)-at >= 22 && at+22+int(binary.LittleEndian.Uint16(tail[at+20:])) <= len(tail) {
		return true
	}
	return end < f.size
}

// markup finds what a browser that guesses would run.
func markup(head []byte) bool {
	low := bytes.ToLower(head)
	return slices.ContainsFunc([]string{"<script", "<html", "<svg", "<!doctype", "<?php"}, func(s string) bool { return bytes.Contains(low, []byte(s)) })
}

// isTransport tells an MPEG transport stream by five packets of 188 bytes (ISO/IEC 13818-1).
func isTransport(h []byte) bool {
	for i := range 5 {
		if at := 188 * i; at >= len(h) || h[at] != 0x47 {
			return false
		}
	}
	return true
}

func plainRIFF(mime string, class Class) func(file, *Found) int64 {
	return func(f file, found *Found) int64 {
		found.Mime, found.Class = mime, class
		return riffEnd(f)
	}
}

// riffEnd returns where a RIFF file ends; long AVI files have further RIFF chunks.
func riffEnd(f file) int64 {
	at := int64(0)
	for range 1024 {
		h := f.bytes(at, 8)
		if len(h) < 8 || string(h[:4]) != "RIFF" {
			break
		}
		size := int64(binary.LittleEndian.Uint32(h[4:]))
		at += 8 + size + size&1
	}
	return min(at, f.size)
}
