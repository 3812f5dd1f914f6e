// Package photo tells pictures from everything else by decoding them, and makes the previews that
// are shown. Input is hostile: sizes are read before anything is decoded.
package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // decoder

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // decoder
)

const (
	// MaxPixels bounds a picture: 50 megapixels, above every phone's camera.
	MaxPixels = 50_000_000
	// MaxSide bounds one side in pixels.
	MaxSide = 20_000
	// PreviewSide is the longer side of a preview in pixels.
	PreviewSide = 1280
	quality     = 82
)

// ErrNotPicture reports content that is not a whole JPEG, PNG or WebP picture.
var ErrNotPicture = errors.New("not a picture we take")

// Info is what a picture is.
type Info struct {
	Mime          string
	Width, Height int // pixels, as they are shown
}

// ErrTooLarge reports a picture over MaxSide or MaxPixels, or one that takes more than MaxDecode.
var ErrTooLarge = errors.New("a picture too large to decode")

// Check reads what raw is without decoding the whole; then Preview proves that it can be decoded.
func Check(raw []byte) (Info, error) {
	cfg, format, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrNotPicture, err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return Info{}, fmt.Errorf("%w: %d x %d pixels", ErrNotPicture, cfg.Width, cfg.Height)
	}
	if cfg.Width > MaxSide || cfg.Height > MaxSide || cfg.Width*cfg.Height > MaxPixels {
		return Info{}, fmt.Errorf("%w: %d x %d pixels", ErrTooLarge, cfg.Width, cfg.Height)
	}
	if n := cost(raw, format, cfg); n > MaxDecode {
		return Info{}, fmt.Errorf("%w: %d x %d pixels take %d bytes", ErrTooLarge, cfg.Width, cfg.Height, n)
	}
	return Info{Mime: "image/" + format, Width: cfg.Width, Height: cfg.Height}, nil
}

// Preview decodes a picture and returns it as a JPEG of at most PreviewSide, turned as its EXIF
// orientation says and without any metadata. It takes up to MaxDecode of memory: bound how many
// run at once.
func Preview(raw []byte) ([]byte, Info, error) {
	info, err := Check(raw)
	if err != nil {
		return nil, info, err
	}
	src, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, info, fmt.Errorf("%w: %w", ErrNotPicture, err)
	}
	turn := orientation(raw)
	small := scale(src)
	out := rotate(small, turn)
	if turn >= 5 {
		info.Width, info.Height = info.Height, info.Width
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, out, &jpeg.Options{Quality: quality}); err != nil {
		return nil, info, fmt.Errorf("encode preview: %w", err)
	}
	return b.Bytes(), info, nil
}

func scale(src image.Image) *image.RGBA {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > PreviewSide {
		w, h = max(1, w*PreviewSide/long), max(1, h*PreviewSide/long)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(dst, dst.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(dst, dst.Bounds(), src, b, draw.Over, nil)
	return dst
}

// rotate applies an EXIF orientation (1..8).
func rotate(src *image.RGBA, turn int) image.Image {
	if turn <= 1 || turn > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dw, dh := w, h
	if turn >= 5 {
		dw, dh = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	for y := range h {
		for x := range w {
			dx, dy := x, y
			switch turn {
			case 2:
				dx = w - 1 - x
			case 3:
				dx, dy = w-1-x, h-1-y
			case 4:
				dy = h - 1 - y
			case 5:
				dx, dy = y, x
			case 6:
				dx, dy = h-1-y, x
			case 7:
				dx, dy = h-1-y, w-1-x
			case 8:
				dx, dy = y, w-1-x
			}
			dst.SetRGBA(dx, dy, src.RGBAAt(x, y))
		}
	}
	return dst
}

// orientation finds the EXIF orientation of a JPEG (tag 0x0112), 1 where there is none.
func orientation(raw []byte) int {
	if len(raw) < 4 || raw[0] != 0xff || raw[1] != 0xd8 {
		return 1
	}
	for at := 2; at+4 <= len(raw) && raw[at] == 0xff; {
		marker, size := raw[at+1], int(binary.BigEndian.Uint16(raw[at+2:]))
		if size < 2 || at+2+size > len(raw) || marker == 0xda {
			return 1
		}
		if body := raw[at+4 : at+2+size]; marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return tiffOrientation(body[6:])
		}
		at += 2 + size
	}
	return 1
}

func tiffOrientation(b []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if len(b) < 8 {
		return 1
	}
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int(order.Uint32(b[4:]))
	if at < 8 || at+2 > len(b) {
		return 1
	}
	n := int(order.Uint16(b[at:]))
	for i := range min(n, 64) {
		e := at + 2 + 12*i
		if e+12 > len(b) {
			return 1
		}
		if order.Uint16(b[e:]) == 0x0112 {
			if v := int(order.Uint16(b[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}
