package media

import (
	"errors"
	"net"
	"time"

	"jedel/internal/sos"
	"jedel/media/batch"
)

// outSize is the room of one datagram that we send: a packet and its seal.
const outSize = mtu + 64

// reader reads one of a socket's shards and does all that is to be done with media, by itself.
type reader struct {
	socket *socket
	conn   *batch.Conn
	in     []batch.Message
	box    outbox
}

func newReader(s *socket, c *batch.Conn) *reader {
	r := &reader{socket: s, conn: c, in: make([]batch.Message, batch.Most)}
	for i := range r.in {
		r.in[i].B = make([]byte, datagramSize)
	}
	r.box.home, r.box.conn = s, c
	return r
}

// run reads until the socket is closed.
func (r *reader) run() {
	met := r.socket.node.met
	for {
		n, err := r.conn.Read(r.in)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as a refusal that came back for what we sent
			met.readErrors.Inc()
			continue
		}
		at := time.Now()
		for i := range r.in[:n] {
			r.take(&r.in[i], at)
		}
		r.box.flush(met)
	}
}

// take deals with a datagram. First bytes 128 to 191 are media (RFC 7983 section 7).
func (r *reader) take(m *batch.Message, at time.Time) {
	if m.N == 0 {
		return
	}
	if m.B[0]&0xc0 == 0x80 {
		if c := (*r.socket.legs.Load())[m.Addr]; c != nil {
			if c.in.from.Load() != r.socket {
				c.in.from.Store(r.socket)
				c.out.aim(target{r.socket, m.Addr})
			}
			c.datagram(m.B[:m.N], at, &r.box)
			return
		}
	}
	if m.B[0] == sos.First && r.socket.single(m) {
		return
	}
	r.socket.pass(m.B[:m.N], m.Addr)
}

// outbox collects what a reader sends until its batch is done, by socket. One goroutine owns it.
type outbox struct {
	home  *socket // of the reader, whose own shard is used for it
	conn  *batch.Conn
	lists []outlist
}

type outlist struct {
	socket *socket
	conn   *batch.Conn
	msgs   []batch.Message
	n      int
}

// room returns where the next datagram through s goes; the caller fills it. A full list is sent first.
func (o *outbox) room(s *socket, met *metrics) *batch.Message {
	l := o.list(s)
	if l.n == len(l.msgs) {
		l.flush(met)
	}
	m := &l.msgs[l.n]
	m.B = m.B[:cap(m.B)]
	l.n++
	return m
}

func (o *outbox) list(s *socket) *outlist {
	for i := range o.lists {
		if o.lists[i].socket == s {
			return &o.lists[i]
		}
	}
	l := outlist{socket: s, conn: s.shards[0], msgs: make([]batch.Message, batch.Most)}
	if s == o.home {
		l.conn = o.conn
	}
	for i := range l.msgs {
		l.msgs[i].B = make([]byte, outSize)
	}
	o.lists = append(o.lists, l)
	return &o.lists[len(o.lists)-1]
}

// cancel gives back the last room of s.
func (o *outbox) cancel(s *socket) { o.list(s).n-- }

// flush sends all that was collected.
func (o *outbox) flush(met *metrics) {
	for i := range o.lists {
		if o.lists[i].n > 0 {
			o.lists[i].flush(met)
		}
	}
}

func (l *outlist) flush(met *metrics) {
	sent, err := l.conn.Write(l.msgs[:l.n])
	if err != nil {
		met.writeErrors.Add(float64(l.n - sent))
	}
	l.n = 0
}
