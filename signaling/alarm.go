package signaling

import (
	"context"
	"net/http"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/wire"
)

// Alarms takes the calls for help of patrols, and who has answered them.
type Alarms interface {
	// Alarm makes a call for help durable and shows it to every console. The same ref is one call.
	Alarm(ctx context.Context, who Who, b AlarmRequest) (wire.PatrolAlarm, error)
	// Answer notes who has seen the call with a ref; the first answer stands.
	Answer(ctx context.Context, who Who, patrol ident.StaffID, ref string) (wire.PatrolAlarm, error)
}

// AlarmRequest is a patrol's call for help.
type AlarmRequest struct {
	Ref string    `json:"ref"`           // chosen by the phone: sent twice it is one
	Fix *wire.Fix `json:"fix,omitempty"` // where the phone is; without it the last that the board has
}

type alarmAnswer struct {
	Ref string `json:"ref"`
}

// alarmTable is every route of calls for help.
func (s *Server) alarmTable() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"POST /api/v1/patrol/alarm":            s.withStaff(access.PatrolDuty, s.patrolAlarm),
		"POST /api/v1/alarms/{patrol}/answers": s.withStaff(access.AnswerAlarm, s.alarmAnswer),
	}
}

func alarmRef(op, ref string) error {
	if err := wire.Line("ref", ref, 64); err != nil || ref == "" {
		return fault.New(fault.BadValue, op, err)
	}
	return nil
}

func (s *Server) patrolAlarm(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "patrol.alarm"
	b, err := body[AlarmRequest](r, op)
	if err == nil {
		err = alarmRef(op, b.Ref)
	}
	if err != nil {
		return err
	}
	if checkFix(b.Fix, time.Now()) != nil {
		b.Fix = nil // a broken position is no reason to lose a call for help
	}
	v, err := s.alarms.Alarm(r.Context(), who, b)
	if err == nil {
		s.answer(w, http.StatusCreated, v)
	}
	return err
}

func (s *Server) alarmAnswer(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "alarm.answer"
	patrol, err := ident.Parse[ident.StaffID](r.PathValue("patrol"))
	if err != nil {
		return fault.New(fault.NotFound, op, err)
	}
	b, err := body[alarmAnswer](r, op)
	if err == nil {
		err = alarmRef(op, b.Ref)
	}
	if err != nil {
		return err
	}
	v, err := s.alarms.Answer(r.Context(), who, patrol, b.Ref)
	if err == nil {
		s.answer(w, http.StatusOK, v)
	}
	return err
}
