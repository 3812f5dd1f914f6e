package media

import (
	"sync"

	"jedel/media/nack"
	"jedel/media/pktcache"
	"jedel/media/report"
)

// What a source of pictures keeps for those who ask for packets again: a second of 1 Mbit/s.
const (
	sentBytes = 128 << 10
	sentSlots = 256
)

// hearing is what is known of the packets of one source: which came, which to ask for again, and which
// moment their timestamps mean.
type hearing struct {
	mu      sync.Mutex // guards the rest
	missing nack.Generator
	stats   report.Receiver
	since   int64 // when its window of loss began, Unix nanoseconds
	line    report.Line
	sent    pktcache.Cache // pictures as they came
}

// begin sets up what is known of u: nothing.
func (h *hearing) begin(u *upTrack) {
	rules := nack.Audio()
	if u.kind == Video {
		rules = nack.Video()
		h.sent = pktcache.New(sentBytes, sentSlots)
	}
	if !u.asks() {
		rules.Tries = 0
	}
	h.missing, h.stats = nack.New(rules), report.NewReceiver(u.info.ClockRate)
}

// asks reports whether the sender of u was told that it would be asked for packets again.
func (u *upTrack) asks() bool {
	sections := *u.conn.sections.Load()
	if u.section >= len(sections) {
		return false
	}
	return sections[u.section].Codecs[u.info.PayloadType].Nack
}

// heard notes a packet and tells whether it had been asked for: on its own SSRC a repetition looks like
// any other packet. keep says that receivers may ask for it.
func (u *upTrack) heard(p *packet, keep bool) {
	h := &u.hearing
	at := p.at.UnixNano()
	h.mu.Lock()
	switch h.missing.Received(p.header.SequenceNumber, at) {
	case nack.Newest, nack.Late:
		if !p.recovered {
			h.stats.Received(p.header.SequenceNumber, p.header.Timestamp, at)
		}
	case nack.Answer:
		p.recovered = true
	case nack.Old:
	}
	if keep && u.kind == Video {
		h.sent.Put(p.header.SequenceNumber, p.raw)
	}
	next, ok := h.missing.Next()
	sent, lost, over := h.window(at)
	h.mu.Unlock()
	if over {
		u.lost(sent, lost)
	}
	if ok {
		u.conn.feedback.wake(next)
	}
}

// keep lets receivers ask for a packet again that came before there were any.
func (h *hearing) keep(seq uint16, raw []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent.Put(seq, raw)
}

// window tells what was lost where a window of loss is over. The lock is held.
func (h *hearing) window(at int64) (sent, lost uint32, over bool) {
	if h.since == 0 {
		h.since = at
	}
	if at-h.since < int64(lossWindow) {
		return 0, 0, false
	}
	h.since = at
	sent, lost = h.stats.Window()
	return sent, lost, true
}

// forget notes that the content of a missing packet came with another one.
func (h *hearing) forget(seq uint16) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missing.Forget(seq)
}

// packetSent copies a packet of the source into b and returns its length, 0 where it is not kept.
func (h *hearing) packetSent(seq uint16, b []byte) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.sent.Get(seq)
	if kept == nil {
		h.sent.Grow()
	}
	return copy(b, kept)
}
