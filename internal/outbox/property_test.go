package outbox

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// draws is where chance comes from.
type draws interface{ pick(n int, what string) int }

type rapidDraws struct{ t *rapid.T }

func (d rapidDraws) pick(n int, what string) int { return rapid.IntRange(0, n-1).Draw(d.t, what) }

type byteDraws struct{ data []byte }

func (d *byteDraws) pick(n int, _ string) int {
	if len(d.data) == 0 {
		return 0
	}
	b := int(d.data[0])
	d.data = d.data[1:]
	return b % n
}

// world lives a box of messages with carriers that do whatever chance says.
type world struct {
	draws
	fail     func(string, ...any)
	p        Policy
	box      []Message
	ended    map[string]End
	begun    map[string]bool   // attempt ids
	handed   map[lane][]string // messages in the order in which a carrier first took them
	reported map[string]bool
	now      time.Time
}

func TestEveryMessageEndsAndKeepsItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { live(rapidDraws{t}, t.Fatalf) })
}

func FuzzOutbox(f *testing.F) {
	f.Add([]byte{3, 2, 1, 1, 200, 4, 7, 1, 0, 5, 3, 9, 2, 4, 4, 1, 0, 2, 5, 1})
	f.Fuzz(func(t *testing.T, data []byte) { live(&byteDraws{data}, t.Fatalf) })
}

func live(d draws, fail func(string, ...any)) {
	w := &world{draws: d, fail: fail, now: noon, ended: map[string]End{}, begun: map[string]bool{}, handed: map[lane][]string{}, reported: map[string]bool{}}
	minutes := func(n int, what string) time.Duration { return time.Duration(d.pick(n, what)) * time.Minute }
	w.p = Policy{
		Attempts: d.pick(5, "attempts"), First: minutes(10, "first"), Longest: minutes(120, "longest"), Life: minutes(4000, "life"),
		AnswerTime: minutes(3, "answer"), DoubtTime: minutes(20, "doubt"), Repeats: d.pick(3, "repeats"),
		Quiet:   Quiet{d.pick(1440, "from"), d.pick(1440, "to")},
		Reports: map[Channel]time.Duration{SMS: minutes(90, "report")},
	}
	ways := [][]Channel{{Push, SMS}, {SMS}, {Push}, {}, {SMS, Push}}
	for i := range 1 + d.pick(8, "messages") {
		m := Message{ID: fmt.Sprint("m", i), Citizen: fmt.Sprint("c", d.pick(2, "citizen")), Made: w.now, Urgent: d.pick(4, "urgent") == 0, Channels: ways[d.pick(len(ways), "ways")]}
		w.box = append(w.box, m)
	}
	for round := 0; len(w.ended) < len(w.box); round++ {
		if round > 5000 {
			fail("no end after %d rounds: %v of %v", round, len(w.ended), len(w.box))
		}
		w.step()
	}
	for _, m := range w.box {
		if n := len(m.Attempts); n > len(m.Channels)*max(w.p.Attempts, 1) {
			fail("%s: %d attempts", m.ID, n)
		}
		if doubts, _ := doubts(m); doubts > w.p.Repeats+1 {
			fail("%s may have arrived %d times", m.ID, doubts)
		}
	}
	for lane, ids := range w.handed {
		if !slices.IsSorted(ids) {
			fail("%v: order %v", lane, ids)
		}
	}
}

// step carries out what is due, then lets time pass.
func (w *world) step() {
	var open []Message
	for _, m := range w.box {
		if _, ok := w.ended[m.ID]; !ok {
			open = append(open, m)
		}
	}
	due, next := Plan(w.p, open, w.now, 3)
	for _, o := range due {
		m := &w.box[slices.IndexFunc(w.box, func(m Message) bool { return m.ID == open[o.Index].ID })]
		switch s := o.Step.(type) {
		case End:
			w.ended[m.ID] = s
		case Send:
			w.send(m, s)
		}
	}
	if len(due) == 0 && next.IsZero() || !next.IsZero() && next.Before(w.now) {
		w.fail("nothing due, next %v at %v", next, w.now)
	}
	if len(due) == 0 {
		w.now = next
	}
	w.now = w.now.Add(time.Duration(w.pick(30, "pause")) * time.Second)
}

// send is one attempt, which now and then gets no answer because the gateway is killed.
func (w *world) send(m *Message, s Send) {
	id := fmt.Sprint(m.ID, ".", s.Number)
	if w.begun[id] {
		w.fail("%s is sent twice", id)
	}
	if !m.Urgent && w.p.Quiet.covers(w.now) {
		w.fail("%s at %v, quiet is %v", id, w.now, w.p.Quiet)
	}
	w.begun[id] = true
	w.apply(m, Begun{s.Number, s.Channel, w.now})
	outcomes := []Outcome{nil, Accepted{"x"}, Refused{Reason: "bad"}, Later{Reason: "busy"}, Later{"busy", w.now.Add(time.Duration(w.pick(5000, "later")) * time.Minute)}, Unknown{"lost"}}
	o := outcomes[w.pick(len(outcomes), "outcome")]
	if o == nil {
		return
	}
	w.apply(m, Ended{s.Number, o, w.now})
	if _, ok := o.(Accepted); !ok {
		return
	}
	if l := (lane{m.Citizen, m.Urgent}); !slices.Contains(w.handed[l], m.ID) && !slices.ContainsFunc(m.Attempts[:s.Number-1], func(a Attempt) bool { return a.Report == Failed }) {
		w.handed[l] = append(w.handed[l], m.ID)
	}
	if r := Report(w.pick(3, "report")); s.Channel == SMS && r != NoReport {
		w.apply(m, Reported{s.Number, r})
	}
}

func (w *world) apply(m *Message, f Fact) {
	next, err := Apply(w.p, *m, f)
	if err != nil {
		w.fail("%s: %#v: %v", m.ID, f, err)
	}
	*m = next
}
