package media

import (
	"time"

	"jedel/media/compound"
	"jedel/media/report"
)

// control takes one plain compound packet from the peer. Whatever it says costs bounded work. c.in.mu is
// held.
func (f *feedback) control(raw []byte, at time.Time, box *outbox) {
	rest, known := raw, false
	for {
		p, after, ok := compound.Next(rest)
		if !ok {
			break
		}
		rest, known = after, true
		switch p.Type {
		case compound.SR:
			f.senderReport(p, raw, at)
			f.blocks(p, at)
		case compound.RR:
			f.blocks(p, at)
		case compound.RTPFB:
			if p.Count == compound.TWCC {
				f.conn.rate.feedback(p.Raw, at)
			}
			if media, fci, ok := p.Feedback(); ok && p.Count == compound.NACK {
				f.repeat(media, fci, at, box)
			}
		case compound.PSFB:
			f.pictures(p, at)
		}
	}
	if !known {
		f.conn.peer.node.met.refusedPackets.Inc()
	}
}

// senderReport notes which moment the timestamps of a source mean, for us and for the tap.
func (f *feedback) senderReport(p compound.Packet, raw []byte, at time.Time) {
	info, ok := p.SenderInfo()
	u := f.conn.find(func(u *upTrack) bool { return u.ssrc == p.Sender() })
	if !ok || u == nil {
		return
	}
	if t := u.tap.Load(); t != nil {
		t.RTCP(at, raw, false)
	}
	u.hearing.mu.Lock()
	u.hearing.stats.SenderReport(info.NTP, at.UnixNano())
	u.hearing.line = report.NewLine(info.NTP, info.RTP, u.info.ClockRate)
	u.hearing.mu.Unlock()
	f.mu.Lock()
	f.origin.SenderReport(info.NTP, at.UnixNano())
	f.mu.Unlock()
}

// blocks notes what the peer says of our slots.
func (f *feedback) blocks(p compound.Packet, at time.Time) {
	for i := 0; ; i++ {
		b, ok := p.Block(i)
		if !ok {
			return
		}
		d := f.slot(b.SSRC)
		if d == nil {
			continue
		}
		d.told.note(report.Share(b.Fraction), at)
		if trip, ok := report.Trip(b, at.UnixNano()); ok {
			f.trip(trip)
		}
	}
}

// pictures takes requests for a picture that can be decoded by itself.
func (f *feedback) pictures(p compound.Packet, at time.Time) {
	media, fci, ok := p.Feedback()
	switch {
	case !ok:
	case p.Count == compound.AFB:
		f.conn.rate.estimate(fci, at)
	case p.Count == compound.PLI:
		f.askedFor(media, at)
	case p.Count == compound.FIR:
		for i := 0; ; i++ {
			ssrc, ok := compound.Intra(fci, i)
			if !ok {
				return
			}
			f.askedFor(ssrc, at)
		}
	}
}

// askedFor asks whoever feeds a slot for a keyframe.
func (f *feedback) askedFor(ssrc uint32, at time.Time) {
	d := f.slot(ssrc)
	if d == nil || d.kind != Video {
		return
	}
	if from := d.from.Load(); from != nil {
		from.askKeyframe(at)
	}
}

// slot returns the slot that sends with an SSRC, nil for none.
func (f *feedback) slot(ssrc uint32) *downTrack {
	for _, slots := range [2][]*downTrack{f.conn.audio, f.conn.video} {
		for _, d := range slots {
			if b := d.bound.Load(); b != nil && b.ssrc == ssrc {
				return d
			}
		}
	}
	return nil
}

// find returns the first track that match wants, nil for none.
func (c *conn) find(match func(*upTrack) bool) *upTrack {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.ups {
		if match(u) {
			return u
		}
	}
	return nil
}
