package signaling

import (
	"context"
	"net/http"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Units tells whose things are.
type Units interface {
	// UnitOf returns the unit that a recording or case belongs to; empty where it is nobody's alone
	// or does not exist.
	UnitOf(ctx context.Context, call ident.CallID) (string, error)
}

// allowed reports whether who may do a to what the path of a request names: nil, or forbidden.
func (s *Server) allowed(r *http.Request, who Who, a access.Action) error {
	switch access.Reach(who.Roles, a) {
	case access.All:
		return nil
	case access.None:
		return fault.New(fault.Forbidden, string(a), nil)
	}
	call, err := ident.Parse[ident.CallID](r.PathValue("call"))
	if err != nil || s.units == nil || who.Unit == "" {
		return nil // no object yet: what is made of the request is checked where it is known
	}
	unit, err := s.units.UnitOf(r.Context(), call)
	if err != nil {
		return fault.New(fault.Unavailable, string(a), err)
	}
	return who.inUnit(a, unit)
}

// inUnit refuses what somebody may not do to an object of a unit.
func (w Who) inUnit(a access.Action, unit string) error {
	if !access.MayIn(w.Roles, w.Unit, a, unit) {
		return fault.New(fault.Forbidden, string(a), nil)
	}
	return nil
}
