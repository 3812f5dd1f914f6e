package app

import (
	"context"
	"fmt"
	"time"

	"jedel/internal/access"
	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling"
)

// Board implements signaling.Dispatch.
func (d patrolDesk) Board(ctx context.Context, who signaling.Who) ([]signaling.PatrolRow, error) {
	list, err := d.a.db.ListPatrols(ctx)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "patrols", err)
	}
	out := []signaling.PatrolRow{}
	for _, p := range list {
		if access.MayIn(who.Roles, who.Unit, access.ReadCases, p.Unit) {
			out = append(out, d.row(ctx, p))
		}
	}
	return out, nil
}

func (d patrolDesk) row(ctx context.Context, p store.Patrol) signaling.PatrolRow {
	r := signaling.PatrolRow{
		Patrol: string(p.Staff), Name: p.Name, Unit: p.Unit, State: p.State, Case: string(p.Case), SinceMs: millis(p.Since), AccuracyM: p.AccuracyM, FixMs: millis(p.FixAt),
	}
	if p.Place != nil {
		r.Lat, r.Lon = &p.Place.Lat, &p.Place.Lon
	}
	if p.Case == "" {
		return r
	}
	s, err := d.a.cases.State(ctx, p.Case)
	if err != nil {
		return r
	}
	r.Number = s.Number
	for _, x := range s.Active() {
		if x.Patrol == p.Staff {
			r.Late = x.Late
		}
	}
	return r
}

// maxProposals bounds what a dispatcher chooses from, maxOthers what is told of the rest.
const (
	maxProposals = 10
	maxOthers    = 30
	// offShown is how long one that went off duty is named among those left out.
	offShown = 12 * time.Hour
)

// Propose implements signaling.Dispatch.
func (d patrolDesk) Propose(ctx context.Context, who signaling.Who, id ident.CaseID) (signaling.Proposals, error) {
	out := signaling.Proposals{Patrols: []signaling.Proposal{}, Others: []signaling.Proposal{}}
	s, err := d.a.readable(ctx, who, id)
	if err != nil {
		return out, err
	}
	now := time.Now()
	list, err := d.a.db.ListPatrolsSince(ctx, now.Add(-offShown))
	if err != nil {
		return out, fault.New(fault.Unavailable, "patrols", err)
	}
	which := access.ReadCases // whoever sends nobody sees whom others could send
	if access.May(who.Roles, access.Dispatch) {
		which = access.Dispatch
	}
	rows := map[ident.StaffID]store.Patrol{}
	var units []cases.Unit
	for _, p := range list {
		if access.MayIn(who.Roles, who.Unit, which, p.Unit) {
			rows[p.Staff] = p
			units = append(units, unitOf(p))
		}
	}
	d.drive(s, units)
	best, left := cases.Rank(s, units, now)
	for _, c := range best[:min(len(best), maxProposals)] {
		out.Patrols = append(out.Patrols, d.proposal(ctx, c, rows[c.Patrol], now))
	}
	for _, c := range left[:min(len(left), maxOthers)] {
		out.Others = append(out.Others, d.proposal(ctx, c, rows[c.Patrol], now))
	}
	return out, nil
}

func unitOf(p store.Patrol) cases.Unit {
	u := cases.Unit{Patrol: p.Staff, State: p.State, Since: p.Since, FixAt: p.FixAt}
	if p.Place != nil {
		u.Place = &cases.Place{Source: "patrol", HasFix: true, Lat: p.Place.Lat, Lon: p.Place.Lon, AccuracyM: p.AccuracyM}
	}
	return u
}

func (d patrolDesk) proposal(ctx context.Context, c cases.Choice, p store.Patrol, now time.Time) signaling.Proposal {
	out := signaling.Proposal{PatrolRow: d.row(ctx, p), By: string(c.By), Metres: max(c.M, 0), Seconds: max(c.Seconds, 0)}
	out.Words = reasonWords(out, now)
	return out
}

// reasonWords says why a patrol has its place, in a few words for a button.
func reasonWords(p signaling.Proposal, now time.Time) signaling.Words {
	km := fmt.Sprintf("%.1f", p.Metres/1000)
	switch cases.Reason(p.By) {
	case cases.ByRoad:
		minutes := int(p.Seconds/60 + 0.999)
		return signaling.Words{KK: fmt.Sprintf("жолмен %d мин", minutes), RU: fmt.Sprintf("%d мин по дороге", minutes), EN: fmt.Sprintf("%d min by road", minutes)}
	case cases.Straight:
		return signaling.Words{KK: "түзу сызықпен " + km + " км", RU: "по прямой " + km + " км", EN: km + " km in a straight line"}
	case cases.NoPlace:
		return signaling.Words{KK: "оқиға орны белгісіз", RU: "место происшествия неизвестно", EN: "the place of the event is not known"}
	case cases.NoWay:
		return signaling.Words{KK: "жол жоқ", RU: "дороги нет", EN: "no road leads there"}
	case cases.Stale:
		age := int(now.Sub(time.UnixMilli(p.FixMs)).Minutes())
		return signaling.Words{
			KK: fmt.Sprintf("орны %d мин бұрынғы", age), RU: fmt.Sprintf("положение устарело на %d мин", age), EN: fmt.Sprintf("position is %d min old", age),
		}
	case cases.Nowhere:
		return signaling.Words{KK: "орны белгісіз", RU: "положение неизвестно", EN: "its position is not known"}
	case cases.HasRefused:
		return signaling.Words{KK: "бұл істен бас тартты", RU: "отказался от этого дела", EN: "declined this case"}
	case cases.OffDuty:
		return signaling.Words{KK: "кезекшілікте емес", RU: "не на дежурстве", EN: "off duty"}
	}
	return signaling.Words{KK: "№ " + p.Number + " ісінде", RU: "на деле № " + p.Number, EN: "at case No. " + p.Number}
}
