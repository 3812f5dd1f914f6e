package signaling

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"jedel/internal/fault"
)

// Relay serves TURN clients that come by TLS to the port of the pages: through the one port that
// every network leaves open.
type Relay interface {
	// Begins reports whether the first bytes of a stream are those of a client of the relay. One
	// byte is enough.
	Begins(b []byte) bool
	// Take serves a client from now on and owns its connection. It does not wait for the client.
	Take(c net.Conn)
}

// Names of protocols in a TLS handshake (RFC 7301). Browsers name what they want when they load
// pages and open sockets; their TURN clients name nothing, so there the first byte decides.
const (
	protoHTTP = "http/1.1"
	protoTURN = "stun.turn" // RFC 7443
)

// splitTime is how long a connection may take until it is known what it wants: as long as a request
// may take for its header.
const splitTime = 10 * time.Second

// splitter is the listener of the pages where the port is shared. Each connection is looked at in
// a goroutine of its own, so that a slow one delays nobody.
type splitter struct {
	net.Listener // raw
	tls          *tls.Config
	relay        Relay
	gate         *gate // of connections that have not said what they want
	refused      func()

	in   chan accepted // unbuffered; never closed
	done chan struct{}

	mu     sync.Mutex // guards the rest
	closed bool
	open   map[net.Conn]struct{} // not sorted yet
	wg     sync.WaitGroup
}

type accepted struct {
	conn net.Conn
	err  error
}

// split shares l, whose connections are TLS, between pages and relay.
func (s *Server) split(l net.Listener) *splitter {
	x := &splitter{
		Listener: l, tls: sharedTLS(s.door.TLS), relay: s.door.Relay, gate: newGate(s.cfg), in: make(chan accepted), done: make(chan struct{}), open: map[net.Conn]struct{}{},
		refused: func() { s.met.refused.WithLabelValues(string(fault.Unavailable)).Inc() },
	}
	x.wg.Go(x.run)
	return x
}

// sharedTLS names both protocols to those who ask for one of them. Who names others, or none, gets
// the handshake they had before: what they want is seen by their first byte.
func sharedTLS(site *tls.Config) *tls.Config {
	named := site.Clone()
	for _, proto := range []string{protoHTTP, protoTURN} {
		if !slices.Contains(named.NextProtos, proto) {
			named.NextProtos = append(slices.Clip(named.NextProtos), proto)
		}
	}
	shared := site.Clone()
	shared.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(h.SupportedProtos, protoHTTP) || slices.Contains(h.SupportedProtos, protoTURN) {
			return named, nil
		}
		return nil, nil
	}
	return shared
}

// run accepts until the listener is closed.
func (x *splitter) run() {
	for {
		c, err := x.Listener.Accept()
		if err != nil {
			if !x.pass(accepted{nil, err}) || errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		leave, ok := x.gate.enter(addressOf(c))
		if !ok {
			x.refused()
			_ = c.Close()
			continue
		}
		if !x.begin(c) {
			leave()
			_ = c.Close()
			return
		}
		x.wg.Go(func() {
			defer x.end(c)
			x.sort(c, leave)
		})
	}
}

// sort finds out what a connection wants and gives it to who serves that.
func (x *splitter) sort(c net.Conn, leave func()) {
	t, first, err := x.hear(c)
	leave()
	if err != nil {
		_ = c.Close()
		return
	}
	var conn net.Conn = t
	if len(first) > 0 {
		conn = &begunConn{Conn: t, first: first}
	}
	if t.ConnectionState().NegotiatedProtocol == protoTURN || x.relay.Begins(first) {
		x.relay.Take(conn)
		return
	}
	if !x.pass(accepted{conn, nil}) {
		_ = c.Close()
	}
}

// hear shakes hands and waits for the first bytes of those who named no protocol.
func (x *splitter) hear(c net.Conn) (*tls.Conn, []byte, error) {
	if err := c.SetDeadline(time.Now().Add(splitTime)); err != nil {
		return nil, nil, err
	}
	t := tls.Server(c, x.tls)
	if err := t.Handshake(); err != nil {
		var plain tls.RecordHeaderError
		if errors.As(err, &plain) && plain.Conn != nil && plain.RecordHeader[0] >= 'A' && plain.RecordHeader[0] <= 'Z' {
			_, _ = io.WriteString(plain.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
		}
		return nil, nil, err
	}
	var first []byte
	if t.ConnectionState().NegotiatedProtocol == "" {
		first = make([]byte, 64)
		n, err := t.Read(first)
		if err != nil {
			return nil, nil, err
		}
		first = first[:n]
	}
	return t, first, c.SetDeadline(time.Time{})
}

// pass gives what was accepted to the server of the pages; false where it has ended.
func (x *splitter) pass(a accepted) bool {
	select {
	case x.in <- a:
		return true
	case <-x.done:
		return false
	}
}

func (x *splitter) begin(c net.Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return false
	}
	x.open[c] = struct{}{}
	return true
}

func (x *splitter) end(c net.Conn) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.open, c)
}

// Accept returns the next connection for the pages.
func (x *splitter) Accept() (net.Conn, error) {
	select {
	case a := <-x.in:
		return a.conn, a.err
	case <-x.done:
		return nil, net.ErrClosed
	}
}

// Close ends listener and unsorted connections. It may be called twice.
func (x *splitter) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	close(x.done)
	for c := range x.open {
		_ = c.Close()
	}
	return x.Listener.Close()
}

// begunConn is a TLS connection whose first bytes were read already.
type begunConn struct {
	*tls.Conn
	first []byte // owned by the reader
}

// Read returns the first bytes, then the rest.
func (c *begunConn) Read(b []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// tlsKey is where a request's context has the state of a begunConn, which the http package does not
// know for TLS.
type tlsKey struct{}

// withTLS is an http.Server's ConnContext.
func withTLS(ctx context.Context, c net.Conn) context.Context {
	if b, ok := c.(*begunConn); ok {
		state := b.ConnectionState()
		return context.WithValue(ctx, tlsKey{}, &state)
	}
	return ctx
}

// knowTLS tells a request that it came by TLS.
func knowTLS(r *http.Request) {
	if r.TLS == nil {
		r.TLS, _ = r.Context().Value(tlsKey{}).(*tls.ConnectionState)
	}
}

func addressOf(c net.Conn) string {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return c.RemoteAddr().String()
	}
	return network(at.Addr())
}

// network counts an IPv4 address, or a /64 of IPv6, as one.
func network(ip netip.Addr) string {
	if ip = ip.Unmap(); ip.Is6() {
		if net, err := ip.WithZone("").Prefix(64); err == nil {
			return net.String()
		}
	}
	return ip.String()
}
