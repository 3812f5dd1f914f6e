package media

// The way of a packet, in the order of this file:
//
//	upTrack.readLoop   reads it from SRTP into a pooled buffer,
//	upTrack.take       gives a copy of the bytes to the tap, parses the header once, counts,
//	egress.push        hands it to the queue of each receiving connection: never waits, drops the
//	                   oldest first and counts,
//	egress.writeLoop   one goroutine per connection,
//	downTrack.send     rewrites numbers so that the slot stays continuous, and writes.
//
// No lock, no allocation, no log line on this way. A packet has one reference per queue it is in;
// the last to let go returns it to the pool.

import (
	"sync"
	"sync/atomic"
	"time"

	"jedel/media/codec"
	"jedel/media/rewrite"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// packet is one RTP packet on its way. Pooled: whoever holds the last reference puts it back.
type packet struct {
	refs    atomic.Int32
	up      *upTrack
	header  rtp.Header
	payload []byte // within buf
	at      int64  // nanoseconds since the node's start
	buf     [mtu]byte
}

type pool struct{ p sync.Pool }

func (l *pool) get() *packet {
	if p, ok := l.p.Get().(*packet); ok {
		return p
	}
	return new(packet)
}

func (l *pool) release(p *packet) {
	if p.refs.Add(-1) == 0 {
		p.up, p.payload = nil, nil
		l.p.Put(p)
	}
}

// readLoop reads packets until the track ends.
func (u *upTrack) readLoop() {
	first := true
	for {
		p := u.conn.packets.get()
		p.refs.Store(1)
		n, attrs, err := u.track.Read(p.buf[:])
		if err != nil {
			u.conn.packets.release(p)
			return
		}
		_, recovered := attrs[webrtc.AttributeRtxSsrc]
		u.take(p, n, time.Now(), recovered)
		if first {
			first = false
			u.conn.event(Event{Kind: FirstPacket, Track: u.kind})
		}
	}
}

// take is what becomes of one packet. The tap comes before parsing: what arrived is recorded
// whether or not it makes sense.
func (u *upTrack) take(p *packet, n int, at time.Time, recovered bool) {
	met := u.conn.peer.node.met
	met.received.Inc()
	if t := u.tap.Load(); t != nil {
		t.RTP(at, p.buf[:n], recovered)
	}
	u.conn.peer.lastPacket.Store(at.UnixNano())
	u.conn.peer.packetCount.Add(1)
	size, err := p.header.Unmarshal(p.buf[:n])
	if err != nil {
		u.conn.packets.release(p)
		return
	}
	end := n
	if p.header.Padding && n > size {
		end -= int(p.buf[n-1])
	}
	if end <= size { // nothing but padding
		u.count(p.header.SequenceNumber, recovered, at)
		u.conn.packets.release(p)
		return
	}
	p.up, p.payload, p.at = u, p.buf[size:end], at.Sub(u.conn.peer.node.start).Nanoseconds()
	u.count(p.header.SequenceNumber, recovered, at)
	if u.kind == Video && codec.Keyframe(u.mime, p.payload) {
		u.lastKey.Store(at.UnixNano())
	}
	if down := u.conn.peer.receivers(u.kind); down != nil {
		for _, d := range *down {
			p.refs.Add(1)
			d.out.push(ticket{p, d}, &u.conn.packets, met)
		}
	}
	u.conn.packets.release(p)
}

// ticket is a packet in a queue with the slot it is for.
type ticket struct {
	p *packet
	d *downTrack
}

// egress is the way out of one connection.
type egress struct {
	queue chan ticket
	done  chan struct{} // closed with the connection
}

// push queues t and, when the peer is slow, drops the oldest packet first: late audio is worth
// less than fresh audio. It never blocks.
func (e *egress) push(t ticket, packets *pool, met *metrics) {
	for range 3 {
		select {
		case e.queue <- t:
			return
		default:
		}
		select {
		case old := <-e.queue:
			packets.release(old.p)
			met.queueDrops.Inc()
		default:
		}
	}
	packets.release(t.p)
	met.queueDrops.Inc()
}

// writeLoop sends what is queued until the connection ends.
func (e *egress) writeLoop(packets *pool, met *metrics) {
	for {
		select {
		case t := <-e.queue:
			t.d.send(t.p, met)
			packets.release(t.p)
		case <-e.done:
			return
		}
	}
}

// send rewrites one packet for its slot and writes it. Only the connection's writer calls it.
func (d *downTrack) send(p *packet, met *metrics) {
	b := d.bound.Load()
	if b == nil {
		return
	}
	pt, ok := b.payloadType(p.up.mime)
	if !ok {
		met.stale.Inc()
		return
	}
	if d.source != p.up.id && d.kind == Video && !codec.Keyframe(p.up.mime, p.payload) {
		met.waitKey.Inc()
		p.up.requestKeyframe(time.Now())
		return
	}
	d.source = p.up.id
	out, switched, ok := d.stream.Next(p.up.id, rewrite.Packet{Seq: p.header.SequenceNumber, TS: p.header.Timestamp}, p.at)
	if !ok {
		met.stale.Inc()
		return
	}
	payload := p.payload
	if p.up.mime == codec.VP8 {
		payload = d.scratch[:copy(d.scratch[:], payload)]
		d.stream.VP8(payload, switched)
	}
	d.header = rtp.Header{
		Version: 2, Marker: p.header.Marker, PayloadType: pt, SequenceNumber: out.Seq, Timestamp: out.TS, SSRC: b.ssrc,
	}
	if _, err := b.writer.WriteRTP(&d.header, payload); err != nil {
		met.writeErrors.Inc()
		return
	}
	met.forwarded.Inc()
	met.bytes.Add(float64(len(payload)))
}
