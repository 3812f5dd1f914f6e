package casectl

import (
	"context"
	"time"

	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
)

const (
	// lookEvery is how often deadlines are read from the journal at the latest: other nodes set some.
	lookEvery = time.Minute
	// retryTime is the pause after a journal that did not answer.
	retryTime = 2 * time.Second
)

// Run does what is due until ctx ends: deadlines, and what merged cases must hear. It begins with what an
// earlier process may not have got to.
func (b *Book) Run(ctx context.Context) {
	for !b.recover(ctx) {
		if !pause(ctx, retryTime) {
			return
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-b.nudge:
		}
		timer.Reset(b.look(ctx))
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// look does what is due now and returns when to look again.
func (b *Book) look(ctx context.Context) time.Duration {
	var again []lead
	for _, l := range b.takeLeads() {
		_, err := b.Post(ctx, l.id, l.follow)
		if err != nil && ctx.Err() == nil {
			b.log.Warn("a merged case does not follow", "case", l.id, "err", err)
		}
		if fault.CodeOf(err) == fault.Unavailable { // without it the case would stay open for ever
			again = append(again, l)
		}
	}
	b.owe(again)
	waits := len(again) > 0
	due, err := b.journal.ListDue(ctx, time.Now(), 100)
	if err != nil {
		return retryTime
	}
	for _, id := range due {
		b.forget(id) // another node may have set the deadline: what is in memory may know nothing of it
		if _, err := b.Post(ctx, id, cases.Tick{}); err != nil {
			if ctx.Err() == nil {
				b.log.Warn("a case's time has come and it does not move", "case", id, "err", err)
			}
			waits = true // the others' time has come as well
		}
	}
	if waits {
		return retryTime
	}
	if len(b.peekLeads()) > 0 {
		return 0
	}
	at, err := b.journal.NextDue(ctx)
	switch {
	case err != nil:
		return retryTime
	case at.IsZero():
		return lookEvery
	}
	return min(lookEvery, max(10*time.Millisecond, time.Until(at)))
}

func (b *Book) takeLeads() []lead {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.owed
	b.owed = nil
	return list
}

// owe keeps leads for another try, before those that came since.
func (b *Book) owe(list []lead) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.owed = append(list, b.owed...)
}

func (b *Book) forget(id ident.CaseID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.known, id)
}

func (b *Book) peekLeads() []lead {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.owed
}

// recover repeats what must be true in the cases that changed lately.
func (b *Book) recover(ctx context.Context) bool {
	for q := (store.CaseQuery{Changed: time.Now().Add(-recoverTime), Limit: store.MaxPage}); ; {
		rows, next, err := b.journal.SearchCases(ctx, q)
		if err != nil {
			return false
		}
		for _, row := range rows {
			if !b.recoverCase(ctx, row.Case) {
				return false
			}
		}
		if q.Cursor = next; next == "" {
			return true
		}
	}
}

func (b *Book) recoverCase(ctx context.Context, id ident.CaseID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.load(ctx, id, false)
	if err != nil {
		b.log.Warn("a case cannot be read", "case", id, "err", err)
		return fault.CodeOf(err) != fault.Unavailable && ctx.Err() == nil
	}
	b.effects(s, cases.Recover(s))
	return true
}
