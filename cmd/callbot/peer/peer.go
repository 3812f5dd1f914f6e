// Package peer is a client's peer connection, as docs/PROTOCOL.md, "Media", asks of a client: made
// before it is needed, offered by the client, never renegotiated by the gateway.
package peer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"jedel/cmd/callbot/clip"
	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/mill"
	"jedel/cmd/callbot/watch"
	"jedel/internal/fault"
	"jedel/signaling/wire"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// Times of a connection.
const (
	iceQuiet    = 2 * time.Second // without any packet the link counts as disturbed
	iceDead     = 4 * time.Second // and then as lost
	iceBeat     = time.Second
	dtlsAgain   = 100 * time.Millisecond
	channelTime = 2 * time.Second // without an answer by data channel the socket is asked
)

// Sections that an operator offers for receiving, docs/PROTOCOL.md "Media".
const (
	audioSlots = 3
	videoSlots = 2
)

// Asker carries requests to the gateway.
type Asker interface {
	Ask(ctx context.Context, body wire.Body) (wire.Body, error)
}

// Config says what connection is wanted.
type Config struct {
	Role       wire.Role
	ICEServers []wire.ICEServer
	Clip       clip.Clip
	ID         string      // chosen anew for each connection
	Works      *mill.Works // media of many connections at little cost, in the clip's place; nil: the clip
}

// Peer is one connection. Make a new one when it is Lost.
type Peer struct {
	// Set at creation, read by all.
	cfg       Config
	pc        *webrtc.PeerConnection
	dc        *webrtc.DataChannel
	line      *exchange.Exchange // over the data channel
	audio     *sender
	video     *sender
	tracks    chan arrived
	trickle   chan webrtc.ICECandidateInit
	connected chan struct{}
	lost      chan struct{}
	open      atomic.Bool // the data channel
	leg       *mill.Leg   // nil: the clip through Pion

	once struct{ connected, lost sync.Once }

	mu     sync.Mutex // guards the rest
	counts map[webrtc.RTPCodecType]*mill.Count
	await  map[webrtc.RTPCodecType]chan watch.First
}

type arrived struct {
	track *webrtc.TrackRemote
	slot  int
}

// Open makes a connection and offers it to the gateway. Run must follow.
func Open(ctx context.Context, cfg Config, gateway Asker) (*Peer, error) {
	pc, leg, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	p := &Peer{
		cfg: cfg, pc: pc, leg: leg, tracks: make(chan arrived, 2+audioSlots+videoSlots), trickle: make(chan webrtc.ICECandidateInit, 64),
		connected: make(chan struct{}), lost: make(chan struct{}),
		counts: map[webrtc.RTPCodecType]*mill.Count{webrtc.RTPCodecTypeAudio: {}, webrtc.RTPCodecTypeVideo: {}},
		await:  map[webrtc.RTPCodecType]chan watch.First{},
	}
	if err = p.sections(); err == nil {
		err = p.channel()
	}
	if err == nil {
		err = p.negotiate(ctx, gateway)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open peer: %w", err), pc.Close(), closeLeg(leg))
	}
	return p, nil
}

// connect makes the connection, and where there are works its media.
func connect(cfg Config) (*webrtc.PeerConnection, *mill.Leg, error) {
	if cfg.Works == nil {
		pc, err := connection(cfg.ICEServers)
		return pc, nil, err
	}
	leg, err := cfg.Works.Open()
	if err != nil {
		return nil, nil, err
	}
	var s webrtc.SettingEngine
	s.SetICETimeouts(iceQuiet, iceDead, iceBeat)
	s.SetDTLSRetransmissionInterval(dtlsAgain)
	api, err := leg.API(s)
	if err != nil {
		return nil, nil, errors.Join(err, leg.Close())
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{RTPHeaderEncryptionPolicy: webrtc.RTPHeaderEncryptionPolicyDisable}) // srtpio does not open them
	if err != nil {
		return nil, nil, errors.Join(err, leg.Close())
	}
	return pc, leg, nil
}

func closeLeg(l *mill.Leg) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// connection makes the connection; its callbacks only post.
func connection(servers []wire.ICEServer) (*webrtc.PeerConnection, error) {
	var m webrtc.MediaEngine
	if err := m.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	var reg interceptor.Registry
	if err := webrtc.RegisterDefaultInterceptors(&m, &reg); err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true) // tests run against a gateway on loopback
	s.SetICETimeouts(iceQuiet, iceDead, iceBeat)
	s.SetDTLSRetransmissionInterval(dtlsAgain)
	var ice []webrtc.ICEServer
	for _, srv := range servers {
		ice = append(ice, webrtc.ICEServer{URLs: srv.URLs, Username: srv.Username, Credential: srv.Credential})
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithInterceptorRegistry(&reg), webrtc.WithSettingEngine(s))
	return api.NewPeerConnection(webrtc.Configuration{ICEServers: ice})
}

// sections adds what the protocol asks of a role, in its order.
func (p *Peer) sections() error {
	both := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv}
	recv := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		s, err := newSender(kind, p.cfg.Clip)
		if err != nil {
			return err
		}
		t, err := p.pc.AddTransceiverFromTrack(s.track, both)
		if err != nil {
			return err
		}
		s.rtp = t.Sender()
		slots := audioSlots
		if kind == webrtc.RTPCodecTypeAudio {
			p.audio = s
		} else {
			p.video, slots = s, videoSlots
		}
		for range slots {
			if p.cfg.Role != wire.RoleConsole {
				break
			}
			if _, err := p.pc.AddTransceiverFromKind(kind, recv); err != nil {
				return err
			}
		}
	}
	p.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		select {
		case p.tracks <- arrived{t, p.slot(r)}:
		default: // more tracks than sections: not ours to play
		}
	})
	p.pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c == nil {
			return
		}
		select {
		case p.trickle <- c.ToJSON():
		default: // the gateway would refuse so many
		}
	})
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			p.once.connected.Do(func() { close(p.connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			p.once.lost.Do(func() { close(p.lost) })
		}
	})
	return nil
}

// slot returns which of the receiving sections of its kind r is; -1 where it is none. A caller
// receives where it sends.
func (p *Peer) slot(r *webrtc.RTPReceiver) int {
	n := map[webrtc.RTPCodecType]int{}
	for _, t := range p.pc.GetTransceivers() {
		receives := p.cfg.Role == wire.RoleCaller || t.Direction() == webrtc.RTPTransceiverDirectionRecvonly
		switch {
		case t.Receiver() != r && receives:
			n[t.Kind()]++
		case t.Receiver() == r && receives:
			return n[t.Kind()]
		}
	}
	return -1
}

func (p *Peer) channel() error {
	ordered := true
	dc, err := p.pc.CreateDataChannel("jedel", &webrtc.DataChannelInit{Ordered: &ordered})
	if err != nil {
		return err
	}
	p.dc = dc
	p.line = exchange.New(func(raw []byte) error { return dc.SendText(string(raw)) })
	dc.OnOpen(func() { p.open.Store(true) })
	dc.OnClose(func() { p.open.Store(false); p.line.Break() })
	dc.OnMessage(func(m webrtc.DataChannelMessage) { _, _ = p.line.Take(m.Data) }) // answers only; news come by the socket
	return nil
}

func (p *Peer) negotiate(ctx context.Context, gateway Asker) error {
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	b, err := gateway.Ask(ctx, &wire.MediaOffer{PC: p.cfg.ID, SDP: offer.SDP})
	if err != nil {
		return err
	}
	answer, ok := b.(*wire.MediaAnswer)
	if !ok || answer.PC != p.cfg.ID {
		return fmt.Errorf("media.offer was answered by %s", b.WireType())
	}
	return p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP})
}

// ID returns the name of this connection.
func (p *Peer) ID() string { return p.cfg.ID }

// Connected is closed once media can flow.
func (p *Peer) Connected() <-chan struct{} { return p.connected }

// Lost is closed when the connection is beyond repair.
func (p *Peer) Lost() <-chan struct{} { return p.lost }

// Speak starts or stops sending the clip's sound and pictures.
func (p *Peer) Speak(audio, video bool) {
	if p.leg != nil {
		p.leg.Speak(audio, video)
		return
	}
	p.audio.on.Store(audio)
	p.video.on.Store(video)
}

// Await returns a channel that brings the times of the next packet of a kind from the caller (at a
// console) or the operator (at a caller). A second Await of the kind replaces the first.
func (p *Peer) Await(kind webrtc.RTPCodecType) <-chan watch.First {
	if p.leg != nil {
		return p.leg.Await(kind)
	}
	c := make(chan watch.First, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.await[kind] = c
	return c
}

// Ask sends a request by the data channel when it is open and answers in time, else by gateway.
// The request must be idempotent.
func (p *Peer) Ask(ctx context.Context, gateway Asker, body wire.Body) (wire.Body, error) {
	if p.open.Load() {
		short, cancel := context.WithTimeout(ctx, channelTime)
		b, err := p.line.Ask(short, body)
		cancel()
		if err == nil || exchange.Refused(err) || ctx.Err() != nil {
			return b, err
		}
	}
	return gateway.Ask(ctx, body)
}

// Legs returns the counts so far.
func (p *Peer) Legs() watch.Legs {
	if p.leg != nil {
		return p.leg.Legs()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	received := func(k webrtc.RTPCodecType) watch.Leg {
		c := p.counts[k]
		return watch.Leg{Packets: c.Received, Lost: c.Lost(), Frames: c.Frames}
	}
	return watch.Legs{
		AudioSent: p.audio.leg(), VideoSent: p.video.leg(),
		AudioReceived: received(webrtc.RTPCodecTypeAudio), VideoReceived: received(webrtc.RTPCodecTypeVideo),
	}
}

// Run sends and receives until ctx ends or the connection is lost, then closes it.
func (p *Peer) Run(ctx context.Context, gateway Asker) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var begin <-chan struct{}
	if p.leg != nil {
		begin = p.connected
	} else {
		for _, s := range []*sender{p.audio, p.video} {
			wg.Go(func() { s.pump(ctx) })
			wg.Go(s.reports)
		}
	}
	for {
		select {
		case <-ctx.Done():
		case <-p.lost:
		case <-begin:
			begin = nil
			if p.leg.Begin(p.pc) == nil {
				continue
			}
		case a := <-p.tracks:
			wg.Go(func() { p.receive(a) })
			continue
		case c := <-p.trickle:
			mid := ""
			if c.SDPMid != nil {
				mid = *c.SDPMid
			}
			_, err := gateway.Ask(ctx, &wire.MediaCandidate{PC: p.cfg.ID, Candidate: c.Candidate, Mid: mid})
			if err == nil || exchange.Refused(err, fault.BadCandidate, fault.TooMany, fault.WrongState, fault.RateLimited) {
				continue
			}
		}
		break
	}
	cancel()
	p.line.Break()
	err := errors.Join(p.pc.Close(), closeLeg(p.leg)) // ends the readers
	wg.Wait()
	return err
}

// receive counts one track until it ends.
func (p *Peer) receive(a arrived) {
	kind := a.track.Kind()
	for {
		pkt, _, err := a.track.ReadRTP()
		if err != nil {
			return
		}
		if a.slot != 0 {
			continue // a third party's
		}
		p.mu.Lock()
		p.counts[kind].Take(pkt.SequenceNumber, pkt.Marker)
		if c := p.await[kind]; c != nil {
			c <- watch.First{At: time.Now()}
			delete(p.await, kind)
		}
		p.mu.Unlock()
	}
}
