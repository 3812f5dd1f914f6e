package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/media/h264"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// openRelay runs a relay on a node for the length of the test.
func openRelay(t *testing.T, cfg RelayConfig) *Relay {
	t.Helper()
	r := NewRelay(openNode(t, nil), cfg, prometheus.NewRegistry())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(bound):
			t.Error("the relay does not end")
		}
	})
	return r
}

// pictureNo makes a picture that carries its number; a key picture begins with parameter sets.
func pictureNo(n int, key bool, size int) h264.Picture {
	slice := binary.BigEndian.AppendUint32([]byte{0x41, 0x98}, uint32(n))
	slice = append(slice, bytes.Repeat([]byte{0xaa}, size)...)
	p := h264.Picture{TS: int64(n) * 3000, At: time.Now(), Key: key, NALUs: [][]byte{slice}}
	if key {
		slice[0] = 0x65
		p.NALUs = [][]byte{{0x67, 0x42, 0xe0, 0x1f, 1}, {0x68, 0xce, 1}, slice}
	}
	return p
}

// looker is a browser that looks at a source, played by Pion.
type looker struct {
	t  *testing.T
	pc *webrtc.PeerConnection

	mu      sync.Mutex // guards the rest
	packets []*rtp.Packet
}

// offerToLook makes a looker and its complete offer.
func offerToLook(t *testing.T, mime string) (*looker, string) {
	t.Helper()
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	var m webrtc.MediaEngine
	must(t, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: mime, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}, PayloadType: 102}, webrtc.RTPCodecTypeVideo))
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(&m)).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	t.Cleanup(func() { _ = pc.Close() })
	l := &looker{t: t, pc: pc}
	must(t, second(pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})))
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			l.mu.Lock()
			l.packets = append(l.packets, p)
			l.mu.Unlock()
		}
	})
	o, err := pc.CreateOffer(nil)
	must(t, err)
	gathered := webrtc.GatheringCompletePromise(pc)
	must(t, pc.SetLocalDescription(o))
	<-gathered
	return l, pc.LocalDescription().SDP
}

// look lets a new looker see s.
func look(t *testing.T, r *Relay, s *Source) (*looker, *Viewer) {
	t.Helper()
	l, offer := offerToLook(t, webrtc.MimeTypeH264)
	v, answer, err := r.View(t.Context(), s, offer)
	must(t, err)
	must(t, l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
	return l, v
}

// numbers are the pictures that arrived whole, in order, with the timestamps' distances.
func (l *looker) numbers() (list []int, steps []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var d codecs.H264Packet
	var unit []byte
	var last uint32
	for i, p := range l.packets {
		if i > 0 && p.SequenceNumber != l.packets[i-1].SequenceNumber+1 {
			l.t.Fatalf("packet %d after %d", p.SequenceNumber, l.packets[i-1].SequenceNumber)
		}
		b, err := d.Unmarshal(p.Payload)
		must(l.t, err)
		if unit = append(unit, b...); !p.Marker {
			continue
		}
		at := max(bytes.Index(unit, []byte{0x65, 0x98}), bytes.Index(unit, []byte{0x41, 0x98}))
		list = append(list, int(binary.BigEndian.Uint32(unit[at+2:])))
		steps = append(steps, p.Timestamp-last)
		unit, last = nil, p.Timestamp
	}
	return list, steps
}

func TestLateViewerSeesWhatIsKeptAtOnce(t *testing.T) {
	r := openRelay(t, RelayConfig{MaxViewers: 4, PerSource: 4})
	s := r.NewSource()
	for n := range 50 { // the newest key frame is 40
		s.Write(pictureNo(n, n%20 == 0, 3000))
	}
	l, _ := look(t, r, s)
	eventually(t, "ten kept pictures", func() bool { list, _ := l.numbers(); return len(list) == 10 })
	s.Write(pictureNo(50, false, 100))
	eventually(t, "the next", func() bool { list, _ := l.numbers(); return len(list) == 11 })
	list, steps := l.numbers()
	for i, n := range list {
		if n != 40+i {
			t.Fatalf("%v", list)
		}
	}
	for _, step := range steps[1:10] {
		if step != catchUpTick {
			t.Fatalf("kept pictures are %v apart", steps)
		}
	}
	if steps[10] < 2900 || steps[10] > 3100 {
		t.Errorf("the next picture is %d ticks later", steps[10])
	}
}

func TestSlowViewerGoesOnWithAKeyFrame(t *testing.T) {
	r := openRelay(t, RelayConfig{MaxViewers: 4, PerSource: 4})
	v := newViewer(r.NewSource())
	v.source.join(v)
	for n := range sightLen + 30 {
		v.source.Write(pictureNo(n, n == 0, 10))
	}
	if len(v.queue) != sightLen || !v.waitKey {
		t.Fatalf("%d wait, waits for key: %v", len(v.queue), v.waitKey)
	}
	v.source.Write(pictureNo(200, true, 10))
	v.source.Write(pictureNo(201, false, 10))
	if p := <-v.queue; p.TS != 600000 || len(v.queue) != 1 {
		t.Errorf("goes on with %d, %d behind it", p.TS/3000, len(v.queue))
	}
	if n := testutil.ToFloat64(r.met.dropped); n != sightLen+30 {
		t.Errorf("%v dropped", n)
	}
}

func TestViewersAreBoundedAndEnd(t *testing.T) {
	r := openRelay(t, RelayConfig{MaxViewers: 2, PerSource: 1})
	a, b, c := r.NewSource(), r.NewSource(), r.NewSource()
	l, v := look(t, r, a)
	look(t, r, b)
	for _, s := range []*Source{a, c} {
		_, offer := offerToLook(t, webrtc.MimeTypeH264)
		if _, _, err := r.View(t.Context(), s, offer); !errors.Is(err, &fault.Error{Code: fault.TooMany}) {
			t.Errorf("one too many: %v", err)
		}
	}
	if r.End(b, v.name) {
		t.Error("ended as a viewer of another source")
	}
	if a.Viewers() != 1 || !r.End(a, v.name) {
		t.Error("not ended")
	}
	eventually(t, "no viewer", func() bool { return a.Viewers() == 0 })
	eventually(t, "the browser hears of it", func() bool {
		return l.pc.ConnectionState() != webrtc.PeerConnectionStateConnected
	})
	if r.End(a, v.name) {
		t.Error("ended twice")
	}
	look(t, r, a)
}

func TestOfferThatCannotBeShownIsRefused(t *testing.T) {
	r := openRelay(t, RelayConfig{MaxViewers: 4, PerSource: 4})
	s := r.NewSource()
	_, vp8 := offerToLook(t, webrtc.MimeTypeVP8)
	page := newPage(t, openNode(t, nil), RoleCaller)
	for name, sdp := range map[string]string{
		"no H.264": vp8, "garbage": "v=0", "empty": "", "a call's": page.pc.LocalDescription().SDP, "long": string(make([]byte, MaxSDP+1)),
	} {
		if _, _, err := r.View(t.Context(), s, sdp); !errors.Is(err, &fault.Error{Code: fault.BadSDP}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	eventually(t, "nothing is left", func() bool { return s.Viewers() == 0 })
}

func TestViewerWhoLostSomethingGetsAllSinceTheKeyFrame(t *testing.T) {
	r := openRelay(t, RelayConfig{MaxViewers: 4, PerSource: 4})
	s := r.NewSource()
	for n := range 5 {
		s.Write(pictureNo(n, n == 0, 100))
	}
	l, v := look(t, r, s)
	eventually(t, "the kept ones", func() bool { list, _ := l.numbers(); return len(list) >= 5 })
	v.lost <- struct{}{}
	eventually(t, "the kept ones again", func() bool { list, _ := l.numbers(); return len(list) >= 10 })
	list, steps := l.numbers()
	for i := range 5 {
		if list[5+i] != i || steps[5+i] == 0 || steps[5+i] > 1000 {
			t.Fatalf("%v %v", list, steps)
		}
	}
}
