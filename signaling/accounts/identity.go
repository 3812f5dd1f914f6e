package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
)

// Known is who somebody is at an identity provider.
type Known struct {
	Issuer, Subject, Name string
	Mapped                bool // Roles are what the provider says; else administrators give them
	Roles                 []string
	UnitMapped            bool
	Unit                  string
}

// SignInKnown begins a session of somebody whom an identity provider knows. They are linked by
// issuer and subject, never by a name or an address of theirs. Roles that the provider gives for
// the first time and that open evidence wait for a second person as all do.
func (a *Accounts) SignInKnown(ctx context.Context, k Known) (string, store.Staff, error) {
	const op = "staff.oidc"
	d := a.Directory()
	s, err := a.db.StaffByIdentity(ctx, k.Issuer, k.Subject)
	if errors.Is(err, store.ErrNotFound) {
		s, err = d.enter(ctx, k)
	}
	switch {
	case fault.CodeOf(err) == fault.NoAccount:
		return "", s, err
	case err != nil:
		return "", s, fault.New(fault.Unavailable, op, err)
	case s.Disabled:
		return "", s, fault.New(fault.NoAccount, op, nil)
	}
	if s, err = d.follow(ctx, s, k); err != nil {
		return "", s, err
	}
	if s.Disabled || len(s.Roles)+len(s.Pending) == 0 {
		return "", s, fault.New(fault.NoAccount, op, nil)
	}
	token, err := a.open(ctx, s.ID)
	return token, s, err
}

// enter makes an account for somebody who comes for the first time. Whom the provider gives no role
// here gets none. Killed between the two writes, the next sign-in finds the account by its login,
// which is made of the identity alone.
func (d *Directory) enter(ctx context.Context, k Known) (store.Staff, error) {
	if k.Mapped && len(k.Roles) == 0 {
		return store.Staff{}, fault.New(fault.NoAccount, "staff.oidc", nil)
	}
	sum := sha256.Sum256([]byte(k.Issuer + "\x00" + k.Subject))
	login, id := "sso-"+hex.EncodeToString(sum[:6]), ident.New[ident.StaffID]()
	s, err := d.do(ctx, "staff.oidc", act{"", id, func(_ []access.Account, e *store.StaffEdit) error {
		e.After = store.Staff{ID: id, Login: login, Name: k.Name, Lang: "kk"}
		if k.Name == "" {
			e.After.Name = login
		}
		return nil
	}})
	if fault.CodeOf(err) == fault.LoginTaken {
		s, err = d.db.StaffByLogin(ctx, login)
	}
	if err != nil {
		return s, err
	}
	err = d.db.LinkIdentity(ctx, k.Issuer, k.Subject, s.ID, time.Now())
	if errors.Is(err, store.ErrConflict) { // in another tab at the same moment
		return d.db.StaffByIdentity(ctx, k.Issuer, k.Subject)
	}
	return s, err
}

// follow gives an account what the provider says now.
func (d *Directory) follow(ctx context.Context, s store.Staff, k Known) (store.Staff, error) {
	same := (!k.UnitMapped || s.Unit == k.Unit) && (!k.Mapped || sameSet(append(slices.Clone(s.Roles), s.Pending...), k.Roles))
	if same {
		return s, nil
	}
	return d.do(ctx, "staff.oidc", act{"", s.ID, func(all []access.Account, e *store.StaffEdit) error {
		if e.After.Disabled { // since we looked
			return nil
		}
		if k.UnitMapped {
			e.After.Unit = k.Unit
		}
		if !k.Mapped {
			return nil
		}
		after, err := access.SetRoles(all, s.ID, "", roles(k.Roles))
		return ruled(e, after, err)
	}})
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// AdmitSignOn admits one attempt from an address to come by an identity provider; SignedOn gives it
// back when it succeeded.
func (a *Accounts) AdmitSignOn(addr string) error {
	a.limits.mu.Lock()
	defer a.limits.mu.Unlock()
	if !take(&a.limits.signers, addr, time.Now()) {
		return fault.New(fault.RateLimited, "staff.oidc", nil)
	}
	return nil
}

// SignedOn gives back what AdmitSignOn took.
func (a *Accounts) SignedOn(addr string) {
	a.limits.mu.Lock()
	defer a.limits.mu.Unlock()
	a.limits.signers.Give(addr)
}
