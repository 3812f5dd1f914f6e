package signaling

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"jedel/internal/access"
	"jedel/internal/admit"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/wire"
)

// Patrols answers the page of a patrol.
type Patrols interface {
	// Patrol returns how the patrol stands and its task.
	Patrol(ctx context.Context, who Who) (PatrolView, error)
	// SetDuty takes the patrol on duty or off.
	SetDuty(ctx context.Context, who Who, on bool) (PatrolView, error)
	// PutFix notes where it is.
	PutFix(ctx context.Context, who Who, f wire.Fix) error
	// Say is its word on a task.
	Say(ctx context.Context, who Who, id ident.CaseID, w PatrolWord) (PatrolView, error)
}

// Dispatch answers the dispatcher's board.
type Dispatch interface {
	// Board returns the patrols on duty.
	Board(ctx context.Context, who Who) ([]PatrolRow, error)
	// Propose returns the free patrols for a case, the nearest first, and why others are not proposed.
	Propose(ctx context.Context, who Who, id ident.CaseID) (Proposals, error)
	// Declare registers files that a member of staff will send for a case, as a recording of its own.
	Declare(ctx context.Context, who Who, id ident.CaseID, d Declaration) (CaseRecording, error)
	// File finds a file of a recording of a case. What it returns opens the archive and writes the file, all of
	// which is checked before the first byte.
	File(ctx context.Context, who Who, id ident.CaseID, recording ident.CallID, file ident.FileID) (CaseFile, func(io.Writer) error, error)
}

// PatrolView is what a patrol sees.
type PatrolView struct {
	Name    string            `json:"name"`
	State   string            `json:"state"` // off, available, assigned, accepted, en_route, on_scene
	SinceMs int64             `json:"sinceMs"`
	Task    *CaseView         `json:"task,omitempty"`
	Live    string            `json:"live"`            // the call of the task that goes on now; empty: none
	Alarm   *wire.PatrolAlarm `json:"alarm,omitempty"` // its own call for help
}

// PatrolWord is a patrol's word on its task.
type PatrolWord struct {
	What string `json:"what"`           // accepted, declined, en_route, on_scene, cleared
	AtMs int64  `json:"atMs,omitempty"` // when it was said, by the phone's clock, where it had no network
}

// PatrolRow is a patrol on the board.
type PatrolRow = wire.PatrolRow

// Proposals are the patrols for a case.
type Proposals struct {
	Patrols []Proposal `json:"patrols"` // free and with a fresh position, the best first
	Others  []Proposal `json:"others"`  // not proposed, and why
}

// Proposal is a patrol for a case, with the reason for its place in the list.
type Proposal struct {
	PatrolRow
	Metres  float64 `json:"metres"`  // in a straight line; 0 where not known
	Seconds float64 `json:"seconds"` // by road; 0 where not known
	By      string  `json:"by"`      // road, straight, no_place; of the others: stale, nowhere, no_way, declined, busy, off
	Words   Words   `json:"words"`   // the reason
}

// Declaration is files that will follow.
type Declaration struct {
	Ref   string         `json:"ref"` // chosen by the page: sent twice it is one
	Files []DeclaredFile `json:"files"`
}

// patrolTable is every route of patrols and of those who send them.
func (s *Server) patrolTable() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/patrol":                                        s.withStaff(access.PatrolDuty, s.patrolView),
		"PUT /api/v1/patrol/duty":                                   s.withStaff(access.PatrolDuty, s.patrolDuty),
		"PUT /api/v1/patrol/fix":                                    s.withStaff(access.PatrolDuty, s.patrolFix),
		"POST /api/v1/patrol/cases/{case}/words":                    s.withStaff(access.PatrolDuty, s.patrolSay),
		"GET /api/v1/patrols":                                       s.withStaff(access.ReadCases, s.patrolBoard),
		"GET /api/v1/cases/{case}/proposals":                        s.withStaff(access.ReadCases, s.patrolPropose),
		"POST /api/v1/cases/{case}/files":                           s.withStaff(access.ReadCases, s.caseDeclare),
		"GET /api/v1/cases/{case}/files/{recording}/{file}":         s.withStaff(access.ReadCases, s.caseFile),
		"GET /api/v1/cases/{case}/files/{recording}/{file}/preview": s.withStaff(access.ReadCases, s.casePreview),
	}
}

func (s *Server) patrolView(w http.ResponseWriter, r *http.Request, who Who) error {
	v, err := s.patrols.Patrol(r.Context(), who)
	if err == nil {
		s.answer(w, http.StatusOK, v)
	}
	return err
}

type dutyRequest struct {
	On bool `json:"on"`
}

func (s *Server) patrolDuty(w http.ResponseWriter, r *http.Request, who Who) error {
	b, err := body[dutyRequest](r, "patrol.duty")
	if err != nil {
		return err
	}
	v, err := s.patrols.SetDuty(r.Context(), who, b.On)
	if err == nil {
		s.answer(w, http.StatusOK, v)
	}
	return err
}

func (s *Server) patrolFix(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "patrol.fix"
	f, err := body[wire.Fix](r, op)
	if err == nil {
		if err = checkFix(&f, time.Now()); err != nil {
			err = coded(op, err)
		}
	}
	if err == nil {
		err = s.patrols.PutFix(r.Context(), who, f)
	}
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (s *Server) patrolSay(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := pathCase(r)
	if err != nil {
		return err
	}
	b, err := body[PatrolWord](r, "patrol.say")
	if err != nil {
		return err
	}
	v, err := s.patrols.Say(r.Context(), who, id, b)
	if err == nil {
		s.answer(w, http.StatusOK, v)
	}
	return err
}

func (s *Server) patrolBoard(w http.ResponseWriter, r *http.Request, who Who) error {
	list, err := s.dispatch.Board(r.Context(), who)
	if err == nil {
		s.answer(w, http.StatusOK, map[string]any{"patrols": list})
	}
	return err
}

func (s *Server) patrolPropose(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := pathCase(r)
	if err != nil {
		return err
	}
	list, err := s.dispatch.Propose(r.Context(), who, id)
	if err == nil {
		s.answer(w, http.StatusOK, list)
	}
	return err
}

func (s *Server) caseDeclare(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "case.files"
	id, err := pathCase(r)
	if err != nil {
		return err
	}
	b, err := body[Declaration](r, op)
	if err != nil {
		return err
	}
	if err := wire.Line("ref", b.Ref, 64); err != nil || b.Ref == "" || len(b.Files) == 0 {
		return fault.New(fault.BadValue, op, err)
	}
	if err := checkFiles(b.Files, s.cfg.Limits.usual()); err != nil {
		return coded(op, err)
	}
	rec, err := s.dispatch.Declare(r.Context(), who, id, b)
	if err == nil {
		s.answer(w, http.StatusCreated, rec)
	}
	return err
}

// How often an address may send reports: a mobile network puts many people behind one.
const (
	reportEvery = time.Second
	reportBurst = 60
)

// pacer bounds how often something is done, by key.
type pacer struct {
	mu    *sync.Mutex // guards table
	table *admit.Table
}

func newPacer(every time.Duration, burst int) pacer {
	return pacer{&sync.Mutex{}, &admit.Table{Rate: admit.Rate{Every: every, Burst: burst}, Max: 10000}}
}

func (p pacer) take(key string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ok, _ := p.table.Take(key, now)
	return ok
}
