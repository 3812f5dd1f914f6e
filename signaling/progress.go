package signaling

import (
	"context"
	"net/http"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Maker is who made a call: a page by its client's key, or a registered caller. One of the two is
// empty.
type Maker struct {
	Client ident.ClientID
	Caller ident.CallerID
}

// Progress tells citizens how the case of their call stands.
type Progress interface {
	// Progress tells it to whoever made the call; to everybody else there is no such call.
	Progress(ctx context.Context, m Maker, call ident.CallID) (CallProgress, error)
}

// CallProgress is a call's case as its caller sees it: what they were told, no more and no less.
type CallProgress struct {
	Call    string      `json:"call"`
	Number  string      `json:"number"`
	AtMs    int64       `json:"atMs"`
	Status  string      `json:"status"`
	Replies []CaseReply `json:"replies"`
}

// maker finds out who asks about a call of theirs.
func (s *Server) maker(r *http.Request) (Maker, error) {
	if id, key := r.Header.Get("X-Client"), r.Header.Get("X-Client-Key"); id != "" {
		if !s.hub.proves(id, key) {
			return Maker{}, fault.New(fault.NotSignedIn, "progress", nil)
		}
		return Maker{Client: ident.ClientID(id)}, nil
	}
	c, err := s.accounts.Caller(r.Context(), bearer(r))
	return Maker{Caller: c.ID}, err
}

func (s *Server) callProgress(w http.ResponseWriter, r *http.Request) {
	p, err := s.progressOf(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, p)
}

func (s *Server) progressOf(r *http.Request) (CallProgress, error) {
	m, err := s.maker(r)
	if err != nil {
		return CallProgress{}, err
	}
	call, err := ident.Parse[ident.CallID](r.PathValue("call"))
	if err != nil {
		return CallProgress{}, fault.New(fault.NoSuchCall, "progress", err)
	}
	return s.progress.Progress(r.Context(), m, call)
}
