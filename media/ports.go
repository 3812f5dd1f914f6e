package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"

	"jedel/media/batch"

	"github.com/pion/ice/v4"
)

// socketBuffer is how many bytes the kernel may keep of what comes and goes. With what it adds to each that was 0.17 s of
// 40,000 packets of pictures a second, measured; half of it lost packets in pauses of the collector, more would only be later.
const socketBuffer = 8 << 20

// maxReaders bounds the readers of an address where the number is not configured.
const maxReaders = 8

// ports are the node's ways to the outside.
type ports struct {
	sockets []*socket
	udp     *ice.MultiUDPMuxDefault
	tcp     ice.TCPMux
}

// open binds one UDP socket for each of the machine's addresses and the TCP port.
func (p *ports) open(cfg Config, n *Node) error {
	host, portText, err := net.SplitHostPort(cfg.UDPAddr)
	if err != nil {
		return fmt.Errorf("media.udp: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return fmt.Errorf("media.udp: %w", err)
	}
	addrs, err := localAddrs(host, cfg.AllowLoopback)
	if err != nil {
		return fmt.Errorf("media.udp: %w", err)
	}
	readers := cfg.Readers
	if readers == 0 {
		readers = min(runtime.GOMAXPROCS(0), maxReaders)
	}
	var muxes []ice.UDPMux
	for _, a := range addrs {
		s, err := newSocket(n, netip.AddrPortFrom(a, uint16(port)), readers, batch.Options{
			ReadBuffer: socketBuffer, WriteBuffer: socketBuffer, Gather: cfg.Gather, Expedited: true, Stamped: true,
		})
		if err != nil {
			return fmt.Errorf("media.udp: %w", err)
		}
		p.sockets = append(p.sockets, s)
		muxes = append(muxes, ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: s, Logger: pionLog{n.log}.NewLogger("ice")}))
	}
	p.udp = ice.NewMultiUDPMuxDefault(muxes...)
	if cfg.TCPAddr == "" {
		return nil
	}
	if p.tcp, err = listenTCP(cfg.TCPAddr, 2*cfg.MaxPeers+streamsEach, n.met.streamsRefused.Inc, pionLog{n.log}); err != nil {
		return fmt.Errorf("media.tcp: %w", err)
	}
	return nil
}

// close ends what open has opened.
func (p *ports) close() error {
	var errs []error
	if p.udp != nil {
		errs = append(errs, p.udp.Close())
	}
	for _, s := range p.sockets {
		errs = append(errs, s.Close())
	}
	if p.tcp != nil {
		errs = append(errs, p.tcp.Close())
	}
	return errors.Join(errs...)
}

// socketOf returns the socket that is bound to ip, else the first from which other can be reached.
func (p *ports) socketOf(ip, other netip.Addr) *socket {
	var first *socket
	for _, s := range p.sockets {
		own := s.local.AddrPort().Addr()
		if own == ip {
			return s
		}
		if first == nil && own.Is4() == other.Is4() {
			first = s
		}
	}
	return first
}

// localAddrs returns the machine's addresses that host covers: all, or the one.
func localAddrs(host string, loopback bool) ([]netip.Addr, error) {
	if host != "" {
		only, err := netip.ParseAddr(host)
		if err != nil {
			return nil, err
		}
		if !only.IsUnspecified() {
			return []netip.Addr{only.Unmap()}, nil
		}
	}
	ifaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []netip.Addr
	for _, i := range ifaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			ip := prefix.Addr().Unmap()
			if ip.IsLinkLocalUnicast() || ip.IsMulticast() || (ip.IsLoopback() && !loopback) {
				continue
			}
			out = append(out, ip)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the machine has no address")
	}
	return out, nil
}
