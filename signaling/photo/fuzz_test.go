package photo

import "testing"

// FuzzOrientation reads where a JPEG says how it lies.
func FuzzOrientation(f *testing.F) {
	exif := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00")
	f.Add(append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 2, 0xff, 0xda, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, n := range []int{orientation(raw), tiffOrientation(raw)} {
			if n < 1 || n > 8 {
				t.Fatalf("orientation %d", n)
			}
		}
	})
}
