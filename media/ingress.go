package media

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"jedel/media/agreed"
	"jedel/media/prefetch"
	"jedel/media/srtpio"

	"github.com/pion/rtp"
)

// maxSources bounds the SSRCs of one connection: two of its own, repetitions, and room for changes.
const maxSources = 24

// ingress is the way in of one connection on a direct leg.
type ingress struct {
	from atomic.Pointer[socket] // where the newest datagram came in

	mu      sync.Mutex // guards the rest; held by the reader for each datagram
	session *srtpio.Session
	sources sources
	packet  packet
}

// source is what an SSRC stands for: a track, or repetitions of its packets.
type source struct {
	up   *upTrack
	plan *prefetch.Plan // what is read for its packets
	ssrc uint32
	rtx  bool
	pt   uint8 // what is repeated, where the payload type of the packet does not say
}

// sources are those of one connection. The first lie beside each other: they are looked for with each packet.
type sources struct {
	near [4]source
	far  map[uint32]source
	n    int
}

// get returns what an SSRC stands for.
func (s *sources) get(ssrc uint32) (source, bool) {
	for i := range s.near {
		if x := &s.near[i]; x.up != nil && x.ssrc == ssrc {
			return *x, true
		}
	}
	x, ok := s.far[ssrc]
	return x, ok
}

// put notes a source whose SSRC is not there.
func (s *sources) put(x source) {
	s.n++
	for i := range s.near {
		if s.near[i].up == nil {
			s.near[i] = x
			return
		}
	}
	if s.far == nil {
		s.far = map[uint32]source{}
	}
	s.far[x.ssrc] = x
}

// drop forgets the sources of a track.
func (s *sources) drop(u *upTrack) {
	for i := range s.near {
		if s.near[i].up == u {
			s.near[i] = source{}
			s.n--
		}
	}
	for ssrc, x := range s.far {
		if x.up == u {
			delete(s.far, ssrc)
			s.n--
		}
	}
}

// source finds the track of a packet by what the offer says of its SSRC, by the section's name in the
// packet, or by its payload type (RFC 9143 section 9.2). The zero source is nobody's. c.in.mu is held.
func (l *link) source(h *rtp.Header) source {
	if s, ok := l.in.sources.get(h.SSRC); ok {
		return s
	}
	if l.in.sources.n >= maxSources {
		return source{}
	}
	sections := *l.sections.Load()
	at, rtx, ok := sections.BySSRC(h.SSRC)
	if !ok {
		at, ok = sections.ByMid(midOf(sections, h))
	}
	if !ok {
		at, ok = sections.ByType(h.PayloadType)
	}
	if !ok {
		return source{}
	}
	kind := sections[at].Codecs[h.PayloadType]
	rtx = rtx || kind.Of != 0
	if kind.MIME == "" || (sections[at].Kind != string(Audio) && sections[at].Kind != string(Video)) {
		return source{}
	}
	s := source{ssrc: h.SSRC, rtx: rtx, pt: kind.Of}
	if rtx {
		if s.up = l.conn.trackOf(at); s.up == nil { // repetitions of what has not begun, or a probe
			return source{}
		}
	} else {
		s.up = l.newTrack(at, h, kind)
	}
	s.plan = &s.up.plan
	l.in.sources.put(s)
	return s
}

// midOf reads the section's name from a packet.
func midOf(sections agreed.Sections, h *rtp.Header) string {
	for i := range sections {
		if id := sections[i].MidExt; id != 0 {
			if mid := h.GetExtension(id); len(mid) > 0 {
				return string(mid)
			}
		}
	}
	return ""
}

// newTrack begins a track towards us. An earlier one of the same section has ended: a browser sends one
// at a time.
func (l *link) newTrack(at int, h *rtp.Header, k agreed.Codec) *upTrack {
	info := TrackInfo{Codec: k.MIME, ClockRate: k.Clock, Channels: k.Channels, Fmtp: k.Fmtp, PayloadType: h.PayloadType, SSRC: h.SSRC}
	if theirs := (*l.sections.Load())[at].Theirs; theirs.SSRC == h.SSRC {
		info.RTXSSRC = theirs.RTX
	}
	u := l.track(at, info)
	if old := l.conn.trackOf(at); old != nil {
		l.conn.ended(old)
		l.in.sources.drop(old)
	}
	l.conn.begun(u)
	return u
}

// track makes what info says into a track of a section.
func (l *link) track(at int, info TrackInfo) *upTrack {
	section := &(*l.sections.Load())[at]
	info.Kind, info.Mid = Kind(section.Kind), section.Mid
	return &upTrack{id: l.conn.peer.node.tracks.Add(1), conn: l.conn, kind: info.Kind, mime: info.Codec, ssrc: info.SSRC, section: at, info: info}
}

// restore undoes a repetition in place (RFC 4588 section 4): the original sequence number stands before
// the original payload. False for one without content, which is a probe of the bandwidth.
func (p *packet) restore(s source) bool {
	begin := p.header.MarshalSize()
	pt := s.pt
	if k, ok := (*p.up.conn.sections.Load())[p.up.section].Codecs[p.header.PayloadType]; ok && k.Of != 0 {
		pt = k.Of
	}
	if len(p.raw) < begin+2 || pt == 0 || (p.header.Padding && begin+2+int(p.raw[len(p.raw)-1]) >= len(p.raw)) {
		return false
	}
	seq := binary.BigEndian.Uint16(p.raw[begin:])
	copy(p.raw[2:begin+2], p.raw[:begin])
	p.raw = p.raw[2:]
	p.raw[1] = p.raw[1]&0x80 | pt
	binary.BigEndian.PutUint16(p.raw[2:], seq)
	binary.BigEndian.PutUint32(p.raw[8:], p.up.ssrc)
	p.header.PayloadType, p.header.SequenceNumber, p.header.SSRC = pt, seq, p.up.ssrc
	p.recovered = true
	return true
}

// mimeOf returns the codec of a payload type: a track may change between plain and redundant Opus.
func (u *upTrack) mimeOf(pt uint8) string {
	if pt == u.info.PayloadType {
		return u.mime
	}
	return (*u.conn.sections.Load())[u.section].Codecs[pt].MIME
}
