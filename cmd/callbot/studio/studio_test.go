package studio

import (
	"bytes"
	"testing"
	"time"

	"jedel/cmd/callbot/art"
	"jedel/cmd/callbot/clip"
)

// TestCallersLookAndSoundDifferent makes two clips; where a program is missing the test says so by what
// it holds instead: the embedded clip.
func TestCallersLookAndSoundDifferent(t *testing.T) {
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	one, err := s.Clip(t.Context(), art.Scene{Theme: "fire", At: at, Seed: 1}, "Горит крыша дома", "ru")
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Clip(t.Context(), art.Scene{Theme: "fight", At: at, Seed: 2}, "Төбелес болып жатыр", "kk")
	if err != nil {
		t.Fatal(err)
	}
	if same := bytes.Equal(one.Frames[0], two.Frames[0]); same == s.ffmpeg || len(one.Frames) < 30 || one.FrameTime <= 0 {
		t.Fatal("pictures: ffmpeg", s.ffmpeg, "same", same)
	}
	if same := bytes.Equal(bytes.Join(one.Audio, nil), bytes.Join(two.Audio, nil)); same == s.voice || len(one.Audio) < 30 {
		t.Fatal("voices: espeak", s.voice, "same", same)
	}
}

// TestWithoutProgramsTheEmbeddedClipStandsIn is the machine of somebody who has neither.
func TestWithoutProgramsTheEmbeddedClipStandsIn(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	stock, err := clip.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Clip(t.Context(), art.Scene{Theme: "fire"}, "Өрт", "kk")
	if err != nil || !bytes.Equal(c.Frames[0], stock.Frames[0]) || len(s.Lacks()) != 2 {
		t.Fatal(err, s.Lacks())
	}
	if ogg, err := s.Voice(t.Context(), "Өрт", "kk"); err != nil || !bytes.HasPrefix(ogg, []byte("OggS")) {
		t.Fatal(err)
	}
}
