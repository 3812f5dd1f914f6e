package media

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"jedel/internal/sos"
	"jedel/media/batch"
	"jedel/media/prefetch"
)

// outSize is the room of one datagram that we send: a packet and its seal.
const outSize = mtu + 64

// reader reads one of a socket's shards and does all that is to be done with media, by itself.
type reader struct {
	socket *socket
	conn   *batch.Conn
	in     []batch.Message
	legs   []*conn // whose media each message of in is; nil: it is none, or nobody's
	plans  []*prefetch.Plan
	box    outbox

	emptied atomic.Int64 // when a read last left nothing behind, Unix nanoseconds
	came    time.Time    // when the newest datagram came
	dropped uint32       // datagrams that found no room, as attend last saw
}

func newReader(s *socket, c *batch.Conn) *reader {
	r := &reader{socket: s, conn: c, in: make([]batch.Message, batch.Most), legs: make([]*conn, batch.Most), plans: make([]*prefetch.Plan, batch.Most)}
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
		if n < len(r.in) {
			r.emptied.Store(at.UnixNano())
		}
		for i := -findAhead; i < n; i++ {
			r.find(i+findAhead, n)
			r.plan(i+planAhead, n)
			r.fetch(i+fetchAhead, n)
			if i >= 0 {
				r.take(i, at)
			}
		}
		clear(r.legs[:n]) // connections that end are not kept for it
		clear(r.plans[:n])
		r.box.flush(met)
	}
}

// How many messages before its turn comes the memory that a packet needs is asked for: first the connection, then what
// its plan names. More would have left the cache again, less would be waited for.
const (
	findAhead  = 6
	planAhead  = 4
	fetchAhead = 2
)

// find finds whose media message i is. First bytes 128 to 191 are media (RFC 7983 section 7).
func (r *reader) find(i, n int) {
	if i >= n {
		return
	}
	if m := &r.in[i]; m.N > 0 && m.B[0]&0xc0 == 0x80 {
		r.legs[i] = (*r.socket.legs.Load())[m.Addr]
		expect(r.legs[i])
	}
}

func (r *reader) plan(i, n int) {
	if i >= 0 && i < n {
		r.plans[i] = planOf(r.legs[i], r.in[i].B[:r.in[i].N])
	}
}

func (r *reader) fetch(i, n int) {
	if i >= 0 && i < n && (i == 0 || r.plans[i] != r.plans[i-1]) {
		r.plans[i].Fetch()
	}
}

// take deals with a datagram.
func (r *reader) take(i int, at time.Time) {
	m := &r.in[i]
	if m.N == 0 {
		return
	}
	if c := r.legs[i]; c != nil {
		if c.in.from.Load() != r.socket {
			c.in.from.Store(r.socket)
			c.out.aim(target{r.socket, m.Addr})
		}
		c.datagram(m.B[:m.N], r.arrival(m.At, at), &r.box)
		return
	}
	if m.B[0] == sos.First && r.socket.single(m) {
		return
	}
	r.socket.pass(m.B[:m.N], m.Addr)
}

// lateMost is how long before it was read a datagram may have come; a wall clock that was set says nothing.
const lateMost = time.Second

// arrival returns when a datagram came that was read at now, by the system's stamp where there is one, never before the
// one before it. Without it all that is read late would seem to have been late on its way, and its way too narrow.
func (r *reader) arrival(stamp int64, now time.Time) time.Time {
	if stamp == 0 {
		return now
	}
	at := now
	if lag := time.Duration(now.UnixNano() - stamp); lag > 0 && lag < lateMost {
		at = now.Add(-lag)
	}
	if at.Before(r.came) {
		return r.came
	}
	r.came = at
	return at
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
