package app

import (
	"context"
	"errors"
	"slices"

	"jedel/internal/casectl"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling"
)

// progress implements signaling.Progress.
type progress struct{ a *App }

// Progress implements signaling.Progress.
func (p progress) Progress(ctx context.Context, m signaling.Maker, id ident.CallID) (signaling.CallProgress, error) {
	const op = "progress"
	sum, _, err := p.a.db.LoadCall(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return signaling.CallProgress{}, fault.New(fault.Unavailable, op, err)
	}
	theirs := m.Client != "" && sum.Client == m.Client || m.Caller != "" && sum.Caller == m.Caller
	if err != nil || !theirs || slices.Contains([]string{"report", "patrol", "camera"}, sum.Kind) {
		return signaling.CallProgress{}, fault.New(fault.NoSuchCall, op, nil)
	}
	s, err := p.a.cases.State(ctx, casectl.IDOf(id))
	if err != nil { // its case is made in a moment
		return signaling.CallProgress{}, err
	}
	out := signaling.CallProgress{Call: string(id), Number: s.Number, AtMs: millis(s.Opened), Status: string(s.Status), Replies: repliesOf(s)}
	if n := len(s.Replies); n > 0 {
		out.Status = string(s.Replies[n-1].Status)
	}
	return out, nil
}
