package derive

import (
	"errors"

	"github.com/Eyevinn/mp4ff/av1"
	"github.com/Eyevinn/mp4ff/avc"
	"github.com/pion/rtp/codecs"
)

// picture is what is known of one assembled video frame.
type picture struct {
	key    bool
	shown  bool // false: parameter sets only, to be put before the next frame
	w, h   int  // of a key frame; 0 when it does not say
	sps    []byte
	pps    []byte
	header []byte // AV1: the sequence header, whole
}

var errPicture = errors.New("not a frame of this codec")

// maxFrameBytes bounds one frame; larger ones are damaged or hostile.
const maxFrameBytes = 8 << 20

// assemble joins the payloads of one frame, in order and complete, to what a container holds,
// appended to dst.
func assemble(codec string, dst []byte, parts [][]byte) ([]byte, picture, error) {
	total := 0
	for _, p := range parts {
		total += len(p)
	}
	if total > maxFrameBytes {
		return dst, picture{}, errPicture
	}
	switch codec {
	case "vp8":
		return assembleVP8(dst, parts)
	case "vp9":
		return assembleVP9(dst, parts)
	case "h264":
		return assembleH264(dst, parts)
	case "av1":
		return assembleAV1(dst, parts)
	}
	return dst, picture{}, errPicture
}

func assembleVP8(dst []byte, parts [][]byte) ([]byte, picture, error) {
	start := len(dst)
	for i, part := range parts {
		var p codecs.VP8Packet
		b, err := p.Unmarshal(part)
		if err != nil {
			return dst[:start], picture{}, err
		}
		if i == 0 && (p.S == 0 || p.PID != 0) {
			return dst[:start], picture{}, errPicture
		}
		dst = append(dst, b...)
	}
	// RFC 6386 section 9.1: a frame tag of 3 bytes; a key frame has a start code and its size.
	f := dst[start:]
	if len(f) < 3 {
		return dst[:start], picture{}, errPicture
	}
	pic := picture{shown: true, key: f[0]&1 == 0}
	if pic.key {
		if len(f) < 10 || f[3] != 0x9d || f[4] != 0x01 || f[5] != 0x2a {
			return dst[:start], picture{}, errPicture
		}
		pic.w, pic.h = (int(f[7])<<8|int(f[6]))&0x3fff, (int(f[9])<<8|int(f[8]))&0x3fff
		if pic.w == 0 || pic.h == 0 {
			return dst[:start], picture{}, errPicture
		}
	}
	return dst, pic, nil
}

// assembleVP9 also writes the index that decoders need when a picture has several spatial layers
// (VP9 bitstream, annex B).
func assembleVP9(dst []byte, parts [][]byte) ([]byte, picture, error) {
	start := len(dst)
	var sizes []int
	for i, part := range parts {
		var p codecs.VP9Packet
		b, err := p.Unmarshal(part)
		if err != nil {
			return dst[:start], picture{}, err
		}
		if i == 0 && !p.B {
			return dst[:start], picture{}, errPicture
		}
		if p.B {
			sizes = append(sizes, 0)
		}
		sizes[len(sizes)-1] += len(b)
		dst = append(dst, b...)
	}
	if len(dst) == start || len(sizes) > 8 {
		return dst[:start], picture{}, errPicture
	}
	pic, err := vp9Picture(dst[start:])
	if err != nil {
		return dst[:start], picture{}, err
	}
	if len(sizes) > 1 {
		marker := byte(0xc0 | 3<<3 | (len(sizes) - 1))
		dst = append(dst, marker)
		for _, n := range sizes {
			dst = append(dst, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
		}
		dst = append(dst, marker)
	}
	return dst, pic, nil
}

// vp9Picture reads the beginning of the uncompressed header (VP9 bitstream, section 6.2).
func vp9Picture(f []byte) (picture, error) {
	r := bitReader{b: f}
	if r.read(2) != 2 {
		return picture{}, errPicture
	}
	profile := r.read(1) | r.read(1)<<1
	if profile == 3 {
		r.read(1)
	}
	if r.read(1) == 1 { // shows a frame again
		return picture{shown: true}, nil
	}
	pic := picture{shown: true, key: r.read(1) == 0}
	r.read(2) // show_frame, error_resilient_mode
	if !pic.key {
		return pic, nil
	}
	if r.read(24) != 0x498342 {
		return picture{}, errPicture
	}
	if profile >= 2 {
		r.read(1) // bit depth
	}
	if r.read(3) != 7 { // colour space other than RGB
		r.read(1)
		if profile&1 == 1 {
			r.read(3)
		}
	} else if profile&1 == 1 {
		r.read(1)
	}
	pic.w, pic.h = r.read(16)+1, r.read(16)+1
	if r.over {
		return picture{}, errPicture
	}
	return pic, nil
}

// bitReader reads bits, the highest first; beyond the end it gives zeros and sets over.
type bitReader struct {
	b    []byte
	at   int
	over bool
}

func (r *bitReader) read(n int) int {
	v := 0
	for range n {
		v <<= 1
		if r.at>>3 >= len(r.b) {
			r.over = true
			continue
		}
		v |= int(r.b[r.at>>3]>>(7-r.at&7)) & 1
		r.at++
	}
	return v
}

// assembleH264 gives the NAL units with their length before each (ISO/IEC 14496-15).
func assembleH264(dst []byte, parts [][]byte) ([]byte, picture, error) {
	start := len(dst)
	d := codecs.H264Packet{IsAVC: true}
	inFU := false
	for _, part := range parts {
		if len(part) < 2 {
			return dst[:start], picture{}, errPicture
		}
		fu := part[0]&0x1f == 28
		// A fragment must continue one that has begun, or begin one.
		if fu && (part[1]&0x80 != 0) == inFU || !fu && inFU {
			return dst[:start], picture{}, errPicture
		}
		inFU = fu && part[1]&0x40 == 0
		b, err := d.Unmarshal(part)
		if err != nil {
			return dst[:start], picture{}, err
		}
		dst = append(dst, b...)
	}
	if inFU {
		return dst[:start], picture{}, errPicture
	}
	pic, err := h264Picture(dst[start:])
	if err != nil {
		return dst[:start], picture{}, err
	}
	return dst, pic, nil
}

// maxSide bounds a picture of H264 in samples: the sides of level 6.2 (H.264 annex A.3.1).
const maxSide = 16_880

// h264Picture looks at the NAL units of one access unit.
func h264Picture(au []byte) (picture, error) {
	var pic picture
	for len(au) >= 4 {
		n := int(au[0])<<24 | int(au[1])<<16 | int(au[2])<<8 | int(au[3])
		if n == 0 || n > len(au)-4 {
			return picture{}, errPicture
		}
		nal := au[4 : 4+n]
		switch nal[0] & 0x1f {
		case 1, 2, 5:
			// A picture whose first slice is missing does not begin at macroblock 0.
			if !pic.shown && (n < 2 || nal[1]&0x80 == 0) {
				return picture{}, errPicture
			}
			pic.shown = true
			pic.key = pic.key || nal[0]&0x1f == 5
		case 7:
			sps, err := avc.ParseSPSNALUnit(nal, false)
			if err != nil {
				return picture{}, err
			}
			pic.sps = append([]byte(nil), nal...)
			pic.w, pic.h = int(sps.Width), int(sps.Height)
			if pic.w <= 0 || pic.h <= 0 || pic.w > maxSide || pic.h > maxSide { // more is cropped than there is, or no level has it
				return picture{}, errPicture
			}
		case 8:
			pic.pps = append([]byte(nil), nal...)
		}
		au = au[4+n:]
	}
	if len(au) != 0 {
		return picture{}, errPicture
	}
	return pic, nil
}

func assembleAV1(dst []byte, parts [][]byte) ([]byte, picture, error) {
	start := len(dst)
	var d codecs.AV1Depacketizer
	for i, part := range parts {
		if i == 0 && (len(part) == 0 || part[0]&0x80 != 0) { // begins with the rest of an OBU
			return dst[:start], picture{}, errPicture
		}
		b, err := d.Unmarshal(part)
		if err != nil {
			return dst[:start], picture{}, err
		}
		dst = append(dst, b...)
	}
	if d.Y {
		return dst[:start], picture{}, errPicture
	}
	pic, err := av1Picture(dst[start:])
	if err != nil {
		return dst[:start], picture{}, err
	}
	return dst, pic, nil
}

// av1Picture looks at the OBUs of one temporal unit; each has its size. A unit with a sequence
// header is where decoding can begin.
func av1Picture(tu []byte) (picture, error) {
	var pic picture
	for len(tu) > 0 {
		n := 1 + int(tu[0]>>2&1)
		if tu[0]&0x80 != 0 || tu[0]&2 == 0 || len(tu) <= n {
			return picture{}, errPicture
		}
		size, used := leb128(tu[n:])
		if used == 0 || size > len(tu)-n-used {
			return picture{}, errPicture
		}
		end := n + used + size
		switch tu[0] >> 3 & 15 {
		case 1:
			sh, err := av1.ParseSequenceHeader(tu[n+used : end])
			if err != nil {
				return picture{}, err
			}
			pic.key = true
			pic.header = append([]byte(nil), tu[:end]...)
			pic.w, pic.h = int(sh.MaxFrameWidthMinus1)+1, int(sh.MaxFrameHeightMinus1)+1
		case 3, 6:
			pic.shown = true
		}
		tu = tu[end:]
	}
	if !pic.shown {
		return picture{}, errPicture
	}
	return pic, nil
}

func leb128(b []byte) (v, used int) {
	for i := range min(len(b), 4) {
		v |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}
