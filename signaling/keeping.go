package signaling

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/retention"
)

// Keeping says and decides how long recordings are kept.
type Keeping interface {
	// State tells how the keeping of a call stands, as who sees it.
	State(ctx context.Context, who Who, call ident.CallID) (KeepingState, error)
	// Do carries out what somebody asks. The act, or its refusal, is in the audit before Do returns.
	Do(ctx context.Context, who Who, call ident.CallID, ev retention.Event) (KeepingState, error)
	// Refuse keeps in the audit that somebody asked for what their role does not allow.
	Refuse(ctx context.Context, call ident.CallID, ev retention.Event) error
	// Gone refuses what cannot be opened any more because its keys are destroyed.
	Gone(ctx context.Context, call ident.CallID) error
	// List returns recordings of a list, those whose keeping ends first first, and the cursor of the
	// next page.
	List(ctx context.Context, list KeepingList, cursor string) ([]KeepingRow, string, error)
}

// KeepingList names a list of recordings.
type KeepingList string

// Lists of recordings.
const (
	KeepingHeld    KeepingList = "held"    // under a hold
	KeepingPending KeepingList = "pending" // on their way to deletion
	KeepingDue     KeepingList = "due"     // kept for less than 30 days more
	KeepingGone    KeepingList = "gone"    // destroyed
)

// Words is a text in the languages of the service.
type Words struct {
	KK string `json:"kk"`
	RU string `json:"ru"`
	EN string `json:"en"`
}

// KeepingState is how the keeping of one recording stands.
type KeepingState struct {
	Call       string            `json:"call"`
	Number     string            `json:"number"`
	Stage      string            `json:"stage"` // kept, deletion_proposed, deletion_approved, destroying, destroyed
	Class      string            `json:"class"`
	ClassWords Words             `json:"classWords"`
	OpenedMs   int64             `json:"openedMs"`
	UntilMs    int64             `json:"untilMs"`
	Holds      []KeepingHold     `json:"holds"`
	Shorter    *KeepingShorter   `json:"shorter,omitempty"`  // missing: nobody has asked
	Deletion   *KeepingDeletion  `json:"deletion,omitempty"` // missing: nobody has asked
	Root       string            `json:"root"`               // of what was destroyed
	EndedMs    int64             `json:"endedMs"`            // when its keys were destroyed
	May        map[string]string `json:"may"`                // for each act that the role allows: empty, or the code that refuses it now
}

// KeepingHold is a legal hold.
type KeepingHold struct {
	ID     string `json:"id"`
	By     string `json:"by"`
	Case   string `json:"case"`
	Reason string `json:"reason"`
	AtMs   int64  `json:"atMs"`
}

// KeepingShorter is an earlier end that one person has asked for.
type KeepingShorter struct {
	By      string `json:"by"`
	UntilMs int64  `json:"untilMs"`
	Reason  string `json:"reason"`
	Class   string `json:"class"`
	Mine    bool   `json:"mine"`
}

// KeepingDeletion is a deletion on its way, or done.
type KeepingDeletion struct {
	By         string `json:"by"` // empty: the gateway's schedule
	Reason     string `json:"reason"`
	AtMs       int64  `json:"atMs"`
	FromMs     int64  `json:"fromMs"` // when a second person may approve
	Approver   string `json:"approver"`
	ApprovedMs int64  `json:"approvedMs"`
	Mine       bool   `json:"mine"`
}

// KeepingRow is a recording in a list.
type KeepingRow struct {
	Call       string `json:"call"`
	Number     string `json:"number"`
	CreatedMs  int64  `json:"createdMs"`
	Stage      string `json:"stage"`
	ClassWords Words  `json:"classWords"`
	UntilMs    int64  `json:"untilMs"`
	Held       bool   `json:"held"`
}

// Bodies of the acts.
type (
	holdRequest struct {
		ID     string `json:"id"` // chosen by who places it: sent twice it is one hold
		Case   string `json:"case"`
		Reason string `json:"reason"`
	}
	releaseRequest struct {
		ID     string `json:"id"`
		Reason string `json:"reason"`
	}
	untilRequest struct {
		UntilMs int64  `json:"untilMs"`
		Reason  string `json:"reason"`
	}
	confirmRequest struct {
		UntilMs int64 `json:"untilMs"`
	}
	becauseRequest struct {
		Reason string `json:"reason"`
	}
	nothingRequest struct{}
)

// keepingTable is every route about keeping.
func (s *Server) keepingTable() map[string]http.HandlerFunc {
	const call = "/api/v1/evidence/calls/{call}/"
	return map[string]http.HandlerFunc{
		"GET /api/v1/evidence/keeping": s.withStaff(access.SeeKeeping, s.keepingList),
		"GET " + call + "keeping":      s.withStaff(access.SeeKeeping, s.keepingState),
		"POST " + call + "holds": act(s, access.Hold, func(b holdRequest, by ident.StaffID) retention.Event {
			return retention.PlaceHold{ID: retention.HoldID(b.ID), By: by, Case: strings.TrimSpace(b.Case), Reason: strings.TrimSpace(b.Reason)}
		}),
		"POST " + call + "holds/release": act(s, access.Hold, func(b releaseRequest, by ident.StaffID) retention.Event {
			return retention.ReleaseHold{ID: retention.HoldID(b.ID), By: by, Reason: strings.TrimSpace(b.Reason)}
		}),
		"POST " + call + "keeping/extend": act(s, access.Extend, func(b untilRequest, by ident.StaffID) retention.Event {
			return retention.Extend{By: by, Until: time.UnixMilli(b.UntilMs), Reason: strings.TrimSpace(b.Reason)}
		}),
		"POST " + call + "keeping/shorten": act(s, access.Delete, func(b untilRequest, by ident.StaffID) retention.Event {
			return retention.Shorten{By: by, Until: time.UnixMilli(b.UntilMs), Reason: strings.TrimSpace(b.Reason)}
		}),
		"POST " + call + "keeping/shorten/confirm": act(s, access.Delete, func(b confirmRequest, by ident.StaffID) retention.Event {
			return retention.ConfirmShortening{By: by, Until: time.UnixMilli(b.UntilMs).UTC()}
		}),
		"POST " + call + "keeping/shorten/withdraw": act(s, access.Object, func(_ nothingRequest, by ident.StaffID) retention.Event {
			return retention.WithdrawShortening{By: by}
		}),
		"POST " + call + "deletion": act(s, access.Delete, func(b becauseRequest, by ident.StaffID) retention.Event {
			return retention.ProposeDeletion{By: by, Reason: strings.TrimSpace(b.Reason)}
		}),
		"POST " + call + "deletion/approve": act(s, access.Delete, func(_ nothingRequest, by ident.StaffID) retention.Event {
			return retention.ApproveDeletion{By: by}
		}),
		"POST " + call + "deletion/cancel": act(s, access.Object, func(b becauseRequest, by ident.StaffID) retention.Event {
			return retention.CancelDeletion{By: by, Reason: strings.TrimSpace(b.Reason)}
		}),
	}
}

// act takes one kind of act. Who is signed in but may not is in the audit too.
func act[B any](s *Server, allowed access.Action, event func(B, ident.StaffID) retention.Event) http.HandlerFunc {
	const op = "keeping"
	take := func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.staffWho(r.Context(), r)
		if err != nil {
			return err
		}
		call, err := ident.Parse[ident.CallID](r.PathValue("call"))
		if err != nil {
			return fault.New(fault.NoSuchCall, op, err)
		}
		b, err := body[B](r, op)
		if err != nil {
			return err
		}
		ev := event(b, who.Staff)
		if err := s.allowed(r, who, allowed); err != nil {
			if refused := s.evidence.keeping.Refuse(r.Context(), call, ev); refused != nil {
				return refused
			}
			return err
		}
		if err := sized(ev); err != nil {
			return err
		}
		state, err := s.evidence.keeping.Do(r.Context(), who, call, ev)
		if err != nil {
			return err
		}
		s.answer(w, http.StatusOK, state)
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if err := take(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

// maxHoldID bounds the name of a hold, in letters.
const maxHoldID = 64

// sized refuses texts that are longer than a page lets people write.
func sized(ev retention.Event) error {
	over := false
	long := func(text string, letters int) { over = over || utf8.RuneCountInString(text) > letters }
	switch e := ev.(type) {
	case retention.PlaceHold:
		long(string(e.ID), maxHoldID)
		long(e.Case, maxCase)
		long(e.Reason, maxReason)
	case retention.ReleaseHold:
		long(string(e.ID), maxHoldID)
		long(e.Reason, maxReason)
	case retention.Extend:
		long(e.Reason, maxReason)
	case retention.Shorten:
		long(e.Reason, maxReason)
	case retention.ProposeDeletion:
		long(e.Reason, maxReason)
	case retention.CancelDeletion:
		long(e.Reason, maxReason)
	}
	if over {
		return fault.New(fault.TooLarge, "keeping", nil)
	}
	return nil
}

// keepingState tells how one recording is kept. It shows nothing of what was said in the call.
func (s *Server) keepingState(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := ident.Parse[ident.CallID](r.PathValue("call"))
	if err != nil {
		return fault.New(fault.NoSuchCall, "keeping", err)
	}
	state, err := s.evidence.keeping.State(r.Context(), who, call)
	if err != nil {
		return err
	}
	s.answer(w, http.StatusOK, state)
	return nil
}

// keepingList tells which recordings are on hold, on their way to deletion, due, or gone.
func (s *Server) keepingList(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "keeping.list"
	list, cursor := KeepingList(r.URL.Query().Get("list")), r.URL.Query().Get("cursor")
	switch list {
	case KeepingHeld, KeepingPending, KeepingDue, KeepingGone:
	default:
		return fault.New(fault.BadValue, op, nil)
	}
	if len(cursor) > 200 {
		return fault.New(fault.TooLarge, op, nil)
	}
	if err := s.probes.Audit(r.Context(), who, op, "", string(list)); err != nil {
		return err
	}
	rows, next, err := s.evidence.keeping.List(r.Context(), list, cursor)
	if err != nil {
		return err
	}
	s.answer(w, http.StatusOK, map[string]any{"rows": rows, "next": next})
	return nil
}
