package clip

import (
	"bytes"
	"testing"
	"time"
)

func TestTheEmbeddedClipIsFourSecondsOfBoth(t *testing.T) {
	c, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.Audio); n < 200 || n > 202 {
		t.Errorf("%d audio packets", n)
	}
	if c.FrameTime != time.Second/15 || len(c.Frames) != 60 {
		t.Errorf("%d frames of %v", len(c.Frames), c.FrameTime)
	}
	for i, p := range c.Audio {
		if len(p) < 10 || p[0]>>3 > 31 || p[0]&3 != 0 { // RFC 6716 section 3.1: code 0, one frame a packet
			t.Fatalf("packet %d: % x", i, p[:min(4, len(p))])
		}
	}
	for i, f := range c.Frames {
		if key := f[0]&1 == 0; key != (i%15 == 0) {
			t.Errorf("frame %d: key %v", i, key)
		}
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	ogg, ivf := bytes.NewReader(tone), bytes.NewReader(pattern)
	for name, err := range map[string]error{
		"pictures for sound": second(Read(bytes.NewReader(pattern), ivf)),
		"sound for pictures": second(Read(ogg, bytes.NewReader(tone))),
		"cut":                second(Read(bytes.NewReader(tone[:60]), bytes.NewReader(pattern))),
		"no key frame":       second(Read(bytes.NewReader(tone), bytes.NewReader(append(append([]byte{}, pattern[:44]...), 0xff)))),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func second(_ Clip, err error) error { return err }
