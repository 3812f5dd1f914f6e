package media

import (
	"maps"
	"slices"
	"testing"

	"jedel/internal/ident"

	"pgregory.net/rapid"
)

// TestPlanFindsWhatTheRoomsSay: what is found by name is what a look at every room finds, after any changes.
func TestPlanFindsWhatTheRoomsSay(t *testing.T) {
	clients := []ident.ClientID{"a", "b", "c", "d", "e"}
	rapid.Check(t, func(t *rapid.T) {
		p, rooms := newPlan(), map[ident.CallID][]Route{}
		route := rapid.Custom(func(t *rapid.T) Route {
			return Route{
				From: rapid.SampledFrom(clients).Draw(t, "from"), To: rapid.SampledFrom(clients).Draw(t, "to"),
				Kind: rapid.SampledFrom([]Kind{Audio, Video}).Draw(t, "kind"), Slot: rapid.IntRange(0, 2).Draw(t, "slot"),
			}
		})
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			room := rapid.SampledFrom([]ident.CallID{"1", "2", "3"}).Draw(t, "room")
			routes := rapid.SliceOfN(route, 0, 6).Draw(t, "routes")
			want := map[ident.ClientID]bool{}
			for _, r := range append(slices.Clone(rooms[room]), routes...) {
				want[r.From], want[r.To] = true, true
			}
			touched := p.set(room, routes)
			if len(touched) != len(want) || !slices.Equal(sorted(touched), slices.Sorted(maps.Keys(want))) {
				t.Fatalf("touched %v, want %v", touched, want)
			}
			if rooms[room] = routes; len(routes) == 0 {
				delete(rooms, room)
			}
			planAgrees(t, &p, rooms, clients)
		}
	})
}

func planAgrees(t *rapid.T, p *plan, rooms map[ident.CallID][]Route, clients []ident.ClientID) {
	for _, id := range clients {
		var want []Route
		company := map[ident.ClientID]bool{id: true}
		for _, room := range slices.Sorted(maps.Keys(rooms)) {
			for _, r := range rooms[room] {
				if r.From == id || r.To == id {
					want = append(want, r)
					company[r.From], company[r.To] = true, true
				}
			}
		}
		if got := slices.Collect(p.about(id)); !slices.Equal(got, want) {
			t.Fatalf("about %s: %v, want %v", id, got, want)
		}
		if got := sorted(p.company(id)); !slices.Equal(got, slices.Sorted(maps.Keys(company))) {
			t.Fatalf("company of %s: %v, want %v", id, got, company)
		}
	}
	n := 0
	for range p.all() {
		n++
	}
	for _, routes := range rooms {
		n -= len(routes)
	}
	if n != 0 || len(p.rooms) != len(rooms) {
		t.Fatalf("%d routes too many, %d rooms for %d", n, len(p.rooms), len(rooms))
	}
}

func sorted(ids []ident.ClientID) []ident.ClientID { return slices.Sorted(slices.Values(ids)) }
