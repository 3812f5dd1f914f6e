package turnd

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func TestOnlyTheMediaPortIsAPeerInEverySpelling(t *testing.T) {
	media := []netip.AddrPort{netip.MustParseAddrPort("10.1.2.3:8081"), netip.MustParseAddrPort("192.168.7.7:8081"), netip.MustParseAddrPort("[2a0d:1::5]:8081"), netip.MustParseAddrPort("[fe80::1%eth0]:8081"), netip.MustParseAddrPort("0.0.0.0:8081"), netip.MustParseAddrPort("[::]:8081")}
	p := NewPeers(media, []netip.Addr{netip.MustParseAddr("203.0.113.9")})
	for name, want := range map[string]string{
		"10.1.2.3:8081": "10.1.2.3:8081", "192.168.7.7:8081": "192.168.7.7:8081", "203.0.113.9:8081": "10.1.2.3:8081", "[2a0d:1::5]:8081": "[2a0d:1::5]:8081",
	} {
		at, ok := p.Resolve(netip.MustParseAddrPort(name))
		if !ok || at.String() != want || !p.Permits(netip.MustParseAddrPort(name).Addr()) {
			t.Errorf("%s: %v %v", name, at, ok)
		}
	}
	for _, name := range []string{
		"10.1.2.3:8082", "10.1.2.3:0", "10.1.2.3:22", "[2a0d:1::5]:443", "203.0.113.9:443", // our machine, another port
		"127.0.0.1:8081", "[::1]:8081", "0.0.0.0:8081", "[::]:8081", "10.1.2.4:8081", "169.254.169.254:80", "224.0.0.1:8081", "[ff02::1]:8081",
		"[::ffff:10.1.2.3]:8081", "[::ffff:127.0.0.1]:8081", "[::10.1.2.3]:8081", "[::127.0.0.1]:8081", // mapped, compatible
		"[2002:a01:203::]:8081", "[2002:7f00:1::1]:8081", "[64:ff9b::10.1.2.3]:8081", "[64:ff9b::127.0.0.1]:8081", "[64:ff9b:1::a01:203]:8081", "[2001:0:a01:203::1]:8081",
		"[fe80::1%eth0]:8081", "[fe80::1]:8081", "[2a0d:1::5%eth0]:8081", "[2a0d:1::6]:8081", "[fec0::1]:8081", "[fc00::1]:8081", "255.255.255.255:8081",
	} {
		at := netip.MustParseAddrPort(name)
		if to, ok := p.Resolve(at); ok {
			t.Errorf("%s is relayed to %v", name, to)
		}
		if strings.HasSuffix(name, ":8081") && p.Permits(at.Addr()) {
			t.Errorf("%s is permitted", name)
		}
	}
}

func TestLoopbackIsAPeerWhereTheMediaPortIsThere(t *testing.T) {
	p := NewPeers([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8081"), netip.MustParseAddrPort("[::1]:8081")}, nil)
	for _, name := range []string{"127.0.0.1:8081", "[::1]:8081"} {
		if _, ok := p.Resolve(netip.MustParseAddrPort(name)); !ok {
			t.Error(name)
		}
	}
	for _, name := range []string{"127.0.0.2:8081", "[::ffff:127.0.0.1]:8081", "[::127.0.0.1]:8081", "127.0.0.1:6379"} {
		if _, ok := p.Resolve(netip.MustParseAddrPort(name)); ok {
			t.Error(name)
		}
	}
}

// TestNothingElseIsEverAPeer draws addresses near ours and far: what is resolved is one of the names
// given, and where it leads is the media port.
func TestNothingElseIsEverAPeer(t *testing.T) {
	ours, public := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("203.0.113.9")
	six := netip.MustParseAddr("2a0d:1::5")
	p := NewPeers([]netip.AddrPort{netip.AddrPortFrom(ours, 8081), netip.AddrPortFrom(six, 8081)}, []netip.Addr{public})
	rapid.Check(t, func(t *rapid.T) {
		raw := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "raw"))
		four := [4]byte(raw[:4])
		if rapid.Bool().Draw(t, "near") {
			four = ours.As4()
			copy(raw[12:], four[:])
			copy(raw[2:], four[:])
		}
		ip := rapid.SampledFrom([]netip.Addr{netip.AddrFrom4(four), netip.AddrFrom16(raw), six.WithZone("a"), ours, public, six, netip.AddrFrom16(ours.As16())}).Draw(t, "ip")
		port := rapid.SampledFrom([]uint16{0, 22, 8080, 8081, 8082, 65535}).Draw(t, "port")
		at, ok := p.Resolve(netip.AddrPortFrom(ip, port))
		if ok != (port == 8081 && (ip == ours || ip == public || ip == six)) {
			t.Fatalf("%v:%d is %v", ip, port, at)
		}
		if ok && at != netip.AddrPortFrom(ours, 8081) && at != netip.AddrPortFrom(six, 8081) {
			t.Fatalf("%v leads to %v", ip, at)
		}
		if p.Permits(ip) != (ip == ours || ip == public || ip == six) {
			t.Fatalf("permission for %v", ip)
		}
	})
}

func TestCredentialsAreOfOneClientAndOneTime(t *testing.T) {
	key := []byte("k")
	user, password := credential(key, "client-1", t0.Add(CredentialTime))
	if client, err := readUser(user, t0); client != "client-1" || err != nil {
		t.Fatal(client, err)
	}
	if client, err := readUser(user, t0.Add(CredentialTime)); client != "client-1" || !errors.Is(err, errExpired) {
		t.Fatal(client, err)
	}
	if password != password256(key, user) || password == password256([]byte("l"), user) || password == password256(key, user+"1") {
		t.Fatal("the password is not bound to key and user")
	}
	far := strconv.FormatInt(t0.Add(time.Hour).Unix(), 10)
	for _, bad := range []string{"", "client-1", ":", "1795424400:", far + ":c", "+1795424400:c", "01795424400:c", "1795424400:a:b", "1795424400:a b", "1795424400:\x00", "99999999999999999999:c", strings.Repeat("1", 70) + ":c"} {
		if _, err := readUser(bad, t0); !errors.Is(err, errUser) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzUserNames(f *testing.F) {
	user, _ := credential([]byte("k"), "client-1", t0.Add(CredentialTime))
	f.Add(user)
	f.Add("1795424400:\xff")
	f.Fuzz(func(t *testing.T, user string) {
		client, err := readUser(user, t0)
		if err == nil && (client == "" || len(user) > maxUser || !strings.HasSuffix(user, ":"+client)) {
			t.Fatalf("%q is of %q", user, client)
		}
	})
}

func TestAFlowIsBounded(t *testing.T) {
	var f flow
	now, gone := t0, 0
	for range 1000 {
		if f.take(1000, 80_000, now) { // 10,000 bytes a second
			gone += 1000
		}
		now = now.Add(10 * time.Millisecond)
	}
	if gone > 10_000+100_000 || gone < 100_000 {
		t.Fatalf("%d bytes in ten seconds", gone)
	}
	if f.take(20_000, 80_000, now.Add(time.Hour)) {
		t.Fatal("more than a second's worth at once")
	}
}

func setters(kind stun.MessageType, s ...stun.Setter) []byte {
	return stun.MustBuild(append([]stun.Setter{stun.TransactionID, kind}, s...)...).Raw
}

type raw struct {
	kind  stun.AttrType
	value []byte
}

// AddTo implements stun.Setter.
func (r raw) AddTo(m *stun.Message) error { m.Add(r.kind, r.value); return nil }

func peer(at string) stun.Setter {
	return peerAttr(netip.MustParseAddrPort(at))
}

type peerAttr netip.AddrPort

// AddTo implements stun.Setter.
func (p peerAttr) AddTo(m *stun.Message) error {
	a := netip.AddrPort(p)
	return stun.XORMappedAddress{IP: a.Addr().AsSlice(), Port: int(a.Port())}.AddToAs(m, stun.AttrXORPeerAddress)
}

func TestFramesAreReadAsTheyAreMade(t *testing.T) {
	b := setters(stun.NewType(stun.MethodChannelBind, stun.ClassRequest), raw{stun.AttrChannelNumber, []byte{0x40, 0, 0, 0}}, peer("10.1.2.3:8081"), stun.NewNonce("n0"), stun.NewShortTermIntegrity("k"))
	r, err := read(b)
	if err != nil || r.method != channelBind || r.n != 1 || r.peers[0] != netip.MustParseAddrPort("10.1.2.3:8081") || string(r.nonce) != "n0" || !r.signed || r.data {
		t.Fatalf("%+v %v", r, err)
	}
	r.nonce[0] = 'x'
	if !bytes.Contains(b, []byte("x0")) {
		t.Fatal("the nonce is not part of the frame")
	}
	six := setters(stun.NewType(stun.MethodSend, stun.ClassIndication), peer("[2a0d:1::5]:53"), raw{stun.AttrData, []byte("hello")})
	if r, err = read(six); err != nil || !r.data || r.peers[0] != netip.MustParseAddrPort("[2a0d:1::5]:53") {
		t.Fatalf("%+v %v", r, err)
	}
	if err := r.foreign(NewPeers([]netip.AddrPort{netip.MustParseAddrPort("[2a0d:1::5]:8081")}, nil)); !errors.Is(err, errForeign) {
		t.Fatal(err)
	}
	if n := givenNonce(setters(stun.NewType(stun.MethodAllocate, stun.ClassErrorResponse), stun.NewNonce("abc"))); string(n) != "abc" {
		t.Fatalf("%q", n)
	}
	if n, err := frameLen([]byte{0x40, 1, 0, 5}); n != 12 || err != nil {
		t.Fatal(n, err)
	}
}

func TestGarbageIsRefused(t *testing.T) {
	whole := setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), raw{stun.AttrRequestedTransport, []byte{17, 0, 0, 0}})
	cut := bytes.Clone(whole[:len(whole)-4])
	cookie := bytes.Clone(whole)
	cookie[4] = 0
	over := bytes.Clone(whole)
	over[23] = 200 // an attribute longer than the message
	many := make([]stun.Setter, maxPeers+1)
	for i := range many {
		many[i] = peer("10.1.2.3:8081")
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "short": {0, 1}, "cut": cut, "cookie": cookie, "attribute": over, "http": []byte("GET / HTTP/1.1\r\n\r\n"), "tls": {0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5},
		"channel": {0x40, 0, 0, 9, 1}, "long": make([]byte, maxFrame+1), "peer": setters(stun.NewType(stun.MethodCreatePermission, stun.ClassRequest), raw{stun.AttrXORPeerAddress, []byte{0, 1, 2}}),
		"many": setters(stun.NewType(stun.MethodCreatePermission, stun.ClassRequest), many...),
	} {
		if r, err := read(b); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for _, kind := range []stun.MessageType{stun.NewType(stun.MethodConnect, stun.ClassRequest), stun.NewType(stun.MethodConnectionBind, stun.ClassRequest), stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse), stun.NewType(stun.MethodSend, stun.ClassRequest), stun.NewType(stun.MethodData, stun.ClassIndication)} {
		if _, err := read(setters(kind)); !errors.Is(err, errMethod) {
			t.Errorf("%v: %v", kind, err)
		}
	}
	for _, head := range [][]byte{{0x80, 0, 0, 0}, {0x16, 3, 1, 2}, {0, 1, 0, 3}, {0, 1, 0xff, 0xfc}, {0x40, 0, 0xff, 0xff}, {0}} {
		if n, err := frameLen(head); err == nil {
			t.Errorf("% x: %d", head, n)
		}
	}
}

func TestAStreamIsToldByItsFirstBytes(t *testing.T) {
	first := setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest))
	for n := 1; n <= len(first); n++ {
		if !(*Relay)(nil).Begins(first[:n]) {
			t.Fatal(n)
		}
	}
	for _, b := range []string{"", "GET / HTTP/1.1", "PRI * HTTP/2.0", "POST", "\r\nGET", "\x16\x03", "\x00\x01\x00\x00\x00\x00\x00\x00"} {
		if (*Relay)(nil).Begins([]byte(b)) {
			t.Errorf("%q", b)
		}
	}
}

// FuzzFrames holds that no bytes panic, and that the library's own reader agrees with what passes.
func FuzzFrames(f *testing.F) {
	f.Add(setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.NewNonce("n")))
	f.Add(setters(stun.NewType(stun.MethodChannelBind, stun.ClassRequest), peer("[2a0d:1::5]:53"), peer("10.1.2.3:8081")))
	f.Add([]byte{0x40, 0, 0, 1, 7, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = frameLen(b)
		_ = givenNonce(b)
		r, err := read(b)
		if err != nil {
			return
		}
		if b[0]>>6 == 1 {
			if !r.data {
				t.Fatal("ChannelData is data")
			}
			return
		}
		m := stun.New()
		m.Raw = bytes.Clone(b)
		if err := m.Decode(); err != nil {
			t.Fatalf("the library does not read what passed: %v", err)
		}
		n := 0
		for _, a := range m.Attributes {
			if a.Type == stun.AttrXORPeerAddress {
				n++
			}
		}
		if n != r.n || r.signed != m.Contains(stun.AttrMessageIntegrity) {
			t.Fatalf("%d peers, read %d", n, r.n)
		}
	})
}
