package filekind

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"strconv"
	"time"
)

// box is one box of ISO/IEC 14496-12.
type box struct {
	kind       string
	body, next int64
}

// boxAt reads the box at a place before end.
func boxAt(f file, at, end int64) (box, bool) {
	h := f.bytes(at, 16)
	if len(h) < 8 || at+8 > end {
		return box{}, false
	}
	size, head := int64(binary.BigEndian.Uint32(h)), int64(8)
	switch {
	case size == 0: // to the end of the file
		size = end - at
	case size == 1:
		if len(h) < 16 || h[8]&0x80 != 0 {
			return box{}, false
		}
		size, head = int64(binary.BigEndian.Uint64(h[8:])), 16
	}
	if size < head || size > end-at {
		return box{}, false
	}
	return box{string(h[4:8]), at + head, at + size}, true
}

// boxesEnd returns where the row of boxes that begins at ends.
func boxesEnd(f file, at int64) int64 {
	for range maxSteps {
		b, ok := boxAt(f, at, f.size)
		if !ok || !printable(b.kind) {
			break
		}
		at = b.next
	}
	return at
}

func printable(kind string) bool {
	for _, c := range []byte(kind) {
		if (c < ' ' || c > '~') && c != 0xa9 {
			return false
		}
	}
	return true
}

// walkBoxes tells MP4, QuickTime, 3GPP, HEIF and AVIF apart, and a film from a sound.
func walkBoxes(f file, found *Found) int64 {
	switch brand := string(f.bytes(8, 4)); brand {
	case "heic", "heix", "heim", "heis", "mif1", "msf1", "hevc", "hevx":
		found.Mime, found.Class = "image/heic", Photo
	case "avif", "avis":
		found.Mime, found.Class = "image/avif", Photo
	case "qt  ":
		found.Mime, found.Class = "video/quicktime", Video
	case "3gp4", "3gp5", "3gp6", "3gp7", "3gpp", "3g2a":
		found.Mime, found.Class = "video/3gpp", Video
	default:
		found.Mime, found.Class = "video/mp4", Video
	}
	end := boxesEnd(f, 0)
	if found.Class == Photo {
		return end
	}
	pictures, moov, places := false, false, 0
	inside(f, 0, end, 0, func(b box) {
		switch b.kind {
		case "moov":
			moov = true
		case "hdlr":
			pictures = pictures || string(f.bytes(b.body+8, 4)) == "vide"
		case "mvhd":
			found.Taken.At, found.Taken.Zoned = madeAt(f.bytes(b.body, 12))
		case "\xa9xyz":
			if places++; places <= maxPlaces {
				place(f.bytes(b.body, 64), &found.Taken)
			}
		}
	})
	if moov && !pictures {
		found.Mime, found.Class = "audio/mp4", Sound
	}
	return end
}

// inside visits the boxes between at and end, and those in the boxes that hold what is looked for.
func inside(f file, at, end int64, depth int, visit func(box)) {
	for range 4096 {
		b, ok := boxAt(f, at, end)
		if !ok {
			return
		}
		visit(b)
		switch b.kind {
		case "moov", "trak", "mdia", "udta":
			if depth < 4 {
				inside(f, b.body, b.next, depth+1, visit)
			}
		}
		at = b.next
	}
}

// madeAt reads the creation time of a movie header: seconds since 1904 UTC. Many cameras leave it 0.
func madeAt(b []byte) (time.Time, bool) {
	if len(b) < 12 {
		return time.Time{}, false
	}
	seconds := uint64(binary.BigEndian.Uint32(b[4:]))
	if b[0] == 1 {
		seconds = binary.BigEndian.Uint64(b[4:])
	}
	const to1970 = 2082844800
	if seconds <= to1970 || seconds > to1970+1<<33 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds-to1970), 0).UTC(), true
}

// maxPlaces bounds how many positions of a film are read; a camera writes one.
const maxPlaces = 16

// place reads a position as ISO 6709 has it, "+54.8753+069.1628/".
func place(b []byte, to *Taken) {
	m := regexp.MustCompile(`([+-]\d{1,2}(?:\.\d{1,10})?)([+-]\d{1,3}(?:\.\d{1,10})?)`).FindSubmatch(b)
	if m == nil {
		return
	}
	lat, err1 := strconv.ParseFloat(string(m[1]), 64)
	lon, err2 := strconv.ParseFloat(string(m[2]), 64)
	if err1 == nil && err2 == nil && lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 && (lat != 0 || lon != 0) {
		to.Fixed, to.Lat, to.Lon = true, lat, lon
	}
}

// walkEBML tells WebM and Matroska, and a film from a sound, by the tracks (RFC 9559).
func walkEBML(f file, found *Found) int64 {
	head := f.bytes(0, headBytes)
	switch {
	case bytes.Contains(head[:min(len(head), 64)], []byte("webm")):
		found.Mime, found.Class = "video/webm", Video
	case bytes.Contains(head[:min(len(head), 64)], []byte("matroska")):
		found.Mime, found.Class = "video/x-matroska", Video
	default:
		return 0
	}
	_, header := ebmlAfter(f, 0)
	if header == 0 {
		return 0
	}
	body, end := ebmlAfter(f, header)
	if body == 0 {
		return 0
	}
	if ebmlSound(f, body, end) {
		found.Mime, found.Class = "audio"+found.Mime[len("video"):], Sound
	}
	return end
}

// ebmlAfter returns where the content of the element at begins and ends; one of unknown size goes on to
// the end.
func ebmlAfter(f file, at int64) (body, end int64) {
	h := f.bytes(at, 16)
	idLen := vintLen(h, 0)
	if idLen == 0 || idLen > 4 {
		return 0, 0
	}
	n := vintLen(h, idLen)
	if n == 0 {
		return 0, 0
	}
	size, unknown := uint64(h[idLen])&(1<<(8-n)-1), h[idLen]&(1<<(8-n)-1) == 1<<(8-n)-1
	for _, c := range h[idLen+1 : idLen+n] {
		size = size<<8 | uint64(c)
		unknown = unknown && c == 0xff
	}
	body = at + int64(idLen+n)
	if unknown || size > uint64(f.size-body) {
		return body, f.size
	}
	return body, body + int64(size)
}

// vintLen returns how many bytes the number at i has; 0 where it does not stand in b.
func vintLen(b []byte, i int) int {
	if i >= len(b) || b[i] == 0 {
		return 0
	}
	n := 1
	for mask := byte(0x80); b[i]&mask == 0; mask >>= 1 {
		n++
	}
	if i+n > len(b) {
		return 0
	}
	return n
}

// ebmlSound reports whether the tracks are known and none has pictures.
func ebmlSound(f file, at, end int64) bool {
	const tracks, entry, kind = "\x16\x54\xae\x6b", "\xae", "\x83"
	known, pictures := false, false
	var look func(at, end int64, depth int)
	look = func(at, end int64, depth int) {
		for n := 0; at < end && n < 1024; n++ {
			id := f.bytes(at, 4)
			body, next := ebmlAfter(f, at)
			if body == 0 || next <= at {
				return
			}
			switch {
			case depth == 0 && string(id) == tracks, depth == 1 && len(id) > 0 && string(id[:1]) == entry:
				look(body, next, depth+1)
			case depth == 2 && len(id) > 0 && string(id[:1]) == kind:
				known = true
				pictures = pictures || bytes.Equal(f.bytes(body, 1), []byte{1})
			}
			at = next
		}
	}
	look(at, end, 0)
	return known && !pictures
}
