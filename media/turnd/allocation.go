package turnd

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// perClient is how many allocations one client may have: two networks of a phone by two
// transports. A page that goes to another network makes new ones before the old are known to be
// dead, so beyond it the one whose client was quiet for longest gives way to the new.
const perClient = 4

// busyTime is how long an allocation does not give way after its client was heard or it was made: a
// voice comes every 20 ms, and all that one connection gathers comes at once, the best first. Pages
// give a dead way up after 250 ms of silence, and then need another.
const busyTime = 250 * time.Millisecond

// relayBuffer is how many bytes may wait for a client whose network is slow: about half a second
// of audio and video. Longer delays words, shorter loses bursts.
const relayBuffer = 64 << 10

var (
	errQuota    = errors.New("all allocations of the client are in use")
	errFull     = errors.New("no room for another allocation")
	errFamily   = errors.New("no media address of this family")
	errNoTCP    = errors.New("allocations are for UDP")
	errReserved = errors.New("ports are not chosen by clients")
)

// source names the client's end of a connection to us.
type source struct {
	tcp  bool
	addr netip.AddrPort
}

func sourceOf(a net.Addr) source {
	switch a := a.(type) {
	case *net.UDPAddr:
		return source{false, plain(a.AddrPort())}
	case *net.TCPAddr:
		return source{true, plain(a.AddrPort())}
	}
	return source{}
}

func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// allocation is one client's relayed address: a socket of this machine that speaks with our media
// port alone. It implements net.PacketConn for the library.
type allocation struct {
	// Set at creation, read by all.
	relay  *Relay
	client string
	local  netip.AddrPort // of the socket
	told   netip.AddrPort // to the client
	udp    *net.UDPConn
	heard  atomic.Int64 // when the client sent something, or it was made; Unix nanoseconds

	up   flow // owned by the goroutine that reads from the client
	down flow // owned by the goroutine that reads from the socket

	mu    sync.Mutex                        // guards names
	names map[netip.AddrPort]netip.AddrPort // by which name the client knows an address of ours
	once  sync.Once

	from source // guarded by book.mu
}

// WriteTo relays a packet of the client. What is not for our media port, or over the bound, is
// dropped and counted: a sender cannot be told by a protocol without answers.
func (a *allocation) WriteTo(p []byte, to net.Addr) (int, error) {
	peer, ok := to.(*net.UDPAddr)
	if !ok {
		return len(p), nil
	}
	name := peer.AddrPort()
	at, ok := a.relay.peers.Resolve(name)
	if !ok {
		a.relay.met.refused(reasonPeer)
		return len(p), nil
	}
	now := time.Now()
	a.heard.Store(now.UnixNano())
	if !a.up.take(len(p), a.relay.cfg.Bandwidth, now) {
		a.relay.met.refused(reasonBandwidth)
		return len(p), nil
	}
	if at != name {
		a.mu.Lock()
		a.names[at] = name
		a.mu.Unlock()
	}
	if _, err := a.udp.WriteToUDPAddrPort(p, at); err != nil {
		return 0, err
	}
	a.relay.met.up.Add(float64(len(p)))
	return len(p), nil
}

// ReadFrom returns the next packet of our media port, from the address by which the client knows it.
func (a *allocation) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := a.udp.ReadFromUDPAddrPort(b)
		if err != nil {
			return 0, nil, err
		}
		from = plain(from)
		if at, ok := a.relay.peers.Resolve(from); !ok || at != from {
			a.relay.met.refused(reasonStranger)
			continue
		}
		if !a.down.take(n, a.relay.cfg.Bandwidth, time.Now()) {
			a.relay.met.refused(reasonBandwidth)
			continue
		}
		a.mu.Lock()
		if name, ok := a.names[from]; ok {
			from = name
		}
		a.mu.Unlock()
		a.relay.met.down.Add(float64(n))
		return n, net.UDPAddrFromAddrPort(from), nil
	}
}

// Close ends the allocation. It may be called twice.
func (a *allocation) Close() error {
	var err error
	a.once.Do(func() {
		a.relay.book.remove(a)
		err = a.udp.Close()
	})
	return err
}

// LocalAddr returns what the client is told.
func (a *allocation) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(a.told) }

// SetDeadline implements net.PacketConn.
func (a *allocation) SetDeadline(t time.Time) error { return a.udp.SetDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (a *allocation) SetReadDeadline(t time.Time) error { return a.udp.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (a *allocation) SetWriteDeadline(t time.Time) error { return a.udp.SetWriteDeadline(t) }

// flow is one direction's bound: bytes that may still go, earned with time.
type flow struct {
	left float64
	at   time.Time
}

// take counts n bytes against bps bits a second, with a second's worth at once.
func (f *flow) take(n, bps int, now time.Time) bool {
	full := float64(bps) / 8
	if f.at.IsZero() {
		f.left = full
	} else if d := now.Sub(f.at); d > 0 {
		f.left = min(full, f.left+full*d.Seconds())
	}
	f.at = now
	if f.left < float64(n) {
		return false
	}
	f.left -= float64(n)
	return true
}

// book knows the allocations. Its mutex is never held while the library is called.
type book struct {
	max int

	mu   sync.Mutex // guards the rest
	told map[netip.AddrPort]*allocation
	from map[source]*allocation
	of   map[string][]*allocation
}

func newBook(most int) *book {
	return &book{max: most, told: map[netip.AddrPort]*allocation{}, from: map[source]*allocation{}, of: map[string][]*allocation{}}
}

// add enters an allocation and returns the one that gives way to it, nil for none.
func (b *book) add(a *allocation) (out *allocation, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	theirs := b.of[a.client]
	if len(theirs) >= perClient {
		out = theirs[0]
		for _, x := range theirs {
			if x.heard.Load() < out.heard.Load() {
				out = x
			}
		}
		if a.heard.Load()-out.heard.Load() < int64(busyTime) {
			return nil, errQuota
		}
		b.forget(out)
	} else if len(b.told) >= b.max {
		return nil, errFull
	}
	b.told[a.told] = a
	b.of[a.client] = append(b.of[a.client], a)
	return out, nil
}

func (b *book) remove(a *allocation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(a)
}

// forget removes an allocation; b.mu is held.
func (b *book) forget(a *allocation) {
	if b.told[a.told] != a {
		return
	}
	delete(b.told, a.told)
	if b.from[a.from] == a {
		delete(b.from, a.from)
	}
	var left []*allocation
	for _, x := range b.of[a.client] {
		if x != a {
			left = append(left, x)
		}
	}
	if b.of[a.client] = left; len(left) == 0 {
		delete(b.of, a.client)
	}
}

// placed tells where the client of an allocation is.
func (b *book) placed(told netip.AddrPort, from source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.told[told]; a != nil {
		a.from, b.from[from] = from, a
	}
}

// owner returns whose allocation the one at a client's address is; empty for none.
func (b *book) owner(from source) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.from[from]; a != nil {
		return a.client
	}
	return ""
}

// local returns the socket behind an address that a client was told.
func (b *book) local(told netip.AddrPort) (netip.AddrPort, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.told[told]
	if a == nil {
		return netip.AddrPort{}, false
	}
	return a.local, true
}

func (b *book) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.told)
}
