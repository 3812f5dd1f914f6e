package accounts

import (
	"slices"
	"testing"

	"jedel/internal/fault"
)

var dana = Known{Issuer: "https://id/", Subject: "7", Name: "Дана", Mapped: true, Roles: []string{"operator"}}

func TestWhomTheProviderKnowsHasOneAccountByIssuerAndSubject(t *testing.T) {
	d, a, db, ids := office(t)
	ctx := t.Context()
	token, first, err := a.SignInKnown(ctx, dana)
	if err != nil || !slices.Equal(first.Roles, []string{"operator"}) || first.PasswordHash != "" {
		t.Fatalf("%+v %v", first, err)
	}
	if s, err := a.Staff(ctx, token); err != nil || s.ID != first.ID {
		t.Fatal(s, err)
	}
	renamed := dana
	renamed.Name = "aigul" // somebody's name or login is nobody's account
	if _, s, err := a.SignInKnown(ctx, renamed); err != nil || s.ID != first.ID || s.ID == ids["aigul"] {
		t.Fatal(s, err)
	}
	other := dana
	other.Issuer = "https://evil/"
	if _, s, err := a.SignInKnown(ctx, other); err != nil || s.ID == first.ID {
		t.Fatal("another issuer's 7 is another person", s, err)
	}
	_, _, err = a.SignIn(ctx, first.Login, "", "", "a")
	want(t, err, fault.BadSignIn) // it has no password
	_, err = d.SetDisabled(ctx, ids["boss"], first.ID, true)
	want(t, err, "")
	_, _, err = a.SignInKnown(ctx, dana)
	want(t, err, fault.NoAccount)
	_, err = a.Staff(ctx, token)
	want(t, err, fault.NotSignedIn)
	if s, err := db.StaffByID(ctx, first.ID); err != nil || !s.Disabled {
		t.Fatal("the provider reopened it", s, err)
	}
	if _, _, err := a.SignIn(ctx, "boss", "password-boss", "", "a"); err != nil {
		t.Fatal("a local account beside it", err)
	}
}

func TestRolesFollowTheProviderAndEvidenceWaits(t *testing.T) {
	d, a, _, ids := office(t)
	ctx := t.Context()
	chief := dana
	chief.Roles = []string{"operator", "supervisor"}
	token, s, err := a.SignInKnown(ctx, chief)
	if err != nil || !slices.Equal(s.Roles, []string{"operator"}) || !slices.Equal(s.Pending, []string{"supervisor"}) {
		t.Fatalf("%+v %v", s, err)
	}
	_, err = d.Approve(ctx, s.ID, s.ID)
	want(t, err, fault.SecondPerson)
	_, err = d.Approve(ctx, ids["boss"], s.ID)
	want(t, err, "")
	if _, s, err = a.SignInKnown(ctx, chief); err != nil || !slices.Equal(s.Roles, []string{"operator", "supervisor"}) {
		t.Fatal("approved once, it stays", s, err)
	}
	if _, s, err = a.SignInKnown(ctx, dana); err != nil || !slices.Equal(s.Roles, []string{"operator"}) {
		t.Fatal(s, err)
	}
	nothing := dana
	nothing.Roles = nil
	_, _, err = a.SignInKnown(ctx, nothing)
	want(t, err, fault.NoAccount)
	if s, err = a.Staff(ctx, token); err != nil || len(s.Roles) != 0 {
		t.Fatal("what the provider took stays", s, err)
	}
	stranger := nothing
	stranger.Subject = "8"
	_, _, err = a.SignInKnown(ctx, stranger)
	want(t, err, fault.NoAccount)
	if all, _, err := d.List(ctx); err != nil || len(all) != 4 {
		t.Fatal("somebody without a role here got an account", all, err)
	}
}

func TestWhereAdministratorsGiveRolesAStrangerWaitsForThem(t *testing.T) {
	d, a, db, ids := office(t)
	ctx := t.Context()
	k := Known{Issuer: "https://id/", Subject: "9", Name: "Ержан"}
	_, _, err := a.SignInKnown(ctx, k)
	want(t, err, fault.NoAccount)
	s, err := db.StaffByIdentity(ctx, k.Issuer, k.Subject)
	want(t, err, "")
	_, err = d.SetRoles(ctx, ids["boss"], s.ID, []string{"dispatcher"})
	want(t, err, "")
	if _, s, err = a.SignInKnown(ctx, k); err != nil || !slices.Equal(s.Roles, []string{"dispatcher"}) {
		t.Fatal(s, err)
	}
}
