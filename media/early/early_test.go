package early

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

const ms = int64(1e6)

// packet is a packet that tells its number.
func packet(seq uint16, ts uint32, size int) []byte {
	b := make([]byte, 12+size)
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	return b
}

type shown struct {
	seq uint16
	ts  uint32
}

// all passes on all that waits.
func all(s *Store) (out []shown) {
	for s.Size() > 0 {
		b := s.Next()
		out = append(out, shown{binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:])})
	}
	return out
}

// Whatever comes, who looks then gets a chain that begins with a key frame, in the order of its numbers, each once,
// with timestamps that grow from picture to picture, end at the newest's own, and are never before their own.
func TestPicturesArePassedOnFromAKeyFrameInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, keys, ts := Pictures(), map[uint16]bool{}, map[uint16]uint32{}
		seq, at, stamp := rapid.SampledFrom([]uint16{0, 1, 32767, 32768, 65400, 65535}).Draw(t, "from"), int64(0), rapid.Uint32().Draw(t, "ts")
		type p struct {
			seq uint16
			key bool
		}
		var late []p
		put := func(q p) {
			s.Put(packet(q.seq, ts[q.seq], rapid.IntRange(1, 1000).Draw(t, "size")), q.seq, ts[q.seq], q.key, at)
			if h := s.Waiting(); h > MostBytes {
				t.Fatal("it keeps", h)
			}
		}
		for range rapid.IntRange(1, 80).Draw(t, "pictures") {
			at += rapid.Int64Range(5, 70).Draw(t, "ms") * ms
			stamp += uint32(rapid.IntRange(1, 9000).Draw(t, "ticks"))
			key := rapid.IntRange(0, 9).Draw(t, "key") == 0
			for part := range rapid.IntRange(1, 5).Draw(t, "parts") {
				q := p{seq, key && part == 0}
				keys[seq], ts[seq] = q.key, stamp
				seq++
				switch rapid.IntRange(0, 19).Draw(t, "fate") {
				case 0: // lost
				case 1:
					late = append(late, q)
				case 2:
					put(q)
					put(q)
				default:
					put(q)
				}
			}
			if len(late) > 0 && rapid.Bool().Draw(t, "comes") {
				put(late[0])
				late = late[1:]
			}
		}
		if !s.Open(at) {
			if got := all(&s); len(got) > 0 {
				t.Fatal("shown though it cannot be", got)
			}
			return
		}
		got := all(&s)
		if len(got) == 0 || !keys[got[0].seq] {
			t.Fatal("no key frame first", got)
		}
		whole := true
		for i, g := range got {
			if own := ts[g.seq]; int32(g.ts-own) < 0 || (i == len(got)-1 && g.ts != own) {
				t.Fatal(i, "shown at", g.ts, "own", own)
			}
			if i == 0 {
				continue
			}
			b := got[i-1]
			if int16(g.seq-b.seq) <= 0 {
				t.Fatal("order", got)
			}
			same := ts[g.seq] == ts[b.seq]
			if same != (g.ts == b.ts) || int32(g.ts-b.ts) < 0 {
				t.Fatal("a picture is one, and after the one before", b, g)
			}
			if whole = whole && g.seq == b.seq+1; !whole && g.ts != ts[g.seq] {
				t.Fatal("what is missing would not fit", g)
			}
		}
	})
}

func TestChainTooOldOrLongIsForgottenUntilTheNextKeyFrame(t *testing.T) {
	for name, c := range map[string]struct {
		size  int
		every int64
	}{"old": {10, 40 * ms}, "bytes": {1200, ms}, "packets": {1, ms / 2}} {
		s, seq, forgot := Pictures(), uint16(65000), false
		for i := range 2000 {
			if !s.Put(packet(seq, uint32(i)*100, c.size), seq, uint32(i)*100, i == 0, int64(i)*c.every) {
				forgot = true
				break
			}
			seq++
		}
		if !forgot || s.Open(int64(seq)*c.every) {
			t.Errorf("%s: all is kept, or shown", name)
		}
		if s.Put(packet(seq, 1, 1), seq, 1, false, 0) || !s.Put(packet(seq+1, 1<<20, 1), seq+1, 1<<20, true, 0) || !s.Open(0) {
			t.Errorf("%s: the next key frame does not begin anew", name)
		}
	}
}

func TestPictureOfAShutCameraIsNotShown(t *testing.T) {
	s := Pictures()
	s.Put(packet(1, 1, 9), 1, 1, true, 0)
	if s.Open(PictureFresh + 1); s.Size() > 0 {
		t.Fatal("an old picture is shown")
	}
}

func TestOfSoundOnlyTheLastMomentIsKept(t *testing.T) {
	for _, from := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		s := Sound()
		for i := range uint16(50) {
			s.Put(packet(from+i, uint32(i)*960, 80), from+i, uint32(i)*960, false, int64(i)*20*ms)
		}
		if s.Held() > 1000 {
			t.Error("it keeps", s.Held())
		}
		at := int64(49*20) * ms
		if !s.Open(at + 10*ms) {
			t.Fatal("nothing")
		}
		if got := all(&s); len(got) != 2 || got[0] != (shown{from + 48, 48 * 960}) || got[1] != (shown{from + 49, 49 * 960}) {
			t.Error(got)
		}
		old := Sound()
		old.Put(packet(from, 1, 80), from, 1, false, 0)
		if old.Open(SoundFresh + 1); old.Size() > 0 {
			t.Error("words of long ago")
		}
	}
}

// What comes while it is passed on goes after what waits, under its own timestamp.
func TestWhatComesMeanwhileGoesAfterwards(t *testing.T) {
	s := Pictures()
	for i := range uint16(4) {
		s.Put(packet(i, uint32(i)*3000, 9), i, uint32(i)*3000, i == 0, int64(i)*33*ms)
	}
	s.Open(100 * ms)
	s.Next()
	s.Put(packet(4, 12000, 9), 4, 12000, true, 130*ms)
	want := []shown{{1, 9000 - 2*pictureStep}, {2, 9000 - pictureStep}, {3, 9000}, {4, 12000}}
	got := all(&s)
	if len(got) != len(want) {
		t.Fatal(got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatal(got)
		}
	}
}

// Over any time no more goes than the first bytes, the rate, and one packet.
func TestPaceHoldsItsRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bps := rapid.IntRange(20_000, 20_000_000).Draw(t, "bps")
		p, at, sent := NewPace(bps, 0), int64(0), 0
		for range 300 {
			at += rapid.Int64Range(0, 20).Draw(t, "ms") * ms
			n := rapid.IntRange(1, 1200).Draw(t, "bytes")
			if p.Take(n, at) {
				sent += n
			}
			if most := FirstBytes + 1200 + int(at*int64(bps)/8e9); sent > most {
				t.Fatalf("%d bytes within %d ms at %d bit/s", sent, at/ms, bps)
			}
		}
		if !p.Bears(FirstBytes) || p.Bears(FirstBytes+bps/80+1) {
			t.Fatal("what it bears")
		}
	})
	var none Pace
	if none.Take(1, 1) {
		t.Fatal("the zero value lets something through")
	}
}
