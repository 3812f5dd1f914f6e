package app

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"jedel/internal/access"
	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/geo"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling"
)

// maxProposals bounds what a dispatcher chooses from, maxDrive is how long a way is looked for, in
// seconds: a region is crossed in that time.
const (
	maxProposals = 10
	maxDrive     = 3 * 3600
)

// Propose implements signaling.Dispatch: by the time on the road where a map was imported, else by
// distance. Those that no road leads from come after those, and whoever has no position comes last.
func (d patrolDesk) Propose(ctx context.Context, who signaling.Who, id ident.CaseID) ([]signaling.Proposal, error) {
	s, err := d.a.readable(ctx, who, id)
	if err != nil {
		return nil, err
	}
	list, err := d.a.db.ListPatrols(ctx)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "patrols", err)
	}
	list = slices.DeleteFunc(list, func(p store.Patrol) bool {
		return p.State != "available" || !access.MayIn(who.Roles, who.Unit, access.Dispatch, p.Unit)
	})
	where, known := s.Where()
	known = known && where.HasFix
	out := []signaling.Proposal{}
	for _, p := range list {
		out = append(out, d.straight(ctx, p, where, known))
	}
	if known {
		d.drive(out, geo.Point{Lat: where.Lat, Lon: where.Lon})
	}
	slices.SortStableFunc(out, func(x, y signaling.Proposal) int {
		return cmp.Or(cmp.Compare(ways[x.By], ways[y.By]), cmp.Compare(x.Seconds, y.Seconds), cmp.Compare(x.Metres, y.Metres))
	})
	return out[:min(len(out), maxProposals)], nil
}

// ways are the reasons for a rank, the best first.
var ways = map[string]int{"road": 0, "straight": 1, "no_way": 2, "nowhere": 3}

// straight is a proposal by distance alone.
func (d patrolDesk) straight(ctx context.Context, p store.Patrol, where cases.Place, known bool) signaling.Proposal {
	out := signaling.Proposal{PatrolRow: d.row(ctx, p), By: "nowhere", Words: signaling.Words{KK: "орны белгісіз", RU: "место неизвестно", EN: "position unknown"}}
	if !known || p.Place == nil {
		return out
	}
	out.Metres = geo.Metres(geo.Point{Lat: where.Lat, Lon: where.Lon}, geo.Point{Lat: p.Place.Lat, Lon: p.Place.Lon})
	out.By = "straight"
	far := geo.Far(out.Metres)
	out.Words = signaling.Words{KK: "түзу сызықпен " + far.KK, RU: "по прямой " + far.RU, EN: far.EN + " in a straight line"}
	return out
}

// drive makes of proposals by distance such by road, where there is a road network.
func (d patrolDesk) drive(list []signaling.Proposal, to geo.Point) {
	network := d.a.geo.Roads()
	if network == nil {
		return
	}
	var from []geo.Point
	var of []int
	for i, p := range list {
		if p.By == "straight" {
			from, of = append(from, geo.Point{Lat: *p.Lat, Lon: *p.Lon}), append(of, i)
		}
	}
	for k, r := range network.TimesTo(to, from, maxDrive) {
		p := &list[of[k]]
		straight := p.Words
		if !r.Known {
			p.By = "no_way"
			p.Words = signaling.Words{KK: "картада жол жоқ, " + straight.KK, RU: "дороги на карте нет, " + straight.RU, EN: "no road on the map, " + straight.EN}
			continue
		}
		p.By, p.Seconds = "road", r.Seconds
		n := fmt.Sprint(max(1, math.Ceil(r.Seconds/60)))
		p.Words = signaling.Words{KK: "жолмен " + n + " мин, " + straight.KK, RU: n + " мин по дороге, " + straight.RU, EN: n + " min by road, " + straight.EN}
	}
}
