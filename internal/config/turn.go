package config

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Turn is the gateway's own relay, for networks that let no media through.
type Turn struct {
	UDP         string   `yaml:"udp"`
	TCP         string   `yaml:"tcp"`
	TLS         bool     `yaml:"tls"`
	URLs        []string `yaml:"urls"`
	Allocations int      `yaml:"allocations"`
	Bandwidth   int      `yaml:"bandwidth"`
}

// On reports whether there is a relay at all. By TLS it needs the port of the pages to be TLS.
func (t Turn) On(h HTTP) bool { return t.UDP != "" || t.TCP != "" || t.TLS && h.TLS != "off" }

// Public returns the addresses that browsers are told in place of our own.
func (m Media) Public() ([]netip.Addr, error) {
	var list []netip.Addr
	for _, text := range m.PublicIPs {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, err
		}
		list = append(list, ip.Unmap())
	}
	return list, nil
}

// Bounds of what one allocation may relay, bits per second: a voice needs 100,000 with what repairs
// it, an operator with four voices and two pictures some millions.
const (
	minBandwidth = 200_000
	maxBandwidth = 100_000_000
)

func (m Media) check() []error {
	var errs []error
	if _, err := m.Public(); err != nil {
		errs = append(errs, fmt.Errorf("media.public_ips: %w", err))
	}
	for key, addr := range map[string]string{"udp": m.Turn.UDP, "tcp": m.Turn.TCP} {
		if addr == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(addr); err != nil {
			errs = append(errs, fmt.Errorf("media.turn.%s: %w", key, err))
		}
		if ours := map[string]string{"udp": m.UDP, "tcp": m.TCP}[key]; addr == ours {
			errs = append(errs, fmt.Errorf("media.turn.%s: %q is media.%s", key, addr, key))
		}
	}
	for _, url := range m.Turn.URLs {
		if !strings.HasPrefix(url, "turn:") && !strings.HasPrefix(url, "turns:") {
			errs = append(errs, fmt.Errorf("media.turn.urls: %q is not turn: or turns: (RFC 7065)", url))
		}
	}
	if m.Turn.Allocations < 1 {
		errs = append(errs, fmt.Errorf("media.turn.allocations: must be positive"))
	}
	if m.Turn.Bandwidth < minBandwidth || m.Turn.Bandwidth > maxBandwidth {
		errs = append(errs, fmt.Errorf("media.turn.bandwidth: %d is not within %d and %d bits per second", m.Turn.Bandwidth, minBandwidth, maxBandwidth))
	}
	return errs
}
