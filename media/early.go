package media

import (
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/ident"
	"jedel/media/bwe"
	"jedel/media/early"

	"github.com/pion/rtp"
)

// earlyMost bounds what is kept of all sources together, in bytes.
const earlyMost = 64 << 20

// pouring is how much faster than the estimate of a way what was kept goes out, as browsers pace pictures.
const pouring = 2.5

// Early says what of a client's sound and pictures is kept until somebody listens.
type Early struct{ Audio, Video bool }

// earlyKinds are the kinds that are kept for who listens first. The zero value is none.
type earlyKinds struct{ bits atomic.Uint32 }

func bitOf(k Kind) uint32 {
	if k == Video {
		return 2
	}
	return 1
}

// keeps reports whether packets of a kind are kept while nobody listens.
func (e *earlyKinds) keeps(k Kind) bool { return e.bits.Load()&bitOf(k) != 0 }

// end keeps nothing of a kind any more.
func (e *earlyKinds) end(k Kind) { e.bits.And(^bitOf(k)) }

// SetEarly says what of what the client sends from now on is kept for the first who listens; what is no longer wanted
// is forgotten. It ends by itself when somebody listens.
func (n *Node) SetEarly(id ident.ClientID, e Early) {
	p := n.find(id)
	if p == nil {
		return
	}
	bits := uint32(0)
	if e.Audio {
		bits |= bitOf(Audio)
	}
	if e.Video {
		bits |= bitOf(Video)
	}
	p.early.bits.Store(bits)
	if c := p.current(); c != nil {
		for _, u := range c.tracks() {
			if !p.early.keeps(u.kind) {
				u.forgetEarly(false)
			}
		}
	}
}

// heldBack is what is kept of one track. It exists while nobody listens, and until all of it has been passed on.
type heldBack struct {
	mu     sync.Mutex // guards the rest; taken after the connection's in.mu and before any egress's
	store  early.Store
	bytes  int // of memory, as counted in the node
	pace   early.Pace
	poured bool // somebody listens
	over   bool
	header rtp.Header
}

// hold keeps a packet for who will listen first, or lets it wait for those before it; true where it is not to be
// handed on. The track's reader calls it.
func (u *upTrack) hold(p *packet, key bool, box *outbox) bool {
	peer := u.conn.peer
	h := u.held.Load()
	if h == nil {
		if !peer.early.keeps(u.kind) || peer.node.early.Load() > earlyMost {
			return true // nobody listened a moment ago
		}
		h = &heldBack{store: early.Sound()}
		if u.kind == Video {
			h.store = early.Pictures()
		}
		u.held.Store(h) // before the look at the receivers: who makes a route looks the other way round
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	down := peer.receivers(u.kind)
	switch {
	case h.over:
		return down == nil
	case down == nil && (h.poured || !peer.early.keeps(u.kind)):
		h.end(u)
		return true
	case down != nil && !h.poured && !u.begin(h, *down, p.at.UnixNano()):
		return false
	}
	kept := h.store.Put(p.raw, p.header.SequenceNumber, p.header.Timestamp, key, p.at.UnixNano())
	h.count(u)
	if down == nil {
		return true
	}
	if !kept { // more came than went
		h.end(u)
		u.requestKeyframe(p.at)
		return true
	}
	u.pour(h, *down, p.at.UnixNano(), box)
	return true
}

// listened passes on what is kept, since somebody listens now, and asks for a key frame where there is none.
func (u *upTrack) listened(now time.Time) {
	if h := u.held.Load(); h != nil {
		h.mu.Lock()
		down := u.conn.peer.receivers(u.kind)
		ok := down != nil && !h.over && (h.poured || u.begin(h, *down, now.UnixNano()))
		if ok {
			u.pour(h, *down, now.UnixNano(), nil)
		}
		h.mu.Unlock()
		if ok {
			return
		}
	}
	if u.kind == Video {
		u.renewKeyframe(now)
	}
}

// begin begins to pass on what is kept; where that would not show the present, or take too long, it is forgotten.
// h.mu is held.
func (u *upTrack) begin(h *heldBack, down []*downTrack, at int64) bool {
	h.pace = early.NewPace(bearable(down, time.Unix(0, at)), at)
	if u.conn.peer.live.Load() != u.conn || !h.store.Open(at) || !h.pace.Bears(h.store.Waiting()) {
		h.end(u)
		return false
	}
	h.poured = true
	return true
}

// bearable is how many bits a second what is kept may take on the ways of all who listen.
func bearable(down []*downTrack, now time.Time) int {
	bps := bwe.MaxBps
	for _, d := range down {
		r, room := &d.owner.rate, bwe.StartBps
		if est := r.out.Load(); est != nil {
			r.mu.Lock()
			room = est.State(r.since(now)).Bps
			r.mu.Unlock()
		}
		bps = min(bps, room)
	}
	return int(pouring * float64(bps))
}

// pour hands on as much as the pace allows, and returns when there is more. h.mu is held.
func (u *upTrack) pour(h *heldBack, down []*downTrack, at int64, box *outbox) int64 {
	for n := h.store.Size(); n > 0; n = h.store.Size() {
		if !h.pace.Take(n, at) {
			next := at + int64(feedbackTick)
			u.conn.feedback.wake(next)
			return next
		}
		u.handEarly(h, h.store.Next(), down, at, box)
	}
	h.end(u)
	return never
}

// handEarly hands one packet that was kept to who listens, as take does with one that has just come.
func (u *upTrack) handEarly(h *heldBack, raw []byte, down []*downTrack, at int64, box *outbox) {
	h.header = rtp.Header{Extensions: h.header.Extensions[:0], CSRC: h.header.CSRC[:0]}
	if _, err := h.header.Unmarshal(raw); err != nil {
		return
	}
	p := packet{up: u, raw: raw, header: &h.header, at: time.Unix(0, at), mime: u.mimeOf(h.header.PayloadType)}
	if p.payload = payloadOf(raw, p.header); len(p.payload) == 0 {
		return
	}
	if u.kind == Audio {
		u.speak(&p, down, box)
		return
	}
	u.hearing.keep(p.header.SequenceNumber, raw)
	for _, d := range down {
		d.owner.out.put(d, &p, box)
	}
}

// morePoured passes on what still waits, and returns when there is more. The node's reporter calls it.
func (u *upTrack) morePoured(at int64, box *outbox) int64 {
	h := u.held.Load()
	if h == nil {
		return never
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || !h.poured {
		return never
	}
	down := u.conn.peer.receivers(u.kind)
	if down == nil {
		h.end(u)
		return never
	}
	return u.pour(h, *down, at, box)
}

// forgetEarly drops what is kept, even what somebody listens to already where the track has ended.
func (u *upTrack) forgetEarly(ended bool) {
	if h := u.held.Load(); h != nil {
		h.mu.Lock()
		if !h.over && (ended || !h.poured) {
			h.end(u)
		}
		h.mu.Unlock()
	}
}

// end gives the memory back. h.mu is held.
func (h *heldBack) end(u *upTrack) {
	h.over, h.store = true, early.Store{}
	h.count(u)
	u.held.Store(nil)
}

// count notes in the node how much memory is taken. h.mu is held.
func (h *heldBack) count(u *upTrack) {
	now := h.store.Held()
	u.conn.peer.node.early.Add(int64(now - h.bytes))
	h.bytes = now
}

// renewKeyframe asks for a key frame for who has just begun to look: at once where the last request has been answered.
func (u *upTrack) renewKeyframe(now time.Time) {
	if last := u.lastPLI.Load(); u.lastKey.Load() > last {
		u.lastPLI.CompareAndSwap(last, 0)
	}
	u.requestKeyframe(now)
}
