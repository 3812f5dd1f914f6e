// Package turnd is the gateway's own TURN relay (RFC 8656), for networks that let no media through
// but what looks like the web: by UDP, by TCP, and by TLS on the port of the pages. It relays to our
// own media port and nothing else, for clients of ours and nobody else.
//
// Goroutines: Run joins the one that accepts TCP; the library (pion/turn) has one for the UDP port,
// one for each stream and one for each allocation, which end with their sockets. Run waits for the
// streams. Locks: book.mu, streams.mu, limits.mu, nonces.mu and those of one stream or allocation;
// a few lines each, the library is never called under them.
package turnd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"jedel/internal/admit"
	"jedel/internal/thinline"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// Config is how the relay works.
type Config struct {
	UDPAddr     string       // host:port of TURN by UDP; empty: off
	TCPAddr     string       // host:port of TURN by TCP; empty: off
	TLS         bool         // streams come by Take from the port of the pages
	URLs        []string     // told to pages in place of our own; where a proxy or another port stands before us
	Key         []byte       // of credentials; the same on all nodes that share pages
	Public      []netip.Addr // what our addresses are called outside
	Allocations int          // in all
	Bandwidth   int          // bits per second of one allocation and direction
}

// realm is short: it is in every answer to strangers.
const realm = "jedel"

// Relay is the relay of this process. Make it with New, Open it when the media port is known, then
// Run it.
type Relay struct {
	cfg     Config
	log     *slog.Logger
	met     *metrics
	now     func() time.Time
	peers   Peers // set by Open
	book    *book
	streams *streams
	limits  limits

	// Set by Open, then of Run.
	server *turn.Server
	udp    []*datagrams
	tcp    net.Listener

	udpPort, tcpPort string // set by Open; empty: off
}

// New returns a relay that has no port yet.
func New(cfg Config, reg prometheus.Registerer, log *slog.Logger) *Relay {
	r := &Relay{cfg: cfg, log: log, now: time.Now, book: newBook(cfg.Allocations), streams: newStreams(2*cfg.Allocations + maxOfAddress), limits: newLimits()}
	r.met = newMetrics(reg, r)
	return r
}

// Open binds the ports and serves clients from then on. media are the addresses of our media port
// on this machine.
func (r *Relay) Open(media []netip.AddrPort) error {
	r.peers = NewPeers(media, r.cfg.Public)
	if err := r.bind(); err != nil {
		return errors.Join(err, r.closePorts())
	}
	c := turn.ServerConfig{
		LoggerFactory: pionLog{r.log}, Realm: realm, AuthHandler: r.authenticate, InboundMTU: maxFrame + 1,
		ListenerConfigs: []turn.ListenerConfig{{Listener: r.streams, RelayAddressGenerator: sockets{r}, PermissionHandler: r.permits}},
		EventHandler: turn.EventHandler{
			OnAuth: func(_, _ net.Addr, _, _, _, _ string, ok bool) {
				if !ok {
					r.met.refused(reasonKey)
				}
			},
			OnAllocationCreated: func(src, _ net.Addr, _, _, _ string, relayed net.Addr, _ int) { r.opened(sourceOf(src), relayed) },
			OnAllocationDeleted: func(src, _ net.Addr, _, _, _ string) { r.streams.closed(sourceOf(src), r.now()) },
		},
	}
	for _, udp := range r.udp {
		c.PacketConnConfigs = append(c.PacketConnConfigs, turn.PacketConnConfig{PacketConn: udp, RelayAddressGenerator: sockets{r}, PermissionHandler: r.permits})
	}
	var err error
	if r.server, err = turn.NewServer(c); err != nil {
		return errors.Join(fmt.Errorf("media.turn: %w", err), r.closePorts())
	}
	return nil
}

// bind opens the ports of the relay. One that somebody else has is told and done without: the relay is
// a way more, and a gateway that does not start is none at all.
func (r *Relay) bind() error {
	if r.cfg.UDPAddr != "" {
		at, err := net.ResolveUDPAddr("udp", r.cfg.UDPAddr)
		if err != nil {
			return fmt.Errorf("media.turn.udp: %w", err)
		}
		if err := r.bindUDP(at); err != nil {
			r.missing("media.turn.udp", err)
		}
	}
	if r.cfg.TCPAddr != "" {
		tcp, err := thinline.Listen(r.cfg.TCPAddr)
		if err != nil {
			r.missing("media.turn.tcp", err)
			return nil
		}
		r.tcp, r.tcpPort = tcp, portOf(tcp.Addr())
	}
	return nil
}

func (r *Relay) missing(key string, err error) {
	r.met.missing.Inc()
	r.log.Error("a port of the relay cannot be had: callers behind some firewalls go without it", "key", key, "err", err)
}

// bindUDP binds a socket to each address of ours rather than one to all: an answer must come from the
// address that was asked.
func (r *Relay) bindUDP(at *net.UDPAddr) error {
	ips := []net.IP{at.IP}
	if at.IP == nil || at.IP.IsUnspecified() {
		ips = nil
		for _, ip := range r.peers.hosts {
			ips = append(ips, ip.AsSlice())
		}
	}
	for _, ip := range ips {
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: at.Port, Zone: at.Zone})
		if err != nil {
			for _, udp := range r.udp {
				_ = udp.Close()
			}
			r.udp, r.udpPort = nil, ""
			return err
		}
		r.udp = append(r.udp, &datagrams{UDPConn: udp, relay: r})
		r.udpPort = portOf(udp.LocalAddr())
	}
	return nil
}

func (r *Relay) closePorts() error {
	var errs []error
	for _, udp := range r.udp {
		errs = append(errs, udp.Close())
	}
	if r.tcp != nil {
		errs = append(errs, r.tcp.Close())
	}
	return errors.Join(errs...)
}

// Close gives back what Open opened, where Run did not take over.
func (r *Relay) Close() error {
	var err error
	if r.server != nil {
		err = r.server.Close()
		r.server, r.udp = nil, nil
	}
	if r.tcp != nil {
		err = errors.Join(err, r.tcp.Close())
		r.tcp = nil
	}
	return err
}

// Run accepts TCP until ctx ends, then ends all streams and waits for them.
func (r *Relay) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	tcp := r.tcp
	if tcp != nil {
		wg.Go(func() { r.accept(tcp) })
	}
	<-ctx.Done()
	err := r.Close()
	wg.Wait()
	r.streams.wg.Wait()
	return err
}

// accept takes TCP connections. It waits for no client.
func (r *Relay) accept(tcp net.Listener) {
	for {
		c, err := tcp.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // too many files: the next may come when some are closed
			r.met.refused(reasonFull)
			continue
		}
		r.Take(c)
	}
}

// Take serves a client on a connection from now on, and owns it: plain TCP, or TLS whose handshake
// is done. It does not wait for the client.
func (r *Relay) Take(c net.Conn) {
	s := &stream{Conn: c, relay: r, from: sourceOf(c.RemoteAddr()), buf: make([]byte, maxFrame)}
	s.since.Store(r.now().UnixNano())
	if !r.streams.enter(s) {
		r.met.refused(reasonShut)
		_ = c.Close()
		return
	}
	tune(c)
	select {
	case r.streams.in <- s:
	case <-r.streams.done:
		_ = s.Close()
	}
}

// tune keeps the kernel from holding seconds of sound for a slow client.
func tune(c net.Conn) {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(streamBuffer)
	}
}

// authenticate finds out who asks, from the user name alone; the library checks what is signed.
// An allocation outlives the credential that opened it: a call is longer than ten minutes.
func (r *Relay) authenticate(a *turn.RequestAttributes) (client string, key []byte, ok bool) {
	client, err := readUser(a.Username, r.now())
	switch {
	case a.Realm != realm || errors.Is(err, errUser):
		r.met.refused(reasonUser)
		return "", nil, false
	case errors.Is(err, errExpired) && (a.Method == stun.MethodAllocate || r.book.owner(sourceOf(a.SrcAddr)) != client):
		r.met.refused(reasonExpired)
		return "", nil, false
	}
	return client, turn.GenerateAuthKey(a.Username, a.Realm, password256(r.cfg.Key, a.Username)), true
}

// permits is the rule for permissions and channels.
func (r *Relay) permits(_ net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	if ok && r.peers.Permits(ip) {
		return true
	}
	r.met.refused(reasonPeer)
	return false
}

func (r *Relay) opened(from source, relayed net.Addr) {
	r.met.opened.Inc()
	if told, ok := relayed.(*net.UDPAddr); ok {
		r.book.placed(plain(told.AddrPort()), from)
	}
	r.streams.open(from)
}

// passes looks at a frame before the library does. knows tells whether a nonce was given to whoever
// sent the frame; another is spoilt, so that it is answered with a fresh one (438).
func (r *Relay) passes(b []byte, from source, knows func([]byte) bool) bool {
	req, err := read(b)
	switch {
	case errors.Is(err, errMethod):
		r.met.refused(reasonMethod)
		return false
	case err != nil:
		r.met.refused(reasonGarbage)
		return false
	case req.foreign(r.peers) != nil:
		r.met.refused(reasonPeer)
		return false
	}
	known := r.book.owner(from) != ""
	switch {
	case req.data:
		return known
	case !known && !r.limits.take(from, r.now()):
		r.met.refused(reasonRate)
		return false
	}
	if req.signed && len(req.nonce) > 0 && !knows(req.nonce) {
		r.met.refused(reasonNonce)
		for i := range req.nonce {
			req.nonce[i] = 'x'
		}
	}
	return true
}

// Local returns the socket of this machine behind a relayed address that a client was told; ok is
// false for any address that is not one of ours at the moment.
func (r *Relay) Local(told netip.AddrPort) (at netip.AddrPort, ok bool) {
	return r.book.local(plain(told))
}

// requestRate is how many requests of one address are looked at before it has an allocation. A page
// sends about four; a mobile network puts many behind one address. Higher lets a forged address be
// sent more answers, lower keeps callers out.
var requestRate = admit.Rate{Every: 20 * time.Millisecond, Burst: 400}

// maxAddresses is how many addresses are counted at once.
const maxAddresses = 1 << 16

// limits bound what strangers ask. Addresses of UDP can be forged, so those of TCP are counted apart.
type limits struct {
	mu       *sync.Mutex // guards the rest
	udp, tcp *admit.Table
}

func newLimits() limits {
	return limits{new(sync.Mutex), &admit.Table{Rate: requestRate, Max: maxAddresses}, &admit.Table{Rate: requestRate, Max: maxAddresses}}
}

func (l limits) take(from source, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	table := l.udp
	if from.tcp {
		table = l.tcp
	}
	ok, _ := table.Take(keyOf(from.addr.Addr()), now)
	return ok
}

// keyOf counts an IPv4 address, or a /64 of IPv6, as one.
func keyOf(ip netip.Addr) string {
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ""
	}
	return p.String()
}
