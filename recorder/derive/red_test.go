package derive

import (
	"testing"

	"jedel/media/red"
)

// A speaker changes to redundancy when packets are lost, and back: on one stream, in the middle of a
// sentence. What a copy has is played, whichever codec the stream was opened with.
func TestSpeakerWhoChangesToRedundancyPlaysThrough(t *testing.T) {
	for codec, pt := range map[string]uint8{"opus": 111, "red": 63} {
		m := &memory{}
		m.open(t, 1, streamInfo{Participant: "p1", Kind: "audio", Codec: codec, ClockRate: 48000, PayloadType: pt})
		x := &sender{ssrc: 1, clock: 48000}
		frames := sound(t, 6)
		var past red.History
		var all []sent
		lost := 0
		for i, f := range frames {
			seq, ts := uint16(i), 960*uint32(i)
			redundant := i > len(frames)/3 && i < len(frames)*2/3
			if codec == "red" && i == 0 {
				redundant = true
			}
			b := f.data
			if x.pt = 111; redundant {
				x.pt = 63
				b = red.Append(nil, 111, red.Frame{TS: ts, Data: f.data}, past.Before(seq, ts, 2, nil), 1200)
			}
			past.Put(seq, ts, f.data)
			p := x.packet(t, f.at, false, b)
			if redundant && (i%7 == 3 || i%7 == 4) && i < len(frames)*2/3-3 {
				lost++ // two in a row, and the next has copies of both
				continue
			}
			all = clean().send(all, opened+f.at, 1, p)
		}
		m.deliver(all)
		r := m.load(t)
		if n := len(r.parts[0].sound.frames); n != len(frames) || lost < 20 {
			t.Errorf("%s: %d frames, want %d", codec, n, len(frames))
		}
		for _, f := range r.parts[0].sound.frames {
			if f.take == filled {
				t.Errorf("%s: a hole at %v in spite of redundancy", codec, ns(f.t))
			}
		}
		line := r.Timeline()
		if got := line.Streams[0]; got.Copied != lost || got.Lost != 0 || len(line.Damage) != 0 {
			t.Errorf("%s: %d came only as copies, want %d; damage %+v", codec, got.Copied, lost, line.Damage)
		}
		path, _ := file(t, r, "p1")
		decodes(t, path)
	}
}
