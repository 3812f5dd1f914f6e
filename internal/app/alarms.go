package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"jedel/internal/access"
	"jedel/internal/alarm"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// alarms are the calls for help of patrols. What stands is in the store before anybody hears of it.
type alarms struct {
	a    *App
	turn chan struct{} // capacity 1: whose turn it is to decide

	mu sync.Mutex // guards by
	by map[ident.StaffID]alarm.State
}

// alarmShown is how long consoles see who has answered.
const alarmShown = time.Minute

// alarmKept is how long a patrol sees who has answered it.
const alarmKept = time.Hour

func alarmKey(id ident.StaffID) string { return "alarm:" + string(id) }

// newAlarms finds the calls that stood when the process before ended.
func newAlarms(ctx context.Context, a *App) (*alarms, error) {
	out := &alarms{a: a, turn: make(chan struct{}, 1), by: map[ident.StaffID]alarm.State{}}
	staff, err := a.db.ListStaff(ctx)
	if err != nil {
		return nil, fmt.Errorf("alarms: %w", err)
	}
	for _, st := range staff {
		if !access.May(st.Roles, access.PatrolDuty) {
			continue
		}
		raw, err := a.db.Setting(ctx, alarmKey(st.ID))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		var s alarm.State
		if err == nil {
			err = json.Unmarshal(raw, &s)
		}
		if err != nil {
			return nil, fmt.Errorf("alarm of %s: %w", st.ID, err)
		}
		out.by[st.ID] = s
	}
	return out, nil
}

func (l *alarms) get(id ident.StaffID) alarm.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.by[id]
}

// change decides, makes durable, and shows, one after another.
func (l *alarms) change(ctx context.Context, patrol ident.StaffID, decide func(alarm.State) (alarm.State, error)) (alarm.State, error) {
	const op = "alarm"
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return alarm.State{}, fault.New(fault.Unavailable, op, ctx.Err())
	}
	defer func() { <-l.turn }()
	before := l.get(patrol)
	s, err := decide(before)
	if err != nil || s == before {
		return s, err
	}
	raw, err := json.Marshal(s)
	if err == nil {
		err = l.a.db.PutSetting(ctx, alarmKey(patrol), raw)
	}
	if err != nil {
		return before, fault.New(fault.Unavailable, op, err)
	}
	l.mu.Lock()
	l.by[patrol] = s
	l.mu.Unlock()
	l.a.BoardChanged()
	return s, nil
}

// note writes who did what into the audit. It holds up no call for help.
func (l *alarms) note(ctx context.Context, who signaling.Who, action string, patrol ident.StaffID, s alarm.State) {
	if err := (probes{l.a}).Audit(ctx, who, action, string(patrol), s.Ref); err != nil {
		l.a.log.Warn("a call for help is not in the audit", "action", action, "err", err)
	}
}

// Alarm implements signaling.Alarms.
func (l *alarms) Alarm(ctx context.Context, who signaling.Who, b signaling.AlarmRequest) (wire.PatrolAlarm, error) {
	now := time.Now().UTC()
	where := l.whereIs(ctx, who.Staff)
	if f := b.Fix; f != nil {
		where = &alarm.Place{Lat: f.Lat, Lon: f.Lon, AccuracyM: f.AccuracyM, At: now}
	}
	s, err := l.change(ctx, who.Staff, func(s alarm.State) (alarm.State, error) { return alarm.Raise(s, b.Ref, now, where), nil })
	if err != nil {
		return wire.PatrolAlarm{}, err
	}
	l.note(ctx, who, "patrol.alarm", who.Staff, s)
	return l.row(ctx, who.Staff, s), nil
}

// whereIs is where the board last saw a patrol.
func (l *alarms) whereIs(ctx context.Context, id ident.StaffID) *alarm.Place {
	p, err := l.a.db.PatrolByID(ctx, id)
	if err != nil || p.Place == nil {
		return nil
	}
	return &alarm.Place{Lat: p.Place.Lat, Lon: p.Place.Lon, AccuracyM: p.AccuracyM, At: p.FixAt.UTC()}
}

// Answer implements signaling.Alarms.
func (l *alarms) Answer(ctx context.Context, who signaling.Who, patrol ident.StaffID, ref string) (wire.PatrolAlarm, error) {
	s, err := l.change(ctx, patrol, func(s alarm.State) (alarm.State, error) {
		return alarm.Answer(s, ref, time.Now().UTC(), who.Staff)
	})
	if err != nil {
		return wire.PatrolAlarm{}, err
	}
	l.note(ctx, who, "alarm.answer", patrol, s)
	if st := l.a.people.seat(patrol); st.client != "" {
		l.a.edge.Hub().Send(st.client, &wire.AlarmNews{Alarm: l.row(ctx, patrol, s)})
	}
	return l.row(ctx, patrol, s), nil
}

// row is a call for help as people see it.
func (l *alarms) row(ctx context.Context, id ident.StaffID, s alarm.State) wire.PatrolAlarm {
	out := wire.PatrolAlarm{Ref: s.Ref, Patrol: string(id), Name: l.a.people.name(id), AtMs: millis(s.At), By: l.a.people.name(s.By), AnsweredMs: millis(s.Answered)}
	if p := s.Place; p != nil {
		out.Lat, out.Lon, out.AccuracyM, out.FixMs = &p.Lat, &p.Lon, p.AccuracyM, millis(p.At)
	}
	if p, err := l.a.db.PatrolByID(ctx, id); err == nil && p.Case != "" {
		out.Case = string(p.Case)
		if c, err := l.a.cases.State(ctx, p.Case); err == nil {
			out.Number = c.Number
		}
	}
	return out
}

// list is what consoles show: calls that wait, the oldest first, and for a while who answered others.
func (l *alarms) list(ctx context.Context, now time.Time) []wire.PatrolAlarm {
	l.mu.Lock()
	all := maps.Clone(l.by)
	l.mu.Unlock()
	var out []wire.PatrolAlarm
	for id, s := range all {
		if s.Open() || s.Ref != "" && now.Sub(s.Answered) < alarmShown {
			out = append(out, l.row(ctx, id, s))
		}
	}
	slices.SortFunc(out, func(x, y wire.PatrolAlarm) int { return cmp.Compare(x.AtMs, y.AtMs) })
	return out
}

// own is a patrol's own call for help, nil where there is none that it still thinks of.
func (l *alarms) own(ctx context.Context, id ident.StaffID, now time.Time) *wire.PatrolAlarm {
	s := l.get(id)
	if s.Ref == "" || !s.Open() && now.Sub(s.Answered) > alarmKept {
		return nil
	}
	row := l.row(ctx, id, s)
	return &row
}
