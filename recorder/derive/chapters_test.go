package derive

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
)

// TestFilesNameTheirLossesAsChapters loses a second of sound and reads the chapters with a player's tool.
func TestFilesNameTheirLossesAsChapters(t *testing.T) {
	for _, codec := range []string{"vp8", "h264"} {
		t.Run(codec, func(t *testing.T) {
			m := &memory{}
			m.open(t, 1, streamInfo{Participant: "p1", Kind: "audio", Codec: "opus", ClockRate: 48000, PayloadType: 111})
			m.open(t, 2, streamInfo{Participant: "p1", Kind: "video", Codec: codec, ClockRate: 90000, PayloadType: 96})
			var kept []sent
			for i, s := range undamaged(t, nil, 1, &sender{ssrc: 1, pt: 111, clock: 48000}, "opus", sound(t, 6), opened) {
				if i < 200 || i >= 250 {
					kept = append(kept, s)
				}
			}
			m.deliver(undamaged(t, kept, 2, &sender{ssrc: 2, pt: 96, clock: 90000}, codec, video(t, codec, "320x240", 6), opened))
			r := m.load(t)
			path, _ := file(t, r, "p1")
			var found struct {
				Chapters []struct {
					Start string `json:"start_time"`
					End   string `json:"end_time"`
					Tags  struct {
						Title string `json:"title"`
					} `json:"tags"`
				} `json:"chapters"`
			}
			if err := json.Unmarshal(tool(t, nil, "ffprobe", "-v", "error", "-show_chapters", "-of", "json", path), &found); err != nil {
				t.Fatal(err)
			}
			if len(found.Chapters) == 0 {
				t.Fatal("no chapter")
			}
			c := found.Chapters[0]
			start, err := strconv.ParseFloat(c.Start, 64)
			end, err2 := strconv.ParseFloat(c.End, 64)
			if err != nil || err2 != nil || math.Abs(start-4) > 0.02 || math.Abs(end-5) > 0.02 || c.Tags.Title != "sound lost: 1.000 s, 50 packets" {
				t.Errorf("%+v", found.Chapters)
			}
		})
	}
}

// TestChaptersAreTheLongestWhereThereAreMany bounds what a file names.
func TestChaptersAreTheLongestWhereThereAreMany(t *testing.T) {
	p := &part{sound: &track{}, pictures: &track{}}
	for i := range 900 {
		p.sound.faults = append(p.sound.faults, Interval{From: ns(int64(i) * 1e9), To: ns(int64(i)*1e9 + int64(1+i%7)*20_000_000), Cause: CauseLoss, Kind: "audio", Packets: 1 + i%7})
	}
	got := p.chapters(100)
	for i, c := range got {
		if c.to-c.from < 140_000_000 || i > 0 && c.from <= got[i-1].from {
			t.Fatalf("%d: %+v", i, c)
		}
	}
	if len(got) != 100 {
		t.Errorf("%d chapters", len(got))
	}
	if box := p.mp4Chapters(); box == nil || box.Size() > 64<<10 {
		t.Error("no chapters, or too large", box)
	}
}
