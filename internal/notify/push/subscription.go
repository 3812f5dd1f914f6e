package push

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"jedel/internal/notify"
)

// MaxEndpoint bounds the address of a subscription in bytes; the longest known has about 600.
const MaxEndpoint = 1024

// ErrSubscription reports a subscription that no notice is sent to.
var ErrSubscription = errors.New("not a subscription that can be used")

// Guard says which push services a browser may name. What it names we call: without a bound anybody
// could have us knock at doors within our own network.
type Guard struct {
	Hosts   []string // "fcm.googleapis.com", or "*.push.apple.com"; none: any that is public
	Private bool     // addresses within our own network too, and any port; for tests
}

// Check returns the subscription as it is kept, or ErrSubscription.
func (g Guard) Check(s notify.Subscription) (notify.Subscription, error) {
	bad := func(why string) (notify.Subscription, error) {
		return notify.Subscription{}, fmt.Errorf("%w: %s", ErrSubscription, why)
	}
	u, err := url.Parse(s.Endpoint)
	switch {
	case len(s.Endpoint) > MaxEndpoint:
		return bad("address too long")
	case err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || u.Fragment != "" || u.Hostname() == "":
		return bad("address")
	case strings.ContainsFunc(s.Endpoint, func(r rune) bool { return r <= ' ' || r > '~' }):
		return bad("address")
	case !g.Private && u.Port() != "" && u.Port() != "443":
		return bad("port")
	case !g.allows(strings.ToLower(u.Hostname())):
		return bad("host")
	}
	key, err := decode(s.P256dh)
	if err != nil || len(s.P256dh) > 100 {
		return bad("key")
	}
	if _, err := ecdh.P256().NewPublicKey(key); err != nil {
		return bad("key") // a point off the curve would tell about ours
	}
	auth, err := decode(s.Auth)
	if err != nil || len(auth) != 16 {
		return bad("secret")
	}
	return notify.Subscription{Endpoint: s.Endpoint, P256dh: base64.RawURLEncoding.EncodeToString(key), Auth: base64.RawURLEncoding.EncodeToString(auth)}, nil
}

// decode takes both alphabets of base64, padded or not: browsers differ.
func decode(s string) ([]byte, error) {
	return base64.RawURLEncoding.Strict().DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "=")))
}

// allows tells whether a host may be called.
func (g Guard) allows(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.reachable(ip) && (g.Private || len(g.Hosts) == 0)
	}
	if g.Private {
		return true
	}
	if !strings.Contains(host, ".") || strings.HasSuffix(host, ".") {
		return false
	}
	for _, h := range g.Hosts {
		tail, wild := strings.CutPrefix(h, "*")
		if host == h || wild && strings.HasSuffix(host, tail) && len(host) > len(tail) {
			return true
		}
	}
	return len(g.Hosts) == 0
}

// reachable tells whether an address is one of the open internet (RFC 6890).
func (g Guard) reachable(ip netip.Addr) bool {
	if g.Private {
		return true
	}
	if ip = ip.Unmap(); !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Zone() != "" {
		return false
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// special are networks that look public and are not: shared, protocol, documentation, benchmarks,
// reserved, and those that wrap an IPv4 address.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// control refuses a connection after the name was resolved: the name may have been public yesterday.
func (g Guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !g.reachable(at.Addr()) {
		return errForbidden
	}
	return nil
}

var errForbidden = errors.New("an address that is not public")

func (g Guard) dialer() *net.Dialer { return &net.Dialer{ControlContext: g.control} }
