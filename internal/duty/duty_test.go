package duty

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/shift"
	"jedel/internal/store"
)

var t0 = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// drawer is real cases kept in memory.
type drawer struct {
	mu  sync.Mutex
	all map[ident.CaseID]cases.State
}

func (d *drawer) do(id ident.CaseID, ev cases.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, _, err := cases.Decide(d.all[id], t0, ev)
	if err == nil {
		d.all[id] = cases.Apply(d.all[id], e)
	}
	return err
}

func (d *drawer) Held(context.Context) (list []shift.Held, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, s := range d.all {
		list = append(list, shift.Held{Case: id, Owner: s.Owner, Handing: s.Handing})
	}
	return list, nil
}

func (d *drawer) HandOver(_ context.Context, id ident.CaseID, owner, to ident.StaffID) error {
	return d.do(id, cases.HandOver{By: owner, To: to})
}

func (d *drawer) Answer(_ context.Context, id ident.CaseID, by ident.StaffID, accept bool) error {
	return d.do(id, cases.AnswerHandOver{By: by, Accept: accept})
}

func (d *drawer) owner(id ident.CaseID) ident.StaffID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all[id].Owner
}

func open(t *testing.T) (*Desk, *drawer, *store.DB) {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := &drawer{all: map[ident.CaseID]cases.State{}}
	d := New(db, c)
	d.now = func() time.Time { return t0 }
	return d, c, db
}

func want(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("%v, want %q", err, code)
	}
}

func (d *Desk) write(t *testing.T, id shift.ID, staff ident.StaffID, from, to int) {
	t.Helper()
	_, err := d.Do(t.Context(), shift.Write{By: "lead", Line: shift.Line{ID: id, Staff: staff, Role: "operator", From: t0.Add(time.Duration(from) * time.Hour), To: t0.Add(time.Duration(to) * time.Hour)}})
	want(t, err, "")
}

// TestAShiftHandsItsCasesOverOneByOne is the change of a shift, and a restart within it.
func TestAShiftHandsItsCasesOverOneByOne(t *testing.T) {
	d, c, db := open(t)
	ctx := t.Context()
	for _, id := range []ident.CaseID{"one", "two"} {
		want(t, c.do(id, cases.Open{ID: id, Number: "26-1", Lane: cases.ReportLane, Recording: cases.Recording{ID: "r", Kind: "report"}}), "")
		want(t, c.do(id, cases.Take{By: "aigul"}), "")
	}
	d.write(t, "day", "aigul", 0, 12)
	d.write(t, "night", "bolat", 12, 24)
	_, err := d.Do(ctx, shift.Come{Staff: "aigul"})
	want(t, err, "")
	hand := func(by, to ident.StaffID, manages bool, ids ...ident.CaseID) error {
		_, err := d.Give(ctx, shift.Hand{By: by, To: to, Cases: ids, Manages: func(string) bool { return manages }})
		return err
	}
	want(t, hand("aigul", "bolat", false, "one"), fault.NotReady)
	d.now = func() time.Time { return t0.Add(11*time.Hour + 40*time.Minute) }
	_, err = d.Do(ctx, shift.Come{Staff: "bolat"})
	want(t, err, "")
	want(t, hand("aigul", "bolat", false, "one", "none"), fault.NoSuchCase)
	if c.owner("one") != "aigul" {
		t.Fatal("offered is not given")
	}
	d = New(db, c) // another process
	d.now = func() time.Time { return t0.Add(12*time.Hour + time.Minute) }
	want(t, d.MayAct(ctx, "aigul", "bolat"), fault.ShiftOver)
	want(t, d.MayAct(ctx, "aigul", "aigul"), "")
	want(t, d.Answer(ctx, "bolat", "one", true), "")
	if c.owner("one") != "bolat" || c.owner("two") != "aigul" {
		t.Fatal(c.owner("one"), c.owner("two"))
	}
	s, err := d.State(ctx)
	want(t, err, "")
	held, err := d.Held(ctx)
	want(t, err, "")
	if left := s.Left(held, d.now()); len(left) != 1 || left[0].Case != "two" {
		t.Fatal(left)
	}
	want(t, hand("dana", "bolat", false, "two"), fault.CaseTaken)
	want(t, hand("dana", "bolat", true, "two"), "") // for somebody who has left
	want(t, d.Answer(ctx, "aigul", "two", true), fault.ShiftOver)
	want(t, d.Answer(ctx, "bolat", "two", false), "")
	if c.owner("two") != "aigul" {
		t.Fatal("declined, and nobody has it")
	}
}

func TestWritersAtOnceLoseNothing(t *testing.T) {
	d, _, db := open(t)
	const people = 6
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			if _, err := d.Do(t.Context(), shift.Come{Staff: ident.StaffID(fmt.Sprint("s", i))}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s, err := d.State(t.Context())
	if err != nil || len(s.On) != people || s.Version != people {
		t.Fatalf("%+v %v", s, err)
	}
	records, err := db.ListShiftRecords(t.Context(), 0, 100)
	want(t, err, "")
	var from shift.State
	for _, raw := range records {
		r, err := shift.Decode(raw)
		want(t, err, "")
		from = shift.Apply(from, r)
	}
	on := func(s shift.State) (list []ident.StaffID) {
		for id := range s.On {
			list = append(list, id)
		}
		slices.Sort(list)
		return list
	}
	if !slices.Equal(on(from), on(s)) || from.Version != s.Version {
		t.Fatalf("%+v, and from the records %+v", s, from)
	}
}

func TestAStoreOutOfReachIsSaid(t *testing.T) {
	d, _, db := open(t)
	_ = db.Close()
	_, err := d.Do(t.Context(), shift.Come{Staff: "aigul"})
	want(t, err, fault.Unavailable)
	want(t, d.MayAct(t.Context(), "aigul", ""), fault.Unavailable)
	none := New(db, nil)
	want(t, none.Answer(t.Context(), "a", "b", true), fault.NoSuchCase)
}
