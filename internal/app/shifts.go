package app

import (
	"context"
	"slices"
	"time"

	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/shift"
	"jedel/internal/store"
)

// inHand implements duty.Cases.
type inHand struct{ a *App }

// Held implements duty.Cases.
func (h inHand) Held(ctx context.Context) ([]shift.Held, error) {
	out := []shift.Held{}
	for q := (store.CaseQuery{Open: true, Limit: store.MaxPage}); ; {
		rows, next, err := h.a.db.SearchCases(ctx, q)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "shift", err)
		}
		for _, c := range rows {
			if c.Owner != "" {
				out = append(out, shift.Held{Case: c.Case, Number: c.Number, Unit: c.Unit, Owner: c.Owner, Handing: c.Handing})
			}
		}
		if q.Cursor = next; next == "" {
			return out, nil
		}
	}
}

// HandOver implements duty.Cases.
func (h inHand) HandOver(ctx context.Context, id ident.CaseID, owner, to ident.StaffID) error {
	_, err := h.a.cases.Post(ctx, id, cases.HandOver{By: owner, To: to})
	return err
}

// Answer implements duty.Cases.
func (h inHand) Answer(ctx context.Context, id ident.CaseID, by ident.StaffID, accept bool) error {
	_, err := h.a.cases.Post(ctx, id, cases.AnswerHandOver{By: by, Accept: accept})
	return err
}

// mayStill refuses what somebody does to a case after their shift. A roster that cannot be read stops
// nobody's work, and what a patrol has in hand is the task it is at.
func (a *App) mayStill(ctx context.Context, who ident.StaffID, s cases.State) error {
	if slices.ContainsFunc(s.Active(), func(x cases.Sending) bool { return x.Patrol == who }) {
		return nil
	}
	st, err := a.shifts.State(ctx)
	if err != nil {
		a.log.Warn("the roster cannot be read; work goes on", "err", err)
		return nil
	}
	return st.MayAct(who, s.Owner, time.Now())
}
