package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"jedel/internal/call"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/wire"
)

// books keeps the day's figures and the call-backs that are owed. Both are projections of the
// calls' records. The goroutine that shows things owns it.
type books struct {
	db     *store.DB
	zone   *time.Location
	target time.Duration
	owed   map[ident.CallID]wire.CallBackRow
	day    string // the local day that the figures are of; empty before the first reading
	today  store.CallStats
}

func newBooks(db *store.DB, zone *time.Location, target time.Duration) *books {
	return &books{db: db, zone: zone, target: target, owed: map[ident.CallID]wire.CallBackRow{}}
}

// know takes a call as it was found.
func (b *books) know(s call.State) {
	b.owe(s)
}

// note takes one decision.
func (b *books) note(s call.State, rec call.Record) {
	b.owe(s)
	switch rec.Fact.(type) {
	case call.Accepted, call.HungUp:
		b.day = "" // read again when somebody looks
	}
}

// owe enters or removes a call-back.
func (b *books) owe(s call.State) {
	if s.Closing.CallBack != call.CallBackPending {
		delete(b.owed, s.ID)
		return
	}
	b.owed[s.ID] = wire.CallBackRow{
		Call: string(s.ID), Number: s.Number, Kind: wire.CallKind(s.Kind), Phone: s.Person.Phone, Name: s.Person.Name,
		Reason: s.Closing.Reason, SinceMs: millis(s.Closing.At),
	}
}

// callBacks lists what is owed, the oldest first.
func (b *books) callBacks(l *ledger) []wire.CallBackRow {
	out := []wire.CallBackRow{}
	for id, row := range b.owed {
		if c := l.get(id); c != nil {
			c.dossier.mu.Lock()
			row.Fix = c.dossier.lastFix()
			c.dossier.mu.Unlock()
			b.owed[id] = row
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(x, y wire.CallBackRow) int { return cmp.Compare(x.SinceMs, y.SinceMs) })
	return out
}

// targets is how the centre does today, local time.
func (b *books) targets(ctx context.Context, now time.Time) wire.ServiceTargets {
	local := now.In(b.zone)
	if day := local.Format(time.DateOnly); day != b.day {
		midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, b.zone)
		if st, err := b.db.CallStats(ctx, midnight, midnight.AddDate(0, 0, 1), b.target); err == nil {
			b.today, b.day = st, day
		}
	}
	t := wire.ServiceTargets{AnswerS: int(b.target.Seconds()), AnsweredToday: b.today.Answered, MissedToday: b.today.Missed}
	if b.today.Answered > 0 {
		t.AnsweredShare = float64(b.today.AnsweredInTime) / float64(b.today.Answered)
	}
	return t
}
