package art

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"math"
	"time"
)

// Photo is a photo with the time and place that a phone writes into it.
type Photo struct {
	Scene
	Lat, Lon float64
	Place    bool // write the place too
}

// JPEG draws and encodes it.
func (p Photo) JPEG() ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, p.Draw(1280, 960, 0), &jpeg.Options{Quality: 82}); err != nil {
		return nil, err
	}
	exif := p.exif()
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(exif)+2))
	return append(append(head, exif...), out.Bytes()[2:]...), nil
}

// Types of EXIF values (TIFF 6.0, section 2).
const (
	tiffASCII    = 2
	tiffLong     = 4
	tiffRational = 5
)

// field is an entry of a directory; data longer than four bytes stands after it.
type field struct {
	tag, kind uint16
	count     uint32
	data      []byte
}

// exif writes the segment by CIPA DC-008: DateTimeOriginal, its offset to UTC, and the place (WGS 84).
func (p Photo) exif() []byte {
	ascii := func(tag uint16, text string) field {
		return field{tag, tiffASCII, uint32(len(text) + 1), append([]byte(text), 0)}
	}
	_, offset := p.At.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	zone := string(sign) + time.Unix(int64(offset), 0).UTC().Format("15:04")
	taken := []field{ascii(0x9003, p.At.Format("2006:01:02 15:04:05")), ascii(0x9011, zone)}
	var place []field
	if p.Place {
		ns, ew := "N", "E"
		if p.Lat < 0 {
			ns = "S"
		}
		if p.Lon < 0 {
			ew = "W"
		}
		place = []field{ascii(1, ns), {2, tiffRational, 3, angle(p.Lat)}, ascii(3, ew), {4, tiffRational, 3, angle(p.Lon)}}
	}
	const first = 8 // of the first directory, after the header
	main := []field{ascii(0x0132, p.At.Format("2006:01:02 15:04:05"))}
	pointers := 1
	if place != nil {
		pointers = 2
	}
	size := sizeOf(main) + 12*pointers
	main = append(main, pointer(0x8769, first+size))
	if place != nil {
		main = append(main, pointer(0x8825, first+size+sizeOf(taken)))
	}
	out := append([]byte("Exif\x00\x00"), "MM\x00\x2a\x00\x00\x00\x08"...)
	out = append(out, directory(main, first)...)
	out = append(out, directory(taken, first+size)...)
	if place != nil {
		out = append(out, directory(place, first+size+sizeOf(taken))...)
	}
	return out
}

func pointer(tag uint16, to int) field {
	return field{tag, tiffLong, 1, binary.BigEndian.AppendUint32(nil, uint32(to))}
}

// angle is degrees, minutes and hundredths of seconds.
func angle(v float64) []byte {
	seconds := math.Round(math.Abs(v) * 360000)
	var out []byte
	for _, part := range [][2]uint32{{uint32(seconds / 360000), 1}, {uint32(math.Mod(seconds/6000, 60)), 1}, {uint32(math.Mod(seconds, 6000)), 100}} {
		out = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(out, part[0]), part[1])
	}
	return out
}

// sizeOf is the length of a directory with its data.
func sizeOf(list []field) int {
	n := 2 + 12*len(list) + 4
	for _, f := range list {
		if len(f.data) > 4 {
			n += len(f.data)
		}
	}
	return n
}

// directory writes one that begins at an offset from the header.
func directory(list []field, at int) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(list)))
	var after []byte
	far := at + 2 + 12*len(list) + 4
	for _, f := range list {
		out = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(out, f.tag), f.kind)
		out = binary.BigEndian.AppendUint32(out, f.count)
		if len(f.data) > 4 {
			out = binary.BigEndian.AppendUint32(out, uint32(far+len(after)))
			after = append(after, f.data...)
			continue
		}
		out = append(out, append(f.data, 0, 0, 0, 0)[:4]...)
	}
	return append(append(out, 0, 0, 0, 0), after...)
}
