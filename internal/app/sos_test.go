package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"jedel/cmd/callbot/single"
	"jedel/internal/call"
	"jedel/internal/ident"
	"jedel/internal/sos"
	"jedel/signaling/wire"
)

// handset sends datagrams as a phone does.
type handset struct {
	g    *gateway
	from [16]byte
	key  *sos.Key
	ref  [16]byte
}

func (g *gateway) handset(w *wire.Welcome) *handset {
	g.t.Helper()
	h := &handset{g: g}
	rand.Read(h.ref[:])
	rand.Read(h.from[:])
	if w != nil {
		raw, err := ident.Raw(ident.ClientID(w.Client))
		if err != nil {
			g.t.Fatal(err)
		}
		key := sos.KeyOf(w.Key)
		h.from, h.key = raw, &key
	}
	return h
}

func (h *handset) frame(m sos.Message, proof [12]byte) []byte {
	h.g.t.Helper()
	m.Ref = h.ref
	if m.SentMs == 0 {
		m.SentMs = time.Now().UnixMilli()
	}
	if m.Kind == 0 {
		m.Kind = sos.Voice
	}
	var nonce [12]byte
	rand.Read(nonce[:])
	var b []byte
	var err error
	if h.key != nil {
		b, err = sos.Seal(*h.key, h.from, nonce, m, sos.MaxFrame)
	} else {
		b, err = sos.Clear(h.from, proof, m, sos.MaxFrame)
	}
	if err != nil {
		h.g.t.Fatal(err)
	}
	return b
}

// post sends a datagram by HTTP.
func (h *handset) post(b []byte) sos.Answer {
	h.g.t.Helper()
	res, err := http.Post(h.g.url+"/api/v1/sos", "application/octet-stream", bytes.NewReader(b))
	if err != nil {
		h.g.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		h.g.t.Fatalf("%d %s %v", res.StatusCode, raw, err)
	}
	a, err := sos.ReadAnswer(raw, h.from, h.key)
	if err != nil {
		h.g.t.Fatalf("%x: %v", raw, err)
	}
	if len(raw) > len(b) {
		h.g.t.Errorf("%d bytes answer %d", len(raw), len(b))
	}
	return a
}

// TestADatagramAndATapAreOneCall sends the same call by every way at once, in every order.
func TestADatagramAndATapAreOneCall(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	caller := g.tab(wire.RoleCaller, "")
	h := g.handset(caller.welcome)
	place := &sos.Place{Lat: 54.87, Lon: 69.16, AccuracyM: 20, AgeS: 2}
	first := h.frame(sos.Message{Place: place, Text: "үйде біреу бар", Battery: 40}, [12]byte{})
	a := h.post(first)
	if a.Status != sos.Registered || a.Number == "" {
		t.Fatalf("%+v", a)
	}
	made := caller.ask(&wire.CallCreate{Ref: refOf(h.ref), Kind: wire.KindVoice, Contact: &wire.Contact{Name: "Айша", Phone: "+77015551212"}}).(*wire.CallCreated).View
	if made.Number != a.Number || len(made.Chat) != 1 || made.Chat[0].Text != "үйде біреу бар" {
		t.Fatalf("another call, or not what was said: %+v", made)
	}
	for range 5 { // copies, by the network or by somebody who has recorded it
		if again := h.post(first); again.Number != a.Number || again.Status != sos.Registered {
			t.Fatalf("%+v", again)
		}
	}
	again := caller.ask(&wire.CallCreate{Ref: refOf(h.ref), Kind: wire.KindVoice}).(*wire.CallCreated).View
	if again.Number != a.Number || len(again.Chat) != 1 {
		t.Fatalf("%+v", again)
	}
	s, _ := g.app.desk.State(ident.CallID(made.Call))
	if s.Person.Name != "Айша" || !s.SOS {
		t.Errorf("%+v", s)
	}

	desk := g.tab(wire.RoleConsole, g.token("operator"))
	desk.ask(&wire.DutySet{State: wire.DutyReady})
	o := desk.offer()
	if o.Call != made.Call || o.Fix == nil || o.Fix.Lat != 54.87 || o.Words != "үйде біреу бар" || o.Media.Rung != wire.RungSOS || o.Media.Battery == nil || *o.Media.Battery != 40 {
		t.Errorf("what rings: %+v %+v", o, o.Media)
	}
	desk.ask(&wire.OfferAccept{Call: o.Call, Epoch: o.Epoch})
	long := strings.Repeat("Полиция жолда. ", 20)
	desk.ask(&wire.ChatSend{Call: o.Call, ID: "o1", Text: "Мекенжай дұрыс па?"})
	desk.ask(&wire.ChatSend{Call: o.Call, ID: "o2", Text: long})
	if got := h.hear(1); got != "Мекенжай дұрыс па?\n"+long+"\n" {
		t.Errorf("the words of the operator: %q", got)
	}
	h.post(h.frame(sos.Message{N: 9, Text: "иә", Battery: sos.NoBattery}, [12]byte{}))
	desk.ask(&wire.CallEnd{Call: o.Call})
	if a := h.post(first); a.Status != sos.Over || a.Number != made.Number {
		t.Errorf("a copy after the end: %+v", a)
	}
	if _, open := g.app.desk.OpenCallOf(ident.ClientID(caller.welcome.Client)); open {
		t.Error("a copy after the end has made a call")
	}
	desk.ask(&wire.CallWrapUp{Call: o.Call, Category: "theft", Outcome: "patrol"})
	var journal string
	g.until("the archive has no journal of it", func() bool {
		journal = strings.Join(g.journal(o.Call), "\n")
		return strings.Contains(journal, "classified")
	})
	if strings.Count(journal, `"kind":"sos"`) != 2 {
		t.Errorf("datagrams in the archive:\n%s", journal)
	}
}

// hear asks until all words have come and returns them, a line each.
func (h *handset) hear(n uint16) string {
	var out strings.Builder
	m := sos.Message{N: n, Poll: true, Battery: sos.NoBattery}
	for {
		a := h.post(h.frame(m, [12]byte{}))
		out.WriteString(a.Text)
		switch {
		case a.Line == 0:
			return out.String()
		case a.Last:
			out.WriteString("\n")
			m.Have, m.Part = a.Line, 0
		default:
			m.Part = a.Part + 1
		}
	}
}

func TestWhoHasNoKeyIsNotTurnedAway(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	h := g.handset(nil)
	a := h.post(h.frame(sos.Message{Kind: sos.Silent, Text: "помогите"}, [12]byte{}))
	if a.Status != sos.Registered {
		t.Fatalf("%+v", a)
	}
	ws := g.bare()
	w := ws.ask(&wire.Hello{Version: 1, Role: wire.RoleCaller, Lang: "ru", Claim: hex.EncodeToString(h.from[:])}).(*wire.Welcome)
	if w.Call == nil || w.Call.Number != a.Number || len(w.Call.Chat) != 1 || w.Call.Kind != wire.KindSilent {
		t.Fatalf("the claim does not find its call: %+v", w.Call)
	}
	if other := g.bare().ask(&wire.Hello{Version: 1, Role: wire.RoleCaller, Lang: "ru", Claim: strings.Repeat("ab", 16)}).(*wire.Welcome); other.Client == w.Client || other.Call != nil {
		t.Error("another claim is the same client")
	}
	// From here on it is sealed.
	k := g.handset(w)
	k.ref = h.ref
	if b := k.post(k.frame(sos.Message{N: 1, Text: "ещё"}, [12]byte{})); b.Number != a.Number {
		t.Errorf("%+v", b)
	}
}

// TestDatagramsWithoutProof are sent as from a raw socket: the sender has not shown that it receives there.
func TestDatagramsWithoutProof(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	h := g.handset(nil)
	take := func(b []byte, from string) []byte { return g.app.sos.Take(t.Context(), b, from, false) }
	read := func(raw []byte) sos.Answer {
		t.Helper()
		a, err := sos.ReadAnswer(raw, h.from, h.key)
		if err != nil {
			t.Fatalf("%x: %v", raw, err)
		}
		return a
	}
	a := read(take(h.frame(sos.Message{}, [12]byte{}), "192.0.2.1"))
	if a.Proof == nil {
		t.Fatalf("a call without proof of the address: %+v", a)
	}
	if b := read(take(h.frame(sos.Message{}, *a.Proof), "192.0.2.2")); b.Proof == nil {
		t.Error("the proof of another address is taken")
	}
	if b := read(take(h.frame(sos.Message{}, *a.Proof), "192.0.2.1")); b.Status != sos.Registered {
		t.Errorf("%+v", b)
	}
	// A key that is not ours, and one from a recording of last year: not dropped, asked to come in the open.
	caller := g.tab(wire.RoleCaller, "")
	k := g.handset(caller.welcome)
	old := k.frame(sos.Message{SentMs: time.Now().Add(-30 * 24 * time.Hour).UnixMilli()}, [12]byte{})
	wrong := sos.KeyOf("forged")
	k.key = &wrong
	for _, b := range [][]byte{old, k.frame(sos.Message{}, [12]byte{})} {
		if a, err := sos.ReadAnswer(take(b, "192.0.2.3"), k.from, k.key); err != nil || a.Status != sos.Unreadable {
			t.Errorf("%+v %v", a, err)
		}
	}
	if _, open := g.app.desk.OpenCallOf(ident.ClientID(caller.welcome.Client)); open {
		t.Error("a forged datagram has called in somebody's name")
	}
}

func TestAFloodOfDatagramsCostsNoCalls(t *testing.T) {
	g := startGateway(t)
	calls, answers := 0, 0
	for range 2000 { // one address, each with another claim: a call each if it could
		h := g.handset(nil)
		raw := g.app.sos.Take(t.Context(), h.frame(sos.Message{}, [12]byte{}), "192.0.2.9", true)
		if raw == nil {
			continue
		}
		answers++
		if a, err := sos.ReadAnswer(raw, h.from, nil); err == nil && a.Status == sos.Registered {
			calls++
		}
	}
	if calls > sosOfStranger.Burst+10 || answers != calls {
		t.Errorf("%d calls, %d answers of 2000 datagrams", calls, answers)
	}
	// A caller who has a key is not held back by them, nor from the same address.
	caller := g.tab(wire.RoleCaller, "")
	h := g.handset(caller.welcome)
	if raw := g.app.sos.Take(t.Context(), h.frame(sos.Message{}, [12]byte{}), "192.0.2.9", false); raw == nil {
		t.Error("no receipt for one with a key")
	} else if a, err := sos.ReadAnswer(raw, h.from, h.key); err != nil || a.Status != sos.Registered {
		t.Errorf("%+v %v", a, err)
	}
}

func TestACallOfADatagramStaysWhileItsPhoneIsGone(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	h := g.handset(nil)
	a := h.post(h.frame(sos.Message{Place: &sos.Place{Lat: 54.9, Lon: 69.1}}, [12]byte{}))
	s, ok := g.app.desk.OpenCallOf(g.app.edge.Hub().Claimed(h.from))
	if !ok || s.Number != a.Number {
		t.Fatal("no call")
	}
	if !g.app.sos.here(s.Client, time.Now()) {
		t.Error("whoever has just sent counts as gone")
	}
	if g.app.sos.here(s.Client, time.Now().Add(sosHere)) {
		t.Error("whoever has not sent for long counts as there")
	}
	if got := (call.State{SOS: true, Phase: call.Queued, CallerGone: time.Now()}).Deadline(); time.Until(got) < 29*time.Minute {
		t.Errorf("deadline %v", got)
	}
}

// TestACallByUDP is a phone with nothing but UDP, and with a key.
func TestACallByUDP(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	addr := g.app.node.Addrs()[0].String()
	caller := g.tab(wire.RoleCaller, "")
	desk := g.tab(wire.RoleConsole, g.token("operator"))
	for _, w := range []*wire.Welcome{nil, caller.welcome} {
		desk.rings = nil
		p, err := single.Dial(t.Context(), addr, w)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		m := sos.Message{Kind: sos.Voice, Battery: 5, Place: &sos.Place{Lat: 54.8, Lon: 69}, Text: "көмек"}
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		defer cancel()
		r, err := p.Say(ctx, m)
		if err != nil || r.Status != sos.Registered || r.Number == "" || r.Phase > sos.Ringing {
			t.Fatalf("%+v %v", r, err)
		}
		desk.ask(&wire.DutySet{State: wire.DutyReady})
		o := desk.offer()
		if o.Number != r.Number || o.Words != "көмек" || o.Media.Rung != wire.RungSOS {
			t.Errorf("%+v", o)
		}
		desk.ask(&wire.OfferAccept{Call: o.Call, Epoch: o.Epoch})
		desk.ask(&wire.ChatSend{Call: o.Call, ID: "o1", Text: "Біз жолдамыз"})
		if r, err = p.Hear(ctx, 0, 0); err != nil || r.Text != "Біз жолдамыз" || r.Phase != sos.Answered {
			t.Errorf("%+v %v", r, err)
		}
		desk.ask(&wire.CallEnd{Call: o.Call})
		desk.ask(&wire.DutySet{State: wire.DutyPause}) // else the next rings with what stands before its words
		desk.ask(&wire.CallWrapUp{Call: o.Call, Category: "theft", Outcome: "patrol"})
		desk.ask(&wire.DutySet{State: wire.DutyOff}) // whoever is ready may hear of a call before its words are there
	}
}

// TestAFloodByUDPHarmsNoCall sends as fast as one core can beside a call that is under way.
func TestAFloodByUDPHarmsNoCall(t *testing.T) {
	g := startGateway(t)
	addr := g.app.node.Addrs()[0].String()
	caller, desk, id := g.talking()
	flood, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer flood.Close()
	h := g.handset(caller.welcome)
	recorded := h.frame(sos.Message{SentMs: time.Now().Add(-13 * time.Hour).UnixMilli()}, [12]byte{})
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		sent := 0
		for {
			select {
			case <-stop:
				done <- sent
				return
			default:
			}
			b := bytes.Clone(recorded)
			switch sent % 4 {
			case 0:
				rand.Read(b[6:22])
				b[6] &= 0x7f
			case 1:
				rand.Read(b[4:])
			case 2:
				b = b[:sent%len(b)+1]
			}
			if _, err := flood.Write(b); err == nil {
				sent++
			}
		}
	}()
	answered := make(chan int)
	go func() {
		n, buf := 0, make([]byte, 2048)
		for {
			if _, err := flood.Read(buf); err != nil {
				answered <- n
				return
			}
			n++
		}
	}()
	p, err := single.Dial(t.Context(), addr, g.tab(wire.RoleCaller, "").welcome)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	r, err := p.Say(ctx, sos.Message{Kind: sos.Voice, Battery: 5})
	took := time.Since(began)
	g.hears(desk, 0, 'c')
	g.hears(caller, 0, 'o')
	close(stop)
	sent := <-done
	_ = flood.SetReadDeadline(time.Now())
	got := <-answered
	t.Logf("a real call by datagram took %v beside %d datagrams of a flood, %d of which were answered", took, sent, got)
	if err != nil || r.Status != sos.Registered {
		t.Fatalf("%+v %v", r, err)
	}
	if got > sosOfStranger.Burst+int(time.Since(began)/sosOfStranger.Every)+5 {
		t.Errorf("%d answers to a flood", got)
	}
	if s, ok := g.app.desk.State(ident.CallID(id)); !ok || s.Phase != call.Talking {
		t.Errorf("the call: %+v", s)
	}
	if s, ok := g.app.desk.OpenCallOf(ident.ClientID(caller.welcome.Client)); !ok || string(s.ID) != id {
		t.Error("the flood has changed whose call it is")
	}
}

// TestManyWithoutAKeyBehindOneAddress: those behind one address of a mobile operator each repeat what the network loses, and pay
// for their own calls only.
func TestManyWithoutAKeyBehindOneAddress(t *testing.T) {
	g := startGateway(t)
	const from = "192.0.2.7"
	answer := func(h *handset, proof [12]byte) sos.Answer {
		t.Helper()
		raw := g.app.sos.Take(t.Context(), h.frame(sos.Message{}, proof), from, false)
		if raw == nil {
			t.Fatal("no answer")
		}
		a, err := sos.ReadAnswer(raw, h.from, nil)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for range sosOfStranger.Burst {
		h := g.handset(nil)
		var proof [12]byte
		for range 5 {
			proof = *answer(h, [12]byte{}).Proof
		}
		for range 5 {
			if a := answer(h, proof); a.Status != sos.Registered {
				t.Fatalf("%+v", a)
			}
		}
	}
}
