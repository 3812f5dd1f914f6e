package turnd

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// piped returns a stream of a relay without ports, and the client's end of it.
func piped() (*stream, net.Conn) {
	r := New(Config{Allocations: 4, Bandwidth: 1 << 20}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	r.peers = NewPeers([]netip.AddrPort{netip.MustParseAddrPort("10.1.2.3:8081")}, nil)
	ours, theirs := net.Pipe()
	s := &stream{Conn: ours, relay: r, from: source{true, netip.MustParseAddrPort("192.0.2.1:5000")}, buf: make([]byte, maxFrame)}
	s.since.Store(time.Now().UnixNano())
	r.streams.enter(s)
	return s, theirs
}

// ends reads until the stream ends and returns how long that took.
func ends(s *stream) time.Duration {
	begin := time.Now()
	for {
		if _, err := s.Read(make([]byte, 2000)); err != nil {
			_ = s.Close()
			return time.Since(begin)
		}
	}
}

func TestASilentStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := piped()
		defer theirs.Close()
		if took := ends(s); took != openTime {
			t.Fatal(took)
		}
		if s.relay.streams.size() != 0 || testutil.ToFloat64(s.relay.met.refuses.WithLabelValues(string(reasonSlow))) != 1 {
			t.Fatal("not forgotten, or not counted")
		}
	})
}

func TestAStreamThatTricklesEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := piped()
		s.opened.Store(true) // one who was let in
		var client sync.WaitGroup
		defer client.Wait()
		client.Go(func() {
			for _, b := range setters(stun.NewType(stun.MethodRefresh, stun.ClassRequest)) {
				if _, err := theirs.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(frameTime / 5)
			}
		})
		if took := ends(s); took != frameTime {
			t.Fatal(took)
		}
		_ = theirs.Close()
	})
}

func TestAStreamThatAsksForeverWithoutAnAllocationEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := piped()
		var client sync.WaitGroup
		defer client.Wait()
		client.Go(func() {
			for {
				if _, err := theirs.Write(setters(stun.BindingRequest)); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		if took := ends(s); took != openTime {
			t.Fatal(took)
		}
		_ = theirs.Close()
	})
}

func TestAStreamWithAnAllocationMayBeQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := piped()
		defer theirs.Close()
		s.relay.streams.open(s.from)
		if took := ends(s); took != idleTime {
			t.Fatal(took)
		}
	})
}

func TestAStreamEndsSoonAfterItsAllocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := piped()
		defer theirs.Close()
		s.relay.streams.open(s.from)
		go func() {
			time.Sleep(time.Minute)
			s.relay.streams.closed(s.from, time.Now())
		}()
		if took := ends(s); took != time.Minute+openTime {
			t.Fatal(took)
		}
	})
}

func TestAClientThatTakesNothingIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := piped()
		defer theirs.Close()
		begin := time.Now()
		if _, err := s.Write(make([]byte, 100)); err == nil || time.Since(begin) != writeTime {
			t.Fatal(err, time.Since(begin))
		}
		if _, err := s.Conn.Write([]byte("x")); err == nil {
			t.Fatal("half a message was sent and the stream lives")
		}
	})
}

func TestFramesComeOutWholeHoweverTheyArrive(t *testing.T) {
	s, theirs := piped()
	a := setters(stun.BindingRequest)
	b := setters(stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpRequested)
	data := []byte{0x40, 0, 0, 1, 7, 0, 0, 0}             // of nobody: it does not pass
	alien := setters(stun.NewType(0x7f, 0), udpRequested) // of no method that is served
	go func() {
		all := bytes.Join([][]byte{a, data, alien, b}, nil)
		for len(all) > 0 {
			n := min(3, len(all))
			_, _ = theirs.Write(all[:n])
			all = all[n:]
		}
		_ = theirs.Close()
	}()
	buf := make([]byte, 2000)
	for _, want := range [][]byte{a, b} {
		n, err := s.Read(buf)
		if err != nil || !bytes.Equal(buf[:n], want) {
			t.Fatalf("% x %v", buf[:n], err)
		}
	}
	if n, err := s.Read(buf); err == nil {
		t.Fatalf("% x after the end", buf[:n])
	}
}

func TestWhatIsNoFrameEndsTheStream(t *testing.T) {
	for _, first := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00", "\x00\x01\xff\xfc", "\x40\x00\xff\xff", "\x00\x01\x00\x03"} {
		s, theirs := piped()
		go func() { _, _ = theirs.Write([]byte(first)) }()
		if _, err := s.Read(make([]byte, 2000)); err == nil {
			t.Errorf("%q", first)
		}
		_ = theirs.Close()
	}
}

func TestOneAddressDoesNotTakeAllStreams(t *testing.T) {
	l := newStreams(2 * maxOfAddress)
	at := func(ip string, port int) *stream {
		return &stream{from: source{true, netip.AddrPortFrom(netip.MustParseAddr(ip), uint16(port))}, Conn: nil}
	}
	for i := range maxOfAddress {
		if !l.enter(at("192.0.2.1", i+1)) {
			t.Fatal(i)
		}
	}
	if l.enter(at("192.0.2.1", 9999)) {
		t.Fatal("one more of the address")
	}
	if !l.enter(at("192.0.2.2", 1)) {
		t.Fatal("another address is kept out")
	}
	if !l.enter(at("2001:db8::1", 1)) || l.from["2001:db8::/64"] != 1 {
		t.Fatal("a /64 counts as one", l.from)
	}
}
