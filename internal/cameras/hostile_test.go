package cameras

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jedel/media/h264"

	"github.com/pion/rtp"
	"pgregory.net/rapid"
)

// goodSDP describes H.264 of one track.
const goodSDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"

// villain is an RTSP server that says what it is told to.
type villain struct {
	t        *testing.T
	l        net.Listener
	describe func(base string) (sdp, instead string) // both empty: no answer at all
	stream   func(w io.Writer)                       // after PLAY
	asked    atomic.Int32                            // connections
}

func meet(t *testing.T, v *villain) *villain {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v.t, v.l = t, l
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			v.asked.Add(1)
			t.Cleanup(func() { _ = c.Close() })
			go v.talk(c)
		}
	}()
	return v
}

func (v *villain) url() string { return "rtsp://" + v.l.Addr().String() + "/x" }

// talk answers requests without a body.
func (v *villain) talk(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		var method, seq string
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimRight(line, "\r\n")
			if method == "" {
				method, _, _ = strings.Cut(line, " ")
			}
			if rest, ok := strings.CutPrefix(line, "CSeq: "); ok {
				seq = rest
			}
			if line == "" {
				break
			}
		}
		ok := func(headers, body string) {
			fmt.Fprintf(c, "RTSP/1.0 200 OK\r\nCSeq: %s\r\nSession: 1\r\n%sContent-Length: %d\r\n\r\n%s", seq, headers, len(body), body)
		}
		switch method {
		case "OPTIONS":
			ok("Public: DESCRIBE, SETUP, PLAY\r\n", "")
		case "DESCRIBE":
			sdp, instead := v.describe(v.url())
			if instead != "" {
				fmt.Fprint(c, strings.Replace(instead, "SEQ", seq, 1))
			} else if sdp != "" {
				ok("Content-Type: application/sdp\r\n", sdp)
			}
		case "SETUP":
			ok("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", "")
		case "PLAY":
			ok("", "")
			if v.stream != nil {
				go v.stream(c)
			}
		}
	}
}

func says(sdp string) func(string) (string, string) {
	return func(string) (string, string) { return sdp, "" }
}

// interleaved frames a packet as RFC 2326 section 10.12 does.
func interleaved(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{'$', 0}, uint16(len(b))), b...)
}

func packet(t testing.TB, seq uint16, ts uint32, marker bool, payload []byte) []byte {
	t.Helper()
	b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: seq, Timestamp: ts, Marker: marker, SSRC: 7}, Payload: payload}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// expect lets somebody look at a camera and waits for its failure.
func expect(t *testing.T, url string, want Code) *wall {
	t.Helper()
	w := hang(t, Config{Cameras: []Camera{{ID: "x", URL: url, Login: "watch", Password: "canary-7"}}})
	w.screens["x"].look(1)
	eventually(t, "failed: "+string(want), func() bool { return w.state("x").Phase == Failed })
	if st := w.state("x"); st.Code != want {
		t.Errorf("%+v, want %s", st, want)
	}
	return w
}

func TestGarbageDescriptionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		sdp  string
		code Code
	}{
		"noise":       {"\x00\xff\x01 nonsense", BadStream},
		"huge fmtp":   {strings.Replace(goodSDP, "packetization-mode=1", "sprop-parameter-sets="+strings.Repeat("A", 20000), 1), ""},
		"mode 2":      {strings.Replace(goodSDP, "mode=1", "mode=2", 1), BadStream},
		"sound only":  {"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:track1\r\n", NoVideo},
		"empty media": {"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\n", ""},
		"MJPEG":       {strings.Replace(goodSDP, "H264/90000", "JPEG/90000", 1), WrongCodec},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := meet(t, &villain{describe: says(x.sdp), stream: func(w io.Writer) { _, _ = w.Write([]byte("not a frame")) }})
			w := hang(t, Config{Cameras: []Camera{{ID: "x", URL: v.url()}}})
			w.screens["x"].look(1)
			eventually(t, "failed", func() bool { return w.state("x").Phase == Failed })
			if st := w.state("x"); x.code != "" && st.Code != x.code {
				t.Errorf("%+v, want %s", st, x.code)
			}
			if len(w.screens["x"].shown()) > 0 {
				t.Error("a picture of garbage")
			}
		})
	}
}

func TestServerThatNeverAnswersIsSlow(t *testing.T) {
	t.Parallel()
	v := meet(t, &villain{describe: says("")})
	begun := time.Now()
	expect(t, v.url(), Slow)
	if took := time.Since(begun); took > connectTime+5*time.Second {
		t.Errorf("after %v", took)
	}
}

func TestNobodyThereIsUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	expect(t, "rtsp://"+addr+"/x", Unreachable)
}

// TestCameraCannotSendUsElsewhere holds that a redirect neither gets the password nor makes us knock
// at another machine.
func TestCameraCannotSendUsElsewhere(t *testing.T) {
	t.Parallel()
	other := meet(t, &villain{describe: says(goodSDP)})
	v := meet(t, &villain{describe: func(string) (string, string) {
		return "", "RTSP/1.0 302 Found\r\nCSeq: SEQ\r\nLocation: " + other.url() + "\r\nContent-Length: 0\r\n\r\n"
	}})
	expect(t, v.url(), BadStream)
	if other.asked.Load() != 0 {
		t.Error("the other address was asked")
	}
	loop := &villain{}
	loop.describe = func(base string) (string, string) {
		return "", "RTSP/1.0 302 Found\r\nCSeq: SEQ\r\nLocation: " + base + "\r\nContent-Length: 0\r\n\r\n"
	}
	meet(t, loop)
	expect(t, loop.url(), BadStream)
}

func TestNoiseInPacketsIsDropped(t *testing.T) {
	t.Parallel()
	sps := []byte{0x67, 0x42, 0xc0, 0x0d, 0xda, 0x05, 0x07, 0xec, 0x04, 0x40, 0, 0, 3, 0, 0x40, 0, 0, 0x0c, 0x83, 0xc5, 0x0a, 0xa8}
	pps := []byte{0x68, 0xce, 0x0f, 0xc8}
	v := meet(t, &villain{describe: says(goodSDP), stream: func(w io.Writer) {
		rnd := rand.New(rand.NewPCG(1, 2))
		seq := uint16(65000)
		send := func(b []byte) { _, _ = w.Write(interleaved(b)) }
		for range 300 { // noise of every length, as packets and as payloads
			b := make([]byte, rnd.IntN(1500))
			for i := range b {
				b[i] = byte(rnd.Uint32())
			}
			send(b)
			send(packet(t, seq, rnd.Uint32(), rnd.IntN(2) == 0, b))
			seq += uint16(rnd.IntN(3))
		}
		send(packet(t, seq, 1, true, bytes.Repeat([]byte{0x41}, 65000))) // as large as a frame can be
		for i := range uint32(20) {
			seq++
			send(packet(t, seq, i*3000, true, append(append(append([]byte{24, 0, byte(len(sps))}, sps...), 0, byte(len(pps))), append(pps, 0, 5, 0x65, 0x88, 1, 2, 3)...)))
		}
	}})
	w := hang(t, Config{Cameras: []Camera{{ID: "x", URL: v.url()}}})
	w.screens["x"].look(1)
	eventually(t, "pictures after the noise", func() bool {
		pics := w.screens["x"].shown()
		return len(pics) > 0 && w.state("x").Phase == Live
	})
	for _, p := range w.screens["x"].shown() {
		if !p.Key && len(p.NALUs) == 0 {
			t.Errorf("%+v", p)
		}
	}
}

// TestEndlessPictureIsBounded sends one fragment after another of a picture that never ends.
func TestEndlessPictureIsBounded(t *testing.T) {
	t.Parallel()
	a, err := newAssembler(1, h264.Sets{}, timeline{start: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	part := append([]byte{0x7c, 0x05}, bytes.Repeat([]byte{1}, 60000)...)
	for seq := range uint16(1000) {
		p := rtp.Packet{Header: rtp.Header{SequenceNumber: seq}, Payload: part}
		if seq == 0 {
			p.Payload = append([]byte{0x7c, 0x85}, part[2:]...)
		}
		if _, ok, _, err := a.take(&p, time.Now()); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
}

func TestAssemblerNeverShowsAPictureAfterAGapBeforeAKeyFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, err := newAssembler(1, h264.Sets{SPS: []byte{0x67, 1, 2, 3}, PPS: []byte{0x68, 1}}, timeline{start: time.Unix(0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		seq, whole, last := rapid.Uint16().Draw(t, "first"), false, int64(-1)
		for i := range rapid.IntRange(1, 60).Draw(t, "packets") {
			gap := rapid.IntRange(0, 5).Draw(t, "gap") == 0
			key := rapid.IntRange(0, 3).Draw(t, "key") == 0
			if gap {
				seq += uint16(rapid.IntRange(1, 60000).Draw(t, "lost"))
				whole = whole && i == 0
			}
			payload := []byte{0x41, 0x98, 9}
			if key {
				payload[0] = 0x65
			}
			p := &rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Timestamp: rapid.Uint32().Draw(t, "ts"), Marker: true}, Payload: payload}
			seq++
			pic, ok, _, err := a.take(p, time.Unix(int64(i), 0))
			if err != nil {
				t.Fatal(err)
			}
			whole = whole || key
			if ok != whole {
				t.Fatalf("packet %d: shown %v, whole %v", i, ok, whole)
			}
			if ok && (pic.TS <= last || pic.Key != key) {
				t.Fatalf("time %d after %d", pic.TS, last)
			}
			if ok {
				last = pic.TS
			}
		}
	})
}

func TestRingKeepsWholeGroupsWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := ring{length: time.Duration(rapid.IntRange(0, 20).Draw(t, "length")) * time.Second, bytes: rapid.IntRange(1, 400).Draw(t, "bytes")}
		at := time.Unix(1000, 0)
		for range rapid.IntRange(1, 100).Draw(t, "pictures") {
			at = at.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			r.put(h264.Picture{At: at, Key: rapid.IntRange(0, 4).Draw(t, "key") == 0, NALUs: [][]byte{make([]byte, rapid.IntRange(1, 60).Draw(t, "size"))}})
			size := 0
			for _, p := range r.pics {
				size += p.Size()
			}
			if size != r.size || size > r.bytes || len(r.pics) > 0 && !r.pics[0].Key {
				t.Fatalf("%d bytes, counted %d of %d", size, r.size, r.bytes)
			}
			if n := r.secondKey(); n > 0 && at.Sub(r.pics[n].At) >= r.length {
				t.Fatal("an old group is kept")
			}
			want := at.Add(-r.length / 2)
			if past := r.since(want); len(past) > 0 && !past[0].Key {
				t.Fatal("the past begins without a key frame")
			}
		}
	})
}
