package main

import (
	"encoding/binary"
	"fmt"
)

// passes reports whether a firewall that lets nothing through but these ports ("tcp/443", of either
// end) would let an IPv4 packet pass. It drops in silence, as firewalls do. No ports: no firewall.
func passes(ports []string, b []byte) bool {
	if len(ports) == 0 {
		return true
	}
	p := proto(b)
	header := 0
	if len(b) > 20 && b[0]>>4 == 4 {
		header = int(b[0]&15) * 4
	}
	if header == 0 || len(b) < header+4 || p != 6 && p != 17 {
		return false
	}
	name := map[byte]string{6: "tcp", 17: "udp"}[p]
	for _, at := range []int{header, header + 2} {
		port := fmt.Sprintf("%s/%d", name, binary.BigEndian.Uint16(b[at:]))
		for _, open := range ports {
			if open == port {
				return true
			}
		}
	}
	return false
}
