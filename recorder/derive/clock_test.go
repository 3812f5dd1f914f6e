package derive

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"
)

// track of packets without payload, for what only concerns time.
type timing struct {
	seconds  int
	soundPpm float64 // how fast the sound card's clock runs against the sender's wall clock
	wallPpm  float64 // how fast the sender's wall clock runs against ours
	late     time.Duration
	reports  func(at time.Duration, video bool) (ntp time.Duration, ok bool)
	delay    func(at time.Duration) time.Duration
	freeze   [2]time.Duration // the sender stops there for so long; its timestamps do not
}

func always(at time.Duration, _ bool) (time.Duration, bool) { return at, true }

// made is the sender's true time of a packet by our clock.
type made struct {
	lane *lane
	at   map[int64]time.Duration // unwrapped ticks -> time
}

func (x timing) build(t *testing.T) (sound, video made) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(3, 4))
	x.delay = orNone(x.delay)
	lane := func(ssrc uint32, clock int64, every time.Duration, ppm float64, late time.Duration, isVideo bool) made {
		l := &lane{ssrc: ssrc, clock: clock}
		m := made{l, map[int64]time.Duration{}}
		base, seq := uint32(0xfffff000), uint16(65530)
		nextSR := time.Duration(0)
		for at := time.Duration(0); at < time.Duration(x.seconds)*time.Second; at += every {
			real := at
			if x.freeze[1] > 0 && at >= x.freeze[0] {
				real += x.freeze[1]
			}
			ours := real + time.Duration(float64(real)*x.wallPpm/1e6)
			ticks := int64(float64(at) * (1 + ppm/1e6) * float64(clock) / 1e9)
			ts := base + uint32(ticks)
			arrive := opened + ours + late + x.delay(ours) + time.Duration(rnd.Int64N(5e6))
			l.add(packet{at: int64(arrive), n: 200}, header{ssrc: ssrc, ts: ts, seq: seq, head: 12})
			m.at[int64(base)+ticks] = opened + ours
			seq++
			if x.reports != nil && at >= nextSR {
				nextSR += time.Second
				if ntp, ok := x.reports(real, isVideo); ok {
					l.srs = append(l.srs, senderReport{at: int64(arrive), ntp: ntpEpoch + int64(ntp), rtp: ts, ssrc: ssrc})
				}
			}
		}
		l.finish()
		return m
	}
	return lane(1, 48000, 20*time.Millisecond, x.soundPpm, 0, false), lane(2, 90000, 40*time.Millisecond, 0, x.late, true)
}

func orNone(f func(time.Duration) time.Duration) func(time.Duration) time.Duration {
	if f == nil {
		return func(time.Duration) time.Duration { return 30 * time.Millisecond }
	}
	return f
}

// spread returns the least and the greatest error of a lane's packets, from the time given on.
func (m made) spread(t *testing.T, from, to time.Duration) (lo, hi time.Duration) {
	t.Helper()
	lo, hi = time.Hour, -time.Hour
	for _, r := range m.lane.runs {
		for i := range r.packets {
			at, ok := m.at[r.packets[i].ts]
			if !ok {
				t.Fatalf("a packet with a timestamp nobody sent: %d", r.packets[i].ts)
			}
			if at >= from && at < to {
				off := ns(r.time(i)) - at
				lo, hi = min(lo, off), max(hi, off)
			}
		}
	}
	return lo, hi
}

func TestTimesHoldUnderClockTrouble(t *testing.T) {
	day := 24 * time.Hour
	cases := []struct {
		name   string
		timing timing
		within time.Duration // of each other, sound and picture
		abs    time.Duration // of the truth
	}{
		{"all well", timing{seconds: 60, reports: always}, 3 * time.Millisecond, 40 * time.Millisecond},
		{"picture 90 ms late", timing{seconds: 60, late: 90 * time.Millisecond, reports: always}, 3 * time.Millisecond, 40 * time.Millisecond},
		{"no reports", timing{seconds: 60}, 8 * time.Millisecond, 40 * time.Millisecond},
		{"first report after 30 s", timing{seconds: 60, late: 90 * time.Millisecond, reports: func(at time.Duration, _ bool) (time.Duration, bool) {
			return at, at > 30*time.Second
		}}, 3 * time.Millisecond, 40 * time.Millisecond},
		{"wrong by 70 years", timing{seconds: 60, late: 90 * time.Millisecond, reports: func(at time.Duration, _ bool) (time.Duration, bool) {
			return at - 25000*day, true
		}}, 3 * time.Millisecond, 40 * time.Millisecond},
		{"clock set by a day", timing{seconds: 60, late: 90 * time.Millisecond, reports: func(at time.Duration, _ bool) (time.Duration, bool) {
			if at > 33*time.Second {
				return at + day, true
			}
			return at, true
		}}, 12 * time.Millisecond, 50 * time.Millisecond},
		{"one wild report in ten", timing{seconds: 60, late: 90 * time.Millisecond, reports: func(at time.Duration, _ bool) (time.Duration, bool) {
			if int(at.Seconds())%10 == 7 {
				return at + 5*time.Second, true
			}
			return at, true
		}}, 3 * time.Millisecond, 40 * time.Millisecond},
		{"streams that disagree are not believed", timing{seconds: 60, reports: func(at time.Duration, video bool) (time.Duration, bool) {
			if video {
				return at + day, true
			}
			return at, true
		}}, 8 * time.Millisecond, 40 * time.Millisecond},
		{"drift of 200 ppm over two hours", timing{seconds: 7200, soundPpm: 200, wallPpm: -200, late: 90 * time.Millisecond, reports: always},
			20 * time.Millisecond, 60 * time.Millisecond},
		{"ten seconds of frozen network", timing{seconds: 60, reports: always, delay: func(at time.Duration) time.Duration {
			if at > 20*time.Second && at < 30*time.Second {
				return 30*time.Second - at + 30*time.Millisecond
			}
			return 30 * time.Millisecond
		}}, 3 * time.Millisecond, 40 * time.Millisecond},
		{"slow network for 15 s is not a stall", timing{seconds: 60, reports: always, delay: func(at time.Duration) time.Duration {
			if at > 20*time.Second && at < 35*time.Second {
				return 600 * time.Millisecond
			}
			return 30 * time.Millisecond
		}}, 3 * time.Millisecond, 40 * time.Millisecond},
		{"the same without reports", timing{seconds: 60, delay: func(at time.Duration) time.Duration {
			if at > 20*time.Second && at < 35*time.Second {
				return 600 * time.Millisecond
			}
			return 30 * time.Millisecond
		}}, 8 * time.Millisecond, 40 * time.Millisecond},
		{"sender stalls 3 s", timing{seconds: 60, reports: always, freeze: [2]time.Duration{20 * time.Second, 3 * time.Second}}, 5 * time.Millisecond, 40 * time.Millisecond},
		{"sender stalls 3 s without reports", timing{seconds: 60, freeze: [2]time.Duration{20 * time.Second, 3 * time.Second}}, 15 * time.Millisecond, 45 * time.Millisecond},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sound, video := c.timing.build(t)
			placeLanes([]*lane{sound.lane, video.lane})
			sLo, sHi := sound.spread(t, 0, 3*time.Hour)
			vLo, vHi := video.spread(t, 0, 3*time.Hour)
			t.Logf("sound %v..%v, picture %v..%v after the truth", sLo, sHi, vLo, vHi)
			if max(sHi, vHi)-min(sLo, vLo) > c.within {
				t.Errorf("sound and picture are apart: %v..%v and %v..%v, want within %v", sLo, sHi, vLo, vHi, c.within)
			}
			if min(sLo, vLo) < -c.abs || max(sHi, vHi) > c.abs {
				t.Errorf("off the truth: %v..%v and %v..%v, want %v", sLo, sHi, vLo, vHi, c.abs)
			}
		})
	}
}

func TestOneLatePacketIsNotAStall(t *testing.T) {
	l := &lane{clock: 48000}
	for i := range 500 {
		at := int64(i) * 20e6
		if i == 250 {
			at += 900e6
		}
		l.add(packet{at: at, n: 200}, header{ts: uint32(i * 960), seq: uint16(i), head: 12})
	}
	l.finish()
	if cuts := stalls(l.runs[0]); len(cuts) != 0 {
		t.Errorf("stalls found at %v", cuts)
	}
}

func TestSenderReportsAreReadFromCompoundPackets(t *testing.T) {
	s := sender{ssrc: 7, base: 99, clock: 48000}
	bye := []byte{0x81, 203, 0, 1, 0, 0, 0, 7}
	b := append(append([]byte{}, bye...), s.report(time.Second)...)
	var got []senderReport
	senderReports(5, b, func(sr senderReport) { got = append(got, sr) })
	if len(got) != 1 || got[0].ssrc != 7 || got[0].rtp != 48099 || got[0].ntp != ntpEpoch+1e9 || got[0].at != 5 {
		t.Errorf("got %+v", got)
	}
	binary.BigEndian.PutUint16(b[2:], 9000) // longer than the packet
	got = nil
	senderReports(5, b, func(sr senderReport) { got = append(got, sr) })
	if len(got) != 0 {
		t.Errorf("read behind the end: %+v", got)
	}
}

// add feeds n packets of 20 ms with the numbers given and returns the time of the next.
func feed20(l *lane, at int64, seq uint16, ts uint32, n int) int64 {
	for i := range n {
		l.add(packet{at: at, n: 200}, header{ssrc: 1, ts: ts + uint32(i*960), seq: seq + uint16(i), head: 12})
		at += 20e6
	}
	return at
}

func TestSequencesGoOnOrBeginAnew(t *testing.T) {
	edges := []uint16{0, 1, 32767, 32768, 65534, 65535}
	for _, seq := range edges {
		for _, ts := range []uint32{0, 1, 1 << 31, 0xffffffff, 0xffffffff - 48000} {
			l := &lane{clock: 48000}
			at := feed20(l, 0, seq, ts, 100)
			feed20(l, at+60e6, seq+103, ts+103*960, 100)
			l.finish()
			if len(l.runs) != 1 || l.runs[0].lost != 3 || len(l.runs[0].packets) != 200 || l.stray != 0 {
				t.Errorf("seq %d ts %d: %d runs, %+v", seq, ts, len(l.runs), l.runs[0].lost)
			}
		}
	}
	cases := []struct {
		name       string
		gap        time.Duration
		seq        uint16
		ts         uint32
		runs, lost int
	}{
		{"silence of a minute", time.Minute, 100, 100*960 + 60*48000, 1, 0},
		{"outage of 100 s, numbers go on", 100 * time.Second, 5100, 5100 * 960, 1, 5000},
		{"encoder begins again", 0, 40000, 777, 2, 0},
		{"timestamp jumps an hour ahead", 0, 100, 100*960 + 3600*48000, 2, 0},
		{"timestamp jumps back", 0, 100, 0xffffffff - 383999, 2, 0},
		{"sequence jumps, time goes on", 0, 20100, 100 * 960, 1, 20000},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := &lane{clock: 48000}
			at := feed20(l, 0, 0, 0, 100)
			feed20(l, at+int64(c.gap), c.seq, c.ts, 100)
			l.finish()
			lost := 0
			for _, r := range l.runs {
				lost += r.lost
			}
			if len(l.runs) != c.runs || lost != c.lost {
				t.Errorf("%d runs, %d lost, want %d and %d", len(l.runs), lost, c.runs, c.lost)
			}
		})
	}
}

func TestTwoSendersOnOneSSRCAreKeptApart(t *testing.T) {
	l := &lane{clock: 48000}
	for i := range 100 {
		feed20(l, int64(i)*20e6, uint16(i), uint32(i*960), 1)
		feed20(l, int64(i)*20e6+1e6, uint16(30000+i), 1<<30+uint32(i*960), 1)
	}
	l.finish()
	if len(l.runs) != 2 || len(l.runs[0].packets) < 99 || len(l.runs[1].packets) < 99 {
		t.Errorf("%d runs, %d stray", len(l.runs), l.stray)
	}
}

func TestAPacketOutOfNowhereIsLeftOut(t *testing.T) {
	l := &lane{clock: 48000}
	at := feed20(l, 0, 0, 0, 50)
	feed20(l, at, 33333, 123456789, 1)
	feed20(l, at, 50, 50*960, 50)
	l.finish()
	if len(l.runs) != 1 || l.stray != 1 || l.runs[0].lost != 0 {
		t.Errorf("%d runs, %d stray, %d lost", len(l.runs), l.stray, l.runs[0].lost)
	}
}
