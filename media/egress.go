package media

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"jedel/media/batch"
	"jedel/media/srtpio"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// Ways of a connection's media. It is decided once, when the connection comes up.
const (
	wayNone   int32 = iota // it is not up yet: nothing is sent
	wayDirect              // through our own socket
	wayPlain               // through Pion: TCP, or the settings say so
)

// fate is what became of a packet for one receiver.
type fate uint8

const (
	fateSend    fate = iota // to be sealed
	fateSent                // handed to the socket
	fateUnbound             // the slot is not negotiated
	fateStale               // older than the source's first, or a codec that the receiver has not
	fateKey                 // a picture that needs another; one that stands alone is to be asked for
	fateError               // it could not be sealed or sent
)

// target is where a connection's media goes.
type target struct {
	socket *socket
	addr   netip.AddrPort
}

// egress is the way out of one connection.
type egress struct {
	conn  *conn
	way   atomic.Int32
	queue queue // of a plain way

	mu      sync.Mutex // guards the rest and the slots' numbers
	session *srtpio.Session
	to      target
	one     [1]batch.Message // for what is sent outside a reader's batch
	control []byte
}

// direct begins the direct way.
func (e *egress) direct(s *srtpio.Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.session = s
	e.one[0].B = make([]byte, outSize)
	e.way.Store(wayDirect)
}

// target returns where the media goes, the zero one before ICE has chosen a way that our socket reaches.
func (e *egress) target() target {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.to
}

// aim changes where the media goes.
func (e *egress) aim(to target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.to = to
}

// first sends a packet with d.header for the first time and keeps what the receiver may ask for again.
// The lock is held.
func (e *egress) first(d *downTrack, payload []byte, box *outbox) fate {
	b := e.write(d, &d.header, payload, box)
	if b == nil {
		return fateError
	}
	bound := d.bound.Load()
	d.repeats.sent(d.header.SequenceNumber, b, len(payload), bound != nil && bound.repeat)
	return fateSent
}

// write sends a packet and returns it as it went out, nil where it did not. The lock is held.
func (e *egress) write(d *downTrack, h *rtp.Header, payload []byte, box *outbox) []byte {
	e.conn.rate.number(d, h, len(payload))
	if h.MarshalSize()+len(payload) > mtu {
		return nil
	}
	if e.way.Load() == wayPlain {
		return e.through(d, h, payload)
	}
	return e.seal(h, payload, box)
}

// emit sends bytes that write has returned once more. The lock is held.
func (e *egress) emit(d *downTrack, b []byte, box *outbox) bool {
	if e.way.Load() == wayPlain {
		var h rtp.Header
		n, err := h.Unmarshal(b)
		return err == nil && e.through(d, &h, b[n:]) != nil
	}
	to := e.to
	if to.socket == nil {
		return false
	}
	m := &e.one[0]
	if box != nil {
		m = box.room(to.socket, e.conn.peer.node.met)
	}
	m.N, m.Addr = copy(m.B, b), to.addr
	if box == nil {
		_, err := to.socket.shards[0].Write(e.one[:])
		return err == nil
	}
	return true
}

// seal writes and seals a packet into box, or sends it at once where there is none, and returns it. The
// lock is held.
func (e *egress) seal(h *rtp.Header, payload []byte, box *outbox) []byte {
	to := e.to
	if to.socket == nil {
		return nil
	}
	m := &e.one[0]
	if box != nil {
		m = box.room(to.socket, e.conn.peer.node.met)
	}
	n, err := h.MarshalTo(m.B)
	if err == nil {
		n += copy(m.B[n:], payload)
		var sealed []byte
		if sealed, err = e.session.SealRTP(m.B[:n]); err == nil {
			m.N, m.Addr = len(sealed), to.addr
		}
	}
	switch {
	case err != nil && box != nil:
		box.cancel(to.socket)
		return nil
	case err != nil:
		return nil
	case box == nil:
		if _, err := to.socket.shards[0].Write(e.one[:]); err != nil {
			return nil
		}
	}
	return m.B[:m.N]
}

// writeRTCP sends a compound packet: the bytes as they were before sealing are returned for the tap.
func (l *link) writeRTCP(packets []rtcp.Packet) ([]byte, error) {
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		return nil, err
	}
	return raw, l.writeControl(raw, nil)
}

// writeControl sends a compound packet, into box where there is one.
func (l *link) writeControl(raw []byte, box *outbox) error {
	switch e := &l.out; e.way.Load() {
	case wayDirect:
		return e.sealRTCP(raw, box)
	case wayPlain:
		packets, err := rtcp.Unmarshal(raw)
		if err != nil {
			return err
		}
		return l.conn.pc.WriteRTCP(packets)
	}
	return errGone
}

func (e *egress) sealRTCP(raw []byte, box *outbox) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.to.socket == nil {
		return errGone
	}
	if box != nil {
		m := box.room(e.to.socket, e.conn.peer.node.met)
		sealed, err := e.session.SealRTCP(m.B[:0], raw)
		if err != nil || len(sealed) > len(m.B) {
			box.cancel(e.to.socket)
			return err
		}
		m.N, m.Addr = len(sealed), e.to.addr
		return nil
	}
	sealed, err := e.session.SealRTCP(e.control[:0], raw)
	if err != nil {
		return err
	}
	e.control = sealed
	_, err = e.to.socket.WriteToAddrPort(sealed, e.to.addr)
	return err
}
