package media

// What anybody on the line, and a page that was taken over, may send: none of it ends a call or harms its sound.

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// alert returns a DTLS record of an alert (RFC 6347 section 4.1, RFC 5246 section 7.2).
func alert(epoch, seq uint16, level, what byte) []byte {
	b := []byte{21, 0xfe, 0xfd}
	b = binary.BigEndian.AppendUint16(b, epoch)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, seq)
	return append(b, 0, 2, level, what)
}

func TestHostile_ForgedAlertKeepsCall(t *testing.T) {
	ways(t, func(t *testing.T, f *flow) {
		for seq := range uint16(50) {
			for _, level := range []byte{1, 2} {
				for _, what := range []byte{10, 20, 40, 47, 80, 90, 255} {
					f.wire.send(t, alert(0, seq+100, level, what))
					f.wire.send(t, alert(1, seq, level, what))
				}
			}
			if seq%10 == 9 {
				f.taken()
			}
		}
		f.unharmed(0)
		if n := counter(t, f.n.met.signalDrops); n > 0 {
			t.Errorf("%v alerts were not looked at", n)
		}
	})
}

func TestHostile_ForgedCloseNotifyKeepsCall(t *testing.T) {
	ways(t, func(t *testing.T, f *flow) {
		for seq := range uint16(100) {
			for epoch := range uint16(3) {
				f.wire.send(t, alert(epoch, seq, 1, 0))
				f.wire.send(t, alert(epoch, seq, 2, 0))
			}
		}
		f.unharmed(0)
	})
}

func TestHostile_ClientHelloInMidCallKeepsCall(t *testing.T) {
	f := flowing(t)
	for i := range 200 {
		hello := append([]byte(nil), f.wire.hello...)
		binary.BigEndian.PutUint16(hello[9:], uint16(i)) // record number
		if i%2 == 1 {
			binary.BigEndian.PutUint32(hello[27:], rand.Uint32()) // another random: another handshake
		}
		f.wire.send(t, hello)
	}
	f.unharmed(0)
}

// flood sends what next gives to the node, from sockets of its own, until stop; at most perSecond.
func flood(t testing.TB, to net.Addr, perSecond int, next func(i int) []byte) (stop func()) {
	t.Helper()
	var sockets []*net.UDPConn
	for range 4 {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(t, err)
		sockets = append(sockets, c)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for i := 0; ; {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			for range max(1, perSecond/1000) {
				_, _ = sockets[i%len(sockets)].WriteTo(next(i), to)
				i++
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		for _, c := range sockets {
			_ = c.Close()
		}
	}
}

func TestHostile_ClientHelloRaceDuringSetUp(t *testing.T) {
	n := openNode(t, nil)
	_, w := hostile(t, n, RoleCaller)
	eventually(t, "a hello was seen", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.hello != nil })
	defer flood(t, n.Addrs()[0], 5000, func(i int) []byte {
		hello := append([]byte(nil), w.hello...)
		binary.BigEndian.PutUint32(hello[27:], uint32(i))
		return hello
	})()
	for range 4 {
		caller, operator := pair(t, n)
		must(t, n.SetRoutes(room, both(caller, operator)))
		stop := caller.chatter('c')
		operator.hears("audio-0", 'c')
		stop()
	}
}

func TestHostile_UnknownUfragFloodKeepsCall(t *testing.T) {
	f := flowing(t)
	stop := flood(t, f.n.Addrs()[0], 20000, func(i int) []byte {
		name := stun.NewUsername("nobody" + string(rune('a'+i%26)) + ":else")
		m, err := stun.Build(stun.TransactionID, stun.BindingRequest, name, stun.NewShortTermIntegrity("wrong"), stun.Fingerprint)
		must(t, err)
		return m.Raw
	})
	eventually(t, "a second of it", f.later(100))
	// Whoever calls meanwhile is let in.
	late := newPage(t, f.n, RoleCaller)
	late.connected()
	stop()
	f.unharmed(5)
}

// later tells when so many more words have been said.
func (f *flow) later(words uint32) func() bool {
	f.mu.Lock()
	until := f.said + words
	f.mu.Unlock()
	return func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.said >= until }
}

// storm sends n datagrams from the caller's own address within about a second, in bursts of a millisecond.
func (f *flow) storm(n int, next func(i int) []byte) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	begin := time.Now()
	for i := 0; i < n; {
		<-tick.C
		for due := min(n, int(int64(n)*time.Since(begin).Milliseconds()/1000)); i < due; i++ {
			f.wire.send(f.t, next(i))
		}
	}
}

func TestHostile_ReplaysAt100000PerSecondKeepCall(t *testing.T) {
	f := flowing(t)
	eventually(t, "something to repeat", func() bool { return len(f.wire.sent()) > 50 })
	old := f.wire.sent()
	begin := time.Now()
	f.storm(100000, func(i int) []byte { return old[i%len(old)] })
	took := time.Since(begin)
	f.unharmed(20)
	if all := time.Since(begin); all > took+3*time.Second {
		t.Errorf("the node needed %v for a flood of %v", all, took)
	}
}

func TestHostile_GarbageAt100000PerSecondKeepsCall(t *testing.T) {
	f := flowing(t)
	ssrc, pt := f.audio()
	var near uint16
	f.next(func(seq uint16) { near = seq })
	b := make([]byte, 200)
	begin := time.Now()
	f.storm(100000, func(i int) []byte {
		binary.BigEndian.PutUint64(b[12:], rand.Uint64())
		b[0], b[1] = 0x80|byte(rand.Uint32())&0x3f, pt
		binary.BigEndian.PutUint16(b[2:], near+uint16(rand.Uint32()%128))
		binary.BigEndian.PutUint32(b[8:], ssrc)
		return b[:1+rand.IntN(len(b))]
	})
	took := time.Since(begin)
	f.unharmed(20)
	if all := time.Since(begin); all > took+3*time.Second {
		t.Errorf("the node needed %v for a flood of %v", all, took)
	}
}

// Media is taken from an address that passed ICE and from no other, be it sealed with the right keys.
func TestHostile_MediaFromASecondAddressIsNotHeard(t *testing.T) {
	ways(t, func(t *testing.T, f *flow) {
		other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(t, err)
		defer other.Close()
		ssrc, pt := f.audio()
		for range 200 {
			f.next(func(seq uint16) {
				b, err := f.seal.EncryptRTP(nil, plain(ssrc, pt, seq, []byte("not theirs")), nil)
				must(t, err)
				must(t, second(other.WriteTo(b, f.n.Addrs()[0])))
			})
		}
		f.unharmed(0)
		for _, p := range f.operator.packets("audio-0") {
			if string(p.Payload) == "not theirs" {
				t.Fatal("a stranger was heard")
			}
		}
	})
}
