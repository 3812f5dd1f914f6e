package store

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
)

func keptRow(id ident.CallID, version uint64, stage string) Keeping {
	return Keeping{Call: id, Version: version, Stage: stage, Class: "normal", Until: t0.AddDate(3, 0, 0)}
}

func TestKeepingIsWhatWasAppended(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		c := newCall(t, db, startNode(t, db, ident.New[ident.NodeID]()))
		if list, err := db.LoadKeeping(t.Context(), c.Call); err != nil || len(list) != 0 {
			t.Fatal(list, err)
		}
		must(t, db.AppendKeeping(t.Context(), keptRow(c.Call, 1, "kept"), []byte(`{"n":1}`)))
		held := keptRow(c.Call, 2, "kept")
		held.Held = true
		must(t, db.AppendKeeping(t.Context(), held, []byte(`{"n":2}`)))
		list, err := db.LoadKeeping(t.Context(), c.Call)
		if err != nil || len(list) != 2 || string(list[0]) != `{"n":1}` || string(list[1]) != `{"n":2}` {
			t.Fatalf("%q %v", list, err)
		}
		rows, next, err := db.ListKeeping(t.Context(), KeepingQuery{Held: true})
		if err != nil || next != "" || len(rows) != 1 || rows[0].Keeping != held || rows[0].Number != c.Number || !rows[0].CreatedAt.Equal(c.CreatedAt) {
			t.Fatalf("%+v %q %v", rows, next, err)
		}
	})
}

func TestOneOfManyWritersOfAKeepingIsFirst(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		c := newCall(t, db, startNode(t, db, ident.New[ident.NodeID]()))
		must(t, db.AppendKeeping(t.Context(), keptRow(c.Call, 1, "kept"), []byte(`{}`)))
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { errs[i] = db.AppendKeeping(t.Context(), keptRow(c.Call, 2, "kept"), []byte(`{}`)) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, ErrConflict):
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d writers were first", won)
		}
		for _, version := range []uint64{2, 4} { // what is there, and what leaves a hole
			if err := db.AppendKeeping(t.Context(), keptRow(c.Call, version, "destroyed"), []byte(`{}`)); !errors.Is(err, ErrConflict) {
				t.Fatalf("version %d: %v", version, err)
			}
		}
		if list, err := db.LoadKeeping(t.Context(), c.Call); err != nil || len(list) != 2 {
			t.Fatal(len(list), err)
		}
		if err := db.AppendKeeping(t.Context(), keptRow(ident.New[ident.CallID](), 2, "kept"), []byte(`{}`)); !errors.Is(err, ErrConflict) {
			t.Fatal("a second record without a first", err)
		}
		if err := db.AppendKeeping(t.Context(), keptRow(c.Call, 0, "kept"), nil); err == nil {
			t.Fatal("a record without a version was taken")
		}
	})
}

func TestKeepingsAreListedByTheirEnd(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, ident.New[ident.NodeID]())
		var want []ident.CallID
		for i := range 7 {
			k := keptRow(newCall(t, db, owner).Call, 1, []string{"kept", "deletion_proposed"}[i%2])
			k.Until = t0.Add(time.Duration(i/3) * time.Hour)
			must(t, db.AppendKeeping(t.Context(), k, []byte(`{}`)))
			want = append(want, k.Call)
		}
		for from := 0; from < 6; from += 3 {
			slices.Sort(want[from : from+3])
		}
		var got []ident.CallID
		for cursor := ""; ; {
			page, next, err := db.ListKeeping(t.Context(), KeepingQuery{Limit: 2, Cursor: cursor})
			must(t, err)
			for _, k := range page {
				got = append(got, k.Call)
			}
			if cursor = next; next == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
		due, _, err := db.ListKeeping(t.Context(), KeepingQuery{By: t0.Add(time.Hour), Stages: []string{"kept", "destroyed"}})
		if err != nil || len(due) != 2 {
			t.Fatal(due, err)
		}
		if _, _, err := db.ListKeeping(t.Context(), KeepingQuery{Cursor: "no"}); !errors.Is(err, ErrCursor) {
			t.Fatal(err)
		}
	})
}

func TestEndedCallsWithoutAKeepingAreFound(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, ident.New[ident.NodeID]())
		open, ended, kept := newCall(t, db, owner), newCall(t, db, owner), newCall(t, db, owner)
		for _, c := range []*CallSummary{&ended, &kept} {
			c.Phase, c.Version = "ended", 2
			must(t, db.AppendCall(t.Context(), owner, 1, CallRecord{Version: 2, At: t0, Kind: "ended", Body: []byte(`{}`)}, *c))
		}
		must(t, db.AppendKeeping(t.Context(), keptRow(kept.Call, 1, "kept"), []byte(`{}`)))
		if node, err := db.CallNode(t.Context(), open.Call); err != nil || node != owner.Node {
			t.Fatal(node, err)
		}
		list, err := db.ListUnkept(t.Context(), "", 10)
		if err != nil || len(list) != 1 || list[0].Call != ended.Call {
			t.Fatal(list, err, open.Call)
		}
		if list, err = db.ListUnkept(t.Context(), ended.Call, 10); err != nil || len(list) != 0 {
			t.Fatal(list, err)
		}
	})
}

func TestAForgottenCallHasNoItems(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, ident.New[ident.NodeID]())
		c, other := newCall(t, db, owner), newCall(t, db, owner)
		for _, id := range []ident.CallID{c.Call, other.Call} {
			_, _, err := db.PutItem(t.Context(), Item{Call: id, Kind: "chat", ID: "1", At: t0, Body: []byte(`{"text":"Абай көшесі"}`)})
			must(t, err)
		}
		for range 2 {
			must(t, db.ForgetCall(t.Context(), c.Call))
		}
		for id, n := range map[ident.CallID]int{c.Call: 0, other.Call: 1} {
			if items, err := db.Items(t.Context(), id, 0); err != nil || len(items) != n {
				t.Fatal(items, err)
			}
		}
		found, _, err := db.SearchCalls(t.Context(), CallQuery{Text: "абай"})
		if err != nil || len(found) != 1 || found[0].Call != other.Call {
			t.Fatal(found, err)
		}
		if _, _, err := db.LoadCall(t.Context(), c.Call); err != nil {
			t.Fatal(err)
		}
	})
}
