package media

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

func TestPagesAreToldTheTCPPortByOurPublicAddress(t *testing.T) {
	n := openNode(t, func(c *Config) { c.TCPAddr, c.PublicIPs = "127.0.0.1:0", []string{"203.0.113.9"} })
	p := newPage(t, n, RoleCaller)
	answer := p.pc.RemoteDescription().SDP
	tcp, other := 0, 0
	for line := range strings.Lines(answer) {
		words := strings.Fields(line)
		if !strings.HasPrefix(line, "a=candidate:") {
			continue
		}
		if words[4] != "203.0.113.9" {
			other++
		}
		if strings.EqualFold(words[2], "tcp") && strings.Contains(line, "tcptype passive") {
			tcp++
		}
	}
	if tcp == 0 || other > 0 {
		t.Fatal(answer)
	}
}

func TestAPageWithoutUDPConnectsByTCP(t *testing.T) {
	n := openNode(t, func(c *Config) { c.TCPAddr = "127.0.0.1:0" })
	a := &page{t: t, id: "client-a", pcID: "1", role: RoleCaller, node: n}
	a.settings = func(s *webrtc.SettingEngine) { s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4}) }
	a.connect()
	a.connected()
	if st, _ := n.Stats(a.id); st.Transport != "tcp" {
		t.Fatalf("by %q", st.Transport)
	}
	if counter(t, n.met.plain) != 1 {
		t.Fatal("TCP goes through Pion")
	}
}

func TestStreamsOfOneAddressAndInAllAreBounded(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	refused := 0
	l := &streams{Listener: tcp, most: 3, refused: func() { refused++ }, from: map[string]int{}}
	t.Cleanup(func() { _ = l.Close() })
	got := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(got)
				return
			}
			got <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", tcp.Addr().String())
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var inside []net.Conn
	for range 3 {
		dial()
		inside = append(inside, <-got)
	}
	late := dial()
	must(t, late.SetReadDeadline(time.Now().Add(bound)))
	if _, err := late.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Fatal("a fourth is let in", err)
	}
	must(t, inside[0].Close())
	_ = inside[0].Close() // twice: its place is given away once
	dial()
	inside = append(inside, <-got)
	late = dial()
	must(t, late.SetReadDeadline(time.Now().Add(bound)))
	if _, err := late.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Fatal("a place was given away twice", err)
	}
	if l.enter("10.0.0.1") {
		t.Fatal("all places are taken")
	}
	for _, c := range inside[1:] {
		must(t, c.Close())
	}
	if l.all != 0 || len(l.from) != 0 {
		t.Fatal(l.all, l.from)
	}
	for i := range streamsEach {
		l.most = 10 * streamsEach
		if !l.enter("10.0.0.1") {
			t.Fatal(i)
		}
	}
	if l.enter("10.0.0.1") || !l.enter("10.0.0.2") {
		t.Fatal("one address has all, or the other none")
	}
}

// Players hold sound back for pictures of its own stream; words do not wait for pictures.
func TestSoundDoesNotWaitForPictures(t *testing.T) {
	n := openNode(t, nil)
	p := newPage(t, n, RoleOperator)
	p.connected()
	streams := map[string]string{}
	for _, section := range strings.Split(p.pc.RemoteDescription().SDP, "\nm=")[1:] {
		for line := range strings.Lines(section) {
			if msid, ok := strings.CutPrefix(line, "a=msid:"); ok {
				stream, _, _ := strings.Cut(strings.TrimSpace(msid), " ")
				kind, _, _ := strings.Cut(section, " ")
				if other, taken := streams[stream]; taken && other != kind {
					t.Errorf("%s is of %s and %s", stream, other, kind)
				}
				streams[stream] = kind
			}
		}
	}
	if len(streams) < 2 {
		t.Fatal(p.pc.RemoteDescription().SDP)
	}
}
