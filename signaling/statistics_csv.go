package signaling

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"jedel/internal/fault"
	"jedel/internal/sheet"
)

// table answers a question as a table for spreadsheet programs: the total first, then a line for each
// group. Heads are names of the API and stay the same; groups have their words in the language asked for.
func (o figures) table(w http.ResponseWriter, r *http.Request, _ Who) error {
	lang := r.URL.Query().Get("lang")
	if lang != "" && lang != "kk" && lang != "ru" && lang != "en" {
		return fault.Newf(fault.BadValue, "stats", "lang")
	}
	a, err := o.answered(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", sheet.Mime)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", fmt.Sprintf("jedel-%s-%s-%s.csv", a.By, a.First, a.Last)))
	_, _ = io.WriteString(w, a.csv(lang))
	return nil
}

// csv writes the answer as a table.
func (a StatsAnswer) csv(lang string) string {
	var out sheet.Writer
	out.Line(a.heads()...)
	out.Line(a.line("total", Words{"Барлығы", "Всего", "Total"}.in(lang), a.Total)...)
	for _, row := range a.Rows {
		out.Line(a.line(row.Key, row.Name.in(lang), row.StatsFigures)...)
	}
	return out.String()
}

// in returns the words of a language, those of the site's first one where none is asked for.
func (w Words) in(lang string) string {
	switch lang {
	case "ru":
		return w.RU
	case "en":
		return w.EN
	}
	return w.KK
}

func (a StatsAnswer) heads() []sheet.Cell {
	names := []string{"first", "last", "zone", "by", "key", "name", "contacts", "calls", "reports", "cases", "merged", "closed", "closed_replied", "answered", "abandoned", "owed", "called_back"}
	for _, e := range a.Edges {
		for _, what := range []string{"n", "mean_ms", "p50_ms", "p90_ms", "p95_ms"} {
			names = append(names, e.Measure+"_"+what)
		}
		for _, ms := range e.Ms {
			names = append(names, fmt.Sprintf("%s_within_%s", e.Measure, time.Duration(ms)*time.Millisecond))
		}
	}
	cells := make([]sheet.Cell, len(names))
	for i, n := range names {
		cells[i] = sheet.Text(n)
	}
	return cells
}

// line writes one group. What was not measured is empty: it is not 0.
func (a StatsAnswer) line(key, name string, f StatsFigures) []sheet.Cell {
	cells := []sheet.Cell{sheet.Text(a.First), sheet.Text(a.Last), sheet.Text(a.Zone), sheet.Text(a.By), sheet.Text(key), sheet.Text(name)}
	for _, n := range []int{f.Contacts, f.Calls, f.Reports, f.Cases, f.Merged, f.Closed, f.ClosedReplied, f.Answered, f.Abandoned, f.Owed, f.CalledBack} {
		cells = append(cells, sheet.Number(n))
	}
	for i, t := range []StatsTimes{f.Answer, f.Handling, f.Dispatch, f.Arrival, f.Reply} {
		cells = append(cells, sheet.Number(t.N))
		for _, ms := range []int64{t.MeanMs, t.P50Ms, t.P90Ms, t.P95Ms} {
			if t.N == 0 {
				cells = append(cells, sheet.None())
			} else {
				cells = append(cells, sheet.Number(ms))
			}
		}
		for n := range a.Edges[i].Ms {
			cells = append(cells, sheet.Number(t.Within[n]))
		}
	}
	return cells
}
