package filekind

import "bytes"

// walkOgg follows the pages of RFC 3533.
func walkOgg(f file, found *Found) int64 {
	found.Mime, found.Class = "audio/ogg", Sound
	if bytes.Contains(f.bytes(0, 128), []byte("theora")) {
		found.Mime, found.Class = "video/ogg", Video
	}
	at := int64(0)
	for range maxSteps {
		h := f.bytes(at, 27+255)
		if len(h) < 27 || string(h[:4]) != "OggS" || len(h) < 27+int(h[26]) {
			break
		}
		size := int64(27 + int(h[26]))
		for _, lace := range h[27:size] {
			size += int64(lace)
		}
		if at+size > f.size {
			return f.size // the last page is cut
		}
		at += size
	}
	return at
}

// walkMPEGAudio follows the frames of MP3 and of AAC in ADTS. Sync words are short: what is taken for
// one must be followed by others.
func walkMPEGAudio(f file, found *Found) int64 {
	at := int64(0)
	if h := f.bytes(0, 10); len(h) == 10 && string(h[:3]) == "ID3" { // ID3v2: a size of 4 times 7 bits
		at = 10 + int64(h[6]&0x7f)<<21 + int64(h[7]&0x7f)<<14 + int64(h[8]&0x7f)<<7 + int64(h[9]&0x7f)
	}
	frames := 0
	for frames < maxSteps {
		h := f.bytes(at, 7)
		size, mime := frame(h)
		if size == 0 || found.Mime != "" && found.Mime != mime {
			break
		}
		if at+size > f.size { // the last frame is cut
			at = f.size
			break
		}
		found.Mime = mime
		at += size
		frames++
	}
	if frames < 4 {
		return 0
	}
	found.Class = Sound
	if string(f.bytes(at, 3)) == "TAG" && f.size-at == 128 { // ID3v1
		at += 128
	}
	return at
}

// frame returns the size of the frame that h begins, and what it is of.
func frame(h []byte) (int64, string) {
	if len(h) < 7 || h[0] != 0xff || h[1]&0xe0 != 0xe0 {
		return 0, ""
	}
	if h[1]&0xf6 == 0xf0 { // ADTS, ISO/IEC 14496-3 annex 1.A.2
		size := int64(h[3]&3)<<11 | int64(h[4])<<3 | int64(h[5]>>5)
		if size < 7 {
			return 0, ""
		}
		return size, "audio/aac"
	}
	if h[1]&6 != 2 || h[1]&0x18 == 8 { // layer III of MPEG 1, 2 and 2.5
		return 0, ""
	}
	first := h[1]&0x18 == 0x18
	rates := [16]int64{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}
	if first {
		rates = [16]int64{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}
	}
	samples := [4]int64{44100, 48000, 32000, 0}[h[2]>>2&3]
	rate := rates[h[2]>>4] * 1000
	if rate == 0 || samples == 0 {
		return 0, ""
	}
	switch h[1] & 0x18 {
	case 0x10:
		samples /= 2
	case 0:
		samples /= 4
	}
	each := int64(72)
	if first {
		each = 144
	}
	return each*rate/samples + int64(h[2]>>1&1), "audio/mpeg"
}
