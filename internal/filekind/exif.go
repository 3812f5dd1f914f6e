package filekind

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

// Tags of EXIF 2.32 that are read; everything else in it is left alone.
const (
	tagExifIFD   = 0x8769
	tagGPSIFD    = 0x8825
	tagTaken     = 0x9003
	tagTakenZone = 0x9011
	gpsLatRef    = 1
	gpsLat       = 2
	gpsLonRef    = 3
	gpsLon       = 4
)

// maxEntries bounds the entries of a directory that are looked at.
const maxEntries = 512

// tiff is the block of EXIF, in its byte order.
type tiff struct {
	b     []byte
	order binary.ByteOrder
}

// readEXIF reads when and where a picture was taken. What is not as it should be says nothing.
func readEXIF(b []byte) Taken {
	var out Taken
	t := tiff{b: b, order: binary.LittleEndian}
	switch {
	case bytes.HasPrefix(b, []byte("II*\x00")):
	case bytes.HasPrefix(b, []byte("MM\x00*")):
		t.order = binary.BigEndian
	default:
		return out
	}
	root := t.directory(t.u32(4))
	detail := t.directory(t.number(root[tagExifIFD]))
	if at, err := time.Parse("2006:01:02 15:04:05", t.text(detail[tagTaken])); err == nil {
		out.At = at
		if zone, err := time.Parse("-07:00", t.text(detail[tagTakenZone])); err == nil {
			_, offset := zone.Zone()
			out.At, out.Zoned = at.Add(-time.Duration(offset)*time.Second), true
		}
	}
	gps := t.directory(t.number(root[tagGPSIFD]))
	lat, okLat := t.degrees(gps[gpsLat], gps[gpsLatRef], "S")
	lon, okLon := t.degrees(gps[gpsLon], gps[gpsLonRef], "W")
	if okLat && okLon && math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && (lat != 0 || lon != 0) {
		out.Fixed, out.Lat, out.Lon = true, lat, lon
	}
	return out
}

func (t tiff) u16(at int64) uint16 {
	if at < 0 || at+2 > int64(len(t.b)) {
		return 0
	}
	return t.order.Uint16(t.b[at:])
}

func (t tiff) u32(at int64) int64 {
	if at < 0 || at+4 > int64(len(t.b)) {
		return 0
	}
	return int64(t.order.Uint32(t.b[at:]))
}

// directory returns where the entries of a directory stand, by tag. It has no loops: what an entry points
// to is followed by whoever wants it, once.
func (t tiff) directory(at int64) map[uint16]int64 {
	out := map[uint16]int64{}
	if at < 8 {
		return out
	}
	for i := range min(int64(t.u16(at)), maxEntries) {
		e := at + 2 + 12*i
		if e+12 > int64(len(t.b)) {
			break
		}
		out[t.u16(e)] = e
	}
	return out
}

// number returns the value of an entry of type LONG; 0 where there is none.
func (t tiff) number(entry int64) int64 {
	if entry == 0 || t.u16(entry+2) != 4 || t.u32(entry+4) != 1 {
		return 0
	}
	return t.u32(entry + 8)
}

// text returns a short value of type ASCII.
func (t tiff) text(entry int64) string {
	n := t.u32(entry + 4)
	if entry == 0 || t.u16(entry+2) != 2 || n < 1 || n > 64 {
		return ""
	}
	at := entry + 8
	if n > 4 {
		at = t.u32(entry + 8)
	}
	if at+n > int64(len(t.b)) {
		return ""
	}
	text, _, _ := bytes.Cut(t.b[at:at+n], []byte{0})
	return string(text)
}

// degrees returns three RATIONALs as degrees; negative is the letter of the other half of the world.
func (t tiff) degrees(entry, ref int64, negative string) (float64, bool) {
	if entry == 0 || ref == 0 || t.u16(entry+2) != 5 || t.u32(entry+4) != 3 {
		return 0, false
	}
	at, out := t.u32(entry+8), 0.0
	for i, part := range []float64{1, 60, 3600} {
		num, den := t.u32(at+int64(8*i)), t.u32(at+int64(8*i)+4)
		if den == 0 || at+int64(8*i)+8 > int64(len(t.b)) {
			return 0, false
		}
		out += float64(num) / float64(den) / part
	}
	if t.text(ref) == negative {
		out = -out
	}
	return out, true
}
