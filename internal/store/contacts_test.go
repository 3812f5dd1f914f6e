package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
)

// anyCall keeps a call of a kind, answered after 7 s and ended after a minute.
func anyCall(t testing.TB, db *DB, owner Owner, kind string, at time.Time) string {
	t.Helper()
	id := ident.New[ident.CallID]()
	sum, _, err := db.CreateCall(t.Context(), owner, string(id), ident.New[ident.ClientID](), func(number string) (CallSummary, CallRecord, error) {
		return CallSummary{Call: id, Number: number, Ref: string(id), Kind: kind, Phase: "queued", CreatedAt: at, Version: 1}, CallRecord{Version: 1, At: at, Kind: "created", Body: []byte(`{}`)}, nil
	})
	must(t, err)
	rec, sum := next(sum, 1)
	sum.AnsweredAt, sum.EndedAt, sum.Phase, sum.Callback, sum.Category = at.Add(7*time.Second), at.Add(time.Minute), "ended", "pending", "theft"
	must(t, db.AppendCall(t.Context(), owner, 1, rec, sum))
	return string(id)
}

// newCaseOf makes a case that begins with a recording.
func newCaseOf(t testing.TB, db *DB, id, lane string, opened time.Time) CaseAppend {
	t.Helper()
	a := caseRow(ident.CaseID(id), "26-"+id, 1)
	a.Row.Lane, a.Row.OpenedAt, a.Recording = lane, opened, ident.CallID(id)
	must(t, db.AppendCases(t.Context(), a))
	return a
}

func TestEveryCallAndReportIsOneContact(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		first := anyCall(t, db, owner, "voice", t0)
		again := anyCall(t, db, owner, "video", t0.Add(time.Minute))
		alone := anyCall(t, db, owner, "silent", t0.Add(2*time.Minute))
		report := anyCall(t, db, owner, "report", t0.Add(3*time.Minute))
		photo := anyCall(t, db, owner, "patrol", t0.Add(4*time.Minute))
		a := newCaseOf(t, db, first, "call", t0)
		newCaseOf(t, db, report, "report", t0.Add(3*time.Minute))
		for v, recording := range []string{again, photo} {
			a.Record.Version, a.Row.Version, a.Recording = uint64(v+2), uint64(v+2), ident.CallID(recording)
			a.Row.SentAt, a.Row.ArrivedAt, a.Row.ClosedAt, a.Row.RepliedAt = t0.Add(time.Hour), t0.Add(2*time.Hour), t0.Add(3*time.Hour), t0.Add(4*time.Hour)
			must(t, db.AppendCases(t.Context(), a))
		}
		all := func(q ContactQuery) (out []Contact) {
			t.Helper()
			for {
				q.Limit = 1
				page, err := db.Contacts(t.Context(), q)
				must(t, err)
				if len(page) == 0 {
					return out
				}
				out = append(out, page...)
				q.From, q.After = page[0].Opened, page[0].ID
			}
		}
		cases, others := all(ContactQuery{}), all(ContactQuery{Others: true})
		want := Contact{
			ID: first, Case: first, Lane: "call", Kind: "noise", Unit: "u", Opened: t0, Sent: t0.Add(time.Hour), Arrived: t0.Add(2 * time.Hour), Closed: t0.Add(3 * time.Hour),
			Replied: t0.Add(4 * time.Hour), Created: t0, Answered: t0.Add(7 * time.Second), Ended: t0.Add(time.Minute), Callback: "pending",
		}
		if len(cases) != 2 || cases[0] != want || cases[1].ID != report || cases[1].Lane != "report" {
			t.Fatalf("%+v\nwant %+v", cases, want)
		}
		if len(others) != 2 || others[0].ID != again || others[0].Case != first || others[0].Kind != "noise" || others[1].ID != alone || others[1].Case != "" ||
			others[1].Kind != "theft" || !others[1].Closed.Equal(t0.Add(3*time.Minute)) {
			t.Fatalf("%+v", others)
		}
		if got := all(ContactQuery{From: t0.Add(time.Minute), To: t0.Add(2 * time.Minute), Others: true}); len(got) != 1 {
			t.Fatal(got)
		}
		var ids []string
		got, err := db.ContactsOf(t.Context(), []string{first, alone, "none"})
		must(t, err)
		for _, c := range got {
			ids = append(ids, c.ID)
		}
		if slices.Sort(ids); len(ids) != 3 || slices.Contains(ids, report) {
			t.Fatal(ids)
		}
		if live, err := db.LiveCalls(t.Context()); err != nil || len(live) != 5 || live[first] != 2 {
			t.Fatal(live, err)
		}
	})
}

func TestChangedCasesComeInPages(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		for i := range 5 {
			newCaseOf(t, db, fmt.Sprint("same moment ", i), "report", t0)
		}
		after, n := CaseChange{At: t0.Add(time.Minute)}, 0
		for {
			page, err := db.ChangedCases(t.Context(), after, 2)
			must(t, err)
			if len(page) == 0 {
				break
			}
			n, after = n+len(page), page[len(page)-1]
		}
		if n != 5 {
			t.Fatal(n)
		}
		if page, err := db.ChangedCases(t.Context(), CaseChange{At: t0.Add(time.Minute + time.Microsecond)}, 2); err != nil || len(page) != 0 {
			t.Fatal(page, err)
		}
	})
}

func TestPatrolsOnDutyAreCounted(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		for _, id := range []ident.StaffID{"a", "b", "c"} {
			must(t, db.SetDuty(t.Context(), Patrol{Staff: id}, id != "c", t0))
		}
		a := caseRow("1", "26-1", 1)
		a.Units = []UnitChange{{"a", "assigned"}}
		must(t, db.AppendCases(t.Context(), a))
		if n, err := db.CountPatrols(t.Context()); err != nil || n != (PatrolCount{2, 1}) {
			t.Fatal(n, err)
		}
	})
}

// TestContactsAreReadByIndex holds that a page of years is not a scan of them.
func TestContactsAreReadByIndex(t *testing.T) {
	db := open(t, newSQLite(t))
	for name, c := range map[string]struct{ query, index string }{
		"cases":  {caseContacts + `k.opened_at >= 1 AND (k.opened_at > 1 OR k.id > 'x') ORDER BY k.opened_at, k.id LIMIT 2`, "cases_opened"},
		"others": {otherContacts + `c.created_at >= 1 AND (c.created_at > 1 OR c.id > 'x') ORDER BY c.created_at, c.id LIMIT 2`, "calls_created"},
		"change": {`SELECT changed_at, id FROM cases WHERE changed_at >= 1 AND (changed_at > 1 OR id > 'x') ORDER BY changed_at, id LIMIT 2`, "cases_changed"},
	} {
		rows, err := db.read.QueryContext(context.Background(), `EXPLAIN QUERY PLAN `+c.query)
		must(t, err)
		plan := ""
		for rows.Next() {
			var id, parent, x int
			var s string
			must(t, rows.Scan(&id, &parent, &x, &s))
			plan += s + "\n"
		}
		must(t, rows.Close())
		if !slices.ContainsFunc([]string{"USING INDEX " + c.index, "USING COVERING INDEX " + c.index}, func(s string) bool { return strings.Contains(plan, s) }) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s:\n%s", name, plan)
		}
	}
}
