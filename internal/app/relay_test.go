package app

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"jedel/internal/config"
	"jedel/media/turnd"
	"jedel/signaling/wire"
)

func TestPagesAreGivenRelaysAndFreshCredentials(t *testing.T) {
	t.Parallel()
	g := startGateway(t, func(c *config.Config) { c.Media.Turn.UDP = "127.0.0.1:0" })
	c := g.tab(wire.RoleCaller, "")
	given := c.welcome.ICEServers
	if len(given) != 1 || len(given[0].URLs) != 1 || !strings.HasPrefix(given[0].URLs[0], "turn:127.0.0.1:") || given[0].Credential == "" {
		t.Fatalf("%+v", given)
	}
	stamp, client, _ := strings.Cut(given[0].Username, ":")
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || client != c.welcome.Client {
		t.Fatal("not of this client:", given[0].Username)
	}
	if left := time.Until(time.Unix(unix, 0)); left > turnd.CredentialTime || left < turnd.CredentialTime-time.Minute || 2*turnd.RenewEvery > turnd.CredentialTime {
		t.Fatal("good for", left)
	}
	g.app.renewRelays()
	for {
		if n, ok := c.receive().Body.(*wire.RelayRenewed); ok {
			if len(n.ICEServers) != 1 || n.ICEServers[0].URLs[0] != given[0].URLs[0] || !strings.HasSuffix(n.ICEServers[0].Username, ":"+client) {
				t.Fatalf("%+v", n)
			}
			return
		}
	}
}

func TestWithoutARelayPagesAreToldOfNone(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	if c := g.tab(wire.RoleCaller, ""); c.welcome.ICEServers == nil || len(c.welcome.ICEServers) != 0 {
		t.Fatalf("%+v", c.welcome.ICEServers)
	}
}

func TestTheKeyOfCredentialsIsTheSites(t *testing.T) {
	t.Parallel()
	a, err := relayConfig(config.Default(), []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := relayConfig(config.Default(), []byte("secret"))
	if err != nil || !bytes.Equal(a.Key, again.Key) {
		t.Fatal("another start, another key", err)
	}
	if other, err := relayConfig(config.Default(), []byte("other")); err != nil || bytes.Equal(a.Key, other.Key) || bytes.Contains(a.Key, []byte("secret")) {
		t.Fatal("another site, the same key", err)
	}
}
