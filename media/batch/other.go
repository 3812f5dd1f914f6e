//go:build !linux

package batch

import "net/netip"

// cut is the flag of a datagram that was longer than its buffer: not told portably.
const cut = 0

func listen(addr netip.AddrPort, o Options) (*Conn, error) { return listenPlain(addr, o) }
