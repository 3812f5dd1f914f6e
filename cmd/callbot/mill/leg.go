package mill

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"jedel/cmd/callbot/watch"
	"jedel/media/srtpio"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

// Leg is the media of one connection: what it sends, and what it counts of what comes.
type Leg struct {
	// Set at creation, read by all.
	works  *Works
	socket *socket
	mux    *ice.UDPMuxDefault
	keys   srtpio.Keys
	audio  source
	video  source

	session atomic.Pointer[srtpio.Session] // its opening side is the reader's, its sealing side the pacer's
	to      netip.AddrPort                 // set before session
	client  atomic.Bool                    // of the handshake
	ended   atomic.Bool

	id  int32         // among the works' legs
	now time.Duration // when the reader's batch came; the reader's

	mu      sync.Mutex // guards the rest
	streams []*stream
	await   map[webrtc.RTPCodecType]chan watch.First
}

// stream is one SSRC that comes to us.
type stream struct {
	Count
	ssrc uint32
	kind webrtc.RTPCodecType
	lsr  uint32 // middle of the newest sender report's time (RFC 3550 section 6.4.1), and when it came
	at   time.Duration

	from  *source // whose packets they are; nil before it is known
	shift uint16  // their numbers here, less those that it gave them
}

// openEach is of how many packets of a stream, in their order, one is opened. The others are known by their header:
// their number tells when they were sent.
const openEach = 16

// Payload types of the offer that API makes.
const (
	opusType = 111
	vp8Type  = 96
)

// Open makes the media of a connection that is about to be made.
func (w *Works) Open() (*Leg, error) {
	l := &Leg{works: w, await: map[webrtc.RTPCodecType]chan watch.First{}}
	l.audio = source{leg: l, kind: webrtc.RTPCodecTypeAudio, every: audioEvery, ticks: 960}
	l.video = source{leg: l, kind: webrtc.RTPCodecTypeVideo, every: time.Second / frameRate, ticks: 90000 / frameRate}
	var err error
	w.name(l)
	if l.socket, err = newSocket(w, l); err != nil {
		return nil, fmt.Errorf("media socket: %w", err)
	}
	if err := w.admit(l); err != nil {
		return nil, errors.Join(fmt.Errorf("media socket: %w", err), l.socket.Close())
	}
	l.mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: l.socket, Logger: silent().NewLogger("ice")})
	return l, nil
}

// API returns Pion with the codecs of a browser that matter here, over this leg's socket. Interceptors it has none:
// reports are the leg's own.
func (l *Leg) API(s webrtc.SettingEngine) (*webrtc.API, error) {
	var m webrtc.MediaEngine
	pictures := []webrtc.RTCPFeedback{{Type: "goog-remb"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	err := errors.Join(
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		}, PayloadType: opusType}, webrtc.RTPCodecTypeAudio),
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: pictures,
		}, PayloadType: vp8Type}, webrtc.RTPCodecTypeVideo),
		m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: midURI}, webrtc.RTPCodecTypeAudio),
		m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: midURI}, webrtc.RTPCodecTypeVideo),
	)
	if err != nil {
		return nil, err
	}
	s.LoggerFactory = silent()
	s.SetICEUDPMux(l.mux)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetHostAcceptanceMinWait(0)
	s.SetSrflxAcceptanceMinWait(0)
	s.SetPrflxAcceptanceMinWait(0)
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM)
	s.SetDTLSKeyLogWriter(&l.keys)
	s.SetDTLSServerHelloMessageHook(l.keys.ServerHello)
	return webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(s)), nil
}

// silent is no log: what goes wrong is in the figures.
func silent() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled, Writer: io.Discard}
}

const midURI = "urn:ietf:params:rtp-hdrext:sdes:mid"

// Begin starts the media of a connection that is up.
func (l *Leg) Begin(pc *webrtc.PeerConnection) error {
	pair, err := pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return fmt.Errorf("no way: %w", err)
	}
	ip, err := netip.ParseAddr(pair.Remote.Address)
	if err != nil {
		return err
	}
	l.to = netip.AddrPortFrom(ip, pair.Remote.Port)
	for _, t := range pc.GetTransceivers() {
		sender := t.Sender()
		if sender == nil || sender.Track() == nil {
			continue
		}
		src := &l.audio
		if t.Kind() == webrtc.RTPCodecTypeVideo {
			src = &l.video
		}
		if err := src.describe(sender.GetParameters(), t.Mid()); err != nil {
			return err
		}
	}
	take := l.keys.Take
	if l.client.Load() {
		take = l.keys.TakeAsClient
	}
	session, err := take()
	if err != nil {
		return err
	}
	l.session.Store(session)
	l.ride()
	return nil
}

// Speak starts or stops sound and pictures.
func (l *Leg) Speak(audio, video bool) {
	if video && !(l.video.on.Load() && l.video.rides.Load()) {
		l.video.key.Store(true)
	}
	l.audio.on.Store(audio)
	l.video.on.Store(video)
	l.ride()
}

// ride lets the pacer have what is on, once there is a session.
func (l *Leg) ride() {
	if l.session.Load() == nil {
		return // when it begins
	}
	for _, s := range []*source{&l.audio, &l.video} {
		if s.on.Load() && s.head != nil {
			l.works.join(s)
		}
	}
}

// Await returns a channel that brings the times of the next packet of a kind. A second Await of the kind replaces the
// first.
func (l *Leg) Await(kind webrtc.RTPCodecType) <-chan watch.First {
	c := make(chan watch.First, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await[kind] = c
	return c
}

// Legs returns the counts so far.
func (l *Leg) Legs() watch.Legs {
	out := watch.Legs{AudioSent: l.audio.count(), VideoSent: l.video.count()}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.streams {
		to := &out.AudioReceived
		if s.kind == webrtc.RTPCodecTypeVideo {
			to = &out.VideoReceived
		}
		to.Packets, to.Lost, to.Frames = to.Packets+s.Received, to.Lost+s.Lost(), to.Frames+s.Frames
	}
	return out
}

// Close ends the media. The socket ends with the connection, or by this where there was none.
func (l *Leg) Close() error {
	l.ended.Store(true)
	l.works.dismiss(l)
	return l.mux.Close()
}

// take counts what comes. The reader calls it.
func (l *Leg) take(b []byte) {
	session := l.session.Load()
	if session == nil || len(b) < 12 {
		return // before the keys: nothing can be done with it
	}
	if pt := b[1]; pt >= 192 && pt <= 223 { // RFC 5761 section 4
		if raw, err := session.OpenRTCP(b); err == nil {
			l.control(raw)
		}
		return
	}
	if l.known(b) {
		return
	}
	raw, h, err := session.OpenRTP(b)
	if err != nil {
		l.works.Refused.Add(1)
		return
	}
	kind, stamp := webrtc.RTPCodecTypeAudio, audioStamp
	switch h.PayloadType {
	case opusType:
	case vp8Type:
		kind, stamp = webrtc.RTPCodecTypeVideo, videoStamp
	default:
		return
	}
	sent := l.now
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stream(h.SSRC)
	if s == nil {
		s = &stream{ssrc: h.SSRC, kind: kind}
		l.streams = append(l.streams, s)
	}
	if body := raw[h.MarshalSize():]; len(body) >= stamp+stampBytes {
		st := readStamp(body[stamp:])
		sent, s.from, s.shift = st.at, l.works.sourceOf(st.leg, kind), h.SequenceNumber-st.seq
		l.works.Latency.Add(l.now - sent)
	}
	l.count(s, h.SequenceNumber, h.Marker, sent)
}

// known counts a packet without opening it, where that is not due and nothing is out of order.
func (l *Leg) known(b []byte) bool {
	if l.works.hub == nil || b[0]&0x0f != 0 { // contributors: nothing of ours
		return false
	}
	seq := binary.BigEndian.Uint16(b[2:])
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stream(binary.BigEndian.Uint32(b[8:]))
	if s == nil || s.from == nil || seq%openEach == 0 || seq != uint16(s.Highest())+1 {
		return false
	}
	sent := s.from.times[(seq-s.shift)%sentTimes]
	l.works.Latency.Add(l.now - sent)
	l.count(s, seq, b[1]&0x80 != 0, sent)
	return true
}

// stream returns that of an SSRC, nil before its first packet. l.mu is held.
func (l *Leg) stream(ssrc uint32) *stream {
	for _, s := range l.streams {
		if s.ssrc == ssrc {
			return s
		}
	}
	return nil
}

// count counts a packet. l.mu is held.
func (l *Leg) count(s *stream, seq uint16, marker bool, sent time.Duration) {
	kind, before := s.kind, s.Received
	s.Take(seq, marker)
	l.works.Received.Add(s.Received - before)
	if c := l.await[kind]; c != nil {
		c <- watch.First{At: l.works.epoch.Add(l.now), Sent: l.works.epoch.Add(sent)}
		delete(l.await, kind)
	}
}
