package signaling

import (
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// openTime is how long a stated reason lasts since the recording was last looked at.
const openTime = time.Hour

// maxOpenings bounds what is remembered; the oldest gives way and must be stated anew.
const maxOpenings = 10_000

// openings remembers which member of staff has said why they look at which recording. A restart
// forgets it: then it is asked again.
type openings struct {
	mu   sync.Mutex // guards the rest
	used map[openedBy]opened
}

// opened is why a recording is open to somebody, and when it was last looked at.
type opened struct {
	openingRequest
	at time.Time
}

type openedBy struct {
	staff ident.StaffID
	call  ident.CallID
}

// add opens a recording to somebody.
func (o *openings) add(k openedBy, why openingRequest, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.used == nil {
		o.used = map[openedBy]opened{}
	}
	if len(o.used) >= maxOpenings {
		oldest := k
		for other, of := range o.used {
			if before, ok := o.used[oldest]; !ok || of.at.Before(before.at) {
				oldest = other
			}
		}
		delete(o.used, oldest)
	}
	o.used[k] = opened{why, now}
}

// use reports whether a recording is open to somebody and why, and keeps it open.
func (o *openings) use(k openedBy, now time.Time) (why openingRequest, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of, ok := o.used[k]
	if !ok || now.Sub(of.at) > openTime {
		delete(o.used, k)
		return openingRequest{}, false
	}
	of.at = now
	o.used[k] = of
	return of.openingRequest, true
}

// openingRequest says why a recording is looked at, and for which case.
type openingRequest struct {
	Case   string `json:"case"`
	Reason string `json:"reason"`
}

const (
	maxCase   = 64  // letters of a case number
	maxReason = 500 // letters of a reason
)

// check returns both without what surrounds them.
func (b openingRequest) check() (openingRequest, error) {
	const op = "evidence.opening"
	b = openingRequest{strings.TrimSpace(b.Case), strings.TrimSpace(b.Reason)}
	if b.Case == "" || b.Reason == "" {
		return b, fault.New(fault.ReasonNeeded, op, nil)
	}
	if utf8.RuneCountInString(b.Case) > maxCase || utf8.RuneCountInString(b.Reason) > maxReason {
		return b, fault.New(fault.TooLarge, op, nil)
	}
	return b, nil
}

// evidenceOpening takes the reason for which a recording is looked at. It is durable before
// anything is shown.
func (s *Server) evidenceOpening(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "evidence.opening"
	call, err := ident.Parse[ident.CallID](r.PathValue("call"))
	if err != nil {
		return fault.New(fault.NoSuchCall, op, err)
	}
	b, err := body[openingRequest](r, op)
	if err == nil {
		b, err = b.check()
	}
	if err != nil {
		return err
	}
	if err := s.probes.Audit(r.Context(), who, "opening", string(call), b.Case+" · "+b.Reason); err != nil {
		return err
	}
	s.openings.add(openedBy{who.Staff, call}, b, time.Now())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// evidenceAccesses tells who has looked at a recording, and why.
func (s *Server) evidenceAccesses(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "evidence.accesses"
	call, err := ident.Parse[ident.CallID](r.PathValue("call"))
	if err != nil {
		return fault.New(fault.NoSuchCall, op, err)
	}
	if err := s.probes.Audit(r.Context(), who, "accesses", string(call), ""); err != nil {
		return err
	}
	list, err := s.probes.Accesses(r.Context(), call)
	if err != nil {
		return err
	}
	s.answer(w, http.StatusOK, map[string]any{"accesses": list})
	return nil
}
