package derive

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
)

// memory is an archive in memory: the smallest real source.
type memory struct {
	records []record
	blocks  [][]byte
}

const blockBytes = 32 << 10

func (m *memory) add(r record, data []byte) {
	if n := len(m.blocks); n == 0 || len(m.blocks[n-1])+len(data) > blockBytes {
		m.blocks = append(m.blocks, nil)
	}
	k := len(m.blocks) - 1
	r.at0 = place{uint32(k), uint32(len(m.blocks[k])), uint32(len(data))}
	m.blocks[k] = append(m.blocks[k], data...)
	m.records = append(m.records, r)
}

func (m *memory) each(fn func(record) error) error {
	for _, r := range m.records {
		r.data = m.blocks[r.at0.block][r.at0.off : r.at0.off+r.at0.n]
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) block(n uint32) ([]byte, error) {
	if int(n) >= len(m.blocks) {
		return nil, io.ErrUnexpectedEOF
	}
	return m.blocks[n], nil
}

func (m *memory) load(tb testing.TB) *Recording {
	tb.Helper()
	var last int64
	for _, r := range m.records {
		last = max(last, r.at)
	}
	r, err := load(m, func() facts {
		return facts{call: "01h000000000000000000000000", opened: time.Date(2026, 11, 23, 8, 12, 0, 0, time.UTC), last: ns(last), sealed: true}
	})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func (m *memory) open(tb testing.TB, stream uint16, info streamInfo) {
	tb.Helper()
	b, err := json.Marshal(info)
	if err != nil {
		tb.Fatal(err)
	}
	m.add(record{kind: recStreamOpen, stream: stream}, b)
}

// sent is one packet on the way to the recorder.
type sent struct {
	at     int64
	stream uint16
	kind   recordKind
	rtx    bool
	data   []byte
}

// deliver puts packets into the archive in the order of arrival.
func (m *memory) deliver(all []sent) {
	slices.SortStableFunc(all, func(a, b sent) int { return int(min(max(a.at-b.at, -1), 1)) })
	for _, s := range all {
		m.add(record{kind: s.kind, stream: s.stream, at: s.at, recovered: s.rtx}, s.data)
	}
}

// network is what lies between the sender and the recorder.
type network struct {
	rnd     *rand.Rand
	delay   time.Duration
	jitter  time.Duration
	loss    float64 // and never repeated
	rtx     float64 // lost, but brought again rtxLate later
	rtxLate time.Duration
	reorder float64
	dup     float64
}

func (n network) send(out []sent, at time.Duration, stream uint16, b []byte) []sent {
	arrive := at + n.delay
	if n.jitter > 0 {
		arrive += time.Duration(n.rnd.Int64N(int64(n.jitter)))
	}
	switch x := n.rnd.Float64(); {
	case x < n.loss:
		return out
	case x < n.loss+n.rtx:
		return append(out, sent{int64(arrive + n.rtxLate), stream, recRTP, true, b})
	case x < n.loss+n.rtx+n.reorder:
		arrive += time.Duration(15+n.rnd.IntN(45)) * time.Millisecond
	}
	out = append(out, sent{int64(arrive), stream, recRTP, false, b})
	if n.rnd.Float64() < n.dup {
		out = append(out, sent{int64(arrive) + 5e6, stream, recRTP, false, b})
	}
	return out
}

// sender numbers and stamps the packets of one SSRC.
type sender struct {
	ssrc  uint32
	pt    uint8
	seq   uint16
	base  uint32
	clock int64
}

func (s *sender) packet(tb testing.TB, media time.Duration, marker bool, payload []byte) []byte {
	tb.Helper()
	p := rtp.Packet{Header: rtp.Header{Version: 2, Marker: marker, PayloadType: s.pt, SequenceNumber: s.seq,
		Timestamp: s.base + uint32(int64(media)*s.clock/1e9), SSRC: s.ssrc}, Payload: payload}
	if err := p.SetExtension(1, []byte{0x42}); err != nil {
		tb.Fatal(err)
	}
	s.seq++
	b, err := p.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// ntpEpoch is what the sender's clock shows when the call opens; it is wrong on purpose.
const ntpEpoch = int64(3_900_000_000) * 1e9

func (s *sender) report(media time.Duration) []byte {
	b := make([]byte, 28)
	b[0], b[1], b[3] = 0x80, 200, 6
	binary.BigEndian.PutUint32(b[4:], s.ssrc)
	now := ntpEpoch + int64(media)
	binary.BigEndian.PutUint32(b[8:], uint32(now/1e9))
	binary.BigEndian.PutUint32(b[12:], uint32(uint64(now%1e9)<<32/1e9))
	binary.BigEndian.PutUint32(b[16:], s.base+uint32(int64(media)*s.clock/1e9))
	return b
}

// coded is one encoded frame with its time.
type coded struct {
	at   time.Duration
	data []byte
}

var clips struct {
	mu   sync.Mutex
	kept map[string][]coded
}

// tool runs ffmpeg or ffprobe. Without them nothing here is tested, which is an error.
func tool(tb testing.TB, stdin io.Reader, name string, args ...string) []byte {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		tb.Fatalf("%s is needed to check the files made here: apt install ffmpeg (make test does)", name)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 60*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, path, args...)
	c.Stdin, c.Stdout, c.Stderr = stdin, &stdout, &stderr
	if err := c.Run(); err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes()
}

const (
	fps       = 25
	flashTime = 0.08
)

// video returns seconds of encoded pictures: a moving pattern, white for 80 ms at each full
// second, a key frame every two.
func video(tb testing.TB, codec, size string, seconds int) []coded {
	tb.Helper()
	return clip(tb, codec+size+strconv.Itoa(seconds), func() []coded {
		src := "testsrc2=s=" + size + ":r=25:d=" + strconv.Itoa(seconds) +
			",lutyuv=y=val/3,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.08)',format=yuv420p"
		args := []string{"-v", "error", "-f", "lavfi", "-i", src, "-g", "50", "-b:v", "400k", "-threads", "1"}
		switch codec {
		case "h264":
			args = append(args, "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-profile:v", "baseline",
				"-x264-params", "scenecut=0:slices=2:repeat-headers=1", "-bsf:v", "h264_metadata=aud=insert", "-f", "h264", "-")
			return accessUnits(tool(tb, nil, "ffmpeg", args...))
		case "vp9":
			args = append(args, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0")
		case "av1":
			args = append(args, "-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0")
		default:
			args = append(args, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0")
		}
		r, _, err := ivfreader.NewWith(bytes.NewReader(tool(tb, nil, "ffmpeg", append(args, "-f", "ivf", "-")...)))
		if err != nil {
			tb.Fatal(err)
		}
		var out []coded
		for {
			b, _, err := r.ParseNextFrame()
			if errors.Is(err, io.EOF) {
				return out
			}
			if err != nil {
				tb.Fatal(err)
			}
			out = append(out, coded{time.Duration(len(out)) * time.Second / fps, b})
		}
	})
}

// accessUnits splits an Annex B stream at its delimiters, which are left out.
func accessUnits(b []byte) []coded {
	var out []coded
	for _, au := range bytes.Split(b, []byte{0, 0, 0, 1, 9})[1:] {
		out = append(out, coded{time.Duration(len(out)) * time.Second / fps, au[1:]})
	}
	return out
}

// sound returns seconds of Opus in packets of 20 ms: a tone of 80 ms at each full second.
func sound(tb testing.TB, seconds int) []coded {
	tb.Helper()
	return clip(tb, "opus"+strconv.Itoa(seconds), func() []coded {
		src := "aevalsrc='0.7*sin(2*PI*1000*t)*lt(mod(t,1),0.08)':s=48000:d=" + strconv.Itoa(seconds)
		b := tool(tb, nil, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", src, "-c:a", "libopus", "-b:a", "32k",
			"-application", "voip", "-frame_duration", "20", "-f", "ogg", "-")
		var out []coded
		for _, p := range oggPackets(b) {
			if !bytes.HasPrefix(p, []byte("Opus")) {
				out = append(out, coded{time.Duration(len(out)) * 20 * time.Millisecond, p})
			}
		}
		return out
	})
}

// oggPackets splits a well-formed Ogg file with one stream (RFC 3533).
func oggPackets(b []byte) [][]byte {
	var out [][]byte
	var cur []byte
	for len(b) > 27 {
		n := int(b[26])
		lace, body := b[27:27+n], b[27+n:]
		for _, l := range lace {
			cur = append(cur, body[:l]...)
			body = body[l:]
			if l < 255 {
				out = append(out, cur)
				cur = nil
			}
		}
		b = body
	}
	return out
}

// clip makes an encoding once for all tests.
func clip(tb testing.TB, key string, encode func() []coded) []coded {
	tb.Helper()
	clips.mu.Lock()
	defer clips.mu.Unlock()
	if c, ok := clips.kept[key]; ok {
		return c
	}
	if clips.kept == nil {
		clips.kept = map[string][]coded{}
	}
	c := encode()
	if len(c) == 0 {
		tb.Fatalf("nothing encoded for %s", key)
	}
	clips.kept[key] = c
	return c
}

// payloader gives the RTP payloads of a frame.
func payloader(codec string) rtp.Payloader {
	switch codec {
	case "vp8":
		return &codecs.VP8Payloader{EnablePictureID: true}
	case "vp9":
		return &codecs.VP9Payloader{InitialPictureIDFn: func() uint16 { return 7 }}
	case "h264":
		return &codecs.H264Payloader{}
	}
	return &codecs.AV1Payloader{}
}

// file writes the participant's media into a file of the test and returns its path and type.
func file(tb testing.TB, r *Recording, participant string) (path, mime string) {
	tb.Helper()
	var b bytes.Buffer
	mime, err := r.WriteMedia(&b, participant)
	if err != nil {
		tb.Fatal(err)
	}
	path = filepath.Join(tb.TempDir(), "out")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path, mime
}
