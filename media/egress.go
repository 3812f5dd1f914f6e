package media

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"jedel/media/batch"
	"jedel/media/srtpio"

	"github.com/pion/rtcp"
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

// writeRTCP sends a compound packet: the bytes as they were before sealing are returned for the tap.
func (l *link) writeRTCP(packets []rtcp.Packet) ([]byte, error) {
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		return nil, err
	}
	switch e := &l.out; e.way.Load() {
	case wayDirect:
		return raw, e.sealRTCP(raw)
	case wayPlain:
		return raw, l.conn.pc.WriteRTCP(packets)
	}
	return nil, errGone
}

func (e *egress) sealRTCP(raw []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.to.socket == nil {
		return errGone
	}
	sealed, err := e.session.SealRTCP(e.control[:0], raw)
	if err != nil {
		return err
	}
	e.control = sealed
	_, err = e.to.socket.WriteToAddrPort(sealed, e.to.addr)
	return err
}
