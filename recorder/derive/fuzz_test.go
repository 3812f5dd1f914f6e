package derive

import "testing"

// FuzzPacket reads one RTP packet and one compound RTCP packet: what is taken lies within the bytes.
func FuzzPacket(f *testing.F) {
	f.Add([]byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3})
	f.Add([]byte{0xb1, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0, 9, 9, 0, 2})
	f.Add(append([]byte{0x80, 200, 0, 6}, make([]byte, 24)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, ok := parseRTP(b); ok && (int(h.head) < 12 || int(h.head)+int(h.pad) > len(b)) {
			t.Fatalf("%+v of %d bytes", h, len(b))
		}
		n := 0
		senderReports(1, b, func(r senderReport) {
			if n++; r.ntp <= 0 || n > len(b)/28 {
				t.Fatalf("report %d: %+v", n, r)
			}
		})
	})
}

// FuzzPicture reads the headers of frames: sizes are what the formats can say.
func FuzzPicture(f *testing.F) {
	f.Add([]byte{0x82, 0x49, 0x83, 0x42, 0, 0x27, 0xf0, 0x1d, 0xf6})
	f.Add([]byte{0, 0, 0, 5, 0x67, 0x42, 0, 0x1e, 0xab, 0, 0, 0, 1, 0x65})
	f.Add([]byte{0x12, 0, 0x0a, 0x0b, 0, 0, 0, 0x24, 0xcf, 0x7f, 0x0d, 0xbf, 0xff, 0x30, 0x08})
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, read := range map[string]func([]byte) (picture, error){"vp9": vp9Picture, "h264": h264Picture, "av1": av1Picture} {
			p, err := read(b)
			if err == nil && (p.w < 0 || p.h < 0 || p.w > 1<<16 || p.h > 1<<16) {
				t.Fatalf("%s: %+v", name, p)
			}
		}
		if v, used := leb128(b); used < 0 || used > len(b) || v < 0 {
			t.Fatalf("leb128: %d in %d bytes", v, used)
		}
	})
}
