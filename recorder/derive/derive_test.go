package derive

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scene is what one sender does, and the network it does it over.
type scene struct {
	codec   string
	seconds int
	late    time.Duration // video leaves so much after the sound of the same moment
	dtx     [2]float64    // seconds between which there is no sound but a byte each 400 ms
	resize  int           // second from which the picture is half as large; 0: never
	newSSRC int           // second from which the picture has another SSRC; 0: never
	reports time.Duration // between sender reports; 0: none
	stall   [2]float64    // seconds: when the sender stops, and for how long
	net     network
}

// opened is when the first packet is made, on the call clock.
const opened = 700 * time.Millisecond

func clean() network {
	return network{rnd: rand.New(rand.NewPCG(1, 2)), delay: 40 * time.Millisecond, jitter: 8 * time.Millisecond}
}

func lossy() network {
	n := clean()
	n.loss, n.rtx, n.rtxLate, n.reorder, n.dup = 0.05, 0.03, 2*time.Second, 0.03, 0.01
	return n
}

// record makes the archive of a scene.
func (s scene) record(t testing.TB) *memory {
	t.Helper()
	m := &memory{}
	m.open(t, 1, streamInfo{Participant: "p1", Role: "caller", Kind: "audio", Codec: "audio/opus", ClockRate: 48000, Channels: 2, PayloadType: 111})
	m.open(t, 2, streamInfo{Participant: "p1", Role: "caller", Kind: "video", Codec: "video/" + strings.ToUpper(s.codec), ClockRate: 90000, PayloadType: 96})
	var all []sent
	// All numbers wrap during the scene.
	audio := &sender{ssrc: 11, pt: 111, seq: 65500, base: 0xffffffff - 3*48000, clock: 48000}
	picture := &sender{ssrc: 22, pt: 96, seq: 65400, base: 0xffffffff - 4*90000, clock: 90000}
	first := *picture
	all = s.sound(t, all, audio)
	all = s.video(t, all, picture)
	for at := time.Duration(0); s.reports > 0 && at < time.Duration(s.seconds)*time.Second; at += s.reports {
		shown := picture
		if at < time.Duration(s.newSSRC)*time.Second {
			shown = &first
		}
		for k, x := range []*sender{audio, shown} {
			arrive := opened + s.moved(at) + s.net.delay
			all = append(all, sent{at: int64(arrive), stream: uint16(k + 1), kind: recSR, data: s.report(x, at)})
		}
	}
	m.deliver(all)
	return m
}

// report says that the RTP time of a moment is the wall time at which it was captured.
func (s scene) report(x *sender, at time.Duration) []byte {
	b := x.report(at)
	now := (&sender{}).report(s.moved(at))
	copy(b[8:16], now[8:16])
	return b
}

// moved is the true time of a moment of the sender's media clock, which stands still in a stall.
func (s scene) moved(at time.Duration) time.Duration {
	if s.stall[1] > 0 && at.Seconds() >= s.stall[0] {
		return at + time.Duration(s.stall[1]*float64(time.Second))
	}
	return at
}

func (s scene) sound(t testing.TB, all []sent, x *sender) []sent {
	next := time.Duration(0)
	for _, f := range sound(t, s.seconds) {
		data := f.data
		if sec := f.at.Seconds(); sec >= s.dtx[0] && sec < s.dtx[1] {
			if f.at < next {
				continue
			}
			next = f.at + 400*time.Millisecond
			data = f.data[:1]
		}
		all = s.net.send(all, opened+s.moved(f.at), 1, x.packet(t, f.at, false, data))
	}
	return all
}

func (s scene) video(t testing.TB, all []sent, x *sender) []sent {
	frames := video(t, s.codec, "320x240", s.seconds)
	if s.resize > 0 {
		small := video(t, s.codec, "160x120", s.seconds)
		frames = append(append([]coded{}, frames[:s.resize*fps]...), small[s.resize*fps:]...)
	}
	pay := payloader(s.codec)
	for i, f := range frames {
		if s.newSSRC > 0 && i == s.newSSRC*fps {
			*x = sender{ssrc: 33, pt: 96, seq: 100, base: 12345, clock: 90000}
		}
		parts := pay.Payload(900, f.data)
		for k, p := range parts {
			b := x.packet(t, f.at, k == len(parts)-1, p)
			all = s.net.send(all, opened+s.moved(f.at)+s.late+time.Duration(k)*200*time.Microsecond, 2, b)
		}
	}
	return all
}

// onsets decodes a file and returns the times at which the picture turns white and the tone
// begins, in seconds of the file.
func onsets(t *testing.T, path string) (flashes, beeps []float64) {
	t.Helper()
	const rate = 200
	gray := tool(t, nil, "ffmpeg", "-v", "error", "-reinit_filter", "0", "-i", path, "-map", "0:v", "-vf", "fps=200:start_time=0,scale=4:4,format=gray", "-f", "rawvideo", "-")
	was := true
	for i := 0; i+16 <= len(gray); i += 16 {
		sum := 0
		for _, v := range gray[i : i+16] {
			sum += int(v)
		}
		white := sum > 16*190
		if white && !was {
			flashes = append(flashes, float64(i/16)/rate)
		}
		was = white
	}
	pcm := tool(t, nil, "ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", "48000", "-f", "s16le", "-")
	quiet := 0
	for i := 0; i+2 <= len(pcm); i += 2 {
		v := int16(uint16(pcm[i]) | uint16(pcm[i+1])<<8)
		if v < 4000 && v > -4000 {
			quiet++
			continue
		}
		if quiet > 9600 {
			beeps = append(beeps, float64(i/2)/48000)
		}
		quiet = 0
	}
	return flashes, beeps
}

// inSync pairs flashes with beeps and fails when too few pairs are found or they are off by more
// than 40 ms: all of them, or where packets are lost the best one, for a flash whose first frames
// are lost is seen late. placedRight looks at every packet then.
func inSync(t *testing.T, path string, pairs int, lossy bool) {
	t.Helper()
	flashes, beeps := onsets(t, path)
	var off []float64
	for _, f := range flashes {
		for _, b := range beeps {
			if d := b - f; d > -0.3 && d < 0.3 {
				off = append(off, d)
			}
		}
	}
	if len(off) < pairs {
		t.Fatalf("%d pairs found, want %d: flashes %v, beeps %v", len(off), pairs, flashes, beeps)
	}
	slices.Sort(off)
	t.Logf("%d pairs of %d flashes and %d beeps, sound %.1f to %.1f ms behind the picture", len(off), len(flashes), len(beeps), off[0]*1000, off[len(off)-1]*1000)
	if lossy {
		slices.SortFunc(off, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
		off = off[:1]
	}
	if off[0] < -0.040 || off[len(off)-1] > 0.040 {
		t.Fatalf("sound is %v s off the picture: flashes %v, beeps %v", off, flashes, beeps)
	}
}

// placedRight checks the time of every packet against the moment it was made, which the sender's
// numbers tell: all of them are off by the same, the shortest way through the network.
func placedRight(t *testing.T, s scene, r *Recording, within time.Duration) {
	t.Helper()
	lo, hi := time.Hour, -time.Hour
	for _, l := range r.lanes() {
		base := map[uint32]uint32{11: 0xffffffff - 3*48000, 22: 0xffffffff - 4*90000, 33: 12345}[l.ssrc]
		for _, run := range l.runs {
			for i := range run.packets {
				media := time.Duration(ticksNs(int64(uint32(run.packets[i].ts)-base), l.clock))
				off := ns(run.time(i)) - opened - s.moved(media)
				lo, hi = min(lo, off), max(hi, off)
			}
		}
	}
	t.Logf("packets placed %v to %v after they were made", lo, hi)
	if lo < -within || hi > s.net.delay+within || hi-lo > within {
		t.Errorf("packets placed %v to %v after they were made", lo, hi)
	}
}

// lanes lists every lane that something was taken from.
func (r *Recording) lanes() []*lane {
	var out []*lane
	for _, p := range r.parts {
		for _, t := range []*track{p.sound, p.pictures} {
			for _, k := range t.takes {
				if !slices.Contains(out, k.run.lane) {
					out = append(out, k.run.lane)
				}
			}
		}
	}
	return out
}

// decodes checks that standard tools read the file without one complaint.
func decodes(t *testing.T, path string) {
	t.Helper()
	tool(t, nil, "ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-")
}

// lasts returns the duration that ffprobe reads.
func lasts(t *testing.T, path string) float64 {
	t.Helper()
	out := tool(t, nil, "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path)
	v, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCleanCallIsInSyncInEveryCodec(t *testing.T) {
	for _, codec := range []string{"vp8", "vp9", "h264", "av1"} {
		t.Run(codec, func(t *testing.T) {
			s := scene{codec: codec, seconds: 6, late: 90 * time.Millisecond, reports: time.Second, net: clean()}
			r := s.record(t).load(t)
			path, mime := file(t, r, "p1")
			decodes(t, path)
			inSync(t, path, 5, false)
			if d := lasts(t, path); d < 5.9 || d > 6.15 {
				t.Errorf("duration %.3f s, want 6", d)
			}
			line := r.Timeline()
			if len(line.Damage) != 0 || len(line.Faults) != 0 {
				t.Errorf("damage in a clean call: %+v %+v", line.Damage, line.Faults)
			}
			if m := line.Media[0]; m.Mime != mime || m.OffsetMs < 690 || m.OffsetMs > 760 || m.Width != 320 || m.Height != 240 {
				t.Errorf("media line %+v, type %s", m, mime)
			}
		})
	}
}

func TestRoughCallDecodesAndStaysInSync(t *testing.T) {
	for _, codec := range []string{"vp8", "vp9", "h264", "av1"} {
		t.Run(codec, func(t *testing.T) {
			s := scene{codec: codec, seconds: 12, late: 90 * time.Millisecond, dtx: [2]float64{4.2, 5.8}, resize: 6, newSSRC: 8,
				reports: time.Second, net: lossy()}
			r := s.record(t).load(t)
			path, _ := file(t, r, "p1")
			if codec != "h264" { // H264 with missing references is an error to ffmpeg, not to players
				decodes(t, path)
			}
			inSync(t, path, 3, true)
			placedRight(t, s, r, 10*time.Millisecond)
			line := r.Timeline()
			video := line.Streams[1]
			if video.Lost == 0 || video.Recovered == 0 || video.Duplicates == 0 || len(video.Resolutions) != 2 {
				t.Errorf("stream %+v", video)
			}
			if len(line.Damage) == 0 {
				t.Error("5 % loss and no damage told")
			}
			for _, d := range line.Damage {
				if d.FromMs > d.ToMs || d.FromMs < 0 || d.ToMs > 13500 {
					t.Errorf("damage outside of the call: %+v", d)
				}
			}
		})
	}
}

func TestWithoutSenderReportsArrivalGivesTheTime(t *testing.T) {
	s := scene{codec: "vp8", seconds: 6, net: clean()}
	r := s.record(t).load(t)
	path, _ := file(t, r, "p1")
	decodes(t, path)
	inSync(t, path, 5, false)
	if c := r.Timeline().Streams[0].Clock; c != "arrival" {
		t.Errorf("clock %q", c)
	}
}

func TestSenderStallIsInserted(t *testing.T) {
	for _, reports := range []time.Duration{0, time.Second} {
		t.Run(fmt.Sprint(reports), func(t *testing.T) {
			s := scene{codec: "vp8", seconds: 8, stall: [2]float64{4, 3}, reports: reports, net: clean()}
			r := s.record(t).load(t)
			path, _ := file(t, r, "p1")
			decodes(t, path)
			if d := lasts(t, path); d < 10.9 || d > 11.2 {
				t.Errorf("duration %.3f s, want 11: 3 s of stall belong to the call", d)
			}
			inSync(t, path, 6, false)
		})
	}
}

func TestSameArchiveGivesSameBytes(t *testing.T) {
	for _, codec := range []string{"vp8", "h264"} {
		s := scene{codec: codec, seconds: 6, reports: time.Second, net: lossy()}
		m := s.record(t)
		var a, b bytes.Buffer
		if _, err := m.load(t).WriteMedia(&a, "p1"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.load(t).WriteMedia(&b, "p1"); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: two files of one archive differ", codec)
		}
	}
}

func TestSoundAloneIsAFile(t *testing.T) {
	s := scene{codec: "vp8", seconds: 6, reports: time.Second, net: lossy()}
	m := s.record(t)
	kept := m.records[:0]
	for _, r := range m.records {
		if r.stream != 2 {
			kept = append(kept, r)
		}
	}
	m.records = kept
	path, mime := file(t, m.load(t), "p1")
	if mime != `audio/webm; codecs="opus"` {
		t.Errorf("type %s", mime)
	}
	decodes(t, path)
	// A tool that ignores time stamps gets the same length: nothing is left open.
	pcm := tool(t, nil, "ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", "48000", "-f", "s16le", "-")
	if d := float64(len(pcm)) / 96000; d < 5.9 || d > 6.05 {
		t.Errorf("%.3f s of samples, want 6", d)
	}
}

func TestFileCanBeSought(t *testing.T) {
	for _, codec := range []string{"vp8", "h264"} {
		s := scene{codec: codec, seconds: 12, reports: time.Second, net: clean()}
		path, _ := file(t, s.record(t).load(t), "p1")
		out := tool(t, nil, "ffprobe", "-v", "error", "-read_intervals", "7%+#1", "-select_streams", "v", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", path)
		at, err := strconv.ParseFloat(strings.Split(string(out), ",")[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		if at < 5.9 || at > 6.2 || !strings.Contains(string(out), "K") {
			t.Errorf("%s: seeking to 7 s gives %s, want the key frame at 6 s", codec, out)
		}
		head, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		index, media := []byte{0x1C, 0x53, 0xBB, 0x6B}, []byte{0x1F, 0x43, 0xB6, 0x75}
		if codec == "h264" {
			index, media = []byte("moov"), []byte("mdat")
		}
		if i, k := bytes.LastIndex(head[:4096], index), bytes.Index(head, media); i < 0 || k < i {
			t.Errorf("%s: the index at %d is not in front of the media at %d", codec, i, k)
		}
	}
}
