package main

import (
	"encoding/binary"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// nat is a translator of addresses between the two sides, as a home's or a carrier's: what goes up
// gets one outer address and a port of its own, what comes down by a port that is not known is
// dropped. Forget makes it lose its table, as when it was restarted or let a mapping time out: the
// next packet up goes out by a new port, and answers to the old one are lost.
type nat struct {
	mu    sync.Mutex
	outer [4]byte
	next  uint16
	ports map[flow]uint16
	back  map[portOf]flow
}

// flow is the inner end of what is translated.
type flow struct {
	proto byte
	ip    [4]byte
	port  uint16
}

type portOf struct {
	proto byte
	port  uint16
}

func newNAT(outer string) *nat {
	n := &nat{next: 20000, ports: map[flow]uint16{}, back: map[portOf]flow{}}
	copy(n.outer[:], net.ParseIP(outer).To4())
	return n
}

// forget loses what is known of UDP, or of everything.
func (n *nat) forget(all bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for f, port := range n.ports {
		if all || f.proto == 17 {
			delete(n.ports, f)
			delete(n.back, portOf{f.proto, port})
		}
	}
}

// ends returns where the addresses and ports of an IPv4 packet stand; ok is false for others.
func ends(b []byte) (header int, ok bool) {
	if len(b) < 28 || b[0]>>4 != 4 || (b[9] != 17 && b[9] != 6) || binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		return 0, false
	}
	header = int(b[0]&15) * 4
	return header, len(b) >= header+8
}

// up rewrites the source of what leaves.
func (n *nat) up(b []byte) bool {
	h, ok := ends(b)
	if !ok {
		return false
	}
	f := flow{proto: b[9], port: binary.BigEndian.Uint16(b[h:])}
	copy(f.ip[:], b[12:16])
	n.mu.Lock()
	defer n.mu.Unlock()
	port, known := n.ports[f]
	if !known {
		port = n.next
		n.next++
		n.ports[f], n.back[portOf{f.proto, port}] = port, f
	}
	rewrite(b, h, 12, h, n.outer, port)
	return true
}

// down rewrites the destination of what comes in.
func (n *nat) down(b []byte) bool {
	h, ok := ends(b)
	if !ok {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	f, known := n.back[portOf{b[9], binary.BigEndian.Uint16(b[h+2:])}]
	if !known {
		return false
	}
	rewrite(b, h, 16, h+2, f.ip, f.port)
	return true
}

// rewrite puts an address and a port in place and keeps the checksums true (RFC 1624).
func rewrite(b []byte, header, ipAt, portAt int, ip [4]byte, port uint16) {
	sum := header + 16 // of TCP
	if b[9] == 17 {
		sum = header + 6
	}
	put := func(at int, v uint16, sums ...int) {
		old := binary.BigEndian.Uint16(b[at:])
		binary.BigEndian.PutUint16(b[at:], v)
		for _, s := range sums {
			if s+2 > len(b) || b[9] == 17 && s == sum && binary.BigEndian.Uint16(b[s:]) == 0 {
				continue
			}
			c := uint32(^binary.BigEndian.Uint16(b[s:])) + uint32(^old) + uint32(v)
			for c > 0xffff {
				c = c&0xffff + c>>16
			}
			binary.BigEndian.PutUint16(b[s:], ^uint16(c))
		}
	}
	put(ipAt, binary.BigEndian.Uint16(ip[:]), 10, sum)
	put(ipAt+2, binary.BigEndian.Uint16(ip[2:]), 10, sum)
	put(portAt, port, sum)
}

// serve lets a test make it forget: ?all=1 everything, else UDP alone.
func (n *nat) serve() {
	http.HandleFunc("/forget", func(_ http.ResponseWriter, r *http.Request) {
		all, _ := strconv.ParseBool(r.URL.Query().Get("all"))
		n.forget(all)
	})
}
