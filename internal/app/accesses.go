package app

import (
	"context"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling"
)

// maxAccesses bounds what is told of one recording; older looks stay in the store.
const maxAccesses = 500

// told are the acts whose reason is told with them.
var told = map[string]bool{
	"opening": true, "hold": true, "hold.release": true, "keep.extend": true, "keep.shorten": true, "delete.request": true, "delete.cancel": true,
}

// Accesses implements signaling.Probes.
func (p probes) Accesses(ctx context.Context, id ident.CallID) ([]signaling.Access, error) {
	lines, err := p.a.db.ListAudit(ctx, string(id), maxAccesses)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "evidence.accesses", err)
	}
	out := []signaling.Access{}
	for _, l := range lines {
		a := signaling.Access{AtMs: millis(l.At), Name: p.a.people.name(ident.StaffID(l.Who)), Action: l.Action}
		if told[l.Action] {
			a.Detail = l.Detail
		}
		out = append(out, a)
	}
	return out, nil
}
