package call

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// guestEventOf draws an event about guests.
func guestEventOf(d draws, op ident.StaffID) Event {
	who := ident.StaffID([]string{"sup1", "sup2", "pat1", "pat2", "pat3", string(op)}[d.n(6, "guest")])
	as := []Part{Supervisor, Patrol}[d.n(2, "as")]
	mode := []Mode{Listen, Whisper, Speak, "shout"}[d.n(4, "mode")]
	switch d.n(7, "guest event") {
	case 0, 1:
		return Join{Staff: who, Name: "n", As: as, Mode: mode}
	case 2:
		return SetMode{Staff: who, Mode: mode}
	case 3:
		return Leave{Staff: who, Why: "left"}
	case 4:
		return GuestLeft{Staff: who}
	case 5:
		return GuestCame{Staff: who}
	}
	return TakeOver{By: who}
}

// checkGuests holds what must be true of guests and routes in every state.
func checkGuests(t failer, before, s State, rec Record) {
	t.Helper()
	if KeptForAnswer(s) && (len(Routes(s)) > 0 || !s.AnsweredAt.IsZero()) {
		t.Fatalf("what is kept for an answer in %s is heard by somebody already", s.Phase)
	}
	if len(s.Guests) > MaxGuests || len(s.Guests) > 0 && !s.Open() {
		t.Fatalf("%d guests in %s", len(s.Guests), s.Phase)
	}
	voices, names := map[int]bool{}, map[ident.StaffID]bool{}
	for _, g := range s.Guests {
		switch {
		case names[g.Staff] || g.Staff == s.Operator:
			t.Fatalf("%s is there twice", g.Staff)
		case (g.Voice == 0) != (g.Mode == Listen) || g.Voice > MaxVoices || voices[g.Voice]:
			t.Fatalf("voice %d of %+v", g.Voice, s.Guests)
		case g.Mode == Whisper && g.As != Supervisor:
			t.Fatalf("a patrol whispers")
		}
		names[g.Staff], voices[g.Voice] = true, g.Voice > 0
	}
	f, taken := rec.Fact.(TakenOver)
	if taken && (!before.Live() || s.Operator != f.By || !s.Live() || s.Offer != nil) {
		t.Fatalf("I3: taken over in %s: %+v", before.Phase, f)
	}
	if _, about := before.guestFact(rec); about && !taken {
		// Guests never change the queue's promises: what the queue looks at stays as it was.
		s.Guests, s.Version, before.Guests, before.Version = nil, 0, nil, 0
		if !reflect.DeepEqual(s, before) {
			t.Fatalf("%s changed more than the guests", rec.Fact.Kind())
		}
	}
}

// checkRoutes holds who may hear whom.
func checkRoutes(t failer, s State) {
	t.Helper()
	type ear struct {
		to      ident.StaffID
		picture bool
		slot    int
	}
	taken := map[ear]bool{}
	links := Routes(s)
	if len(links) > 0 && !s.Open() {
		t.Fatalf("%d links in %s", len(links), s.Phase)
	}
	for _, l := range links {
		e := ear{l.To, l.Picture, l.Slot}
		if taken[e] || l.From == l.To || l.Slot > operatorSlot+MaxVoices || l.To == Caller && l.Slot > MaxVoices || l.Picture && l.Slot > 1 {
			t.Fatalf("link %+v of %+v", l, links)
		}
		taken[e] = true
		g, guest := s.Guest(l.From)
		switch {
		case guest && g.Mode == Listen:
			t.Fatalf("a listener is heard: %+v", l)
		case guest && g.Mode == Whisper && (l.To != s.Operator || l.Picture):
			t.Fatalf("a whisper goes to %q", l.To)
		case guest && l.To == Caller && (s.Kind == "silent" || l.Picture):
			t.Fatalf("a guest reaches the caller: %+v", l)
		case (l.From == Caller || l.To == Caller) && (s.Phase == Hold || s.Phase == Reconnecting && s.Resumes == Hold):
			t.Fatalf("a held caller hears or is heard: %+v", l)
		}
	}
	if s.Live() && s.callerIn() {
		for _, g := range s.Guests {
			if !taken[ear{g.Staff, false, 0}] || !taken[ear{g.Staff, false, 1}] || !taken[ear{g.Staff, true, 0}] {
				t.Fatalf("%s does not hear and see everybody", g.Staff)
			}
			if g.Voice > 0 && !taken[ear{s.Operator, false, g.Voice}] {
				t.Fatalf("the operator does not hear %s", g.Staff)
			}
		}
	}
}

// talking is an answered call with a supervisor and a patrol who listen.
func talking(t *testing.T) *play {
	t.Helper()
	p := opened(t).answered()
	p.do(3*time.Second, Join{Staff: "sup", Name: "S.", As: Supervisor, Mode: Listen})
	p.do(3*time.Second, Join{Staff: "pat", Name: "P-14", As: Patrol, Mode: Listen})
	return p
}

// hearers lists who hears staff.
func (p *play) hearers(staff ident.StaffID) []ident.StaffID {
	var out []ident.StaffID
	for _, l := range Routes(p.s) {
		if l.From == staff && !l.Picture {
			out = append(out, l.To)
		}
	}
	slices.Sort(out)
	return out
}

func (p *play) heardBy(staff ident.StaffID, want ...ident.StaffID) {
	p.t.Helper()
	slices.Sort(want)
	if got := p.hearers(staff); !slices.Equal(got, want) {
		p.t.Fatalf("%s is heard by %q, want %q", staff, got, want)
	}
}

func TestModesSayWhoHearsAGuest(t *testing.T) {
	p := talking(t)
	p.heardBy(Caller, "op1", "sup", "pat")
	p.heardBy("op1", Caller, "sup", "pat")
	p.heardBy("sup")
	p.heardBy("pat")
	p.do(4*time.Second, SetMode{Staff: "sup", Mode: Whisper})
	p.heardBy("sup", "op1")
	p.do(5*time.Second, SetMode{Staff: "pat", Mode: Speak})
	p.heardBy("pat", Caller, "op1", "sup")
	p.heardBy("sup", "op1")
	p.do(6*time.Second, SetMode{Staff: "sup", Mode: Speak})
	p.heardBy("sup", Caller, "op1", "pat")
	p.do(7*time.Second, SetHold{By: "op1", On: true})
	p.heardBy("sup", "op1", "pat")
	p.heardBy(Caller)
	p.do(8*time.Second, HangUp{By: "op1"})
	if len(p.s.Guests) != 0 || len(Routes(p.s)) != 0 {
		t.Fatal("guests stay after the end")
	}
}

func TestAPatrolListensFirstAndNeverWhispers(t *testing.T) {
	p := opened(t).answered()
	for _, m := range []Mode{Speak, Whisper, ""} {
		if code := p.try(3*time.Second, Join{Staff: "pat", As: Patrol, Mode: m}); code != fault.BadValue {
			t.Fatalf("%s: %q", m, code)
		}
	}
	p.do(3*time.Second, Join{Staff: "pat", As: Patrol, Mode: Listen})
	if code := p.try(4*time.Second, SetMode{Staff: "pat", Mode: Whisper}); code != fault.BadValue {
		t.Fatal(code)
	}
	if code := p.try(4*time.Second, TakeOver{By: "pat"}); code != fault.Forbidden {
		t.Fatal(code)
	}
}

func TestGuestsAreRefused(t *testing.T) {
	p := opened(t)
	if code := p.try(time.Second, Join{Staff: "sup", As: Supervisor, Mode: Listen}); code != fault.WrongState {
		t.Fatal("nobody listens to a caller who waits", code)
	}
	p.answered()
	for _, c := range []struct {
		ev   Event
		code fault.Code
	}{
		{Join{Staff: "op1", As: Supervisor, Mode: Listen}, fault.WrongState},
		{Join{Staff: "sup", As: "press", Mode: Listen}, fault.BadValue},
		{Join{As: Supervisor, Mode: Listen}, fault.BadValue},
		{SetMode{Staff: "sup", Mode: Speak}, fault.WrongState},
		{TakeOver{}, fault.Forbidden},
	} {
		if code := p.try(3*time.Second, c.ev); code != c.code {
			t.Errorf("%+v: %q, want %q", c.ev, code, c.code)
		}
	}
	for _, staff := range []ident.StaffID{"a", "b", "c", "d"} {
		p.do(4*time.Second, Join{Staff: staff, As: Supervisor, Mode: Listen})
	}
	if code := p.try(5*time.Second, Join{Staff: "e", As: Supervisor, Mode: Listen}); code != fault.TooMany {
		t.Error(code)
	}
	p.do(5*time.Second, SetMode{Staff: "a", Mode: Whisper})
	p.do(5*time.Second, SetMode{Staff: "b", Mode: Speak})
	if code := p.try(5*time.Second, SetMode{Staff: "c", Mode: Speak}); code != fault.TooMany {
		t.Error(code)
	}
	v := p.s.Version
	p.do(6*time.Second, Join{Staff: "b", As: Supervisor, Mode: Speak})
	p.do(6*time.Second, Leave{Staff: "nobody", Why: "left"})
	if p.s.Version != v {
		t.Error("repeated requests are recorded")
	}
	p.do(6*time.Second, Leave{Staff: "a", Why: "left"})
	p.do(6*time.Second, SetMode{Staff: "c", Mode: Speak})
	if g, _ := p.s.Guest("c"); g.Voice != 1 {
		t.Error("the free voice is used", g.Voice)
	}
}

func TestTakeOverMovesTheCall(t *testing.T) {
	p := talking(t)
	p.do(4*time.Second, Transfer{By: "op1", To: "op2"})
	ring := *p.s.Offer
	p.do(5*time.Second, TakeOver{By: "sup"})
	if p.s.Operator != "sup" || p.s.Offer != nil || len(p.s.Guests) != 1 {
		t.Fatalf("%+v", p.s)
	}
	if !slices.Contains(p.effects, Effect(StopRing{Offer: ring, Why: "taken"})) {
		t.Error("it still rings", p.effects)
	}
	if code := p.try(5*time.Second, Accept{Operator: "op2", Epoch: ring.Epoch}); code != fault.OfferExpired {
		t.Error("a late answer", code)
	}
	if code := p.try(5*time.Second, HangUp{By: "op1"}); code != fault.WrongState {
		t.Error("the one before still owns it", code)
	}
	p.heardBy("sup", Caller, "pat")
	p.do(6*time.Second, OperatorLeft{Operator: "sup"})
	p.do(6*time.Second+OperatorGrace, Tick{})
	p.is(Queued)
	p.heardBy(Caller, "pat")
	if code := p.try(10*time.Second, TakeOver{By: "op1"}); code != fault.WrongState {
		t.Error("the queue alone gives a waiting call away", code)
	}
}

func TestALostGuestKeepsThePlaceForAWhile(t *testing.T) {
	p := talking(t)
	p.do(10*time.Second, GuestLeft{Staff: "pat"})
	p.do(12*time.Second, GuestCame{Staff: "pat"})
	if !p.s.Deadline().IsZero() {
		t.Fatal(p.s.Deadline())
	}
	p.do(20*time.Second, GuestLeft{Staff: "pat"})
	p.do(20*time.Second+GuestGrace, Tick{})
	if _, in := p.s.Guest("pat"); in {
		t.Fatal("still there")
	}
	p.do(60*time.Second, Adopt{Node: "n", Epoch: 2})
	p.do(60*time.Second+RestartGrace-1, CallerCame{})
	if _, in := p.s.Guest("sup"); !in {
		t.Fatal("a restart of the gateway throws guests out")
	}
}

func TestNoGuestSoundsAtASilentCaller(t *testing.T) {
	p := &play{t: t}
	p.do(0, Create{ID: "call", Client: "tab", Kind: "silent", Priority: 1})
	p.answered()
	p.do(3*time.Second, Join{Staff: "sup", As: Supervisor, Mode: Speak})
	p.heardBy("sup", "op1")
	if f := p.records[len(p.records)-1].Fact.(GuestJoined); f.Heard != "operator" {
		t.Error(f.Heard)
	}
}

func TestOnlyWhoHasNeverBeenAnsweredIsKeptForTheAnswer(t *testing.T) {
	answered := time.Unix(1, 0)
	for name, c := range map[string]struct {
		s    State
		want bool
	}{
		"in the queue":             {State{Phase: Queued}, true},
		"ringing":                  {State{Phase: Offered}, true},
		"answered":                 {State{Phase: Connecting, AnsweredAt: answered}, false},
		"talking":                  {State{Phase: Talking, AnsweredAt: answered}, false},
		"on hold":                  {State{Phase: Hold, AnsweredAt: answered}, false},
		"back in the queue":        {State{Phase: Queued, AnsweredAt: answered}, false},
		"handed over":              {State{Phase: Offered, AnsweredAt: answered}, false},
		"a supervisor listens":     {State{Phase: Queued, Guests: []Guest{{Staff: "sup"}}}, false},
		"over before it was heard": {State{Phase: Ended}, false},
	} {
		if got := KeptForAnswer(c.s); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
