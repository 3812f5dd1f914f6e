package media

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"jedel/media/agreed"
	"jedel/media/bwe"
	"jedel/media/tune"

	"github.com/pion/rtp"
)

// rate is how much room a connection's ways have, and what is made of it. Packets tell of the ways as
// they pass; the node's rate loop (rateloop.go) looks four times a second and decides.
type rate struct {
	link *link

	out    atomic.Pointer[bwe.Estimator] // made with the first picture
	spoken atomic.Uint64                 // bytes of words towards the peer, with all headers
	blind  atomic.Bool                   // no pictures go to the peer: its way has no room

	mu sync.Mutex // guards in, and out but for its Sent
	in *bwe.Arrivals

	numbers numbers

	// Owned by the rate loop.
	line   *tune.Line
	words  uint64        // spoken when last looked
	looked time.Duration // when that was
	asked  time.Duration // when the last REMB was sent
	limit  int           // what it said
}

// numbers are the transport-wide sequence numbers of what goes out. Guarded by the egress.
type numbers struct {
	next uint16
	buf  [2]byte
	ext  [1]rtp.Extension
}

func (r *rate) init(l *link) { r.link, r.in, r.line = l, bwe.NewArrivals(), tune.NewLine() }

// since is a time as the estimators count.
func (r *rate) since(at time.Time) time.Duration { return at.Sub(r.link.conn.peer.node.start) }

// number gives a packet of a picture that goes out, for the first time or again, its transport-wide
// number, and counts words. The egress's lock is held.
func (r *rate) number(d *downTrack, h *rtp.Header, payload int) {
	size := h.MarshalSize() + payload + bwe.Overhead
	if d.kind == Audio {
		r.spoken.Add(uint64(size))
		return
	}
	b := d.bound.Load()
	if b == nil || b.wide == 0 {
		return
	}
	n := &r.numbers
	binary.BigEndian.PutUint16(n.buf[:], n.next)
	h.Extensions = n.ext[:0]
	if h.SetExtension(b.wide, n.buf[:]) != nil {
		return
	}
	r.estimator().Sent(n.next, size+8, r.since(time.Now())) // RFC 8285 section 4.2: a word of header, a word of content
	n.next++
}

// estimator returns that of the way out, made when it is first needed.
func (r *rate) estimator() *bwe.Estimator {
	if est := r.out.Load(); est != nil {
		return est
	}
	r.out.CompareAndSwap(nil, bwe.New())
	return r.out.Load()
}

// arrived looks at a packet from the peer.
func (r *rate) arrived(u *upTrack, p *packet) {
	at, size := r.since(p.at), len(p.raw)+bwe.Overhead
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case u.kind == Video:
		r.in.Picture(size, at)
	case !p.recovered:
		r.in.Voice(p.header.Timestamp, size, at)
	}
}

// feedback takes transport-wide feedback on what we sent: one packet of RTCP.
func (r *rate) feedback(raw []byte, at time.Time) {
	est := r.out.Load()
	if est == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if est.Feedback(raw, r.since(at)) != nil {
		r.link.conn.peer.node.met.refusedPackets.Inc()
	}
}

// estimate takes the receiver's own estimate: the content of application layer feedback
// (draft-alvestrand-rmcat-remb-03 section 2.2: "REMB", number of SSRCs, exponent of 6 bits, mantissa of 18).
func (r *rate) estimate(fci []byte, at time.Time) {
	if len(fci) < 8 || string(fci[:4]) != "REMB" {
		return
	}
	word := binary.BigEndian.Uint32(fci[4:])
	exp, mantissa := word>>18&0x3F, word&0x3FFFF
	bps := bwe.MaxBps
	if exp < 10 { // beyond it it is more than we ever give
		bps = min(bps, int(mantissa)<<exp)
	}
	r.limited(max(bps, 1), 0, 0, at)
}

// limited takes what the peer says of what it gets where it sends no feedback.
func (r *rate) limited(remb int, lost float64, sent int, at time.Time) {
	est := r.estimator()
	r.mu.Lock()
	defer r.mu.Unlock()
	est.Limit(remb, lost, sent, r.since(at))
}

// states returns what is known of both ways; ok is false for the way out where nothing is.
func (r *rate) states(now time.Duration, lostUp float64) (in, out bwe.State, ok bool) {
	est := r.out.Load()
	spoken := r.spoken.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in.Lost(lostUp, now)
	in = r.in.State(now)
	if d := now - r.looked; d >= time.Second {
		if est != nil {
			est.Voice(int(float64(8*(spoken-r.words)) / d.Seconds()))
		}
		r.words, r.looked = spoken, now
	}
	if est == nil {
		return in, bwe.State{}, false
	}
	return in, est.State(now), true
}

// pictures is how many bits a second of pictures came lately.
func (r *rate) pictures(now time.Duration) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.in.State(now).Acked
}

// jitter is that of the peer's words on their way to us.
func (r *rate) jitter() time.Duration {
	worst := time.Duration(0)
	for _, u := range r.link.conn.tracks() {
		if u.kind == Audio && u.info.ClockRate > 0 {
			u.hearing.mu.Lock()
			ticks := u.hearing.stats.Jitter()
			u.hearing.mu.Unlock()
			worst = max(worst, time.Duration(ticks)*time.Second/time.Duration(u.info.ClockRate))
		}
	}
	return worst
}

// lostUp is the loss of the peer's words on their way to us, before any repair.
func (r *rate) lostUp() float64 {
	worst := 0.0
	for _, u := range r.link.conn.tracks() {
		if u.kind == Audio {
			worst = max(worst, u.lossUp())
		}
	}
	return worst
}

// lostDown is the loss of words on their way to the peer, before any repair.
func (r *rate) lostDown(now time.Time) float64 {
	worst := 0.0
	for _, d := range r.link.conn.audio {
		worst = max(worst, d.loss.lately(now.UnixNano()))
	}
	return worst
}

// section returns the section in which the peer may send pictures, nil for none.
func (r *rate) section() *agreed.Section {
	sections := *r.link.sections.Load()
	for i := range sections {
		if sections[i].Kind == string(Video) && sections[i].Sends {
			return &sections[i]
		}
	}
	return nil
}

// tells reports whether the peer will tell when pictures arrive.
func (r *rate) tells() bool {
	for _, d := range r.link.conn.video {
		if b := d.bound.Load(); b != nil && b.wide != 0 {
			return true
		}
	}
	return false
}

// blinded reports whether no pictures go to a peer because its way has no room.
func blinded(p *peer) bool {
	c := p.current()
	return c != nil && c.rate.blind.Load()
}
