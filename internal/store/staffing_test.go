package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jedel/internal/ident"
)

// change is an edit of one account, made by name.
func change(id ident.StaffID, edit func(*StaffEdit)) func([]Staff) (StaffEdit, error) {
	return func(all []Staff) (StaffEdit, error) {
		for _, s := range all {
			if s.ID == id {
				e := StaffEdit{After: s}
				edit(&e)
				return e, nil
			}
		}
		return StaffEdit{}, ErrNotFound
	}
}

func TestAnAccountChangesWithItsLinesOrNotAtAll(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		s := Staff{ID: ident.New[ident.StaffID](), Login: "l", Roles: []string{"operator"}}
		must(t, db.PutStaff(ctx, s))
		must(t, db.PutStaff(ctx, Staff{ID: "other", Login: "o"}))
		must(t, db.PutStaffSession(ctx, "h1", s.ID, t0.Add(time.Hour)))
		must(t, db.PutStaffSession(ctx, "h2", "other", t0.Add(time.Hour)))
		before, err := db.StaffVersion(ctx)
		must(t, err)
		line := StaffChange{ID: "c1", At: t0, Who: "boss", Staff: s.ID, Field: "unit", Before: "", After: "north"}
		after, err := db.ChangeStaff(ctx, change(s.ID, func(e *StaffEdit) {
			e.After.Unit, e.After.Pending, e.After.PendingBy, e.EndSessions = "north", []string{"investigator"}, "boss", true
			e.Lines, e.Audit = []StaffChange{line}, []Audit{{ID: "a1", At: t0, Who: "boss", Action: "account unit", Object: string(s.ID)}}
		}))
		must(t, err)
		read, err := db.StaffByID(ctx, s.ID)
		must(t, err)
		if read.Unit != "north" || after.Unit != "north" || len(read.Pending) != 1 || read.PendingBy != "boss" {
			t.Fatalf("%+v", read)
		}
		if now, err := db.StaffVersion(ctx); err != nil || now <= before {
			t.Fatal(before, now, err)
		}
		if _, _, err := db.StaffSession(ctx, "h1"); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		if _, _, err := db.StaffSession(ctx, "h2"); err != nil {
			t.Fatal("another's session ended", err)
		}
		lines, err := db.ListStaffChanges(ctx, s.ID, 10)
		if err != nil || len(lines) != 1 || lines[0] != line {
			t.Fatalf("%+v %v", lines, err)
		}
		if audit, err := db.ListAudit(ctx, string(s.ID), 10); err != nil || len(audit) != 1 {
			t.Fatal(audit, err)
		}
		_, err = db.ChangeStaff(ctx, change(s.ID, func(e *StaffEdit) { e.After.Login, e.Lines = "o", []StaffChange{{ID: "c2", Staff: s.ID}} }))
		if !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
		if lines, _ = db.ListStaffChanges(ctx, "", 10); len(lines) != 1 {
			t.Fatal("half of it was kept", lines)
		}
		undo := change(s.ID, func(e *StaffEdit) { e.After.Unit, e.Undoes = "", "c1" })
		_, err = db.ChangeStaff(ctx, undo)
		must(t, err)
		if _, err = db.ChangeStaff(ctx, undo); !errors.Is(err, ErrConflict) {
			t.Fatal("undone twice", err)
		}
		if c, err := db.StaffChangeByID(ctx, "c1"); err != nil || !c.Undone {
			t.Fatal(c, err)
		}
	})
}

// TestTwoAtOnceLeaveOne lets many disable each other unless they are the last.
func TestTwoAtOnceLeaveOne(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		const people = 6
		for i := range people {
			must(t, db.PutStaff(t.Context(), Staff{ID: ident.StaffID(fmt.Sprint("s", i)), Login: fmt.Sprint("l", i)}))
		}
		last := errors.New("the last")
		var refused atomic.Int32
		var wg sync.WaitGroup
		for i := range people {
			wg.Go(func() {
				_, err := db.ChangeStaff(t.Context(), func(all []Staff) (StaffEdit, error) {
					var e StaffEdit
					open := 0
					for _, s := range all {
						if !s.Disabled {
							open++
						}
						if s.Login == fmt.Sprint("l", i) {
							e.After = s
						}
					}
					if e.After.Disabled = true; open == 1 {
						return e, last
					}
					return e, nil
				})
				switch {
				case errors.Is(err, last):
					refused.Add(1)
				case err != nil:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		all, err := db.ListStaff(t.Context())
		must(t, err)
		open := 0
		for _, s := range all {
			if !s.Disabled {
				open++
			}
		}
		if open != 1 || refused.Load() != 1 {
			t.Fatal(open, refused.Load())
		}
	})
}

func TestAnInvitationIsGoodOnce(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		must(t, db.PutStaff(ctx, Staff{ID: "s", Login: "l"}))
		must(t, db.PutStaffSession(ctx, "old", "s", t0.Add(time.Hour)))
		invite := func(hash string) {
			t.Helper()
			_, err := db.ChangeStaff(ctx, change("s", func(e *StaffEdit) { e.Invitation, e.Expires = hash, t0.Add(time.Hour) }))
			must(t, err)
		}
		invite("one")
		invite("two") // replaces it
		for hash, at := range map[string]time.Time{"one": t0, "none": t0, "two": t0.Add(time.Hour)} {
			if _, err := db.Accept(ctx, hash, "p", at); !errors.Is(err, ErrNotFound) {
				t.Error(hash, err)
			}
			if _, err := db.Invited(ctx, hash, at); !errors.Is(err, ErrNotFound) {
				t.Error(hash, err)
			}
		}
		if s, err := db.Invited(ctx, "two", t0); err != nil || s.ID != "s" {
			t.Fatal(s, err)
		}
		var good atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if s, err := db.Accept(ctx, "two", "hash", t0); err == nil && s.ID == "s" {
					good.Add(1)
				} else if !errors.Is(err, ErrNotFound) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s, err := db.StaffByID(ctx, "s")
		if err != nil || good.Load() != 1 || s.PasswordHash != "hash" {
			t.Fatal(s, good.Load(), err)
		}
		if _, _, err := db.StaffSession(ctx, "old"); !errors.Is(err, ErrNotFound) {
			t.Fatal("a session outlives the password", err)
		}
		invite("three")
		_, err = db.ChangeStaff(ctx, change("s", func(e *StaffEdit) { e.After.Disabled, e.EndSessions = true, true }))
		must(t, err)
		if _, err := db.Accept(ctx, "three", "p", t0); !errors.Is(err, ErrNotFound) {
			t.Fatal("a disabled account was opened by its link", err)
		}
	})
}

func TestAnIdentityIsOnePersons(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		must(t, db.PutStaff(ctx, Staff{ID: "a", Login: "a"}))
		must(t, db.LinkIdentity(ctx, "https://id/", "7", "a", t0))
		if err := db.LinkIdentity(ctx, "https://id/", "7", "b", t0); !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
		if s, err := db.StaffByIdentity(ctx, "https://id/", "7"); err != nil || s.ID != "a" {
			t.Fatal(s, err)
		}
		for _, who := range [][2]string{{"https://id", "7"}, {"https://id/", "8"}, {"", ""}} {
			if _, err := db.StaffByIdentity(ctx, who[0], who[1]); !errors.Is(err, ErrNotFound) {
				t.Error(who, err)
			}
		}
		if linked, err := db.LinkedStaff(ctx); err != nil || len(linked) != 1 || !linked["a"] {
			t.Fatal(linked, err)
		}
		must(t, db.UsedStaff(ctx, "a", t0))
		must(t, db.UsedStaff(ctx, "a", t0.Add(-time.Hour)))
		if s, err := db.StaffByID(ctx, "a"); err != nil || !s.UsedAt.Equal(t0) {
			t.Fatal(s, err)
		}
	})
}

func TestShiftsAreWrittenByOneAtATime(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		if state, v, err := db.ShiftState(ctx); err != nil || v != 0 || state != nil {
			t.Fatal(string(state), v, err)
		}
		var good atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				err := db.AppendShift(ctx, 1, t0, fmt.Appendf(nil, `{"r":%d}`, i), fmt.Appendf(nil, `{"s":%d}`, i))
				if err == nil {
					good.Add(1)
				} else if !errors.Is(err, ErrConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if good.Load() != 1 {
			t.Fatal(good.Load())
		}
		must(t, db.AppendShift(ctx, 2, t0, []byte(`{"r":"two"}`), []byte(`{"s":"two"}`)))
		for _, v := range []uint64{1, 2, 4} { // written, written, not next
			if err := db.AppendShift(ctx, v, t0, []byte(`{}`), []byte(`{}`)); !errors.Is(err, ErrConflict) {
				t.Error(v, err)
			}
		}
		state, v, err := db.ShiftState(ctx)
		if err != nil || v != 2 || string(state) != `{"s":"two"}` {
			t.Fatal(string(state), v, err)
		}
		list, err := db.ListShiftRecords(ctx, 1, 10)
		if err != nil || len(list) != 1 || string(list[0]) != `{"r":"two"}` {
			t.Fatalf("%s %v", list, err)
		}
	})
}
