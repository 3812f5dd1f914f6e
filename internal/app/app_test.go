package app

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"jedel/internal/config"
)

func TestEdgeIsToldWhatIsConfigured(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Listen = config.Listen{Proxies: []string{"10.1.2.3/8", "2001:db8::/32"}, MaxSockets: 7, MaxSocketsAddr: 3}
	c.Metrics.Listen = "127.0.0.1:9100"
	got, err := edgeConfig(c, Options{}, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	if !slices.Equal(got.Proxies, want) || got.MaxSockets != 7 || got.MaxSocketsAddr != 3 || got.MetricsAddr != c.Metrics.Listen {
		t.Fatalf("%+v", got)
	}
	c.Listen.Proxies = []string{"everybody"}
	if _, err := edgeConfig(c, Options{}, nil); err == nil || !strings.Contains(err.Error(), "listen.proxies") {
		t.Fatal(err)
	}
}
