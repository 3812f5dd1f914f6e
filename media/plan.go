package media

import (
	"iter"
	"slices"

	"jedel/internal/ident"
)

// plan is who hears and sees whom: the routes of all rooms, found by whom they name. It is pure.
type plan struct {
	rooms map[ident.CallID][]Route
	named map[ident.ClientID][]ident.CallID // the rooms whose routes name a client, in order
}

func newPlan() plan {
	return plan{rooms: map[ident.CallID][]Route{}, named: map[ident.ClientID][]ident.CallID{}}
}

// set replaces a room's routes, forgets the room where there are none, and returns whom the old and the new ones
// name, each once.
func (p *plan) set(room ident.CallID, routes []Route) []ident.ClientID {
	old, now := names(p.rooms[room]), names(routes)
	if len(routes) == 0 {
		delete(p.rooms, room)
	} else {
		p.rooms[room] = slices.Clone(routes)
	}
	for _, id := range old {
		if !slices.Contains(now, id) {
			p.leave(id, room)
		}
	}
	for _, id := range now {
		if at, there := slices.BinarySearch(p.named[id], room); !there {
			p.named[id] = slices.Insert(p.named[id], at, room)
		}
	}
	for _, id := range old {
		if !slices.Contains(now, id) {
			now = append(now, id)
		}
	}
	return now
}

func (p *plan) leave(id ident.ClientID, room ident.CallID) {
	rooms := p.named[id]
	if at, there := slices.BinarySearch(rooms, room); there {
		rooms = slices.Delete(rooms, at, at+1)
	}
	if p.named[id] = rooms; len(rooms) == 0 {
		delete(p.named, id)
	}
}

// about yields the routes that name a client, room by room.
func (p *plan) about(id ident.ClientID) iter.Seq[Route] {
	return func(yield func(Route) bool) {
		for _, room := range p.named[id] {
			for _, r := range p.rooms[room] {
				if (r.From == id || r.To == id) && !yield(r) {
					return
				}
			}
		}
	}
}

// all yields every route.
func (p *plan) all() iter.Seq[Route] {
	return func(yield func(Route) bool) {
		for _, routes := range p.rooms {
			for _, r := range routes {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// company returns a client and whom its routes name, each once.
func (p *plan) company(id ident.ClientID) []ident.ClientID {
	return names(slices.AppendSeq([]Route{{From: id, To: id}}, p.about(id)))
}

// names returns whom routes name, each once, in their order.
func names(routes []Route) []ident.ClientID {
	var out []ident.ClientID
	for _, r := range routes {
		for _, id := range [...]ident.ClientID{r.From, r.To} {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}
