package app

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"jedel/internal/call"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
)

// ledger holds the dossiers and scribes of the open calls, and what is stored beside decisions.
type ledger struct {
	db   *store.DB
	made func(*openCall) // called with each new entry, outside the lock; must not block

	mu    sync.Mutex // guards the rest
	calls map[ident.CallID]*openCall
	over  map[ident.CallID]*openCall // calls that were closed lately
	order []ident.CallID             // the same, the oldest first
}

// overKept is how many closed calls are remembered: the news of an end may be shown after the call was
// closed, and must not make an entry that nothing would ever close.
const overKept = 256

// openCall is everything the app keeps in memory for one call.
type openCall struct {
	dossier *dossier
	scribe  *mailbox[func(context.Context)] // slow work of this call, in order; nil ends it
	slot    archiveSlot
	tapped  map[ident.ClientID]tap // owned by the goroutine that carries out effects
	filled  sync.Once              // the dossier has what is stored
}

func newLedger(db *store.DB, made func(*openCall)) *ledger {
	return &ledger{db: db, made: made, calls: map[ident.CallID]*openCall{}, over: map[ident.CallID]*openCall{}}
}

// get returns the open call, or nil.
func (l *ledger) get(id ident.CallID) *openCall {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[id]
}

// open returns the call's entry, making it where there is none. That of a call that was closed lately is to
// be looked at only: its scribe has ended.
func (l *ledger) open(id ident.CallID) *openCall {
	l.mu.Lock()
	c := l.calls[id]
	if c == nil {
		c = l.over[id]
	}
	fresh := c == nil
	if fresh {
		c = &openCall{dossier: newDossier(), scribe: newMailbox[func(context.Context)](), tapped: map[ident.ClientID]tap{}}
		l.calls[id] = c
	}
	l.mu.Unlock()
	if fresh {
		l.made(c)
	}
	return c
}

// close forgets a call; its scribe finishes what it holds.
func (l *ledger) close(id ident.CallID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.calls[id]; c != nil {
		delete(l.calls, id)
		c.scribe.put(nil)
		l.over[id], l.order = c, append(l.order, id)
		if len(l.order) > overKept {
			delete(l.over, l.order[0])
			l.order = l.order[1:]
		}
	}
}

// all returns the open calls.
func (l *ledger) all() map[ident.CallID]*openCall {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[ident.CallID]*openCall, len(l.calls))
	for id, c := range l.calls {
		out[id] = c
	}
	return out
}

// load fills a dossier from the store: after a restart, and for a fresh call with what is known
// of its caller.
func (l *ledger) load(ctx context.Context, s call.State, d *dossier) error {
	items, err := l.db.Items(ctx, s.ID, 0)
	if err != nil {
		return fmt.Errorf("items: %w", err)
	}
	if err := d.fill(items); err != nil {
		return err
	}
	if s.Caller == "" {
		return nil
	}
	c, err := l.db.CallerByID(ctx, s.Caller)
	if err != nil {
		return fmt.Errorf("caller: %w", err)
	}
	n, last, err := l.db.CallsOfCaller(ctx, s.Caller, s.ID)
	if err != nil {
		return fmt.Errorf("earlier calls: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.earlier, d.last = n, last
	d.self.Name, d.self.Phone, d.self.IIN, d.self.Medical = c.Name, c.Phone, c.IIN, c.Medical
	return nil
}

// put makes one item durable. The same id again returns the place it has and existed.
func (l *ledger) put(ctx context.Context, id ident.CallID, kind, key string, at time.Time, body any) (seq uint64, existed bool, err error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, false, fmt.Errorf("encode %s: %w", kind, err)
	}
	seq, existed, err = l.db.PutItem(ctx, store.Item{Call: id, Kind: kind, ID: key, At: at, Body: raw})
	if err != nil {
		return 0, false, fault.New(fault.Unavailable, kind, err)
	}
	return seq, existed, nil
}
