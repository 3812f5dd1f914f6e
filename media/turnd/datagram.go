package turnd

import (
	"net"
	"net/netip"
	"sync"
)

// datagrams is the UDP port as the library sees it: only what may pass comes in.
type datagrams struct {
	*net.UDPConn
	relay *Relay
	given nonces
}

// ReadFrom implements net.PacketConn.
func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := d.ReadFromUDPAddrPort(b)
		if err != nil {
			return 0, nil, err
		}
		at := source{false, plain(from)}
		known := func(nonce []byte) bool { return d.given.has(at.addr, nonce) }
		if d.relay.passes(b[:n], at, known) {
			return n, net.UDPAddrFromAddrPort(at.addr), nil
		}
	}
}

// WriteTo implements net.PacketConn. An answer to somebody unknown is never longer than
// maxAnswer: nobody gets more thrown at a victim than a few times what they spend.
func (d *datagrams) WriteTo(b []byte, to net.Addr) (int, error) {
	at, ok := to.(*net.UDPAddr)
	if !ok {
		return len(b), nil
	}
	if nonce := givenNonce(b); len(nonce) > 0 {
		if len(b) > maxAnswer {
			d.relay.met.refused(reasonShape)
			return len(b), nil
		}
		d.given.add(plain(at.AddrPort()), nonce)
	}
	return d.UDPConn.WriteToUDPAddrPort(b, at.AddrPort())
}

// maxAnswer bounds, in bytes, an answer to a request that proves nothing: a 401 or 438 with realm
// and nonce, to a request of 28 bytes at least.
const maxAnswer = 128

// maxNonces is how many clients' nonces one generation remembers.
const maxNonces = 8192

// nonces remembers which nonce was given to which address, so that a request overheard is of no use
// from another. It forgets by generations: who is forgotten gets a new one (438) and asks again.
type nonces struct {
	mu       sync.Mutex // guards the rest
	now, old map[nonceKey]struct{}
}

type nonceKey struct {
	at    netip.AddrPort
	nonce string
}

func (n *nonces) add(at netip.AddrPort, nonce []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now == nil || len(n.now) >= maxNonces {
		n.now, n.old = map[nonceKey]struct{}{}, n.now
	}
	n.now[nonceKey{at, string(nonce)}] = struct{}{}
}

func (n *nonces) has(at netip.AddrPort, nonce []byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := nonceKey{at, string(nonce)}
	if _, ok := n.now[key]; ok {
		return true
	}
	_, ok := n.old[key]
	return ok
}
