package access

import (
	"fmt"
	"slices"
	"testing"

	"jedel/internal/fault"
	"jedel/internal/ident"

	"pgregory.net/rapid"
)

func centre() []Account {
	return []Account{
		{ID: "boss", Roles: []Role{Administrator}, Local: true},
		{ID: "lead", Roles: []Role{Operator, Supervisor}, Local: true},
		{ID: "one", Roles: []Role{Operator}, Local: true},
	}
}

func put(all []Account, a Account) []Account {
	all = slices.Clone(all)
	all[slices.IndexFunc(all, func(o Account) bool { return o.ID == a.ID })] = a
	return all
}

func code(t *testing.T, err error, want fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != want {
		t.Fatalf("%v, want %q", err, want)
	}
}

func TestRolesThatOpenEvidenceWaitForASecondPerson(t *testing.T) {
	all := centre()
	a, err := SetRoles(all, "one", "boss", []Role{Investigator, Dispatcher})
	code(t, err, "")
	if !slices.Equal(a.Roles, []Role{Dispatcher}) || !slices.Equal(a.Pending, []Role{Investigator}) || a.PendingBy != "boss" {
		t.Fatalf("%+v", a)
	}
	all = put(all, a)
	for _, by := range []ident.StaffID{"boss", "one", ""} {
		_, err = Approve(all, "one", by)
		code(t, err, fault.SecondPerson)
	}
	a, err = Approve(all, "one", "lead")
	if code(t, err, ""); !slices.Equal(a.Roles, []Role{Dispatcher, Investigator}) || a.Pending != nil {
		t.Fatalf("%+v", a)
	}
	_, err = Approve(put(all, a), "one", "lead")
	code(t, err, fault.WrongState)
	again, err := SetRoles(all, "one", "lead", []Role{Dispatcher, Investigator}) // asking again does not change who asked
	if code(t, err, ""); again.PendingBy != "boss" {
		t.Fatalf("%+v", again)
	}
	gone, err := Decline(all, "one")
	if code(t, err, ""); gone.Pending != nil || !slices.Equal(gone.Roles, []Role{Dispatcher}) {
		t.Fatalf("%+v", gone)
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	all := centre()
	_, err := SetDisabled(all, "boss", "boss", true)
	code(t, err, fault.LastAdministrator)
	_, err = SetRoles(all, "boss", "lead", []Role{Operator})
	code(t, err, fault.LastAdministrator)
	_, err = Invite(all, "boss", "lead") // it would take the role until somebody approves
	code(t, err, fault.LastAdministrator)
	for name, second := range map[string]Account{
		"cannot sign in here": {ID: "two", Roles: []Role{Administrator}}, "waits": {ID: "two", Pending: []Role{Administrator}, Local: true},
		"disabled": {ID: "two", Roles: []Role{Administrator}, Local: true, Disabled: true},
	} {
		if _, err := SetDisabled(append(centre(), second), "boss", "boss", true); fault.CodeOf(err) != fault.LastAdministrator {
			t.Error(name, err)
		}
	}
	_, err = SetDisabled(append(all, Account{ID: "two", Roles: []Role{Administrator}, Local: true}), "boss", "two", true)
	code(t, err, "")
}

func TestUnknownAccountsAndRolesAreRefused(t *testing.T) {
	_, err := SetRoles(centre(), "nobody", "boss", nil)
	code(t, err, fault.NoSuchAccount)
	_, err = SetRoles(centre(), "one", "boss", []Role{"root"})
	code(t, err, fault.BadValue)
	_, err = SetDisabled(centre(), "nobody", "boss", true)
	code(t, err, fault.NoSuchAccount)
}

// TestNobodyGetsEvidenceAlone lets one administrator do whatever they like, with their own account
// and all whose passwords they could have chosen. What they hold then opens no more than before.
func TestNobodyGetsEvidenceAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := centre()
		mine := map[ident.StaffID]bool{"boss": true}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			var hands []ident.StaffID // those of mine who may ask, or approve
			for _, a := range all {
				if mine[a.ID] && !a.Disabled && May(words(a.Roles), ApproveRoles) {
					hands = append(hands, a.ID)
				}
			}
			by := rapid.SampledFrom(hands).Draw(t, "by")
			id := all[rapid.IntRange(0, len(all)-1).Draw(t, "whom")].ID
			var a Account
			var err error
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				a, err = SetRoles(all, id, by, rapid.SliceOfN(rapid.SampledFrom(Roles()), 0, 4).Draw(t, "roles"))
			case 1:
				a, err = Approve(all, id, by)
			case 2:
				a, err = Decline(all, id)
			case 3:
				a, err = SetDisabled(all, id, by, rapid.Bool().Draw(t, "off"))
			case 4:
				if a, err = Invite(all, id, by); err == nil {
					mine[id] = true
				}
			case 5:
				a = Account{ID: ident.StaffID(fmt.Sprint("new", len(all))), Local: true}
				all, mine[a.ID] = append(all, a), true
			}
			if err != nil {
				continue
			}
			all = put(all, a)
			if !slices.ContainsFunc(all, rules) {
				t.Fatal("nobody can give accounts")
			}
			for _, a := range all {
				if mine[a.ID] && a.ID != "boss" && slices.ContainsFunc(a.Roles, Sensitive) || a.ID == "boss" && slices.ContainsFunc(a.Roles, func(r Role) bool { return Sensitive(r) && r != Administrator }) {
					t.Fatalf("alone: %+v", a)
				}
				if len(a.Pending) > 0 && slices.Contains(a.Pending, Operator) {
					t.Fatalf("%+v", a)
				}
			}
		}
	})
}

func words(roles []Role) []string {
	var out []string
	for _, r := range roles {
		out = append(out, string(r))
	}
	return out
}
