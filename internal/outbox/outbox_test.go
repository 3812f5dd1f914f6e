package outbox

import (
	"errors"
	"testing"
	"time"
)

var zone = time.FixedZone("Petropavl", 5*3600)

// noon is where the tests begin, local time.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, zone)

func policy() Policy {
	return Policy{
		Attempts: 3, First: time.Minute, Longest: time.Hour, Life: 48 * time.Hour, AnswerTime: time.Minute,
		DoubtTime: 10 * time.Minute, Repeats: 1, Quiet: Quiet{22 * 60, 7 * 60},
		Reports: map[Channel]time.Duration{SMS: time.Hour},
	}
}

func message() Message {
	return Message{ID: "m1", Citizen: "c1", Made: noon, Channels: []Channel{Push, SMS}}
}

// try begins and ends one attempt.
func try(t *testing.T, p Policy, m Message, c Channel, at time.Time, o Outcome) Message {
	t.Helper()
	n := len(m.Attempts) + 1
	m, err := Apply(p, m, Begun{n, c, at})
	if err == nil && o != nil {
		m, err = Apply(p, m, Ended{n, o, at})
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatComesNext(t *testing.T) {
	p, sec := policy(), time.Second
	gone, bad := Refused{Reason: "gone", Gone: true}, Refused{Reason: "bad number"}
	night := time.Date(2026, 3, 2, 23, 30, 0, 0, zone)
	for _, c := range []struct {
		name string
		m    func(Message) Message
		at   time.Time
		want Step
	}{
		{"the first channel is tried first", func(m Message) Message { return m }, noon, Send{1, Push, false}},
		{"a subscription that is gone falls to SMS", func(m Message) Message { return try(t, p, m, Push, noon, gone) }, noon, Send{2, SMS, false}},
		{"refused everywhere is the end", func(m Message) Message { return try(t, p, try(t, p, m, Push, noon, gone), SMS, noon, bad) }, noon, End{EndRefused, "bad number"}},
		{"accepted push is the end", func(m Message) Message { return try(t, p, m, Push, noon, Accepted{"x"}) }, noon, End{EndAccepted, ""}},
		{"accepted SMS waits for its report", func(m Message) Message { return try(t, p, m, SMS, noon, Accepted{"x"}) }, noon.Add(sec), Wait{noon.Add(time.Hour)}},
		{"no report is the end too", func(m Message) Message { return try(t, p, m, SMS, noon, Accepted{"x"}) }, noon.Add(time.Hour), End{EndAccepted, ""}},
		{"a carrier's time is kept to", func(m Message) Message { return try(t, p, m, Push, noon, Later{"busy", noon.Add(30 * time.Minute)}) }, noon, Wait{noon.Add(30 * time.Minute)}},
		{"but not for ever", func(m Message) Message { return try(t, p, m, Push, noon, Later{"busy", noon.Add(30 * time.Hour)}) }, noon, Wait{noon.Add(time.Hour)}},
		{"an open attempt is waited for", func(m Message) Message { return try(t, p, m, Push, noon, nil) }, noon.Add(sec), Wait{noon.Add(11 * time.Minute)}},
		{"unknown waits for a report", func(m Message) Message { return try(t, p, m, SMS, noon, Unknown{"lost"}) }, noon.Add(sec), Wait{noon.Add(10 * time.Minute)}},
		{"then is sent again, and says so", func(m Message) Message { return try(t, p, m, Push, noon, Unknown{"lost"}) }, noon.Add(10 * time.Minute), Send{2, Push, true}},
		{"after a crash too", func(m Message) Message { return try(t, p, m, Push, noon, nil) }, noon.Add(11 * time.Minute), Send{2, Push, true}},
		{"not urgent waits for the morning", func(m Message) Message { return m }, night, Wait{time.Date(2026, 3, 3, 7, 0, 0, 0, zone)}},
		{"urgent does not", func(m Message) Message { m.Urgent = true; return m }, night, Send{1, Push, false}},
		{"too old is given up", func(m Message) Message { return m }, noon.Add(48 * time.Hour), End{EndGivenUp, ReasonExpired}},
		{"worthless is given up", func(m Message) Message { m.Until = noon.Add(sec); return m }, noon.Add(sec), End{EndGivenUp, ReasonExpired}},
		{"without a channel it is refused", func(m Message) Message { m.Channels = nil; return m }, noon, End{EndRefused, ReasonNoChannel}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Next(p, c.m(message()), c.at); got != c.want {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
}

func TestDoubtIsRepeatedNoMoreOftenThanAllowed(t *testing.T) {
	p, m, at := policy(), message(), noon
	for range p.Repeats + 1 {
		m = try(t, p, m, Push, at, Unknown{"lost"})
		at = at.Add(p.DoubtTime)
	}
	if got := Next(p, m, at); got != (End{EndGivenUp, ReasonDoubt}) {
		t.Error(got)
	}
	m, _ = Apply(p, m, Reported{1, Delivered})
	if got := Next(p, m, at); got != (End{How: EndDelivered}) {
		t.Error("a late report is not believed:", got)
	}
}

func TestReportedFailureFallsToTheNextChannel(t *testing.T) {
	p, m := policy(), message()
	m.Channels = []Channel{SMS, Push}
	m = try(t, p, m, SMS, noon, Accepted{"x"})
	m, _ = Apply(p, m, Reported{1, Failed})
	if got := Next(p, m, noon.Add(time.Second)); got != (Send{2, Push, false}) {
		t.Errorf("%#v", got)
	}
	m, _ = Apply(p, m, Reported{1, Delivered})
	if m.Attempts[0].Report != Failed {
		t.Error("a report was taken back")
	}
}

func TestOneAttemptIsBegunAndEndsOnce(t *testing.T) {
	p, m := policy(), message()
	m = try(t, p, m, Push, noon, nil)
	for _, c := range []struct {
		f    Fact
		want error
	}{
		{Begun{1, Push, noon}, ErrNumber},
		{Begun{3, Push, noon}, ErrNumber},
		{Begun{2, SMS, noon}, ErrOpen},
		{Begun{2, "fax", noon.Add(time.Hour)}, ErrOrder},
		{Ended{2, Accepted{}, noon}, ErrNumber},
		{Ended{0, Accepted{}, noon}, ErrNumber},
		{Ended{1, nil, noon}, ErrEnded},
		{Reported{5, Delivered}, ErrNumber},
	} {
		if got, err := Apply(p, m, c.f); !errors.Is(err, c.want) || len(got.Attempts) != 1 {
			t.Errorf("%#v: %v", c.f, err)
		}
	}
	done, err := Apply(p, m, Ended{1, Accepted{}, noon})
	if err != nil || m.Attempts[0].Outcome != nil {
		t.Fatal("the earlier message changed", err)
	}
	if _, err := Apply(p, done, Ended{1, Later{}, noon}); !errors.Is(err, ErrEnded) {
		t.Error(err)
	}
}

func TestBackOffDoublesWithinItsLimit(t *testing.T) {
	p := policy()
	for try := 1; try < 80; try++ {
		want := min(p.First<<min(try-1, 20), p.Longest)
		got := p.backoff("m", try, try)
		if got < want*79/100 || got > want*121/100 || got > p.Longest {
			t.Errorf("try %d: %v, want about %v", try, got, want)
		}
	}
}

func TestQuietHoursSpanMidnight(t *testing.T) {
	for _, c := range []struct {
		q        Quiet
		at, want string
	}{
		{Quiet{22 * 60, 7 * 60}, "2026-03-02T22:00", "2026-03-03T07:00"},
		{Quiet{22 * 60, 7 * 60}, "2026-03-03T06:59", "2026-03-03T07:00"},
		{Quiet{22 * 60, 7 * 60}, "2026-03-03T07:00", "2026-03-03T07:00"},
		{Quiet{60, 120}, "2026-12-31T01:30", "2026-12-31T02:00"},
		{Quiet{60, 60}, "2026-12-31T01:00", "2026-12-31T01:00"},
		{Quiet{23 * 60, 0}, "2026-12-31T23:59", "2027-01-01T00:00"},
	} {
		at, _ := time.ParseInLocation("2006-01-02T15:04", c.at, zone)
		if got := c.q.after(at).Format("2006-01-02T15:04"); got != c.want {
			t.Errorf("%v at %s: %s, want %s", c.q, c.at, got, c.want)
		}
	}
}
