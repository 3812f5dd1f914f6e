package media

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"jedel/internal/ident"
)

// request is a binding request with a name.
func request(name string) []byte {
	b := make([]byte, stunHeader+4+(len(name)+3)&^3)
	binary.BigEndian.PutUint16(b, stunRequest)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-stunHeader))
	binary.BigEndian.PutUint32(b[4:], stunCookie)
	binary.BigEndian.PutUint16(b[stunHeader:], stunUser)
	binary.BigEndian.PutUint16(b[stunHeader+2:], uint16(len(name)))
	copy(b[stunHeader+4:], name)
	return b
}

func TestWhoIsKnown(t *testing.T) {
	var a acquaintances
	c := &conn{}
	addr, other := netip.MustParseAddrPort("192.0.2.1:5"), netip.MustParseAddrPort("192.0.2.2:5")
	if a.know(request("abc:def"), addr) {
		t.Error("nobody is known yet")
	}
	a.name("v=0\r\na=ice-ufrag:abc\r\n", c)
	if !a.know(request("abc:def"), addr) || a.know(request("abd:def"), addr) || a.know(request("abc"), addr) || a.know([]byte{22, 1}, addr) {
		t.Error("by name")
	}
	a.wrote(other)
	if !a.know([]byte{22, 1}, other) {
		t.Error("by address")
	}
	a.forget(c)
	if a.know(request("abc:def"), addr) {
		t.Error("forgotten")
	}
	for i := range mostKnown + 10 {
		a.wrote(netip.AddrPortFrom(addr.Addr(), uint16(i)))
	}
	if len(a.sentTo) > mostKnown {
		t.Error(len(a.sentTo))
	}
}

func FuzzStunUserOf(f *testing.F) {
	f.Add(request("abc:def"))
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42})
	f.Fuzz(func(t *testing.T, b []byte) {
		if u := stunUserOf(b); len(u) > len(b)-stunHeader-4 && u != nil {
			t.Fatal(u)
		}
	})
}

// A flood of strangers' STUN does not keep a page from connecting.
func TestStrangersFloodKeepsNobodyOut(t *testing.T) {
	n := openNode(t, nil)
	flood, err := net.Dial("udp", n.Addrs()[0].String())
	must(t, err)
	done, ended := make(chan struct{}), make(chan int)
	go func() {
		sent, b := 0, request("nobody:here")
		for {
			select {
			case <-done:
				ended <- sent
				return
			default:
				if _, err := flood.Write(b); err == nil {
					sent++
				}
			}
		}
	}()
	begin := time.Now()
	a, b := newPage(t, n, RoleCaller), newPage(t, n, RoleOperator)
	a.connected()
	b.connected()
	must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{{From: a.id, To: b.id, Kind: Audio}}))
	stop := a.chatter('a')
	b.hears("audio-0", 'a')
	took := time.Since(begin)
	stop()
	close(done)
	sent := <-ended
	must(t, flood.Close())
	t.Logf("%d strangers in %v", sent, took)
	if counter(t, n.met.signalDrops) == 0 {
		t.Log("none was lost") // a quick machine
	}
}
