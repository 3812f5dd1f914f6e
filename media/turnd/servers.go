package turnd

import (
	"net"
	"strconv"
	"time"
)

// Servers is what a page is told of the relay: an RTCIceServer.
type Servers struct {
	URLs           []string
	User, Password string
}

// Servers returns the relay's addresses with a fresh credential for a client; no URLs where there
// is nothing to tell. host is the host and port by which the page reached us, https whether by TLS.
// The fewer addresses the better: each costs every page an allocation and gathering some time.
func (r *Relay) Servers(client, host string, https bool) Servers {
	urls := r.cfg.URLs
	if len(urls) == 0 {
		urls = r.urls(host, https)
	}
	if len(urls) == 0 {
		return Servers{}
	}
	user, password := credential(r.cfg.Key, client, r.now().Add(CredentialTime))
	return Servers{URLs: urls, User: user, Password: password}
}

// RenewEvery is how often pages are given fresh credentials: twice before the old ones are over, so
// that one may be lost.
const RenewEvery = 4 * time.Minute

func (r *Relay) urls(host string, https bool) []string {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, "443"
	}
	if name == "" {
		return nil
	}
	var urls []string
	add := func(scheme, port, transport string) {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
			urls = append(urls, scheme+":"+net.JoinHostPort(bare(name), port)+"?transport="+transport)
		}
	}
	add("turn", r.udpPort, "udp")
	add("turn", r.tcpPort, "tcp")
	if r.cfg.TLS && https {
		add("turns", port, "tcp")
	}
	return urls
}

// bare takes the brackets off an IPv6 address without a port.
func bare(name string) string {
	if n := len(name); n > 2 && name[0] == '[' && name[n-1] == ']' {
		return name[1 : n-1]
	}
	return name
}

func portOf(a net.Addr) string {
	_, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return port
}
