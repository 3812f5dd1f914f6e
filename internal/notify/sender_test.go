package notify

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jedel/internal/ident"
	"jedel/internal/notice"
	"jedel/internal/outbox"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// script is a carrier that answers as it is told and remembers what it got.
type script struct {
	mu      sync.Mutex
	letters []Letter
	answer  func(Letter) outbox.Outcome
}

func (s *script) Send(_ context.Context, l Letter) outbox.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append(s.letters, l)
	return s.answer(l)
}

func (s *script) got() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter{}, s.letters...)
}

func accept(Letter) outbox.Outcome { return outbox.Accepted{ID: "x"} }

func policy() outbox.Policy {
	return outbox.Policy{
		Attempts: 3, First: time.Minute, Longest: time.Hour, Life: 48 * time.Hour, AnswerTime: time.Minute, DoubtTime: 10 * time.Minute, Repeats: 1,
		Quiet: outbox.Quiet{From: 22 * 60, To: 7 * 60}, Reports: map[outbox.Channel]time.Duration{outbox.SMS: time.Hour},
	}
}

// desk is a sender over a store of the test's, with both carriers.
type desk struct {
	*Sender
	push, sms *script
	reg       *prometheus.Registry
}

func newDesk(s Store) *desk {
	d := &desk{push: &script{answer: accept}, sms: &script{answer: accept}, reg: prometheus.NewRegistry()}
	d.Sender = New(Config{
		Policy: policy(), Zone: time.UTC, Channels: []outbox.Channel{outbox.Push, outbox.SMS}, Carriers: map[outbox.Channel]Carrier{outbox.Push: d.push, outbox.SMS: d.sms},
		Prefixes: []string{"+7"}, Texts: notice.Default(), MaxParts: 3, Store: s, Log: quiet(), Reg: d.reg,
	})
	return d
}

// run runs the sender in a bubble until the test ends.
func (d *desk) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		d.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

const reportHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func closing() Message {
	return Message{Case: "case1", Version: 4, Kind: notice.Closed, Lang: "ru", To: Citizen{Phone: "+77015551212", Report: reportHash}, Args: notice.Args{Number: "26-000123", Text: "Меры приняты."}}
}

func subscribe(t *testing.T, s Store, endpoints ...string) {
	t.Helper()
	for _, e := range endpoints {
		if err := s.PutPushSubscription(t.Context(), store.PushSubscription{Citizen: ReportCitizen(reportHash), Endpoint: e}); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *desk) one(t *testing.T) Status {
	t.Helper()
	list, err := d.Case(t.Context(), "case1")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return list[0]
}

// noon lets a bubble's midnight pass into the day.
func noon() { time.Sleep(12 * time.Hour) }

func TestPushIsTriedFirstAndSaysNothingOfTheMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{disk: newDisk()}
		d := newDesk(m)
		d.push.answer = func(l Letter) outbox.Outcome {
			switch l.Subscription.Endpoint {
			case "gone":
				return outbox.Refused{Reason: "ended", Gone: true}
			case "busy":
				return outbox.Later{Reason: "busy"}
			}
			return outbox.Accepted{}
		}
		subscribe(t, m, "gone", "good", "busy")
		d.run(t)
		noon()
		id, err := d.Enqueue(t.Context(), closing())
		again, err2 := d.Enqueue(t.Context(), closing())
		if err != nil || err2 != nil || id != again {
			t.Fatal(id, again, err, err2)
		}
		synctest.Wait()
		if got := d.push.got(); len(got) != 3 || got[0].Text != "26-000123: есть новости." || got[0].Phone != "" || strings.Contains(got[0].Text, "Меры") {
			t.Errorf("%+v", got)
		}
		if s := d.one(t); s.Stage != StageSent || s.Channel != outbox.Push || !s.Ended || s.ID != id || len(d.sms.got()) != 0 {
			t.Errorf("%+v", s)
		}
		if left, _ := m.PushSubscriptions(t.Context(), ReportCitizen(reportHash)); len(left) != 2 {
			t.Error("a subscription that has ended is kept", left)
		}
	})
}

func TestWithoutABrowserTheTextGoesBySMSAndIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(&memory{disk: newDisk()})
		d.run(t)
		noon()
		if _, err := d.Enqueue(t.Context(), closing()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := d.sms.got()
		if len(got) != 1 || got[0].Text != "Ответ на обращение 26-000123: Меры приняты." || got[0].Phone != "+77015551212" {
			t.Fatalf("%+v", got)
		}
		if s := d.one(t); s.Stage != StageSent || s.Channel != outbox.SMS || s.Ended {
			t.Errorf("%+v", s)
		}
		time.Sleep(2 * time.Minute)
		at := time.Now()
		if err := d.told(t.Context(), outbox.SMS, Told{"x", outbox.Delivered}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := d.one(t); s.Stage != StageDelivered || !s.At.Equal(at) || !s.Ended {
			t.Errorf("%+v, reported at %v", s, at)
		}
		for _, c := range []struct {
			name string
			want float64
		}{{"jedel_messages_queued_total", 1}, {"jedel_messages_repeated_total", 0}} {
			if n, err := testutil.GatherAndCount(d.reg, c.name); err != nil || n != 1 {
				t.Error(c.name, n, err)
			}
		}
		if n := testutil.ToFloat64(d.met.ended.WithLabelValues("delivered")); n != 1 {
			t.Error("ended", n)
		}
		if n := testutil.ToFloat64(d.met.attempts.WithLabelValues("sms", "accepted")); n != 1 {
			t.Error("attempts", n)
		}
	})
}

func TestAReportOfFailureIsSeenEvenAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(&memory{disk: newDisk()})
		d.sms.answer = func(Letter) outbox.Outcome { return outbox.Accepted{ID: "a" + IDSeparator + "b"} }
		d.run(t)
		noon()
		m := closing()
		m.To.Report = ""
		if _, err := d.Enqueue(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_ = d.told(t.Context(), outbox.SMS, Told{"a", outbox.Delivered})
		if s := d.one(t); s.Stage != StageSent {
			t.Errorf("half of it is %+v", s)
		}
		time.Sleep(2 * time.Hour)
		if s := d.one(t); !s.Ended || s.Stage != StageSent {
			t.Errorf("%+v", s)
		}
		for range 2 {
			if err := d.told(t.Context(), outbox.SMS, Told{"b", outbox.Failed}); err != nil {
				t.Fatal(err)
			}
		}
		if s := d.one(t); s.Stage != StageFailed || s.Reason == "" {
			t.Errorf("%+v", s)
		}
		for _, odd := range []Told{{"", outbox.Failed}, {"never sent", outbox.Delivered}, {"b", outbox.NoReport}, {strings.Repeat("x", 65), outbox.Failed}} {
			if err := d.told(t.Context(), outbox.SMS, odd); err != nil {
				t.Error(odd, err)
			}
		}
	})
}

func TestAtNightOnlyWhatIsUrgentGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(&memory{disk: newDisk()})
		d.run(t) // a bubble begins at midnight
		urgent := closing()
		urgent.Case, urgent.Urgent, urgent.Discreet = "case2", true, true
		for _, m := range []Message{closing(), urgent} {
			if _, err := d.Enqueue(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := d.sms.got(); len(got) != 1 || got[0].Tag != "case2" || got[0].Text != "26-000123: есть новости." {
			t.Errorf("%+v", got)
		}
		time.Sleep(7*time.Hour + time.Second)
		if got := d.sms.got(); len(got) != 2 || got[1].Tag != "case1" {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhoCannotBeReachedIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(&memory{disk: newDisk()})
		d.run(t)
		noon()
		for _, phone := range []string{"", "102", "+998901234567", "+7701555\n1212", "+7701555121212121"} {
			m := closing()
			m.To = Citizen{Phone: phone}
			m.Case = "case" + phone
			if _, err := d.Enqueue(t.Context(), m); err != nil {
				t.Fatal(phone, err)
			}
			synctest.Wait()
			list, err := d.Case(t.Context(), m.Case)
			if err != nil || len(list) != 1 || list[0].Stage != StageFailed || list[0].Reason != outbox.ReasonNoChannel {
				t.Errorf("%q: %+v %v", phone, list, err)
			}
		}
		if len(d.sms.got()) != 0 {
			t.Error(d.sms.got())
		}
		for _, m := range []Message{{}, {Case: "c", Kind: "birthday"}, {Case: "c", Kind: notice.Code}, {Case: strings.Repeat("c", 65), Kind: notice.Closed}} {
			if _, err := d.Enqueue(t.Context(), m); !errors.Is(err, ErrMessage) {
				t.Errorf("%+v: %v", m, err)
			}
		}
	})
}

func TestAMessageThatCannotBeReadHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{disk: newDisk()}
		d := newDesk(m)
		noon()
		broken := store.Message{ID: "broken", Case: "case0", Citizen: ReportCitizen(reportHash), Body: []byte("{"), Made: time.Now(), MessageState: store.MessageState{Stage: StageQueued, Due: time.Now()}}
		if _, err := m.AddMessage(t.Context(), broken); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Enqueue(t.Context(), closing()); err != nil {
			t.Fatal(err)
		}
		d.run(t)
		synctest.Wait()
		if s := d.one(t); s.Stage != StageSent {
			t.Errorf("%+v", s)
		}
		if list, _ := d.Case(t.Context(), "case0"); list[0].Stage != StageGivenUp || !list[0].Ended {
			t.Errorf("%+v", list)
		}
	})
}

// TestManyCitizensShareTheLanes has one whose carrier hangs.
func TestManyCitizensShareTheLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(&memory{disk: newDisk()})
		d.run(t)
		noon()
		hang := make(chan struct{})
		slow := &hanging{script: d.sms, hang: hang}
		d.cfg.Carriers[outbox.SMS] = slow
		for i := range 60 {
			m := closing()
			m.To = Citizen{Caller: ident.CallerID(strings.Repeat("0", 24) + string(rune('a'+i/10)) + string(rune('0'+i%10))), Phone: "+77015551212"}
			m.Case = "case" + string(rune('A'+i))
			m.Args.Text = "x"
			if i == 0 {
				m.Args.Text = "hang"
			}
			if _, err := d.Enqueue(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := len(d.sms.got()); n != 59 {
			t.Errorf("%d were sent while one hangs", n)
		}
		close(hang)
		synctest.Wait()
		if n := len(d.sms.got()); n != 60 {
			t.Errorf("%d were sent", n)
		}
	})
}

type hanging struct {
	*script
	hang chan struct{}
}

func (h *hanging) Send(ctx context.Context, l Letter) outbox.Outcome {
	if strings.HasSuffix(l.Text, "hang") {
		<-h.hang
	}
	return h.script.Send(ctx, l)
}

func TestDirectMessagesAreNotKept(t *testing.T) {
	m := &memory{disk: newDisk()}
	d := newDesk(m)
	o, err := d.Direct(t.Context(), "+77015551212", "kk", notice.Code, notice.Args{Text: "123456"})
	if err != nil || o != (outbox.Accepted{ID: "x"}) || !strings.HasPrefix(d.sms.got()[0].Text, "Код: 123456.") || len(m.messages) != 0 {
		t.Error(o, err, d.sms.got())
	}
	if _, err := d.Direct(t.Context(), "+12025550100", "kk", notice.Code, notice.Args{}); !errors.Is(err, ErrNoSMS) {
		t.Error(err)
	}
	delete(d.cfg.Carriers, outbox.SMS)
	if _, err := d.Direct(t.Context(), "+77015551212", "kk", notice.Code, notice.Args{}); !errors.Is(err, ErrNoSMS) {
		t.Error(err)
	}
}

// TestTwoNodesSendOnce lets two senders work on one SQLite file.
func TestTwoNodesSendOnce(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "jedel.db")
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	var nodes []*desk
	for range 2 {
		db, err := store.Open(t.Context(), url, quiet())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		d := newDesk(db)
		d.cfg.Policy.Quiet = outbox.Quiet{}
		nodes = append(nodes, d)
	}
	const n = 40
	for i := range n {
		m := closing()
		m.Case = "case1"
		m.Version = uint64(i)
		m.To = Citizen{Phone: "+7701555121" + string(rune('0'+i%2))}
		if _, err := nodes[i%2].Enqueue(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range nodes {
		wg.Go(func() { d.Run(ctx) })
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(60 * time.Second); ; {
		sent := 0
		list, err := nodes[0].Case(t.Context(), "case1")
		for _, s := range list {
			if s.Stage == StageSent {
				sent++
			}
		}
		if err == nil && sent == n {
			break
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal(sent, "of", n, err)
		}
	}
	cancel()
	wg.Wait()
	seen := map[string]bool{}
	for _, d := range nodes {
		for _, l := range d.sms.got() {
			if seen[l.ID] || !strings.HasSuffix(l.ID, "-1") {
				t.Error(l.ID)
			}
			seen[l.ID] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d sent, of %d", len(seen), n)
	}
}
