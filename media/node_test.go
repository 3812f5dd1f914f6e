package media

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const room = ident.CallID("room")

// pair connects a caller and an operator who hear and see each other.
func pair(t *testing.T, n *Node) (caller, operator *page) {
	t.Helper()
	caller, operator = newPage(t, n, RoleCaller), newPage(t, n, RoleOperator)
	caller.connected()
	operator.connected()
	return caller, operator
}

// speaking is a pair whose caller speaks and is heard, until stop.
func speaking(t *testing.T, n *Node) (caller, operator *page, stop func()) {
	t.Helper()
	caller, operator = pair(t, n)
	must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{{From: caller.id, To: operator.id, Kind: Audio}}))
	stop = caller.chatter('a')
	operator.hears("audio-0", 'a')
	return caller, operator, stop
}

func both(a, b *page) []Route {
	return []Route{
		{a.id, b.id, Audio, 0}, {a.id, b.id, Video, 0}, {b.id, a.id, Audio, 0}, {b.id, a.id, Video, 0},
	}
}

func TestAnswerIsARoute(t *testing.T) {
	n := openNode(t, nil)
	caller, operator := pair(t, n)
	defer caller.chatter('c')()
	defer operator.chatter('o')()
	eventually(t, "the caller's packets arrive", func() bool { st, _ := n.Stats(caller.id); return st.Packets > 10 })
	if got := len(operator.packets("audio-0")); got != 0 {
		t.Fatalf("%d packets before any route", got)
	}
	must(t, n.SetRoutes(room, both(caller, operator)))
	operator.hears("audio-0", 'c')
	operator.hears("video-0", 'c')
	caller.hears("audio-0", 'o')
	caller.hears("video-0", 'o')
}

func TestHeldCallerHearsNothingAndComesBack(t *testing.T) {
	n := openNode(t, nil)
	caller, operator := pair(t, n)
	defer caller.chatter('c')()
	defer operator.chatter('o')()
	must(t, n.SetRoutes(room, both(caller, operator)))
	caller.hears("audio-0", 'o')
	must(t, n.SetRoutes(room, nil))
	eventually(t, "silence", func() bool {
		before := len(caller.packets("audio-0"))
		<-time.After(200 * time.Millisecond)
		return len(caller.packets("audio-0")) == before
	})
	must(t, n.SetRoutes(room, both(caller, operator)))
	caller.hears("audio-0", 'o')
	caller.hears("video-0", 'o')
}

func TestNewSourceInASlotGoesOnInNumber(t *testing.T) {
	n := openNode(t, nil)
	first, operator := pair(t, n)
	other := newPage(t, n, RoleCaller)
	other.connected()
	defer first.chatter('1')()
	defer other.chatter('2')()
	must(t, n.SetRoutes(room, both(first, operator)))
	operator.hears("video-0", '1')
	must(t, n.SetRoutes(room, both(other, operator)))
	operator.hears("audio-0", '2')
	operator.hears("video-0", '2')
	for _, slot := range []string{"audio-0", "video-0"} {
		pkts := operator.packets(slot)
		for i := 1; i < len(pkts); i++ {
			if d := pkts[i].SequenceNumber - pkts[i-1].SequenceNumber; d != 1 {
				t.Fatalf("%s: packet %d jumps by %d", slot, i, d)
			}
			if pkts[i].SSRC != pkts[0].SSRC {
				t.Fatalf("%s: SSRC changed", slot)
			}
		}
	}
}

func TestNewSourceOfVideoBeginsWithAKeyframe(t *testing.T) {
	n := openNode(t, nil)
	caller, operator := pair(t, n)
	must(t, n.SetRoutes(room, both(caller, operator)))
	for range 20 {
		caller.talk('x', false)
	}
	caller.talk('k', true)
	eventually(t, "a picture", func() bool { return len(operator.packets("video-0")) > 0 })
	if p := operator.packets("video-0")[0]; p.Payload[len(p.Payload)-1] != 'k' {
		t.Fatal("a picture that cannot be decoded was sent first")
	}
}

// log is a tap that remembers.
type log struct {
	mu     sync.Mutex
	tracks map[Kind]TrackInfo
	rtp    map[Kind]int
	facts  map[string]int
	closed atomic.Int32
}

func newLog() *log {
	return &log{tracks: map[Kind]TrackInfo{}, rtp: map[Kind]int{}, facts: map[string]int{}}
}

func (l *log) OpenTrack(i TrackInfo) TrackTap {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tracks[i.Kind] = i
	return &logTrack{l, i.Kind}
}

func (l *log) Fact(kind string, _ []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.facts[kind]++
}

func (l *log) count(k Kind) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rtp[k]
}

type logTrack struct {
	l *log
	k Kind
}

func (t *logTrack) RTP(_ time.Time, b []byte, _ bool) {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	if b[0]>>6 == 2 {
		t.l.rtp[t.k]++
	}
}
func (t *logTrack) RTCP(time.Time, []byte, bool) {}
func (t *logTrack) Close()                       { t.l.closed.Add(1) }

func TestCallerIsRecordedFromTheTap(t *testing.T) {
	n := openNode(t, nil)
	caller := newPage(t, n, RoleCaller)
	l := newLog()
	n.SetTap(caller.id, l)
	caller.connected()
	defer caller.chatter('c')()
	eventually(t, "audio and video in the tap, nobody routed", func() bool { return l.count(Audio) > 5 && l.count(Video) > 5 })
	l.mu.Lock()
	a, facts := l.tracks[Audio], l.facts
	l.mu.Unlock()
	if a.Codec != "audio/opus" || a.ClockRate != 48000 || a.SSRC == 0 || a.Mid == "" {
		t.Fatalf("%+v", a)
	}
	for _, k := range []string{"sdp", "ice", "dtls"} {
		if facts[k] == 0 {
			t.Errorf("no %s fact", k)
		}
	}
	n.SetTap(caller.id, nil)
	eventually(t, "both tracks closed", func() bool { return l.closed.Load() == 2 })
}

func TestNewConnectionKeepsTapAndRoutes(t *testing.T) {
	n := openNode(t, nil)
	caller, operator := pair(t, n)
	l := newLog()
	n.SetTap(caller.id, l)
	must(t, n.SetRoutes(room, both(caller, operator)))
	stop := caller.chatter('1')
	operator.hears("video-0", '1')
	stop()
	must(t, caller.pc.Close())
	caller.pcID = "2"
	caller.connect()
	caller.connected()
	before := l.count(Audio)
	defer caller.chatter('2')()
	defer operator.chatter('o')()
	operator.hears("audio-0", '2')
	operator.hears("video-0", '2')
	caller.hears("audio-0", 'o')
	if l.count(Audio) <= before {
		t.Fatal("the tap was lost")
	}
}

func TestICERestartKeepsTheCall(t *testing.T) {
	n := openNode(t, nil)
	caller, operator := pair(t, n)
	must(t, n.SetRoutes(room, both(caller, operator)))
	defer caller.chatter('c')()
	operator.hears("audio-0", 'c')
	caller.offer(&webrtc.OfferOptions{ICERestart: true})
	caller.connected()
	operator.hears("audio-0", 'c')
}

func TestRestartsAreBounded(t *testing.T) {
	n := openNode(t, nil)
	caller := newPage(t, n, RoleCaller)
	caller.connected()
	var err error
	for i := 0; i < 40 && err == nil; i++ {
		_, err = n.Negotiate(t.Context(), caller.id, RoleCaller, fmt.Sprint("pc", i), caller.pc.LocalDescription().SDP)
	}
	if fault.CodeOf(err) != fault.RateLimited {
		t.Fatal(err)
	}
}

func TestDataChannelCarriesMessagesBothWays(t *testing.T) {
	n := openNode(t, nil)
	caller := newPage(t, n, RoleCaller)
	caller.connected()
	eventually(t, "open", func() bool { return caller.dc.ReadyState() == webrtc.DataChannelStateOpen })
	must(t, caller.dc.SendText("up"))
	for got := false; !got; {
		select {
		case e := <-n.Events():
			got = e.Kind == Data && string(e.Data) == "up" && e.Client == caller.id
		case <-time.After(bound):
			t.Fatal("no data event")
		}
	}
	must(t, n.Send(caller.id, []byte("down")))
	eventually(t, "down", func() bool {
		caller.mu.Lock()
		defer caller.mu.Unlock()
		return len(caller.msgs) == 1 && caller.msgs[0] == "down"
	})
	if err := n.Send("nobody", nil); !errors.Is(err, errGone) {
		t.Fatal(err)
	}
}

func TestIdleConnectionsGiveWay(t *testing.T) {
	n := openNode(t, func(c *Config) { c.IdlePeers = 1 })
	old, kept := newPage(t, n, RoleCaller), newPage(t, n, RoleCaller)
	n.SetTap(kept.id, newLog())
	young := newPage(t, n, RoleCaller)
	eventually(t, "the oldest idle one is closed", func() bool { _, ok := n.Stats(old.id); return !ok })
	for _, p := range []*page{kept, young} {
		if _, ok := n.Stats(p.id); !ok {
			t.Fatal("another one was closed")
		}
	}
}

func TestBehindNATBrowsersAreToldThePublicAddressOnly(t *testing.T) {
	n := openNode(t, func(c *Config) { c.PublicIPs = []string{"203.0.113.7"} })
	offer := newPage(t, openNode(t, nil), RoleCaller).pc.LocalDescription().SDP // of a page that is served elsewhere
	answer, err := n.Negotiate(t.Context(), "c", RoleCaller, "1", offer)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, l := range strings.Split(answer, "\r\n") {
		if !strings.HasPrefix(l, "a=candidate") {
			continue
		}
		if !strings.Contains(l, " 203.0.113.7 ") {
			t.Error(l)
		}
		told++
	}
	if told == 0 {
		t.Error("no candidate")
	}
}

func TestPeersAreBounded(t *testing.T) {
	n := openNode(t, func(c *Config) { c.MaxPeers = 1 })
	p := newPage(t, n, RoleCaller)
	_, err := n.Negotiate(t.Context(), "another", RoleCaller, "1", p.pc.LocalDescription().SDP)
	if fault.CodeOf(err) != fault.MediaRefused {
		t.Fatal(err)
	}
}

func TestBadOffersAreRefused(t *testing.T) {
	n := openNode(t, nil)
	good := newPage(t, n, RoleCaller).pc.LocalDescription().SDP
	lines := func(prefix string) string {
		var out []string
		for _, l := range strings.Split(good, "\r\n") {
			if !strings.HasPrefix(l, prefix) {
				out = append(out, l)
			}
		}
		return strings.Join(out, "\r\n")
	}
	many := strings.Repeat("a=candidate:1 1 udp 1 10.0.0.1 1000 typ host\r\n", 5000)
	for _, c := range []struct {
		name, sdp string
		code      fault.Code
	}{
		{"empty", "", fault.BadSDP},
		{"not SDP", "hello", fault.BadSDP},
		{"65 KiB", good + strings.Repeat("a=x\r\n", MaxSDP/5), fault.BadSDP},
		{"no fingerprint", lines("a=fingerprint"), fault.BadSDP},
		{"SHA-1 fingerprint", strings.ReplaceAll(good, "sha-256", "sha-1"), fault.BadSDP},
		{"SDES", good + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xx\r\n", fault.BadSDP},
		{"nine media sections", good + strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 6), fault.BadSDP},
		{"another kind of media", good + "m=image 9 udptl t38\r\n", fault.BadSDP},
		{"5,000 candidates", many + good, fault.BadSDP},
		{"33 candidates", good + many[:33*48], fault.TooMany},
		{"no ufrag", lines("a=ice-ufrag"), fault.BadSDP},
	} {
		_, err := n.Negotiate(t.Context(), "c", RoleCaller, "1", c.sdp)
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCandidatesAreFilteredAndBounded(t *testing.T) {
	n := openNode(t, func(c *Config) { c.AllowPrivate = false })
	p := newPage(t, n, RoleCaller)
	for cand, want := range map[string]fault.Code{
		"candidate:1 1 udp 1 10.1.2.3 1000 typ host":        fault.BadCandidate,
		"candidate:1 1 udp 1 169.254.1.1 1000 typ host":     fault.BadCandidate,
		"candidate:1 1 udp 1 224.0.0.1 1000 typ host":       fault.BadCandidate,
		"candidate:1 1 udp 1 fe80::1 1000 typ host":         fault.BadCandidate,
		"candidate:1 1 udp 1 0.0.0.0 1000 typ host":         fault.BadCandidate,
		"candidate:1 1 udp 1 ::ffff:10.0.0.1 1000 typ host": fault.BadCandidate,
		"nonsense":                    fault.BadCandidate,
		"candidate:1 1 udp 1 1.2.3.4": fault.BadCandidate,
		"candidate:1 1 udp 1 a-b-c.local 1000 typ host":                "",
		"candidate:1 1 udp 1 93.184.216.34 1000 typ host generation 0": "",
		"": "",
	} {
		if err := n.AddCandidate(p.id, p.pcID, cand, "0"); fault.CodeOf(err) != want {
			t.Errorf("%s: %v", cand, err)
		}
	}
	var err error
	sent := 0
	for err == nil && sent < 5000 {
		sent++
		err = n.AddCandidate(p.id, p.pcID, fmt.Sprintf("candidate:%d 1 udp 1 93.184.216.34 %d typ host", sent, 1000+sent), "0")
	}
	if fault.CodeOf(err) != fault.TooMany || sent > MaxCandidates+1 {
		t.Fatal(sent, err)
	}
}

func FuzzCheckOffer(f *testing.F) {
	f.Add("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fingerprint:sha-256 00\r\na=ice-ufrag:x\r\n")
	f.Add("a=candidate:1 1 udp 1 10.0.0.1 1000 typ host")
	f.Fuzz(func(t *testing.T, sdp string) {
		o, err := checkOffer(sdp, Config{})
		if err == nil && (len(o.sections) > MaxSections || o.cands > MaxCandidates || strings.Contains(o.sdp, "a=crypto:")) {
			t.Fatalf("%+v", o)
		}
	})
}
