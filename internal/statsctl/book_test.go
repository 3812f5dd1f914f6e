package statsctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/simtest"
	"jedel/internal/stats"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// centre is a store with a book that reads it, and a clock.
type centre struct {
	t     *testing.T
	db    *store.DB
	owner store.Owner
	now   time.Time
	zone  *time.Location
	calls []store.CallSummary
	cases []store.CaseAppend
}

func newCentre(t *testing.T, url string) *centre {
	t.Helper()
	db, err := store.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	epoch, err := db.StartNode(t.Context(), "n1", "site")
	must(t, err)
	zone, err := time.LoadLocation("Asia/Almaty")
	must(t, err)
	return &centre{t: t, db: db, owner: store.Owner{Node: "n1", Epoch: epoch}, now: time.Date(2026, 11, 24, 18, 59, 0, 0, time.UTC), zone: zone}
}

func forEachStore(t *testing.T, test func(c *centre)) {
	t.Run("SQLite", func(t *testing.T) { test(newCentre(t, "sqlite:"+filepath.Join(t.TempDir(), "jedel.db"))) })
	if testing.Short() {
		return
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		pg, err := simtest.StartPostgres(context.Background())
		must(t, err)
		t.Cleanup(func() { must(t, pg.Remove()) })
		test(newCentre(t, pg.Database(t)))
	})
}

func (c *centre) book(j Journal) *Book {
	b := New(Config{
		Journal: j, Gauge: func() stats.Gauge { return stats.Gauge{Waiting: 2} }, Zone: c.zone, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Reg: prometheus.NewRegistry(),
		Goals: stats.Goals{Within: [stats.Measures][]time.Duration{stats.Answer: {15 * time.Second}}},
	})
	b.now = func() time.Time { return c.now }
	return b
}

// look lets a book take in what there is.
func (c *centre) look(b *Book) {
	c.t.Helper()
	for n := 0; ; n++ {
		c.now = c.now.Add(lookEvery)
		before := b.seen
		for b.step(c.t.Context()); !b.whole.Load(); n++ {
			b.step(c.t.Context())
			if n > 1000 {
				c.t.Fatal("the past has no end")
			}
		}
		if b.seen.After(before) {
			return
		}
	}
}

func (c *centre) call(kind string, opened time.Time) string {
	c.t.Helper()
	id := ident.New[ident.CallID]()
	sum, _, err := c.db.CreateCall(c.t.Context(), c.owner, string(id), ident.New[ident.ClientID](), func(number string) (store.CallSummary, store.CallRecord, error) {
		return store.CallSummary{Call: id, Number: number, Ref: string(id), Kind: kind, Phase: "queued", CreatedAt: opened, Version: 1},
			store.CallRecord{Version: 1, At: opened, Kind: "created", Body: []byte(`{}`)}, nil
	})
	must(c.t, err)
	c.calls = append(c.calls, sum)
	return string(id)
}

func (c *centre) change(i int, fn func(*store.CallSummary)) {
	c.t.Helper()
	s := c.calls[i]
	fn(&s)
	s.Version++
	must(c.t, c.db.AppendCall(c.t.Context(), c.owner, s.Version-1, store.CallRecord{Version: s.Version, At: c.now, Kind: "step", Body: []byte(`{}`)}, s))
	c.calls[i] = s
}

func (c *centre) open(id, lane string, opened time.Time) {
	c.t.Helper()
	c.cases = append(c.cases, store.CaseAppend{Recording: ident.CallID(id), Row: store.CaseSummary{
		Case: ident.CaseID(id), Number: "26-" + id, Lane: lane, Kind: "noise", Unit: "north", CaseTimes: store.CaseTimes{OpenedAt: opened},
	}})
	c.decide(len(c.cases)-1, func(*store.CaseAppend) {})
}

func (c *centre) decide(i int, fn func(*store.CaseAppend)) {
	c.t.Helper()
	a := c.cases[i]
	fn(&a)
	a.Row.Version++
	a.Row.ChangedAt = c.now
	a.Record = store.CaseRecord{Version: a.Row.Version, At: c.now, Kind: "k", Body: []byte(`{}`)}
	must(c.t, c.db.AppendCases(c.t.Context(), a))
	a.Recording = ""
	c.cases[i] = a
}

// anything does one of the things that happen in a centre.
func (c *centre) anything(r *rand.Rand) {
	opened := c.now.Add(-time.Duration(r.Int64N(int64(6 * 24 * time.Hour))))
	switch n := r.IntN(8); {
	case n == 0 || len(c.calls) == 0:
		c.call("voice", c.now)
	case n == 1 || len(c.cases) == 0:
		id := c.call("report", opened)
		c.open(id, "report", opened)
	case n == 2: // a case of a call that has none yet, or one more call of a case
		for _, s := range c.calls {
			if _, err := c.db.CaseOf(c.t.Context(), s.Call); !errors.Is(err, store.ErrNotFound) {
				continue
			}
			if r.IntN(2) == 0 {
				c.open(string(s.Call), "call", s.CreatedAt)
			} else {
				c.decide(r.IntN(len(c.cases)), func(a *store.CaseAppend) { a.Recording = s.Call })
			}
			return
		}
	case n < 6:
		c.change(r.IntN(len(c.calls)), func(s *store.CallSummary) {
			switch r.IntN(4) {
			case 0:
				s.AnsweredAt = s.CreatedAt.Add(time.Duration(r.IntN(30)) * time.Second)
			case 1:
				s.EndedAt, s.Phase = s.CreatedAt.Add(time.Minute), "ended"
			case 2:
				s.Callback = "pending"
			case 3:
				s.Callback, s.Category = "done", "theft"
			}
		})
	default:
		c.decide(r.IntN(len(c.cases)), func(a *store.CaseAppend) {
			row := &a.Row
			switch r.IntN(4) {
			case 0:
				row.Kind, row.Unit = fmt.Sprint("kind", r.IntN(3)), "south"
			case 1:
				row.SentAt, row.ArrivedAt = row.OpenedAt.Add(time.Minute), row.OpenedAt.Add(8*time.Minute)
			case 2:
				row.ClosedAt, row.Outcome, row.RepliedAt = c.now, "patrol", c.now
			case 3:
				row.Into = "another"
			}
		})
	}
}

func (c *centre) everything(b *Book) (out []stats.Result) {
	c.t.Helper()
	today := b.Today()
	for _, by := range stats.Dimensions() {
		r, err := b.Ask(c.t.Context(), stats.Query{First: today - 20, Last: today + 1, By: by})
		must(c.t, err)
		out = append(out, r)
	}
	return out
}

// TestWhatChangesIsWhatAFreshReadingFinds lets anything happen while a book looks now and then, and
// compares it with a book that reads the store anew.
func TestWhatChangesIsWhatAFreshReadingFinds(t *testing.T) {
	forEachStore(t, func(c *centre) {
		r := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			c.anything(r)
		}
		b := c.book(c.db)
		for round := range 40 {
			for range r.IntN(8) {
				c.anything(r)
			}
			c.look(b)
			if round%8 != 7 {
				continue
			}
			fresh := c.book(c.db)
			c.look(fresh)
			got, want := c.everything(b), c.everything(fresh)
			if !reflect.DeepEqual(got, want) {
				for i := range want {
					if !reflect.DeepEqual(got[i], want[i]) {
						c.t.Fatalf("round %d, by %s:\n%+v\nwant\n%+v", round, stats.Dimensions()[i], got[i], want[i])
					}
				}
			}
			if n := want[0].Total.N; n < 15 || want[0].Total.Answered == 0 || want[0].Total.Closed == 0 {
				c.t.Fatalf("too little happened: %+v", want[0].Total)
			}
		}
	})
}

// TestTheWallBeginsAnewAtMidnight follows the site's clock over midnight.
func TestTheWallBeginsAnewAtMidnight(t *testing.T) {
	forEachStore(t, func(c *centre) {
		c.now = time.Date(2026, 11, 24, 18, 59, 50, 0, time.UTC) // 23:59:50 in Petropavl
		c.call("voice", c.now.Add(-time.Hour))
		c.change(0, func(s *store.CallSummary) {
			s.AnsweredAt, s.EndedAt, s.Phase = s.CreatedAt.Add(16*time.Second), s.CreatedAt.Add(time.Minute), "ended"
		})
		c.call("voice", c.now.Add(-7*24*time.Hour-time.Minute)) // a week ago, by this time
		c.call("voice", c.now.Add(-7*24*time.Hour+time.Minute)) // later
		id := c.call("report", c.now.Add(-30*time.Hour))
		c.open(id, "report", c.now.Add(-30*time.Hour))
		b := c.book(c.db)
		if _, err := b.Wall(); fault.CodeOf(err) != fault.Unavailable {
			c.t.Fatal(err)
		}
		c.look(b)
		c.look(b) // once more when the past is read
		w, err := b.Wall()
		must(c.t, err)
		if w.Today.N != 1 || w.Today.Times[stats.Answer].N != 1 || w.Today.Times[stats.Answer].Within[0] != 0 || w.WeekAgo.N != 1 || w.Now.Waiting != 2 || w.Day.String() != "2026-11-24" ||
			w.Standing.Open != 3 || w.Standing.Unanswered != 1 || w.HasEarlier {
			c.t.Fatalf("%+v", w)
		}
		c.now = c.now.Add(12 * time.Second)
		c.call("voice", c.now)
		c.look(b)
		if w, err = b.Wall(); err != nil || w.Today.N != 1 || w.Today.Answered != 0 || w.Day.String() != "2026-11-25" {
			c.t.Fatalf("%+v %v", w, err)
		}
		for range samples + 1 {
			c.now = c.now.Add(sampleEvery)
			c.look(b)
		}
		if w, err = b.Wall(); err != nil || !w.HasEarlier || w.Earlier.Waiting != 2 {
			c.t.Fatalf("%+v %v", w, err)
		}
	})
}

// broken is a journal that fails now and then.
type broken struct {
	*store.DB
	fails bool
}

func (b *broken) LiveCalls(ctx context.Context) (map[string]uint64, error) {
	if b.fails {
		return nil, errors.New("no store")
	}
	return b.DB.LiveCalls(ctx)
}

// counted is a journal that counts what is read of it one by one.
type counted struct {
	*store.DB
	ids map[string]int
}

func (k *counted) ContactsOf(ctx context.Context, ids []string) ([]store.Contact, error) {
	for _, id := range ids {
		k.ids[id]++
	}
	return k.DB.ContactsOf(ctx, ids)
}

// TestAChangeIsNotReadOverAndOver lets a case change, change again at the same moment after a look, and then rest.
func TestAChangeIsNotReadOverAndOver(t *testing.T) {
	c := newCentre(t, "sqlite:"+filepath.Join(t.TempDir(), "jedel.db"))
	j := &counted{c.db, map[string]int{}}
	b := c.book(j)
	c.look(b)
	id := c.call("report", c.now)
	c.open(id, "report", c.now)
	at := c.now
	c.look(b)
	later := c.now
	c.now = at
	c.decide(0, func(a *store.CaseAppend) { a.Row.ClosedAt = at })
	c.now = later
	c.look(b)
	if got := c.everything(b)[0].Total.Closed; got != 1 {
		t.Fatalf("%d closed", got)
	}
	for range 20 {
		c.look(b)
	}
	if n := j.ids[id]; n == 0 || n > 2*enough {
		t.Fatalf("a case that rests was read %d times", n)
	}
}

// TestAStoreThatWasAwayIsCaughtUpWith lets the store fail for hours.
func TestAStoreThatWasAwayIsCaughtUpWith(t *testing.T) {
	c := newCentre(t, "sqlite:"+filepath.Join(t.TempDir(), "jedel.db"))
	c.call("voice", c.now)
	j := &broken{c.db, true}
	b := c.book(j)
	b.step(t.Context())
	if _, err := b.Ask(t.Context(), stats.Query{By: stats.ByHour}); fault.CodeOf(err) != fault.Unavailable {
		t.Fatal(err)
	}
	j.fails = false
	c.now = c.now.Add(retryAfter)
	c.look(b)
	j.fails = true
	at := b.seen
	for range 3 {
		c.now = c.now.Add(time.Hour)
		c.call("voice", c.now)
		if wait := b.step(t.Context()); wait != retryAfter {
			t.Fatal(wait)
		}
	}
	if w, err := b.Wall(); err != nil || !w.At.Equal(at) {
		t.Fatal(w.At, at, err)
	}
	j.fails = false
	c.now = c.now.Add(time.Hour)
	c.look(b)
	if got := c.everything(b)[0].Total.N; got != 4 {
		t.Fatal(got)
	}
}

func TestQuestionsAreRefusedWithAReason(t *testing.T) {
	c := newCentre(t, "sqlite:"+filepath.Join(t.TempDir(), "jedel.db"))
	b := c.book(c.db)
	c.look(b)
	if _, err := b.Ask(t.Context(), stats.Query{By: "nonsense"}); fault.CodeOf(err) != fault.BadValue {
		t.Fatal(err)
	}
	b.slot <- struct{}{} // somebody asks
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Ask(ctx, stats.Query{By: stats.ByHour}); fault.CodeOf(err) != fault.Unavailable {
		t.Fatal(err)
	}
}
