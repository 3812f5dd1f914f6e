package watch

import (
	"slices"
	"testing"
	"time"
)

var zero = time.Unix(1_800_000_000, 0)

func at(ms int) time.Time { return zero.Add(time.Duration(ms) * time.Millisecond) }

// whole is one call that goes well.
func whole() []Event {
	return []Event{
		Tapped{"r1", at(0)},
		Offered{"op1", "c1", "26-1", 1, at(30), at(12030)}, // may be seen before the caller's own confirmation
		Created{"r1", "c1", "26-1", at(40)},
		Viewed{Call: "c1", Number: "26-1", Phase: "offered", At: at(45)},
		Said{"c1", "m1"}, Read{"c1", "m1"},
		Accepted{"op1", "c1", 1, at(1000), at(1010)},
		Arrived{"c1", "audio", false, First{At: at(1020)}},
		Arrived{"c1", "audio", true, First{At: at(1050)}},
		Left{"op1", "c1", at(9000)},
		Viewed{Call: "c1", Number: "26-1", Phase: "ended", EndReason: "operator", At: at(9001)},
	}
}

func report(events ...[]Event) Report {
	b := NewBook()
	for _, e := range slices.Concat(events...) {
		b.See(e)
	}
	return b.Report(true)
}

func kinds(r Report) []Kind {
	out := []Kind{}
	for _, v := range r.Violations {
		out = append(out, v.Kind)
	}
	return out
}

func TestAGoodCallGivesFiguresAndNoViolation(t *testing.T) {
	r := report(whole())
	if len(r.Violations) != 0 {
		t.Fatalf("%+v", r.Violations)
	}
	if r.Calls != (Counts{Tapped: 1, Created: 1, Offered: 1, Answered: 1, Ended: 1, ChatSaid: 1, ChatRead: 1}) {
		t.Errorf("%+v", r.Calls)
	}
	for name, c := range map[string]struct {
		got  Figure
		want float64
	}{
		"tap to created": {r.Millis.TapToCreated, 40}, "tap to ringing": {r.Millis.TapToRinging, 30},
		"accept to ok": {r.Millis.AcceptToOK, 10}, "accept to audio": {r.Millis.AcceptToAudio, 20}, "to the caller": {r.Millis.AcceptToCallerAudio, 50},
	} {
		if c.got != (Figure{1, c.want, c.want, c.want}) {
			t.Errorf("%s: %+v", name, c.got)
		}
	}
	if r.Millis.AcceptToPicture.N != 0 {
		t.Error("no picture came")
	}
}

func TestEachBrokenPromiseIsNamed(t *testing.T) {
	for want, extra := range map[Kind][]Event{
		TwoOffers:     {Offered{"op2", "c1", "26-1", 2, at(100), at(12100)}},
		EpochReused:   {Offered{"op2", "c1", "26-1", 1, at(9100), at(12100)}},
		TwoOwners:     {Accepted{"op2", "c1", 2, at(2000), at(2010)}},
		NumberChanged: {Viewed{Call: "c1", Number: "26-2", Phase: "ended"}},
		NumberReused:  {Viewed{Call: "c2", Number: "26-1", Phase: "queued"}},
		TapTwice:      {Created{"r1", "c2", "26-2", at(50)}, Viewed{Call: "c2", Phase: "ended"}, Offered{"op2", "c2", "26-2", 1, at(60), at(70)}},
		TwoTaps:       {Tapped{"r2", at(60)}, Created{"r2", "c1", "26-1", at(70)}},
		LostCall:      {Tapped{"r2", at(60)}, Created{"r2", "c2", "26-2", at(70)}},
		LostChat:      {Said{"c1", "m2"}},
		NeverRang:     {Tapped{"r2", at(60)}, Created{"r2", "c2", "26-2", at(70)}, Viewed{Call: "c2", Number: "26-2", Phase: "ended"}},
	} {
		if got := kinds(report(whole(), extra)); !slices.Equal(got, []Kind{want}) {
			t.Errorf("want %s, got %v", want, got)
		}
	}
	if got := kinds(report(whole(), []Event{Forgotten{"c1", at(3000)}})); !slices.Equal(got, []Kind{LostCall}) {
		t.Errorf("forgotten: %v", got)
	}
}

func TestWhatIsAllowedIsNotBlamed(t *testing.T) {
	for name, events := range map[string][]Event{
		"the next operator rings while the news of the end travels": {
			Offered{"op1", "c9", "26-9", 1, at(0), at(12000)}, Offered{"op2", "c9", "26-9", 2, at(4000), at(16000)}, Withdrawn{"op1", "c9", 1, at(4100)},
			Refused{"op1", "c9", 1, at(4200)}, Withdrawn{"op2", "c9", 2, at(5000)}, Viewed{Call: "c9", Number: "26-9", Phase: "ended"},
		},
		"an offer runs out unseen": {
			Offered{"op1", "c9", "26-9", 1, at(0), at(12000)}, Offered{"op2", "c9", "26-9", 2, at(12050), at(24000)}, Viewed{Call: "c9", Phase: "ended"},
		},
		"a ringing told again after a reconnection": {
			Offered{"op1", "c9", "26-9", 1, at(0), at(12000)}, Offered{"op1", "c9", "26-9", 1, at(5000), at(12000)}, Viewed{Call: "c9", Phase: "ended"},
		},
		"a call that is handed on": {
			Offered{"op1", "c9", "26-9", 1, at(0), at(12000)}, Accepted{"op1", "c9", 1, at(50), at(60)}, Left{"op1", "c9", at(3000)},
			Offered{"op2", "c9", "26-9", 2, at(3100), at(15000)}, Accepted{"op2", "c9", 2, at(3500), at(3600)}, Viewed{Call: "c9", Phase: "ended"},
		},
		"the same confirmation twice": {Tapped{"r9", at(0)}, Created{"r9", "c9", "26-9", at(10)}, Created{"r9", "c9", "26-9", at(900)},
			Offered{"op1", "c9", "26-9", 1, at(20), at(12000)}, Viewed{Call: "c9", Phase: "ended"}},
	} {
		if r := report(whole(), events); len(r.Violations) != 0 {
			t.Errorf("%s: %+v", name, r.Violations)
		}
	}
}

func TestAnUnfinishedRunBlamesNoOpenCall(t *testing.T) {
	b := NewBook()
	b.See(Tapped{"r", at(0)})
	b.See(Created{"r", "c", "26-1", at(1)})
	if r := b.Report(false); len(r.Violations) != 0 {
		t.Errorf("%+v", r.Violations)
	}
}

func TestPercentilesAreMeasuredValues(t *testing.T) {
	var s samples
	for i := 100; i >= 1; i-- {
		s = append(s, time.Duration(i)*time.Millisecond)
	}
	if f := s.figure(); f != (Figure{100, 50, 95, 100}) {
		t.Errorf("%+v", f)
	}
	if f := (samples{7 * time.Millisecond}).figure(); f != (Figure{1, 7, 7, 7}) {
		t.Errorf("%+v", f)
	}
	if f := (samples{1234567}).figure(); f.P50 != 1.23 {
		t.Errorf("%+v", f)
	}
	if f := (samples{}).figure(); f != (Figure{}) {
		t.Errorf("%+v", f)
	}
}

func TestLegsAddUpByRole(t *testing.T) {
	one := Legs{AudioSent: Leg{10, 1, 0}, VideoReceived: Leg{5, 2, 3}}
	r := report(whole(), []Event{Ended{Role: "caller", Legs: one}, Ended{Role: "caller", Legs: one}, Ended{Role: "operator"}})
	if got := r.Legs["caller"]; got.AudioSent != (Leg{20, 2, 0}) || got.VideoReceived != (Leg{10, 4, 6}) {
		t.Errorf("%+v", got)
	}
	if r.Calls.Failed != 0 {
		t.Error("nobody failed")
	}
}
