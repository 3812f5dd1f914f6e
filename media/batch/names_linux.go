package batch

import (
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// zones knows interfaces by name and number (RFC 4007 section 11), so that link-local addresses cost no look into the
// system a datagram. One goroutine at a time uses it.
type zones struct {
	names   map[uint32]string
	indices map[string]uint32
}

// mostZones bounds what is remembered: a sender chooses no zone, but interfaces come and go.
const mostZones = 256

func (z *zones) name(index uint32) string {
	if s, ok := z.names[index]; ok {
		return s
	}
	s := strconv.FormatUint(uint64(index), 10)
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		s = i.Name
	}
	if z.names == nil || len(z.names) >= mostZones {
		z.names = map[uint32]string{}
	}
	z.names[index] = s
	return s
}

func (z *zones) index(name string) (uint32, bool) {
	if i, ok := z.indices[name]; ok {
		return i, true
	}
	index := uint32(0)
	if i, err := net.InterfaceByName(name); err == nil {
		index = uint32(i.Index)
	} else if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		index = uint32(n)
	} else {
		return 0, false
	}
	if z.indices == nil || len(z.indices) >= mostZones {
		z.indices = map[string]uint32{}
	}
	z.indices[name] = index
	return index, true
}

// port reads or writes the two bytes of a port in network order.
func port(p *uint16) *[2]byte { return (*[2]byte)(unsafe.Pointer(p)) }

// addrPort returns the address that the system wrote into n.
func (z *zones) addrPort(n *unix.RawSockaddrInet6) netip.AddrPort {
	p := port(&n.Port)
	number := uint16(p[0])<<8 | uint16(p[1])
	if n.Family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(n)).Addr), number)
	}
	a := netip.AddrFrom16(n.Addr).Unmap()
	if n.Scope_id != 0 && a.Is6() {
		a = a.WithZone(z.name(n.Scope_id))
	}
	return netip.AddrPortFrom(a, number)
}

// encode writes an address as a socket of the family takes it and returns its length; false where it cannot.
func (z *zones) encode(n *unix.RawSockaddrInet6, a netip.AddrPort, v6 bool) (uint32, bool) {
	addr := a.Addr()
	if !addr.IsValid() {
		return 0, false
	}
	p := [2]byte{byte(a.Port() >> 8), byte(a.Port())}
	if !v6 {
		if addr = addr.Unmap(); !addr.Is4() {
			return 0, false
		}
		to := (*unix.RawSockaddrInet4)(unsafe.Pointer(n))
		*to = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr.As4()}
		*port(&to.Port) = p
		return unix.SizeofSockaddrInet4, true
	}
	*n = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: addr.As16()}
	*port(&n.Port) = p
	if name := addr.Zone(); name != "" {
		var ok bool
		if n.Scope_id, ok = z.index(name); !ok {
			return 0, false
		}
	}
	return unix.SizeofSockaddrInet6, true
}
