package derive

import (
	"reflect"
	"testing"
	"time"
)

// TestPicturesThatAreNotReadAgainAreTheSame holds what packets say of their pictures against the
// pictures themselves.
func TestPicturesThatAreNotReadAgainAreTheSame(t *testing.T) {
	for name, s := range map[string]scene{
		"clean":    {codec: "vp8", seconds: 10, reports: time.Second, net: clean()},
		"rough":    {codec: "vp8", seconds: 20, late: 90 * time.Millisecond, resize: 6, reports: time.Second, net: lossy()},
		"no parts": {codec: "vp9", seconds: 5, reports: time.Second, net: clean()},
	} {
		r := loadFolder(t, s.record(t).folder(t))
		compared, quick := 0, 0
		for _, p := range r.parts {
			for _, k := range p.pictures.takes {
				rd := &reader{src: r.src}
				fast, setsFast, err := pictureFrames(rd, k.run, k.info)
				if err != nil {
					t.Fatal(err)
				}
				for i := range k.run.packets {
					if k.run.packets[i].front > 0 {
						quick++
					}
					k.run.packets[i].front = 0
				}
				slow, setsSlow, err := pictureFrames(rd, k.run, k.info)
				if err != nil || !reflect.DeepEqual(fast, slow) || !reflect.DeepEqual(setsFast, setsSlow) {
					t.Errorf("%s: %v, %d pictures and %d", name, err, len(fast), len(slow))
				}
				compared += len(slow)
			}
		}
		if compared < 50 || (quick > 0) != (s.codec == "vp8") {
			t.Errorf("%s: %d pictures compared, %d packets described", name, compared, quick)
		}
	}
}
