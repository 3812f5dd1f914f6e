package media

import (
	"context"
	"testing"
	"time"

	"jedel/internal/ident"

	"github.com/pion/webrtc/v4"
)

// BenchmarkAnswer is what an offer costs until the answer is there, and until the connection is up, both
// ends counted.
func BenchmarkAnswer(b *testing.B) {
	n := openNode(b, func(c *Config) { c.MaxPeers = 1 << 20; c.IdlePeers = 1 << 20 })
	var answered, up time.Duration
	for b.Loop() {
		p := &page{t: b, id: ident.New[ident.ClientID](), pcID: "1", role: RoleCaller, node: n}
		pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
		must(b, err)
		p.pc = pc
		for _, k := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			must(b, second(pc.AddTransceiverFromKind(k)))
		}
		o, err := pc.CreateOffer(nil)
		must(b, err)
		gathered := webrtc.GatheringCompletePromise(pc)
		must(b, pc.SetLocalDescription(o))
		<-gathered
		begin := time.Now()
		answer, err := n.Negotiate(context.Background(), p.id, p.role, p.pcID, pc.LocalDescription().SDP)
		must(b, err)
		answered += time.Since(begin)
		connected := make(chan struct{})
		pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
			if s == webrtc.PeerConnectionStateConnected {
				close(connected)
			}
		})
		must(b, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
		<-connected
		up += time.Since(begin)
		must(b, pc.Close())
		n.ClosePeer(p.id, "")
	}
	b.ReportMetric(float64(answered.Milliseconds())/float64(b.N), "ms/answer")
	b.ReportMetric(float64(up.Milliseconds())/float64(b.N), "ms/up")
}
