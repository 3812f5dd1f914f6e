package turnd

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// world is a relay with a media port that answers everything, both on this machine.
type world struct {
	*Relay
	t        *testing.T
	media    *net.UDPConn
	at       netip.AddrPort // of the media port
	received atomic.Int64   // packets at the media port
	clock    atomic.Int64   // added to the time
}

var key = []byte("a key of the site")

func open(t *testing.T, change func(*Config)) *world {
	t.Helper()
	cfg := Config{UDPAddr: "127.0.0.1:0", TCPAddr: "127.0.0.1:0", Key: key, Allocations: 64, Bandwidth: 8_000_000}
	if change != nil {
		change(&cfg)
	}
	w := &world{t: t, Relay: New(cfg, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))}
	w.now = func() time.Time { return time.Now().Add(time.Duration(w.clock.Load())) }
	w.media, w.at = listen(t)
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := w.media.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			w.received.Add(1)
			_, _ = w.media.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	if err := w.Open([]netip.AddrPort{w.at}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			t.Error("the relay did not end")
		}
	})
	return w
}

func listen(t *testing.T) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// creds are what a client says; the zero value of a field is what the relay gave it.
type creds struct{ client, user, password, realm string }

// client is a TURN client at the relay; tcp says by what.
func (w *world) client(tcp bool, c creds) *turn.Client {
	w.t.Helper()
	if c.client == "" {
		c.client = "client-1"
	}
	user, password := credential(key, c.client, w.now().Add(CredentialTime))
	if c.user == "" {
		c.user, c.password = user, password
	}
	if c.realm == "" {
		c.realm = realm
	}
	server := net.JoinHostPort("127.0.0.1", w.udpPort)
	var conn net.PacketConn
	var err error
	if tcp {
		server = net.JoinHostPort("127.0.0.1", w.tcpPort)
		var s net.Conn
		if s, err = net.Dial("tcp", server); err == nil {
			conn = turn.NewSTUNConn(s)
		}
	} else {
		conn, err = net.ListenPacket("udp4", "127.0.0.1:0")
	}
	if err != nil {
		w.t.Fatal(err)
	}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	cl, err := turn.NewClient(&turn.ClientConfig{STUNServerAddr: server, TURNServerAddr: server, Conn: conn, Username: c.user, Password: c.password, Realm: c.realm, LoggerFactory: quiet, RTO: 100 * time.Millisecond})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cl.Listen(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { cl.Close(); _ = conn.Close() })
	return cl
}

func (w *world) allocate(tcp bool, c creds) net.PacketConn {
	w.t.Helper()
	p, err := w.client(tcp, c).Allocate()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = p.Close() })
	return p
}

// echo sends a word to a peer and reports whether it comes back, from whom.
func echo(t *testing.T, c net.PacketConn, to netip.AddrPort) (string, bool) {
	t.Helper()
	b := make([]byte, 2000)
	for range 20 {
		if _, err := c.WriteTo([]byte("a word"), net.UDPAddrFromAddrPort(to)); err != nil {
			return "", false
		}
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if n, from, err := c.ReadFrom(b); err == nil && string(b[:n]) == "a word" {
			return from.String(), true
		}
	}
	return "", false
}

func (w *world) refusals(why reason) float64 {
	return testutil.ToFloat64(w.met.refuses.WithLabelValues(string(why)))
}

func until(t *testing.T, what string, fn func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if fn() {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatal("not in time:", what)
}

func TestMediaGoesThroughTheRelayByUDPAndByTCP(t *testing.T) {
	w := open(t, nil)
	for _, tcp := range []bool{false, true} {
		c := w.allocate(tcp, creds{})
		from, ok := echo(t, c, w.at)
		if !ok || from != w.at.String() {
			t.Fatalf("tcp %v: %q", tcp, from)
		}
		told := c.LocalAddr().(*net.UDPAddr).AddrPort()
		if at, ok := w.Local(told); !ok || at.Port() != told.Port() {
			t.Fatal("the relayed address is not known as ours")
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		until(t, "the address is forgotten", func() bool { _, ok := w.Local(told); return !ok })
	}
}

func TestBehindNATPagesNameThePublicAddress(t *testing.T) {
	public := netip.MustParseAddr("203.0.113.9")
	w := open(t, func(c *Config) { c.Public = []netip.Addr{public} })
	c := w.allocate(true, creds{})
	told := c.LocalAddr().(*net.UDPAddr).AddrPort()
	if told.Addr() != public {
		t.Fatal("told", told)
	}
	name := netip.AddrPortFrom(public, w.at.Port())
	if from, ok := echo(t, c, name); !ok || from != name.String() {
		t.Fatalf("answered from %q", from)
	}
	if at, ok := w.Local(told); !ok || at != netip.AddrPortFrom(w.at.Addr(), told.Port()) {
		t.Fatal(at, ok)
	}
}

func TestPermissionsToInternalAddressesAreRefused(t *testing.T) {
	w := open(t, nil)
	secret, inside := listen(t)
	for _, tcp := range []bool{false, true} {
		cl := w.client(tcp, creds{})
		c, err := cl.Allocate()
		if err != nil {
			t.Fatal(err)
		}
		for _, ip := range []string{"10.0.0.1", "192.168.0.1", "169.254.169.254", "127.0.0.2", "0.0.0.0", "224.0.0.1", "8.8.8.8"} {
			if err := cl.CreatePermission(&net.UDPAddr{IP: net.ParseIP(ip), Port: int(w.at.Port())}); err == nil {
				t.Errorf("a permission for %s", ip)
			}
		}
		// The very address of the media port, another port: nothing arrives, whatever was permitted.
		if err := cl.CreatePermission(net.UDPAddrFromAddrPort(inside)); err != nil {
			t.Fatal("permissions are for addresses:", err)
		}
		for range 20 {
			_, _ = c.WriteTo([]byte("to the inside"), net.UDPAddrFromAddrPort(inside))
		}
		_ = secret.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if n, _, err := secret.ReadFromUDPAddrPort(make([]byte, 100)); err == nil {
			t.Fatalf("%d bytes reached another port of this machine", n)
		}
		_ = c.Close()
	}
	if w.refusals(reasonPeer) == 0 {
		t.Fatal("nothing was counted")
	}
}

func TestStrangersAreRefused(t *testing.T) {
	w := open(t, nil)
	user, password := credential(key, "client-1", time.Now().Add(CredentialTime))
	old, oldPassword := credential(key, "client-1", time.Now().Add(-time.Second))
	_, forged := credential([]byte("another key"), "client-1", time.Now().Add(CredentialTime))
	for name, c := range map[string]struct {
		creds
		why reason
	}{
		"unknown user": {creds{user: "root", password: "root"}, reasonUser},
		"far future":   {creds{user: "9999999999:client-1", password: password256(key, "9999999999:client-1")}, reasonUser},
		"expired":      {creds{user: old, password: oldPassword}, reasonExpired},
		"wrong key":    {creds{user: user, password: forged}, reasonKey},
		"of another":   {creds{user: user + "0", password: password}, reasonKey},
	} {
		for _, tcp := range []bool{false, true} {
			before := w.refusals(c.why)
			if _, err := w.client(tcp, c.creds).Allocate(); err == nil {
				t.Errorf("%s is let in", name)
			}
			if w.refusals(c.why) == before {
				t.Errorf("%s is not counted", name)
			}
		}
	}
	if n := w.book.size(); n != 0 {
		t.Fatal(n, "allocations")
	}
}

// exchange speaks for itself: what goes on the wire is what the test says.
type exchange struct {
	t    *testing.T
	conn net.Conn
}

func (w *world) exchange(from string) exchange {
	w.t.Helper()
	d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("udp4", net.JoinHostPort("127.0.0.1", w.udpPort))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return exchange{w.t, c}
}

func (e exchange) ask(b []byte) *stun.Message {
	e.t.Helper()
	if _, err := e.conn.Write(b); err != nil {
		e.t.Fatal(err)
	}
	_ = e.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	m := stun.New()
	m.Raw = make([]byte, 2000)
	n, err := e.conn.Read(m.Raw)
	if err != nil {
		return nil
	}
	m.Raw = m.Raw[:n]
	if err := m.Decode(); err != nil {
		e.t.Fatal(err)
	}
	return m
}

func code(m *stun.Message) stun.ErrorCode {
	var c stun.ErrorCodeAttribute
	if m == nil || c.GetFrom(m) != nil {
		return 0
	}
	return c.Code
}

var udpRequested = raw{stun.AttrRequestedTransport, []byte{17, 0, 0, 0}}

func TestAnOverheardRequestIsOfNoUseToAnother(t *testing.T) {
	w := open(t, nil)
	honest, thief := w.exchange("127.0.0.1"), w.exchange("127.0.0.1")
	challenge := honest.ask(setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested))
	if code(challenge) != stun.CodeUnauthorized {
		t.Fatal("no challenge", challenge)
	}
	var nonce stun.Nonce
	if err := nonce.GetFrom(challenge); err != nil {
		t.Fatal(err)
	}
	user, password := credential(key, "client-1", time.Now().Add(CredentialTime))
	signed := setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested, stun.NewUsername(user), stun.NewRealm(realm), nonce, stun.NewLongTermIntegrity(user, realm, password))
	if got := code(thief.ask(signed)); got != stun.CodeStaleNonce {
		t.Fatal("the thief is answered", got)
	}
	if w.book.size() != 0 || w.refusals(reasonNonce) != 1 {
		t.Fatal("an allocation for the thief")
	}
	if got := honest.ask(signed); got == nil || got.Type.Class != stun.ClassSuccessResponse {
		t.Fatal("the honest one is refused", got)
	}
	wrong := setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested, stun.NewUsername(user), stun.NewRealm("elsewhere"), nonce, stun.NewLongTermIntegrity(user, "elsewhere", password))
	if got := code(honest.ask(wrong)); got != stun.CodeUnauthorized {
		t.Fatal("another realm is answered", got)
	}
}

func TestAnswersToStrangersAreShortAndFew(t *testing.T) {
	w := open(t, nil)
	e := w.exchange("127.0.0.1")
	for _, b := range [][]byte{
		setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested), setters(stun.NewType(stun.MethodRefresh, stun.ClassRequest)),
		setters(stun.NewType(stun.MethodChannelBind, stun.ClassRequest)), setters(stun.BindingRequest),
		setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested, stun.NewUsername("x"), stun.NewRealm("x"), stun.NewNonce("x"), stun.NewShortTermIntegrity("x")),
	} {
		m := e.ask(b)
		if m == nil || len(m.Raw) > maxAnswer {
			t.Fatalf("% x is answered %v", b, m)
		}
	}
	answers, begun := 0, time.Now()
	b := make([]byte, 2000)
	hear := func(quiet time.Duration) {
		for {
			_ = e.conn.SetReadDeadline(time.Now().Add(quiet))
			if _, err := e.conn.Read(b); err != nil {
				return
			}
			answers++
		}
	}
	ask := setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested)
	for i := range 5000 {
		_, _ = e.conn.Write(ask)
		if i%100 == 99 { // as many as a socket has room for
			hear(time.Millisecond)
		}
	}
	hear(300 * time.Millisecond)
	if most := 3*requestRate.Burst + int(time.Since(begun)/requestRate.Every); answers > most || w.refusals(reasonRate) == 0 {
		t.Fatalf("5000 requests had %d answers, %v were refused", answers, w.refusals(reasonRate))
	}
	// Who has an allocation already is not hindered by what others of the address do.
	for _, b := range [][]byte{[]byte("GET / HTTP/1.1\r\n"), make([]byte, 1600), {0x40, 0, 0, 1, 5, 0, 0, 0}, {}} {
		if m := e.ask(b); m != nil {
			t.Fatalf("% x is answered", b)
		}
	}
}

func TestAFloodOfRequestsLeavesACallUnharmed(t *testing.T) {
	w := open(t, nil)
	c := w.allocate(false, creds{})
	if _, ok := echo(t, c, w.at); !ok {
		t.Fatal("no media before")
	}
	e := w.exchange("127.0.0.1")
	ask := setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested)
	for range 2000 {
		_, _ = e.conn.Write(ask)
	}
	if _, ok := echo(t, c, w.at); !ok {
		t.Fatal("no media during the flood")
	}
	// By TCP, where addresses are not forged, a new client gets in meanwhile.
	if _, ok := echo(t, w.allocate(true, creds{client: "client-2"}), w.at); !ok {
		t.Fatal("nobody gets in by TCP")
	}
}

func TestAllocationsOfOneClientAreBounded(t *testing.T) {
	w := open(t, func(c *Config) { c.Allocations = 6 })
	voices := make([]net.PacketConn, perClient)
	for i := range voices {
		voices[i] = w.allocate(true, creds{})
	}
	if _, err := w.client(true, creds{}).Allocate(); err == nil {
		t.Fatal("a fifth while the four have just been made")
	}
	<-time.After(busyTime + 50*time.Millisecond)
	for _, c := range voices[1:] { // all but the first are heard
		if _, ok := echo(t, c, w.at); !ok {
			t.Fatal("no media")
		}
	}
	newest := w.allocate(true, creds{})
	if n := w.book.size(); n != perClient {
		t.Fatal(n, "allocations")
	}
	for i, c := range append(voices[1:], newest) {
		if _, ok := echo(t, c, w.at); !ok {
			t.Fatal(i, "was in use and gave way")
		}
	}
	if _, ok := w.Local(voices[0].LocalAddr().(*net.UDPAddr).AddrPort()); ok {
		t.Fatal("the quiet one did not give way")
	}
	if w.refusals(reasonQuota) != 2 {
		t.Fatal(w.refusals(reasonQuota), "counted")
	}
	for i := range 2 {
		w.allocate(true, creds{client: "other-" + string(rune('a'+i))})
	}
	if _, err := w.client(true, creds{client: "one-too-many"}).Allocate(); err == nil {
		t.Fatal("more than the bound of all")
	}
	if w.refusals(reasonFull) == 0 {
		t.Fatal("not counted")
	}
}

func TestAnAllocationOutlivesItsCredential(t *testing.T) {
	w := open(t, nil)
	user, password := credential(key, "client-1", time.Now().Add(CredentialTime))
	cl := w.client(true, creds{user: user, password: password})
	c, err := cl.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Store(int64(CredentialTime + time.Minute))
	if err := cl.CreatePermission(net.UDPAddrFromAddrPort(w.at)); err != nil {
		t.Fatal("a call of more than ten minutes:", err)
	}
	if _, ok := echo(t, c, w.at); !ok {
		t.Fatal("no media")
	}
	if _, err := w.client(true, creds{user: user, password: password}).Allocate(); err == nil {
		t.Fatal("the old credential opens another allocation")
	}
}

func TestOnlyTheMediaPortReachesAClient(t *testing.T) {
	w := open(t, nil)
	c := w.allocate(false, creds{})
	if _, ok := echo(t, c, w.at); !ok {
		t.Fatal("no media")
	}
	stranger, _ := listen(t)
	for range 10 {
		_, _ = stranger.WriteToUDP([]byte("from elsewhere"), c.LocalAddr().(*net.UDPAddr))
	}
	until(t, "the stranger is refused", func() bool { return w.refusals(reasonStranger) == 10 })
	_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, from, err := c.ReadFrom(make([]byte, 100)); err == nil {
		t.Fatalf("%d bytes from %v", n, from)
	}
}

func TestWhatNoPageAsksForIsRefused(t *testing.T) {
	w := open(t, nil)
	e := w.exchange("127.0.0.1")
	var nonce stun.Nonce
	if err := nonce.GetFrom(e.ask(setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested))); err != nil {
		t.Fatal(err)
	}
	user, password := credential(key, "client-1", time.Now().Add(CredentialTime))
	for name, extra := range map[string]stun.Setter{
		"even port": raw{stun.AttrEvenPort, []byte{0x80}}, "reservation": raw{stun.AttrReservationToken, []byte("12345678")}, "tcp to peers": raw{stun.AttrRequestedTransport, []byte{6, 0, 0, 0}},
		"another family": raw{stun.AttrRequestedAddressFamily, []byte{2, 0, 0, 0}}, "no fragments": raw{stun.AttrDontFragment, nil},
	} {
		first := stun.Setter(udpRequested)
		if name == "tcp to peers" {
			first, extra = extra, raw{stun.AttrSoftware, []byte("x")}
		}
		m := e.ask(setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), first, extra, stun.NewUsername(user), stun.NewRealm(realm), nonce, stun.NewLongTermIntegrity(user, realm, password)))
		if m != nil && m.Type.Class == stun.ClassSuccessResponse {
			t.Errorf("%s is served", name)
		}
	}
	if n := w.book.size(); n != 0 {
		t.Fatal(n, "allocations")
	}
}

func TestPagesAreToldFewAddresses(t *testing.T) {
	w := open(t, func(c *Config) { c.TLS = true })
	udp, tcp := w.udpPort, w.tcpPort
	for host, want := range map[string][]string{
		"102.example.kz":        {"turn:102.example.kz:" + udp + "?transport=udp", "turn:102.example.kz:" + tcp + "?transport=tcp", "turns:102.example.kz:443?transport=tcp"},
		"102.example.kz:8443":   {"turn:102.example.kz:" + udp + "?transport=udp", "turn:102.example.kz:" + tcp + "?transport=tcp", "turns:102.example.kz:8443?transport=tcp"},
		"[2a0d:1::5]:443":       {"turn:[2a0d:1::5]:" + udp + "?transport=udp", "turn:[2a0d:1::5]:" + tcp + "?transport=tcp", "turns:[2a0d:1::5]:443?transport=tcp"},
		"[2a0d:1::5]":           {"turn:[2a0d:1::5]:" + udp + "?transport=udp", "turn:[2a0d:1::5]:" + tcp + "?transport=tcp", "turns:[2a0d:1::5]:443?transport=tcp"},
		"102.example.kz:bad":    {"turn:102.example.kz:" + udp + "?transport=udp", "turn:102.example.kz:" + tcp + "?transport=tcp"},
		"":                      nil,
		":443":                  nil,
		"102.example.kz:999999": {"turn:102.example.kz:" + udp + "?transport=udp", "turn:102.example.kz:" + tcp + "?transport=tcp"},
	} {
		s := w.Servers("client-1", host, true)
		if len(s.URLs) != len(want) {
			t.Fatalf("%q: %v", host, s.URLs)
		}
		for i := range want {
			if s.URLs[i] != want[i] {
				t.Errorf("%q: %v", host, s.URLs)
			}
			if _, err := stun.ParseURI(s.URLs[i]); err != nil {
				t.Errorf("%s: %v", s.URLs[i], err)
			}
		}
	}
	if s := w.Servers("client-1", "h", false); len(s.URLs) != 2 {
		t.Fatal("without TLS:", s.URLs)
	}
	w.cfg.URLs = []string{"turns:relay.example.kz:443?transport=tcp"}
	if s := w.Servers("client-1", "h", false); len(s.URLs) != 1 || s.URLs[0] != w.cfg.URLs[0] || s.Password == "" {
		t.Fatal(s)
	}
}

func TestEveryAddressOfOursAnswersForItself(t *testing.T) {
	r := New(Config{UDPAddr: ":0", Key: key, Allocations: 4, Bandwidth: 1 << 20}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err := r.Open([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8081"), netip.MustParseAddrPort("127.0.0.2:8081"), netip.MustParseAddrPort("127.0.0.2:8082")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if len(r.udp) != 2 {
		t.Fatal(len(r.udp), "sockets")
	}
	for _, udp := range append([]*datagrams(nil), r.udp...) {
		at := udp.UDPConn.LocalAddr().(*net.UDPAddr)
		c, err := net.Dial("udp4", at.String()) // connected: hears that address alone
		if err != nil {
			t.Fatal(err)
		}
		if m := (exchange{t, c}).ask(setters(stun.BindingRequest)); m == nil {
			t.Error(at, "does not answer")
		}
		_ = c.Close()
	}
}

func TestAPortThatSomebodyElseHasIsDoneWithout(t *testing.T) {
	_, taken := listen(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	w := open(t, func(c *Config) { c.UDPAddr, c.TCPAddr, c.TLS = taken.String(), tcp.Addr().String(), true })
	if testutil.ToFloat64(w.met.missing) != 2 {
		t.Fatal("not told")
	}
	if s := w.Servers("client-1", "102.example.kz", true); len(s.URLs) != 1 || s.URLs[0] != "turns:102.example.kz:443?transport=tcp" {
		t.Fatal(s.URLs)
	}
}
