package access

import (
	"slices"
	"testing"
)

// want is the whole table once more, by role, as people would ask for it: what they may everywhere,
// and what in their own unit only.
var want = map[Role]struct{ all, own []Action }{
	Operator:   {all: []Action{AnswerAlarm, Console, TakeCalls, ReadOwn, ReadCases, EditCases, SeeCameras, SeeShifts, OwnShift}},
	Dispatcher: {all: []Action{AnswerAlarm, Console, TakeCalls, ReadOwn, ReadCases, SeeCameras, SeeShifts, OwnShift}, own: []Action{EditCases, Dispatch}},
	Camera:     {all: []Action{Console, ReadCases, SeeCameras, SeeShifts, OwnShift}},
	Navigation: {all: []Action{Console, ReadCases, SeeShifts, OwnShift}, own: []Action{EditCases}},
	Supervisor: {
		all: []Action{AnswerAlarm, Console, ReadOwn, ReadCases, EditCases, Dispatch, SeeCameras, Listen, SeeStats, SeeShifts, OwnShift, Search, Audit, SeeKeeping, Object, ApproveRoles},
		own: []Action{ManageShifts, Play, Verify, Extend, Delete},
	},
	Investigator:  {all: []Action{ReadOwn, Search, SeeKeeping, Object}, own: []Action{ReadCases, Play, Verify, Fetch, Hold, Extend}},
	Administrator: {all: []Action{SeeStats, SeeShifts, Verify, Audit, ManageStaff, ApproveRoles, SeeKeeping, Extend, Delete, Object}},
	Patrol:        {all: []Action{OwnShift}, own: []Action{ReadCases, PatrolDuty, CloseTask, SeeShifts}},
}

func TestNoUnexpectedAllow(t *testing.T) {
	if len(want) != len(Roles()) {
		t.Fatalf("%d roles here, %d there", len(want), len(Roles()))
	}
	for _, r := range Roles() {
		for _, a := range Actions() {
			scope := None
			switch {
			case slices.Contains(want[r].all, a):
				scope = All
			case slices.Contains(want[r].own, a):
				scope = Own
			}
			if got := Reach([]string{string(r)}, a); got != scope {
				t.Errorf("%s %s: %v, want %v", r, a, got, scope)
			}
		}
	}
}

func TestUnknownRoleMayNothing(t *testing.T) {
	for _, a := range Actions() {
		if May([]string{"root", "", "Operator"}, a) || May(nil, a) || MayIn([]string{"root"}, "", a, "") {
			t.Error(a)
		}
	}
}

func TestUnitsAreKeptApart(t *testing.T) {
	roles := []string{"dispatcher"}
	for _, c := range []struct {
		unit, object string
		ok           bool
	}{{"north", "north", true}, {"north", "south", false}, {"north", "", true}, {"", "south", true}, {"", "", true}, {"North", "north", false}} {
		if MayIn(roles, c.unit, Dispatch, c.object) != c.ok {
			t.Errorf("%+v", c)
		}
	}
	if !MayIn([]string{"dispatcher", "supervisor"}, "north", Dispatch, "south") {
		t.Error("the wider of two roles counts")
	}
}

func TestRolesThatOpenEvidenceTakeTwoPeople(t *testing.T) {
	for _, r := range Roles() {
		if Sensitive(r) != slices.Contains([]Role{Supervisor, Investigator, Administrator}, r) {
			t.Error(r)
		}
	}
}
