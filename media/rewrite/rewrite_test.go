package rewrite

import (
	"testing"

	"pgregory.net/rapid"
)

const ms = int64(1e6)

func TestFirstSourceIsPassedAsItIs(t *testing.T) {
	for _, seq := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		s := New(48000)
		for i := range uint16(5) {
			out, _, ok := s.Next(1, Packet{seq + i, 1000 + 960*uint32(i)}, int64(i)*20*ms)
			if !ok || out != (Packet{seq + i, 1000 + 960*uint32(i)}) {
				t.Fatal(seq, out, ok)
			}
		}
	}
}

func TestNewSourceGoesOnWhereTheOldOneStood(t *testing.T) {
	for _, from := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		s, wrapped := New(48000), uint32(4294967000)
		s.Next(1, Packet{65534, wrapped}, 0)
		out, switched, ok := s.Next(2, Packet{from, 77}, 20*ms)
		if !ok || !switched || out.Seq != 65535 || out.TS != wrapped+960 {
			t.Fatalf("%d: %+v %v %v", from, out, switched, ok)
		}
		out, switched, _ = s.Next(2, Packet{from + 1, 77 + 960}, 40*ms)
		if switched || out.Seq != 0 || out.TS != wrapped+1920 {
			t.Fatalf("%d: %+v", from, out)
		}
	}
}

func TestReorderedPacketKeepsItsPlace(t *testing.T) {
	s := New(90000)
	s.Next(1, Packet{10, 0}, 0)
	s.Next(1, Packet{12, 3000}, 33*ms)
	out, _, ok := s.Next(1, Packet{11, 1500}, 34*ms)
	if !ok || out.Seq != 11 {
		t.Fatal(out, ok)
	}
}

func TestPacketFromBeforeTheSwitchIsNotSent(t *testing.T) {
	s := New(90000)
	s.Next(1, Packet{500, 0}, 0)
	s.Next(2, Packet{100, 0}, 10*ms)
	if out, _, ok := s.Next(2, Packet{99, 0}, 11*ms); ok {
		t.Fatal("it would take the place of the old source's last packet", out)
	}
}

func TestSourceThatComesRoundIsNotTakenForOld(t *testing.T) {
	s := New(90000)
	for i := range 70000 {
		if _, _, ok := s.Next(1, Packet{uint16(i), uint32(i)}, int64(i)*ms); !ok {
			t.Fatal(i)
		}
	}
}

func TestPictureIDsGoOn(t *testing.T) {
	s := New(90000)
	payload := func(pid uint16, tl0 byte) []byte {
		return []byte{0x90, 0xc0, 0x80 | byte(pid>>8), byte(pid), tl0, 0x00, 1}
	}
	pid := func(b []byte) uint16 { return uint16(b[2]&0x7f)<<8 | uint16(b[3]) }
	a := payload(0x7fff, 255)
	s.VP8(a, true)
	if pid(a) != 0x7fff {
		t.Fatal(pid(a))
	}
	b := payload(55, 3)
	s.VP8(b, true)
	if pid(b) != 0 || b[4] != 0 {
		t.Fatal(pid(b), b[4])
	}
	c := payload(56, 4)
	s.VP8(c, false)
	if pid(c) != 1 || c[4] != 1 {
		t.Fatal(pid(c), c[4])
	}
}

// TestNothingIsSentTwice switches sources at random, loses and reorders packets, and holds that
// no outgoing sequence number is used twice.
func TestNothingIsSentTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(48000)
		sent := map[uint32]bool{}
		ext, last := uint32(1<<16), uint16(0)
		at := int64(0)
		started := false
		for source := range rapid.IntRange(1, 6).Draw(t, "sources") {
			seq := rapid.Uint16().Draw(t, "seq")
			for range rapid.IntRange(1, 40).Draw(t, "packets") {
				seq += uint16(rapid.IntRange(1, 3).Draw(t, "loss"))
				at += 20 * ms
				out, _, ok := s.Next(uint64(source), Packet{seq, uint32(seq) * 960}, at)
				if !ok {
					continue
				}
				if started {
					ext += uint32(int32(int16(out.Seq - last)))
				}
				started, last = true, out.Seq
				if sent[ext] {
					t.Fatalf("%d twice", ext)
				}
				sent[ext] = true
			}
		}
	})
}

// A number is used once, whatever order, repetition and change of source there is.
func TestNumberIsUsedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, used, newest := New(90000), map[int]bool{}, 0
		at, wide, began := int64(0), 0, false
		source, seq := uint64(1), rapid.Uint16().Draw(t, "from")
		for range rapid.IntRange(1, 400).Draw(t, "packets") {
			if rapid.IntRange(0, 30).Draw(t, "switch") == 0 {
				source, seq = source+1, rapid.Uint16().Draw(t, "other")
			}
			seq += uint16(rapid.SampledFrom([]int{1, 1, 1, 2, 0, -1, -3, 40, -60, 900, -1200}).Draw(t, "step"))
			at += ms
			out, _, ok := s.Next(source, Packet{seq, uint32(at)}, at)
			if !ok {
				continue
			}
			if !began {
				wide, began = int(out.Seq), true
			} else {
				wide = newest + int(int16(out.Seq-uint16(newest)))
			}
			if used[wide] {
				t.Fatalf("number %d twice", out.Seq)
			}
			used[wide] = true
			newest = max(newest, wide)
		}
	})
}

func TestSourceThatCountsAnewIsHeardAgain(t *testing.T) {
	s, heard := New(48000), 0
	for i := range 2000 {
		seq := uint16(30000 + i)
		if i >= 1000 {
			seq = uint16(i)
		}
		if _, _, ok := s.Next(1, Packet{seq, uint32(i) * 960}, int64(i)*20*ms); ok {
			heard++
		}
	}
	if heard < 2000-patience {
		t.Fatal(heard)
	}
}

// What is sent again is what was sent: the packet of the number, and its picture's id.
func TestWhatIsAskedForAgainIsFound(t *testing.T) {
	for _, from := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		s := New(90000)
		s.Next(1, Packet{40, 0}, 0)
		payload := func(pid uint16) []byte { return []byte{0x90, 0xc0, 0x80 | byte(pid>>8), byte(pid), 9, 0x00, 1} }
		s.VP8(payload(7), true)
		var sent [][]byte
		for i := range uint16(50) {
			out, switched, ok := s.Next(2, Packet{from + i, 3000 * uint32(i)}, int64(i)*33*ms)
			if !ok || out.Seq != 41+i || out.TS != 3000*uint32(i)+s.Shift() {
				t.Fatal(out, ok)
			}
			b := payload(500 + i)
			s.VP8(b, switched)
			sent = append(sent, b)
		}
		for i := range uint16(50) {
			seq, ok := s.Original(2, 41+i)
			if !ok || seq != from+i {
				t.Fatal(from, i, seq, ok)
			}
			b := payload(500 + i)
			if s.VP8Again(b); string(b) != string(sent[i]) {
				t.Fatalf("%x is not %x", b, sent[i])
			}
		}
		for _, seq := range []uint16{40, 91, 64000} {
			if in, ok := s.Original(2, seq); ok {
				t.Fatalf("%d was not sent by this source, and is its %d", seq, in)
			}
		}
		if _, ok := s.Original(1, 45); ok {
			t.Fatal("another source")
		}
		if ts, at, ok := s.Last(); !ok || at != 49*33*ms || ts != 3000*49+s.Shift() {
			t.Fatal(ts, at, ok)
		}
	}
}
