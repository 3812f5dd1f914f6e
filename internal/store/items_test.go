package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
)

func TestItemsOfACallAreNumberedOnce(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		c := newCall(t, db, startNode(t, db, "n1"))
		const n, repeats = 15, 3
		var mu sync.Mutex
		seqs, fresh := map[string]map[uint64]bool{}, 0
		var wg sync.WaitGroup
		for range repeats { // each item is sent three times, all at once
			for i := range n {
				wg.Go(func() {
					id := fmt.Sprint(i)
					seq, existed, err := db.PutItem(t.Context(), Item{Call: c.Call, Kind: "chat", ID: id, At: t0, Body: []byte(`{}`)})
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					if seqs[id] == nil {
						seqs[id] = map[uint64]bool{}
					}
					seqs[id][seq] = true
					if !existed {
						fresh++
					}
				})
			}
		}
		wg.Wait()
		list, err := db.Items(t.Context(), c.Call, 0)
		must(t, err)
		if len(list) != n || fresh != n {
			t.Fatalf("%d items, %d fresh", len(list), fresh)
		}
		for i, it := range list {
			if it.Seq != uint64(i)+1 || len(seqs[it.ID]) != 1 || !seqs[it.ID][it.Seq] {
				t.Errorf("item %s has seq %d at %d, told %v", it.ID, it.Seq, i, seqs[it.ID])
			}
		}
	})
}

func TestItemsAreReadByPlaceAndKind(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		a, b := ident.New[ident.CallID](), ident.New[ident.CallID]()
		for i, it := range []Item{
			{a, "chat", "1", 0, t0, []byte(`{"text":"x"}`)}, {a, "position", "1", 0, t0.Add(time.Second), []byte(`[1]`)},
			{b, "chat", "1", 0, t0, []byte(`{}`)}, {a, "note", "1", 0, t0, []byte(`{}`)}, {a, "position", "2", 0, t0, []byte(`[2]`)},
		} {
			if _, existed, err := db.PutItem(t.Context(), it); err != nil || existed {
				t.Fatal(i, existed, err)
			}
		}
		for _, q := range []struct {
			after uint64
			kinds []string
			want  string
		}{
			{0, nil, "chat1 position2 note3 position4 "}, {2, nil, "note3 position4 "}, {0, []string{"position"}, "position2 position4 "},
			{1, []string{"chat", "note"}, "note3 "}, {9, nil, ""}, {0, []string{"none"}, ""},
		} {
			list, err := db.Items(t.Context(), a, q.after, q.kinds...)
			must(t, err)
			got := ""
			for _, it := range list {
				got += fmt.Sprint(it.Kind, it.Seq, " ")
			}
			if got != q.want {
				t.Errorf("after %d %v: %q, want %q", q.after, q.kinds, got, q.want)
			}
		}
		latest, err := db.LatestItems(t.Context(), a, "position", 1)
		if err != nil || len(latest) != 1 || latest[0].ID != "2" || string(latest[0].Body) != "[2]" || !latest[0].At.Equal(t0) {
			t.Errorf("%+v %v", latest, err)
		}
	})
}

// The same item again changes nothing: a retry must not rewrite what was said.
func TestItemIsNotRewritten(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		it := Item{Call: "c", Kind: "chat", ID: "1", At: t0, Body: []byte(`{"text":"one"}`)}
		if _, _, err := db.PutItem(t.Context(), it); err != nil {
			t.Fatal(err)
		}
		it.Body = []byte(`{"text":"two"}`)
		if seq, existed, err := db.PutItem(t.Context(), it); err != nil || !existed || seq != 1 {
			t.Fatal(seq, existed, err)
		}
		list, err := db.Items(t.Context(), "c", 0)
		if err != nil || len(list) != 1 || string(list[0].Body) != `{"text":"one"}` {
			t.Fatal(list, err)
		}
	})
}
