package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
)

// caseRow returns a case as its version-th record leaves it.
func caseRow(id ident.CaseID, number string, version uint64) CaseAppend {
	at := t0.Add(time.Duration(version) * time.Minute)
	return CaseAppend{
		Record: CaseRecord{Version: version, At: at, Kind: "k", Body: fmt.Appendf(nil, `{"n":%d}`, version)},
		Row: CaseSummary{
			Case: id, Number: number, Version: version, Lane: "report", Kind: "noise", Priority: 2, Unit: "u", Status: "registered", Owner: "op", Handing: "",
			Caller: "c", Phone: "+77010000000", Place: &Spot{54.87, 69.16}, CaseTimes: CaseTimes{OpenedAt: t0, Since: at, ChangedAt: at},
		},
		Find: "Әйгүл 123ABC15 Ёлка",
	}
}

func TestACaseIsWhatWasAppended(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		id := ident.New[ident.CaseID]()
		first := caseRow(id, "26-000001", 1)
		first.Recording = ident.CallID(id)
		must(t, db.AppendCases(t.Context(), first))
		if err := db.AppendCases(t.Context(), first); !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
		second := caseRow(id, "26-000001", 2)
		second.Row.DueAt, second.Row.Status = t0.Add(time.Hour), "in_work"
		must(t, db.AppendCases(t.Context(), second))
		if err := db.AppendCases(t.Context(), caseRow(id, "26-000001", 4)); !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
		list, err := db.LoadCase(t.Context(), id)
		if err != nil || len(list) != 2 || string(list[1].Body) != `{"n":2}` || !list[1].At.Equal(t0.Add(2*time.Minute)) {
			t.Fatal(list, err)
		}
		if got, err := db.CaseOf(t.Context(), ident.CallID(id)); err != nil || got != id {
			t.Fatal(got, err)
		}
		if _, err := db.LoadCase(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		for name, q := range map[string]CaseQuery{
			"all": {}, "open": {Open: true}, "status": {Statuses: []string{"closed", "in_work"}}, "text": {Text: "әЙГҮЛ"}, "plate": {Text: "123abc"}, "folded": {Text: "елка"},
			"near": {Near: &Near{Lat: 54.8701, Lon: 69.16, Metres: 100}}, "owner": {Owner: "op"}, "caller": {Caller: "c"}, "phone": {Phone: "+77010000000"},
			"kind": {Kind: "noise", Lane: "report", Unit: "u"}, "time": {From: t0, To: t0.Add(time.Second)}, "changed": {Changed: t0.Add(time.Minute)},
		} {
			rows, next, err := db.SearchCases(t.Context(), q)
			if err != nil || next != "" || len(rows) != 1 || *rows[0].Place != *second.Row.Place {
				t.Fatalf("%s: %+v %q %v", name, rows, next, err)
			}
			got, want := rows[0], second.Row
			got.Place, want.Place = nil, nil
			if got != want {
				t.Fatalf("%s: %+v, want %+v", name, got, want)
			}
		}
		for name, q := range map[string]CaseQuery{
			"status": {Statuses: []string{"closed"}}, "text": {Text: "%"}, "near": {Near: &Near{Lat: 54.9, Lon: 69.16, Metres: 100}}, "owner": {Owner: "op2"}, "lane": {Lane: "call"},
			"time": {To: t0}, "changed": {Changed: t0.Add(2 * time.Minute)},
		} {
			if rows, _, err := db.SearchCases(t.Context(), q); err != nil || len(rows) != 0 {
				t.Fatalf("%s: %+v %v", name, rows, err)
			}
		}
		if due, err := db.ListDue(t.Context(), t0.Add(time.Hour), 10); err != nil || !slices.Equal(due, []ident.CaseID{id}) {
			t.Fatal(due, err)
		}
		if due, err := db.ListDue(t.Context(), t0.Add(time.Hour-time.Second), 10); err != nil || len(due) != 0 {
			t.Fatal(due, err)
		}
		if at, err := db.NextDue(t.Context()); err != nil || !at.Equal(t0.Add(time.Hour)) {
			t.Fatal(at, err)
		}
	})
}

func TestTwoCasesAreAppendedTogetherOrNotAtAll(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		a, b := ident.New[ident.CaseID](), ident.New[ident.CaseID]()
		must(t, db.AppendCases(t.Context(), caseRow(a, "26-000001", 1), caseRow(b, "26-000002", 1)))
		if err := db.AppendCases(t.Context(), caseRow(a, "26-000001", 2), caseRow(b, "26-000002", 3)); !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
		if list, err := db.LoadCase(t.Context(), a); err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		var ids []string
		for cursor := ""; ; {
			rows, next, err := db.SearchCases(t.Context(), CaseQuery{Limit: 1, Cursor: cursor})
			if err != nil || len(rows) != 1 {
				t.Fatal(rows, err)
			}
			ids = append(ids, rows[0].Number)
			if cursor = next; next == "" {
				break
			}
		}
		if slices.Sort(ids); !slices.Equal(ids, []string{"26-000001", "26-000002"}) {
			t.Fatal(ids)
		}
	})
}

// TestAPatrolIsAtOneCase holds that of many who send the same patrol one is first.
func TestAPatrolIsAtOneCase(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		p := Patrol{Staff: "p1", Name: "P-14", Unit: "u"}
		must(t, db.SetDuty(t.Context(), p, false, t0)) // one who never was on duty goes off it
		must(t, db.SetDuty(t.Context(), p, true, t0))
		must(t, db.PutFix(t.Context(), "p1", Spot{54.8, 69.1}, 12, t0.Add(time.Second)))
		must(t, db.PutFix(t.Context(), "p1", Spot{1, 1}, 12, t0))
		got, err := db.PatrolByID(t.Context(), "p1")
		if err != nil || got.State != "available" || got.Place == nil || got.Place.Lat != 54.8 || got.AccuracyM != 12 {
			t.Fatalf("%+v %v", got, err)
		}
		ids := make([]ident.CaseID, 6)
		errs := make([]error, len(ids))
		for i := range ids {
			ids[i] = ident.New[ident.CaseID]()
			must(t, db.AppendCases(t.Context(), caseRow(ids[i], fmt.Sprintf("26-00000%d", i), 1)))
		}
		var wg sync.WaitGroup
		for i, id := range ids {
			wg.Go(func() {
				next := caseRow(id, "", 2)
				next.Units = []UnitChange{{"p1", "assigned"}}
				errs[i] = db.AppendCases(t.Context(), next)
			})
		}
		wg.Wait()
		won := -1
		for i, err := range errs {
			switch {
			case err == nil && won < 0:
				won = i
			case !errors.Is(err, ErrBusy):
				t.Fatal(i, won, err)
			}
		}
		if got, err := db.PatrolByID(t.Context(), "p1"); err != nil || got.State != "assigned" || got.Case != ids[won] {
			t.Fatalf("%+v %v", got, err)
		}
		if err := db.SetDuty(t.Context(), p, false, t0); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		must(t, db.SetDuty(t.Context(), p, true, t0)) // signing in again changes nothing
		onward := func(version uint64, state string) error {
			next := caseRow(ids[won], "", version)
			next.Units = []UnitChange{{"p1", state}}
			return db.AppendCases(t.Context(), next)
		}
		must(t, onward(3, "en_route"))
		if got, err := db.ListPatrols(t.Context()); err != nil || len(got) != 1 || got[0].State != "en_route" || got[0].Case != ids[won] {
			t.Fatalf("%+v %v", got, err)
		}
		must(t, onward(4, ""))
		must(t, db.SetDuty(t.Context(), p, false, t0))
		if got, err := db.ListPatrols(t.Context()); err != nil || len(got) != 0 {
			t.Fatalf("%+v %v", got, err)
		}
		if got, err := db.PatrolByID(t.Context(), "p1"); err != nil || got.Place != nil {
			t.Fatalf("where somebody off duty is stays known: %+v %v", got, err)
		}
	})
}

func TestReportsAndRecordings(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, ident.New[ident.NodeID]())
		row := CallSummary{Call: ident.New[ident.CallID](), Ref: "r", Client: "key", Kind: "report", Phase: "ended", CreatedAt: t0}
		sum, existed, err := db.CreateRecording(t.Context(), owner, "", row)
		if err != nil || existed || sum.Number == "" {
			t.Fatal(sum, existed, err)
		}
		again := row
		again.Call = ident.New[ident.CallID]()
		if same, existed, err := db.CreateRecording(t.Context(), owner, "", again); err != nil || !existed || same.Call != row.Call {
			t.Fatal(same, existed, err)
		}
		for i, want := range []string{"/2", "/3"} {
			part := CallSummary{Call: ident.New[ident.CallID](), Ref: fmt.Sprint(i), Client: "patrol", Kind: "patrol", Phase: "ended", CreatedAt: t0}
			if got, _, err := db.CreateRecording(t.Context(), owner, sum.Number, part); err != nil || got.Number != sum.Number+want {
				t.Fatal(got, err)
			}
		}
		if list, err := db.ListUncased(t.Context(), t0, 10); err != nil || len(list) != 3 {
			t.Fatal(list, err)
		}
		if st, err := db.CallStats(t.Context(), t0, t0.Add(time.Hour), time.Second); err != nil || st.Created != 0 {
			t.Fatal(st, err)
		}
		r := Report{ID: row.Call, KeyHash: "h", MadeAt: t0, Body: []byte(`{"text":"x"}`)}
		must(t, db.AddReport(t.Context(), r))
		must(t, db.AddReport(t.Context(), Report{ID: row.Call, KeyHash: "other", MadeAt: t0, Body: []byte(`{}`)}))
		got, err := db.ReportByID(t.Context(), row.Call)
		if err != nil || got.KeyHash != "h" || string(got.Body) != `{"text":"x"}` || got.Sealed {
			t.Fatalf("%+v %v", got, err)
		}
		must(t, db.PutReportFile(t.Context(), ReportFile{row.Call, "f1", t0, []byte(`{"n":1}`)}))
		must(t, db.PutReportFile(t.Context(), ReportFile{row.Call, "f1", t0, []byte(`{"n":2}`)}))
		if files, err := db.ReportFiles(t.Context(), row.Call); err != nil || len(files) != 1 || string(files[0].Body) != `{"n":1}` {
			t.Fatal(files, err)
		}
		if list, err := db.UnsealedReports(t.Context()); err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		must(t, db.SealReport(t.Context(), row.Call))
		if list, err := db.UnsealedReports(t.Context()); err != nil || len(list) != 0 {
			t.Fatal(list, err)
		}
		if got, err := db.ReportByID(t.Context(), row.Call); err != nil || !got.Sealed {
			t.Fatal(got, err)
		}
		if list, err := db.ReportsByKey(t.Context(), "h", 10); err != nil || len(list) != 1 || list[0] != row.Call {
			t.Fatal(list, err)
		}
	})
}

// TestCasesAreFoundByWhatPeopleRemember looks for words in any order, telephones and plates as people write
// them, and pages through each order.
func TestCasesAreFoundByWhatPeopleRemember(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		put := func(number string, priority int, at time.Duration, find string) ident.CaseID {
			a := caseRow(ident.New[ident.CaseID](), number, 1)
			a.Row.Priority, a.Row.OpenedAt, a.Row.ClosedAt, a.Row.RepliedAt, a.Row.Owner, a.Row.Handing, a.Find = priority, t0.Add(at), time.Time{}, time.Time{}, "", "", find
			must(t, db.AppendCases(t.Context(), a))
			return a.Row.Case
		}
		fence := put("26-000001", 3, 0, "26-000001\nНұрлан\n+77015551212\nСломали забор у Дома быта")
		car := put("26-000002", 1, time.Minute, "26-000002\n123 АВС 15\n123ABC15\nПарковка на газоне")
		old := put("26-000003", 1, -time.Hour, "26-000003\nШум 50% скидка")
		for text, want := range map[string]ident.CaseID{
			"забор дома": fence, "НҰРЛАН": fence, "8 (701) 555-12-12": fence, "555 1212": fence, "000001": fence,
			"123 abc 15": car, "123авс15": car, "газоне парковка": car, "50% скидка": old,
		} {
			rows, _, err := db.SearchCases(t.Context(), CaseQuery{Text: text})
			if err != nil || len(rows) != 1 || rows[0].Case != want {
				t.Errorf("%q: %+v %v", text, rows, err)
			}
		}
		for _, text := range []string{"забор газон", "50_", "123 ABC 16", "8 701 555 12 13", strings.Repeat("нет ", 50)} {
			if rows, _, err := db.SearchCases(t.Context(), CaseQuery{Text: text}); err != nil || len(rows) != 0 {
				t.Errorf("%q: %+v %v", text, rows, err)
			}
		}
		for order, want := range map[CaseOrder][]ident.CaseID{
			NewestFirst: {car, fence, old}, OldestFirst: {old, fence, car}, UrgentFirst: {old, car, fence},
		} {
			var got []ident.CaseID
			for q := (CaseQuery{Order: order, Limit: 1, Unowned: true, Unheard: true}); len(got) < 4; {
				rows, next, err := db.SearchCases(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					got = append(got, r.Case)
				}
				if q.Cursor = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("order %d: %v, want %v", order, got, want)
			}
		}
		for _, bad := range []string{"x", "MSAy", "MSAyIHg"} {
			if _, _, err := db.SearchCases(t.Context(), CaseQuery{Cursor: bad}); !errors.Is(err, ErrCursor) {
				t.Error(bad, err)
			}
		}
	})
}
