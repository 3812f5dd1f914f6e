package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"time"

	"jedel/internal/config"
	"jedel/media"
	"jedel/media/turnd"
	"jedel/signaling"
	"jedel/signaling/wire"

	"github.com/prometheus/client_golang/prometheus"
)

// openMedia makes the forwarding unit, and the relay beside it for those who cannot reach it.
func (a *App) openMedia(secret []byte, reg prometheus.Registerer) error {
	mc := mediaConfig(a.cfg.Media)
	if a.cfg.Media.Turn.On(a.cfg.HTTP) {
		rc, err := relayConfig(a.cfg, secret)
		if err != nil {
			return err
		}
		a.relay = turnd.New(rc, reg, a.log)
		mc.Relayed = a.relay.Local
	}
	var err error
	if a.node, err = media.Open(mc, reg, a.log); err != nil || a.relay == nil {
		return err
	}
	var at []netip.AddrPort
	for _, addr := range a.node.Addrs() {
		if udp, ok := addr.(*net.UDPAddr); ok {
			at = append(at, udp.AddrPort())
		}
	}
	return a.relay.Open(at)
}

// relayConfig derives the key of credentials from the site's secret, which all nodes and every
// start have in common: a page's credential is good at whichever node it comes to.
func relayConfig(c config.Config, secret []byte) (turnd.Config, error) {
	public, err := c.Media.Public()
	if err != nil {
		return turnd.Config{}, fmt.Errorf("media.public_ips: %w", err)
	}
	key := hmac.New(sha256.New, secret)
	key.Write([]byte("turn\x00"))
	t := c.Media.Turn
	return turnd.Config{
		UDPAddr: t.UDP, TCPAddr: t.TCP, TLS: t.TLS, URLs: t.URLs, Key: key.Sum(nil), Public: public, Allocations: t.Allocations, Bandwidth: t.Bandwidth,
	}, nil
}

// sharing is the relay where the port of the pages is its port too.
func (a *App) sharing() signaling.Relay {
	if a.relay == nil || !a.cfg.Media.Turn.TLS {
		return nil
	}
	return a.relay
}

// iceServers is what a page is told of the relay.
func (a *App) iceServers(who signaling.Who) []wire.ICEServer {
	if a.relay == nil {
		return []wire.ICEServer{}
	}
	s := a.relay.Servers(string(who.Client), who.Host, who.TLS)
	if len(s.URLs) == 0 {
		return []wire.ICEServer{}
	}
	return []wire.ICEServer{{URLs: s.URLs, Username: s.User, Credential: s.Password}}
}

// runRelays gives pages fresh credentials before the old ones are over.
func (a *App) runRelays(ctx context.Context) {
	if a.relay == nil {
		return
	}
	tick := time.NewTicker(turnd.RenewEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.renewRelays()
		case <-ctx.Done():
			return
		}
	}
}

func (a *App) renewRelays() {
	a.edge.Hub().Each(func(who signaling.Who) wire.Body { return &wire.RelayRenewed{ICEServers: a.iceServers(who)} })
}
