package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"

	"github.com/prometheus/client_golang/prometheus"
)

// Node is the forwarding unit of this process. Make it with Open, then Run it.
type Node struct {
	cfg       Config
	log       *slog.Logger
	met       *metrics
	pion      pion
	ports     ports
	known     acquaintances
	events    chan Event
	singles   chan Single
	start     time.Time               // packets' times count from here
	tracks    atomic.Uint64           // numbers every track towards us
	conns     atomic.Pointer[[]*conn] // the present ones
	attention attention
	early     atomic.Int64 // bytes that are kept for who listens first

	mu     sync.Mutex // guards the rest
	peers  map[ident.ClientID]*peer
	plan   plan
	closed bool
}

// Open binds the ports. Nothing is answered before Run.
func Open(cfg Config, reg prometheus.Registerer, log *slog.Logger) (*Node, error) {
	n := &Node{
		cfg: cfg, log: log, met: newMetrics(reg), events: make(chan Event, eventsLen), singles: make(chan Single, singlesLen), start: time.Now(),
		peers: map[ident.ClientID]*peer{}, plan: newPlan(),
	}
	if err := n.ports.open(cfg, n); err != nil {
		return nil, errors.Join(err, n.ports.close())
	}
	var err error
	if n.pion, err = n.newPion(); err != nil {
		return nil, errors.Join(fmt.Errorf("media engine: %w", err), n.ports.close())
	}
	return n, nil
}

// Addrs returns the UDP addresses that browsers are told.
func (n *Node) Addrs() []net.Addr { return n.ports.udp.GetListenAddresses() }

// Events is where the app reads what happens to peers. It must be read.
func (n *Node) Events() <-chan Event { return n.events }

func (n *Node) post(e Event) {
	select {
	case n.events <- e:
	default:
		n.met.eventsDropped.Inc()
	}
}

// housekeeping is how often idle and stuck connections are looked for.
const housekeeping = time.Second

// Run looks after the peers until ctx ends, then closes them and the ports.
func (n *Node) Run(ctx context.Context) error {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	voices := time.NewTicker(listenEvery)
	defer voices.Stop()
	var said sync.WaitGroup
	said.Go(func() { (&reporter{node: n}).run(ctx) })
	said.Go(func() { n.runRates(ctx) })
	for {
		select {
		case now := <-tick.C:
			n.tidy(now)
		case <-voices.C:
			now := time.Now() // the tick's own time hides how late it is
			n.attend(now)
			n.listen(now)
		case <-ctx.Done():
			said.Wait()
			return n.close()
		}
	}
}

func (n *Node) close() error {
	n.mu.Lock()
	n.closed = true
	peers := n.peers
	n.peers = map[ident.ClientID]*peer{}
	n.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range peers {
		wg.Go(func() { p.close("shutdown") })
	}
	wg.Wait()
	return n.ports.close()
}

// Negotiate answers a browser's offer. The same pc again is renegotiation or an ICE restart of the
// connection; another pc replaces it, keeping routes and tap. The answer has all our candidates.
// Errors are fault.Errors and leave what was there.
func (n *Node) Negotiate(ctx context.Context, id ident.ClientID, role Role, pc, sdp string) (string, error) {
	o, err := checkOffer(sdp, n.cfg)
	if err != nil {
		return "", err
	}
	p, err := n.peer(id, role)
	if err != nil {
		return "", err
	}
	answer, err := p.negotiate(ctx, pc, o)
	n.changed(id)
	return answer, err
}

// peer returns the client's peer, making it where there is room.
func (n *Node) peer(id ident.ClientID, role Role) (*peer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fault.New(fault.MediaRefused, "media.offer", errShutdown)
	}
	p := n.peers[id]
	if p != nil {
		p.role.Store(uint32(role))
		return p, nil
	}
	if len(n.peers) >= n.cfg.MaxPeers {
		n.met.refused.Inc()
		return nil, fault.Newf(fault.MediaRefused, "media.offer", "%d peers", len(n.peers))
	}
	p = newPeer(n, id, role)
	n.peers[id] = p
	return p, nil
}

func (n *Node) find(id ident.ClientID) *peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.peers[id]
}

// AddCandidate takes one of the browser's candidates. An empty one ends them.
func (n *Node) AddCandidate(id ident.ClientID, pc, candidate, mid string) error {
	if candidate == "" {
		return nil
	}
	candidate, err := checkCandidate(candidate, n.cfg)
	if errors.Is(err, errName) {
		return nil // the connection finds it as a peer-reflexive address
	}
	if err != nil {
		return err
	}
	p := n.find(id)
	if p == nil {
		return fault.New(fault.WrongState, "media.candidate", errGone)
	}
	return p.addCandidate(pc, candidate, mid)
}

// SetTap lets tap take everything the client sends from now on, over this and later connections;
// nil ends it. The client need not have a connection yet.
func (n *Node) SetTap(id ident.ClientID, tap Tap) {
	n.mu.Lock()
	p := n.peers[id]
	if p == nil && tap != nil && !n.closed {
		p = newPeer(n, id, RoleCaller)
		n.peers[id] = p
	}
	n.mu.Unlock()
	if p != nil {
		p.setTap(tap)
	}
}

// SetRoutes says who hears and sees whom in a room from now on. It replaces what was said before;
// no routes forget the room.
func (n *Node) SetRoutes(room ident.CallID, routes []Route) error {
	for _, r := range routes {
		if r.Slot < 0 || r.Slot >= MaxSections || (r.Kind != Audio && r.Kind != Video) {
			return fmt.Errorf("route %+v", r)
		}
	}
	n.mu.Lock()
	ids := n.plan.set(room, routes)
	n.mu.Unlock()
	n.rewire(ids)
	return nil
}

// Send sends b to the client over its data channel. It never blocks; an error means that the
// socket should be used.
func (n *Node) Send(id ident.ClientID, b []byte) error {
	p := n.find(id)
	if p == nil {
		return errGone
	}
	return p.send(b)
}

// ClosePeer ends the client's connection and forgets tap and place; routes that name it stay.
func (n *Node) ClosePeer(id ident.ClientID, reason string) {
	n.mu.Lock()
	p := n.peers[id]
	delete(n.peers, id)
	n.mu.Unlock()
	if p != nil {
		p.close(reason)
		n.changed(id)
	}
}

// PC returns the name of the connection that the node has of a client, empty for none.
func (n *Node) PC(id ident.ClientID) string {
	p := n.find(id)
	if p == nil {
		return ""
	}
	return p.pcID()
}

// Stats returns how the client's connection is; ok is false where there is none.
func (n *Node) Stats(id ident.ClientID) (PeerStats, bool) {
	p := n.find(id)
	if p == nil {
		return PeerStats{}, false
	}
	return p.stats()
}
