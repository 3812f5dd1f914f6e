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
	audioTo     atomic.Pointer[[]*downTrack]
	videoTo     atomic.Pointer[[]*downTrack]

	silence  silence
	restarts restarts
	live     atomic.Pointer[conn] // conn, for the path of packets
	early    earlyKinds           // kinds that are kept for who listens first
	role     atomic.Uint32        // Role: what the page offers; a tap may have made the peer before its first offer

	mu   sync.Mutex // guards the rest
	conn *conn      // carries the media
	next *conn      // takes its place when it is up
	tap  Tap
	gone bool
}

func newPeer(n *Node, id ident.ClientID, role Role) *peer {
	p := &peer{node: n, id: id, made: time.Now(), turn: make(chan struct{}, 1)}
	p.role.Store(uint32(role))
	return p
}

func (p *peer) receivers(k Kind) *[]*downTrack {
	if k == Audio {
		return p.audioTo.Load()
	}
	return p.videoTo.Load()
}

// setReceivers says where the peer's packets go, and reports whether there are new receivers.
func (p *peer) setReceivers(k Kind, to []*downTrack) bool {
	target := &p.audioTo
	if k == Video {
		target = &p.videoTo
	}
	var next *[]*downTrack
	if len(to) > 0 {
		next = &to
	}
	old := target.Swap(next)
	if next == nil {
		return false
	}
	p.early.end(k)
	return old == nil || !same(*old, to)
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

// current returns the connection that carries the peer's media.
func (p *peer) current() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn
}

// newest returns the connection that was negotiated last.
func (p *peer) newest() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next != nil {
		return p.next
	}
	return p.conn
}

func (p *peer) pcID() string {
	if c := p.newest(); c != nil {
		return c.id
	}
	return ""
}

// idle reports whether nobody records the peer and it is no operator's.
func (p *peer) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tap == nil && Role(p.role.Load()) == RoleCaller
}

// stuck reports whether the only connection did not come up in time. One that was to take its place
// and did not is closed.
func (p *peer) stuck(now time.Time) bool {
	late := func(c *conn) bool { return c != nil && c.connectedAt.Load() == 0 && now.Sub(c.made) > ConnectTime }
	p.mu.Lock()
	next, only := p.next, late(p.conn) && p.next == nil
	if late(next) {
		p.next = nil
	} else {
		next = nil
	}
	p.mu.Unlock()
	if next != nil {
		next.close()
	}
	return only
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
	old := p.newest()
	if old != nil && old.id == pc {
		if o.ufrag != old.ufrag {
			if !p.restarts.take(time.Now()) {
				return "", fault.New(fault.RateLimited, "media.offer", nil)
			}
			old.ufrag = o.ufrag
		}
		return old.answer(ctx, o)
	}
	if !p.restarts.take(time.Now()) {
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
	over, ok := p.adopt(c)
	if !ok {
		c.close()
		return "", fault.New(fault.MediaRefused, "media.offer", errGone)
	}
	if old != nil {
		p.node.met.reconnects.Inc()
	}
	if over != nil {
		over.close()
	}
	return answer, nil
}

// adopt takes a new connection in: at once where the present one carries nothing, else when it is up, so
// that a page that was mistaken about its connection loses nothing. It returns the one whose place is
// taken; ok is false where the peer was closed meanwhile.
func (p *peer) adopt(c *conn) (over *conn, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gone:
		return nil, false
	case p.conn != nil && p.conn.up.Load() && !c.up.Load():
		over, p.next = p.next, c
		return over, true
	}
	over = p.replace(c)
	return over, true
}

// replace makes c the connection that carries the media. The caller holds mu.
func (p *peer) replace(c *conn) (over *conn) {
	over = p.conn
	p.conn = c
	if p.next == c {
		p.next = nil
	}
	p.live.Store(c)
	return over
}

// promote lets a connection that is up take its place.
func (p *peer) promote(c *conn) {
	p.mu.Lock()
	waits := p.next == c && !p.gone
	var over *conn
	if waits {
		over = p.replace(c)
	}
	p.mu.Unlock()
	if !waits {
		return
	}
	p.node.changed(p.id)
	if over != nil {
		over.close()
	}
}

// restarts are when a client made new connections and ICE restarts, the newest last.
type restarts struct {
	mu    sync.Mutex // guards the rest
	times []time.Time
}

// take reports whether there may be one more in this minute, and notes it.
func (r *restarts) take(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	recent := r.times[:0]
	for _, t := range r.times {
		if now.Sub(t) < time.Minute {
			recent = append(recent, t)
		}
	}
	r.times = recent
	if len(recent) > 2*MaxRestarts {
		return false
	}
	r.times = append(recent, now)
	return true
}

func (p *peer) addCandidate(pc, candidate, mid string) error {
	c := p.newest()
	if c == nil || c.id != pc {
		return fault.New(fault.WrongState, "media.candidate", errGone)
	}
	return c.addCandidate(candidate, mid)
}

// setTap lets tap take what the present and later connections send.
func (p *peer) setTap(tap Tap) {
	p.mu.Lock()
	changed := p.tap != tap
	p.tap = tap
	conns := [...]*conn{p.conn, p.next}
	p.mu.Unlock()
	for _, c := range conns {
		if c != nil && changed {
			c.listen(tap)
		}
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
	conns := [...]*conn{p.conn, p.next}
	p.conn, p.next, p.gone = nil, nil, true
	p.live.Store(nil)
	p.mu.Unlock()
	for _, c := range conns {
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
