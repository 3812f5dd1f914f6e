package signaling

import (
	"context"
	"net/http"

	"jedel/internal/access"
	"jedel/internal/ident"
)

// Histories tells how a case came to be what it is.
type Histories interface {
	// Course returns every decision about a case, in order.
	Course(ctx context.Context, who Who, id ident.CaseID) ([]CourseStep, error)
	// Recorded returns a case and all that was recorded of it, the oldest first.
	Recorded(ctx context.Context, who Who, id ident.CaseID) (CaseEvidence, error)
}

// CourseStep is one decision about a case. What is a word of a closed set or a code of the configuration.
type CourseStep struct {
	AtMs   int64    `json:"atMs"`
	Fact   string   `json:"fact"` // began, owned, handing, classified, added, withdrawn, recorded, told, sent, late, said, shut, unshut, settled, opened, merged, absorbed, parted, released, linked, followed
	By     string   `json:"by"`   // name; empty: the citizen, or time that passed
	Whom   string   `json:"whom"` // name of a patrol, or of the colleague concerned
	What   string   `json:"what"`
	Text   string   `json:"text"`
	Other  *CaseRef `json:"other,omitempty"`
	SaidMs int64    `json:"saidMs"` // by the phone's own clock, where it had no network; 0: at once
	Status string   `json:"status"` // of the case after it
}

// CaseEvidence is a case with its recordings.
type CaseEvidence struct {
	Case       CaseRow         `json:"case"`
	Recordings []RecordingLine `json:"recordings"`
}

// RecordingLine is one recording of a case. Merged: it came with a case that was merged into this one.
type RecordingLine struct {
	CallRow
	Merged bool `json:"merged"`
}

// historyTable is every route about what happened in a case.
func (s *Server) historyTable() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/cases/{case}/course":   s.withStaff(access.ReadCases, s.caseCourse),
		"GET /api/v1/evidence/cases/{case}": s.withStaff(access.Search, s.caseEvidence),
	}
}

func (s *Server) caseCourse(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := pathCase(r)
	if err != nil {
		return err
	}
	steps, err := s.histories.Course(r.Context(), who, id)
	if err == nil {
		s.answer(w, http.StatusOK, map[string]any{"course": steps})
	}
	return err
}

// caseEvidence keeps who looks before anything is shown.
func (s *Server) caseEvidence(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := pathCase(r)
	if err == nil {
		err = s.probes.Audit(r.Context(), who, "case", string(id), "")
	}
	if err != nil {
		return err
	}
	e, err := s.histories.Recorded(r.Context(), who, id)
	if err == nil {
		s.answer(w, http.StatusOK, e)
	}
	return err
}
