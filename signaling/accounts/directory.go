package accounts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
)

// InviteTime is how long an invitation is good: a weekend and a day.
const InviteTime = 72 * time.Hour

const (
	maxName = 100 // letters
	maxUnit = 40
)

// Directory is where accounts are administered. It is safe for concurrent use.
type Directory struct{ db *store.DB }

// NewDirectory returns the directory of a store.
func NewDirectory(db *store.DB) *Directory { return &Directory{db} }

// Person is what an administrator enters of somebody.
type Person struct {
	Login, Name, Unit, Lang string
	Roles                   []string
}

// Fields of changes.
const (
	fieldAccount    = "account" // it was made
	fieldName       = "name"
	fieldUnit       = "unit"
	fieldRoles      = "roles"
	fieldPending    = "pending"
	fieldDisabled   = "disabled"
	fieldInvitation = "invitation"
	fieldFactor     = "second_factor"
)

// act is one change of an account while all others stand still.
type act struct {
	by   ident.StaffID
	id   ident.StaffID
	edit func(all []access.Account, e *store.StaffEdit) error
}

// do carries an act out, with a line for everything that it made different.
func (d *Directory) do(ctx context.Context, op string, a act) (store.Staff, error) {
	now := time.Now()
	s, err := d.db.ChangeStaff(ctx, func(all []store.Staff) (store.StaffEdit, error) {
		var e store.StaffEdit
		var before store.Staff
		rules := make([]access.Account, len(all))
		for i, s := range all {
			if rules[i] = account(s); s.ID == a.id {
				before, e.After = s, s
			}
		}
		if err := a.edit(rules, &e); err != nil {
			return e, err
		}
		tell(&e, before, a.by, now)
		return e, nil
	})
	return s, refusal(op, err)
}

func refusal(op string, err error) error {
	var f *fault.Error
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case errors.Is(err, store.ErrConflict):
		return fault.New(fault.LoginTaken, op, err)
	}
	return fault.New(fault.Unavailable, op, err)
}

// account is what rules see of one.
func account(s store.Staff) access.Account {
	return access.Account{ID: s.ID, Roles: roles(s.Roles), Pending: roles(s.Pending), PendingBy: s.PendingBy, Disabled: s.Disabled, Local: s.PasswordHash != ""}
}

func roles(words []string) []access.Role {
	out := make([]access.Role, len(words))
	for i, w := range words {
		out[i] = access.Role(w)
	}
	return out
}

func words(list []access.Role) []string {
	out := []string{}
	for _, r := range list {
		out = append(out, string(r))
	}
	return out
}

// tell adds to an edit a line for everything that it makes different.
func tell(e *store.StaffEdit, before store.Staff, by ident.StaffID, now time.Time) {
	add := func(field, was, is string) {
		if was == is && field != fieldInvitation && field != fieldAccount {
			return
		}
		c := store.StaffChange{ID: ident.New[string](), At: now, Who: by, Staff: e.After.ID, Field: field, Before: was, After: is}
		e.Lines = append(e.Lines, c)
		e.Audit = append(e.Audit, store.Audit{
			ID: ident.New[string](), At: now, Who: string(by), Action: "account " + field, Object: string(e.After.ID), Detail: was + " → " + is,
		})
	}
	if before.ID == "" {
		add(fieldAccount, "", e.After.Login)
	}
	add(fieldName, before.Name, e.After.Name)
	add(fieldUnit, before.Unit, e.After.Unit)
	add(fieldRoles, strings.Join(before.Roles, " "), strings.Join(e.After.Roles, " "))
	add(fieldPending, strings.Join(before.Pending, " "), strings.Join(e.After.Pending, " "))
	add(fieldDisabled, yes(before.Disabled), yes(e.After.Disabled))
	add(fieldFactor, yes(before.TOTPSecret != ""), yes(e.After.TOTPSecret != ""))
	if e.Invitation != "" {
		add(fieldInvitation, "", e.Expires.UTC().Format(time.RFC3339))
	}
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// ruled puts what rules made of an account into an edit.
func ruled(e *store.StaffEdit, a access.Account, err error) error {
	e.After.Roles, e.After.Pending, e.After.PendingBy, e.After.Disabled = words(a.Roles), words(a.Pending), a.PendingBy, a.Disabled
	return err
}

// Create makes an account and the link by which its owner chooses a password.
func (d *Directory) Create(ctx context.Context, by ident.StaffID, p Person) (s store.Staff, link string, err error) {
	const op = "accounts.create"
	if err := p.sound(op, true); err != nil {
		return s, "", err
	}
	id, link := ident.New[ident.StaffID](), newToken()
	s, err = d.do(ctx, op, act{by, id, func(all []access.Account, e *store.StaffEdit) error {
		e.After = store.Staff{ID: id, Login: p.Login, Name: p.Name, Unit: p.Unit, Lang: p.Lang}
		e.Invitation, e.Expires = tokenHash(link), time.Now().Add(InviteTime)
		a, err := access.SetRoles(append(all, access.Account{ID: id}), id, by, roles(p.Roles))
		return ruled(e, a, err)
	}})
	return s, link, err
}

// sound checks what somebody entered.
func (p Person) sound(op string, login bool) error {
	line := func(text string, letters int) bool {
		return utf8.ValidString(text) && utf8.RuneCountInString(text) <= letters && text == strings.TrimSpace(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
	}
	switch {
	case login && (p.Login == "" || !line(p.Login, maxLogin/4) || strings.ContainsRune(p.Login, ' ')):
		return fault.Newf(fault.BadValue, op, "login")
	case p.Name == "" || !line(p.Name, maxName):
		return fault.Newf(fault.BadValue, op, "name")
	case !line(p.Unit, maxUnit):
		return fault.Newf(fault.BadValue, op, "unit")
	case len(p.Roles) > len(access.Roles()):
		return fault.Newf(fault.TooMany, op, "roles")
	}
	return nil
}

// Rename changes what somebody is called and where they work.
func (d *Directory) Rename(ctx context.Context, by, id ident.StaffID, p Person) (store.Staff, error) {
	const op = "accounts.change"
	if err := p.sound(op, false); err != nil {
		return store.Staff{}, err
	}
	return d.do(ctx, op, act{by, id, func(_ []access.Account, e *store.StaffEdit) error {
		if e.After.ID == "" {
			return fault.New(fault.NoSuchAccount, op, nil)
		}
		e.After.Name, e.After.Unit = p.Name, p.Unit
		return nil
	}})
}

// SetRoles gives somebody other roles; those that open evidence wait for Approve.
func (d *Directory) SetRoles(ctx context.Context, by, id ident.StaffID, wanted []string) (store.Staff, error) {
	return d.do(ctx, "accounts.roles", act{by, id, func(all []access.Account, e *store.StaffEdit) error {
		a, err := access.SetRoles(all, id, by, roles(wanted))
		return ruled(e, a, err)
	}})
}

// Approve gives somebody the roles that wait.
func (d *Directory) Approve(ctx context.Context, by, id ident.StaffID) (store.Staff, error) {
	return d.do(ctx, "accounts.approve", act{by, id, func(all []access.Account, e *store.StaffEdit) error {
		a, err := access.Approve(all, id, by)
		return ruled(e, a, err)
	}})
}

// Decline takes back roles that wait.
func (d *Directory) Decline(ctx context.Context, by, id ident.StaffID) (store.Staff, error) {
	return d.do(ctx, "accounts.approve", act{by, id, func(all []access.Account, e *store.StaffEdit) error {
		a, err := access.Decline(all, id)
		return ruled(e, a, err)
	}})
}

// SetDisabled ends or reopens an account; its sessions and links end with it.
func (d *Directory) SetDisabled(ctx context.Context, by, id ident.StaffID, disabled bool) (store.Staff, error) {
	return d.do(ctx, "accounts.disable", act{by, id, func(all []access.Account, e *store.StaffEdit) error {
		e.EndSessions = disabled
		a, err := access.SetDisabled(all, id, by, disabled)
		return ruled(e, a, err)
	}})
}

// Invite makes a link by which somebody chooses a password anew. Their sessions end when they do.
func (d *Directory) Invite(ctx context.Context, by, id ident.StaffID) (s store.Staff, link string, err error) {
	link = newToken()
	s, err = d.do(ctx, "accounts.invite", act{by, id, func(all []access.Account, e *store.StaffEdit) error {
		e.Invitation, e.Expires = tokenHash(link), time.Now().Add(InviteTime)
		a, err := access.Invite(all, id, by)
		return ruled(e, a, err)
	}})
	return s, link, err
}

// DropFactor takes somebody's second factor off, for who has lost their phone.
func (d *Directory) DropFactor(ctx context.Context, by, id ident.StaffID) (store.Staff, error) {
	const op = "accounts.factor"
	return d.do(ctx, op, act{by, id, func(_ []access.Account, e *store.StaffEdit) error {
		switch {
		case e.After.ID == "":
			return fault.New(fault.NoSuchAccount, op, nil)
		case e.After.TOTPSecret == "":
			return fault.New(fault.WrongState, op, nil)
		}
		e.After.TOTPSecret, e.EndSessions = "", true
		return nil
	}})
}

// Undo takes a change back, by the same rules as any other change. It must not have been changed
// again since.
func (d *Directory) Undo(ctx context.Context, by ident.StaffID, change string) (store.Staff, error) {
	const op = "accounts.undo"
	c, err := d.db.StaffChangeByID(ctx, change)
	if errors.Is(err, store.ErrNotFound) {
		return store.Staff{}, fault.New(fault.NotFound, op, nil)
	}
	if err != nil {
		return store.Staff{}, fault.New(fault.Unavailable, op, err)
	}
	s, err := d.do(ctx, op, act{by, c.Staff, func(all []access.Account, e *store.StaffEdit) error {
		e.Undoes = c.ID
		if c.Undone || !Undoable(c) {
			return fault.New(fault.WrongState, op, nil)
		}
		return undo(all, e, c, by)
	}})
	if fault.CodeOf(err) == fault.LoginTaken { // somebody undid it meanwhile
		err = fault.New(fault.WrongState, op, err)
	}
	return s, err
}

// Undoable reports whether a change can be taken back where nothing happened since.
func Undoable(c store.StaffChange) bool {
	return !c.Undone && slices.Contains([]string{fieldName, fieldUnit, fieldRoles, fieldDisabled}, c.Field) && c.Before+c.After != "" && (c.Field != fieldName || c.Before != "")
}

// undo turns one field of an edit back.
func undo(all []access.Account, e *store.StaffEdit, c store.StaffChange, by ident.StaffID) error {
	now := map[string]string{
		fieldName: e.After.Name, fieldUnit: e.After.Unit, fieldRoles: strings.Join(e.After.Roles, " "), fieldDisabled: yes(e.After.Disabled),
	}
	if now[c.Field] != c.After {
		return fault.New(fault.WrongState, "accounts.undo", nil)
	}
	switch c.Field {
	case fieldName:
		e.After.Name = c.Before
	case fieldUnit:
		e.After.Unit = c.Before
	case fieldRoles:
		a, err := access.SetRoles(all, c.Staff, by, roles(strings.Fields(c.Before)))
		return ruled(e, a, err)
	case fieldDisabled:
		e.EndSessions = c.Before == yes(true)
		a, err := access.SetDisabled(all, c.Staff, by, e.EndSessions)
		return ruled(e, a, err)
	}
	return nil
}

// List returns all accounts by login.
func (d *Directory) List(ctx context.Context) (all []store.Staff, linked map[ident.StaffID]bool, err error) {
	all, err = d.db.ListStaff(ctx)
	if err == nil {
		linked, err = d.db.LinkedStaff(ctx)
	}
	if err != nil {
		err = fault.New(fault.Unavailable, "accounts.list", err)
	}
	return all, linked, err
}

// maxChanges bounds a list of changes.
const maxChanges = 200

// Changes returns the newest changes, of all accounts where staff is empty.
func (d *Directory) Changes(ctx context.Context, staff ident.StaffID) ([]store.StaffChange, error) {
	list, err := d.db.ListStaffChanges(ctx, staff, maxChanges)
	if err != nil {
		err = fault.New(fault.Unavailable, "accounts.changes", err)
	}
	return list, err
}

// Version grows with every change of an account, and with nothing else.
func (d *Directory) Version(ctx context.Context) (int64, error) { return d.db.StaffVersion(ctx) }

// Invited returns whom a link invites, or bad_invitation.
func (d *Directory) Invited(ctx context.Context, link string) (store.Staff, error) {
	s, err := d.db.Invited(ctx, tokenHash(link), time.Now())
	return s, invitation(err)
}

// Accept sets the password of whom a link invites, once.
func (d *Directory) Accept(ctx context.Context, link, password string) (store.Staff, error) {
	hash, err := HashPassword(password)
	if err != nil {
		return store.Staff{}, fault.New(fault.BadPassword, "accounts.accept", err)
	}
	s, err := d.db.Accept(ctx, tokenHash(link), hash, time.Now())
	return s, invitation(err)
}

func invitation(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.BadInvitation, "accounts.accept", nil)
	}
	return fault.New(fault.Unavailable, "accounts.accept", err)
}
