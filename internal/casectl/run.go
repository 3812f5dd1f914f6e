package casectl

import (
	"context"
	"time"

	"jedel/internal/cases"
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
	for _, l := range b.takeLeads() {
		if _, err := b.Post(ctx, l.id, l.follow); err != nil && ctx.Err() == nil {
			b.log.Warn("a merged case does not follow", "case", l.id, "err", err)
		}
	}
	due, err := b.journal.ListDue(ctx, time.Now(), 100)
	if err != nil {
		return retryTime
	}
	for _, id := range due {
		if _, err := b.Post(ctx, id, cases.Tick{}); err != nil {
			if ctx.Err() == nil {
				b.log.Warn("a case's time has come and it does not move", "case", id, "err", err)
			}
			return retryTime
		}
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
		return ctx.Err() == nil
	}
	b.effects(s, cases.Recover(s))
	return true
}
