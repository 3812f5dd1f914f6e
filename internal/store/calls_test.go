package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
)

func TestCallComesBackAsItWasKept(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		c := newCall(t, db, owner)
		if want := fmt.Sprintf("%02d-000001", time.Now().UTC().Year()%100); c.Number != want {
			t.Fatalf("number %q, want %q", c.Number, want)
		}
		rec, sum := next(c, 1)
		sum.Phone, sum.Name, sum.Phase, sum.Priority, sum.Operator, sum.OperatorName = "+77011234567", "Әсел", "ended", 3, "op", "Болат"
		sum.AnsweredAt, sum.EndedAt, sum.EndReason, sum.Category, sum.Outcome, sum.Callback = t0.Add(time.Second), t0.Add(time.Minute), "dropped", "fire", "sent", "pending"
		must(t, db.AppendCall(t.Context(), owner, 1, rec, sum))
		got, records, err := db.LoadCall(t.Context(), c.Call)
		must(t, err)
		if got != sum {
			t.Errorf("summary\n%+v, want\n%+v", got, sum)
		}
		if len(records) != 2 || string(records[0].Body) != `{"n":1}` || string(records[1].Body) != `{"n":2}` ||
			!records[1].At.Equal(rec.At) || records[1].Kind != "step" || records[1].Version != 2 {
			t.Errorf("records %+v", records)
		}
		if _, _, err := db.LoadCall(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
			t.Errorf("unknown call: %v", err)
		}
	})
}

func TestSameTapMakesOneCall(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		const taps = 20
		client := ident.New[ident.ClientID]()
		var mu sync.Mutex
		seen, fresh := map[ident.CallID]int{}, 0
		var wg sync.WaitGroup
		for range taps {
			wg.Go(func() {
				sum, existed, err := db.CreateCall(t.Context(), owner, "r", client, first(ident.New[ident.CallID](), client, "r", t0))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				seen[sum.Call]++
				if !existed {
					fresh++
				}
			})
		}
		wg.Wait()
		if len(seen) != 1 || fresh != 1 {
			t.Fatalf("%d calls, %d fresh", len(seen), fresh)
		}
		// Another ref of the same client is another call, and no number was lost on the way.
		other, existed, err := db.CreateCall(t.Context(), owner, "r2", client, first(ident.New[ident.CallID](), client, "r2", t0))
		if err != nil || existed || other.Number[3:] != "000002" {
			t.Fatal(other.Number, existed, err)
		}
	})
}

func TestNumbersCountWithoutGapWhenManyTap(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		const n = 40
		var mu sync.Mutex
		var numbers []string
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				client := ident.New[ident.ClientID]()
				sum, _, err := db.CreateCall(t.Context(), owner, "r", client, first(ident.New[ident.CallID](), client, "r", t0))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				numbers = append(numbers, sum.Number)
			})
		}
		wg.Wait()
		slices.Sort(numbers)
		for i, number := range numbers {
			if number[3:] != fmt.Sprintf("%06d", i+1) {
				t.Fatalf("%v", numbers)
			}
		}
	})
}

func TestNumbersBeginAnewWithTheLocalYear(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		zone := time.FixedZone("Astana", 5*3600)
		newYear := time.Date(2027, 1, 1, 0, 0, 0, 0, zone) // still 2026 in Greenwich
		for _, step := range []struct {
			now  time.Time
			want string
		}{{newYear.Add(-time.Second), "26-000001"}, {newYear, "27-000001"}, {newYear.Add(time.Second), "27-000002"}, {newYear.Add(-time.Hour), "26-000002"}} {
			db.calls.now = func() time.Time { return step.now }
			if c := newCall(t, db, owner); c.Number != step.want {
				t.Errorf("at %s: %s, want %s", step.now, c.Number, step.want)
			}
		}
	})
}

func TestRefusedBuildLeavesNothing(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		no := errors.New("no")
		_, _, err := db.CreateCall(t.Context(), owner, "r", "c", func(string) (CallSummary, CallRecord, error) { return CallSummary{}, CallRecord{}, no })
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		if c := newCall(t, db, owner); c.Number[3:] != "000001" {
			t.Fatalf("the refused call used a number: %s", c.Number)
		}
	})
}

func TestOneOfManyAppendsWins(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		c := newCall(t, db, owner)
		for version := uint64(1); version <= 5; version++ {
			var mu sync.Mutex
			won, lost := 0, 0
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					rec, sum := next(c, version)
					err := db.AppendCall(t.Context(), owner, version, rec, sum)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						won++
					case errors.Is(err, ErrConflict):
						lost++
					default:
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if won != 1 || lost != 7 {
				t.Fatalf("version %d: %d won, %d lost", version, won, lost)
			}
		}
		if _, records, err := db.LoadCall(t.Context(), c.Call); err != nil || len(records) != 6 {
			t.Fatal(len(records), err)
		}
	})
}

func TestWrongAppendsChangeNothing(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		c := newCall(t, db, owner)
		try := func(name string, owner Owner, expected, version uint64, id ident.CallID, want error) {
			rec, sum := next(c, version-1)
			sum.Call, sum.Phase = id, "ended"
			err := db.AppendCall(t.Context(), owner, expected, rec, sum)
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		try("ahead", owner, 2, 3, c.Call, ErrConflict)
		try("behind", owner, 0, 1, c.Call, ErrConflict)
		try("gap", owner, 1, 3, c.Call, nil)
		try("other node", Owner{"n2", 1}, 1, 2, c.Call, ErrFenced)
		try("other epoch", Owner{"n1", 9}, 1, 2, c.Call, ErrFenced)
		try("no such call", owner, 1, 2, "none", ErrNotFound)
		got, records, err := db.LoadCall(t.Context(), c.Call)
		if err != nil || got != c || len(records) != 1 {
			t.Fatalf("%+v %d %v", got, len(records), err)
		}
	})
}

func TestEarlierLifeOfANodeIsFenced(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		old := startNode(t, db, "n1")
		c := newCall(t, db, old)
		now := startNode(t, db, "n1")
		if now.Epoch != old.Epoch+1 {
			t.Fatalf("epoch %d after %d", now.Epoch, old.Epoch)
		}
		rec, sum := next(c, 1)
		// Fenced at once, before the call is adopted: it may neither write nor take nor make calls.
		if err := db.AppendCall(t.Context(), old, 1, rec, sum); !errors.Is(err, ErrFenced) {
			t.Errorf("append: %v", err)
		}
		if err := db.AdoptCall(t.Context(), c.Call, old); !errors.Is(err, ErrFenced) {
			t.Errorf("adopt: %v", err)
		}
		if _, _, err := db.CreateCall(t.Context(), old, "r", "c", first("x", "c", "r", t0)); !errors.Is(err, ErrFenced) {
			t.Errorf("create: %v", err)
		}
		if err := db.AppendCall(t.Context(), now, 1, rec, sum); !errors.Is(err, ErrFenced) {
			t.Errorf("append before the call was adopted: %v", err)
		}
		must(t, db.AdoptCall(t.Context(), c.Call, now))
		must(t, db.AppendCall(t.Context(), now, 1, rec, sum))
		// Another node takes over; the first is refused, and takes it back.
		other := startNode(t, db, "n2")
		must(t, db.AdoptCall(t.Context(), c.Call, other))
		rec, sum = next(c, 2)
		if err := db.AppendCall(t.Context(), now, 2, rec, sum); !errors.Is(err, ErrFenced) {
			t.Errorf("append after the take-over: %v", err)
		}
		must(t, db.AppendCall(t.Context(), other, 2, rec, sum))
		if err := db.AdoptCall(t.Context(), "none", now); !errors.Is(err, ErrNotFound) {
			t.Errorf("adopt an unknown call: %v", err)
		}
		if err := db.AdoptCall(t.Context(), c.Call, Owner{"unknown", 1}); !errors.Is(err, ErrFenced) {
			t.Errorf("unknown node: %v", err)
		}
	})
}

// Appends and take-overs race; whoever loses the call must not have written after the winner.
func TestTakeOverWhileAppending(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		a, b := startNode(t, db, "a"), startNode(t, db, "b")
		c := newCall(t, db, a)
		var wg sync.WaitGroup
		var kept uint64 // the version that a was told of last
		wg.Go(func() {
			for v := uint64(1); ; v++ {
				rec, sum := next(c, v)
				switch err := db.AppendCall(t.Context(), a, v, rec, sum); {
				case err == nil:
					kept = v + 1
				case errors.Is(err, ErrFenced):
					return
				default:
					t.Error(err)
					return
				}
			}
		})
		for {
			sum, _, err := db.LoadCall(t.Context(), c.Call)
			must(t, err)
			if sum.Version > 3 {
				break
			}
		}
		must(t, db.AdoptCall(t.Context(), c.Call, b))
		sum, records, err := db.LoadCall(t.Context(), c.Call)
		must(t, err)
		wg.Wait()
		if kept != sum.Version || len(records) != int(kept) {
			t.Fatalf("a was told of version %d, b found %d with %d records", kept, sum.Version, len(records))
		}
		rec, s := next(c, sum.Version)
		must(t, db.AppendCall(t.Context(), b, sum.Version, rec, s))
	})
}

func TestOpenCallsAreThoseSomebodyWaitsFor(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		var want []ident.CallID
		for _, c := range []struct {
			phase, callback string
			age             time.Duration
			open            bool
		}{{"queued", "", 3, true}, {"ended", "", 4, false}, {"wrapup", "", 2, true}, {"ended", "pending", 1, true}, {"ended", "done", 0, false}} {
			id, client := ident.New[ident.CallID](), ident.New[ident.ClientID]()
			_, _, err := db.CreateCall(t.Context(), owner, "r", client, func(number string) (CallSummary, CallRecord, error) {
				return CallSummary{Call: id, Number: number, Ref: "r", Client: client, Phase: c.phase, Callback: c.callback, CreatedAt: t0.Add(-c.age * time.Hour)},
					CallRecord{Version: 1, At: t0, Kind: "k", Body: []byte("{}")}, nil
			})
			must(t, err)
			if c.open {
				want = append(want, id)
			}
		}
		sums, err := db.OpenCalls(t.Context())
		must(t, err)
		var got []ident.CallID
		for _, s := range sums {
			got = append(got, s.Call)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// A panic of a caller's code reaches that caller and nobody else.
func TestPanicIsTheCallersOwn(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _, err := db.CreateCall(t.Context(), owner, "r", "c", func(string) (CallSummary, CallRecord, error) { panic("broken") })
			t.Errorf("returned %v", err)
		}()
		if c := newCall(t, db, owner); c.Number[3:] != "000001" {
			t.Fatalf("the broken call left a number: %s", c.Number)
		}
	})
}

func TestEndedContextIsRefused(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		c := newCall(t, db, owner)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		rec, sum := next(c, 1)
		if err := db.AppendCall(ctx, owner, 1, rec, sum); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		must(t, db.AppendCall(t.Context(), owner, 1, rec, sum))
	})
}

// A start must not read the calls of years. PostgreSQL plans by figures that a small table has not.
func TestOpenCallsAreFoundByTheirIndex(t *testing.T) {
	db := open(t, newSQLite(t))
	plan, err := many(t.Context(), db.conn, func(s scanner) (detail string, err error) {
		var skip any
		err = s.Scan(&skip, &skip, &skip, &detail)
		return detail, err
	}, `EXPLAIN QUERY PLAN SELECT `+callColumns+openCalls)
	if err != nil || len(plan) != 1 || !strings.Contains(plan[0], "USING INDEX calls_open") {
		t.Fatalf("%q %v", plan, err)
	}
}
