package media

import (
	"time"

	"github.com/pion/rtcp"
)

// control takes one plain compound packet from the peer. It must do bounded work.
func (l *link) control(raw []byte, at time.Time) {
	packets, err := rtcp.Unmarshal(raw)
	if err != nil {
		l.conn.peer.node.met.refusedPackets.Inc()
		return
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			for _, u := range l.conn.tracks() {
				if t := u.tap.Load(); t != nil && u.ssrc == p.SSRC {
					t.RTCP(at, raw, false)
				}
			}
		case *rtcp.PictureLossIndication:
			l.askedFor(p.MediaSSRC, at)
		case *rtcp.FullIntraRequest:
			for _, f := range p.FIR {
				l.askedFor(f.SSRC, at)
			}
		}
	}
}

// askedFor asks whoever feeds a slot for a keyframe.
func (l *link) askedFor(ssrc uint32, at time.Time) {
	for _, d := range l.conn.video {
		if b := d.bound.Load(); b != nil && b.ssrc == ssrc {
			if from := d.from.Load(); from != nil {
				from.askKeyframe(at)
			}
		}
	}
}
