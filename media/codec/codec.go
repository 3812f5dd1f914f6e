// Package codec reads what the forwarding path must know of payloads: keyframes, and the
// descriptor of VP8. It is pure and takes any bytes.
package codec

import (
	"encoding/binary"
	"strings"
)

// MIME types of the codecs that the gateway speaks. MIME types are compared without case:
// GStreamer writes "audio/OPUS".
const (
	Opus = "audio/opus"
	RED  = "audio/red" // RFC 2198, of Opus
	VP8  = "video/vp8"
	H264 = "video/h264"
)

// Name returns the canonical form of a MIME type.
func Name(mime string) string { return strings.ToLower(mime) }

// VP8Descriptor is the payload descriptor of VP8 (RFC 7741 section 4.2), as far as it is rewritten.
type VP8Descriptor struct {
	Size         int    // bytes before the VP8 payload
	PictureID    uint16 // 7 or 15 bits
	PictureIDLen int    // bytes: 0, 1 or 2
	PictureIDAt  int    // offset
	TL0          uint8  // TL0PICIDX
	TL0At        int    // offset; 0 where there is none
	Start        bool   // first packet of partition 0
}

// ParseVP8 reads the descriptor; ok is false where b is too short for what it announces.
func ParseVP8(b []byte) (d VP8Descriptor, ok bool) {
	if len(b) < 1 {
		return d, false
	}
	d.Start = b[0]&0x10 != 0 && b[0]&0x0f == 0
	d.Size = 1
	if b[0]&0x80 == 0 {
		return d, len(b) > d.Size
	}
	if len(b) < 2 {
		return d, false
	}
	ext := b[1]
	d.Size = 2
	if ext&0x80 != 0 { // I: picture id
		if len(b) <= d.Size {
			return d, false
		}
		d.PictureIDAt, d.PictureIDLen = d.Size, 1
		if b[d.Size]&0x80 != 0 {
			d.PictureIDLen = 2
		}
		if len(b) < d.Size+d.PictureIDLen {
			return d, false
		}
		if d.PictureIDLen == 2 {
			d.PictureID = binary.BigEndian.Uint16(b[d.Size:]) & 0x7fff
		} else {
			d.PictureID = uint16(b[d.Size])
		}
		d.Size += d.PictureIDLen
	}
	if ext&0x40 != 0 { // L: TL0PICIDX
		if len(b) <= d.Size {
			return d, false
		}
		d.TL0At, d.TL0 = d.Size, b[d.Size]
		d.Size++
	}
	if ext&0x30 != 0 { // T or K: TID, Y, KEYIDX
		d.Size++
	}
	return d, len(b) > d.Size
}

// Keyframe reports whether a payload begins a picture that can be decoded by itself.
func Keyframe(mime string, b []byte) bool {
	switch mime {
	case VP8:
		d, ok := ParseVP8(b)
		return ok && d.Start && b[d.Size]&0x01 == 0 // RFC 7741 section 4.3: P = 0
	case H264:
		return h264Key(b)
	}
	return true
}

// h264Key looks for a sequence parameter set or an IDR slice (RFC 6184 section 5.2).
func h264Key(b []byte) bool {
	if len(b) < 1 {
		return false
	}
	key := func(nalu byte) bool { return nalu&0x1f == 7 || nalu&0x1f == 5 }
	switch b[0] & 0x1f {
	case 24: // STAP-A
		for rest := b[1:]; len(rest) > 2; {
			n := int(binary.BigEndian.Uint16(rest))
			if n == 0 || len(rest) < 2+n {
				return false
			}
			if key(rest[2]) {
				return true
			}
			rest = rest[2+n:]
		}
		return false
	case 28: // FU-A: only its first fragment
		return len(b) > 1 && b[1]&0x80 != 0 && key(b[1])
	}
	return key(b[0])
}
