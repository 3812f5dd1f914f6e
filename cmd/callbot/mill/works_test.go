package mill

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"jedel/media/srtpio"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"golang.org/x/sys/unix"
)

// pairs makes works with so many pairs of legs that send to each other, without a gateway.
func pairs(t testing.TB, n int, alone bool) (*Works, []*Leg) {
	t.Helper()
	w := New(netip.MustParseAddr("127.0.0.1"))
	if alone {
		w.separate(t)
	}
	var legs []*Leg
	for i := range 2 * n {
		l, err := w.Open()
		if err != nil {
			t.Fatal(err)
		}
		for j, s := range []*source{&l.audio, &l.video} {
			s.ssrc = uint32(2*i + j + 1)
			h := rtp.Header{Version: 2, PayloadType: [2]uint8{opusType, vp8Type}[j], SSRC: s.ssrc, SequenceNumber: uint16(i)}
			if s.head, err = h.Marshal(); err != nil {
				t.Fatal(err)
			}
		}
		session, err := srtpio.Fixed([16]byte{1}, [12]byte{2})
		if err != nil {
			t.Fatal(err)
		}
		l.session.Store(session)
		legs = append(legs, l)
		if i%2 == 1 {
			other := legs[i-1]
			l.to, other.to = other.socket.addr.AddrPort(), l.socket.addr.AddrPort()
		}
	}
	t.Cleanup(func() {
		for _, l := range legs {
			_ = l.Close()
		}
	})
	return w, legs
}

// separate gives each leg a socket of its own.
func (w *Works) separate(t testing.TB) {
	t.Helper()
	other := New(netip.IPv6Loopback())
	if w.hub != nil {
		if err := w.hub.close(); err != nil {
			t.Fatal(err)
		}
	}
	w.hub, w.set = nil, other.set
}

// talk lets all legs talk for d and then fall silent.
func talk(t testing.TB, w *Works, legs []*Leg, d time.Duration) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for _, l := range legs {
		l.Speak(true, true)
	}
	<-time.After(d)
	for _, l := range legs {
		l.Speak(false, false)
	}
	for last, n := uint64(0), 0; n < 5; n++ { // what is under way
		<-time.After(50 * time.Millisecond)
		if got := w.Received.Load(); got != last {
			last, n = got, 0
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Every packet is counted once at the leg it is for, with its time, whether all legs share a socket or not.
func TestLegsOfOneSocketAreToldApart(t *testing.T) {
	for name, alone := range map[string]bool{"one socket": false, "a socket each": true} {
		w, legs := pairs(t, 8, alone)
		talk(t, w, legs, 500*time.Millisecond)
		if sent, got := w.Sent.Load(), w.Received.Load(); got != sent || sent < 1000 {
			t.Errorf("%s: %d of %d came; %d not sent, %d without room, late %d", name, got, sent, w.Unsent.Load(), w.Overflow.Load(), w.Late.Load())
		}
		if w.Refused.Load() != 0 {
			t.Errorf("%s: %d refused", name, w.Refused.Load())
		}
		timed := uint64(0)
		for i := range w.Latency.buckets {
			timed += w.Latency.buckets[i].Load()
		}
		if timed != w.Received.Load() {
			t.Errorf("%s: %d times of %d packets", name, timed, w.Received.Load())
		}
		for i, l := range legs {
			mine, other := l.Legs(), legs[i^1].Legs()
			if mine.AudioReceived.Packets != other.AudioSent.Packets || mine.VideoReceived.Frames != other.VideoSent.Frames {
				t.Errorf("%s, leg %d: %+v, the other sent %+v", name, i, mine, other)
			}
		}
	}
}

// BenchmarkLegs tells what a packet costs that is sent, and received, without a gateway: all processor of the process.
func BenchmarkLegs(b *testing.B) {
	for _, legs := range []int{30, 250} {
		for name, alone := range map[string]bool{"one socket": false, "a socket each": true} {
			b.Run(name+" "+time.Duration(legs).String()[:len(time.Duration(legs).String())-2], func(b *testing.B) {
				w, all := pairs(b, legs, alone)
				before := used(b)
				talk(b, w, all, 2*time.Second)
				b.ReportMetric(float64((used(b)-before).Microseconds())/float64(max(1, w.Received.Load())), "µs/packet")
				b.ReportMetric(float64(w.Sent.Load()-w.Received.Load()), "lost")
				b.ReportMetric(float64(w.Late.Load()), "late")
				b.ReportMetric(float64(w.Received.Load()), "packets")
			})
		}
	}
}

func used(t testing.TB) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A packet that is not opened counts as it would if it were: by its number it is known when it was sent.
func TestHeaderTellsWhenAPacketWasSent(t *testing.T) {
	for _, shift := range []uint16{0, 1, 32767, 65535} {
		w, legs := pairs(t, 1, false)
		if w.hub == nil {
			t.Skip("no hub here")
		}
		from, to := legs[0], legs[1]
		from.audio.seq = 65500
		opened := 0
		for i := range 200 {
			b := make([]byte, room+100)
			n, err := from.audio.packet(from.session.Load(), b, 0, 1, false)
			if err != nil {
				t.Fatal(err)
			}
			if shift == 0 {
				if i%7 == 3 {
					continue // lost: the next is opened
				}
				if to.now = time.Since(w.epoch); !to.known(b[:n]) {
					opened++
					to.take(b[:n])
				}
				continue
			}
			// Its number is changed on the way, as a gateway does: the shift says by how much.
			s := &stream{ssrc: 7, kind: webrtc.RTPCodecTypeAudio, from: &from.audio, shift: shift}
			seq := from.audio.seq - 1 + shift
			if seq%openEach == 0 {
				continue
			}
			s.Take(seq-1, false)
			to.streams = []*stream{s}
			b[2], b[3], b[8], b[9], b[10], b[11] = byte(seq>>8), byte(seq), 0, 0, 0, 7
			to.now = from.audio.times[(from.audio.seq-1)%sentTimes] + 5*time.Millisecond
			w.Latency.Reset()
			if !to.known(b[:n]) || w.Latency.Max() != 5*time.Millisecond {
				t.Fatal(shift, i, w.Latency.Max())
			}
		}
		if got := to.stream(from.audio.ssrc); shift == 0 && (got == nil || got.from != &from.audio || got.shift != 0 || got.Lost() != 28 || opened < 30 || opened > 50) {
			t.Fatalf("opened %d, %+v", opened, got)
		}
	}
}
