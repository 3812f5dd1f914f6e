package media

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"sync"
)

// Numbers of STUN (RFC 8489 sections 5 and 14).
const (
	stunHeader  = 20
	stunCookie  = 0x2112a442
	stunRequest = 0x0001
	stunUser    = 0x0006
)

// mostKnown bounds the addresses that are remembered as written to; beyond it they are learnt anew.
const mostKnown = 8192

// acquaintances tells who has a reason to send us STUN or DTLS: who uses a name of ours that is in an
// answer, and whom we have written to. Others are heard after them, so that a flood costs nobody a call.
type acquaintances struct {
	mu     sync.RWMutex   // guards the rest
	names  map[string]any // whose answer it is in
	sentTo map[netip.AddrPort]struct{}
}

// name lets in who knows the answer of a connection, its owner.
func (a *acquaintances) name(answer string, owner any) {
	for line := range strings.Lines(answer) {
		if name, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "a=ice-ufrag:"); ok {
			a.mu.Lock()
			if a.names == nil {
				a.names = map[string]any{}
			}
			a.names[name] = owner
			a.mu.Unlock()
		}
	}
}

// forget takes back what is known by the answers of a connection.
func (a *acquaintances) forget(owner any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for k, v := range a.names {
		if v == owner {
			delete(a.names, k)
		}
	}
}

// wrote notes that we have written to addr.
func (a *acquaintances) wrote(addr netip.AddrPort) {
	a.mu.RLock()
	_, ok := a.sentTo[addr]
	a.mu.RUnlock()
	if ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sentTo == nil || len(a.sentTo) >= mostKnown {
		a.sentTo = map[netip.AddrPort]struct{}{}
	}
	a.sentTo[addr] = struct{}{}
}

// owner returns whose answer has a name in it, nil where there is none.
func (a *acquaintances) owner(name []byte) any {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.names[string(name)]
}

// namesOf returns the names in the answers of a connection.
func (a *acquaintances) namesOf(owner any) (names []string) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for k, v := range a.names {
		if v == owner {
			names = append(names, k)
		}
	}
	return names
}

// know reports whether a datagram comes from somebody who has a reason to send it.
func (a *acquaintances) know(b []byte, addr netip.AddrPort) bool {
	user := stunUserOf(b)
	a.mu.RLock()
	defer a.mu.RUnlock()
	if _, ok := a.sentTo[addr]; ok {
		return true
	}
	_, ok := a.names[string(user)]
	return ok
}

// stunUserOf returns our part of the name in a binding request (RFC 8445 section 7.2.2), nil for
// anything else.
func stunUserOf(b []byte) []byte {
	if len(b) < stunHeader || binary.BigEndian.Uint16(b) != stunRequest || binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return nil
	}
	rest := b[stunHeader:]
	for len(rest) >= 4 {
		kind, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < 4+n {
			return nil
		}
		if kind == stunUser {
			for i, c := range rest[4 : 4+n] {
				if c == ':' {
					return rest[4 : 4+i]
				}
			}
			return nil
		}
		rest = rest[min(len(rest), 4+(n+3)&^3):]
	}
	return nil
}
