package app

import (
	"context"
	"strings"

	"jedel/internal/access"
	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/store"
	"jedel/signaling"
)

// Cases implements signaling.Cases.
func (d caseDesk) Cases(ctx context.Context, who signaling.Who, q store.CaseQuery) ([]signaling.CaseItem, string, error) {
	switch {
	case taskOnly(who):
		q.At = who.Staff
	case access.Reach(who.Roles, access.ReadCases) == access.Own:
		q.Within = who.Unit // empty: the whole site
	}
	list, next, err := d.a.db.SearchCases(ctx, q)
	if err != nil {
		if fault.CodeOf(err) == fault.Internal {
			err = fault.New(fault.BadValue, "cases", err)
		}
		return nil, "", err
	}
	items := []signaling.CaseItem{}
	briefs := make([]cases.Brief, len(list))
	for i, c := range list {
		briefs[i] = brief(c)
	}
	for i, c := range list {
		item, err := d.item(ctx, c, q.Text)
		if err != nil {
			return nil, "", err
		}
		if c.Into == "" && c.ClosedAt.IsZero() { // what is done needs no folding
			for _, m := range cases.Similar(briefs[i], briefs) {
				item.Alike = append(item.Alike, string(m.ID))
			}
		}
		items = append(items, item)
	}
	return items, next, nil
}

// taskOnly reports whether somebody sees no case but the one they are sent to.
func taskOnly(who signaling.Who) bool {
	return access.May(who.Roles, access.PatrolDuty) && !access.May(who.Roles, access.EditCases)
}

// maxGlimpse bounds what a list shows of a text, in letters.
const maxGlimpse = 140

// item is a case in a list.
func (d caseDesk) item(ctx context.Context, c store.CaseSummary, text string) (signaling.CaseItem, error) {
	item := signaling.CaseItem{CaseRow: d.row(c), Patrols: []string{}, Why: []signaling.CaseWhy{}, Alike: []string{}}
	s, err := d.a.cases.State(ctx, c.Case)
	if err != nil {
		return item, err
	}
	item.Name = s.Citizen.Name
	if p, ok := s.Where(); ok {
		item.Place = glimpse(p.Words)
	}
	for _, l := range s.Card {
		switch {
		case l.Gone || l.From != "":
		case l.What == cases.VehicleLine && item.Plate == "":
			item.Plate = l.Name
		case l.What == cases.NoteLine && item.Text == "":
			item.Text = glimpse(l.Text)
		case l.What == cases.PlaceLine && item.Place == "":
			item.Place = glimpse(l.Place.Words)
		}
	}
	for _, x := range s.Active() {
		item.Patrols = append(item.Patrols, x.Name)
		item.Late = item.Late || x.Late
	}
	item.Files, err = d.files(ctx, s.Recordings)
	if text != "" {
		item.Why = why(s, text)
	}
	return item, err
}

// files counts what came with a case.
func (d caseDesk) files(ctx context.Context, list []cases.Recording) (n int, err error) {
	for _, r := range list {
		files, err := d.a.db.ReportFiles(ctx, r.ID)
		if err != nil {
			return n, fault.New(fault.Unavailable, "cases", err)
		}
		n += len(files)
	}
	return n, nil
}

// glimpse is how a text begins, on one line.
func glimpse(text string) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > maxGlimpse {
		return string(r[:maxGlimpse-1]) + "…"
	}
	return string(r)
}

// maxWhy bounds the reasons that are given for one case.
const maxWhy = 3

// why is where a search found its words.
func why(s cases.State, text string) []signaling.CaseWhy {
	out := []signaling.CaseWhy{}
	seen := map[string]bool{}
	add := func(what, value string) {
		if value != "" && !seen[value] && len(out) < maxWhy && store.Finds(value, text) {
			seen[value] = true
			out = append(out, signaling.CaseWhy{What: what, Text: glimpse(value)})
		}
	}
	add("number", s.Number)
	add("phone", s.Citizen.Phone)
	add("name", s.Citizen.Name)
	for _, l := range s.Card {
		if l.Gone {
			continue
		}
		name := "name"
		if l.What == cases.VehicleLine {
			name = "plate"
		}
		add(name, l.Name)
		add("phone", l.Phone)
		add("note", l.Text)
		if l.Place != nil {
			add("place", l.Place.Words)
		}
	}
	for _, x := range s.Sendings {
		add("patrol", x.Name)
	}
	add("reply", s.Closing.Text)
	return out
}
