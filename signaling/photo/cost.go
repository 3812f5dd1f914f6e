package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
)

// MaxDecode bounds the memory that decoding one picture may take, in bytes. A progressive JPEG
// keeps every coefficient until its last scan (T.81 annex G): five times its samples.
const MaxDecode = 256 << 20

// cost is how many bytes decoding raw takes: what the decoders of the standard library and of
// golang.org/x/image allocate for a picture of this kind. Where a header leaves it open it is the
// larger.
func cost(raw []byte, format string, cfg image.Config) int64 {
	pixels := int64(cfg.Width) * int64(cfg.Height)
	switch format {
	case "jpeg":
		return jpegCost(raw, cfg)
	case "png":
		each := int64(4) // transparency is told after the header: grey may become RGBA
		switch cfg.ColorModel {
		case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
			each = 8
		}
		if len(raw) > 28 && raw[28] != 0 { // interlaced (ISO/IEC 15948 section 11.2.2): its passes beside the whole
			each *= 2
		}
		return pixels * each
	case "webp":
		switch cfg.ColorModel {
		case color.YCbCrModel:
			return pixels * 2
		case color.NYCbCrAModel: // transparency is a lossless picture beside it
			return pixels * 11
		}
		return pixels * 8 // lossless: the pixels, and those before their last transform
	}
	return pixels * 8
}

// jpegCost looks for the frame headers (T.81 section B.2.2) of this size: the decoder has read one
// of them, and finding more than it did only makes the picture dearer.
func jpegCost(raw []byte, cfg image.Config) int64 {
	var frame [5]byte // precision, lines, samples a line
	frame[0] = 8
	binary.BigEndian.PutUint16(frame[1:], uint16(cfg.Height))
	binary.BigEndian.PutUint16(frame[3:], uint16(cfg.Width))
	var dearest int64
	for at := 0; ; at++ {
		next := bytes.Index(raw[at:], frame[:])
		if next < 0 {
			break
		}
		at += next
		if at < 4 || raw[at-4] != 0xff || raw[at-3] < 0xc0 || raw[at-3] > 0xc2 {
			continue
		}
		samples := frameSamples(raw[at+len(frame):], cfg)
		if raw[at-3] == 0xc2 { // progressive: 4 bytes for each coefficient as well
			samples *= 5
		}
		dearest = max(dearest, samples)
	}
	if cfg.ColorModel != color.YCbCrModel && cfg.ColorModel != color.GrayModel { // drawn anew as RGBA or CMYK
		dearest += 4 * int64(cfg.Width) * int64(cfg.Height)
	}
	return dearest
}

// frameSamples counts the samples of all components; b begins with their number.
func frameSamples(b []byte, cfg image.Config) int64 {
	if len(b) < 1 || len(b) < 1+3*int(b[0]) {
		return 0
	}
	var h, v, blocks int64 = 1, 1, 0
	for i := range int(b[0]) {
		hi, vi := int64(b[2+3*i]>>4), int64(b[2+3*i]&15)
		h, v, blocks = max(h, hi), max(v, vi), blocks+hi*vi
	}
	if b[0] == 1 { // one component is never divided (section A.2.2)
		h, v, blocks = 1, 1, 1
	}
	across, down := (int64(cfg.Width)+8*h-1)/(8*h), (int64(cfg.Height)+8*v-1)/(8*v)
	return across * down * blocks * 64
}
