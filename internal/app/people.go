package app

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"jedel/internal/ident"
	"jedel/internal/store"
)

// people knows which member of staff sits at which tab, and what they are called.
type people struct {
	mu    sync.Mutex // guards the rest
	seats map[ident.StaffID]seat
	names map[ident.StaffID]string
	calls map[ident.StaffID]ident.CallID // which call a guest's page is in
}

// seat is the newest console tab of one member of staff.
type seat struct {
	client   ident.ClientID
	operator bool // may take calls; others only look
	console  bool // sees the lists
	roles    []string
	unit     string
}

func newPeople(ctx context.Context, db *store.DB) (*people, error) {
	p := &people{seats: map[ident.StaffID]seat{}, names: map[ident.StaffID]string{}, calls: map[ident.StaffID]ident.CallID{}}
	staff, err := db.ListStaff(ctx)
	if err != nil {
		return nil, fmt.Errorf("list staff: %w", err)
	}
	for _, s := range staff {
		p.names[s.ID] = s.Name
	}
	return p, nil
}

// name returns what a member of staff is called.
func (p *people) name(id ident.StaffID) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.names[id]
}

// sit notes that staff sits at a tab now and returns the tab they sat at before.
func (p *people) sit(id ident.StaffID, name string, s seat) ident.ClientID {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.seats[id]
	p.seats[id], p.names[id] = s, name
	return before.client
}

// seat returns where staff sits, the zero seat where they do not.
func (p *people) seat(id ident.StaffID) seat {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seats[id]
}

// visit notes that a guest's page is in a call from now on.
func (p *people) visit(id ident.StaffID, c ident.CallID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[id] = c
}

// visiting returns the call that a guest's page was in last.
func (p *people) visiting(id ident.StaffID) ident.CallID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[id]
}

// all returns every seat.
func (p *people) all() map[ident.StaffID]seat {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.seats)
}

// leave forgets the seat of a tab that is gone for good.
func (p *people) leave(id ident.StaffID, client ident.ClientID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seats[id].client == client {
		delete(p.seats, id)
	}
}
