package casectl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// teller notes what citizens are told.
type teller struct {
	mu   sync.Mutex
	told map[string]cases.Inform
}

func (d *teller) Inform(s cases.State, e cases.Inform) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.told == nil {
		d.told = map[string]cases.Inform{}
	}
	d.told[fmt.Sprint(s.ID, " ", e.N)] = e
}

func (d *teller) CaseChanged(cases.State, cases.Entry) {}

func (d *teller) has(id ident.CaseID, status cases.Status) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, e := range d.told {
		if key == fmt.Sprint(id, " ", e.N) && e.Status == status {
			return true
		}
	}
	return false
}

func openStore(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "jedel.db"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// run runs a book until the test or stop ends.
func run(t *testing.T, j Journal) (*Book, *teller, func()) {
	t.Helper()
	d := &teller{}
	b := New(j, d, quiet(), prometheus.NewRegistry())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return b, d, stop
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatal(what)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

var numbers int

func begin(t *testing.T, b *Book) ident.CaseID {
	t.Helper()
	id := ident.New[ident.CaseID]()
	numbers++
	if _, err := b.Post(t.Context(), id, cases.Open{ID: id, Number: fmt.Sprintf("26-%06d", numbers), Lane: cases.ReportLane, Recording: cases.Recording{ID: ident.CallID(id)}}); err != nil {
		t.Fatal(err)
	}
	return id
}

func post(t *testing.T, b *Book, id ident.CaseID, ev cases.Event) cases.State {
	t.Helper()
	s, err := b.Post(t.Context(), id, ev)
	if err != nil {
		t.Fatalf("%T: %v", ev, err)
	}
	return s
}

func TestMergedCasesAreToldWhatTheOtherIs(t *testing.T) {
	db := openStore(t)
	b, d, _ := run(t, db)
	x, y := begin(t, b), begin(t, b)
	if err := b.Both(t.Context(), x, y, func(x, y cases.State, now time.Time) (cases.Pair, error) { return cases.Merge(x, y, now, "op") }); err != nil {
		t.Fatal(err)
	}
	if err := db.SetDuty(t.Context(), store.Patrol{Staff: "p", Name: "P-14"}, true, time.Now()); err != nil {
		t.Fatal(err)
	}
	post(t, b, y, cases.Send{By: "op", Patrol: "p", Name: "P-14"})
	until(t, "the citizen of the merged case is not told of the patrol", func() bool { return d.has(x, cases.PatrolSent) })
	if _, err := b.Post(t.Context(), x, cases.Take{By: "op"}); fault.CodeOf(err) != fault.CaseMerged {
		t.Fatal(err)
	}
	if _, err := b.Post(t.Context(), begin(t, b), cases.Send{By: "op", Patrol: "p"}); fault.CodeOf(err) != fault.PatrolBusy {
		t.Fatal(err)
	}
	rows, _, err := db.SearchCases(t.Context(), store.CaseQuery{Text: "p-14"})
	if err != nil || len(rows) != 1 || rows[0].Case != y || rows[0].Status != "patrol_sent" {
		t.Fatalf("%+v %v", rows, err)
	}
}

// TestADeadlineOutlivesTheProcess closes a case, ends the book before the closing is settled, and lets
// another one go on.
func TestADeadlineOutlivesTheProcess(t *testing.T) {
	db := openStore(t)
	b, d, stop := run(t, db)
	id := begin(t, b)
	s := post(t, b, id, cases.Close{By: "op", Outcome: "done", Text: "Thank you"})
	stop()
	if d.has(id, cases.Closed) || s.Deadline().IsZero() {
		t.Fatal("told too early")
	}
	late := &shifted{DB: db}
	_, d, _ = run(t, late)
	until(t, "the registration is not told again by a process that cannot know", func() bool { return d.has(id, cases.Registered) })
	until(t, "the closing is never settled", func() bool { return d.has(id, cases.Closed) })
}

// shifted makes deadlines come early: rows are due as soon as they have a deadline. The book still
// decides by its own clock, so that it only looks more often.
type shifted struct{ *store.DB }

func (s *shifted) NextDue(ctx context.Context) (time.Time, error) {
	at, err := s.DB.NextDue(ctx)
	if err == nil && !at.IsZero() {
		at = time.Now()
	}
	return at, err
}

// TestTwoBooksAgree lets two nodes decide about the same cases at once.
func TestTwoBooksAgree(t *testing.T) {
	db := openStore(t)
	one, _, _ := run(t, db)
	two, _, _ := run(t, db)
	id := begin(t, one)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			b := []*Book{one, two}[i%2]
			line := cases.Line{ID: fmt.Sprint(i), What: cases.NoteLine, Text: "x"}
			if _, err := b.Post(context.Background(), id, cases.Add{Line: line}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	records, err := db.LoadCase(t.Context(), id)
	if err != nil || len(records) != 21 {
		t.Fatal(len(records), err)
	}
}

// unsure is a journal whose appends sometimes take place and sometimes do not, and report an error either
// way.
type unsure struct {
	*store.DB
	mu sync.Mutex
	n  int
}

func (u *unsure) AppendCases(ctx context.Context, list ...store.CaseAppend) error {
	u.mu.Lock()
	u.n++
	n := u.n
	u.mu.Unlock()
	switch n % 3 {
	case 1:
		return errors.New("the connection broke before the answer")
	case 2:
		return errors.Join(u.DB.AppendCases(ctx, list...), errors.New("the connection broke after it"))
	}
	return u.DB.AppendCases(ctx, list...)
}

func TestAnUnknownOutcomeIsDecidedAgain(t *testing.T) {
	u := &unsure{DB: openStore(t)}
	b, d, _ := run(t, u)
	id := begin(t, b)
	if !d.has(id, cases.Registered) {
		t.Fatal("the citizen is not told")
	}
	for i := range 30 {
		s := post(t, b, id, cases.Add{Line: cases.Line{ID: fmt.Sprint(i), What: cases.NoteLine, Text: "x"}})
		if len(s.Card) != i+1 {
			t.Fatalf("%d lines after %d", len(s.Card), i+1)
		}
	}
	if records, err := u.LoadCase(t.Context(), id); err != nil || len(records) != 31 {
		t.Fatal(len(records), err)
	}
}

func TestPlatesAreComparedAsTheyLook(t *testing.T) {
	for in, want := range map[string]string{"123 abc 15": "123ABC15", "123 АВС 15": "123ABC15", "<b>kz</b>": "BKZB", "777-қой-01": "777ҚOЙ01"} {
		if got := store.Plate(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
