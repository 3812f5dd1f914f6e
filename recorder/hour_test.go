package recorder

import (
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/derive"
	"jedel/recorder/keys"
	"jedel/recorder/verify"
)

// side is one party of the call of an hour: sound of 50 packets a second, pictures of 25 frames a
// second in 110 packets, together a megabit.
type side struct {
	sound, video *Stream
	packet       [1112]byte
	seq          [2]uint16
}

// quarter gives a quarter of a second of a side.
func (s *side) quarter(at time.Time, n int) {
	for i := range 12 + n%2 {
		s.put(s.sound, 0, uint32(n*12000+i*960), at.Add(time.Duration(i)*20*time.Millisecond), 172)
	}
	for i := range 28 {
		frame := n*7 + i/4
		s.put(s.video, 1, uint32(frame*3600), at.Add(time.Duration(i)*8*time.Millisecond), 1112)
	}
}

func (s *side) put(to *Stream, kind int, ts uint32, at time.Time, size int) {
	p := s.packet[:size]
	clear(p[:24])
	p[0], p[1] = 0x80, []byte{111, 96}[kind]
	binary.BigEndian.PutUint16(p[2:], s.seq[kind])
	binary.BigEndian.PutUint32(p[4:], ts)
	binary.BigEndian.PutUint32(p[8:], uint32(kind+1))
	switch part := s.seq[1] % 4; {
	case kind == 0:
		p[12] = 0x78
	case part == 3: // the last packet of a frame
		p[1] |= 0x80
	case part > 0:
	default:
		copy(p[12:], []byte{0x10, 0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0xe0, 1})
		if s.seq[1]/4%125 > 0 {
			p[13] = 0x11 // needs the frame before
		}
	}
	s.seq[kind]++
	to.RTP(at, p, false)
}

// hourOf records an hour of an encrypted call of two parties; its packets bring their times along.
func hourOf(b *testing.B) (dir, key string) {
	b.Helper()
	root, err := os.MkdirTemp("/dev/shm", "hour")
	if err != nil {
		root = b.TempDir()
	}
	b.Cleanup(func() { _ = os.RemoveAll(root) })
	cfg := config(root)
	cfg.FlushEvery, cfg.HeadEvery = time.Hour, time.Nanosecond
	r, stop := run(b, cfg)
	id, opened := ident.New[ident.CallID](), time.Now()
	a := start(b, r, id, opened)
	var sides []*side
	for _, role := range []string{"caller", "operator"} {
		sides = append(sides, &side{
			sound: a.OpenStream(StreamInfo{Participant: role, Role: role, Kind: "audio", Codec: "opus", ClockRate: 48000, PayloadTypes: []uint16{111}}),
			video: a.OpenStream(StreamInfo{Participant: role, Role: role, Kind: "video", Codec: "vp8", ClockRate: 90000, PayloadTypes: []uint16{96}}),
		})
	}
	for n := range 4 * 3600 {
		for _, s := range sides {
			s.quarter(opened.Add(time.Duration(n)*250*time.Millisecond), n)
		}
		flush(b, a)
	}
	if err := a.Seal(b.Context(), SealInfo{Ended: opened.Add(time.Hour), Cause: "caller"}); err != nil {
		b.Fatal(err)
	}
	stop()
	return filepath.Join(root, Dir(id, opened)), r.Key()
}

// first notes when the first byte comes.
type first struct{ at time.Time }

// Write implements io.Writer.
func (f *first) Write(b []byte) (int, error) {
	if f.at.IsZero() {
		f.at = time.Now()
	}
	return len(b), nil
}

// BenchmarkHourOfACall verifies and plays an hour of an encrypted call of two parties, on one core:
// how long the verdict takes, without keys and with, and how long the first byte of a file to play.
func BenchmarkHourOfACall(b *testing.B) {
	dir, key := hourOf(b)
	archive := os.DirFS(dir)
	keys := ring(b, archive)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for name, opts := range map[string]verify.Options{"verify": {Keys: []string{key}}, "verify-and-open": {Keys: []string{key}, Ring: keys}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r, err := verify.Dir(archive, opts)
				if err != nil || r.Exit > verify.ExitPartial || r.Seconds < 3599 {
					b.Fatal(err, r.Exit, r.Levels)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/call-hour")
		})
	}
	for name, cores := range map[string]int{"play": 1, "play-two-cores": 2} {
		b.Run(name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			playHour(b, archive, keys)
		})
	}
}

func playHour(b *testing.B, archive fs.FS, keys *keys.Ring) {
	b.Helper()
	var whole, begun float64
	for b.Loop() {
		began := time.Now()
		rec, err := derive.Load(archive, keys)
		if err != nil {
			b.Fatal(err)
		}
		f := &first{}
		if _, err := rec.WriteMedia(io.Writer(f), "caller"); err != nil {
			b.Fatal(err)
		}
		begun += f.at.Sub(began).Seconds()
		whole += time.Since(began).Seconds()
	}
	b.ReportMetric(begun/float64(b.N), "s-to-first-byte")
	b.ReportMetric(whole/float64(b.N), "s-whole")
}
