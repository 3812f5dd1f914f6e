package media

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// bound is how long anything in a test may take.
const bound = 10 * time.Second

// eventually waits until ok, checking every few milliseconds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(bound)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within %v: %s", bound, what)
		}
	}
}

// openNode runs a node on loopback for the length of the test.
func openNode(t testing.TB, change func(*Config)) *Node {
	t.Helper()
	cfg := Config{UDPAddr: "127.0.0.1:0", AllowLoopback: true, AllowPrivate: true, MaxPeers: 100, IdlePeers: 50, IdleTime: time.Minute}
	if change != nil {
		change(&cfg)
	}
	n, err := Open(cfg, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(bound):
			t.Error("the node does not end")
		}
	})
	return n
}

// page is a browser's peer connection, played by Pion.
type page struct {
	t     testing.TB
	id    ident.ClientID
	pcID  string
	role  Role
	node  *Node
	pc    *webrtc.PeerConnection
	dc    *webrtc.DataChannel
	audio *webrtc.TrackLocalStaticRTP
	video *webrtc.TrackLocalStaticRTP
	voice *downTrack // in place of audio where the page knows redundant sound and asks for sound again
	knows bool

	config   webrtc.Configuration
	settings func(*webrtc.SettingEngine) // changes what a browser would do; nil for nothing

	mu   sync.Mutex
	got  map[string][]*rtp.Packet // by kind and section: "audio-0"
	msgs []string
	seq  uint16
}

func newPage(t testing.TB, n *Node, role Role) *page {
	t.Helper()
	p := &page{t: t, id: ident.New[ident.ClientID](), pcID: "1", role: role, node: n, got: map[string][]*rtp.Packet{}}
	p.connect()
	return p
}

// connect makes a new peer connection of the page and negotiates it.
func (p *page) connect() {
	p.t.Helper()
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	if p.settings != nil {
		p.settings(&s)
	}
	var m webrtc.MediaEngine
	if p.knows {
		must(p.t, registerCodecs(&m))
	} else {
		must(p.t, m.RegisterDefaultCodecs())
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(&m)).NewPeerConnection(p.config)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = pc.Close() })
	p.pc = pc
	p.audio = track(p.t, webrtc.MimeTypeOpus, 48000)
	p.video = track(p.t, webrtc.MimeTypeVP8, 90000)
	both := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv}
	recv := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if p.voice = newDownTrack(nil, Audio, "audio-0", 0); p.knows {
		must(p.t, second(pc.AddTransceiverFromTrack(p.voice, both)))
	} else {
		must(p.t, second(pc.AddTransceiverFromTrack(p.audio, both)))
	}
	if p.role == RoleOperator {
		for range 3 {
			must(p.t, second(pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, recv)))
		}
	}
	must(p.t, second(pc.AddTransceiverFromTrack(p.video, both)))
	if p.role == RoleOperator {
		for range 2 {
			must(p.t, second(pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, recv)))
		}
	}
	pc.OnTrack(p.receive)
	ordered := true
	dc, err := pc.CreateDataChannel("jedel", &webrtc.DataChannelInit{Ordered: &ordered})
	must(p.t, err)
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.msgs = append(p.msgs, string(m.Data))
	})
	p.dc = dc
	p.offer(nil)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

func track(t testing.TB, mime string, clock uint32) *webrtc.TrackLocalStaticRTP {
	t.Helper()
	tr, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime, ClockRate: clock}, mime, "page")
	must(t, err)
	return tr
}

// offer negotiates; opts may ask for an ICE restart.
func (p *page) offer(opts *webrtc.OfferOptions) {
	p.t.Helper()
	o, err := p.pc.CreateOffer(opts)
	must(p.t, err)
	gathered := webrtc.GatheringCompletePromise(p.pc)
	must(p.t, p.pc.SetLocalDescription(o))
	<-gathered
	answer, err := p.node.Negotiate(context.Background(), p.id, p.role, p.pcID, p.pc.LocalDescription().SDP)
	must(p.t, err)
	must(p.t, p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
}

// receive keeps what arrives, by the slot it arrives in.
func (p *page) receive(tr *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	slot := 0
	for _, t := range p.pc.GetTransceivers() {
		if t.Kind() != tr.Kind() || (p.role == RoleOperator && t.Direction() == webrtc.RTPTransceiverDirectionSendrecv) {
			continue
		}
		if t.Receiver() == r {
			break
		}
		slot++
	}
	name := tr.Kind().String() + "-" + string(rune('0'+slot))
	for {
		pkt, _, err := tr.ReadRTP()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.got[name] = append(p.got[name], pkt)
		p.mu.Unlock()
	}
}

func (p *page) connected() {
	p.t.Helper()
	eventually(p.t, "connected", func() bool { return p.pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
	eventually(p.t, "connected at the node", func() bool { st, ok := p.node.Stats(p.id); return ok && st.Connected })
}

// talk sends one packet of each kind; key makes the picture decodable by itself.
func (p *page) talk(mark byte, key bool) {
	p.t.Helper()
	p.mu.Lock()
	p.seq++
	seq := p.seq
	p.mu.Unlock()
	audio := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(seq) * 960}, Payload: []byte{mark, 1, 2, 3}}
	must(p.t, p.audio.WriteRTP(audio))
	frame := byte(0x01)
	if key {
		frame = 0x00
	}
	video := &rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: seq, Timestamp: uint32(seq) * 3000},
		Payload: []byte{0x90, 0x80, 0x80 | byte(seq>>8), byte(seq), frame, mark}}
	must(p.t, p.video.WriteRTP(video))
}

// chatter talks every few milliseconds until stop is called.
func (p *page) chatter(mark byte) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				p.talk(mark, i%10 == 0)
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (p *page) packets(slot string) []*rtp.Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*rtp.Packet(nil), p.got[slot]...)
}

// hears waits for a packet with mark in a slot that arrives from now on.
func (p *page) hears(slot string, mark byte) {
	p.t.Helper()
	from := len(p.packets(slot))
	eventually(p.t, slot+" hears "+string(mark), func() bool {
		for _, pkt := range p.packets(slot)[from:] {
			at := 0
			if slot[0] == 'v' {
				at = len(pkt.Payload) - 1
			}
			if pkt.Payload[at] == mark {
				return true
			}
		}
		return false
	})
}

// counter reads a counter.
func counter(t testing.TB, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	must(t, c.Write(&m))
	return m.GetCounter().GetValue()
}
