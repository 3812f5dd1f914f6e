package media

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"jedel/media/compound"
	"jedel/media/report"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// What is said to peers, and how often.
const (
	// feedbackTick is how finely it is timed. A request that waits longer costs that much of a recovery.
	feedbackTick = 10 * time.Millisecond
	// reportEvery is the time between reports on a source and of a slot. Senders fit their redundancy
	// to them: longer leaves them at yesterday's loss.
	reportEvery = time.Second
	// arrivalsEvery is the time between two transport-wide reports, as browsers have it on a thin link.
	arrivalsEvery = 100 * time.Millisecond
	// controlSize is about how long a compound packet may become before it is sent.
	controlSize = 1000
	// never is a time that does not come.
	never = math.MaxInt64
)

// feedback is what is to be said to a peer about the way between it and us.
type feedback struct {
	conn   *conn
	due    atomic.Int64  // when something is, Unix nanoseconds
	rtt    atomic.Int64  // the round trip by reports, smoothed, nanoseconds; 0: unknown
	seqExt atomic.Uint32 // the number of the header extension of transport-wide sequence numbers; 0: none
	told   atomic.Int64  // when arrivals are to be told, Unix nanoseconds; 0: nothing came

	// Guarded by the connection's in.mu.
	arrivals *twcc.Recorder
	asking   allowance // of requests for packets that we sent
	asked    []uint16
	scratch  []byte

	mu     sync.Mutex    // guards origin
	origin report.Origin // the peer's clock

	reported int64 // when last; the node's reporter owns it
}

// wake says that there is something to say at time at.
func (f *feedback) wake(at int64) {
	for {
		due := f.due.Load()
		if due <= at || f.due.CompareAndSwap(due, at) {
			return
		}
	}
}

// trip notes a measured round trip.
func (f *feedback) trip(d time.Duration) {
	old := f.rtt.Load()
	if old == 0 {
		old = int64(d)
	}
	f.rtt.Store(max(1, old+(int64(d)-old)/4))
}

// arrived notes the transport-wide number of a packet. c.in.mu is held.
func (f *feedback) arrived(h *rtp.Header, at time.Time) {
	id := f.seqExt.Load()
	if id == 0 {
		return
	}
	b := h.GetExtension(uint8(id))
	if len(b) < 2 {
		return
	}
	if f.arrivals == nil {
		f.arrivals = twcc.NewRecorder(f.conn.ssrc)
	}
	f.arrivals.Record(h.SSRC, uint16(b[0])<<8|uint16(b[1]), at.Sub(f.conn.peer.node.start).Microseconds())
	if next := at.Add(arrivalsEvery).UnixNano(); f.told.CompareAndSwap(0, next) {
		f.wake(next)
	}
}

// reporter says to all peers what there is to say. One goroutine owns it.
type reporter struct {
	node   *Node
	box    outbox
	raw    []byte
	seqs   []uint16
	ups    []*upTrack
	blocks []compound.Block
}

// run says it until ctx ends.
func (r *reporter) run(ctx context.Context) {
	tick := time.NewTicker(feedbackTick)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			r.all(now)
		case <-ctx.Done():
			return
		}
	}
}

// all goes through the connections.
func (r *reporter) all(now time.Time) {
	conns := r.node.conns.Load()
	if conns == nil {
		return
	}
	at := now.UnixNano()
	for _, c := range *conns {
		if c.feedback.due.Load() <= at && c.out.way.Load() != wayNone {
			r.one(c, at)
		}
	}
	r.box.flush(r.node.met)
}

// one says to a peer what is due and notes when there is more.
func (r *reporter) one(c *conn, at int64) {
	f := &c.feedback
	f.due.Store(never)
	r.raw = r.raw[:0]
	r.ups = c.tracks()
	if at-f.reported >= int64(reportEvery) {
		f.reported = at
		r.reports(c, at)
	}
	next := f.reported + int64(reportEvery)
	for _, u := range r.ups {
		next = min(next, r.requests(u, at), u.morePoured(at, &r.box))
	}
	for _, d := range c.audio {
		next = min(next, d.echo(at, &r.box))
	}
	next = min(next, r.arrivals(c, at))
	r.send(c)
	f.wake(next)
}

// send sends what is collected.
func (r *reporter) send(c *conn) {
	if len(r.raw) == 0 {
		return
	}
	if err := c.writeControl(r.raw, &r.box); err != nil {
		r.node.met.writeErrors.Inc()
	}
	r.raw = r.raw[:0]
}

// echoes is how often each request for a packet is made again where so much is lost.
func echoes(k Kind, loss float64) uint8 {
	switch {
	case k != Audio || loss <= echoLoss:
		return 0
	case loss <= 2*echoLoss:
		return 1
	}
	return 2
}

// requests asks a source for what is missing and returns when there is more to ask.
func (r *reporter) requests(u *upTrack, at int64) int64 {
	c, h := u.conn, &u.hearing
	h.mu.Lock()
	h.missing.Echo(echoes(u.kind, u.lossUp()))
	r.seqs = h.missing.Due(at, c.feedback.roundTrip(), r.seqs[:0])
	next, ok := h.missing.Next()
	h.mu.Unlock()
	if len(r.seqs) > 0 {
		r.node.met.asked.Add(float64(len(r.seqs)))
		r.raw = compound.AppendNACK(r.raw, c.ssrc, u.ssrc, r.seqs)
		if len(r.raw) > controlSize {
			r.send(c)
		}
	}
	if !ok {
		return never
	}
	return next
}

// roundTrip is that to the peer, 0 while it is unknown.
func (f *feedback) roundTrip() time.Duration { return time.Duration(f.rtt.Load()) }

// arrivals tells when packets came and returns when to look again. While packets come, arrived wakes us.
func (r *reporter) arrivals(c *conn, at int64) int64 {
	f := &c.feedback
	told := f.told.Load()
	switch {
	case told == 0:
		return never
	case told > at:
		return told
	}
	c.in.mu.Lock()
	f.told.Store(0)
	packets := f.arrivals.BuildFeedbackPacket()
	c.in.mu.Unlock()
	for _, p := range packets {
		raw, err := rtcp.Marshal([]rtcp.Packet{p})
		if err != nil || len(raw) > mtu {
			continue
		}
		if len(r.raw)+len(raw) > controlSize {
			r.send(c)
		}
		r.raw = append(r.raw, raw...)
	}
	return never
}

// reports appends what was received and what was sent (RFC 3550 section 6.4).
func (r *reporter) reports(c *conn, at int64) {
	r.blocks = r.blocks[:0]
	for _, u := range r.ups {
		h := &u.hearing
		h.mu.Lock()
		heard := h.stats.Heard()
		b := h.stats.Block(u.ssrc, at)
		h.mu.Unlock()
		if !heard {
			continue
		}
		if u.kind == Audio { // the encoder's own redundancy is for all who listen, not for us alone
			b.Fraction = max(b.Fraction, report.Fraction(worstLoss(c.peer.receivers(Audio), at)))
		}
		r.blocks = append(r.blocks, b)
	}
	if len(r.blocks) > 0 {
		r.raw = compound.AppendRR(r.raw, c.ssrc, r.blocks)
	}
	for _, slots := range [2][]*downTrack{c.audio, c.video} {
		for _, d := range slots {
			ssrc, info, ok := d.report(at)
			if !ok {
				continue
			}
			if d.kind == Audio {
				d.deepen(c.feedback.roundTrip(), at)
			}
			r.raw = compound.AppendCNAME(compound.AppendSR(r.raw, ssrc, info, nil), ssrc, d.StreamID())
		}
	}
	if c.feedback.roundTrip() == 0 { // nobody has told us yet: ICE knows
		if _, rtt := c.path(); rtt > 0 {
			c.feedback.rtt.CompareAndSwap(0, int64(rtt))
		}
	}
	if len(r.raw) > controlSize {
		r.send(c)
	}
}
