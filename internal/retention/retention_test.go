package retention

import (
	"strings"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

var t0 = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// Three people and the call; identifiers as sessions carry them.
const (
	aigul ident.StaffID = "0000000000000000000000000a"
	bolat ident.StaffID = "0000000000000000000000000b"
	dana  ident.StaffID = "0000000000000000000000000d"
	call  ident.CallID  = "0000000000000000000000000c"
)

func policy() Policy {
	return Policy{
		Classes: map[string]Period{"normal": {Years: 3}, "crime": {Years: 10}, "prank": {Days: 90}, "test": {Days: 7}},
		Categories: map[string]string{
			"theft": "crime", "violence": "crime", "false": "prank",
		},
		Default: "normal",
	}
}

// play is one archive under test: it decides, records and applies as a runtime does.
type play struct {
	t       *testing.T
	s       State
	now     Clock
	effects []Effect
}

func begun(t *testing.T, class string) *play {
	p := &play{t: t, now: Clock{t0, t0}}
	p.do(Begin{Call: call, Opened: t0, Class: class})
	return p
}

func (p *play) at(d time.Duration) *play {
	p.now = Clock{t0.Add(d), t0.Add(d)}
	return p
}

func (p *play) try(ev Event) fault.Code {
	p.t.Helper()
	rec, effects, err := Decide(policy(), p.s, p.now, ev)
	if err != nil {
		return fault.CodeOf(err)
	}
	p.effects, p.s = effects, Apply(p.s, rec)
	return ""
}

func (p *play) do(ev Event) *play {
	p.t.Helper()
	if code := p.try(ev); code != "" {
		p.t.Fatalf("%T: %s in %s", ev, code, p.s.Stage)
	}
	return p
}

func (p *play) refused(ev Event, want fault.Code) *play {
	p.t.Helper()
	before := p.s
	if code := p.try(ev); code != want {
		p.t.Fatalf("%T in %s: %q, want %q", ev, before.Stage, code, want)
	}
	return p
}

func (p *play) is(stage Stage) *play {
	p.t.Helper()
	if p.s.Stage != stage {
		p.t.Fatalf("stage %q, want %q", p.s.Stage, stage)
	}
	return p
}

func (p *play) until(want time.Time) *play {
	p.t.Helper()
	if !p.s.Until.Equal(want) {
		p.t.Fatalf("until %v, want %v", p.s.Until, want)
	}
	return p
}

func TestDeletionTakesTwoPeopleAndThreeDays(t *testing.T) {
	p := begun(t, "test").until(t0.Add(7 * day))
	p.at(6*day).refused(ProposeDeletion{Scheduler, "ended"}, fault.RetentionRunning)
	p.at(7 * day).do(ProposeDeletion{aigul, "ended"}).is(Proposed)
	p.refused(ApproveDeletion{aigul}, fault.SecondPerson)
	p.refused(ApproveDeletion{bolat}, fault.TooEarly)
	p.at(10*day-time.Second).refused(ApproveDeletion{bolat}, fault.TooEarly)
	p.refused(Destroy{}, fault.WrongState)
	p.at(10*day).refused(ApproveDeletion{aigul}, fault.SecondPerson)
	p.do(ApproveDeletion{bolat}).is(Approved)
	if len(p.effects) != 1 || p.effects[0] != (Recheck{}) {
		t.Fatalf("%v", p.effects)
	}
	p.refused(Destroy{HeldElsewhere: true}, fault.OnHold)
	p.refused(KeysDestroyed{Root: "r"}, fault.WrongState)
	p.do(Destroy{}).is(Destroying)
	if p.effects[0] != (DestroyKeys{}) {
		t.Fatalf("%v", p.effects)
	}
	p.refused(PlaceHold{"h", dana, "26-1", "order"}, fault.BeingDestroyed)
	p.refused(KeysDestroyed{Left: 1, Root: "r"}, fault.KeysRemain)
	p.do(KeysDestroyed{Root: "r"}).is(Gone)
	p.refused(CancelDeletion{aigul, "no"}, fault.BeingDestroyed)
	if p.s.Root != "r" || p.s.Call != call {
		t.Fatalf("%+v", p.s)
	}
}

func TestTheSchedulerProposesAndNothingMore(t *testing.T) {
	p := begun(t, "test").at(8 * day)
	for _, ev := range []Event{
		Extend{Scheduler, t0.Add(90 * day), "r"}, Shorten{Scheduler, t0, "r"}, Categorise{Scheduler, "theft"},
		PlaceHold{"h", Scheduler, "c", "r"}, ReleaseHold{"h", Scheduler, "r"}, ApproveDeletion{Scheduler},
		CancelDeletion{Scheduler, "r"}, WithdrawShortening{Scheduler}, ConfirmShortening{Scheduler, t0},
		ProposeDeletion{"", "r"}, ProposeDeletion{" " + aigul, "r"},
	} {
		p.refused(ev, fault.Forbidden)
	}
	p.do(ProposeDeletion{Scheduler, "keeping ended"}).do(ProposeDeletion{Scheduler, "keeping ended"})
	p.at(11 * day).do(ApproveDeletion{dana}).do(Destroy{}).is(Destroying)
}

func TestHoldsForbidDeletionUntilTheLastIsReleased(t *testing.T) {
	p := begun(t, "test")
	p.do(PlaceHold{"one", aigul, "26-17", "court order"}).do(PlaceHold{"two", bolat, "26-18", "prosecutor"})
	p.do(PlaceHold{"one", aigul, "26-17", "court order"}) // the same act again
	p.refused(PlaceHold{"one", bolat, "26-17", "court order"}, fault.BadValue)
	if len(p.s.Holds) != 2 || p.s.Holds[0].Case != "26-17" || !p.s.Holds[0].At.Equal(t0) {
		t.Fatalf("%+v", p.s.Holds)
	}
	p.at(8*day).refused(ProposeDeletion{Scheduler, "ended"}, fault.OnHold)
	p.do(ReleaseHold{"one", bolat, "closed"}).do(ReleaseHold{"one", bolat, "closed"})
	p.refused(PlaceHold{"one", aigul, "26-17", "court order"}, fault.WrongState)
	p.refused(ReleaseHold{"three", bolat, "closed"}, fault.NoSuchHold)
	p.refused(ProposeDeletion{Scheduler, "ended"}, fault.OnHold)
	p.do(ReleaseHold{"two", bolat, "closed"})
	if p.effects[0] != (HoldReplica{false}) {
		t.Fatalf("%v", p.effects)
	}
	p.do(ProposeDeletion{Scheduler, "ended"}).is(Proposed)
}

// TestHoldTakesAnApprovedDeletionBack holds that the wait begins anew after a hold.
func TestHoldTakesAnApprovedDeletionBack(t *testing.T) {
	p := begun(t, "test").at(8 * day).do(ProposeDeletion{aigul, "r"})
	p.at(11 * day).do(ApproveDeletion{bolat}).is(Approved)
	p.do(PlaceHold{"h", dana, "26-1", "r"}).is(Kept).refused(Destroy{}, fault.WrongState)
	p.do(ReleaseHold{"h", dana, "r"}).refused(Destroy{}, fault.WrongState).refused(ApproveDeletion{bolat}, fault.WrongState)
	p.do(ProposeDeletion{aigul, "r"}).refused(ApproveDeletion{bolat}, fault.TooEarly)
}

func TestOnePersonExtendsTwoShorten(t *testing.T) {
	p := begun(t, "normal").until(t0.AddDate(3, 0, 0))
	p.do(Extend{aigul, t0.AddDate(5, 0, 0), "trial"}).until(t0.AddDate(5, 0, 0))
	if p.effects[0] != (LockReplica{t0.AddDate(5, 0, 0)}) {
		t.Fatalf("%v", p.effects)
	}
	p.refused(Extend{aigul, t0.AddDate(4, 0, 0), "r"}, fault.WouldShorten)
	p.refused(Extend{aigul, t0.AddDate(500, 0, 0), "r"}, fault.BadValue)
	p.refused(Shorten{aigul, t0.AddDate(6, 0, 0), "r"}, fault.BadValue)
	p.refused(Shorten{aigul, t0.AddDate(-1, 0, 0), "r"}, fault.BadValue)
	p.do(Shorten{aigul, t0.AddDate(1, 0, 0), "r"}).until(t0.AddDate(5, 0, 0))
	p.refused(ConfirmShortening{aigul, t0.AddDate(1, 0, 0)}, fault.SecondPerson)
	p.refused(ConfirmShortening{bolat, t0.AddDate(2, 0, 0)}, fault.WrongState)
	p.do(ConfirmShortening{bolat, t0.AddDate(1, 0, 0)}).until(t0.AddDate(1, 0, 0))
	p.refused(ConfirmShortening{bolat, t0.AddDate(1, 0, 0)}, fault.WrongState)
	// An extension takes a shortening that waits back: it was asked about another date.
	p.do(Shorten{aigul, t0.Add(day), "r"}).do(Extend{bolat, t0.AddDate(2, 0, 0), "r"})
	p.refused(ConfirmShortening{bolat, t0.Add(day)}, fault.WrongState).until(t0.AddDate(2, 0, 0))
}

func TestCategoryLengthensAtOnceAndShortensByTwo(t *testing.T) {
	p := begun(t, "")
	if p.s.Class != "normal" {
		t.Fatal(p.s.Class)
	}
	p.do(Categorise{aigul, "theft"}).until(t0.AddDate(10, 0, 0))
	p.do(Categorise{aigul, "violence"}).until(t0.AddDate(10, 0, 0))
	p.do(Categorise{aigul, "false"}).until(t0.AddDate(10, 0, 0))
	if p.s.Class != "crime" || p.s.Shorter == nil || p.s.Shorter.Class != "prank" {
		t.Fatalf("%+v", p.s)
	}
	p.refused(ConfirmShortening{aigul, t0.Add(90 * day)}, fault.SecondPerson)
	p.do(ConfirmShortening{bolat, t0.Add(90 * day)}).until(t0.Add(90 * day))
	if p.s.Class != "prank" || p.s.Category != "false" {
		t.Fatalf("%+v", p.s)
	}
	// What was extended by hand stays when a longer class is given.
	p.do(Extend{aigul, t0.AddDate(20, 0, 0), "r"}).do(Categorise{bolat, "theft"}).until(t0.AddDate(20, 0, 0))
	if p.s.Class != "crime" {
		t.Fatalf("%+v", p.s)
	}
}

// TestU20_ClockSetForwardDeletesNothing is the insider who makes keeping expire with the clock.
func TestU20_ClockSetForwardDeletesNothing(t *testing.T) {
	p := begun(t, "normal")
	far := t0.AddDate(4, 0, 0)
	for name, now := range map[string]Clock{
		"host ahead": {far, t0.Add(day)}, "log ahead": {t0.Add(day), far}, "no log": {Host: far}, "no host": {Log: far},
	} {
		p.now = now
		if code := p.try(ProposeDeletion{aigul, "r"}); code != fault.ClockUnsure {
			t.Errorf("%s: %q", name, code)
		}
	}
	// Holds and extensions need no sure clock, and do not take the wrong one over.
	p.now = Clock{far, t0.Add(day)}
	p.do(PlaceHold{"h", aigul, "26-1", "r"})
	if !p.s.Holds[0].At.Equal(t0.Add(day)) {
		t.Fatalf("%v", p.s.Holds[0].At)
	}
	// Back in time: nothing is recorded before what was recorded.
	p.now = Clock{t0.Add(-day), t0.Add(-day)}
	p.do(ReleaseHold{"h", aigul, "r"})
	if !p.s.At.Equal(t0.Add(day)) {
		t.Fatalf("%v", p.s.At)
	}
}

func TestACallOpenedWithAWrongClockIsStillKept(t *testing.T) {
	p := &play{t: t}
	p.now = Clock{Host: time.Unix(100, 0)}
	p.refused(Begin{Call: call, Opened: time.Unix(90, 0)}, fault.ClockUnsure)
	p.now = Clock{Host: t0}
	p.do(Begin{Call: call, Opened: time.Unix(90, 0)}).until(t0.AddDate(3, 0, 0))
	p.do(Begin{Call: call, Opened: t0.Add(day), Class: "test"}).until(t0.AddDate(3, 0, 0)) // twice is once
	if p.s.Version != 1 {
		t.Fatal(p.s.Version)
	}
	q := &play{t: t, now: Clock{t0, t0}}
	q.refused(Begin{Call: call, Opened: t0, Class: "nonsense"}, fault.BadValue)
	q.refused(PlaceHold{"h", aigul, "c", "r"}, fault.NoSuchArchive)
}

func TestHostileTextIsRefused(t *testing.T) {
	p := begun(t, "normal")
	for _, bad := range []string{"", " ", "a\nb", "\xff", strings.Repeat("x", MaxText+1), "\x1b[2J"} {
		p.refused(PlaceHold{"h", aigul, bad, "r"}, fault.BadValue)
		p.refused(PlaceHold{"h", aigul, "c", bad}, fault.BadValue)
		p.refused(PlaceHold{HoldID(bad), aigul, "c", "r"}, fault.BadValue)
		p.refused(Extend{aigul, t0.AddDate(4, 0, 0), bad}, fault.BadValue)
	}
	for i := range MaxHolds {
		p.do(PlaceHold{HoldID(strings.Repeat("h", i+1)), aigul, "c", "r"})
	}
	p.refused(PlaceHold{"one more", aigul, "c", "r"}, fault.TooMany)
}

func TestPeriods(t *testing.T) {
	for text, want := range map[string]Period{"3y": {Years: 3}, "90d": {Days: 90}, "100y": {Years: 100}, "36500d": {Days: 36500}} {
		got, err := ParsePeriod(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "y", "3", "0d", "-1d", "+1d", "03d", "101y", "36501d", "3m", "3 d", "3yd", "99999999999999999999d", "１d"} {
		if got, err := ParsePeriod(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	leap := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	if got := (Period{Years: 1}).After(leap); got.Before(leap.Add(366*day-day)) || got.Month() != time.March {
		t.Error(got)
	}
}

func TestPolicyThatContradictsItselfIsRefused(t *testing.T) {
	if err := policy().Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Policy){
		"default": func(p *Policy) { p.Default = "gone" }, "class": func(p *Policy) { p.Categories["x"] = "gone" },
		"nothing": func(p *Policy) { p.Classes["x"] = Period{} }, "negative": func(p *Policy) { p.Classes["x"] = Period{Days: -1} },
	} {
		p := policy()
		if change(&p); p.Check() == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestEveryStageHasWordsInThreeLanguages(t *testing.T) {
	for _, s := range []Stage{Kept, Proposed, Approved, Destroying, Gone} {
		if w := Words(s); w.KK == "" || w.RU == "" || w.EN == "" {
			t.Errorf("%s: %+v", s, w)
		}
	}
	if len(words) != 5 {
		t.Error("words for something that is no stage")
	}
}

func TestPolicyMayAskForAnotherWait(t *testing.T) {
	p := policy()
	p.Wait = time.Minute
	s := State{Version: 1, At: t0, Call: call, Opened: t0, Class: "test", Until: t0, Stage: Kept}
	r, _, err := Decide(p, s, Clock{t0, t0}, ProposeDeletion{aigul, "r"})
	if err != nil {
		t.Fatal(err)
	}
	s = Apply(s, r)
	if at := s.NextAt(p); !at.Equal(t0.Add(time.Minute)) {
		t.Fatal(at)
	}
	for after, want := range map[time.Duration]fault.Code{59 * time.Second: fault.TooEarly, time.Minute: ""} {
		now := t0.Add(after)
		if _, _, err := Decide(p, s, Clock{now, now}, ApproveDeletion{bolat}); fault.CodeOf(err) != want {
			t.Errorf("after %v: %v", after, err)
		}
		if _, _, err := Decide(policy(), s, Clock{now, now}, ApproveDeletion{bolat}); fault.CodeOf(err) != fault.TooEarly {
			t.Errorf("after %v under the usual wait: %v", after, err)
		}
	}
	if p.Wait = -1; p.Check() == nil {
		t.Error("a wait that is over before it begins")
	}
}
