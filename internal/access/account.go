package access

import (
	"slices"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Account is what rules about accounts need to know of one.
type Account struct {
	ID        ident.StaffID
	Roles     []Role
	Pending   []Role        // wait for a second person
	PendingBy ident.StaffID // who asked for them; empty: the identity provider
	Disabled  bool
	Local     bool // can sign in without an identity provider
}

// The operations of accounts, as refusals name them.
const (
	opRoles   = "accounts.roles"
	opApprove = "accounts.approve"
	opDisable = "accounts.disable"
	opInvite  = "accounts.invite"
)

// SetRoles gives an account other roles. Those that open evidence and are new wait for a second
// person; by asks for them.
func SetRoles(all []Account, id, by ident.StaffID, wanted []Role) (Account, error) {
	a, err := known(all, id, opRoles)
	if err != nil {
		return a, err
	}
	for _, r := range wanted {
		if !slices.Contains(Roles(), r) {
			return a, fault.Newf(fault.BadValue, opRoles, "%q is no role", r)
		}
	}
	before := a
	a.Roles, a.Pending, a.PendingBy = nil, nil, ""
	for _, r := range ordered(wanted) {
		if Sensitive(r) && !slices.Contains(before.Roles, r) {
			a.Pending, a.PendingBy = append(a.Pending, r), by
		} else {
			a.Roles = append(a.Roles, r)
		}
	}
	if slices.Equal(a.Pending, before.Pending) { // asked for already
		a.PendingBy = before.PendingBy
	}
	return a, keepsOne(all, a, opRoles)
}

// Approve gives an account the roles that wait. Neither who asked for them nor who gets them may.
func Approve(all []Account, id, by ident.StaffID) (Account, error) {
	a, err := known(all, id, opApprove)
	switch {
	case err != nil:
		return a, err
	case len(a.Pending) == 0:
		return a, fault.New(fault.WrongState, opApprove, nil)
	case by == "" || by == a.PendingBy || by == id:
		return a, fault.New(fault.SecondPerson, opApprove, nil)
	}
	a.Roles = ordered(append(slices.Clone(a.Roles), a.Pending...))
	a.Pending, a.PendingBy = nil, ""
	return a, nil
}

// Decline takes roles back that wait. Anybody who may approve may do that, and who asked.
func Decline(all []Account, id ident.StaffID) (Account, error) {
	a, err := known(all, id, opApprove)
	if err == nil && len(a.Pending) == 0 {
		err = fault.New(fault.WrongState, opApprove, nil)
	}
	a.Pending, a.PendingBy = nil, ""
	return a, err
}

// SetDisabled ends or reopens an account. Reopening makes roles that open evidence wait again.
func SetDisabled(all []Account, id, by ident.StaffID, disabled bool) (Account, error) {
	a, err := known(all, id, opDisable)
	if err != nil {
		return a, err
	}
	if a.Disabled && !disabled {
		a = demote(a, by)
	}
	a.Disabled = disabled
	return a, keepsOne(all, a, opDisable)
}

// Invite lets whoever has the link choose the account's password. Whoever makes the link could use
// it themself: roles that open evidence wait for a second person again.
func Invite(all []Account, id, by ident.StaffID) (Account, error) {
	a, err := known(all, id, opInvite)
	switch {
	case err != nil:
		return a, err
	case a.Disabled:
		return a, fault.New(fault.WrongState, opInvite, nil)
	case id == by: // it is theirs already
		return a, nil
	}
	a = demote(a, by)
	return a, keepsOne(all, a, opInvite)
}

// demote makes roles that open evidence wait for somebody other than by. Somebody other than who
// asked before may have asked now: then neither may approve, so what waited is dropped.
func demote(a Account, by ident.StaffID) Account {
	var keep, wait []Role
	for _, r := range a.Roles {
		if Sensitive(r) {
			wait = append(wait, r)
		} else {
			keep = append(keep, r)
		}
	}
	if len(a.Pending) > 0 && a.PendingBy == by {
		wait = ordered(append(wait, a.Pending...))
	}
	a.Roles, a.Pending, a.PendingBy = keep, wait, by
	if len(wait) == 0 {
		a.PendingBy = ""
	}
	return a
}

// known finds an account.
func known(all []Account, id ident.StaffID, op string) (Account, error) {
	for _, a := range all {
		if a.ID == id {
			return a, nil
		}
	}
	return Account{}, fault.New(fault.NoSuchAccount, op, nil)
}

// keepsOne refuses what would leave nobody who can give accounts: an administrator who can sign in
// by themself.
func keepsOne(all []Account, after Account, op string) error {
	was := slices.ContainsFunc(all, rules)
	is := slices.ContainsFunc(all, func(a Account) bool {
		if a.ID == after.ID {
			a = after
		}
		return rules(a)
	})
	if was && !is {
		return fault.New(fault.LastAdministrator, op, nil)
	}
	return nil
}

func rules(a Account) bool { return !a.Disabled && a.Local && slices.Contains(a.Roles, Administrator) }

// ordered returns the roles once each, in the order of Roles.
func ordered(list []Role) []Role {
	var out []Role
	for _, r := range Roles() {
		if slices.Contains(list, r) {
			out = append(out, r)
		}
	}
	return out
}
