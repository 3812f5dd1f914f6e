package filekind

import (
	"bytes"
	"encoding/binary"
)

// maxEXIF bounds what of EXIF is read; a segment of JPEG holds no more.
const maxEXIF = 64 << 10

// walkJPEG follows the markers of T.81 to the end of the picture. Phones put further pictures (MPF) and
// short films behind it; whole ones are theirs.
func walkJPEG(f file, found *Found) int64 {
	found.Mime, found.Class, found.Drawn = "image/jpeg", Photo, true
	end := jpegEnd(f, 0, found)
	for n := 0; end > 0 && n < 16 && string(f.bytes(end, 3)) == "\xff\xd8\xff"; n++ {
		next := jpegEnd(f, end, nil)
		if next <= 0 {
			return end
		}
		end = next
	}
	if end > 0 && string(f.bytes(end+4, 4)) == "ftyp" {
		if film := boxesEnd(f, end); film == f.size {
			return film
		}
	}
	return end
}

// jpegEnd returns where the picture that begins at ends; 0 where it does not.
func jpegEnd(f file, at int64, found *Found) int64 {
	at += 2
	scanned := false
	for range maxSteps {
		h := f.bytes(at, 4)
		if len(h) < 2 || h[0] != 0xff {
			return 0
		}
		switch m := h[1]; {
		case m == 0xff: // fill
			at++
			continue
		case m == 0xd9 && scanned:
			return at + 2
		case m == 0xd8 || m == 0xd9 || m == 0:
			return 0
		case m == 1 || m >= 0xd0 && m <= 0xd7:
			at += 2
			continue
		}
		if len(h) < 4 {
			return 0
		}
		size := int64(binary.BigEndian.Uint16(h[2:]))
		if size < 2 || at+2+size > f.size {
			return 0
		}
		if found != nil {
			segment(f.bytes(at+4, int(size-2)), h[1], found)
		}
		at += 2 + size
		if h[1] == 0xda {
			scanned = true
			if at = scanEnd(f, at); at == 0 {
				return 0
			}
		}
	}
	return 0
}

// segment reads what a segment tells.
func segment(body []byte, marker byte, found *Found) {
	switch {
	case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
		found.Taken = readEXIF(body[6:])
	case marker == 0xfe && (markup(body) || bytes.Contains(body, []byte("%PDF-"))):
		found.Foreign = true
	}
}

// scanEnd returns where the coded data that begins at ends: at the next marker that is no restart. A file may
// have a million scans of a few bytes: what was read for one serves the next.
func scanEnd(f file, at int64) int64 {
	for at < f.size {
		b := f.rest(at, 2)
		if len(b) < 2 {
			return 0
		}
		for i := 0; i+1 < len(b); i++ {
			next := bytes.IndexByte(b[i:len(b)-1], 0xff)
			if next < 0 {
				break
			}
			i += next
			if m := b[i+1]; m != 0 && m != 0xff && (m < 0xd0 || m > 0xd7) {
				return at + int64(i)
			}
		}
		at += int64(len(b)) - 1 // the last byte may be the first of a marker
	}
	return 0
}

// walkPNG follows the chunks (ISO/IEC 15948 section 5.3) to IEND.
func walkPNG(f file, found *Found) int64 {
	found.Mime, found.Class, found.Drawn = "image/png", Photo, true
	at := int64(8)
	for range maxSteps {
		h := f.bytes(at, 8)
		if len(h) < 8 {
			return 0
		}
		size := int64(binary.BigEndian.Uint32(h))
		kind := string(h[4:])
		if at == 8 && kind != "IHDR" || size > 1<<31-1 || at+12+size > f.size {
			return 0
		}
		if kind == "eXIf" {
			found.Taken = readEXIF(f.bytes(at+8, int(min(size, maxEXIF))))
		}
		at += 12 + size
		if kind == "IEND" {
			return at
		}
	}
	return 0
}

// walkGIF follows the blocks of GIF89a to the trailer.
func walkGIF(f file, found *Found) int64 {
	found.Mime, found.Class = "image/gif", Photo
	h := f.bytes(0, 13)
	if len(h) < 13 {
		return 0
	}
	at := int64(13)
	table := func(flags byte) {
		if flags&0x80 != 0 {
			at += 3 << (flags&7 + 1)
		}
	}
	table(h[10])
	pictures := 0
	for range maxSteps {
		b := f.bytes(at, 10)
		switch {
		case len(b) == 0:
			return 0
		case b[0] == 0x3b:
			if pictures == 0 {
				return 0
			}
			return at + 1
		case b[0] == 0x21 && len(b) > 1:
			at += 2
		case b[0] == 0x2c && len(b) == 10:
			pictures++
			at += 10
			table(b[9])
			at++ // code size
		default:
			return 0
		}
		if at = subBlocks(f, at); at == 0 {
			return 0
		}
	}
	return 0
}

// subBlocks returns what follows a row of data sub-blocks.
func subBlocks(f file, at int64) int64 {
	for range maxSteps {
		b := f.bytes(at, 1)
		if len(b) == 0 {
			return 0
		}
		at += 1 + int64(b[0])
		if b[0] == 0 {
			return at
		}
	}
	return 0
}

// walkWebP follows the chunks of the RIFF (RFC 9649).
func walkWebP(f file, found *Found) int64 {
	found.Mime, found.Class, found.Drawn = "image/webp", Photo, true
	end := riffEnd(f)
	for at, n := int64(12), 0; at+8 <= end && n < 1024; n++ {
		h := f.bytes(at, 8)
		if len(h) < 8 {
			break
		}
		size := int64(binary.LittleEndian.Uint32(h[4:]))
		if string(h[:4]) == "EXIF" {
			body := f.bytes(at+8, int(min(size, maxEXIF)))
			found.Taken = readEXIF(bytes.TrimPrefix(body, []byte("Exif\x00\x00")))
		}
		at += 8 + size + size&1
	}
	return end
}
