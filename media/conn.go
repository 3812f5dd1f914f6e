package media

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/fault"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"
)

// conn is one peer connection of a peer.
type conn struct {
	// Set at creation, read by all.
	peer  *peer
	id    string // the page's name for it
	made  time.Time
	pc    *webrtc.PeerConnection
	audio []*downTrack // receiving slots, in the order of the offer
	video []*downTrack
	link  // its media

	connectedAt atomic.Int64 // Unix nanoseconds; 0 before
	up          atomic.Bool  // connected at the moment
	dc          atomic.Pointer[webrtc.DataChannel]
	tuned       atomic.Pointer[Tune] // how it is to be used; nil: nothing was decided

	ufrag string // the browser's; guarded by the peer's turn

	mu     sync.Mutex // guards the rest
	ups    []*upTrack
	cands  int
	offer  string
	reply  string
	closed bool
	wg     sync.WaitGroup // readers and writer; added to under mu while not closed
}

// newConn makes a connection shaped as the offer asks: every receiving slot of the page gets a
// track of ours now, so that routing later needs no renegotiation.
func newConn(p *peer, id string, o offer) (*conn, error) {
	c := &conn{peer: p, id: id, made: time.Now(), ufrag: o.ufrag}
	c.link.init(c)
	var err error
	if c.pc, err = p.node.newPeerConnection(&c.keys); err != nil {
		return nil, fault.New(fault.MediaRefused, "media.offer", err)
	}
	pc := c.pc
	pc.OnTrack(c.onTrack)
	pc.OnConnectionStateChange(c.onState)
	pc.OnDataChannel(c.onDataChannel)
	if err := c.shape(o); err != nil {
		c.close()
		return nil, fault.New(fault.BadSDP, "media.offer", err)
	}
	dtls := pc.SCTP().Transport()
	c.ice = dtls.ICETransport()
	c.ice.OnSelectedCandidatePairChange(c.onPair)
	dtls.OnStateChange(c.onDTLS)
	return c, nil
}

// shape adds one transceiver per media section. A caller's first sections go both ways; an
// operator's own microphone and camera come towards us, the rest are slots.
func (c *conn) shape(o offer) error {
	for i, s := range o.sections {
		if s.kind == "" {
			continue
		}
		kind := webrtc.NewRTPCodecType(string(s.kind))
		slots := &c.audio
		if s.kind == Video {
			slots = &c.video
		}
		both := Role(c.peer.role.Load()) == RoleCaller && len(*slots) == 0 && s.direction != "inactive" && s.direction != "sendonly"
		if !both && s.direction != "recvonly" {
			if _, err := c.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
				return fmt.Errorf("section: %w", err)
			}
			continue
		}
		direction := webrtc.RTPTransceiverDirectionSendonly
		if both && s.direction == "sendrecv" {
			direction = webrtc.RTPTransceiverDirectionSendrecv
		}
		d := newDownTrack(c, s.kind, fmt.Sprintf("%s-%d", s.kind, len(*slots)), i)
		t, err := c.pc.AddTransceiverFromTrack(d, webrtc.RTPTransceiverInit{Direction: direction})
		if err != nil {
			return fmt.Errorf("slot: %w", err)
		}
		*slots = append(*slots, d)
		c.senders = append(c.senders, t.Sender())
	}
	return nil
}

// start runs a goroutine of the connection; close waits for it.
func (c *conn) start(loop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.wg.Go(loop)
	}
}

// gatherTime bounds gathering: there are only host candidates.
const gatherTime = 3 * time.Second

// answer takes the offer and returns the answer with all our candidates.
func (c *conn) answer(ctx context.Context, o offer) (string, error) {
	const op = "media.offer"
	c.mu.Lock()
	c.cands += o.cands
	c.mu.Unlock()
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.sdp}); err != nil {
		return "", fault.New(fault.BadSDP, op, err)
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", fault.New(fault.BadSDP, op, err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(answer); err != nil {
		return "", fault.New(fault.BadSDP, op, err)
	}
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	select {
	case <-gathered:
	case <-timer.C:
	case <-ctx.Done():
		return "", fault.New(fault.Unavailable, op, ctx.Err())
	}
	sdp := c.pc.LocalDescription().SDP
	c.agree(o.sdp, sdp)
	c.peer.node.known.name(sdp, c)
	c.mu.Lock()
	c.offer, c.reply = o.sdp, sdp
	c.mu.Unlock()
	c.factSDP(c.peer.theTap())
	return sdp, nil
}

func (c *conn) addCandidate(candidate, mid string) error {
	c.mu.Lock()
	c.cands++
	many := c.cands > MaxCandidates
	c.mu.Unlock()
	if many {
		return fault.New(fault.TooMany, "media.candidate", nil)
	}
	if err := c.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: candidate, SDPMid: &mid}); err != nil {
		return fault.New(fault.BadCandidate, "media.candidate", err)
	}
	return nil
}

// event posts an event of this connection, unless another has taken its place.
func (c *conn) event(e Event) {
	if now := c.peer.current(); now != nil && now != c {
		return
	}
	e.Client, e.PC = c.peer.id, c.id
	c.peer.node.post(e)
}

func (c *conn) onState(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		now := time.Now()
		if c.connectedAt.CompareAndSwap(0, now.UnixNano()) {
			c.peer.node.met.setup.Observe(now.Sub(c.made).Seconds())
		}
		c.shaky.Store(false)
		c.up.Store(true)
		c.dropStreams()
		c.peer.promote(c)
		c.factPath(c.peer.theTap())
		c.event(Event{Kind: Connected})
	case webrtc.PeerConnectionStateDisconnected:
		c.shaky.Store(true)
		c.check(time.Now())
	case webrtc.PeerConnectionStateFailed:
		c.up.Store(false)
		c.event(Event{Kind: Failed, Reason: "ice"})
	case webrtc.PeerConnectionStateClosed:
		if c.up.Swap(false) {
			c.event(Event{Kind: Closed, Reason: "peer"})
		}
	}
}

// begun takes a new track in and gives it to who listens.
func (c *conn) begun(u *upTrack) {
	u.hearing.begin(u)
	if u.kind == Audio {
		u.words = newWords(u)
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.ups = append(c.ups, u)
	c.mu.Unlock()
	if tap := c.peer.theTap(); tap != nil {
		u.listen(tap)
	}
}

// trackOf returns the track of a section, nil before its first packet.
func (c *conn) trackOf(section int) *upTrack {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.ups {
		if u.section == section {
			return u
		}
	}
	return nil
}

// ended forgets a track whose reading is over.
func (c *conn) ended(u *upTrack) {
	c.mu.Lock()
	for i, x := range c.ups {
		if x == u {
			c.ups = append(c.ups[:i:i], c.ups[i+1:]...)
			break
		}
	}
	c.mu.Unlock()
	u.forgetEarly(true)
	u.listen(nil)
}

func (c *conn) tracks() []*upTrack {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*upTrack(nil), c.ups...)
}

// listen gives every track to tap, and what is known of the connection.
func (c *conn) listen(tap Tap) {
	for _, u := range c.tracks() {
		u.listen(tap)
	}
	c.factSDP(tap)
	c.factPath(tap)
}

func (c *conn) factSDP(tap Tap) {
	c.mu.Lock()
	offer, reply := c.offer, c.reply
	c.mu.Unlock()
	if tap == nil || reply == "" {
		return
	}
	if b, err := json.Marshal(map[string]string{"pc": c.id, "offer": offer, "answer": reply}); err == nil {
		tap.Fact("sdp", b)
	}
}

func (c *conn) factPath(tap Tap) {
	if tap == nil || !c.up.Load() {
		return
	}
	dtls := c.pc.SCTP().Transport()
	pair, err := c.ice.GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return
	}
	if b, err := json.Marshal(map[string]string{"pc": c.id, "local": pair.Local.String(), "remote": pair.Remote.String()}); err == nil {
		tap.Fact("ice", b)
	}
	if b, err := json.Marshal(map[string]any{"pc": c.id, "remoteCertificate": dtls.GetRemoteCertificate()}); err == nil {
		tap.Fact("dtls", b)
	}
}

// path returns transport and round trip of the selected pair.
func (c *conn) path() (string, time.Duration) {
	pair, err := c.ice.GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return "", 0
	}
	transport := pair.Local.Protocol.String()
	if c.peer.node.cfg.isRelay(pair.Remote) {
		transport = "relay"
	}
	st, ok := c.ice.GetSelectedCandidatePairStats()
	if !ok {
		return transport, 0
	}
	return transport, time.Duration(st.CurrentRoundTripTime * float64(time.Second))
}

func (c *conn) onDataChannel(dc *webrtc.DataChannel) {
	if dc.Label() != "jedel" {
		return
	}
	dc.OnOpen(func() {
		raw, err := dc.Detach()
		if err != nil {
			c.peer.node.log.Debug("data channel", "peer", c.peer.id, "err", err)
			return
		}
		c.dc.Store(dc)
		c.start(func() { c.dataLoop(raw) })
	})
}

// dataLoop reads a data channel until it ends. Its buffer grows to what comes: most messages are small,
// and there are many connections.
func (c *conn) dataLoop(raw datachannel.ReadWriteCloser) {
	buf := make([]byte, 1<<10)
	for {
		n, _, err := raw.ReadDataChannel(buf)
		switch {
		case errors.Is(err, io.ErrShortBuffer) && len(buf) < maxMessage:
			buf = make([]byte, min(2*len(buf), maxMessage))
			continue
		case err != nil:
			return
		}
		c.event(Event{Kind: Data, Data: append([]byte(nil), buf[:n]...)})
	}
}

func (c *conn) send(b []byte) error {
	dc := c.dc.Load()
	if dc == nil || dc.ReadyState() != webrtc.DataChannelStateOpen {
		return errNotOpen
	}
	if dc.BufferedAmount()+uint64(len(b)) > sendBuffer {
		return errTooFull
	}
	return dc.SendText(string(b))
}

// close ends the connection and waits for its goroutines. It may be called twice.
func (c *conn) close() {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		c.up.Store(false)
		close(c.out.queue.done)
		c.peer.node.known.forget(c)
		for _, s := range c.peer.node.ports.sockets {
			s.release(c)
		}
		if err := c.pc.Close(); err != nil {
			c.peer.node.log.Debug("close", "peer", c.peer.id, "err", err)
		}
		for _, u := range c.tracks() {
			c.ended(u)
		}
	}
	c.wg.Wait()
}
