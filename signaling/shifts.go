package signaling

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/shift"
	"jedel/internal/store"
)

// Shifts are who is on duty when, and what they hand over.
type Shifts interface {
	// State returns how it stands now.
	State(ctx context.Context) (shift.State, error)
	// Do decides about an event and returns the state it leads to; it is durable then.
	Do(ctx context.Context, ev shift.Event) (shift.State, error)
	// Held returns the open cases that somebody owns.
	Held(ctx context.Context) ([]shift.Held, error)
	// Give offers cases one by one and returns those that were offered.
	Give(ctx context.Context, h shift.Hand) ([]ident.CaseID, error)
	// Answer takes a case that was offered, or declines it.
	Answer(ctx context.Context, by ident.StaffID, id ident.CaseID, accept bool) error
}

// ShiftLine is one shift of one person.
type ShiftLine struct {
	Line   string `json:"line"`
	Staff  string `json:"staff"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Seat   string `json:"seat"`
	Unit   string `json:"unit"`
	FromMs int64  `json:"fromMs"`
	ToMs   int64  `json:"toMs"`
}

// OnDuty is somebody who is on duty now.
type OnDuty struct {
	Staff   string `json:"staff"`
	Name    string `json:"name"`
	Line    string `json:"line"` // empty: no roster is written for them
	SinceMs int64  `json:"sinceMs"`
	UntilMs int64  `json:"untilMs"` // 0: until they go
}

// HeldCase is an open case in somebody's hands.
type HeldCase struct {
	Case    string `json:"case"`
	Number  string `json:"number"`
	Unit    string `json:"unit"`
	Owner   string `json:"owner"`   // name
	Handing string `json:"handing"` // name of whom it is offered to; empty: nobody
}

// PersonName names a member of staff.
type PersonName struct {
	Staff string `json:"staff"`
	Name  string `json:"name"`
}

// Bodies of requests about shifts.
type (
	shiftLineRequest struct {
		Line   string `json:"line"` // chosen by whoever writes it: sent twice it is one
		Staff  string `json:"staff"`
		Role   string `json:"role"`
		Seat   string `json:"seat"`
		Unit   string `json:"unit"`
		FromMs int64  `json:"fromMs"`
		ToMs   int64  `json:"toMs"`
	}
	handRequest struct {
		To    string   `json:"to"` // empty: the offers are taken back
		Cases []string `json:"cases"`
	}
	answerRequest struct {
		Accept bool `json:"accept"`
	}
)

const (
	rosterTime = 62 * 24 * time.Hour // the longest stretch that is answered at once
	maxHanded  = 200                 // cases in one hand-over
)

// rota answers about shifts.
type rota struct{ *Server }

// shiftTable is every route about shifts.
func (s *Server) shiftTable() map[string]http.HandlerFunc {
	t := rota{s}
	return map[string]http.HandlerFunc{
		"GET /api/v1/shifts":                          s.withStaff(access.SeeShifts, t.roster),
		"PUT /api/v1/shifts/lines":                    s.withStaff(access.ManageShifts, t.write),
		"DELETE /api/v1/shifts/lines/{line}":          s.withStaff(access.ManageShifts, t.strike),
		"POST /api/v1/shifts/duty":                    s.withStaff(access.OwnShift, t.come),
		"DELETE /api/v1/shifts/duty":                  s.withStaff(access.OwnShift, t.leave),
		"GET /api/v1/shifts/handovers":                s.withStaff(access.OwnShift, t.handovers),
		"POST /api/v1/shifts/handovers":               s.withStaff(access.OwnShift, t.give),
		"POST /api/v1/shifts/handovers/{case}/answer": s.withStaff(access.OwnShift, t.reply),
	}
}

// momentOf reads a time in milliseconds from a query.
func momentOf(r *http.Request, name string, otherwise time.Time) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms < 0 || ms > 1<<42 {
		return otherwise, fault.Newf(fault.BadValue, "shifts", "%s", name)
	}
	return time.UnixMilli(ms), nil
}

func (t rota) roster(w http.ResponseWriter, r *http.Request, who Who) error {
	now := time.Now()
	from, err := momentOf(r, "from", now.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	to, err := momentOf(r, "to", from.Add(8*24*time.Hour))
	if err != nil {
		return err
	}
	if to.Sub(from) > rosterTime {
		return fault.New(fault.TooLarge, "shifts", nil)
	}
	s, err := t.shifts.State(r.Context())
	if err != nil {
		return err
	}
	return t.shown(w, r, who, seen{s, from, to})
}

// seen is a stretch of a roster.
type seen struct {
	shift.State
	from, to time.Time
}

// shown answers a stretch of the roster and who is on duty, as far as who may see them.
func (t rota) shown(w http.ResponseWriter, r *http.Request, who Who, s seen) error {
	names, err := t.names(r)
	if err != nil {
		return err
	}
	lines, on := []ShiftLine{}, []OnDuty{}
	for _, l := range s.Roster(s.from, s.to) {
		if who.inUnit(access.SeeShifts, l.Unit) == nil {
			lines = append(lines, ShiftLine{string(l.ID), string(l.Staff), names[l.Staff], l.Role, l.Seat, l.Unit, l.From.UnixMilli(), l.To.UnixMilli()})
		}
	}
	now := time.Now()
	for id, d := range s.On {
		if !s.OnDuty(id, now) || who.inUnit(access.SeeShifts, s.Lines[d.Line].Unit) != nil {
			continue
		}
		o := OnDuty{Staff: string(id), Name: names[id], Line: string(d.Line), SinceMs: d.Since.UnixMilli()}
		if !d.Until.IsZero() {
			o.UntilMs = d.Until.UnixMilli()
		}
		on = append(on, o)
	}
	slices.SortFunc(on, func(a, b OnDuty) int { return int(a.SinceMs - b.SinceMs) })
	zone := t.cfg.zone()
	_, ahead := now.In(zone).Zone()
	t.answer(w, http.StatusOK, map[string]any{
		"nowMs": now.UnixMilli(), "zone": zone.String(), "utcMin": ahead / 60, "lines": lines, "on": on, "duty": s.OnDuty(who.Staff, now),
	})
	return nil
}

func (t rota) names(r *http.Request) (map[ident.StaffID]string, error) {
	all, _, err := t.directory.List(r.Context())
	return namesOf(all), err
}

// write enters a line of the roster, or changes one. Units are checked before and after.
func (t rota) write(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "shifts.write"
	b, err := body[shiftLineRequest](r, op)
	if err != nil {
		return err
	}
	if err := who.inUnit(access.ManageShifts, b.Unit); err != nil {
		return err
	}
	if err := t.ofOurUnit(r, who, shift.ID(b.Line)); err != nil {
		return err
	}
	all, _, err := t.directory.List(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(s store.Staff) bool { return string(s.ID) == b.Staff && !s.Disabled })
	switch {
	case i < 0:
		return fault.New(fault.NoSuchAccount, op, nil)
	case !slices.Contains(all[i].Roles, b.Role):
		return fault.Newf(fault.BadValue, op, "they do not have the role")
	}
	ev := shift.Write{By: who.Staff, Line: shift.Line{
		ID: shift.ID(b.Line), Staff: ident.StaffID(b.Staff), Role: b.Role, Seat: b.Seat, Unit: b.Unit, From: time.UnixMilli(b.FromMs), To: time.UnixMilli(b.ToMs),
	}}
	return t.done(w, r, who, ev)
}

// ofOurUnit refuses to touch a line of another unit.
func (t rota) ofOurUnit(r *http.Request, who Who, id shift.ID) error {
	s, err := t.shifts.State(r.Context())
	if err != nil {
		return err
	}
	if l, ok := s.Lines[id]; ok {
		return who.inUnit(access.ManageShifts, l.Unit)
	}
	return nil
}

func (t rota) strike(w http.ResponseWriter, r *http.Request, who Who) error {
	id := shift.ID(r.PathValue("line"))
	if err := t.ofOurUnit(r, who, id); err != nil {
		return err
	}
	return t.done(w, r, who, shift.Strike{By: who.Staff, ID: id})
}

func (t rota) come(w http.ResponseWriter, r *http.Request, who Who) error {
	return t.done(w, r, who, shift.Come{Staff: who.Staff})
}

func (t rota) leave(w http.ResponseWriter, r *http.Request, who Who) error {
	return t.done(w, r, who, shift.Go{Staff: who.Staff})
}

// done carries out an event and answers how it stands. The record is the line of the audit.
func (t rota) done(w http.ResponseWriter, r *http.Request, who Who, ev shift.Event) error {
	s, err := t.shifts.Do(r.Context(), ev)
	if err != nil {
		return err
	}
	now := time.Now()
	return t.shown(w, r, who, seen{s, now.Add(-24 * time.Hour), now.Add(7 * 24 * time.Hour)})
}

// handovers tells what is in one's hands, what is offered to one, and what those have who left.
func (t rota) handovers(w http.ResponseWriter, r *http.Request, who Who) error {
	s, err := t.shifts.State(r.Context())
	if err != nil {
		return err
	}
	held, err := t.shifts.Held(r.Context())
	if err != nil {
		return err
	}
	names, err := t.names(r)
	if err != nil {
		return err
	}
	shown := func(list []shift.Held, keep func(shift.Held) bool) []HeldCase {
		out := []HeldCase{}
		for _, h := range list {
			if keep(h) {
				out = append(out, HeldCase{string(h.Case), h.Number, h.Unit, names[h.Owner], names[h.Handing]})
			}
		}
		return out
	}
	now := time.Now()
	next := []PersonName{}
	for _, id := range s.Successors(who.Staff, now) {
		next = append(next, PersonName{string(id), names[id]})
	}
	t.answer(w, http.StatusOK, map[string]any{
		"mine": shown(held, func(h shift.Held) bool { return h.Owner == who.Staff }), "offered": shown(held, func(h shift.Held) bool { return h.Handing == who.Staff }),
		"left":       shown(s.Left(held, now), func(h shift.Held) bool { return who.inUnit(access.ManageShifts, h.Unit) == nil }),
		"successors": next,
	})
	return nil
}

func (t rota) give(w http.ResponseWriter, r *http.Request, who Who) error {
	b, err := body[handRequest](r, "shifts.give")
	if err != nil {
		return err
	}
	if len(b.Cases) > maxHanded {
		return fault.New(fault.TooMany, "shifts.give", nil)
	}
	h := shift.Hand{By: who.Staff, To: ident.StaffID(b.To), Manages: func(unit string) bool { return who.inUnit(access.ManageShifts, unit) == nil }}
	for _, id := range b.Cases {
		h.Cases = append(h.Cases, ident.CaseID(id))
	}
	if _, err := t.shifts.Give(r.Context(), h); err != nil {
		return err
	}
	return t.handovers(w, r, who)
}

func (t rota) reply(w http.ResponseWriter, r *http.Request, who Who) error {
	b, err := body[answerRequest](r, "shifts.answer")
	if err != nil {
		return err
	}
	if err := t.shifts.Answer(r.Context(), who.Staff, ident.CaseID(r.PathValue("case")), b.Accept); err != nil {
		return err
	}
	return t.handovers(w, r, who)
}
