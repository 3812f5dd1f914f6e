package media

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net"
	"time"

	"jedel/media/agreed"
	"jedel/media/codec"
	"jedel/media/srtpio"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"
)

// keepAlive is how often ICE asks whether the other end still takes what we send. Dead ways are noticed by their silence
// long before; consent is given for 30 s (RFC 7675 section 5.1).
const keepAlive = 2 * time.Second

// pion is what all connections of the node share.
type pion struct {
	settings webrtc.SettingEngine
	codecs   *webrtc.MediaEngine // of peers
	viewers  *webrtc.API         // of those who only look, whose media is Pion's
	identity []webrtc.Certificate
}

// newPion makes it. One certificate for the life of the process: making one costs more than the rest of
// a connection.
func (n *Node) newPion() (p pion, err error) {
	if p.settings, err = n.settings(); err != nil {
		return p, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return p, err
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return p, err
	}
	p.identity = []webrtc.Certificate{*certificate}
	p.codecs = new(webrtc.MediaEngine)
	if err := registerCodecs(p.codecs); err != nil {
		return p, err
	}
	if err := registerExtensions(p.codecs); err != nil {
		return p, err
	}
	p.viewers, err = n.viewersAPI(p.settings)
	return p, err
}

// newPeerConnection returns a connection of a peer whose handshake keys hears. Its media has no
// interceptors: reports and retransmissions are this package's own.
func (n *Node) newPeerConnection(keys *srtpio.Keys) (*webrtc.PeerConnection, error) {
	s := n.pion.settings
	if !n.cfg.Plain {
		s.SetDTLSServerHelloMessageHook(keys.ServerHello)
		s.SetDTLSKeyLogWriter(keys)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(n.pion.codecs), webrtc.WithInterceptorRegistry(&interceptor.Registry{}), webrtc.WithSettingEngine(s))
	return api.NewPeerConnection(webrtc.Configuration{
		Certificates: n.pion.identity,
		// Encrypted header extensions (RFC 9335), which Pion would promise, srtpio does not open.
		RTPHeaderEncryptionPolicy: webrtc.RTPHeaderEncryptionPolicyDisable,
	})
}

// viewersAPI is for connections that only receive what Source has.
func (n *Node) viewersAPI(s webrtc.SettingEngine) (*webrtc.API, error) {
	var m webrtc.MediaEngine
	if err := registerCodecs(&m); err != nil {
		return nil, err
	}
	var reg interceptor.Registry
	if err := registerInterceptors(&m, &reg); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithInterceptorRegistry(&reg), webrtc.WithSettingEngine(s)), nil
}

// registerCodecs enters Opus, VP8 and H.264 constrained baseline. Everybody gets the same list in
// the same order, so that a caller and an operator always share a codec.
func registerCodecs(m *webrtc.MediaEngine) error {
	audio := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}},
		}, PayloadType: 111,
	}
	redundant := audio // after plain Opus: a page changes to it when told
	redundant.MimeType, redundant.SDPFmtpLine, redundant.PayloadType = codec.RED, "111/111", 63
	for _, p := range []webrtc.RTPCodecParameters{audio, redundant} {
		if err := m.RegisterCodec(p, webrtc.RTPCodecTypeAudio); err != nil {
			return err
		}
	}
	feedback := []webrtc.RTCPFeedback{
		{Type: "goog-remb"}, {Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"},
	}
	for _, c := range []struct {
		mime, fmtp, rtx string
		pt, rtxPT       webrtc.PayloadType
	}{
		{webrtc.MimeTypeVP8, "", "apt=96", 96, 97},
		{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "apt=102", 102, 103},
	} {
		for _, p := range []webrtc.RTPCodecParameters{
			{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: c.mime, ClockRate: 90000, SDPFmtpLine: c.fmtp, RTCPFeedback: feedback}, PayloadType: c.pt},
			{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: c.rtx}, PayloadType: c.rtxPT},
		} {
			if err := m.RegisterCodec(p, webrtc.RTPCodecTypeVideo); err != nil {
				return err
			}
		}
	}
	return nil
}

// registerExtensions enters the section's name for all, and transport-wide numbers for video only: on
// audio their estimate throttles retransmission.
func registerExtensions(m *webrtc.MediaEngine) error {
	return errors.Join(
		m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: agreed.MidURI}, webrtc.RTPCodecTypeVideo),
		m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: agreed.MidURI}, webrtc.RTPCodecTypeAudio),
		m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: agreed.TransportURI}, webrtc.RTPCodecTypeVideo),
	)
}

// registerInterceptors adds sender reports, answers to requests for retransmission and transport
// feedback, all by Pion.
func registerInterceptors(m *webrtc.MediaEngine, reg *interceptor.Registry) error {
	if err := registerExtensions(m); err != nil {
		return err
	}
	if err := webrtc.ConfigureRTCPReports(reg); err != nil {
		return err
	}
	responder, err := nack.NewResponderInterceptor(nack.ResponderSize(1024))
	if err != nil {
		return err
	}
	reg.Add(responder)
	return nil
}

// settings are Pion's settings as measured to be quick and safe. Full ICE; the browser offers and
// so controls, our acceptance waits matter only where roles conflict.
func (n *Node) settings() (webrtc.SettingEngine, error) {
	var s webrtc.SettingEngine
	s.LoggerFactory = pionLog{n.log}
	s.SetICEUDPMux(n.ports.udp)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if n.ports.tcp != nil {
		s.SetICETCPMux(n.ports.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(types)
	s.DisableActiveTCP(true)
	s.SetIncludeLoopbackCandidate(n.cfg.AllowLoopback)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetRemoteIPFilter(n.mayCome)
	s.SetIPFilter(func(ip net.IP) bool { return !ip.IsLinkLocalUnicast() })
	if len(n.cfg.PublicIPs) > 0 {
		err := s.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{
			External: n.cfg.PublicIPs, AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace,
		})
		if err != nil {
			return s, err
		}
	}
	s.SetHostAcceptanceMinWait(0)
	s.SetSrflxAcceptanceMinWait(0)
	s.SetPrflxAcceptanceMinWait(0)
	s.SetRelayAcceptanceMinWait(0)
	s.SetICETimeouts(5*time.Second, 25*time.Second, keepAlive)
	s.SetDTLSRetransmissionInterval(50 * time.Millisecond)
	s.SetDTLSInsecureSkipHelloVerify(true)                                // DTLS is taken only from addresses that passed ICE: the cookie would cost a round trip
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil { // the server's side of a handshake tells its keys
		return s, err
	}
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	s.SetSCTPMaxMessageSize(maxMessage)
	s.SetSCTPRTOMax(repeatMost)
	s.DetachDataChannels()      // else each channel keeps a buffer of 64 KiB
	own, err := stdnet.NewNet() // else each connection looks at all interfaces again
	if err != nil {
		return s, err
	}
	s.SetNet(own)
	return s, nil
}
