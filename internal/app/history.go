package app

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"jedel/internal/casectl"
	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling"
)

// histories implements signaling.Histories.
type histories struct {
	desk     caseDesk
	evidence *evidence
}

// Course implements signaling.Histories.
func (h histories) Course(ctx context.Context, who signaling.Who, id ident.CaseID) ([]signaling.CourseStep, error) {
	a := h.desk.a
	if _, err := a.readable(ctx, who, id); err != nil {
		return nil, err
	}
	steps, err := a.cases.Course(ctx, id)
	if err != nil {
		return nil, err
	}
	out := []signaling.CourseStep{}
	for _, s := range steps {
		line := signaling.CourseStep{
			AtMs: millis(s.At), Fact: s.Fact, By: a.people.name(s.By), Whom: a.people.name(s.Whom), What: s.What, Text: s.Text, SaidMs: millis(s.Claim), Status: string(s.Status),
		}
		if s.Other != "" {
			if refs := h.desk.refs(ctx, []ident.CaseID{s.Other}); len(refs) == 1 {
				line.Other = &refs[0]
			}
		}
		out = append(out, line)
	}
	return out, nil
}

// Recorded implements signaling.Histories.
func (h histories) Recorded(ctx context.Context, who signaling.Who, id ident.CaseID) (signaling.CaseEvidence, error) {
	s, err := h.desk.a.readable(ctx, who, id)
	if err != nil {
		return signaling.CaseEvidence{}, err
	}
	out := signaling.CaseEvidence{Case: h.desk.row(casectl.Summary(s)), Recordings: []signaling.RecordingLine{}}
	list := slices.Clone(s.Recordings)
	slices.SortStableFunc(list, func(x, y cases.Recording) int { return cmp.Compare(millis(x.At), millis(y.At)) })
	for _, r := range list {
		sum, _, err := h.desk.a.db.LoadCall(ctx, r.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return out, fault.New(fault.Unavailable, "evidence.case", err)
		}
		out.Recordings = append(out.Recordings, signaling.RecordingLine{CallRow: h.evidence.row(sum), Merged: r.From != ""})
	}
	return out, nil
}

// caseRef names the case that a recording belongs to now; nil where there is none.
func (h histories) caseRef(ctx context.Context, rec ident.CallID) *signaling.CaseRef {
	id, err := h.desk.a.db.CaseOf(ctx, rec)
	if err != nil {
		return nil
	}
	if refs := h.desk.refs(ctx, []ident.CaseID{id}); len(refs) == 1 {
		return &refs[0]
	}
	return nil
}
