package peer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"jedel/cmd/callbot/clip"
	"jedel/cmd/callbot/mill"
	"jedel/signaling/wire"

	"github.com/pion/webrtc/v4"
)

const bound = 10 * time.Second

// far is a gateway that sends everything back by the same sections and echoes pings.
type far struct {
	pc *webrtc.PeerConnection

	mu   sync.Mutex // guards asks
	asks []wire.Body
}

// Ask implements Asker.
func (f *far) Ask(_ context.Context, body wire.Body) (wire.Body, error) {
	f.mu.Lock()
	f.asks = append(f.asks, body)
	f.mu.Unlock()
	switch b := body.(type) {
	case *wire.MediaOffer:
		return f.answer(b)
	case *wire.MediaCandidate:
		return &wire.OK{}, f.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: b.Candidate, SDPMid: &b.Mid})
	}
	return &wire.Pong{NowMs: 2}, nil // by the socket
}

func (f *far) answer(o *wire.MediaOffer) (wire.Body, error) {
	if err := f.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.SDP}); err != nil {
		return nil, err
	}
	a, err := f.pc.CreateAnswer(nil)
	if err != nil {
		return nil, err
	}
	done := webrtc.GatheringCompletePromise(f.pc)
	if err := f.pc.SetLocalDescription(a); err != nil {
		return nil, err
	}
	<-done
	return &wire.MediaAnswer{PC: o.PC, SDP: f.pc.LocalDescription().SDP}, nil
}

func newFar(t *testing.T) *far {
	t.Helper()
	pc, err := connection(nil)
	if err != nil {
		t.Fatal(err)
	}
	return newFarOf(t, pc)
}

// plainPion is a connection as Pion makes it, with a role in the handshake.
func plainPion(t *testing.T, role webrtc.DTLSRole) *webrtc.PeerConnection {
	t.Helper()
	var m webrtc.MediaEngine
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	if err := errors.Join(m.RegisterDefaultCodecs(), s.SetAnsweringDTLSRole(role)); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

func newFarOf(t *testing.T, pc *webrtc.PeerConnection) *far {
	t.Helper()
	t.Cleanup(func() { _ = pc.Close() })
	f := &far{pc: pc}
	for kind, mime := range map[webrtc.RTPCodecType]string{webrtc.RTPCodecTypeAudio: webrtc.MimeTypeOpus, webrtc.RTPCodecTypeVideo: webrtc.MimeTypeVP8} {
		back, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, kind.String(), "far")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.AddTrack(back); err != nil {
			t.Fatal(err)
		}
		pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { echo(tr, pc) })
	}
	pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		dc.OnMessage(func(m webrtc.DataChannelMessage) {
			if d, err := wire.Decode(wire.RoleCaller, m.Data); err == nil {
				raw, _ := wire.Encode(wire.Message{Seq: 1, Re: d.Seq, Body: &wire.Pong{NowMs: 1}})
				_ = dc.SendText(string(raw))
			}
		})
	})
	return f
}

func echo(tr *webrtc.TrackRemote, pc *webrtc.PeerConnection) {
	var out *webrtc.TrackLocalStaticRTP
	for _, s := range pc.GetSenders() {
		if t, ok := s.Track().(*webrtc.TrackLocalStaticRTP); ok && t.Kind() == tr.Kind() {
			out = t
		}
	}
	for {
		pkt, _, err := tr.ReadRTP()
		if err != nil || out == nil {
			return
		}
		_ = out.WriteRTP(pkt)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
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

// open runs a peer for the length of the test.
func open(t *testing.T, f *far) *Peer { return openWith(t, f, nil) }

func openWith(t *testing.T, f *far, works *mill.Works) *Peer {
	t.Helper()
	c, err := clip.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(t.Context(), Config{Role: wire.RoleCaller, Clip: c, ID: "pc-1", Works: works}, f)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, f) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(bound):
			t.Error("the peer does not end")
		}
	})
	return p
}

func TestSoundAndPicturesGoThereAndBack(t *testing.T) {
	f := newFar(t)
	p := open(t, f)
	eventually(t, "connected", func() bool {
		select {
		case <-p.Connected():
			return true
		default:
			return false
		}
	})
	if l := p.Legs(); l.AudioSent.Packets+l.VideoSent.Packets != 0 {
		t.Errorf("a warm peer sends already: %+v", l)
	}
	first := p.Await(webrtc.RTPCodecTypeAudio)
	begin := time.Now()
	p.Speak(true, true)
	select {
	case came := <-first:
		if came.At.Before(begin) {
			t.Errorf("heard %v before it was said", begin.Sub(came.At))
		}
	case <-time.After(bound):
		t.Fatal("nothing comes back")
	}
	eventually(t, "both kinds", func() bool {
		l := p.Legs()
		return l.AudioReceived.Packets > 20 && l.VideoReceived.Frames > 10
	})
	p.Speak(false, false)
	settled := func() string { return fmt.Sprint(p.Legs().AudioSent.Packets, p.Legs().VideoSent.Packets) }
	eventually(t, "silence", func() bool {
		a := settled()
		<-time.After(100 * time.Millisecond)
		return a == settled()
	})
	if l := p.Legs(); l.AudioReceived.Lost != 0 || l.VideoReceived.Lost != 0 {
		t.Errorf("lost on loopback: %+v", l)
	}
}

// The far end is plain Pion: it opens what the works seal and the works open what it seals, whichever of
// the two is the server of the handshake.
func TestTheWorksTalkWithPion(t *testing.T) {
	for name, role := range map[string]webrtc.DTLSRole{"client": webrtc.DTLSRoleServer, "server": webrtc.DTLSRoleClient} {
		t.Run(name, func(t *testing.T) {
			works := mill.New(netip.MustParseAddr("127.0.0.1"))
			pacing, stop := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- works.Run(pacing) }()
			defer func() {
				stop()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}()
			f := newFarOf(t, plainPion(t, role))
			p := openWith(t, f, works)
			eventually(t, "connected", func() bool {
				select {
				case <-p.Connected():
					return true
				default:
					return false
				}
			})
			first := p.Await(webrtc.RTPCodecTypeVideo)
			p.Speak(true, true)
			select {
			case <-first:
			case <-time.After(bound):
				t.Fatalf("nothing comes back: sent %d, received %d, unsent %d, refused %d %+v", works.Sent.Load(), works.Received.Load(), works.Unsent.Load(), works.Refused.Load(), p.Legs())
			}
			eventually(t, "both kinds", func() bool {
				l := p.Legs()
				return l.AudioReceived.Packets > 50 && l.VideoReceived.Frames > 30
			})
			p.Speak(false, false)
			l := p.Legs()
			if l.AudioReceived.Lost != 0 || l.VideoReceived.Lost != 0 || works.Refused.Load()+works.Unsent.Load() != 0 {
				t.Errorf("lost on loopback: %+v; %d refused, %d unsent", l, works.Refused.Load(), works.Unsent.Load())
			}
			if got := float64(l.VideoSent.Packets) / float64(l.AudioSent.Packets); got < 2 || got > 2.8 { // 120 to 50
				t.Errorf("%.2f packets of pictures to one of sound", got)
			}
			if p50 := works.Latency.At(0.5); p50 <= 0 || p50 > time.Second {
				t.Errorf("half of all took %v", p50)
			}
		})
	}
}

func TestRequestsPreferTheDataChannel(t *testing.T) {
	f := newFar(t)
	p := open(t, f)
	ask := func() int64 {
		b, err := p.Ask(t.Context(), f, &wire.Ping{})
		if err != nil {
			t.Fatal(err)
		}
		return b.(*wire.Pong).NowMs
	}
	eventually(t, "an answer by the channel", func() bool { return ask() == 1 })
	p.open.Store(false)
	if ask() != 2 {
		t.Error("a closed channel was asked")
	}
}

func TestAConsoleOffersItsSlotsInOrder(t *testing.T) {
	c, err := clip.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	f := newFar(t)
	p, err := Open(t.Context(), Config{Role: wire.RoleConsole, Clip: c, ID: "pc-2"}, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.pc.Close() })
	var got []string
	for _, tr := range p.pc.GetTransceivers() {
		got = append(got, tr.Kind().String()[:1]+tr.Direction().String())
	}
	want := "[asendrecv arecvonly arecvonly arecvonly vsendrecv vrecvonly vrecvonly]"
	if fmt.Sprint(got) != want {
		t.Errorf("sections %v, want %v", got, want)
	}
	for i, want := range []int{-1, 0, 1, 2, -1, 0, 1} {
		if slot := p.slot(p.pc.GetTransceivers()[i].Receiver()); slot != want {
			t.Errorf("section %d is slot %d, want %d", i, slot, want)
		}
	}
}
