package derive

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// plain sends frames over a network without trouble, starting at the time given.
func undamaged(t *testing.T, all []sent, stream uint16, x *sender, codec string, frames []coded, start time.Duration) []sent {
	t.Helper()
	n := clean()
	for _, f := range frames {
		parts := [][]byte{f.data}
		if codec != "opus" {
			parts = payloader(codec).Payload(900, f.data)
		}
		for k, p := range parts {
			all = n.send(all, start+f.at, stream, x.packet(t, f.at, k == len(parts)-1, p))
		}
	}
	return all
}

func TestRedundancyBringsBackLostSound(t *testing.T) {
	m := &memory{}
	m.open(t, 1, streamInfo{Participant: "p1", Kind: "audio", Codec: "opus", ClockRate: 48000, PayloadType: 111})
	x := &sender{ssrc: 1, pt: 63, clock: 48000}
	var all []sent
	frames := sound(t, 6)
	lost := 0
	for i, f := range frames {
		// RFC 2198: one block of redundancy, 960 ticks back.
		b := f.data
		if i > 0 {
			old := frames[i-1].data
			b = append([]byte{0x80 | 111, 960 >> 6, byte(960<<2&0xff) | byte(len(old)>>8), byte(len(old)), 111}, old...)
			b = append(b, f.data...)
		} else {
			b = append([]byte{111}, b...)
		}
		p := x.packet(t, f.at, false, b)
		if i%7 == 3 {
			lost++
			continue
		}
		all = clean().send(all, opened+f.at, 1, p)
	}
	m.deliver(all)
	r := m.load(t)
	if n := len(r.parts[0].sound.frames); n != len(frames) {
		t.Errorf("%d frames, want %d", n, len(frames))
	}
	for _, f := range r.parts[0].sound.frames {
		if f.take == filled {
			t.Errorf("a hole at %v in spite of redundancy", ns(f.t))
		}
	}
	line := r.Timeline()
	if got := line.Streams[0]; got.Copied != lost || got.Lost != 0 || got.MissingMs != 0 || got.Packets != len(frames)-lost || len(line.Damage) != 0 {
		t.Errorf("%d came only as copies, want %d; %+v; damage %+v", got.Copied, lost, got, line.Damage)
	}
	path, _ := file(t, r, "p1")
	decodes(t, path)
}

// TestLostSoundIsSilenceOfItsLengthAndTold loses one packet, and fifty; one comes again, one comes
// twice, and three in a row are lost before a packet with two copies. What is told has the length of
// what is silent, and nothing is made up in its place.
func TestLostSoundIsSilenceOfItsLengthAndTold(t *testing.T) {
	m := &memory{}
	m.open(t, 1, streamInfo{Participant: "p1", Kind: "audio", Codec: "opus", ClockRate: 48000, PayloadType: 111})
	x := &sender{ssrc: 1, pt: 111, clock: 48000}
	var all []sent
	frames := sound(t, 6)
	for i, f := range frames {
		b := f.data
		if x.pt = 111; i == 123 {
			x.pt = 63
			b = redundant(111, frames[i-2].data, frames[i-1].data, f.data)
		}
		p := x.packet(t, f.at, false, b)
		switch {
		case i == 100 || i >= 120 && i < 123 || i >= 200 && i < 250:
			continue
		case i == 150:
			all = append(all, sent{at: int64(opened + f.at + 300*time.Millisecond), stream: 1, kind: recRTP, data: p, rtx: true})
			continue
		case i == 160:
			all = append(all, sent{at: int64(opened + f.at + 300*time.Millisecond), stream: 1, kind: recRTP, data: p, rtx: true})
		}
		all = clean().send(all, opened+f.at, 1, p)
	}
	m.deliver(all)
	r := m.load(t)
	line := r.Timeline()
	d := line.Damage
	if len(d) != 3 || d[0].Packets != 1 || d[0].ToMs-d[0].FromMs != 20 || d[1].Packets != 1 || d[1].ToMs-d[1].FromMs != 20 ||
		d[2].Packets != 50 || d[2].ToMs-d[2].FromMs != 1000 || d[0].Cause != "loss" {
		t.Fatalf("damage %+v", d)
	}
	s := line.Streams[0]
	if s.Packets != len(frames)-54 || s.Recovered != 1 || s.Copied != 2 || s.Lost != 52 || s.MissingMs != 1040 || s.Duplicates != 1 {
		t.Errorf("%+v", s)
	}
	quiet := int32(0)
	for _, f := range r.parts[0].sound.frames {
		if f.take == filled {
			if f.size != 3 {
				t.Errorf("a packet at %v that leaves a decoder to make up %d samples", ns(f.t), f.dur)
			}
			quiet += f.dur
		}
	}
	if quiet != 1040*48 {
		t.Errorf("%d samples of silence, want 1040 ms", quiet)
	}
	path, _ := file(t, r, "p1")
	decodes(t, path)
	pcm := tool(t, nil, "ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", "48000", "-f", "s16le", "-")
	if sec := float64(len(pcm)) / 96000; sec < 5.95 || sec > 6.05 {
		t.Errorf("%.3f s of samples, want 6", sec)
	}
	// In the middle of the second that is lost there is nothing, whatever the decoder.
	begin := int(d[2].FromMs-line.Media[0].OffsetMs) * 96
	for i := begin + 100*96; i < begin+900*96; i++ {
		if pcm[i] != 0 && pcm[i] != 0xff && pcm[i] != 1 { // dither of the last bit
			t.Fatalf("sound %d ms into the loss", (i-begin)/96)
		}
	}
}

// redundant is an RFC 2198 payload with frames of 20 ms, the last of them the packet's own.
func redundant(pt byte, frames ...[]byte) (b []byte) {
	n := len(frames) - 1
	for i, f := range frames[:n] {
		back := 960 * (n - i)
		b = append(b, 0x80|pt, byte(back>>6), byte(back<<2)|byte(len(f)>>8), byte(len(f)))
	}
	b = append(b, pt)
	for _, f := range frames {
		b = append(b, f...)
	}
	return b
}

// TestManyLossesAreToldAsFewWithWhatIsMissing keeps the sum exact where stretches are joined.
func TestManyLossesAreToldAsFewWithWhatIsMissing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var all []Interval
		at := time.Duration(0)
		packets, missing := 0, int64(0)
		for range rapid.IntRange(0, 300).Draw(rt, "losses") {
			at += time.Duration(rapid.IntRange(1, 400).Draw(rt, "between")) * time.Millisecond
			n := rapid.IntRange(1, 9).Draw(rt, "packets")
			f := Interval{From: at, To: at + time.Duration(n)*20*time.Millisecond, Stream: 1, Cause: CauseLoss, Packets: n}
			all, at, packets, missing = append(all, f), f.To, packets+n, missing+int64(20*n)
		}
		limit := rapid.IntRange(1, 400).Draw(rt, "limit")
		lines := thin(all, limit)
		if len(lines) > limit {
			rt.Fatalf("%d lines, limit %d", len(lines), limit)
		}
		if len(all) <= limit && len(lines) != len(all) {
			rt.Fatalf("%d of %d told", len(lines), len(all))
		}
		for _, l := range lines {
			packets -= l.Packets
			if l.MissingMs > 0 {
				missing -= l.MissingMs
			} else {
				missing -= l.ToMs - l.FromMs
			}
		}
		if packets != 0 || missing > 300 || missing < -300 { // a millisecond each where they are rounded
			rt.Fatalf("%d packets and %d ms are not told", packets, missing)
		}
	})
}

func TestNoKeyframeEverIsToldAndTheSoundIsPlayed(t *testing.T) {
	m := &memory{}
	m.open(t, 1, streamInfo{Participant: "p1", Kind: "audio", Codec: "opus", ClockRate: 48000, PayloadType: 111})
	m.open(t, 2, streamInfo{Participant: "p1", Kind: "video", Codec: "vp8", ClockRate: 90000, PayloadType: 96})
	all := undamaged(t, nil, 1, &sender{ssrc: 1, pt: 111, clock: 48000}, "opus", sound(t, 6), opened)
	var inter []coded
	for _, f := range video(t, "vp8", "320x240", 6) {
		if f.data[0]&1 == 1 {
			inter = append(inter, f)
		}
	}
	m.deliver(undamaged(t, all, 2, &sender{ssrc: 2, pt: 96, clock: 90000}, "vp8", inter, opened))
	r := m.load(t)
	path, mime := file(t, r, "p1")
	if !strings.HasPrefix(mime, "audio/webm") {
		t.Errorf("type %s", mime)
	}
	decodes(t, path)
	d := r.Timeline().Damage
	if len(d) != 1 || d[0].Cause != "no_keyframe" || d[0].Stream != 2 || d[0].ToMs-d[0].FromMs < 5800 {
		t.Errorf("damage %+v", d)
	}
}

func TestDamageGoesFromTheLossToTheNextKeyframe(t *testing.T) {
	m := &memory{}
	m.open(t, 2, streamInfo{Participant: "p1", Kind: "video", Codec: "vp8", ClockRate: 90000, PayloadType: 96})
	all := undamaged(t, nil, 2, &sender{ssrc: 2, pt: 96, clock: 90000}, "vp8", video(t, "vp8", "320x240", 6), opened)
	kept := all[:0]
	for _, s := range all { // one packet of the picture at 2.6 s is lost; key frames stand at 0, 2, 4 s
		if h, _ := parseRTP(s.data); !(h.ts == 26*9000 && h.marker) {
			kept = append(kept, s)
		}
	}
	m.deliver(kept)
	r := m.load(t)
	d := r.Timeline().Damage
	from := int64((opened + 2560*time.Millisecond).Milliseconds()) + 40
	if len(d) != 1 || d[0].Packets != 1 || d[0].FromMs < from-5 || d[0].FromMs > from+10 || d[0].ToMs < from+1435 || d[0].ToMs > from+1450 {
		t.Errorf("damage %+v, want from %d for 1.44 s", d, from)
	}
}

func TestSecondDeviceTakesOverAndTheFirstGoesOn(t *testing.T) {
	m := &memory{}
	for i, cname := range []string{"a", "b"} {
		m.open(t, uint16(1+2*i), streamInfo{Participant: "p1", Kind: "audio", Codec: "opus", ClockRate: 48000, Cname: cname, PayloadType: 111})
		m.open(t, uint16(2+2*i), streamInfo{Participant: "p1", Kind: "video", Codec: "vp8", ClockRate: 90000, Cname: cname, PayloadType: 96})
	}
	all := undamaged(t, nil, 1, &sender{ssrc: 1, pt: 111, clock: 48000}, "opus", sound(t, 12), opened)
	all = undamaged(t, all, 2, &sender{ssrc: 2, pt: 96, clock: 90000}, "vp8", video(t, "vp8", "320x240", 12), opened)
	all = undamaged(t, all, 3, &sender{ssrc: 3, pt: 111, clock: 48000, seq: 9}, "opus", sound(t, 3), opened+4*time.Second)
	all = undamaged(t, all, 4, &sender{ssrc: 4, pt: 96, clock: 90000, seq: 9}, "vp8", video(t, "vp8", "160x120", 3), opened+4*time.Second)
	m.deliver(all)
	r := m.load(t)
	path, _ := file(t, r, "p1")
	decodes(t, path)
	inSync(t, path, 9, false)
	sizes := map[uint16]int{}
	for _, f := range r.parts[0].pictures.frames {
		sizes[r.parts[0].pictures.takes[f.take].stream]++
	}
	if sizes[4] != 75 || sizes[2] < 200 {
		t.Errorf("pictures by stream: %v", sizes)
	}
	if d := lasts(t, path); d < 11.9 || d > 12.1 {
		t.Errorf("duration %.3f s", d)
	}
}

func TestOfASimulcastOnlyTheLargestLayerIsShown(t *testing.T) {
	m := &memory{}
	for i, rid := range []string{"q", "f"} {
		m.open(t, uint16(i), streamInfo{Participant: "p1", Mid: "1", RID: rid, Kind: "video", Codec: "vp8", ClockRate: 90000, PayloadType: 96})
	}
	all := undamaged(t, nil, 0, &sender{ssrc: 1, pt: 96, clock: 90000}, "vp8", video(t, "vp8", "160x120", 3), opened)
	m.deliver(undamaged(t, all, 1, &sender{ssrc: 2, pt: 96, clock: 90000}, "vp8", video(t, "vp8", "320x240", 6), opened))
	line := m.load(t).Timeline()
	if line.Media[0].Width != 320 || line.Streams[1].Keyframes != 3 || line.Streams[0].Keyframes != 0 {
		t.Errorf("media %+v, streams %+v", line.Media, line.Streams)
	}
}

func TestParameterSetsFromTheSessionDescription(t *testing.T) {
	frames := video(t, "h264", "320x240", 6)
	var sets []string
	bare := make([]coded, 0, len(frames))
	for _, f := range frames {
		var rest [][]byte
		for _, nal := range bytes.Split(f.data, []byte{0, 0, 1}) {
			nal = bytes.TrimRight(nal, "\x00")
			if len(nal) == 0 {
				continue
			}
			if k := nal[0] & 0x1f; k == 7 || k == 8 {
				if len(sets) < 2 {
					sets = append(sets, base64.StdEncoding.EncodeToString(nal))
				}
				continue
			}
			rest = append(rest, nal)
		}
		bare = append(bare, coded{f.at, append([]byte{0, 0, 0, 1}, bytes.Join(rest, []byte{0, 0, 0, 1})...)})
	}
	for _, fmtp := range []string{"", "packetization-mode=1; sprop-parameter-sets=" + strings.Join(sets, ",")} {
		m := &memory{}
		m.open(t, 2, streamInfo{Participant: "p1", Kind: "video", Codec: "h264", ClockRate: 90000, Fmtp: fmtp, PayloadType: 96})
		m.deliver(undamaged(t, nil, 2, &sender{ssrc: 2, pt: 96, clock: 90000}, "h264", bare, opened))
		r := m.load(t)
		if fmtp == "" {
			if _, err := r.WriteMedia(io.Discard, "p1"); !errors.Is(err, ErrNothing) {
				t.Errorf("without parameter sets: %v", err)
			}
			if d := r.Timeline().Damage; len(d) == 0 {
				t.Error("nothing can be shown and nothing is told")
			}
			continue
		}
		path, mime := file(t, r, "p1")
		decodes(t, path)
		if !strings.HasPrefix(mime, `video/mp4; codecs="avc1.42`) {
			t.Errorf("type %s", mime)
		}
	}
}

func TestNothingToPlayIsSaidBeforeAByteIsWritten(t *testing.T) {
	m := &memory{}
	m.open(t, 1, streamInfo{Participant: "p1", Kind: "audio", Codec: "pcmu", ClockRate: 8000})
	m.deliver(undamaged(t, nil, 1, &sender{ssrc: 1, pt: 0, clock: 8000}, "opus", sound(t, 1), opened))
	r := m.load(t)
	var out counter
	if _, err := r.WriteMedia(&out, "p1"); !errors.Is(err, ErrNothing) || out.n != 0 {
		t.Errorf("%v, %d bytes", err, out.n)
	}
	if _, err := r.WriteMedia(&out, "p2"); !errors.Is(err, ErrNoParticipant) {
		t.Errorf("%v", err)
	}
	line := r.Timeline()
	if len(line.Media) != 0 || len(line.Streams) != 1 || line.Streams[0].Packets == 0 {
		t.Errorf("%+v", line)
	}
}

func TestJournalAndFilesOfACall(t *testing.T) {
	m := &memory{}
	m.add(record{kind: recPosition, at: 1e9, word: "location"}, []byte(`{"lat":51.1,"lon":71.4}`))
	m.add(record{kind: recChat, at: 2e9, word: "chat"}, []byte(`{"text":"<b>hi</b>"}`))
	m.add(record{kind: recEvent, at: 3e9, word: "event"}, []byte(`{"kind":"call.answered","atMs":1}`))
	m.add(record{kind: recEvent, at: 4e9, word: "sdp"}, []byte(`{"type":"offer"}`))
	m.add(record{kind: recEvent, at: 5e9, word: "event"}, []byte(`not json`))
	photo := bytes.Repeat([]byte("photo"), 20_000)
	sum := sha256.Sum256(photo)
	meta, err := json.Marshal(blobInfo{ID: "f1", Name: "a.jpg", Mime: "image/jpeg", Size: int64(len(photo)), SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		t.Fatal(err)
	}
	m.add(record{kind: recBlobChunk, at: 6e9, word: "f1"}, []byte("an upload that broke off"))
	no := uint64(0)
	for part := range slices.Chunk(photo, 30_000) {
		m.add(record{kind: recBlobChunk, at: 6e9, word: "f1", no: no}, part)
		no++
	}
	m.add(record{kind: recBlobMeta, at: 6e9}, meta)
	m.add(record{kind: recBlobChunk, at: 7e9, word: "f2"}, []byte("half"))
	m.add(record{kind: recBlobMeta, at: 7e9}, []byte(`{"id":"f2","size":9,"sha256":"00"}`))
	m.add(record{kind: recBlobChunk, at: 7e9, word: "f4"}, []byte("never ended"))
	gap, err := json.Marshal(gapInfo{From: time.Second, To: 2 * time.Second, Count: 7, Cause: "disk_full"})
	if err != nil {
		t.Fatal(err)
	}
	m.add(record{kind: recGap, at: 8e9}, gap)
	r := m.load(t)
	line := r.Timeline()
	if len(line.Positions) != 1 || line.Positions[0].Ms != 1000 || len(line.Chat) != 1 || len(line.Events) != 2 {
		t.Errorf("%+v", line)
	}
	if line.Events[0].Kind != "call.answered" || line.Events[1].Kind != "sdp" {
		t.Errorf("events %+v", line.Events)
	}
	if len(line.Gaps) != 1 || line.Gaps[0].Cause != "disk_full" || line.Gaps[0].ToMs != 2000 || line.Gaps[0].Packets != 7 {
		t.Errorf("gaps %+v", line.Gaps)
	}
	if len(line.Faults) != 2 {
		t.Errorf("faults %+v, want the bad record and the half file", line.Faults)
	}
	var out bytes.Buffer
	if err := r.Blob("f1", &out); err != nil || !bytes.Equal(out.Bytes(), photo) {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	out.Reset()
	if err := r.Blob("f2", &out); !errors.Is(err, ErrBadBlob) || out.Len() != 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	if err := r.Blob("f4", &out); !errors.Is(err, ErrNoBlob) {
		t.Errorf("%v", err)
	}
}
