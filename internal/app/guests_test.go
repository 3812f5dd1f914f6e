package app

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jedel/internal/casectl"
	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// voice is a tab with a real peer connection: its packets carry its mark, and it counts whose marks
// arrive in which slot of sound.
type voice struct {
	*tab
	pc    *webrtc.PeerConnection
	audio *webrtc.TrackLocalStaticRTP
	video *webrtc.TrackLocalStaticRTP
	mark  byte
	lose  atomic.Int32 // one packet of sound in so many does not go out; 0: all do
	keys  atomic.Int32 // key frames that still go out, whoever asks for more; 0: all pictures are some; below: none is

	mu      sync.Mutex
	channel []string        // messages of the data channel
	heard   map[[2]byte]int // slot, mark
	seen    map[byte]int
}

func (g *gateway) voice(role wire.Role, token string, mark byte) *voice {
	g.t.Helper()
	v := &voice{tab: g.tab(role, token), mark: mark, heard: map[[2]byte]int{}, seen: map[byte]int{}}
	_ = v.ws.SetReadDeadline(time.Now().Add(3 * bound))
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	var m webrtc.MediaEngine
	fail := func(err error) {
		g.t.Helper()
		if err != nil {
			g.t.Fatal(err)
		}
	}
	fail(m.RegisterDefaultCodecs())
	var err error
	v.pc, err = webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(&m)).NewPeerConnection(webrtc.Configuration{})
	fail(err)
	g.t.Cleanup(func() { _ = v.pc.Close() })
	v.audio, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "a", "page")
	fail(err)
	v.video, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "v", "page")
	fail(err)
	slots := map[wire.Role][2]int{wire.RoleCaller: {2, 0}, wire.RoleConsole: {4, 2}}[role]
	for i, track := range []webrtc.TrackLocal{v.audio, v.video} {
		_, err = v.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
		fail(err)
		for range slots[i] {
			_, err = v.pc.AddTransceiverFromKind(track.Kind(), webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			fail(err)
		}
	}
	v.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { v.hearken(role, t, r) })
	dc, err := v.pc.CreateDataChannel("jedel", nil)
	fail(err)
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.channel = append(v.channel, string(m.Data))
	})
	offer, err := v.pc.CreateOffer(nil)
	fail(err)
	gathered := webrtc.GatheringCompletePromise(v.pc)
	fail(v.pc.SetLocalDescription(offer))
	<-gathered
	answer := v.ask(&wire.MediaOffer{PC: "1", SDP: v.pc.LocalDescription().SDP}).(*wire.MediaAnswer)
	fail(v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP}))
	g.until("not connected", func() bool { return v.pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
	v.talk()
	return v
}

// hearken counts the marks of one slot.
func (v *voice) hearken(role wire.Role, t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	slot := byte(0)
	for _, tr := range v.pc.GetTransceivers() {
		if tr.Kind() != t.Kind() || role == wire.RoleConsole && tr.Direction() == webrtc.RTPTransceiverDirectionSendrecv {
			continue
		}
		if tr.Receiver() == r {
			break
		}
		slot++
	}
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		v.mu.Lock()
		if t.Kind() == webrtc.RTPCodecTypeVideo {
			v.seen[p.Payload[len(p.Payload)-1]]++
		} else {
			v.heard[[2]byte{slot, p.Payload[1]}]++
		}
		v.mu.Unlock()
	}
}

// talk sends sound and key frames every 20 ms until the test ends.
func (v *voice) talk() {
	done, ended := make(chan struct{}), make(chan struct{})
	v.t.Cleanup(func() { close(done); <-ended })
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := uint16(1); ; n++ {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			if lose := v.lose.Load(); lose > 0 && n%uint16(lose) == 0 {
				continue
			}
			picture := byte(0)
			if left := v.keys.Load(); left < 0 {
				picture = 1
			} else if left > 0 && v.keys.Add(-1) == 0 {
				v.keys.Store(-1)
			}
			_ = v.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 960}, Payload: []byte{0x78, v.mark, v.mark}})
			_ = v.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: n, Timestamp: uint32(n) * 1800},
				Payload: []byte{0x90, 0x80, 0x80 | byte(n>>8), byte(n), picture, v.mark}})
		}
	}()
}

func (v *voice) count(slot, mark byte) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.heard[[2]byte{slot, mark}]
}

// ever returns how many packets of sound with a mark have arrived in any slot.
func (v *voice) ever(mark byte) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for k, c := range v.heard {
		if k[1] == mark {
			n += c
		}
	}
	return n
}

func (v *voice) sees(mark byte) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.seen[mark] > 0
}

// hears waits for ten packets with a mark in a slot from now on.
func (g *gateway) hears(v *voice, slot, mark byte) {
	g.t.Helper()
	from := v.count(slot, mark)
	g.until(fmt.Sprintf("%c does not hear %c in slot %d", v.mark, mark, slot), func() bool { return v.count(slot, mark) >= from+10 })
}

// waitNews waits for news that ok takes, among those not looked at yet.
func waitNews[B wire.Body](v *voice, ok func(B) bool) B {
	v.t.Helper()
	for {
		for i, n := range v.news {
			if b, is := n.(B); is && ok(b) {
				v.news = v.news[i+1:]
				return b
			}
		}
		v.news = nil
		for len(v.news) == 0 {
			v.receive()
		}
	}
}

// drop forgets the news so far.
func (v *voice) drop() { v.news = nil }

// refused sends a request that must be refused.
func (c *tab) refused(b wire.Body, code fault.Code) {
	c.t.Helper()
	if e, ok := c.try(b).(*wire.Error); !ok || e.Code != code {
		c.t.Fatalf("%s: %+v, want %s", b.WireType(), e, code)
	}
}

func (g *gateway) token(login string) string {
	g.t.Helper()
	v := g.ask("POST /api/v1/staff/session", 200, nil, `{"login":"`+login+`","password":"`+DemoPassword+`"}`)
	return v["token"].(string)
}

// hire makes a member of staff with a role and returns their session.
func (g *gateway) hire(name string, roles ...string) (ident.StaffID, string) {
	g.t.Helper()
	st := store.Staff{ID: ident.New[ident.StaffID](), Login: name, Name: name, Roles: roles}
	token := strings.Repeat(name, 43)[:43]
	err := g.app.db.PutStaff(g.t.Context(), st)
	if err == nil {
		err = g.app.db.PutStaffSession(g.t.Context(), string(accounts.SessionOf(token)), st.ID, time.Now().Add(time.Hour))
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return st.ID, token
}

type noDoer struct{}

func (noDoer) Inform(cases.State, cases.Inform)     {}
func (noDoer) CaseChanged(cases.State, cases.Entry) {}

// caseOf registers a call as a case.
func (g *gateway) caseOf(call string) (*casectl.Book, ident.CaseID) {
	g.t.Helper()
	b := casectl.New(g.app.db, noDoer{}, slog.New(slog.NewTextHandler(io.Discard, nil)), prometheus.NewRegistry())
	id := ident.CaseID(call)
	_, err := b.Post(g.t.Context(), id, cases.Open{ID: id, Number: "26-000001", Lane: cases.CallLane, Recording: cases.Recording{ID: ident.CallID(call), Kind: "voice"}})
	if err != nil {
		g.t.Fatal(err)
	}
	return b, id
}

// talking is a call under way with its caller and its operator.
func (g *gateway) talking() (caller, desk *voice, call string) {
	g.t.Helper()
	caller = g.voice(wire.RoleCaller, "", 'c')
	desk = g.voice(wire.RoleConsole, g.token("operator"), 'o')
	desk.ask(&wire.DutySet{State: wire.DutyReady})
	call = caller.ask(&wire.CallCreate{Ref: "r", Kind: wire.KindVideo}).(*wire.CallCreated).View.Call
	desk.ask(&wire.OfferAccept{Call: call, Epoch: desk.offer().Epoch})
	g.hears(desk, 0, 'c')
	g.hears(caller, 0, 'o')
	return caller, desk, call
}

// The caller's one key frame came while it rang, and none comes after: who answers sees it.
func TestWhoAnswersSeesWhatWasShownWhileItRang(t *testing.T) {
	g := startGateway(t)
	caller := g.voice(wire.RoleCaller, "", 'c')
	desk := g.voice(wire.RoleConsole, g.token("operator"), 'o')
	desk.ask(&wire.DutySet{State: wire.DutyReady})
	caller.keys.Store(-1)
	call := caller.ask(&wire.CallCreate{Ref: "r", Kind: wire.KindVideo}).(*wire.CallCreated).View.Call
	epoch := desk.offer().Epoch
	caller.keys.Store(1)
	g.until("no key frame went out", func() bool { return caller.keys.Load() < 0 })
	desk.ask(&wire.OfferAccept{Call: call, Epoch: epoch})
	g.hears(desk, 0, 'c')
	g.until("the operator does not see the caller", func() bool { return desk.sees('c') })
}

// sealed ends a call and waits until its archive is sealed.
func (g *gateway) sealed(owner *voice, call string) {
	g.t.Helper()
	owner.ask(&wire.CallEnd{Call: call})
	owner.ask(&wire.CallWrapUp{Call: call, Category: "theft", Outcome: "patrol"})
	g.until("the archive is not sealed", func() bool {
		d, err := (&evidence{app: g.app}).Detail(g.t.Context(), ident.CallID(call))
		return err == nil && d.Archive.State == "sealed"
	})
}

// TestWhoHearsASupervisor measures, packet by packet, who hears a supervisor in every mode.
func TestWhoHearsASupervisor(t *testing.T) {
	g := startGateway(t)
	caller, desk, call := g.talking()
	boss := g.voice(wire.RoleConsole, g.token("supervisor"), 's')

	desk.drop()
	asked := time.Now()
	boss.ask(&wire.CallJoin{Call: call, Mode: wire.GuestListen})
	g.hears(boss, 0, 'c')
	if took := time.Since(asked); took > time.Second {
		t.Errorf("listening took %v", took)
	}
	g.hears(boss, 1, 'o')
	g.until("the supervisor does not see them", func() bool { return boss.sees('c') && boss.sees('o') })
	card := waitNews(desk, func(n *wire.CallCardNews) bool { return len(n.Card.Guests) == 1 }).Card
	if r := card.Guests[0]; r.Mode != wire.GuestListen || r.As != "supervisor" || r.Name == "" {
		t.Errorf("the operator is told %+v", r)
	}
	if n := desk.ever('s') + caller.ever('s'); n != 0 {
		t.Errorf("%d packets of a listener", n)
	}

	boss.ask(&wire.CallMode{Call: call, Mode: wire.GuestWhisper})
	waitNews(desk, func(n *wire.CallCardNews) bool { return n.Card.Guests[0].Mode == wire.GuestWhisper })
	g.hears(desk, 1, 's')
	g.hears(desk, 1, 's')
	g.hears(caller, 0, 'o')
	if n := caller.ever('s'); n != 0 {
		t.Fatalf("%d packets of a whisper leaked to the caller", n)
	}
	for _, n := range caller.news {
		if s, ok := n.(*wire.CallState); ok && len(s.View.Guests) > 0 {
			t.Errorf("the caller is told of a whisper: %+v", s.View.Guests)
		}
	}

	boss.ask(&wire.CallMode{Call: call, Mode: wire.GuestSpeak})
	g.hears(caller, 1, 's')
	g.hears(desk, 1, 's')
	g.until("the operator does not see the supervisor", func() bool { return desk.sees('s') })
	view := waitNews(caller, func(n *wire.CallState) bool { return len(n.View.Guests) == 1 }).View
	if view.Guests[0].As != "supervisor" || caller.sees('s') {
		t.Errorf("the caller is told %+v", view.Guests)
	}

	boss.ask(&wire.CallMode{Call: call, Mode: wire.GuestWhisper})
	waitNews(caller, func(n *wire.CallState) bool { return len(n.View.Guests) == 0 })
	before := caller.ever('s')
	g.hears(desk, 1, 's')
	g.hears(desk, 1, 's')
	if n := caller.ever('s') - before; n > 1 { // one may have been on its way
		t.Errorf("%d packets to the caller after speaking ended", n)
	}
	boss.ask(&wire.CallLeave{Call: call})
	if v := waitNews(boss, func(n *wire.GuestState) bool { return n.View.Mode == "" }).View; v.Why != "left" {
		t.Errorf("%+v", v)
	}
	g.sealed(desk, call)
	g.archived(call, "supervisor", []string{"nobody", "operator", "all", "operator"})
}

// archived holds what the archive has of a guest: a participant with sound of its own, and every
// mode with who could hear it.
func (g *gateway) archived(call, role string, heard []string) {
	g.t.Helper()
	detail, err := (&evidence{app: g.app}).Detail(g.t.Context(), ident.CallID(call))
	if err != nil {
		g.t.Fatal(err)
	}
	raw, err := json.Marshal(detail.Timeline)
	if err != nil {
		g.t.Fatal(err)
	}
	var line struct {
		Media []struct {
			Participant, Role string
			Audio             bool
		}
		Events []struct {
			Details struct{ Body struct{ Heard string } }
		}
	}
	if err := json.Unmarshal(raw, &line); err != nil {
		g.t.Fatal(err)
	}
	sound := false
	for _, m := range line.Media {
		if m.Role != role || !m.Audio || !strings.HasPrefix(m.Participant, role+"-") {
			continue
		}
		f, err := (&evidence{app: g.app, cache: newCache(g.t.TempDir())}).Media(g.t.Context(), ident.CallID(call), m.Participant)
		if err != nil {
			g.t.Fatal(err)
		}
		played, err := io.ReadAll(f.Content)
		if sound = err == nil && len(played) > 0 && f.Content.Close() == nil; !sound {
			g.t.Errorf("%s: %d bytes, %v", m.Participant, len(played), err)
		}
	}
	if !sound {
		g.t.Errorf("%s cannot be played: %+v", role, line.Media)
	}
	var told []string
	for _, e := range line.Events {
		if h := e.Details.Body.Heard; h != "" {
			told = append(told, h)
		}
	}
	if fmt.Sprint(told) != fmt.Sprint(heard) {
		g.t.Errorf("the archive tells %v, want %v", told, heard)
	}
}

func TestTakeOverMovesTheCallAndTellsTheOperator(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	caller, desk, call := g.talking()
	_, token := g.hire("s", "supervisor") // one who takes no calls otherwise
	boss := g.voice(wire.RoleConsole, token, 's')
	boss.ask(&wire.CallJoin{Call: call, Mode: wire.GuestListen})
	g.hears(boss, 0, 'c')
	desk.drop()
	boss.ask(&wire.CallTakeOver{Call: call})
	if card := waitNews(desk, func(n *wire.CallCardNews) bool { return n.Card.Phase == wire.PhaseEnded }).Card; card.EndReason != "taken_over" || card.Transfer != "s" {
		t.Errorf("the operator is told %q %q", card.EndReason, card.Transfer)
	}
	waitNews(boss, func(n *wire.CallCardNews) bool { return n.Card.Call == call && n.Card.Phase == wire.PhaseTalking })
	g.hears(caller, 0, 's')
	g.hears(boss, 0, 'c')
	before := caller.ever('o')
	g.hears(caller, 0, 's')
	if n := caller.ever('o') - before; n > 1 {
		t.Errorf("the operator is still heard: %d packets", n)
	}
	desk.refused(&wire.CallEnd{Call: call}, fault.NoSuchCall)
	desk.refused(&wire.CallTakeOver{Call: call}, fault.Forbidden)
	g.until("the operator gets no other call", func() bool {
		o, ok := g.app.desk.Line().Snapshot().Standing(ident.StaffID(desk.welcome.Staff.Staff))
		return ok && o.InHand == ""
	})
	g.sealed(boss, call)
}

func TestAPatrolJoinsTheCallOfItsCaseAlone(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	caller, desk, call := g.talking()
	staff, token := g.hire("p", "patrol")
	if err := g.app.db.SetDuty(t.Context(), store.Patrol{Staff: staff, Name: "P-14"}, true, time.Now()); err != nil {
		t.Fatal(err)
	}
	pat := g.voice(wire.RoleConsole, token, 'p')
	if pat.welcome.Console != nil {
		t.Error("a patrol sees the console's lists")
	}
	pat.refused(&wire.DutySet{State: wire.DutyReady}, fault.Forbidden)
	pat.refused(&wire.CallTakeOver{Call: call}, fault.Forbidden)
	pat.refused(&wire.CallJoin{Call: call, Mode: wire.GuestListen}, fault.NoSuchCall)
	book, id := g.caseOf(call)
	pat.refused(&wire.CallJoin{Call: call, Mode: wire.GuestListen}, fault.NoSuchCall)
	if _, err := book.Post(t.Context(), id, cases.Send{By: staff, Patrol: staff, Name: "P-14"}); err != nil {
		t.Fatal(err)
	}
	pat.refused(&wire.CallJoin{Call: call, Mode: wire.GuestSpeak}, fault.BadValue)
	pat.ask(&wire.CallJoin{Call: call, Mode: wire.GuestListen})
	g.hears(pat, 0, 'c')
	g.hears(pat, 1, 'o')
	if n := caller.ever('p') + desk.ever('p'); n != 0 {
		t.Fatalf("%d packets of a patrol that listens", n)
	}
	pat.refused(&wire.CallMode{Call: call, Mode: wire.GuestWhisper}, fault.BadValue)
	pat.ask(&wire.CallMode{Call: call, Mode: wire.GuestSpeak})
	g.hears(caller, 1, 'p')
	g.hears(desk, 1, 'p')
	if _, err := book.Post(t.Context(), id, cases.Recall{By: staff, Patrol: staff}); err != nil {
		t.Fatal(err)
	}
	if v := waitNews(pat, func(n *wire.GuestState) bool { return n.View.Mode == "" }).View; v.Why != "unassigned" {
		t.Errorf("%+v", v)
	}
	for _, n := range pat.news {
		if _, ok := n.(*wire.ConsoleState); ok {
			t.Error("a patrol gets the console's lists")
		}
	}
	g.sealed(desk, call)
	g.archived(call, "patrol", []string{"nobody", "all"})
}

func TestOthersMayNotListen(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	_, desk, call := g.talking()
	for _, role := range []string{"operator", "dispatcher", "camera", "navigation"} {
		_, token := g.hire("a "+role, role)
		seat := g.tab(wire.RoleConsole, token)
		for _, mode := range []wire.GuestMode{wire.GuestListen, wire.GuestWhisper, wire.GuestSpeak} {
			seat.refused(&wire.CallJoin{Call: call, Mode: mode}, fault.Forbidden)
		}
		seat.refused(&wire.CallMode{Call: call, Mode: wire.GuestSpeak}, fault.Forbidden)
		seat.refused(&wire.CallTakeOver{Call: call}, fault.Forbidden)
	}
	desk.refused(&wire.CallJoin{Call: call, Mode: wire.GuestListen}, fault.Forbidden)
	boss := g.tab(wire.RoleConsole, g.token("supervisor"))
	boss.refused(&wire.CallJoin{Call: strings.Repeat("0", 26), Mode: wire.GuestListen}, fault.NoSuchCall)
	boss.refused(&wire.CallMode{Call: call, Mode: wire.GuestSpeak}, fault.WrongState)
}
