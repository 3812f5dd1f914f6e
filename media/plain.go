package media

// The plain way: media goes through Pion's sessions. It is for connections over TCP, whose streams Pion
// frames, and the reference that tests hold the direct way against.

import (
	"errors"
	"sync"
	"time"

	"jedel/media/codec"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// queue holds packets for one connection's writer.
type queue struct {
	tickets chan *ticket
	done    chan struct{} // closed with the connection
	free    sync.Pool
}

// ticket is a copy of a packet with the slot it is for.
type ticket struct {
	d   *downTrack
	p   packet
	h   rtp.Header
	buf [mtu]byte
}

// push queues a packet and, when the peer is slow, drops the oldest first: late audio is worth less
// than fresh audio. It never blocks.
func (q *queue) push(d *downTrack, p *packet, met *metrics) {
	t, ok := q.free.Get().(*ticket)
	if !ok {
		t = new(ticket)
	}
	if len(p.payload) > len(t.buf) {
		met.writeErrors.Inc()
		return
	}
	t.d, t.p, t.h = d, *p, *p.header
	t.h.Extensions, t.h.CSRC = nil, nil
	t.p.header, t.p.raw, t.p.payload = &t.h, nil, t.buf[:copy(t.buf[:], p.payload)]
	for range 3 {
		select {
		case q.tickets <- t:
			return
		default:
		}
		select {
		case old := <-q.tickets:
			q.free.Put(old)
			met.queueDrops.Inc()
		default:
		}
	}
	q.free.Put(t)
	met.queueDrops.Inc()
}

// plain begins the plain way out.
func (e *egress) plain() {
	if !e.way.CompareAndSwap(wayNone, wayPlain) {
		return
	}
	e.conn.start(e.writeLoop)
	for _, s := range e.conn.senders {
		e.conn.start(func() { e.conn.rtcpLoop(s.Read) })
	}
}

// writeLoop sends what is queued until the connection ends.
func (e *egress) writeLoop() {
	for {
		select {
		case t := <-e.queue.tickets:
			e.deliver(t)
			e.queue.free.Put(t)
		case <-e.queue.done:
			return
		}
	}
}

// deliver sends one packet of the queue.
func (e *egress) deliver(t *ticket) {
	met := e.conn.peer.node.met
	e.mu.Lock()
	payload, f := t.d.next(&t.p)
	if f == fateSend {
		f = e.first(t.d, payload, nil)
	}
	e.mu.Unlock()
	met.note(f, len(payload))
	if f == fateKey {
		t.p.up.requestKeyframe(t.p.at)
	}
}

// through sends a packet through Pion and returns it, not sealed. The lock is held.
func (e *egress) through(d *downTrack, h *rtp.Header, payload []byte) []byte {
	w := d.writer.Load()
	if w == nil {
		return nil
	}
	if _, err := (*w).WriteRTP(h, payload); err != nil {
		return nil
	}
	m := &e.one[0]
	if m.B == nil {
		m.B = make([]byte, outSize)
	}
	n, err := h.MarshalTo(m.B)
	if err != nil {
		return nil
	}
	return m.B[:n+copy(m.B[n:], payload)]
}

// onTrack reads a track of a plain way. On a direct one no packet ever comes here but the first few that
// arrived before it was known.
func (l *link) onTrack(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	at, ok := -1, false
	if tr := r.RTPTransceiver(); tr != nil {
		at, ok = (*l.sections.Load()).ByMid(tr.Mid())
	}
	if !ok {
		return
	}
	p := t.Codec()
	u := l.track(at, TrackInfo{
		RID: t.RID(), Codec: codec.Name(p.MimeType), ClockRate: p.ClockRate, Channels: p.Channels, Fmtp: p.SDPFmtpLine,
		PayloadType: uint8(p.PayloadType), SSRC: uint32(t.SSRC()), RTXSSRC: uint32(t.RtxSSRC()),
	})
	l.conn.start(func() { l.conn.rtcpLoop(r.Read) })
	l.conn.start(func() { l.conn.readLoop(u, t) })
}

// readLoop reads packets until the track ends.
func (l *link) readLoop(u *upTrack, t *webrtc.TrackRemote) {
	var h rtp.Header
	buf := make([]byte, datagramSize)
	known := false
	defer func() {
		if known {
			l.conn.ended(u)
		}
	}()
	for {
		n, attrs, err := t.Read(buf)
		if errors.Is(err, webrtc.ErrCodecNotFound) { // one packet of a type that was not agreed on, not the end
			l.conn.peer.node.met.refusedPackets.Inc()
			continue
		}
		if err != nil {
			return
		}
		now := time.Now()
		if l.out.way.Load() == wayDirect {
			continue
		}
		if !known {
			known = true
			l.conn.begun(u)
		}
		h = rtp.Header{Extensions: h.Extensions[:0], CSRC: h.CSRC[:0]}
		if _, err := h.Unmarshal(buf[:n]); err != nil {
			continue
		}
		_, recovered := attrs[webrtc.AttributeRtxSsrc]
		l.in.mu.Lock()
		l.feedback.arrived(&h, now)
		l.in.mu.Unlock()
		p := packet{up: u, raw: buf[:n], header: &h, at: now, recovered: recovered}
		u.take(&p, nil)
	}
}

// rtcpLoop reads what Pion has for one of its streams.
func (l *link) rtcpLoop(read func([]byte) (int, interceptor.Attributes, error)) {
	buf := make([]byte, datagramSize)
	for {
		n, _, err := read(buf)
		if err != nil {
			return
		}
		if l.out.way.Load() != wayDirect {
			l.in.mu.Lock()
			l.feedback.control(buf[:n], time.Now(), nil)
			l.in.mu.Unlock()
		}
	}
}
