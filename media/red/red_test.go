package red

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// opus is a valid Opus packet of 20 ms (10 ms where short) that names its frame.
func opus(n int, short bool) []byte {
	toc := byte(15 << 3)
	if short {
		toc = 14 << 3
	}
	return append([]byte{toc, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{byte(n)}, n%90)...)
}

func TestBlocksAreRead(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want []Block
		err  error
	}{
		{"primary alone", []byte{111, 1, 2}, []Block{{111, 0, []byte{1, 2}}}, nil},
		{"empty primary", []byte{111}, []Block{{111, 0, []byte{}}}, nil},
		{"one copy, 20 ms back", []byte{0x80 | 111, 0x0f, 0x00, 2, 111, 8, 9, 1}, []Block{{111, 960, []byte{8, 9}}, {111, 0, []byte{1}}}, nil},
		{"largest offset and length", append([]byte{0xff, 0xff, 0xff, 0xff, 111}, make([]byte, 1023)...),
			[]Block{{127, 16383, make([]byte, 1023)}, {111, 0, []byte{}}}, nil},
		{"nothing", nil, nil, ErrShort},
		{"no primary", []byte{0x80 | 111, 0x0f, 0x00, 0}, nil, ErrShort},
		{"header cut short", []byte{0x80 | 111, 0x0f, 0x00}, nil, ErrShort},
		{"copy cut short", []byte{0x80 | 111, 0x0f, 0x00, 3, 111, 8, 9}, nil, ErrShort},
		{"headers only", bytes.Repeat([]byte{0x80}, 1400), nil, ErrMany},
	} {
		got, err := Parse(c.b, nil)
		if !errors.Is(err, c.err) || len(got) != len(c.want) {
			t.Errorf("%s: %v, %v", c.name, got, err)
			continue
		}
		for i := range got {
			if got[i].PT != c.want[i].PT || got[i].Offset != c.want[i].Offset || !bytes.Equal(got[i].Data, c.want[i].Data) {
				t.Errorf("%s: block %d is %v", c.name, i, got[i])
			}
		}
	}
}

// TestWhatIsBuiltIsRead builds packets of any frames and holds that they say what was put in, as
// many of the copies as fit, within the limit.
func TestWhatIsBuiltIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ts := rapid.Uint32().Draw(t, "ts")
		primary := Frame{TS: ts, Data: rapid.SliceOfN(rapid.Byte(), 0, 1300).Draw(t, "primary")}
		var past []Frame
		back := uint32(0)
		for range rapid.IntRange(0, 6).Draw(t, "past") {
			back += uint32(rapid.IntRange(0, 9000).Draw(t, "offset"))
			past = append(past, Frame{TS: ts - back, Data: rapid.SliceOfN(rapid.Byte(), 0, 1100).Draw(t, "data")})
		}
		limit := rapid.IntRange(0, 1400).Draw(t, "limit")
		b := Append([]byte{7}, 111, primary, past, limit)[1:]
		if len(b) > max(limit, 1+len(primary.Data)) {
			t.Fatalf("%d bytes, limit %d", len(b), limit)
		}
		blocks, err := Parse(b, nil)
		if err != nil || len(blocks) > MaxDepth+1 {
			t.Fatal(len(blocks), err)
		}
		last := len(blocks) - 1
		if !bytes.Equal(blocks[last].Data, primary.Data) || blocks[last].PT != 111 {
			t.Fatal("another primary")
		}
		for i, blk := range blocks[:last] {
			f := past[last-1-i]
			if ts-blk.Offset != f.TS || !bytes.Equal(blk.Data, f.Data) || len(blk.Data) == 0 || blk.Offset == 0 || blk.PT != 111 {
				t.Fatalf("copy %d is not frame %d", i, last-1-i)
			}
		}
		if last < min(len(past), MaxDepth) { // what was left out had a reason
			f := past[last]
			if n := len(f.Data); n > 0 && n <= maxLength && ts-f.TS > 0 && ts-f.TS <= maxOffset && len(b)+4+n <= limit {
				t.Fatalf("frame %d of %d bytes would have fit", last, n)
			}
		}
	})
}

func TestDepthFollowsLossAndDoesNotSwing(t *testing.T) {
	for _, c := range []struct {
		was  int
		loss float64
		want int
	}{
		{0, 0, 0}, {0, 0.05, 0}, {0, 0.06, 1}, {0, 0.11, 2}, {0, 0.3, 3}, {0, 1, 3},
		{1, 0.03, 1}, {1, 0.02, 0}, {2, 0.06, 2}, {2, 0.04, 1}, {3, 0.13, 3}, {3, 0.12, 2}, {3, 0, 0},
	} {
		if got := wanted(c.was, c.loss); got != c.want {
			t.Errorf("from %d at %.2f: %d, want %d", c.was, c.loss, got, c.want)
		}
	}
}

// TestLevelFollowsLossAndGivesWayToAQueue plays a receiver second by second.
func TestLevelFollowsLossAndGivesWayToAQueue(t *testing.T) {
	var l Level
	now := time.Duration(0)
	play := func(seconds int, loss float64, rtt time.Duration) (depth int) {
		for range seconds {
			now += time.Second
			depth = l.Next(loss, rtt, now)
		}
		return depth
	}
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		seconds int
		loss    float64
		rtt     time.Duration
		want    int
	}{
		{"clean", 20, 0.02, 50 * ms, 0},
		{"loss deepens at once", 1, 0.2, 50 * ms, 2},
		{"and further", 1, 0.4, 50 * ms, 3},
		{"a good second is not the end of it", 3, 0, 50 * ms, 3},
		{"nor are some", 1, 0.3, 60 * ms, 3},
		{"calm takes one away", 11, 0, 60 * ms, 2},
		{"then the others", 22, 0, 60 * ms, 0},
		{"deep again", 1, 0.3, 60 * ms, 3},
		{"a queue is not believed at once", 3, 0.3, 600 * ms, 3},
		{"one that stands takes one away", 1, 0.3, 600 * ms, 2},
		{"and the others", 6, 0.3, 600 * ms, 0},
		{"not tried again soon", 5, 0.3, 60 * ms, 0},
		{"but in the end", 12, 0.3, 60 * ms, 3},
	} {
		if got := play(c.seconds, c.loss, c.rtt); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestLevelOnAThinWay plays a link that has room for the plain stream and little more, where redundancy
// makes a queue and then loss: it must not stay deep there.
func TestLevelOnAThinWay(t *testing.T) {
	var l Level
	const room, stream, queueMost = 64_000.0, 53_000.0, 1.0 // bit/s, seconds of the room
	queue, deepFor, depth := 0.0, 0, 0
	for s := range 120 {
		rate := stream + float64(depth)*32_000
		queue += (rate - room) / room
		loss := 0.06 // the radio's own
		if queue > queueMost {
			loss += (queue - queueMost) * room / rate
			queue = queueMost
		}
		queue = max(0, queue)
		depth = l.Next(min(1, loss), 60*time.Millisecond+time.Duration(queue*float64(time.Second)), time.Duration(s+1)*time.Second)
		if depth > 0 {
			deepFor++
		}
	}
	if deepFor > 60 {
		t.Fatalf("%d of 120 seconds with redundancy that the way has no room for", deepFor)
	}
}

func TestHistoryGivesWhatCameJustBefore(t *testing.T) {
	for _, first := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		var h History
		for i := range uint16(20) {
			if i != 17 { // never came
				h.Put(first+i, 960*uint32(i), opus(int(i), false))
			}
		}
		h.Put(first+16, 960*16, opus(16, false)) // twice
		got := h.Before(first+19, 960*19, MaxDepth, nil)
		if len(got) != 2 || got[0].Seq != first+18 || got[1].Seq != first+15 || !bytes.Equal(got[1].Data, opus(15, false)) {
			t.Fatalf("%d: %v", first, got)
		}
		if got := h.Before(first+19, 960*19, 1, nil); len(got) != 1 {
			t.Fatal(got)
		}
		if got := h.Before(first+19, 960*19+maxOffset, 3, nil); len(got) != 0 {
			t.Fatal("further back than an offset says", got)
		}
	}
}

// sender sends frames as a browser does: each packet with copies of the depth frames before it.
type sender struct {
	past  []Frame // newest first
	depth int
}

type sent struct {
	seq     uint16
	ts      uint32
	payload []byte
	red     bool
}

func (s *sender) packet(seq uint16, ts uint32, data []byte, red bool) sent {
	p := sent{seq, ts, data, red}
	if red {
		p.payload = Append(nil, 111, Frame{TS: ts, Data: data}, s.past, 1200)
	}
	s.past = append([]Frame{{Seq: seq, TS: ts, Data: data}}, s.past[:min(len(s.past), s.depth-1)]...)
	return p
}

// TestLossIsFilledAndNothingComesTwice lets packets of a sender with and without redundancy, pauses
// and frames of two lengths get lost, doubled and out of order. Whatever comes out is the frame that
// its number says, once; and where order is kept, what a later packet has a copy of is there.
func TestLossIsFilledAndNothingComesTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sender{depth: rapid.IntRange(1, MaxDepth).Draw(t, "depth")}
		first, ts := rapid.Uint16().Draw(t, "seq"), rapid.Uint32().Draw(t, "ts")
		short := rapid.Bool().Draw(t, "10 ms")
		pauses := rapid.Bool().Draw(t, "pauses")
		ordered := rapid.Bool().Draw(t, "ordered")
		all := rapid.IntRange(0, 9).Draw(t, "plain of ten") // how many of ten are not redundant
		n := rapid.IntRange(2, 150).Draw(t, "packets")
		packets := make([]sent, n)
		stamps := make([]uint32, n)
		for i := range packets {
			step := uint32(960)
			if short {
				step = 480
			}
			if pauses && rapid.IntRange(0, 9).Draw(t, "pause") == 0 {
				step *= uint32(rapid.IntRange(2, 10).Draw(t, "pause of"))
			}
			ts += step
			stamps[i] = ts
			packets[i] = s.packet(first+uint16(i), ts, opus(i, short), all == 0 || rapid.IntRange(0, 9).Draw(t, "plain") >= all)
		}
		arrived := make([]int, 0, n)
		for i := range n {
			switch rapid.IntRange(0, 4).Draw(t, "fate") {
			case 0: // lost
			case 1:
				arrived = append(arrived, i, i)
			default:
				arrived = append(arrived, i)
			}
		}
		if !ordered {
			for i := range arrived {
				j := min(len(arrived)-1, i+rapid.IntRange(0, 3).Draw(t, "late"))
				arrived[i], arrived[j] = arrived[j], arrived[i]
			}
		}
		u := NewUnwrapper(111)
		got := map[int]bool{}
		for _, i := range arrived {
			p := packets[i]
			var out []Frame
			if p.red {
				var err error
				if out, err = u.Unwrap(p.seq, p.ts, p.payload, nil); err != nil {
					t.Fatal(err)
				}
			} else if u.Plain(p.seq, p.ts) {
				out = append(out, Frame{Seq: p.seq, TS: p.ts, Data: p.payload})
			}
			for k, f := range out {
				at := int(f.Seq - first)
				if at >= n || f.TS != stamps[at] || !bytes.Equal(f.Data, opus(at, short)) {
					t.Fatalf("packet %d brings %+v", i, f)
				}
				if got[at] {
					t.Fatalf("frame %d comes twice", at)
				}
				if k > 0 && int16(f.Seq-out[k-1].Seq) <= 0 {
					t.Fatalf("packet %d brings %d after %d", i, f.Seq, out[k-1].Seq)
				}
				got[at] = true
			}
		}
		checkFilled(t, packets, arrived, got, ordered)
	})
}

func checkFilled(t *rapid.T, packets []sent, arrived []int, got map[int]bool, strict bool) {
	for _, i := range arrived {
		if !got[i] {
			t.Fatalf("frame %d came and was not given", i)
		}
		if !packets[i].red || !strict {
			continue
		}
		blocks, err := Parse(packets[i].payload, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k := range blocks[:len(blocks)-1] {
			if at := i - (len(blocks) - 1 - k); !got[at] {
				t.Fatalf("packet %d has a copy of %d, which is missing", i, at)
			}
		}
	}
}

func TestASenderThatBeginsAnewIsHeard(t *testing.T) {
	u := NewUnwrapper(111)
	s := sender{depth: 2}
	heard := func(first uint16) int {
		n := 0
		for i := range uint16(10) {
			p := s.packet(first+i, 960*uint32(i), opus(int(i), false), true)
			out, err := u.Unwrap(p.seq, p.ts, p.payload, nil)
			if err != nil {
				t.Fatal(err)
			}
			n += len(out)
		}
		return n
	}
	for _, first := range []uint16{30000, 50000, 10000, 9000, 65535, 40000} {
		if n := heard(first); n < 8 {
			t.Fatalf("from %d on %d of 10 frames", first, n)
		}
	}
}

func TestBlocksOfOtherTypesArePassedOver(t *testing.T) {
	u := NewUnwrapper(111)
	tone := append([]byte{0x80 | 101, 0x0f, 0x00, 3, 111}, append(opus(3, false)[:3], opus(5, false)...)...)
	out, err := u.Unwrap(10, 9600, tone, nil)
	if err != nil || len(out) != 1 || out[0].Seq != 10 {
		t.Fatal(out, err)
	}
	if out, err = u.Unwrap(11, 10560, append([]byte{101}, 1, 2), nil); err != nil || len(out) != 0 {
		t.Fatal(out, err)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	u, s := NewUnwrapper(111), sender{depth: 3}
	var packets []sent
	for i := range 4 * window {
		packets = append(packets, s.packet(uint16(i), 960*uint32(i), opus(i, false), true))
	}
	var h History
	room, dst, past := make([]Frame, 0, MaxBlocks), make([]byte, 0, 1500), make([]Frame, 0, MaxDepth)
	i, data := 0, opus(70, false)
	if n := testing.AllocsPerRun(2*window, func() {
		p := &packets[i]
		if i++; i%3 == 0 {
			return // lost
		}
		if _, err := u.Unwrap(p.seq, p.ts, p.payload, room); err != nil {
			t.Fatal(err)
		}
		h.Put(p.seq, p.ts, data)
		Append(dst, 111, Frame{TS: p.ts, Data: data}, h.Before(p.seq, p.ts, 3, past), 1200)
	}); n != 0 {
		t.Fatal(n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0x80 | 111, 0x0f, 0, 2, 111, 1, 2, 3, 4})
	f.Add([]byte{111})
	f.Add(bytes.Repeat([]byte{0x80}, 70))
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks, err := Parse(b, nil)
		if err != nil {
			if len(blocks) != 0 {
				t.Fatal("blocks with an error")
			}
			return
		}
		total := 1
		for _, blk := range blocks {
			total += 4 + len(blk.Data)
		}
		if total-4 != len(b) || len(blocks) > MaxBlocks {
			t.Fatalf("%d bytes of %d in %d blocks", total-4, len(b), len(blocks))
		}
	})
}

// FuzzUnwrap feeds an unwrapper packets of any bytes: no number comes out twice unless the numbers
// jumped, and nothing further back than the window.
func FuzzUnwrap(f *testing.F) {
	f.Add([]byte{0, 1, 0, 9, 0x80 | 111, 0x0f, 0, 2, 111, 0x78, 2, 3, 4, 0, 2, 0, 3, 111, 0x78, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		u, ts := NewUnwrapper(111), uint32(0)
		var seen []uint16
		for len(b) > 4 {
			seq, n := uint16(b[0])<<8|uint16(b[1]), min(int(b[3]), len(b)-4)
			ts += uint32(b[2]) * 120
			before := u.highest
			out, err := u.Unwrap(seq, ts, b[4:4+n], nil)
			b = b[4+n:]
			if err != nil {
				continue
			}
			if u.highest-before > window { // a jump: what was known is forgotten
				seen = seen[:0]
			}
			for _, fr := range out {
				if seq-fr.Seq >= window {
					t.Fatalf("%d in packet %d", fr.Seq, seq)
				}
				if slices.Contains(seen, fr.Seq) {
					t.Fatalf("%d comes twice", fr.Seq)
				}
				seen = append(seen, fr.Seq)
			}
		}
	})
}

func BenchmarkUnwrap(b *testing.B) {
	u, s := NewUnwrapper(111), sender{depth: 2}
	var packets []sent
	for i := range 1 << 16 {
		packets = append(packets, s.packet(uint16(i), 960*uint32(i), opus(i%256, false), true))
	}
	room, i := make([]Frame, 0, MaxBlocks), 0
	b.ReportAllocs()
	for b.Loop() {
		p := &packets[i&0xffff]
		if i++; i%5 == 0 {
			i++
		}
		if _, err := u.Unwrap(p.seq, p.ts+uint32(i>>16)*960*65536, p.payload, room); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	var h History
	data, dst, past, seq := make([]byte, 80), make([]byte, 0, 1500), make([]Frame, 0, MaxDepth), uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		ts := uint32(seq) * 960
		dst = Append(dst[:0], 111, Frame{TS: ts, Data: data}, h.Before(seq, ts, 2, past[:0]), 1200)
		h.Put(seq, ts, data)
	}
}
