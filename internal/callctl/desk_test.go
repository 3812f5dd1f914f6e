package callctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jedel/internal/call"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/queue"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// journal is a store in memory. fail, where set, is asked before each append: lost means that the
// append is not done, late that it is done; both answer with an error.
type journal struct {
	mu      sync.Mutex
	sums    map[ident.CallID]store.CallSummary
	records map[ident.CallID][]store.CallRecord
	owners  map[ident.CallID]store.Owner
	refs    map[string]ident.CallID
	fail    func(kind string) (lost, late bool)
	epoch   uint64 // of the newest life of the node
}

func newJournal() *journal {
	return &journal{
		sums: map[ident.CallID]store.CallSummary{}, records: map[ident.CallID][]store.CallRecord{},
		owners: map[ident.CallID]store.Owner{}, refs: map[string]ident.CallID{},
	}
}

var errDisk = errors.New("disk")

func (j *journal) CreateCall(_ context.Context, owner store.Owner, ref string, client ident.ClientID,
	build func(string) (store.CallSummary, store.CallRecord, error)) (store.CallSummary, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if owner.Epoch < j.epoch {
		return store.CallSummary{}, false, store.ErrFenced
	}
	key := string(client) + "/" + ref
	if id, ok := j.refs[key]; ok {
		return j.sums[id], true, nil
	}
	sum, rec, err := build(fmt.Sprintf("26-%06d", len(j.sums)+1))
	if err != nil {
		return sum, false, err
	}
	j.refs[key], j.sums[sum.Call], j.records[sum.Call], j.owners[sum.Call] = sum.Call, sum, []store.CallRecord{rec}, owner
	return sum, false, nil
}

func (j *journal) AppendCall(_ context.Context, owner store.Owner, expected uint64, rec store.CallRecord, sum store.CallSummary) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.owners[sum.Call] != owner {
		return store.ErrFenced
	}
	if uint64(len(j.records[sum.Call])) != expected {
		return store.ErrConflict
	}
	if j.fail != nil {
		lost, late := j.fail(rec.Kind)
		if lost {
			return errDisk
		}
		if late {
			defer func() { j.fail = nil }()
			j.records[sum.Call], j.sums[sum.Call] = append(j.records[sum.Call], rec), sum
			return errDisk
		}
	}
	j.records[sum.Call], j.sums[sum.Call] = append(j.records[sum.Call], rec), sum
	return nil
}

func (j *journal) LoadCall(_ context.Context, id ident.CallID) (store.CallSummary, []store.CallRecord, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.sums[id]; !ok {
		return store.CallSummary{}, nil, store.ErrNotFound
	}
	return j.sums[id], slices.Clone(j.records[id]), nil
}

func (j *journal) OpenCalls(context.Context) ([]store.CallSummary, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []store.CallSummary
	for _, s := range j.sums {
		if s.Phase != "ended" || s.Callback == "pending" {
			out = append(out, s)
		}
	}
	return out, nil
}

func (j *journal) AdoptCall(_ context.Context, id ident.CallID, owner store.Owner) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.sums[id]; !ok {
		return store.ErrNotFound
	}
	j.owners[id] = owner
	return nil
}

func (j *journal) kinds(id ident.CallID) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for _, r := range j.records[id] {
		out = append(out, r.Kind)
	}
	return out
}

// hands remembers what rang.
type hands struct {
	mu    sync.Mutex
	rings map[ident.StaffID]call.Offer
	of    map[ident.StaffID]ident.CallID
}

func newHands() *hands {
	return &hands{rings: map[ident.StaffID]call.Offer{}, of: map[ident.StaffID]ident.CallID{}}
}

func (h *hands) Do(s call.State, e call.Effect) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e := e.(type) {
	case call.Ring:
		h.rings[e.Offer.Operator], h.of[e.Offer.Operator] = e.Offer, s.ID
	case call.StopRing:
		if h.rings[e.Offer.Operator].Epoch == e.Offer.Epoch && h.of[e.Offer.Operator] == s.ID {
			delete(h.rings, e.Offer.Operator)
			delete(h.of, e.Offer.Operator)
		}
	}
}
func (h *hands) Changed(call.State, call.Record) {}
func (h *hands) BoardChanged()                   {}

func (h *hands) ringing() map[ident.StaffID]ident.CallID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.of)
}

func (h *hands) epoch(op ident.StaffID) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rings[op].Epoch
}

// life is one life of the gateway over a journal.
type life struct {
	t    *testing.T
	desk *Desk
	h    *hands
	stop func()
}

func begin(t *testing.T, j *journal, epoch uint64) *life {
	t.Helper()
	h := newHands()
	d := New(Config{
		Journal: j, Doer: h, Owner: store.Owner{Node: "node", Epoch: epoch}, Name: func(id ident.StaffID) string { return string(id) },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Reg: prometheus.NewRegistry(),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	<-d.Ready()
	return &life{t: t, desk: d, h: h, stop: func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}}
}

func (l *life) tap(client ident.ClientID) call.State {
	l.t.Helper()
	s, err := l.desk.Create(l.t.Context(), "ref", call.Create{Client: client, Kind: "video", Lang: "kk", Priority: 2})
	if err != nil {
		l.t.Fatal(err)
	}
	return s
}

func (l *life) ready(op ident.StaffID) {
	l.t.Helper()
	if err := l.desk.Line().SetOperator(l.t.Context(), queue.Operator{ID: op, Name: string(op), Duty: queue.Ready, Linked: true}); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

func (l *life) post(id ident.CallID, ev call.Event) call.State {
	l.t.Helper()
	s, err := l.desk.Post(l.t.Context(), id, ev)
	if err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
	return s
}

func TestWaitingCallRingsAtReadyOperatorAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, newJournal(), 1)
		defer l.stop()
		s := l.tap("caller")
		l.ready("op1")
		if got := l.h.ringing(); got["op1"] != s.ID {
			t.Fatal(got)
		}
		after := l.post(s.ID, call.Accept{Operator: "op1", Epoch: 1})
		if after.Phase != call.Connecting || after.Operator != "op1" {
			t.Fatal(after.Phase)
		}
		if st, _ := l.desk.Line().Snapshot().Standing("op1"); st.State != queue.Talking {
			t.Fatal(st.State)
		}
	})
}

func TestUnansweredOfferGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, newJournal(), 1)
		defer l.stop()
		s := l.tap("caller")
		l.ready("op1")
		l.ready("op2")
		time.Sleep(call.RingTime + time.Second)
		synctest.Wait()
		if got := l.h.ringing(); got["op2"] != s.ID || got["op1"] != "" {
			t.Fatal(got)
		}
		if _, err := l.desk.Post(t.Context(), s.ID, call.Accept{Operator: "op1", Epoch: 1}); fault.CodeOf(err) != fault.OfferExpired {
			t.Fatal(err)
		}
	})
}

func TestSameTapMakesOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, newJournal(), 1)
		defer l.stop()
		a := l.tap("caller")
		b := l.tap("caller")
		if a.ID != b.ID || a.Number != b.Number {
			t.Fatal(a, b)
		}
	})
}

func TestAppendOfUnknownOutcomeIsNotDoubled(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal()
			l := begin(t, j, 1)
			defer l.stop()
			s := l.tap("caller")
			l.ready("op1")
			j.mu.Lock()
			tries := 0
			j.fail = func(kind string) (bool, bool) {
				tries++
				return !late && tries == 1, late && tries == 1
			}
			j.mu.Unlock()
			after := l.post(s.ID, call.Accept{Operator: "op1", Epoch: 1})
			if after.Operator != "op1" || !slices.Equal(j.kinds(s.ID), []string{"opened", "offered", "accepted"}) {
				t.Fatal(late, after.Operator, j.kinds(s.ID))
			}
		})
	}
}

func TestRestartKeepsWaitingAndLiveCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		l := begin(t, j, 1)
		live := l.tap("talks")
		l.ready("op1")
		l.post(live.ID, call.Accept{Operator: "op1", Epoch: 1})
		l.post(live.ID, call.Connected{})
		first := l.tap("first")
		time.Sleep(time.Second)
		second := l.tap("second")
		l.stop()

		l = begin(t, j, 2)
		defer l.stop()
		synctest.Wait()
		waiting := l.desk.Line().Snapshot().Waiting
		if len(waiting) != 2 || waiting[0].ID != first.ID || waiting[1].ID != second.ID {
			t.Fatal(waiting)
		}
		l.ready("op1") // the console says hello again: the call is theirs, nothing rings
		if len(l.h.ringing()) != 0 {
			t.Fatal(l.h.ringing())
		}
		l.post(live.ID, call.OperatorCame{Operator: "op1"})
		if s := l.post(live.ID, call.CallerCame{}); s.Phase != call.Talking || s.Operator != "op1" {
			t.Fatal(s.Phase, s.Operator)
		}
	})
}

func TestFencedNodeLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		l := begin(t, j, 1)
		defer l.stop()
		s := l.tap("caller")
		other := begin(t, j, 2)
		defer other.stop()
		synctest.Wait()
		l.desk.mu.Lock()
		a := l.desk.actors[s.ID]
		l.desk.mu.Unlock()
		if err := a.post(t.Context(), call.HangUp{}); fault.CodeOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
		<-a.done
		if got := j.kinds(s.ID); !slices.Equal(got, []string{"opened", "adopted"}) {
			t.Fatal(got)
		}
	})
}

func TestFencedNodeSaysThatItTakesNoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		l := begin(t, j, 1)
		defer l.stop()
		l.tap("caller")
		if l.desk.Fenced() {
			t.Fatal("fenced by nobody")
		}
		j.epoch = 2
		if _, err := l.desk.Create(t.Context(), "ref", call.Create{Client: "other", Kind: "video", Lang: "kk", Priority: 2}); fault.CodeOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
		if !l.desk.Fenced() {
			t.Fatal("not told")
		}
	})
}

func TestLostOperatorsCallRingsElsewhereWithinThreeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, newJournal(), 1)
		defer l.stop()
		s := l.tap("caller")
		l.ready("op1")
		l.post(s.ID, call.Accept{Operator: "op1", Epoch: 1})
		l.post(s.ID, call.Connected{})
		l.ready("op2")
		if _, err := l.desk.Line().Relink(t.Context(), "op1", false); err != nil {
			t.Fatal(err)
		}
		l.post(s.ID, call.OperatorLeft{Operator: "op1"})
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := l.h.ringing(); got["op2"] != s.ID {
			t.Fatal(got)
		}
	})
}

func TestReservedOperatorIsOfferedNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, newJournal(), 1)
		defer l.stop()
		l.ready("op1")
		free, err := l.desk.Line().Reserve(t.Context(), queue.Assignment{Call: "other", Operator: "op1"})
		if err != nil || !free {
			t.Fatal(free, err)
		}
		l.tap("caller")
		synctest.Wait()
		if len(l.h.ringing()) != 0 {
			t.Fatal(l.h.ringing())
		}
		if err := l.desk.Line().Release(t.Context(), queue.Assignment{Call: "other", Operator: "op1"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(l.h.ringing()) != 1 {
			t.Fatal(l.h.ringing())
		}
	})
}

// TestManyCallersAndOperatorsAreServedInOrder runs a busy hour and holds I1, I2, I4 and I10 over
// the whole history.
func TestManyCallersAndOperatorsAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		l := begin(t, j, 1)
		defer l.stop()
		for i := range 3 {
			l.ready(ident.StaffID(fmt.Sprintf("op%d", i)))
		}
		var answered []string
		for i := range 120 {
			l.tap(ident.ClientID(fmt.Sprintf("c%03d", i)))
			time.Sleep(time.Duration(i%7) * time.Second)
			synctest.Wait()
			for op, id := range l.h.ringing() {
				if (i+len(op))%3 == 0 {
					continue // this one lets it ring
				}
				s, err := l.desk.Post(t.Context(), id, call.Accept{Operator: op, Epoch: l.h.epoch(op)})
				if err != nil {
					continue // it lapsed meanwhile
				}
				answered = append(answered, s.Number)
				synctest.Wait()
				l.post(id, call.HangUp{By: op})
				l.post(id, call.Classify{By: op, Category: "c", Outcome: "o"})
			}
			for i := range 3 {
				l.ready(ident.StaffID(fmt.Sprintf("op%d", i)))
			}
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		ended := 0
		for _, s := range j.sums {
			if s.Phase == "ended" {
				ended++
			}
		}
		if len(j.sums) != 120 || ended != len(answered) || len(answered) < 60 {
			t.Fatalf("I10: %d calls, %d ended, %d answered", len(j.sums), ended, len(answered))
		}
	})
}
