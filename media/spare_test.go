package media

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/sdp/v3"
	"github.com/pion/stun/v4"
)

// check builds a check of ICE as the page of a connection sends it (RFC 8445 section 7.2.2).
func check(t *testing.T, c *conn) []byte {
	t.Helper()
	read := func(text string) (name, password string) {
		var d sdp.SessionDescription
		must(t, d.UnmarshalString(text))
		name, _ = d.MediaDescriptions[0].Attribute("ice-ufrag")
		password, _ = d.MediaDescriptions[0].Attribute("ice-pwd")
		return name, password
	}
	c.mu.Lock()
	ours, password := read(c.reply)
	theirs, _ := read(c.offer)
	c.mu.Unlock()
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(ours+":"+theirs),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: []byte{0, 0, 0, 0, 0, 0, 0, 1}}, stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0, 1, 2, 3}},
		stun.NewShortTermIntegrity(password), stun.Fingerprint)
	must(t, err)
	return m.Raw
}

// answered sends a check through a stream (RFC 4571) and reports whether it is answered within a moment.
func answered(t *testing.T, addr net.Addr, raw []byte) bool {
	t.Helper()
	s, err := net.Dial("tcp", addr.String())
	must(t, err)
	defer func() { _ = s.Close() }()
	must(t, s.SetDeadline(time.Now().Add(700*time.Millisecond)))
	_, err = s.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(raw))), raw...))
	must(t, err)
	if _, err = io.ReadFull(s, make([]byte, 2)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, io.EOF) {
		t.Logf("the stream ended: %v", err)
	}
	return err == nil
}

// Where half of all packets are lost a browser takes a stream for the better way, as soon as checks of the way it
// has stay unanswered for a moment: then everything waits for what was lost, for seconds. So a connection whose
// media comes by UDP has no stream beside it.
func TestAConnectionByUDPHasNoStreamBesideIt(t *testing.T) {
	n := openNode(t, func(c *Config) { c.TCPAddr = "127.0.0.1:0" })
	a, b, stop := speaking(t, n)
	defer stop()
	c := n.find(a.id).current()
	if answered(t, n.ports.tcp.(*ice.TCPMuxDefault).LocalAddr(), check(t, c)) {
		t.Error("a check is answered through a stream")
	}
	if c.out.way.Load() != wayDirect {
		t.Error("the way is not direct")
	}
	b.hears("audio-0", 'a')
}

// The same of a way through our relay, which may be a stream as well.
func TestChecksThroughTheRelayWaitWhileMediaComesDirectly(t *testing.T) {
	ours, theirs := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("192.0.2.1:40000")
	n := openNode(t, func(c *Config) {
		c.Relayed = func(a netip.AddrPort) (netip.AddrPort, bool) { return a, true }
	})
	newPage(t, n, RoleCaller).connected()
	var c *conn
	n.mu.Lock()
	for _, p := range n.peers {
		c = p.current()
	}
	n.mu.Unlock()
	raw, now := check(t, c), time.Now()
	for _, x := range []struct {
		name   string
		target netip.AddrPort // of the media
		from   netip.AddrPort // of the check
		quiet  time.Duration  // how long nothing has come
		want   bool
	}{
		{"the relay beside a direct way", theirs, ours, 0, true},
		{"the direct way itself", theirs, theirs, 0, false},
		{"another address of theirs", theirs, netip.MustParseAddrPort("192.0.2.2:1"), 0, false},
		{"the relay, and nothing has come for long", theirs, ours, 2 * time.Second, false},
		{"the relay is the way", ours, ours, 0, false},
	} {
		c.out.aim(target{n.ports.sockets[0], x.target})
		c.peer.lastPacket.Store(now.Add(-x.quiet).UnixNano())
		if got := n.spare(raw, x.from, now); got != x.want {
			t.Errorf("%s: left out %v", x.name, got)
		}
	}
	c.out.aim(target{n.ports.sockets[0], theirs})
	c.peer.lastPacket.Store(now.UnixNano())
	n.known.forget(c)
	if n.spare(raw, ours, now) {
		t.Error("somebody unknown")
	}
}
