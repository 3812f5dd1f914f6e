package mill

import (
	"encoding/binary"
	"time"

	"jedel/media/srtpio"

	"github.com/pion/rtcp"
)

// Packet types and formats that matter to a leg (RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 5104 section 4.3.1).
const (
	senderReport = 200
	payloadAsk   = 206
	pictureLoss  = 1
	fullIntra    = 4
)

// control acts on a compound packet: a picture that stands alone is asked for, or a report names its time.
func (l *Leg) control(b []byte) {
	for len(b) >= 4 {
		n := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if n > len(b) {
			return
		}
		switch format := b[0] & 0x1f; {
		case b[1] == payloadAsk && (format == pictureLoss || format == fullIntra):
			l.video.key.Store(true)
			l.works.Keys.Add(1)
		case b[1] == senderReport && n >= 28:
			l.reported(binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[10:]))
		}
		b = b[n:]
	}
}

func (l *Leg) reported(ssrc, lsr uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.streams {
		if s.ssrc == ssrc {
			s.lsr, s.at = lsr, l.now
		}
	}
}

// ntpEpoch is from 1900 to 1970 in seconds.
const ntpEpoch = 2208988800

// report makes the leg's compound packet: a sender report for each kind it sends, with what came. The pacer calls it.
func (l *Leg) report() ([]byte, error) {
	now := time.Since(l.works.epoch)
	wall := l.works.epoch.Add(now)
	ntp := uint64(wall.Unix()+ntpEpoch)<<32 | uint64(wall.Nanosecond())<<32/1e9
	var blocks []rtcp.ReceptionReport
	l.mu.Lock()
	for _, s := range l.streams {
		r := rtcp.ReceptionReport{SSRC: s.ssrc, LastSequenceNumber: uint32(s.Highest()), TotalLost: uint32(min(s.Lost(), 1<<23-1))}
		if s.lsr != 0 {
			r.LastSenderReport, r.Delay = s.lsr, uint32((now-s.at)*65536/time.Second)
		}
		blocks = append(blocks, r)
	}
	l.mu.Unlock()
	blocks = blocks[:min(len(blocks), 31)]
	var all []rtcp.Packet
	for _, s := range []*source{&l.audio, &l.video} {
		if s.on.Load() {
			all = append(all, &rtcp.SenderReport{SSRC: s.ssrc, NTPTime: ntp, RTPTime: s.ts, PacketCount: uint32(s.packets.Load()), OctetCount: uint32(s.bytes), Reports: blocks})
			blocks = nil
		}
	}
	if len(all) == 0 {
		all = []rtcp.Packet{&rtcp.ReceiverReport{SSRC: l.audio.ssrc, Reports: blocks}}
	}
	return rtcp.Marshal(all)
}

func (l *Leg) sendReport(session *srtpio.Session) {
	raw, err := l.report()
	if err != nil {
		return
	}
	m := &l.works.out[0]
	b, err := session.SealRTCP(m.B[:0:room], raw)
	if err != nil || len(b) > room {
		return
	}
	if _, err := l.socket.WriteToAddrPort(b, l.to); err != nil {
		l.works.Unsent.Add(1)
	}
}
