package derive

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"jedel/media/codec"
)

// hostileArchive turns fuzz bytes into records: whatever comes, nothing may panic and every file
// must have the size it promised.
func hostileArchive(data []byte) *memory {
	m := &memory{}
	for i, name := range []string{"opus", "vp8", "vp9", "h264", "av1", "red"} {
		kind := "video"
		if name == "opus" || name == "red" {
			kind = "audio"
		}
		b, err := json.Marshal(streamInfo{Participant: name, Kind: kind, Codec: name, ClockRate: 90000, PayloadType: 96})
		if err != nil {
			panic(err) // bug: plain strings
		}
		m.add(record{kind: recStreamOpen, stream: uint16(i)}, b)
	}
	at := int64(0)
	for len(data) >= 6 {
		kind, stream := recordKind(data[0]%10), uint16(data[1]%7)
		at += int64(binary.BigEndian.Uint16(data[2:])) * 1e5
		n := min(int(binary.BigEndian.Uint16(data[4:])), len(data)-6)
		m.add(record{kind: kind, stream: stream, at: at, recovered: data[0]&0x80 != 0, word: "w"}, data[6:6+n])
		data = data[6+n:]
	}
	return m
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte{2, 1, 0, 1, 0, 12, 0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1})
	for _, codec := range []string{"vp8", "vp9", "h264", "av1"} {
		f.Add(seedCall(f, codec))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := hostileArchive(data).load(t)
		if _, err := json.Marshal(r.Timeline()); err != nil {
			t.Fatal(err)
		}
		for _, p := range r.parts {
			last := int64(-1) << 62
			for _, fr := range p.sound.frames {
				if fr.t < last {
					t.Fatalf("sound goes back from %d to %d", last, fr.t)
				}
				last = fr.t
			}
			var out counter
			_, err := r.WriteMedia(&out, p.id)
			if errors.Is(err, ErrNothing) && out.n == 0 {
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", p.id, err)
			}
			if !out.whole() {
				t.Fatalf("%s: %d bytes do not fit the index", p.id, out.n)
			}
		}
		for _, b := range r.Blobs {
			if err := r.Blob(b.ID, io.Discard); err != nil && !errors.Is(err, ErrBadBlob) {
				t.Fatal(err)
			}
		}
	})
}

// counter keeps the head of a file and counts the rest.
type counter struct {
	head []byte
	n    uint64
}

func (c *counter) Write(b []byte) (int, error) {
	if len(c.head) < 1<<20 {
		c.head = append(c.head, b...)
	}
	c.n += uint64(len(b))
	return len(b), nil
}

// whole checks the outermost sizes of a WebM or MP4 file.
func (c *counter) whole() bool {
	if i := bytes.Index(c.head, []byte{0x18, 0x53, 0x80, 0x67}); i > 0 && i < 64 {
		size := binary.BigEndian.Uint64(c.head[i+4:]) &^ (1 << 56)
		return size == c.n-uint64(i)-12
	}
	at := uint64(0)
	for at+16 <= uint64(len(c.head)) {
		size := uint64(binary.BigEndian.Uint32(c.head[at:]))
		if size == 1 {
			size = binary.BigEndian.Uint64(c.head[at+8:])
		}
		if string(c.head[at+4:at+8]) == "mdat" {
			return at+size == c.n
		}
		if size < 8 {
			return false
		}
		at += size
	}
	return false
}

// seedCall is a second of a call in the form of hostileArchive.
func seedCall(tb testing.TB, codec string) []byte {
	tb.Helper()
	stream := map[string]byte{"vp8": 1, "vp9": 2, "h264": 3, "av1": 4}[codec]
	x := &sender{ssrc: 1, pt: 96, clock: 90000}
	pay := payloader(codec)
	var out []byte
	put := func(stream byte, b []byte) {
		out = append(out, 2, stream, 1, 0x90)
		out = binary.BigEndian.AppendUint16(out, uint16(len(b)))
		out = append(out, b...)
	}
	for _, c := range video(tb, codec, "64x64", 1)[:4] {
		parts := pay.Payload(300, c.data)
		for k, p := range parts {
			put(stream, x.packet(tb, c.at, k == len(parts)-1, p))
		}
	}
	y := &sender{ssrc: 2, pt: 96, clock: 48000}
	for _, c := range sound(tb, 1)[:8] {
		put(0, y.packet(tb, c.at, false, c.data))
		put(5, y.packet(tb, c.at, false, append([]byte{96}, c.data...)))
	}
	return out
}

func FuzzAssemble(f *testing.F) {
	for _, codec := range []string{"vp8", "vp9", "h264", "av1"} {
		for _, c := range video(f, codec, "64x64", 1)[:2] {
			f.Add(codec, bytes.Join(payloader(codec).Payload(200, c.data), []byte("|")))
		}
	}
	f.Fuzz(func(t *testing.T, codec string, data []byte) {
		b, pic, err := assemble(codec, []byte("before"), bytes.Split(data, []byte("|")))
		if !bytes.HasPrefix(b, []byte("before")) {
			t.Fatal("what was there is gone")
		}
		if err == nil && codec != "h264" && !pic.shown {
			t.Fatal("a frame that shows nothing")
		}
		if err != nil && len(b) != len("before") {
			t.Fatal("a refused frame left bytes")
		}
	})
}

func TestSilenceHasTheLengthAsked(t *testing.T) {
	for ticks := 120; ticks < 6000; ticks += 7 {
		toc, n := silence(ticks)
		if n > ticks || codec.OpusTicks([]byte{toc, silent[0], silent[1]}) != n {
			t.Errorf("silence(%d) = %#x, %d", ticks, toc, n)
		}
	}
}

func TestSizesOfEBML(t *testing.T) {
	for _, n := range []uint64{0, 1, 126, 127, 128, 16382, 16383, 1<<21 - 2, 1<<21 - 1, 1<<28 - 1, 1 << 40} {
		b := appendSize(nil, n)
		if len(b) != sizeLen(n) {
			t.Errorf("%d: %d bytes, want %d", n, len(b), sizeLen(n))
		}
		v := uint64(0)
		for _, c := range b {
			v = v<<8 | uint64(c)
		}
		if v != n|1<<(7*len(b)) || n == 1<<(7*len(b))-1 {
			t.Errorf("%d is written as %x", n, b)
		}
	}
}

func TestRTPHeaderOfHostilePackets(t *testing.T) {
	good := []byte{0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9}
	if h, ok := parseRTP(good); !ok || h.seq != 1 || h.ts != 2 || h.ssrc != 3 || h.head != 12 || h.pt != 96 {
		t.Errorf("%+v %v", h, ok)
	}
	for name, b := range map[string][]byte{
		"short":                good[:11],
		"version 1":            append([]byte{0x40}, good[1:]...),
		"15 CSRCs":             append([]byte{0x8f}, good[1:]...),
		"extension beyond end": append(append([]byte{0x90}, good[1:12]...), 0, 0, 255, 255),
		"padding of 0":         append(append([]byte{0xa0}, good[1:12]...), 0),
		"padding beyond begin": append(append([]byte{0xa0}, good[1:12]...), 14),
		"oversize":             make([]byte, 70000),
	} {
		if _, ok := parseRTP(b); ok {
			t.Errorf("%s is taken for RTP", name)
		}
	}
}

func TestHostileRunsStayCheap(t *testing.T) {
	m := &memory{}
	m.open(t, 1, streamInfo{Participant: "p", Kind: "audio", Codec: "opus", PayloadType: 96})
	x := &sender{ssrc: 1, pt: 96, clock: 48000}
	for i := range 60_000 { // every second packet begins a new sequence
		x.seq, x.base = uint16(i/2*9001), uint32(i/2*99_999_989)
		m.add(record{kind: recRTP, stream: 1, at: int64(i) * 1e6}, x.packet(t, time.Duration(i)*time.Millisecond, false, []byte{31 << 3, 1, 2}))
		if i%2 == 0 {
			m.add(record{kind: recSR, stream: 1, at: int64(i) * 1e6}, x.report(time.Duration(i)*time.Millisecond))
		}
	}
	r := m.load(t)
	var out counter
	if _, err := r.WriteMedia(&out, "p"); err != nil || !out.whole() {
		t.Fatalf("%v", err)
	}
}
