package media

// The way of a packet, in the order of this file:
//
//	conn.datagram   the socket's reader opens it in place, finds its track, undoes a repetition,
//	upTrack.take    counts, gives the bytes to the tap, and hands it to each receiver,
//	upTrack.speak   undoes redundancy of sound and adds as much as the receiver needs (words.go),
//	egress.put      under the receiving connection's one lock:
//	downTrack.next  rewrites numbers so that the slot stays continuous,
//	egress.seal     seals it into the reader's outbox, which goes out when the batch is done.
//
// No other goroutine takes part, nothing is allocated, no log line is written. A connection whose way
// is TCP goes through Pion instead (plain.go): the same take and next, a queue and a writer of its own.

import (
	"time"

	"jedel/media/codec"
	"jedel/media/rewrite"

	"github.com/pion/rtp"
)

// packet is one RTP packet on its way. It belongs to who reads it; receivers do not keep it.
type packet struct {
	up        *upTrack
	raw       []byte      // the whole plain packet
	header    *rtp.Header // of raw
	payload   []byte      // of raw, without padding
	mime      string
	at        time.Time
	recovered bool // it came as a retransmission
}

// datagram takes one SRTP or SRTCP datagram of a direct leg.
func (l *link) datagram(b []byte, at time.Time, box *outbox) {
	if len(b) < 12 {
		return
	}
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	if l.in.session == nil {
		return
	}
	if pt := b[1]; pt >= 192 && pt <= 223 { // RFC 5761 section 4
		if raw, err := l.in.session.OpenRTCP(b); err == nil {
			l.feedback.control(raw, at, box)
			return
		}
		l.conn.peer.node.met.refusedPackets.Inc()
		return
	}
	raw, header, err := l.in.session.OpenRTP(b)
	if err != nil {
		l.conn.peer.node.met.refusedPackets.Inc()
		return
	}
	l.feedback.arrived(header, at)
	s := l.source(header)
	if s.up == nil {
		l.conn.peer.node.met.unknown.Inc()
		return
	}
	p := &l.in.packet
	*p = packet{up: s.up, raw: raw, header: header, at: at}
	if s.rtx && !p.restore(s) {
		return
	}
	s.up.take(p, box)
	s.up.survey()
}

// take is what becomes of one packet. The tap comes first: what arrived is recorded whether or not it
// makes sense.
func (u *upTrack) take(p *packet, box *outbox) {
	c := u.conn
	met := c.peer.node.met
	met.received.Inc()
	down := c.peer.receivers(u.kind)
	u.heard(p, down != nil)
	c.rate.arrived(u, p)
	if t := u.tap.Load(); t != nil {
		t.RTP(p.at, p.raw, p.recovered)
	}
	c.peer.lastPacket.Store(p.at.UnixNano())
	c.peer.packetCount.Add(1)
	if u.kind == Audio {
		c.peer.lastVoice.Store(p.at.UnixNano())
	}
	if !u.began.Swap(true) {
		c.event(Event{Kind: FirstPacket, Track: u.kind})
	}
	if p.payload = payloadOf(p.raw, p.header); len(p.payload) == 0 {
		return
	}
	p.mime = u.mimeOf(p.header.PayloadType)
	key := u.kind == Video && codec.Keyframe(p.mime, p.payload)
	if key {
		u.lastKey.Store(p.at.UnixNano())
	}
	if c.peer.live.Load() != c || (down == nil || u.held.Load() != nil) && u.hold(p, key, box) {
		return
	}
	if down == nil { // somebody has begun to listen
		if down = c.peer.receivers(u.kind); down == nil {
			return
		}
	}
	if u.kind == Audio {
		u.speak(p, *down, box)
		return
	}
	for _, d := range *down {
		d.owner.out.put(d, p, box)
	}
}

// payloadOf returns what follows the header, without padding; nothing where the padding says more than
// there is (RFC 3550 section 5.1).
func payloadOf(raw []byte, h *rtp.Header) []byte {
	begin, end := h.MarshalSize(), len(raw)
	if h.Padding && end > begin {
		end -= int(raw[end-1])
	}
	if end <= begin {
		return nil
	}
	return raw[begin:end]
}

// put sends a packet into a slot of this connection, or queues it where the way is plain.
func (e *egress) put(d *downTrack, p *packet, box *outbox) {
	met := e.conn.peer.node.met
	switch e.way.Load() {
	case wayDirect:
		e.mu.Lock()
		payload, fate := d.next(p)
		if fate == fateSend {
			fate = e.first(d, payload, box)
		}
		e.mu.Unlock()
		met.note(fate, len(payload))
		if fate == fateKey { // outside the lock: the source's connection has one, too
			p.up.requestKeyframe(p.at)
		}
	case wayPlain:
		e.queue.push(d, p, met)
	}
}

// next rewrites a packet for its slot into d.header and returns the payload, which is valid until the
// next call. The connection's lock is held.
func (d *downTrack) next(p *packet) ([]byte, fate) {
	b := d.bound.Load()
	if b == nil {
		return nil, fateUnbound
	}
	t, ok := b.typeOf(p.mime)
	if !ok {
		return nil, fateStale
	}
	if d.source != p.up.id && d.kind == Video && !codec.Keyframe(p.mime, p.payload) {
		return nil, fateKey
	}
	d.source = p.up.id
	at := p.at.Sub(d.owner.peer.node.start).Nanoseconds()
	out, switched, ok := d.stream.Next(p.up.id, rewrite.Packet{Seq: p.header.SequenceNumber, TS: p.header.Timestamp}, at)
	if !ok {
		return nil, fateStale
	}
	payload := p.payload
	if p.mime == codec.VP8 {
		payload = d.scratch[:copy(d.scratch[:], payload)]
		d.stream.VP8(payload, switched)
	}
	d.header = rtp.Header{
		Version: 2, Marker: p.header.Marker, PayloadType: t.pt, SequenceNumber: out.Seq, Timestamp: out.TS, SSRC: b.ssrc,
	}
	return payload, fateSend
}
