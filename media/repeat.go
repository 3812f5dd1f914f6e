package media

import (
	"encoding/binary"
	"math"
	"sync/atomic"
	"time"

	"jedel/media/codec"
	"jedel/media/compound"
	"jedel/media/pktcache"
	"jedel/media/report"

	"github.com/pion/rtp"
)

// What a slot keeps and gives of what it has sent.
const (
	soundBytes, soundSlots = 24 << 10, 128 // 1 to 2.5 s of sound, by its redundancy
	// repeatBurst is how many bytes may be repeated beyond those sent since. All in all a receiver gets
	// no more again than it was sent: who asks for everything does not get a second stream.
	repeatBurst = 32 << 10
	// repeatFloor is the shortest time between two repetitions of one packet, else half a round trip.
	repeatFloor = 15 * time.Millisecond
	// Where more than echoLoss is lost a repetition of sound is sent a second time after echoAfter, for at
	// most echoMost packets at a time: half of what was asked for with luck would be lost once more.
	echoLoss  = 0.2
	echoAfter = 15 * time.Millisecond
	echoMost  = 32
	// askedMost is how many packets one request may name, and askedRate how many a second are looked up.
	askedMost, askedRate = 256, 2000
	// lossFresh is how long a receiver's word about its loss holds. Browsers that only hear report every
	// 2.5 to 7.5 s.
	lossFresh = 8 * time.Second
)

// repeats is what a slot remembers of what it has sent. It is guarded by the connection's egress.
type repeats struct {
	sealed  pktcache.Cache // packets as they went out, where they go out again on the same SSRC
	asked   []asked        // by sequence number; nil before the first request
	echoes  []asked        // to be repeated once more, and when
	credit  int            // bytes that may be repeated
	rtxSeq  uint16
	packets uint32
	octets  uint32 // of payloads

	reported uint32 // packets at the last report
	wanted   uint32 // packets asked for since then, each once
}

// asked is a packet that was asked for.
type asked struct {
	seq uint16
	at  uint32 // ms
}

// sent notes a packet, as it went out.
func (r *repeats) sent(seq uint16, b []byte, payload int, repeatable bool) {
	r.packets++
	r.octets += uint32(payload)
	r.credit = min(r.credit+len(b), repeatBurst)
	if repeatable {
		r.sealed.Put(seq, b)
	}
}

// may reports whether a packet that is asked for at millisecond now is to be repeated, and notes it.
func (r *repeats) may(seq uint16, now, gap uint32) bool {
	if r.asked == nil {
		r.asked = make([]asked, soundSlots)
	}
	a := &r.asked[seq%soundSlots]
	again := a.seq == seq && a.at != 0
	if again && now-a.at < gap {
		return false
	}
	if !again {
		r.wanted++
	}
	*a = asked{seq, max(1, now)}
	return true
}

// lossTold is the loss that a receiver told of, with its time. Its zero value is none.
type lossTold struct {
	share atomic.Uint64 // bits of a float, 0..1
	at    atomic.Int64  // Unix nanoseconds
}

func (l *lossTold) note(share float64, at time.Time) {
	l.share.Store(math.Float64bits(share))
	l.at.Store(at.UnixNano())
}

// lately is the loss, 0 where the word is old.
func (l *lossTold) lately(at int64) float64 {
	if at-l.at.Load() > int64(lossFresh) {
		return 0
	}
	return math.Float64frombits(l.share.Load())
}

// worstLoss is the loss of who hears a source worst.
func worstLoss(down *[]*downTrack, at int64) float64 {
	worst := 0.0
	if down != nil {
		for _, d := range *down {
			worst = max(worst, d.loss.lately(at))
		}
	}
	return worst
}

// repeat answers a request for packets of a slot (RFC 4585 section 6.2.1). c.in.mu is held.
func (f *feedback) repeat(media uint32, fci []byte, at time.Time, box *outbox) {
	d := f.slot(media)
	if d == nil {
		return
	}
	if f.asked == nil {
		f.asked = make([]uint16, 0, askedMost)
	}
	seqs := compound.Lost(fci, f.asked[:0])
	if !f.asking.take(len(seqs), at) {
		f.conn.peer.node.met.unanswered.Add(float64(len(seqs)))
		return
	}
	for _, seq := range seqs {
		if f.again(d, seq, at, box) {
			f.conn.peer.node.met.repeated.Inc()
		} else {
			f.conn.peer.node.met.unanswered.Inc()
		}
	}
}

// allowance bounds how much is done for a peer. Its zero value is full.
type allowance struct {
	used int
	at   time.Time
}

// take takes n out of askedRate a second, and of as many at once.
func (a *allowance) take(n int, at time.Time) bool {
	a.used = max(0, a.used-int(at.Sub(a.at).Seconds()*askedRate))
	a.at = at
	if a.used+n > askedRate {
		return false
	}
	a.used += n
	return true
}

// again sends a packet of a slot once more: the very bytes where it goes on the same SSRC, since another
// text under one number would give the key away, else as a repetition (RFC 4588).
func (f *feedback) again(d *downTrack, seq uint16, at time.Time, box *outbox) bool {
	e, gap := &f.conn.out, max(repeatFloor, f.roundTrip()/2)
	e.mu.Lock()
	if !d.repeats.may(seq, uint32(at.UnixMilli()), uint32(gap.Milliseconds())) {
		e.mu.Unlock()
		return false
	}
	if b := d.repeats.sealed.Get(seq); b != nil {
		ok := d.repeats.credit >= len(b) && e.emit(d, b, box)
		if ok {
			d.repeats.credit -= len(b)
		}
		if ok && d.loss.lately(at.UnixNano()) > echoLoss && len(d.repeats.echoes) < echoMost {
			due := at.Add(echoAfter)
			d.repeats.echoes = append(d.repeats.echoes, asked{seq, uint32(due.UnixMilli())})
			f.wake(due.UnixNano())
		}
		e.mu.Unlock()
		return ok
	}
	d.repeats.sealed.Grow()
	source := d.source
	original, ok := d.stream.Original(source, seq)
	e.mu.Unlock()
	if !ok {
		return false
	}
	u := d.feeder(source)
	if u == nil || u.kind != Video {
		return false
	}
	if f.scratch == nil {
		f.scratch = make([]byte, datagramSize)
	}
	n := u.hearing.packetSent(original, f.scratch)
	if n == 0 {
		return false
	}
	return e.repetition(d, u, f.scratch[:n], box)
}

// echo repeats sound once more that was repeated a moment ago, where most is lost, and returns when there
// is more. The node's reporter calls it.
func (d *downTrack) echo(at int64, box *outbox) int64 {
	e := &d.owner.out
	e.mu.Lock()
	defer e.mu.Unlock()
	now, r := uint32(at/1e6), &d.repeats
	kept := r.echoes[:0]
	for _, a := range r.echoes {
		if int32(a.at-now) > 0 {
			kept = append(kept, a)
			continue
		}
		if b := r.sealed.Get(a.seq); b != nil && r.credit >= len(b) && e.emit(d, b, box) {
			r.credit -= len(b)
			e.conn.peer.node.met.repeated.Inc()
		}
	}
	if r.echoes = kept; len(kept) == 0 {
		return never
	}
	return at + int64(feedbackTick)
}

// feeder returns the track whose packets a slot carries, nil where it has ended.
func (d *downTrack) feeder(id uint64) *upTrack {
	from := d.from.Load()
	if from == nil {
		return nil
	}
	c := from.current()
	if c == nil {
		return nil
	}
	return c.find(func(u *upTrack) bool { return u.id == id })
}

// repetition sends a packet of u as a repetition in slot d: the number it had there stands before its
// payload (RFC 4588 section 4). raw is changed.
func (e *egress) repetition(d *downTrack, u *upTrack, raw []byte, box *outbox) bool {
	var in rtp.Header
	if _, err := in.Unmarshal(raw); err != nil {
		return false
	}
	payload := payloadOf(raw, &in)
	e.mu.Lock()
	defer e.mu.Unlock()
	b := d.bound.Load()
	if b == nil || b.rtx == 0 || d.source != u.id || len(payload)+2 > mtu {
		return false
	}
	t, ok := b.typeOf(u.mimeOf(in.PayloadType))
	if !ok || t.rtx == 0 || d.repeats.credit < len(raw) {
		return false
	}
	if t.mime == codec.VP8 {
		d.stream.VP8Again(payload)
	}
	n := 2 + copy(d.scratch[2:], payload)
	binary.BigEndian.PutUint16(d.scratch[:], d.stream.Sent(in.SequenceNumber))
	d.repeats.rtxSeq++
	h := rtp.Header{
		Version: 2, Marker: in.Marker, PayloadType: t.rtx, SequenceNumber: d.repeats.rtxSeq,
		Timestamp: in.Timestamp + d.stream.Shift(), SSRC: b.rtx,
	}
	d.repeats.credit -= len(raw)
	return e.write(d, &h, d.scratch[:n], box) != nil
}

// report returns the sender report of a slot at time at; false where it has sent nothing since the last
// one. It also notes what share of it the receiver missed.
func (d *downTrack) report(at int64) (ssrc uint32, info compound.SenderInfo, ok bool) {
	e := &d.owner.out
	b := d.bound.Load()
	if b == nil {
		return 0, info, false
	}
	e.mu.Lock()
	r := &d.repeats
	since, wanted := r.packets-r.reported, r.wanted
	r.reported, r.wanted = r.packets, 0
	last, lastAt, _ := d.stream.Last()
	shift, source := d.stream.Shift(), d.source
	info = compound.SenderInfo{NTP: report.NTP(at), Packets: r.packets, Octets: r.octets}
	e.mu.Unlock()
	if since == 0 {
		return 0, info, false
	}
	// A receiver that asks again reports only what was still missing then.
	loss := max(d.told.lately(at), min(1, float64(wanted)/float64(since)))
	d.loss.note(loss, time.Unix(0, at))
	info.RTP = report.Ahead(last, at-d.owner.peer.node.start.UnixNano()-lastAt, d.clock())
	if u := d.feeder(source); u != nil { // better than when packets came is when they were made
		u.hearing.mu.Lock()
		line := u.hearing.line
		u.hearing.mu.Unlock()
		u.conn.feedback.mu.Lock()
		origin := u.conn.feedback.origin
		u.conn.feedback.mu.Unlock()
		if ts, ok := line.RTP(origin, at); ok {
			info.RTP = ts + shift
		}
	}
	return b.ssrc, info, true
}
