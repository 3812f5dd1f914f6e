package casectl

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"jedel/internal/cases"
	"jedel/internal/ident"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// sick is a journal that cannot read one case, whose time has come, or append anything to it.
type sick struct {
	*store.DB
	id     atomic.Value // ident.CaseID
	writes atomic.Bool  // appending fails
}

func (j *sick) is(id ident.CaseID) bool { bad, _ := j.id.Load().(ident.CaseID); return bad == id }

func (j *sick) LoadCase(ctx context.Context, id ident.CaseID) ([]store.CaseRecord, error) {
	if j.is(id) && !j.writes.Load() {
		return nil, errors.New("unreadable")
	}
	return j.DB.LoadCase(ctx, id)
}

func (j *sick) AppendCases(ctx context.Context, list ...store.CaseAppend) error {
	if j.writes.Load() && slices.ContainsFunc(list, func(a store.CaseAppend) bool { return j.is(a.Row.Case) }) {
		return errors.New("no answer")
	}
	return j.DB.AppendCases(ctx, list...)
}

func (j *sick) ListDue(ctx context.Context, now time.Time, limit int) ([]ident.CaseID, error) {
	list, err := j.DB.ListDue(ctx, now, limit)
	if bad, ok := j.id.Load().(ident.CaseID); ok && !j.writes.Load() {
		list = append([]ident.CaseID{bad}, list...)
	}
	return list, err
}

// idle returns a book that looks only when it is asked to.
func idle(j Journal) (*Book, *teller) {
	d := &teller{}
	return New(j, d, quiet(), prometheus.NewRegistry()), d
}

func TestACaseThatCannotBeReadHoldsUpNoDeadline(t *testing.T) {
	j := &sick{DB: openStore(t)}
	b, _ := idle(j)
	good, bad := begin(t, b), begin(t, b)
	j.id.Store(bad)
	if err := j.SetDuty(t.Context(), store.Patrol{Staff: "p", Name: "P-14"}, true, time.Now()); err != nil {
		t.Fatal(err)
	}
	e := cases.Entry{At: time.Now().UTC().Add(-time.Hour), Fact: cases.Sent{Sending: cases.Sending{Patrol: "p", Name: "P-14", At: time.Now().UTC().Add(-time.Hour)}}}
	s, err := b.State(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	a, err := stored(s, cases.Apply(s, e), e)
	if err != nil {
		t.Fatal(err)
	}
	// Another node sends the patrol: what this one has in memory knows of no deadline.
	if err := j.DB.AppendCases(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	b.look(t.Context())
	if s, err = b.State(t.Context(), good); err != nil || len(s.Sendings) != 1 || !s.Sendings[0].Late {
		t.Fatalf("the patrol's silence is not seen: %+v %v", s.Sendings, err)
	}
}

func TestAMergedCaseFollowsWhenTheStoreIsBack(t *testing.T) {
	j := &sick{DB: openStore(t)}
	b, d := idle(j)
	x, y := begin(t, b), begin(t, b)
	if err := b.Both(t.Context(), x, y, func(x, y cases.State, now time.Time) (cases.Pair, error) { return cases.Merge(x, y, now, "op") }); err != nil {
		t.Fatal(err)
	}
	if err := j.SetDuty(t.Context(), store.Patrol{Staff: "p", Name: "P-14"}, true, time.Now()); err != nil {
		t.Fatal(err)
	}
	post(t, b, y, cases.Send{By: "op", Patrol: "p", Name: "P-14"})
	j.writes.Store(true)
	j.id.Store(x)
	if wait := b.look(t.Context()); wait != retryTime || d.has(x, cases.PatrolSent) {
		t.Fatal("told what was not kept, or asked again at once", wait)
	}
	j.writes.Store(false)
	j.id.Store(ident.CaseID(""))
	b.look(t.Context())
	if !d.has(x, cases.PatrolSent) {
		t.Fatal("the citizen of the merged case is never told of the patrol")
	}
}
