package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"jedel/internal/casectl"
	"jedel/internal/cases"
	"jedel/internal/config"
	"jedel/internal/hints"
	"jedel/internal/ident"
	"jedel/internal/notice"
	"jedel/internal/notify"
	"jedel/internal/notify/tape"
	"jedel/internal/outbox"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// deaf keeps no message of one case.
type deaf struct {
	*store.DB
	to ident.CaseID
}

func (d deaf) AddMessage(ctx context.Context, m store.Message) (bool, error) {
	if m.Case == string(d.to) {
		return false, errors.New("no answer")
	}
	return d.DB.AddMessage(ctx, m)
}

// teller is a process that tells citizens and does nothing else. It hears of changes and shows them to nobody.
type teller struct {
	*App
	book *casectl.Book
}

func (teller) CaseChanged(cases.State, cases.Entry) {}

func newTeller(t *testing.T, db *store.DB, to ident.CaseID) teller {
	t.Helper()
	reg, log := prometheus.NewRegistry(), slog.New(slog.NewTextHandler(io.Discard, nil))
	a := &App{log: log, cfg: config.Default()}
	a.db, a.casework, a.tellings = db, newMailbox[func(context.Context)](), newMailbox[telling]()
	a.mail = &mail{db: db, Sender: notify.New(notify.Config{
		Channels: []outbox.Channel{outbox.SMS}, Carriers: map[outbox.Channel]notify.Carrier{outbox.SMS: tape.New(filepath.Join(t.TempDir(), "tape"))},
		Prefixes: []string{"+7"}, Texts: notice.Default(), MaxParts: 3, Store: deaf{db, to}, Log: log, Reg: reg,
	})}
	var err error
	if a.hints, err = hints.Open(t.Context(), "", reg, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.hints.Close() })
	out := teller{App: a}
	out.book = casectl.New(db, out, log, reg)
	return out
}

func tellStore(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "jedel.db"), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// run works until the test ends.
func (x teller) run(t *testing.T, loops ...func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	for _, loop := range loops {
		go func() { loop(ctx); done <- struct{}{} }()
	}
	t.Cleanup(func() {
		cancel()
		for range loops {
			<-done
		}
	})
}

// post lets events happen to a case.
func (x teller) post(t *testing.T, id ident.CaseID, events ...cases.Event) {
	t.Helper()
	for _, ev := range events {
		if _, err := x.book.Post(t.Context(), id, ev); err != nil {
			t.Fatalf("%T: %v", ev, err)
		}
	}
}

var tellNumbers int

func opened(lane cases.Lane) (ident.CaseID, cases.Open) {
	id := ident.New[ident.CaseID]()
	tellNumbers++
	return id, cases.Open{
		ID: id, Number: fmt.Sprintf("26-%06d", tellNumbers), Lane: lane, Citizen: cases.Citizen{Phone: "+77015551212", Lang: "ru"}, Recording: cases.Recording{ID: ident.CallID(id), Kind: "voice"},
	}
}

// kinds waits until a case has n messages and says what kinds they are.
func (x teller) kinds(t *testing.T, id ident.CaseID, n int) (out []notice.Kind) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(10 * time.Second); ; {
		list, err := x.mail.Case(t.Context(), string(id))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) >= n {
			for _, m := range list {
				out = append(out, m.Kind)
			}
			return out
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%d messages of %d", len(list), n)
		}
	}
}

func TestAMessageThatCannotBeKeptHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	bad, open := opened(cases.ReportLane)
	x := newTeller(t, tellStore(t), bad)
	x.run(t, x.runCasework, x.runTellings)
	x.post(t, bad, open)
	good, open := opened(cases.ReportLane)
	x.post(t, good, open)
	x.kinds(t, good, 1)
	done := make(chan struct{})
	x.casework.put(func(context.Context) { close(done) })
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("no case hears of its call while one citizen cannot be told")
	}
}

// TestWhatAProcessDidNotGetToIsToldByTheNext ends a process between the record of a decision and its message.
func TestWhatAProcessDidNotGetToIsToldByTheNext(t *testing.T) {
	t.Parallel()
	db := tellStore(t)
	x := newTeller(t, db, "")
	id, open := opened(cases.ReportLane)
	other, second := opened(cases.ReportLane)
	x.post(t, id, open)
	x.post(t, other, second)
	if err := x.book.Both(t.Context(), id, other, func(a, b cases.State, now time.Time) (cases.Pair, error) { return cases.Merge(a, b, now, "op") }); err != nil {
		t.Fatal(err)
	}
	x.post(t, id, cases.Follow{Into: other, Status: cases.Closed, Outcome: "done", Text: "Меры приняты."})
	for range 2 { // killed here, twice
		y := newTeller(t, db, "")
		y.run(t, y.book.Run, y.runTellings)
		y.kinds(t, other, 1)
		if got := y.kinds(t, id, 1); len(got) != 1 || got[0] != notice.Closed {
			t.Fatal("the reply is lost, or told twice:", got)
		}
	}
}

func TestWhoIsReachedInAnotherWayHearsNothingTwice(t *testing.T) {
	t.Parallel()
	db := tellStore(t)
	x := newTeller(t, db, "")
	x.run(t, x.runTellings)
	if err := db.SetDuty(t.Context(), store.Patrol{Staff: "p", Name: "P-14"}, true, time.Now()); err != nil {
		t.Fatal(err)
	}
	id, open := opened(cases.CallLane)
	x.post(t, id, open, cases.Take{By: "op"}, cases.Send{By: "op", Patrol: "p", Name: "P-14"})
	x.kinds(t, id, 1)
	x.post(t, id, cases.Tell{Citizen: cases.Citizen{Phone: "+77015551213", Lang: "ru"}})
	last, next := opened(cases.ReportLane)
	x.post(t, last, next)
	x.kinds(t, last, 1)
	y := newTeller(t, db, "")
	s, err := y.book.State(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, eff := range cases.Recover(s) {
		if e, ok := eff.(cases.Inform); ok {
			if err := y.tell(t.Context(), s, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := y.kinds(t, id, 1); len(got) != 1 {
		t.Fatal("a start tells it again:", got)
	}
}

// TestWhoLeavesAPhoneLateHearsOnlyWhereTheCaseStands gives a number after the patrol has come.
func TestWhoLeavesAPhoneLateHearsOnlyWhereTheCaseStands(t *testing.T) {
	t.Parallel()
	x := newTeller(t, tellStore(t), "")
	at := time.Now()
	s := cases.State{ID: "c", Number: "26-1", Lane: cases.ReportLane, Citizen: cases.Citizen{Phone: "+77015551212"}, Replies: []cases.Reply{
		{At: at, Status: cases.Registered}, {At: at, Status: cases.PatrolSent}, {At: at, Status: cases.Closed, Text: "x"}, {At: at, Status: cases.Reopened}, {At: at, Status: cases.InWork},
	}, Hands: cases.Hands{Owner: "op"}}
	s.Version = 1
	for _, eff := range cases.Recover(s) {
		if e, ok := eff.(cases.Inform); ok {
			if err := x.tell(t.Context(), s, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := x.kinds(t, "c", 2); len(got) != 2 || got[0] != notice.Closed || got[1] != notice.Changed {
		t.Fatal(got)
	}
}

func TestACallerHearsThatThePatrolDoesNotCome(t *testing.T) {
	t.Parallel()
	s := cases.State{Lane: cases.CallLane, Replies: []cases.Reply{{Status: cases.Registered}, {Status: cases.InWork}, {Status: cases.PatrolSent}, {Status: cases.InWork}}}
	for n, want := range []bool{false, false, true, true} {
		m := message(s, cases.Inform{Status: s.Replies[n].Status, N: n}, notify.Citizen{Phone: "+77015551212"})
		if (m != nil) != want {
			t.Errorf("%d, %s: told is %t", n, s.Replies[n].Status, m != nil)
		}
	}
}

// TestANumberThatNobodyProvedIsNotFlooded holds that reports which name somebody else's number do not fill it.
func TestANumberThatNobodyProvedIsNotFlooded(t *testing.T) {
	t.Parallel()
	x := newTeller(t, tellStore(t), "")
	sent := func(c cases.Citizen, status cases.Status) (n int) {
		for range receiptsPerPhone + 3 {
			s := cases.State{ID: ident.New[ident.CaseID](), Number: "26-000001", Lane: cases.ReportLane, Status: status, Citizen: c, Replies: []cases.Reply{{Status: status}}}
			if err := x.tell(t.Context(), s, cases.Inform{Status: status, Text: "Жауап"}); err != nil {
				t.Fatal(err)
			}
			list, err := x.mail.Case(t.Context(), string(s.ID))
			if err != nil {
				t.Fatal(err)
			}
			n += len(list)
		}
		return n
	}
	if n := sent(cases.Citizen{Phone: "+77010000001"}, cases.Registered); n != receiptsPerPhone {
		t.Error(n, "receipts to a number that somebody named")
	}
	if n := sent(cases.Citizen{Phone: "+77010000001"}, cases.Closed); n != receiptsPerPhone+3 {
		t.Error(n, "replies")
	}
	if n := sent(cases.Citizen{Phone: "+77010000002", Caller: "c"}, cases.Registered); n != receiptsPerPhone+3 {
		t.Error(n, "receipts to a number that was proven")
	}
}
