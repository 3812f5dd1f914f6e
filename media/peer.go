package media

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// peer is one client's place in the node. It outlives its connections.
type peer struct {
	node *Node
	id   ident.ClientID
	made time.Time
	turn chan struct{} // capacity 1: one negotiation at a time

	lastPacket  atomic.Int64 // Unix nanoseconds
	lastVoice   atomic.Int64 // of the newest packet of audio
	packetCount atomic.Uint64
	live        atomic.Pointer[conn] // the one whose packets count; as conn
	audioTo     atomic.Pointer[[]*downTrack]
	videoTo     atomic.Pointer[[]*downTrack]

	silentAt int64 // the lastVoice that was told as silence; owned by the node's Run

	mu       sync.Mutex // guards the rest
	role     Role
	conn     *conn
	next     *conn     // on its way up; takes the place of conn when it is there
	old      []*conn   // whose place was taken, closed a moment later
	oldSince time.Time // when the newest of them came there
	tap      Tap
	restarts []time.Time
	gone     bool
}

func newPeer(n *Node, id ident.ClientID, role Role) *peer {
	return &peer{node: n, id: id, role: role, made: time.Now(), turn: make(chan struct{}, 1)}
}

func (p *peer) receivers(k Kind) *[]*downTrack {
	if k == Audio {
		return p.audioTo.Load()
	}
	return p.videoTo.Load()
}

// setReceivers says where the peer's packets go. New receivers of video need a keyframe.
func (p *peer) setReceivers(k Kind, to []*downTrack) {
	target := &p.audioTo
	if k == Video {
		target = &p.videoTo
	}
	var next *[]*downTrack
	if len(to) > 0 {
		next = &to
	}
	old := target.Swap(next)
	if k == Video && next != nil && (old == nil || !same(*old, to)) {
		p.askKeyframe(time.Now())
	}
}

// feed notes whose packets the peer's slots carry.
func (p *peer) feed(from map[*downTrack]*peer) {
	c := p.current()
	if c == nil {
		return
	}
	for _, slots := range [][]*downTrack{c.audio, c.video} {
		for _, d := range slots {
			d.from.Store(from[d])
		}
	}
}

func same(a, b []*downTrack) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (p *peer) current() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn
}

func (p *peer) pcID() string {
	if c := p.current(); c != nil {
		return c.id
	}
	return ""
}

// setRole notes what the page offers; a tap may have made the peer before its first offer.
func (p *peer) setRole(r Role) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.role = r
}

func (p *peer) theRole() Role {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.role
}

// idle reports whether nobody records the peer and it is no operator's.
func (p *peer) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tap == nil && p.role == RoleCaller
}

// stuck reports whether the connection did not come up in time.
func (p *peer) stuck(now time.Time) bool {
	c := p.current()
	return c != nil && c.connectedAt.Load() == 0 && now.Sub(c.made) > ConnectTime
}

// askKeyframe asks all video tracks of the peer.
func (p *peer) askKeyframe(now time.Time) {
	if c := p.current(); c != nil {
		for _, u := range c.tracks() {
			u.requestKeyframe(now)
		}
	}
}

// down returns a receiving slot of the present connection.
func (p *peer) down(k Kind, slot int) *downTrack {
	c := p.current()
	if c == nil {
		return nil
	}
	slots := c.audio
	if k == Video {
		slots = c.video
	}
	if slot >= len(slots) {
		return nil
	}
	return slots[slot]
}

// negotiate answers an offer, in turn.
func (p *peer) negotiate(ctx context.Context, pc string, o offer) (string, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return "", fault.New(fault.Unavailable, "media.offer", ctx.Err())
	}
	old := p.current()
	if old != nil && old.id == pc {
		if o.ufrag != old.ufrag {
			if !p.mayRestart(time.Now()) {
				return "", fault.New(fault.RateLimited, "media.offer", nil)
			}
			old.ufrag = o.ufrag
		}
		return old.answer(ctx, o)
	}
	if !p.mayRestart(time.Now()) {
		return "", fault.New(fault.RateLimited, "media.offer", nil)
	}
	c, err := newConn(p, pc, o)
	if err != nil {
		return "", err
	}
	answer, err := c.answer(ctx, o)
	if err != nil {
		c.close()
		return "", err
	}
	replaced, ok := p.adopt(c)
	if !ok {
		c.close()
		return "", fault.New(fault.MediaRefused, "media.offer", errGone)
	}
	if replaced != nil {
		replaced.close()
	}
	if old != nil {
		p.node.met.reconnects.Inc()
	}
	return answer, nil
}

// mayRestart bounds new connections and ICE restarts per minute.
func (p *peer) mayRestart(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	recent := p.restarts[:0]
	for _, t := range p.restarts {
		if now.Sub(t) < time.Minute {
			recent = append(recent, t)
		}
	}
	p.restarts = recent
	if len(recent) > 2*MaxRestarts {
		return false
	}
	p.restarts = append(p.restarts, now)
	return true
}

func (p *peer) addCandidate(pc, candidate, mid string) error {
	for _, c := range p.conns() {
		if c.id == pc {
			return c.addCandidate(candidate, mid)
		}
	}
	return fault.New(fault.WrongState, "media.candidate", errGone)
}

// setTap lets tap take what the present and later connections send.
func (p *peer) setTap(tap Tap) {
	p.mu.Lock()
	changed := p.tap != tap
	p.tap = tap
	p.mu.Unlock()
	if !changed {
		return
	}
	for _, c := range p.conns() {
		c.listen(tap)
	}
}

func (p *peer) theTap() Tap {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tap
}

func (p *peer) send(b []byte) error {
	c := p.current()
	if c == nil {
		return errGone
	}
	return c.send(b)
}

func (p *peer) close(string) {
	p.mu.Lock()
	all := append(p.old, p.conn, p.next)
	p.conn, p.next, p.old, p.gone = nil, nil, nil, true
	p.live.Store(nil)
	p.mu.Unlock()
	for _, c := range all {
		if c != nil {
			c.close()
		}
	}
}

func (p *peer) stats() (PeerStats, bool) {
	c := p.current()
	if c == nil {
		return PeerStats{}, false
	}
	st := PeerStats{Packets: p.packetCount.Load(), Connected: c.up.Load()}
	if ns := p.lastPacket.Load(); ns > 0 {
		st.LastPacket = time.Unix(0, ns)
	}
	if ns := c.connectedAt.Load(); ns > 0 {
		st.Since = time.Unix(0, ns)
	}
	for _, u := range c.tracks() {
		if u.kind == Audio {
			st.AudioLossUp = u.lossUp()
		} else {
			st.VideoLossUp = max(st.VideoLossUp, u.lossUp())
		}
	}
	st.Transport, st.RTT = c.path()
	return st, true
}
