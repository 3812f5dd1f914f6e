package mill

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"jedel/cmd/callbot/watch"
	"jedel/media/srtpio"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// What a browser sends in a call: sound of 32 kbit/s, pictures of nearly a megabit.
const (
	audioEvery  = 20 * time.Millisecond
	audioLeast  = 80 // bytes of an Opus packet
	audioSpread = 21
	frameRate   = 30
	frameParts  = 4
	partBytes   = 1000
	keyEvery    = 2 * frameRate
	reportUnits = 50   // sound packets between two reports
	room        = 1400 // of a datagram
)

// Where a payload has the time of its sending: after Opus's first byte; after VP8's descriptor of four bytes and the
// header of a key frame of ten.
const (
	audioStamp = 1
	videoStamp = 14
)

const (
	opusTOC = 0x78                           // RFC 6716 section 3.1: hybrid, full band, 20 ms, one frame
	keyHead = "\x9d\x01\x2a\x40\x01\xf0\x00" // RFC 6386 section 9.1: start code, 320 by 240
)

// source is one kind of media that a leg sends. Its numbers are the pacer's.
type source struct {
	// Set before it joins.
	leg   *Leg
	kind  webrtc.RTPCodecType
	every time.Duration
	ticks uint32 // of the RTP clock in one unit
	ssrc  uint32
	head  []byte // of every packet: type, SSRC and the section's name

	on      atomic.Bool
	key     atomic.Bool // a picture that stands alone is wanted
	rides   atomic.Bool // it is on the wheel
	packets atomic.Uint64
	frames  atomic.Uint64

	// Owned by the pacer.
	due     time.Duration // since the works' beginning
	seq     uint16
	ts      uint32
	units   int
	picture uint16
	bytes   uint64
	times   [sentTimes]time.Duration // when the newest packets were sent, by number
}

// sentTimes is of how many packets a source knows when it sent them: seconds.
const sentTimes = 512

// stampBytes is how long the stamp of a packet is: when it was sent, by whom, and its number there.
const stampBytes = 8 + 4 + 2

type stamp struct {
	at  time.Duration
	leg int32
	seq uint16
}

func (s stamp) write(b []byte) {
	binary.BigEndian.PutUint64(b, uint64(s.at))
	binary.BigEndian.PutUint32(b[8:], uint32(s.leg))
	binary.BigEndian.PutUint16(b[12:], s.seq)
}

func readStamp(b []byte) stamp {
	return stamp{time.Duration(binary.BigEndian.Uint64(b)), int32(binary.BigEndian.Uint32(b[8:])), binary.BigEndian.Uint16(b[12:])}
}

// describe takes what was agreed on.
func (s *source) describe(p webrtc.RTPSendParameters, mid string) error {
	if len(p.Encodings) == 0 || len(p.Codecs) == 0 {
		return errors.New("nothing was agreed on to send")
	}
	s.ssrc, s.seq, s.ts, s.picture = uint32(p.Encodings[0].SSRC), uint16(rand.Uint32()), rand.Uint32(), uint16(rand.Uint32())&0x7fff
	h := rtp.Header{Version: 2, PayloadType: uint8(p.Codecs[0].PayloadType), SSRC: s.ssrc}
	for _, e := range p.HeaderExtensions {
		if e.URI == midURI { // a browser sends it until it is heard, some always
			if err := h.SetExtension(uint8(e.ID), []byte(mid)); err != nil {
				return err
			}
		}
	}
	var err error
	s.head, err = h.Marshal()
	return err
}

func (s *source) count() watch.Leg {
	return watch.Leg{Packets: s.packets.Load(), Frames: s.frames.Load()}
}

// skip lets the clocks of a source go on to now.
func (s *source) skip(now time.Duration) {
	s.ts += uint32(max(now-s.due, 0)/s.every) * s.ticks
	s.due = now
}

// unit sends what is due: one packet of sound, or the packets of one picture, and now and then a report.
func (s *source) unit(session *srtpio.Session) {
	s.ts += s.ticks
	s.units++
	if s.kind == webrtc.RTPCodecTypeAudio && s.units%reportUnits == 0 {
		s.leg.sendReport(session)
	}
	parts, key := 1, false
	if s.kind == webrtc.RTPCodecTypeVideo {
		parts = frameParts
		s.picture = (s.picture + 1) & 0x7fff
		key = s.key.Swap(false) || s.units%keyEvery == 0
	}
	w := s.leg.works
	var mail *[frameParts][]byte
	if w.hub != nil {
		mail = w.hub.unit()
	}
	size := 0
	for i := range parts {
		b := w.out[i].B
		if mail != nil {
			b = mail[i]
		}
		n, err := s.packet(session, b, i, parts, key)
		if err != nil {
			w.Unsent.Add(1)
			return
		}
		w.out[i].N, w.out[i].Addr, size = n, s.leg.to, n
	}
	if mail != nil {
		w.hub.mail(s.leg.id, s.leg.to, parts, size)
	} else if sent, err := s.leg.socket.conn.Write(w.out[:parts]); err != nil {
		w.Unsent.Add(uint64(parts - sent))
	}
	s.packets.Add(uint64(parts))
	s.frames.Add(1)
	w.Sent.Add(uint64(parts))
}

// packet writes and seals one packet of a unit into b and returns its length.
func (s *source) packet(session *srtpio.Session, b []byte, part, parts int, key bool) (int, error) {
	n := copy(b[:room], s.head)
	if parts > 1 && part == parts-1 {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], s.seq)
	binary.BigEndian.PutUint32(b[4:], s.ts)
	n += s.payload(b[n:room], part, key)
	s.seq++
	sealed, err := session.SealRTP(b[:n])
	s.bytes += uint64(n)
	return len(sealed), err
}

// payload writes a payload with the time of its sending and returns its length.
func (s *source) payload(b []byte, part int, key bool) int {
	st := stamp{time.Since(s.leg.works.epoch), s.leg.id, s.seq}
	s.times[s.seq%sentTimes] = st.at
	if s.kind == webrtc.RTPCodecTypeAudio {
		b[0] = opusTOC
		st.write(b[audioStamp:])
		return audioLeast + s.units%audioSpread
	}
	b[0], b[1] = 0x80, 0x80 // RFC 7741 section 4.2: an extension, which is a picture id of 15 bits
	binary.BigEndian.PutUint16(b[2:], 0x8000|s.picture)
	if part == 0 {
		b[0] |= 0x10 // the first of the partition
		b[4] = 0x11  // RFC 6386 section 9.1: shown, of other pictures
		if key {
			b[4] = 0x10
			copy(b[7:], keyHead)
		}
	}
	st.write(b[videoStamp:])
	return partBytes
}
