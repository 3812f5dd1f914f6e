package signaling

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/simtest"
	"jedel/internal/stats"
)

// almanac is a table of contacts behind the interface.
type almanac struct {
	table  *stats.Table
	zone   stats.Zone
	today  stats.Day
	edges  stats.Goals
	limits stats.Limits
}

func newAlmanac(t testing.TB) *almanac {
	t.Helper()
	loc, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		t.Fatal(err)
	}
	today, err := stats.ParseDay("2026-11-24")
	if err != nil {
		t.Fatal(err)
	}
	a := &almanac{table: stats.New(), zone: stats.NewZone(loc), today: today}
	a.edges.Within[stats.Answer] = []time.Duration{5 * time.Second, 15 * time.Second, 20 * time.Second, time.Minute}
	a.edges.Within[stats.Handling] = []time.Duration{3 * time.Minute, 4 * time.Minute}
	return a
}

// Ask implements Statistics.
func (a *almanac) Ask(_ context.Context, q stats.Query) (stats.Result, error) {
	q.Goals = a.edges
	return a.table.Ask(a.zone, q), nil
}

// Site implements Statistics.
func (a *almanac) Site() StatsSite {
	oldest, _, ok := a.table.Span(a.zone)
	if !ok {
		oldest = a.today
	}
	return StatsSite{a.zone, a.today, oldest, a.edges, []StatsTarget{{"answer", 15000, 0.9}}, func(_ stats.Dimension, key string) Words { return Words{key, key, key} }}
}

// Wall implements Statistics.
func (a *almanac) Wall(context.Context) (Wall, error) {
	return Wall{Tiles: []WallTile{}, Seats: []WallSeat{}}, nil
}

// Limits implements Statistics.
func (a *almanac) Limits() stats.Limits { return a.limits }

// SetLimit implements Statistics.
func (a *almanac) SetLimit(_ context.Context, _ Who, rev int, c stats.Change) (stats.Limits, error) {
	next, err := a.limits.Change(rev, c)
	if err != nil {
		return next, fault.New(fault.BadValue, "limits", err)
	}
	a.limits = next
	return next, nil
}

// contact is a call of an hour of 24 November, local time, answered after so many seconds; below 0: not.
func contactOf(id, kind string, hour int, answer time.Duration) stats.Contact {
	c := stats.Contact{ID: id, Opened: time.Date(2026, 11, 24, hour-5, 10, 0, 0, time.UTC), Kind: kind, Unit: "north"}
	for m := range c.Times {
		c.Times[m] = stats.None
	}
	if answer >= 0 {
		c.Times[stats.Answer], c.Times[stats.Handling] = answer, 200*time.Second
	} else {
		c.Abandoned, c.Owed = true, true
	}
	return c
}

func (e *edge) stat(who http.Header, query string) (StatsAnswer, int) {
	e.t.Helper()
	code, raw := e.ask("GET", "/api/v1/stats?"+query, who, nil)
	var a StatsAnswer
	if code == http.StatusOK {
		if err := json.Unmarshal([]byte(raw), &a); err != nil {
			e.t.Fatal(raw, err)
		}
	}
	return a, code
}

// TestStatisticsCountWhatHappened asks by hour and against the targets, in the site's clocks.
func TestStatisticsCountWhatHappened(t *testing.T) {
	a := newAlmanac(t)
	for i, c := range []stats.Contact{
		contactOf("a", "noise", 9, 4*time.Second), contactOf("b", "noise", 9, 15*time.Second), contactOf("c", "theft", 21, 16*time.Second), contactOf("d", "theft", 21, -1),
	} {
		if i == 3 {
			c.CalledBack = true
		}
		a.table.Put(c)
	}
	e := serve(t, func(s *Server) { s.stats = a })
	lead := e.signIn("supervisor")
	got, code := e.stat(lead, "by=hour")
	if code != 200 || got.First != "2026-11-24" || got.Zone != "Asia/Almaty" || len(got.Rows) != 24 || len(got.Offsets) != 1 || got.Offsets[0].UTCMin != 300 {
		t.Fatalf("%d %+v", code, got)
	}
	if nine, none := got.Rows[9], got.Rows[3]; nine.Contacts != 2 || nine.Key != "09" || nine.Answer.Within[1] != 2 || none.Contacts != 0 || none.Answer.N != 0 {
		t.Errorf("%+v %+v", nine, none)
	}
	f := got.Total
	if f.Contacts != 4 || f.Answered != 3 || f.Abandoned != 1 || f.CalledBack != 1 || fmt.Sprint(f.Answer.Within) != "[1 2 3 3]" || fmt.Sprint(f.Handling.Within) != "[0 3]" || f.Answer.P50Ms != 15000 {
		t.Errorf("%+v", f)
	}
	if got, _ := e.stat(lead, "by=kind&hour=21&kind=theft&kind=noise"); got.Total.Contacts != 2 || len(got.Rows) != 1 || got.Rows[0].Name.RU != "theft" {
		t.Errorf("%+v", got)
	}
	if got, _ := e.stat(lead, "first=2026-11-25&last=2026-11-25&by=hour"); got.Total.Contacts != 0 || len(got.Rows) != 24 {
		t.Error("an empty day shows its hours:", got)
	}
	for _, bad := range []string{"by=name", "first=2026-11-25", "last=x", "lane=other", "lane=call&lane=x", "hour=24", "hour=x", "weekday=0", "kinds=noise", "first=1969-01-01", "first=1990-01-01", strings.Repeat("kind=a&", 101)} {
		if _, code := e.stat(lead, bad); code != http.StatusBadRequest && code != http.StatusConflict {
			t.Error(bad, code)
		}
	}
	for _, who := range []http.Header{e.signIn("operator"), e.signIn("investigator"), {}} {
		if _, code := e.stat(who, ""); code != http.StatusForbidden && code != http.StatusUnauthorized {
			t.Error(code)
		}
	}
}

// TestStatisticsCarryNoFormula lets kinds and units begin as spreadsheet programs like to calculate.
func TestStatisticsCarryNoFormula(t *testing.T) {
	a := newAlmanac(t)
	begins := []string{"=", "+", "-", "@", "\t", "\r", "\t=", "\ufeff=", `";=`, "＝"}
	for i, begin := range begins {
		c := contactOf(fmt.Sprint(i), begin+`HYPERLINK("http://x";"y")`, 9, time.Second)
		c.Unit = begin + "1+1"
		a.table.Put(c)
	}
	e := serve(t, func(s *Server) { s.stats = a })
	lead := e.signIn("supervisor")
	for _, by := range []string{"kind", "district"} {
		code, raw := e.ask("GET", "/api/v1/stats.csv?lang=ru&by="+by, lead, nil)
		body, marked := strings.CutPrefix(raw, "\ufeff")
		r := csv.NewReader(strings.NewReader(body))
		r.Comma = ';'
		lines, err := r.ReadAll()
		if code != 200 || !marked || err != nil || len(lines) != len(begins)+2 {
			t.Fatal(code, marked, err, len(lines))
		}
		total := 0
		for n, line := range lines {
			for i, cell := range line {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") || strings.ContainsAny(cell, "\t\r\n") {
					t.Errorf("line %d, %s: %q", n, lines[0][i], cell)
				}
			}
			if n > 1 {
				total += len(line[6])
			}
		}
		if lines[1][4] != "total" || lines[1][5] != "Всего" || lines[1][6] != fmt.Sprint(len(begins)) || total != len(begins) {
			t.Error(lines[1])
		}
	}
	if code, _ := e.ask("GET", "/api/v1/stats.csv?lang=de", lead, nil); code != http.StatusBadRequest {
		t.Error(code)
	}
}

// TestLimitsAreSetWithTheirHistory changes a limit of the wallboard by the API.
func TestLimitsAreSetWithTheirHistory(t *testing.T) {
	e := serve(t, func(s *Server) { s.stats = newAlmanac(t) })
	lead := e.signIn("supervisor")
	set := func(who http.Header, body string, want int, holds string) {
		t.Helper()
		if code, raw := e.ask("PUT", "/api/v1/wall/limits", who, strings.NewReader(body)); code != want || !strings.Contains(raw, holds) {
			t.Error(body, code, raw)
		}
	}
	set(lead, `{"rev":0,"key":"queue","warn":4,"bad":9}`, 200, `"by":"supervisor","key":"queue","warnBefore":3,"badBefore":6,"warn":4,"bad":9`)
	set(lead, `{"rev":1,"key":"queue","warn":9,"bad":4}`, 400, "bad_value")
	set(lead, `{"rev":1,"key":"=x","warn":1,"bad":4}`, 400, "bad_value")
	set(e.signIn("operator"), `{"rev":1,"key":"queue","warn":1,"bad":4}`, 403, "forbidden")
	if code, raw := e.ask("GET", "/api/v1/wall/limits", lead, nil); code != 200 || !strings.Contains(raw, `"rev":1`) {
		t.Error(code, raw)
	}
}

// FuzzStatsQuery holds that a question is refused or one that Ask can answer.
func FuzzStatsQuery(f *testing.F) {
	for _, q := range []string{"", "by=hour&first=2026-01-01&last=2026-12-31", "weekday=7&weekday=1&hour=23", "lane=call", "first=2026-11-24&first=x", "%00=1", "hour=-1"} {
		f.Add(q)
	}
	a := newAlmanac(f)
	a.table.Put(contactOf("a", "noise", 9, time.Second))
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := statsQuery(v, a.today)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.BadValue && code != fault.TooMany {
				t.Fatal(code)
			}
			return
		}
		if got := a.table.Ask(a.zone, q); got.Total.N > 1 {
			t.Fatal(got)
		}
	})
}

// BenchmarkSevenYearsOfACity asks by HTTP for all that there is, by every dimension, as JSON and as the
// longest table. It fails where an answer costs more than a second of a processor.
func BenchmarkSevenYearsOfACity(b *testing.B) {
	a := newAlmanac(b)
	a.edges = config.Default().Stats.Edges()
	simtest.City(simtest.SevenYears, a.table.Put)
	first, last, _ := a.table.Span(a.zone)
	e := serve(b, func(s *Server) { s.stats = a })
	lead := e.signIn("supervisor")
	all := fmt.Sprintf(`"contacts":%d`, simtest.SevenYears)
	ask := func(b *testing.B, route string, by stats.Dimension) {
		size, begin := 0, spent(b)
		for b.Loop() {
			code, raw := e.ask("GET", fmt.Sprintf("/api/v1/%s?first=%s&last=%s&by=%s", route, first, last, by), lead, nil)
			if size = len(raw); code != 200 || route == "stats" && !strings.Contains(raw, all) {
				b.Fatal(code, size)
			}
		}
		each := (spent(b) - begin) / time.Duration(b.N)
		b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/answer")
		b.ReportMetric(float64(each.Milliseconds()), "cpu-ms/answer")
		b.ReportMetric(float64(size)/1000, "KB")
		if each > time.Second {
			b.Errorf("%s by %s takes %v of a processor", route, by, each)
		}
	}
	for _, by := range stats.Dimensions() {
		b.Run("by="+string(by), func(b *testing.B) { ask(b, "stats", by) })
	}
	b.Run("csv/by=day", func(b *testing.B) { ask(b, "stats.csv", stats.ByDay) })
}

// spent is what this process has used of processors.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
