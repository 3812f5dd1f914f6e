package access

import (
	"slices"
	"testing"
)

// TestNoUnexpectedAllow writes the whole table out once more, by role, as people would ask for it.
func TestNoUnexpectedAllow(t *testing.T) {
	want := map[Role][]Action{
		Operator:      {Console, TakeCalls, ReadOwn, Cameras},
		Dispatcher:    {Console, TakeCalls, ReadOwn, Cameras},
		Supervisor:    {Console, ReadOwn, Search, Play, Verify, Audit, SeeKeeping, Extend, Delete, Object, Cameras},
		Investigator:  {ReadOwn, Search, Play, Verify, Fetch, SeeKeeping, Hold, Extend, Object},
		Administrator: {Verify, Audit, ManageStaff, SeeKeeping, Extend, Delete, Object},
		Patrol:        {},
	}
	all := []Action{Console, TakeCalls, ReadOwn, Search, Play, Verify, Fetch, Audit, ManageStaff, SeeKeeping, Hold, Extend, Delete, Object, Cameras}
	if len(all) != len(table) {
		t.Fatalf("%d actions here, %d in the table", len(all), len(table))
	}
	for _, r := range Roles() {
		for _, a := range all {
			if got := May([]string{string(r)}, a); got != slices.Contains(want[r], a) {
				t.Errorf("%s %s: %v", r, a, got)
			}
		}
	}
}

func TestUnknownRoleMayNothing(t *testing.T) {
	for a := range table {
		if May([]string{"root", "", "Operator"}, a) || May(nil, a) {
			t.Error(a)
		}
	}
}
