package media

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// offers negotiates another connection beside the page's present one, and keeps the answer from it.
func (p *page) offers(pcID string) {
	p.t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	must(p.t, err)
	p.t.Cleanup(func() { _ = pc.Close() })
	must(p.t, second(pc.AddTransceiverFromTrack(track(p.t, webrtc.MimeTypeOpus, 48000))))
	o, err := pc.CreateOffer(nil)
	must(p.t, err)
	must(p.t, pc.SetLocalDescription(o))
	_, err = p.node.Negotiate(p.t.Context(), p.id, p.role, pcID, pc.LocalDescription().SDP)
	must(p.t, err)
}

func TestOldConnectionCarriesUntilTheNewOneIsUp(t *testing.T) {
	n := openNode(t, nil)
	caller, operator := newPage(t, n, RoleCaller), newPage(t, n, RoleOperator)
	caller.connected()
	operator.connected()
	must(t, n.SetRoutes("room", []Route{{caller.id, operator.id, Audio, 0}, {operator.id, caller.id, Audio, 0}}))
	stopCaller, stopOperator := caller.chatter('a'), operator.chatter('b')
	defer func() { stopCaller() }()
	defer stopOperator()
	operator.hears("audio-0", 'a')
	caller.hears("audio-0", 'b')

	caller.offers("never up") // as where the page was wrong, or the new way is dead too
	if got := n.Voice(caller.id).PC; got != "1" {
		t.Fatalf("the connection is %q before the new one is up", got)
	}
	operator.hears("audio-0", 'a')
	caller.hears("audio-0", 'b')

	stopCaller()
	stopCaller = func() {}
	caller.pcID = "2"
	old := caller.pc
	caller.connect()
	caller.connected()
	eventually(t, "the new one counts", func() bool { return n.Voice(caller.id).PC == "2" })
	stopCaller = caller.chatter('c')
	operator.hears("audio-0", 'c')
	caller.hears("audio-0", 'b')
	eventually(t, "the old one is closed", func() bool { return old.ConnectionState() == webrtc.PeerConnectionStateClosed })
	if v := n.Voice(caller.id); v.PC != "2" || time.Since(v.Sent) > time.Second || time.Since(v.Heard) > time.Second {
		t.Errorf("voice %+v", v)
	}
}

func TestSilenceIsToldAndToldAgainButNotForEver(t *testing.T) {
	ms := func(n int64) int64 { return n * int64(time.Millisecond) }
	var s silence
	if s.due(0, ms(1), ms(10_000), 0) {
		t.Error("told before the first voice")
	}
	var told []int64
	for now := int64(5000); now < 60_000; now += listenEvery.Milliseconds() {
		if s.due(ms(5000), ms(1000), ms(now), 0) {
			told = append(told, now)
		}
	}
	if want := []int64{5300, 6300, 7300, 8300, 9300, 10300, 11300, 12300}; !slices.Equal(told, want) {
		t.Errorf("told at %v, want %v", told, want)
	}
	if s.due(ms(60_000), ms(1000), ms(60_200), 0) {
		t.Error("a pause of 200 ms is told")
	}
	if s.due(ms(60_000), ms(60_100), ms(60_350), 0) {
		t.Error("a connection that has just come up is called silent")
	}
	if !s.due(ms(60_000), ms(60_100), ms(60_400), 0) {
		t.Error("the next silence is not told")
	}
}

func TestSilenceOfAVoiceIsToldToThePage(t *testing.T) {
	n, caller := fellSilent(t)
	told := silences(n, 1200*time.Millisecond)
	for _, e := range told {
		if e.PC != "1" || e.Client != caller.id {
			t.Errorf("%+v", e)
		}
	}
	if len(told) != 1 {
		t.Errorf("told %d times", len(told))
	}
}

// fellSilent is a caller who was heard and whose voice stops.
func fellSilent(t *testing.T) (*Node, *page) {
	t.Helper()
	n := openNode(t, nil)
	caller := newPage(t, n, RoleCaller)
	caller.connected()
	stop := caller.chatter('a')
	eventually(t, "a voice", func() bool { return !n.Voice(caller.id).Heard.IsZero() })
	stop()
	return n, caller
}

// silences are those that are told within a time.
func silences(n *Node, within time.Duration) (told []Event) {
	end := time.After(within)
	for {
		select {
		case e := <-n.Events():
			if e.Kind == Silent {
				told = append(told, e)
			}
		case <-end:
			return told
		}
	}
}

// A living way on which half of the packets are lost is not called dead: in hours of talk nothing is told, nor is a way that
// dies told much later for it.
func TestSilenceOfALossyWayIsLonger(t *testing.T) {
	for _, c := range []struct {
		loss   float64
		at     time.Duration
		atMost time.Duration
	}{
		{0, 300 * time.Millisecond, 300 * time.Millisecond}, {0.2, 300 * time.Millisecond, 300 * time.Millisecond},
		{0.5, 630 * time.Millisecond, 650 * time.Millisecond}, {0.3, 300 * time.Millisecond, 400 * time.Millisecond}, {0.95, time.Second, time.Second}, {1, time.Second, time.Second},
	} {
		if got := silentOf(c.loss); got < c.at || got > c.atMost {
			t.Errorf("%v lost: %v, want %v", c.loss, got, c.at)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var s silence
	last, told := int64(1e9), 0
	for now := last; now < int64(2*time.Hour); now += int64(voiceEvery) {
		if rnd.Float64() >= 0.5 {
			last = now
		}
		if s.due(last, 1, now, 0.5) {
			told++
		}
	}
	if told > 3 {
		t.Errorf("told %d times in two hours", told)
	}
}
