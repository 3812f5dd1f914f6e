package accounts

import (
	"slices"
	"strings"
	"testing"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
)

// office has an administrator, a supervisor and an operator.
func office(t *testing.T) (*Directory, *Accounts, *store.DB, map[string]ident.StaffID) {
	t.Helper()
	a, db, _ := open(t)
	ids := map[string]ident.StaffID{}
	for login, role := range map[string]string{"boss": "administrator", "lead": "supervisor", "aigul": "operator"} {
		s := hire(t, db, login)
		s.Roles, ids[login] = []string{role}, s.ID
		if err := db.PutStaff(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return NewDirectory(db), a, db, ids
}

func TestAnInvitedPersonChoosesTheirPasswordOnce(t *testing.T) {
	d, a, _, ids := office(t)
	ctx := t.Context()
	s, link, err := d.Create(ctx, ids["boss"], Person{Login: "dana", Name: "Дана", Unit: "north", Lang: "kk", Roles: []string{"investigator", "operator"}})
	if err != nil || !slices.Equal(s.Roles, []string{"operator"}) || !slices.Equal(s.Pending, []string{"investigator"}) {
		t.Fatalf("%+v %v", s, err)
	}
	if who, err := d.Invited(ctx, link); err != nil || who.Login != "dana" {
		t.Fatal(who, err)
	}
	_, err = d.Accept(ctx, link, "short")
	want(t, err, fault.BadPassword)
	_, err = d.Accept(ctx, "forged", "password-dana")
	want(t, err, fault.BadInvitation)
	_, err = d.Accept(ctx, link, "password-dana")
	want(t, err, "")
	_, err = d.Accept(ctx, link, "password-evil")
	want(t, err, fault.BadInvitation)
	token, who, err := a.SignIn(ctx, "dana", "password-dana", "", "a")
	if err != nil || slices.Contains(who.Roles, "investigator") {
		t.Fatal(who, err)
	}
	_, err = d.Approve(ctx, ids["boss"], s.ID)
	want(t, err, fault.SecondPerson)
	_, err = d.Approve(ctx, ids["lead"], s.ID)
	want(t, err, "")
	if who, err = a.Staff(ctx, token); err != nil || !slices.Contains(who.Roles, "investigator") {
		t.Fatal(who, err)
	}
	if who.UsedAt.IsZero() {
		t.Fatal("last use is not kept")
	}
	_, _, err = d.Create(ctx, ids["boss"], Person{Login: "dana", Name: "x"})
	want(t, err, fault.LoginTaken)
}

func TestADisabledAccountIsShutEverywhere(t *testing.T) {
	d, a, _, ids := office(t)
	ctx := t.Context()
	token, _, err := a.SignIn(ctx, "aigul", "password-aigul", "", "a")
	want(t, err, "")
	_, link, err := d.Invite(ctx, ids["boss"], ids["aigul"])
	want(t, err, "")
	_, err = d.SetDisabled(ctx, ids["boss"], ids["aigul"], true)
	want(t, err, "")
	_, err = a.Staff(ctx, token)
	want(t, err, fault.NotSignedIn)
	_, err = d.Accept(ctx, link, "password-new1")
	want(t, err, fault.BadInvitation)
	_, _, err = a.SignIn(ctx, "aigul", "password-aigul", "", "a")
	want(t, err, fault.BadSignIn)
	_, err = d.SetDisabled(ctx, ids["boss"], ids["boss"], true)
	want(t, err, fault.LastAdministrator)
}

// TestASecondFactorIsNotSetOverADisabledAccount holds what a slow page might undo: the row it read.
func TestASecondFactorIsNotSetOverADisabledAccount(t *testing.T) {
	d, a, db, ids := office(t)
	ctx := t.Context()
	old, err := db.StaffByID(ctx, ids["aigul"])
	want(t, err, "")
	_, err = d.SetDisabled(ctx, ids["boss"], ids["aigul"], true)
	want(t, err, "")
	want(t, a.SetTOTP(ctx, old, "", "", ""), fault.WrongState)
	if s, err := db.StaffByID(ctx, old.ID); err != nil || !s.Disabled {
		t.Fatal(s, err)
	}
}

func TestChangesAreToldAndTakenBackByTheSameRules(t *testing.T) {
	d, _, db, ids := office(t)
	ctx, boss, aigul := t.Context(), ids["boss"], ids["aigul"]
	_, err := d.Rename(ctx, boss, aigul, Person{Name: "Айгүл", Unit: "south"})
	want(t, err, "")
	_, err = d.SetRoles(ctx, boss, aigul, []string{"dispatcher"})
	want(t, err, "")
	find := func(field string) store.StaffChange {
		t.Helper()
		list, err := d.Changes(ctx, aigul)
		want(t, err, "")
		i := slices.IndexFunc(list, func(c store.StaffChange) bool { return c.Field == field && !c.Undone })
		if i < 0 {
			t.Fatal(field, list)
		}
		return list[i]
	}
	unit, roles := find("unit"), find("roles")
	if unit.Before != "" || unit.After != "south" || roles.Before != "operator" || roles.After != "dispatcher" || roles.Who != boss {
		t.Fatalf("%+v %+v", unit, roles)
	}
	s, err := d.Undo(ctx, boss, unit.ID)
	if err != nil || s.Unit != "" || s.Name != "Айгүл" {
		t.Fatalf("%+v %v", s, err)
	}
	_, err = d.Undo(ctx, boss, unit.ID)
	want(t, err, fault.WrongState)
	_, err = d.SetRoles(ctx, boss, aigul, []string{"camera"})
	want(t, err, "")
	_, err = d.Undo(ctx, boss, roles.ID) // changed again since
	want(t, err, fault.WrongState)
	_, err = d.Undo(ctx, boss, "nothing")
	want(t, err, fault.NotFound)
	_, err = d.SetRoles(ctx, boss, ids["lead"], nil)
	want(t, err, "")
	list, err := d.Changes(ctx, ids["lead"])
	want(t, err, "")
	s, err = d.Undo(ctx, boss, list[0].ID)
	if err != nil || len(s.Roles) != 0 || !slices.Equal(s.Pending, []string{"supervisor"}) {
		t.Fatalf("a role that opens evidence came back by one person: %+v %v", s, err)
	}
	if lines, err := db.ListAudit(ctx, string(aigul), 50); err != nil || len(lines) < 4 || !strings.HasPrefix(lines[0].Action, "account ") {
		t.Fatal(lines, err)
	}
}

func TestHostileEntriesAreRefused(t *testing.T) {
	d, _, _, ids := office(t)
	good := Person{Login: "x", Name: "X", Roles: []string{"operator"}}
	for name, edit := range map[string]func(*Person){
		"no login": func(p *Person) { p.Login = "" }, "two words": func(p *Person) { p.Login = "a b" }, "long": func(p *Person) { p.Login = strings.Repeat("x", 51) },
		"line break": func(p *Person) { p.Login = "a\n" }, "no name": func(p *Person) { p.Name = "" }, "NUL": func(p *Person) { p.Name = "a\x00" },
		"long unit": func(p *Person) { p.Unit = strings.Repeat("ү", 41) }, "role": func(p *Person) { p.Roles = []string{"root"} },
		"not UTF-8": func(p *Person) { p.Name = "\xff" },
	} {
		p := good
		edit(&p)
		if _, _, err := d.Create(t.Context(), ids["boss"], p); fault.CodeOf(err) != fault.BadValue {
			t.Error(name, err)
		}
	}
	good.Roles = slices.Repeat([]string{"operator"}, 1000)
	_, _, err := d.Create(t.Context(), ids["boss"], good)
	want(t, err, fault.TooMany)
	for _, op := range []func() error{
		func() error { _, err := d.Rename(t.Context(), ids["boss"], "none", Person{Name: "x"}); return err },
		func() error { _, err := d.SetRoles(t.Context(), ids["boss"], "none", nil); return err },
		func() error { _, err := d.DropFactor(t.Context(), ids["boss"], "none"); return err },
		func() error { _, _, err := d.Invite(t.Context(), ids["boss"], "none"); return err },
	} {
		want(t, op(), fault.NoSuchAccount)
	}
}
