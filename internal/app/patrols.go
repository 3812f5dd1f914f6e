package app

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// patrolDesk implements signaling.Patrols and signaling.Dispatch.
type patrolDesk struct{ a *App }

// fixAhead and fixKept bound how far a patrol's clock may be off, and how old a fix may be that is still
// worth noting.
const (
	fixAhead = time.Minute
	fixKept  = time.Hour
	// jumpSpeed is faster than any patrol drives, in metres a second; a jump beyond it is a broken fix.
	jumpSpeed = 90
	// jumpVague is the most that a fix which is not accurate may excuse: a cell of a network in the steppe.
	jumpVague = 10_000
)

// Patrol implements signaling.Patrols.
func (d patrolDesk) Patrol(ctx context.Context, who signaling.Who) (signaling.PatrolView, error) {
	p, err := d.a.db.PatrolByID(ctx, who.Staff)
	if errors.Is(err, store.ErrNotFound) {
		return signaling.PatrolView{Name: d.a.people.name(who.Staff), State: "off", Alarm: d.a.alarms.own(ctx, who.Staff, time.Now())}, nil
	}
	if err != nil {
		return signaling.PatrolView{}, fault.New(fault.Unavailable, "patrol", err)
	}
	v := signaling.PatrolView{Name: p.Name, State: p.State, SinceMs: millis(p.Since), Alarm: d.a.alarms.own(ctx, who.Staff, time.Now())}
	if p.Case == "" {
		return v, nil
	}
	s, err := d.a.cases.State(ctx, p.Case)
	if err != nil {
		return v, err
	}
	task, err := caseDesk(d).view(ctx, who, s)
	if err != nil {
		return v, err
	}
	v.Task = &task
	for _, r := range task.Recordings {
		if r.Live {
			v.Live = r.Call
		}
	}
	return v, nil
}

// SetDuty implements signaling.Patrols.
func (d patrolDesk) SetDuty(ctx context.Context, who signaling.Who, on bool) (signaling.PatrolView, error) {
	err := d.a.db.SetDuty(ctx, store.Patrol{Staff: who.Staff, Name: d.a.people.name(who.Staff), Unit: who.Unit}, on, time.Now())
	switch {
	case errors.Is(err, store.ErrBusy):
		return signaling.PatrolView{}, fault.New(fault.WrongState, "patrol.duty", err)
	case err != nil:
		return signaling.PatrolView{}, fault.New(fault.Unavailable, "patrol.duty", err)
	}
	d.a.board.wake()
	return d.Patrol(ctx, who)
}

// PutFix implements signaling.Patrols. A jump that nobody can drive changes nothing.
func (d patrolDesk) PutFix(ctx context.Context, who signaling.Who, f wire.Fix) error {
	const op = "patrol.fix"
	now, at := time.Now(), time.UnixMilli(f.ClientMs)
	if f.ClientMs == 0 || at.After(now.Add(fixAhead)) || at.After(now) {
		at = now
	}
	if now.Sub(at) > fixKept {
		return fault.Newf(fault.BadValue, op, "the fix is old")
	}
	p, err := d.a.db.PatrolByID(ctx, who.Staff)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && p.State == "off":
		return fault.New(fault.NotReady, op, err)
	case err != nil:
		return fault.New(fault.Unavailable, op, err)
	}
	if p.Place != nil && at.After(p.FixAt) {
		far := cases.Metres(cases.Place{Lat: p.Place.Lat, Lon: p.Place.Lon}, cases.Place{Lat: f.Lat, Lon: f.Lon})
		if far > 1000+jumpSpeed*at.Sub(p.FixAt).Seconds()+min(f.AccuracyM, jumpVague)+min(p.AccuracyM, jumpVague) {
			return fault.Newf(fault.BadValue, op, "%.0f km in %v", far/1000, at.Sub(p.FixAt).Round(time.Second))
		}
	}
	if err := d.a.db.PutFix(ctx, who.Staff, store.Spot{Lat: f.Lat, Lon: f.Lon}, f.AccuracyM, at); err != nil {
		return fault.New(fault.Unavailable, op, err)
	}
	d.a.board.wake()
	return nil
}

// Say implements signaling.Patrols.
func (d patrolDesk) Say(ctx context.Context, who signaling.Who, id ident.CaseID, w signaling.PatrolWord) (signaling.PatrolView, error) {
	word := cases.Say{Patrol: who.Staff, What: w.What}
	if at := time.UnixMilli(w.AtMs); w.AtMs > 0 && at.Before(time.Now().Add(fixAhead)) {
		word.Claimed = at.UTC()
	}
	if _, err := d.a.cases.Post(ctx, id, word); err != nil {
		return signaling.PatrolView{}, err
	}
	return d.Patrol(ctx, who)
}

// Declare implements signaling.Dispatch.
func (d patrolDesk) Declare(ctx context.Context, who signaling.Who, id ident.CaseID, b signaling.Declaration) (signaling.CaseRecording, error) {
	s, err := d.a.readable(ctx, who, id)
	if err != nil {
		return signaling.CaseRecording{}, err
	}
	kept, err := d.a.intake.record(ctx, newRecording{
		client: "staff:" + string(who.Staff), key: staffKey(who.Staff), kind: "patrol", of: &s, by: who.Staff,
		request: signaling.ReportRequest{Ref: b.Ref, Files: b.Files, Lang: s.Citizen.Lang},
	})
	if err != nil {
		return signaling.CaseRecording{}, err
	}
	return d.a.intake.recording(ctx, cases.Recording{ID: kept.ID, Kind: "patrol", At: kept.At})
}

// File implements signaling.Dispatch.
func (d patrolDesk) File(ctx context.Context, who signaling.Who, id ident.CaseID, recording ident.CallID, file ident.FileID) (signaling.CaseFile, func(io.Writer) error, error) {
	s, err := d.a.readable(ctx, who, id)
	if err != nil {
		return signaling.CaseFile{}, nil, err
	}
	at := slices.IndexFunc(s.Recordings, func(r cases.Recording) bool { return r.ID == recording })
	if at < 0 {
		return signaling.CaseFile{}, nil, fault.New(fault.NoSuchFile, "case.file", nil)
	}
	return d.a.intake.file(ctx, s.Recordings[at], file)
}
