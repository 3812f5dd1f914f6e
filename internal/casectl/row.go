package casectl

import (
	"strings"

	"jedel/internal/cases"
	"jedel/internal/ident"
	"jedel/internal/store"
)

// stored is how a decision is kept: its record, the row it leads to, and what moves with it.
func stored(before, s cases.State, e cases.Entry) (store.CaseAppend, error) {
	body, err := cases.Encode(e.Fact)
	if err != nil {
		return store.CaseAppend{}, err
	}
	a := store.CaseAppend{
		Record: store.CaseRecord{Version: s.Version, At: e.At, Kind: e.Fact.Kind(), Body: body}, Row: Summary(s), Find: words(s),
	}
	a.Row.ChangedAt = e.At
	for _, u := range cases.Units(before, s) {
		a.Units = append(a.Units, store.UnitChange{Staff: u.Patrol, State: u.State})
	}
	switch f := e.Fact.(type) {
	case cases.Began:
		a.Recording = f.Recording.ID
	case cases.Recorded:
		a.Recording = f.Recording.ID
	}
	return a, nil
}

// Summary projects s for lists, searches and statistics.
func Summary(s cases.State) store.CaseSummary {
	at := s.Moments()
	row := store.CaseSummary{
		Case: s.ID, Number: s.Number, Version: s.Version, Lane: string(s.Lane), Kind: s.Kind, Priority: s.Priority, Unit: s.Unit,
		Status: string(s.Status), Owner: s.Owner, Handing: s.Handing, Caller: s.Citizen.Caller, Phone: s.Citizen.Phone,
		Outcome: s.Closing.Outcome, Into: s.Into,
		CaseTimes: store.CaseTimes{
			OpenedAt: s.Opened, Since: s.Since, SentAt: at.Sent, ArrivedAt: at.Arrived, ClosedAt: at.Closed, RepliedAt: at.Replied, DueAt: s.Deadline(),
		},
	}
	if p, ok := s.Where(); ok && p.HasFix {
		row.Place = &store.Spot{Lat: p.Lat, Lon: p.Lon}
	}
	return row
}

// words is any text by which a search finds the case.
func words(s cases.State) string {
	list := []string{s.Number, s.Citizen.Name, s.Citizen.Phone}
	for _, l := range s.Card {
		if l.Gone {
			continue
		}
		list = append(list, l.Name, l.Phone, l.Text)
		if l.What == cases.VehicleLine {
			list = append(list, store.Plate(l.Name))
		}
		if l.Place != nil {
			list = append(list, l.Place.Words)
			if d := l.Place.Derived; d != nil {
				list = append(list, d.KK, d.RU)
			}
		}
	}
	for _, x := range s.Sendings {
		list = append(list, x.Name)
	}
	list = append(list, s.Closing.Text)
	seen := map[string]bool{"": true}
	var out []string
	for _, w := range list {
		if !seen[w] {
			out, seen[w] = append(out, w), true
		}
	}
	return strings.Join(out, "\n")
}

// IDOf returns the name of the case that begins with a recording.
func IDOf(rec ident.CallID) ident.CaseID { return ident.CaseID(rec) }
