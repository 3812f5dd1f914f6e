package media

import (
	"context"
	"errors"
	"sync"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"

	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// RelayConfig bounds the viewers of sources.
type RelayConfig struct {
	MaxViewers int // in all
	PerSource  int // of one source
}

// Relay shows sources to viewers, each over a peer connection of its own through the node's ports.
// Pictures go through as they came. Make it with NewRelay, then Run it.
type Relay struct {
	node *Node
	cfg  RelayConfig
	met  *relayMetrics

	mu      sync.Mutex // guards the rest
	viewers map[ident.ClientID]*Viewer
	closed  bool
	wg      sync.WaitGroup // viewers; added to under mu while not closed
}

// NewRelay returns a relay through n, whose ports must outlive it.
func NewRelay(n *Node, cfg RelayConfig, reg prometheus.Registerer) *Relay {
	r := &Relay{node: n, cfg: cfg, viewers: map[ident.ClientID]*Viewer{}}
	r.met = newRelayMetrics(reg, func() float64 {
		r.mu.Lock()
		defer r.mu.Unlock()
		return float64(len(r.viewers))
	})
	return r
}

// NewSource returns a source without pictures.
func (r *Relay) NewSource() *Source { return &Source{relay: r} }

// Run waits for the end and then ends all viewers.
func (r *Relay) Run(ctx context.Context) error {
	<-ctx.Done()
	r.mu.Lock()
	r.closed = true
	for _, v := range r.viewers {
		v.end()
	}
	r.mu.Unlock()
	r.wg.Wait()
	return nil
}

// View answers a browser's offer with one section of video to receive, and shows it s until End,
// the loss of the connection, or the relay's end. The answer has all our candidates. Errors are
// fault.Errors and leave nothing behind.
func (r *Relay) View(ctx context.Context, s *Source, sdp string) (*Viewer, string, error) {
	o, err := checkOffer(sdp, r.node.cfg)
	if err != nil {
		return nil, "", err
	}
	if len(o.sections) != 1 || o.sections[0].kind != Video || o.sections[0].direction == "sendonly" || o.sections[0].direction == "inactive" {
		return nil, "", fault.Newf(fault.BadSDP, "media.view", "not one section of video to receive")
	}
	v := newViewer(s)
	if err := r.enter(v); err != nil {
		return nil, "", err
	}
	answer, err := v.answer(ctx, o)
	if err != nil {
		v.end()
	}
	v.begin()
	return v, answer, err
}

// enter counts v in and starts it; it begins to look once its connection is there.
func (r *Relay) enter(v *Viewer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := 0
	for _, x := range r.viewers {
		if x.source == v.source {
			of++
		}
	}
	if r.closed || len(r.viewers) >= r.cfg.MaxViewers || of >= r.cfg.PerSource {
		r.met.refused.Inc()
		return fault.Newf(fault.TooMany, "media.view", "%d viewers, %d of this source", len(r.viewers), of)
	}
	r.viewers[v.name] = v
	r.wg.Go(func() {
		v.run()
		r.mu.Lock()
		delete(r.viewers, v.name)
		r.mu.Unlock()
	})
	return nil
}

func (r *Relay) count(s *Source) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, v := range r.viewers {
		if v.source == s {
			n++
		}
	}
	return n
}

// End ends a viewer of s; ok is false where there is none.
func (r *Relay) End(s *Source, id ident.ClientID) (ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.viewers[id]
	if v == nil || v.source != s {
		return false
	}
	delete(r.viewers, id) // at once: it takes a moment until its connection is closed
	v.end()
	return true
}

// Looks reports whether s has this viewer.
func (r *Relay) Looks(s *Source, id ident.ClientID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.viewers[id]
	return v != nil && v.source == s
}

// answer makes the connection that the offer asks for.
func (v *Viewer) answer(ctx context.Context, o offer) (string, error) {
	const op = "media.view"
	node := v.source.relay.node
	pc, err := node.pion.viewers.NewPeerConnection(webrtc.Configuration{Certificates: node.pion.identity})
	if err != nil {
		return "", fault.New(fault.MediaRefused, op, err)
	}
	v.pc = pc
	pc.OnConnectionStateChange(v.onState)
	tr, err := pc.AddTransceiverFromTrack(v, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return "", fault.New(fault.MediaRefused, op, err)
	}
	v.sender = tr.Sender()
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.sdp}); err != nil {
		return "", fault.New(fault.BadSDP, op, err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", fault.New(fault.BadSDP, op, err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return "", fault.New(fault.BadSDP, op, err)
	}
	if v.bound.Load() == nil {
		return "", fault.New(fault.BadSDP, op, errNoH264)
	}
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	select {
	case <-gathered:
	case <-timer.C:
	case <-ctx.Done():
		return "", fault.New(fault.Unavailable, op, ctx.Err())
	}
	node.known.name(pc.LocalDescription().SDP, v)
	return pc.LocalDescription().SDP, nil
}

var errNoH264 = errors.New("the offer has no H.264")
