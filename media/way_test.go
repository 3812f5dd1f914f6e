package media

import (
	"bytes"
	"testing"

	"jedel/internal/ident"

	"github.com/pion/rtp"
)

func TestMediaOverUDPGoesDirectAndWherePionIsAskedFor(t *testing.T) {
	for _, plain := range []bool{false, true} {
		n := openNode(t, func(c *Config) { c.Plain = plain })
		p := newPage(t, n, RoleCaller)
		p.connected()
		direct, through := counter(t, n.met.direct), counter(t, n.met.plain)
		if (direct == 1) == plain || (through == 1) != plain {
			t.Errorf("plain %v: %v direct, %v through Pion", plain, direct, through)
		}
	}
}

// What a receiver gets is the same, packet for packet, whether our own path or Pion's carries it.
func TestDirectAndPlainGiveTheSame(t *testing.T) {
	var got [2]map[string][]*rtp.Packet
	for i, plain := range []bool{false, true} {
		n := openNode(t, func(c *Config) { c.Plain = plain })
		a, b := newPage(t, n, RoleCaller), newPage(t, n, RoleOperator)
		a.connected()
		b.connected()
		must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{{From: a.id, To: b.id, Kind: Audio}, {From: a.id, To: b.id, Kind: Video}}))
		const packets = 300
		for seq := range packets {
			a.talk('a', seq == 0)
			eventually(t, "it arrives", func() bool { return len(b.packets("audio-0")) > seq && len(b.packets("video-0")) > seq })
		}
		got[i] = map[string][]*rtp.Packet{"audio": b.packets("audio-0"), "video": b.packets("video-0")}
	}
	for kind := range got[0] {
		direct, plain := got[0][kind], got[1][kind]
		if len(direct) != len(plain) {
			t.Fatalf("%s: %d and %d packets", kind, len(direct), len(plain))
		}
		for i := range direct {
			d, p := direct[i].Header, plain[i].Header
			d.SSRC, d.Extensions, d.Extension = p.SSRC, p.Extensions, p.Extension
			d.ExtensionProfile = p.ExtensionProfile
			dh, err1 := d.Marshal()
			ph, err2 := p.Marshal()
			must(t, err1)
			must(t, err2)
			if !bytes.Equal(dh, ph) || !bytes.Equal(direct[i].Payload, plain[i].Payload) {
				t.Fatalf("%s, packet %d:\n%v\n%v", kind, i, direct[i], plain[i])
			}
		}
	}
}

// A page that takes its way for dead makes another connection beside it. The old one carries its voice
// until the new one is up, and the receiver hears each of its words once.
func TestNewConnectionTakesOverWhenItIsUp(t *testing.T) {
	n := openNode(t, nil)
	a, b := newPage(t, n, RoleCaller), newPage(t, n, RoleOperator)
	a.connected()
	b.connected()
	must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{{From: a.id, To: b.id, Kind: Audio}}))
	stop := a.chatter('a')
	b.hears("audio-0", 'a')
	second := &page{t: t, id: a.id, pcID: "2", role: RoleCaller, node: n, got: map[string][]*rtp.Packet{}}
	second.connect()
	if got := n.PC(a.id); got != "2" {
		t.Fatal("the newest is", got)
	}
	if st, ok := n.Stats(a.id); !ok || !st.Connected {
		t.Fatal("the old connection has gone before the new one is up", st)
	}
	second.connected()
	eventually(t, "the old one is closed", func() bool { return n.find(a.id).current().id == "2" })
	stop()
	stop = second.chatter('b')
	defer stop()
	b.hears("audio-0", 'b')
	seen, before := map[uint16]bool{}, 0
	for _, p := range b.packets("audio-0") {
		if seen[p.SequenceNumber] {
			t.Fatal("twice", p.SequenceNumber)
		}
		seen[p.SequenceNumber] = true
		if p.Payload[0] == 'a' {
			before++
		}
	}
	if before == 0 {
		t.Fatal("nothing of the old one")
	}
}

// A connection that began over TCP may be moved to UDP by the browser, which then sends all it has
// there: Pion holds the keys, so the socket must not take the packets for itself.
func TestWayBegunOverTCPGoesOnByUDP(t *testing.T) {
	n := openNode(t, func(c *Config) { c.Plain = true })
	a, b, stop := speaking(t, n)
	defer stop()
	n.cfg.Plain = false // from now on UDP would be taken
	c := n.find(a.id).current()
	pair, err := c.ice.GetSelectedCandidatePair()
	must(t, err)
	c.onPair(pair)
	for _, s := range n.ports.sockets {
		for addr, owner := range *s.legs.Load() {
			if owner == c {
				t.Errorf("the socket claims %v", addr)
			}
		}
	}
	b.hears("audio-0", 'a')
}
