package call

import (
	"reflect"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

var t0 = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return t0.Add(d) }

// play is a call under test: it decides, records and applies as the runtime does.
type play struct {
	t       *testing.T
	s       State
	records []Record
	effects []Effect // of the last step
}

func opened(t *testing.T) *play {
	t.Helper()
	p := &play{t: t}
	p.do(0, Create{ID: "call", Number: "26-000001", Client: "tab", Kind: "video", Lang: "kk", Priority: 2})
	return p
}

// try carries out ev at d after the tap and returns the code of the refusal, if any.
func (p *play) try(d time.Duration, ev Event) fault.Code {
	p.t.Helper()
	rec, effects, err := Decide(p.s, at(d), ev)
	if err != nil {
		return fault.CodeOf(err)
	}
	p.effects = effects
	if rec.Fact != nil {
		p.records = append(p.records, rec)
		p.s = Apply(p.s, rec)
	}
	return ""
}

func (p *play) do(d time.Duration, ev Event) {
	p.t.Helper()
	if code := p.try(d, ev); code != "" {
		p.t.Fatalf("%T refused: %s in %s", ev, code, p.s.Phase)
	}
}

func (p *play) is(phase Phase) {
	p.t.Helper()
	if p.s.Phase != phase {
		p.t.Fatalf("phase %s, want %s", p.s.Phase, phase)
	}
}

func (p *play) answered() *play {
	p.t.Helper()
	p.do(1*time.Second, Propose{Operator: "op1"})
	p.do(2*time.Second, Accept{Operator: "op1", Epoch: 1})
	p.do(2*time.Second, Connected{})
	p.is(Talking)
	return p
}

func TestCallFromTapToClassification(t *testing.T) {
	p := opened(t)
	p.is(Queued)
	p.do(time.Second, Propose{Operator: "op1"})
	p.is(Offered)
	p.do(2*time.Second, Accept{Operator: "op1", Epoch: 1})
	p.is(Connecting)
	if !reflect.DeepEqual(p.effects[1], Route{Operator: "op1"}) {
		t.Fatal("answering routes at once", p.effects)
	}
	p.do(2*time.Second, Connected{})
	p.is(Talking)
	p.do(60*time.Second, HangUp{By: "op1"})
	p.is(WrapUp)
	p.do(90*time.Second, Classify{By: "op1", Category: "theft", Outcome: "patrol"})
	p.is(Ended)
	if p.s.Closing.CallBack != CallBackNone || p.s.Closing.Reason != "operator" {
		t.Fatalf("%+v", p.s.Closing)
	}
}

func TestLateAcceptIsRefused(t *testing.T) {
	p := opened(t)
	p.do(0, Propose{Operator: "op1"})
	if code := p.try(RingTime, Accept{Operator: "op1", Epoch: 1}); code != fault.OfferExpired {
		t.Fatal(code)
	}
	p.do(RingTime, Tick{})
	p.is(Queued)
	p.do(13*time.Second, Propose{Operator: "op2"})
	for _, a := range []Accept{{"op1", 1}, {"op1", 2}, {"op2", 1}, {"op2", 3}} {
		if code := p.try(14*time.Second, a); code != fault.OfferExpired {
			t.Fatalf("%+v: %q", a, code)
		}
	}
	p.do(14*time.Second, Accept{Operator: "op2", Epoch: 2})
	if p.s.Operator != "op2" {
		t.Fatal(p.s.Operator)
	}
}

func TestRepeatedRequestsChangeNothing(t *testing.T) {
	p := opened(t).answered()
	for _, ev := range []Event{
		Create{ID: "call"}, Accept{"op1", 1}, Connected{}, SetHold{By: "op1"}, CallerCame{},
		OperatorCame{Operator: "op1"}, OperatorLeft{Operator: "op9"}, Tick{},
	} {
		v := p.s.Version
		p.do(3*time.Second, ev)
		if p.s.Version != v {
			t.Errorf("%T recorded again", ev)
		}
	}
	p.do(4*time.Second, HangUp{})
	p.do(4*time.Second, HangUp{})
	p.do(5*time.Second, Classify{By: "op1", Category: "a", Outcome: "b"})
	p.do(5*time.Second, Classify{By: "op1", Category: "a", Outcome: "b"})
	if p.s.Version != 6 {
		t.Fatal(p.s.Version)
	}
}

func TestExpiredOfferKeepsThePlace(t *testing.T) {
	p := opened(t)
	place := p.s.QueuedAt
	p.do(0, Propose{Operator: "op1"})
	p.do(RingTime, Tick{})
	p.do(20*time.Second, Propose{Operator: "op1"})
	p.do(21*time.Second, Reject{Operator: "op1", Epoch: 2})
	p.is(Queued)
	if p.s.QueuedAt != place {
		t.Fatal("the place moved")
	}
}

func TestOnlyTheOwnerActs(t *testing.T) {
	p := opened(t).answered()
	for _, ev := range []Event{
		HangUp{By: "op2"}, SetHold{By: "op2", On: true}, Transfer{By: "op2", To: "op3"},
		Classify{By: "op1"}, Propose{Operator: "op2"}, Transfer{By: "op1", To: "op1"},
	} {
		if code := p.try(3*time.Second, ev); code == "" {
			t.Errorf("%+v was allowed", ev)
		}
	}
}

func TestHeldCallerHearsNobody(t *testing.T) {
	p := opened(t).answered()
	p.do(3*time.Second, SetHold{By: "op1", On: true})
	p.is(Hold)
	if !reflect.DeepEqual(p.effects, []Effect{Route{}}) {
		t.Fatal(p.effects)
	}
	p.do(4*time.Second, SetHold{By: "op1"})
	p.is(Talking)
	if !reflect.DeepEqual(p.effects, []Effect{Route{Operator: "op1"}}) {
		t.Fatal(p.effects)
	}
}

func TestTransferChangesTheOwnerOnAccept(t *testing.T) {
	p := opened(t).answered()
	p.do(3*time.Second, Transfer{By: "op1", To: "op2"})
	p.is(Talking)
	if p.s.Operator != "op1" {
		t.Fatal("the first owner keeps the call until the second answers")
	}
	p.do(4*time.Second, Accept{Operator: "op2", Epoch: 2})
	p.is(Talking)
	if p.s.Operator != "op2" {
		t.Fatal(p.s.Operator)
	}
}

func TestUnansweredTransferStaysWithItsOwner(t *testing.T) {
	p := opened(t).answered()
	p.do(3*time.Second, Transfer{By: "op1", To: "op2"})
	p.do(3*time.Second+RingTime, Tick{})
	p.is(Talking)
	if p.s.Operator != "op1" || p.s.Offer != nil {
		t.Fatal(p.s)
	}
}

func TestLostOperatorsCallIsWaitingAgainWithinThreeSeconds(t *testing.T) {
	p := opened(t).answered()
	place := p.s.QueuedAt
	p.do(10*time.Second, OperatorLeft{Operator: "op1"})
	p.is(Talking)
	if d := p.s.Deadline().Sub(at(10 * time.Second)); d > 3*time.Second {
		t.Fatal(d)
	}
	p.do(10*time.Second+OperatorGrace, Tick{})
	p.is(Queued)
	if p.s.QueuedAt != place || p.s.Operator != "" {
		t.Fatalf("%+v", p.s)
	}
}

func TestReloadedConsoleKeepsItsCall(t *testing.T) {
	p := opened(t).answered()
	p.do(10*time.Second, OperatorLeft{Operator: "op1"})
	p.do(12*time.Second, OperatorCame{Operator: "op1"})
	p.do(20*time.Second, Tick{})
	p.is(Talking)
}

func TestCallerWhoComesBackFindsTheCall(t *testing.T) {
	for _, hold := range []bool{false, true} {
		p := opened(t).answered()
		p.do(3*time.Second, SetHold{By: "op1", On: hold})
		was := p.s.Phase
		p.do(10*time.Second, CallerLeft{})
		p.is(Reconnecting)
		p.do(100*time.Second, CallerCame{})
		p.is(was)
	}
}

func TestDroppedCallLeavesOneCallBack(t *testing.T) {
	p := opened(t).answered()
	p.do(10*time.Second, CallerLeft{})
	p.do(10*time.Second+ResumeWindow, Tick{})
	p.is(WrapUp)
	if p.s.Closing.CallBack != CallBackPending || p.s.Closing.Reason != "dropped" {
		t.Fatalf("%+v", p.s.Closing)
	}
	p.do(140*time.Second, CallBackMade{By: "op1", Outcome: "reached"})
	if code := p.try(141*time.Second, CallBackMade{By: "op2", Outcome: "reached"}); code != fault.WrongState {
		t.Fatal("a second call-back:", code)
	}
}

func TestAbandonedCallLeavesOneCallBack(t *testing.T) {
	p := opened(t)
	p.do(0, Propose{Operator: "op1"})
	p.do(time.Second, HangUp{})
	p.is(Ended)
	if p.s.Closing.CallBack != CallBackPending || p.s.Closing.Reason != "abandoned" {
		t.Fatalf("%+v", p.s.Closing)
	}
	stop := false
	for _, e := range p.effects {
		if s, ok := e.(StopRing); ok && s.Why == "ended" {
			stop = true
		}
	}
	if !stop {
		t.Fatal("it rings on", p.effects)
	}
}

func TestRestartKeepsPlaceAndLiveCall(t *testing.T) {
	p := opened(t)
	p.do(0, Propose{Operator: "op1"})
	p.do(time.Hour, Adopt{Node: "n", Epoch: 2}) // the clock jumped an hour meanwhile
	p.is(Queued)
	p.do(time.Hour, Tick{})
	p.is(Queued)
	p.do(time.Hour+time.Second, CallerCame{})
	if p.s.QueuedAt != t0 {
		t.Fatal("the place moved")
	}

	q := opened(t).answered()
	q.do(time.Hour, Adopt{Node: "n", Epoch: 2})
	q.is(Reconnecting)
	q.do(time.Hour+time.Second, OperatorCame{Operator: "op1"})
	q.do(time.Hour+2*time.Second, CallerCame{})
	q.is(Talking)
	if q.s.Operator != "op1" {
		t.Fatal(q.s.Operator)
	}
}

func TestConnectingEndsInTextWhenNoMediaComes(t *testing.T) {
	p := opened(t)
	p.do(0, Propose{Operator: "op1"})
	p.do(time.Second, Accept{Operator: "op1", Epoch: 1})
	p.do(time.Second+ConnectTime, Tick{})
	p.is(Talking)
}

func TestProvenContactIsNotOverwritten(t *testing.T) {
	p := &play{t: t}
	p.do(0, Create{ID: "call", Client: "tab", Person: Person{Name: "A", Phone: "+7", Proven: true}})
	if code := p.try(0, SetContact{Name: "B"}); code != fault.WrongState {
		t.Fatal(code)
	}
}

func TestUnknownFactIsRefused(t *testing.T) {
	if f, err := DecodeFact("from_the_future", []byte("{}")); err == nil {
		t.Fatal(f)
	}
}

func TestEveryFactIsReadBack(t *testing.T) {
	o := Offer{Epoch: 7, Operator: ident.StaffID("op"), Until: t0, Transfer: true}
	for _, f := range []Fact{
		Opened{ID: "i", Number: "n", Client: "c", Caller: "r", Person: Person{"a", "b", true}, CallKind: "video", Lang: "kk", Priority: 2},
		Proposed{o}, Lapsed{7, "op", "expired"}, Accepted{7, "op", "from"}, Talked{true}, Held{true}, CallerLost{}, CallerBack{},
		OperatorLost{"op"}, OperatorBack{"op"}, Requeued{"op"}, ContactTold{"a", "b"}, HungUp{"dropped", "op", true, true},
		Classified{"op", "c", "o"}, CalledBack{"op", "o"}, Adopted{"n", 3},
		GuestJoined{"s", "n", Supervisor, Whisper, 2, "operator"}, GuestMode{"s", Speak, 1, "all"}, GuestLost{"s"}, GuestBack{"s"},
		GuestGone{"s", "left"}, TakenOver{"s", "op", 9},
	} {
		b, err := Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeFact(f.Kind(), b)
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%s: %+v, %v", f.Kind(), got, err)
		}
		if _, ok := decoders()[f.Kind()]; !ok {
			t.Errorf("no decoder for %s", f.Kind())
		}
	}
	if len(decoders()) != 22 {
		t.Errorf("%d decoders: name the new fact in this test", len(decoders()))
	}
}

func TestASingleDatagramWaitsUntilSomebodyHasReadIt(t *testing.T) {
	p := &play{t: t}
	p.do(0, Create{ID: "call", Number: "26-000001", Client: "tab", Kind: "voice", Lang: "kk", Priority: 2, SOS: true})
	p.do(2*time.Second, CallerLeft{})
	p.do(2*time.Second+ResumeWindow+time.Minute, Tick{})
	p.is(Queued)
	p.do(10*time.Minute, Propose{Operator: "op1"})
	p.do(10*time.Minute+time.Second, Accept{Operator: "op1", Epoch: 1})
	p.is(Reconnecting)
	p.do(10*time.Minute+2*time.Second, Tick{})
	p.is(Reconnecting) // not dropped at the moment of the answer
	p.do(10*time.Minute+time.Second+ResumeWindow, Tick{})
	p.is(WrapUp)
	if p.s.Closing.CallBack != CallBackPending {
		t.Error("nobody is owed a call")
	}
}

func TestASingleDatagramIsDroppedAtLast(t *testing.T) {
	p := &play{t: t}
	p.do(0, Create{ID: "call", Number: "26-000001", Client: "tab", Kind: "voice", Lang: "kk", Priority: 2, SOS: true})
	p.do(0, CallerLeft{})
	if got := p.s.Deadline(); !got.Equal(at(SOSWindow)) {
		t.Errorf("the deadline is %v", got)
	}
	p.do(SOSWindow, Tick{})
	p.is(Ended)
}
