package report

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"jedel/media/compound"

	"pgregory.net/rapid"
)

const ms = int64(time.Millisecond)

// now is a moment of the wall clock.
const now = int64(1_795_000_000_123_456_789)

func TestLossIsReportedAsItWas(t *testing.T) {
	for _, first := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		r := NewReceiver(48000)
		for i := range uint16(101) {
			if i%4 != 1 {
				r.Received(first+i, 960*uint32(i), now+20*ms*int64(i))
			}
		}
		b := r.Block(9, now)
		if b.SSRC != 9 || b.Lost != 25 || b.Fraction != 63 || b.Highest != uint32(first)+100 || b.Jitter != 0 || b.LSR != 0 {
			t.Fatalf("%d: %+v", first, b)
		}
		for i := uint16(101); i < 201; i++ {
			r.Received(first+i, 960*uint32(i), now+20*ms*int64(i))
		}
		if b := r.Block(9, now); b.Lost != 25 || b.Fraction != 0 {
			t.Fatalf("the second interval lost nothing: %+v", b)
		}
		if sent, lost := r.Window(); sent != 201 || lost != 25 {
			t.Fatalf("of %d %d are lost, whatever was reported meanwhile", sent, lost)
		}
		r.Received(first+203, 960*203, now)
		if sent, lost := r.Window(); sent != 3 || lost != 2 {
			t.Fatalf("of %d %d are lost since", sent, lost)
		}
	}
}

// TestLossIsCounted holds the cumulative loss against what was taken away, for any loss, order and
// repetition over several rounds of sequence numbers.
func TestLossIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := NewReceiver(90000)
		first := rapid.Uint16().Draw(t, "first")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		loss := rapid.Float64Range(0, 0.6).Draw(t, "loss")
		n, lost, last := rapid.IntRange(2, 200000).Draw(t, "packets"), 0, 0
		for i := range n {
			if i > 0 && rng.Float64() < loss {
				lost++
				continue
			}
			last = i
			r.Received(first+uint16(i), 3000*uint32(i), now+int64(i)*ms)
		}
		lost -= n - 1 - last
		b := r.Block(1, now)
		if int(b.Lost) != lost || b.Highest != uint32(first)+uint32(last) {
			t.Fatalf("%d lost, %+v", lost, b)
		}
		if want := float64(lost) / float64(last+1); math.Abs(Share(b.Fraction)-want) > 1.0/256 {
			t.Fatal(Share(b.Fraction), want)
		}
	})
}

func TestAStreamThatBeginsAnewIsCountedAnew(t *testing.T) {
	r := NewReceiver(48000)
	for i := range uint16(100) {
		r.Received(i, 960*uint32(i), now+20*ms*int64(i))
	}
	r.Received(30000, 0, now) // one stray packet
	if b := r.Block(1, now); b.Highest != 99 || b.Lost != 0 {
		t.Fatalf("%+v", b)
	}
	for i := range uint16(100) {
		r.Received(40000+i, 960*uint32(i), now+20*ms*int64(i))
	}
	if b := r.Block(1, now); b.Highest != 40099 || b.Lost != 0 || b.Fraction != 0 {
		t.Fatalf("%+v", b)
	}
}

func TestJitterIsThatOfTheArrivals(t *testing.T) {
	r := NewReceiver(48000)
	for i := range 2000 {
		late := int64(i%2) * 5 * ms // every second packet 5 ms late: |D| is 240 ticks each time
		r.Received(uint16(i), 960*uint32(i), now+20*ms*int64(i)+late)
	}
	if j := r.Jitter(); j < 230 || j > 250 {
		t.Fatal(j)
	}
	v := NewReceiver(90000)
	for i := range 2000 { // four packets of one picture, a millisecond apart
		v.Received(uint16(i), 3000*uint32(i/4), now+int64(i/4)*33333333+int64(i%4)*ms)
	}
	if j := v.Jitter(); j > 2 {
		t.Fatal(j)
	}
}

func TestTimesGoThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Int64Range(0, 4e18/2).Draw(t, "at")
		if d := Unix(NTP(at)) - at; d < -1 || d > 0 {
			t.Fatal(d)
		}
	})
	if got := NTP(0); got != 2208988800<<32 {
		t.Fatal(got)
	}
}

// TestRoundTripIsThatOfTheReports lets a report go to a receiver and its block come back.
func TestRoundTripIsThatOfTheReports(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trip := time.Duration(rapid.IntRange(0, 5000).Draw(t, "trip")) * time.Millisecond
		held := time.Duration(rapid.IntRange(0, 10000).Draw(t, "held")) * time.Millisecond
		r := NewReceiver(48000)
		theirs := rapid.Int64Range(0, 1e18).Draw(t, "their clock")
		r.SenderReport(NTP(now), theirs+int64(trip/2))
		b := r.Block(1, theirs+int64(trip/2+held))
		got, ok := Trip(b, now+int64(trip+held))
		if !ok || (got-trip).Abs() > 100*time.Microsecond {
			t.Fatal(got, trip)
		}
	})
	if _, ok := Trip(compound.Block{}, now); ok {
		t.Fatal("no report has come to it")
	}
	if _, ok := Trip(compound.Block{LSR: middle(NTP(now)) + 5}, now); ok {
		t.Fatal("from the future")
	}
}

// TestLipsStayWithWords gives an audio and a video stream of one sender their reports over a network of
// changing delay, and holds that one moment of the sender has timestamps that we say are of one moment.
func TestLipsStayWithWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		skew := rapid.Int64Range(-1e15, 1e15).Draw(t, "their clock less ours")
		var o Origin
		var audio, video Line
		rtp := func(clock uint32, base uint32, theirs int64) uint32 { return base + uint32(ticks(theirs, clock)) }
		at := now
		for range rapid.IntRange(1, 20).Draw(t, "reports") {
			at += int64(rapid.IntRange(100, 5000).Draw(t, "ms")) * ms
			theirs := at + skew
			arrives := at + int64(rapid.IntRange(5, 300).Draw(t, "delay"))*ms
			o.SenderReport(NTP(theirs), arrives)
			if rapid.Bool().Draw(t, "video") {
				video = NewLine(NTP(theirs), rtp(90000, 77, theirs), 90000)
			} else {
				audio = NewLine(NTP(theirs), rtp(48000, 4294967000, theirs), 48000)
			}
		}
		at += 1000 * ms
		a, okA := audio.RTP(o, at)
		v, okV := video.RTP(o, at)
		if okA != (audio != Line{}) || okV != (video != Line{}) {
			t.Fatal(okA, okV)
		}
		if !okA || !okV {
			return
		}
		// The sender's moment that each timestamp is of, in seconds from a common one.
		ref := at + skew
		ta := float64(int32(a-rtp(48000, 4294967000, ref))) / 48000
		tv := float64(int32(v-rtp(90000, 77, ref))) / 90000
		if math.Abs(ta-tv) > 0.0001 || ta > 0 || ta < -0.31 {
			t.Fatal(ta, tv)
		}
	})
}

func TestAClockThatIsSetIsFollowed(t *testing.T) {
	var o Origin
	o.SenderReport(NTP(now), now)
	o.SenderReport(NTP(now), now+int64(time.Hour))
	if o.offset < int64(time.Hour)-ms {
		t.Fatal(time.Duration(o.offset))
	}
	o.SenderReport(NTP(now+int64(5*time.Hour)), now+int64(time.Hour))
	if o.offset > int64(-3*time.Hour) {
		t.Fatal(time.Duration(o.offset))
	}
}

// FuzzBlocks feeds any packets and reports: nothing panics and no share is beyond 1.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 0xff, 0xff, 0x80, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, at := NewReceiver(90000), now
		var o Origin
		for ; len(b) >= 4; b = b[4:] {
			seq := uint16(b[0])<<8 | uint16(b[1])
			at += int64(b[2]) * ms
			if b[3]&1 == 0 {
				r.Received(seq, uint32(seq)*77, at)
			} else {
				ntp := uint64(seq)<<48 | uint64(b[2])<<20
				r.SenderReport(ntp, at)
				o.SenderReport(ntp, at)
				NewLine(ntp, 1, 90000).RTP(o, at)
			}
			if s := r.Loss(); s < 0 || s > 1 {
				t.Fatal(s)
			}
			Trip(r.Block(1, at), at)
		}
	})
}

func BenchmarkReceived(b *testing.B) {
	r, seq := NewReceiver(48000), uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		r.Received(seq, uint32(seq)*960, now+int64(seq)*20*ms)
	}
}
