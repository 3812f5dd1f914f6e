package media

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"jedel/media/agreed"
	"jedel/media/srtpio"

	"github.com/pion/webrtc/v4"
)

// quietAfter is how long a connection that ICE calls lost may still be the way of media: packets are
// better witnesses than checks, which at 50 % loss fail often.
const quietAfter = 5 * time.Second

// link is the media of a connection: what comes in and goes out, by which way.
type link struct {
	conn *conn
	ice  *webrtc.ICETransport
	ssrc uint32 // of our own reports
	keys srtpio.Keys
	in   ingress
	out  egress

	senders []*webrtc.RTPSender // of the slots, whose reports Pion has on a plain way

	feedback feedback
	sections atomic.Pointer[agreed.Sections] // empty before the first answer
	shaky    atomic.Bool                     // ICE has lost the way
	rate     rate
}

func (l *link) init(c *conn) {
	l.rate.init(l)
	l.conn, l.feedback.conn, l.ssrc = c, c, rand.Uint32()
	l.sections.Store(new(agreed.Sections))
	l.out.conn, l.out.queue.tickets, l.out.queue.done = c, make(chan *ticket, queueLen), make(chan struct{})
}

// agree notes what offer and answer say, for the packets to come.
func (l *link) agree(offer, answer string) {
	sections := agreed.Read(offer, answer)
	l.sections.Store(&sections)
	l.feedback.seqExt.Store(0)
	for i := range sections {
		if id := sections[i].SeqExt; id != 0 {
			l.feedback.seqExt.Store(uint32(id))
		}
	}
	for _, slots := range [][]*downTrack{l.conn.audio, l.conn.video} {
		for _, d := range slots {
			if d.section < len(sections) {
				d.bind(&sections[d.section])
			}
		}
	}
}

// onPair hears that ICE has chosen a way. Pion calls it from a goroutine of its own.
func (l *link) onPair(pair *webrtc.ICECandidatePair) {
	if pair == nil || pair.Local.Protocol != webrtc.ICEProtocolUDP || l.conn.peer.node.cfg.Plain {
		return
	}
	if l.out.way.Load() == wayPlain {
		return // begun over TCP, and Pion has the keys: it goes on with them by UDP too
	}
	addr, errAddr := netip.ParseAddr(pair.Remote.Address)
	local, errLocal := netip.ParseAddr(pair.Local.Address)
	if errAddr != nil || errLocal != nil {
		return
	}
	ports := &l.conn.peer.node.ports
	to := target{ports.socketOf(local.Unmap(), addr.Unmap()), netip.AddrPortFrom(addr.Unmap(), pair.Remote.Port)}
	if to.socket == nil {
		return
	}
	for _, s := range ports.sockets { // behind NAT the pair does not tell which of ours it is
		s.claim(to.addr, l.conn)
	}
	l.out.aim(to)
}

// onDTLS begins the way of media when the handshake is over: the other end's certificate has been held
// against the offer by then. Pion calls it under a lock of its own; nothing of Pion's is called here.
func (l *link) onDTLS(s webrtc.DTLSTransportState) {
	if s != webrtc.DTLSTransportStateConnected {
		return
	}
	if l.out.target().socket == nil { // word of the pair may be on its way
		if pair, err := l.ice.GetSelectedCandidatePair(); err == nil {
			l.onPair(pair)
		}
	}
	if l.out.target().socket != nil {
		session, err := l.keys.Take()
		if err == nil {
			l.in.mu.Lock()
			l.in.session = session
			l.in.mu.Unlock()
			l.out.direct(session)
			l.conn.peer.node.met.direct.Inc()
			return
		}
		l.conn.peer.node.log.Info("the media of a connection goes through Pion", "client", l.conn.peer.id, "err", err)
	}
	l.conn.peer.node.met.plain.Inc()
	l.out.plain()
}

// check calls a connection disconnected that ICE gave up on and that brings no media either.
func (l *link) check(now time.Time) {
	if !l.shaky.Load() || now.UnixNano()-l.conn.peer.lastPacket.Load() < int64(quietAfter) {
		return
	}
	if l.conn.up.Swap(false) {
		l.conn.event(Event{Kind: Disconnected})
	}
}
