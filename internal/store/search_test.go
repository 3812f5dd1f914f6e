package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
)

// seed makes calls that differ in what a search looks at, the first the oldest.
func seed(t *testing.T, db *DB, sums []CallSummary) {
	t.Helper()
	owner := startNode(t, db, "n1")
	for i, s := range sums {
		s.Call, s.Client, s.Ref = ident.New[ident.CallID](), ident.New[ident.ClientID](), fmt.Sprint("ref", i)
		s.CreatedAt = t0.Add(time.Duration(i) * time.Minute)
		sum, _, err := db.CreateCall(t.Context(), owner, s.Ref, s.Client, func(number string) (CallSummary, CallRecord, error) {
			s.Number, s.Version = number, 1
			return s, CallRecord{Version: 1, At: s.CreatedAt, Kind: "k", Body: []byte("{}")}, nil
		})
		must(t, err)
		sums[i] = sum
	}
}

// refs names the calls that were found.
func refs(sums []CallSummary) string {
	var out []string
	for _, s := range sums {
		out = append(out, strings.TrimPrefix(s.Ref, "ref"))
	}
	return strings.Join(out, " ")
}

func TestSearchFindsWhatWasAskedFor(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		sums := []CallSummary{
			{Phone: "+77011234567", Name: "Әсел Қуанышқызы", OperatorName: "Болат", Phase: "ended", Category: "fire"},
			{Phone: "+77029998877", Name: "Пётр Семёнов", OperatorName: "Дана Ө.", Phase: "queued"},
			{Phone: "+14155550100", Name: "John 100%_\\ O'Neil", Phase: "talking", Outcome: "dispatched"},
			{Name: "a\x00b\xffc"},
		}
		seed(t, db, sums)
		for i, text := range []string{"Көмек керек", "100% of_it"} {
			if _, _, err := db.PutItem(t.Context(), Item{Call: sums[i].Call, Kind: "chat", ID: "1", Body: fmt.Appendf(nil, `{"from":"caller","text":%q}`, text)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			name string
			q    CallQuery
			want string
		}{
			{"all, the newest first", CallQuery{}, "3 2 1 0"},
			{"from", CallQuery{From: t0.Add(2 * time.Minute)}, "3 2"},
			{"to is not included", CallQuery{To: t0.Add(time.Minute)}, "0"},
			{"number", CallQuery{Number: "000002"}, "1"},
			{"Kazakh name in the other case", CallQuery{Name: "ӘСЕЛ қУАН"}, "0"},
			{"ё is е", CallQuery{Name: "петр семенов"}, "1"},
			{"and е is ё", CallQuery{Name: "ПЁТР"}, "1"},
			{"operator", CallQuery{Operator: "дана ө"}, "1"},
			{"phone as people write it", CallQuery{Phone: "8 (701) 123-45-67"}, "0"},
			{"end of a phone", CallQuery{Phone: "88-77"}, "1"},
			{"phone that is none", CallQuery{Phone: "abc"}, ""},
			{"phase", CallQuery{Phase: "talking"}, "2"},
			{"percent is a letter", CallQuery{Name: "%"}, "2"},
			{"underscore is a letter", CallQuery{Name: "%_"}, "2"},
			{"backslash is a letter", CallQuery{Name: `_\`}, "2"},
			{"quote is a letter", CallQuery{Name: "o'neil"}, "2"},
			{"text in chat", CallQuery{Text: "КӨМЕК"}, "0"},
			{"text in chat, literally", CallQuery{Text: "100% of_"}, "1"},
			{"not in what surrounds the text", CallQuery{Text: "from"}, ""},
			{"text in the category", CallQuery{Text: "fire"}, "0"},
			{"text in the outcome", CallQuery{Text: "DISPATCHED"}, "2"},
			{"hostile text", CallQuery{Text: "\x00\xff'; DROP TABLE calls; --?"}, ""},
			{"both must match", CallQuery{Name: "әсел", Phase: "queued"}, ""},
		} {
			got, next, err := db.SearchCalls(t.Context(), c.q)
			if err != nil || refs(got) != c.want || next != "" {
				t.Errorf("%s: %q %q %v, want %q", c.name, refs(got), next, err, c.want)
			}
		}
	})
}

func TestSearchFollowsWhatAppendsChange(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		c := newCall(t, db, owner)
		rec, sum := next(c, 1)
		sum.OperatorName, sum.Name = "Гүлнар", "Ержан"
		must(t, db.AppendCall(t.Context(), owner, 1, rec, sum))
		for _, q := range []CallQuery{{Operator: "гүлнар"}, {Name: "ержан"}, {Text: "ЕРЖАН"}} {
			if got, _, err := db.SearchCalls(t.Context(), q); err != nil || len(got) != 1 {
				t.Errorf("%+v: %d, %v", q, len(got), err)
			}
		}
	})
}

func TestPagesOfASearchMeet(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		sums := make([]CallSummary, 7)
		seed(t, db, sums)
		seen, cursor := "", ""
		for page := 0; ; page++ {
			got, next, err := db.SearchCalls(t.Context(), CallQuery{Limit: 3, Cursor: cursor})
			must(t, err)
			seen += refs(got) + "|"
			if cursor = next; cursor == "" {
				break
			}
			if page == 0 { // a call that comes meanwhile moves nothing
				_, _, err := db.CreateCall(t.Context(), startNode(t, db, "n2"), "new", "c", first("newest", "c", "new", t0.Add(time.Hour)))
				must(t, err)
			}
		}
		if seen != "6 5 4|3 2 1|0|" {
			t.Fatal(seen)
		}
		for _, bad := range []string{"x", "AAAA", "MSAy", strings.Repeat("A", 1000)} {
			if _, _, err := db.SearchCalls(t.Context(), CallQuery{Cursor: bad}); !errors.Is(err, ErrCursor) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if got, _, err := db.SearchCalls(t.Context(), CallQuery{Limit: 1 << 40}); err != nil || len(got) != 8 {
			t.Errorf("huge limit: %d %v", len(got), err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("MSAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA")
	f.Fuzz(func(t *testing.T, s string) {
		_, id, err := cursor(s)
		if err == nil && len(id) != ident.Len || err != nil && !errors.Is(err, ErrCursor) {
			t.Fatalf("%q gave %q, %v", s, id, err)
		}
	})
}

func TestFiguresCountTheSpanAsked(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		if st, err := db.CallStats(t.Context(), t0, t0.Add(time.Hour), time.Second); err != nil || st != (CallStats{}) {
			t.Errorf("empty: %+v %v", st, err)
		}
		sums := []CallSummary{
			{AnsweredAt: t0.Add(15 * time.Second), EndReason: "operator", Caller: "p"},          // created at t0: in time
			{AnsweredAt: t0.Add(time.Minute + 16*time.Second), EndReason: "dropped"},            // one second late
			{EndReason: "abandoned", Caller: "p"}, {AnsweredAt: t0.Add(time.Hour), Caller: "q"}, // the last is outside
		}
		seed(t, db, sums)
		st, err := db.CallStats(t.Context(), t0, t0.Add(3*time.Minute), 15*time.Second)
		if want := (CallStats{3, 2, 1, 2}); err != nil || st != want {
			t.Errorf("%+v %v, want %+v", st, err, want)
		}
		n, last, err := db.CallsOfCaller(t.Context(), "p", sums[0].Call)
		if err != nil || n != 1 || !last.Equal(sums[2].CreatedAt) {
			t.Errorf("%d %s %v", n, last, err)
		}
		if n, last, err := db.CallsOfCaller(t.Context(), "nobody", ""); err != nil || n != 0 || !last.IsZero() {
			t.Errorf("%d %s %v", n, last, err)
		}
	})
}

func TestCallsAreFoundByPlaceAndCategory(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		sums := []CallSummary{{Category: "theft"}, {Category: "order"}, {Category: "theft"}, {}}
		seed(t, db, sums)
		for i, at := range []string{`{"lat":54.8753,"lon":69.1628,"source":"device"}`, `{"lat":54.95,"lon":69.1628,"source":"pin"}`, `{"lat":54.8753,"lon":69.1628,"source":"text","text":"x"}`, `{"text":"nowhere"}`} {
			if _, _, err := db.PutItem(ctx, Item{Call: sums[i].Call, Kind: "position", ID: "p", At: t0, Body: []byte(at)}); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			q    CallQuery
			want int
		}{
			"here":          {CallQuery{Near: &Near{54.875, 69.163, 500}}, 1},
			"a little off":  {CallQuery{Near: &Near{54.875, 69.175, 500}}, 0},
			"wide":          {CallQuery{Near: &Near{54.9, 69.16, 10_000}}, 2},
			"a category":    {CallQuery{Category: "theft"}, 2},
			"both":          {CallQuery{Category: "theft", Near: &Near{54.9, 69.16, 10_000}}, 1},
			"half of a key": {CallQuery{Category: "the"}, 0},
			"near the pole": {CallQuery{Near: &Near{90, 0, 1000}}, 0},
		} {
			if got, _, err := db.SearchCalls(ctx, c.q); err != nil || len(got) != c.want {
				t.Errorf("%s: %d, want %d, %v", name, len(got), c.want, err)
			}
		}
	})
}
