package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"jedel/internal/ident"
)

// Staff is a person who works here. The password is kept as its argon2id hash.
type Staff struct {
	ID           ident.StaffID
	Login, Name  string
	Roles        []string // words without blanks
	PasswordHash string
	TOTPSecret   string // empty: no second factor
	Disabled     bool
	Lang         string
	Unit         string        // where the person works; empty: the whole site
	Pending      []string      // roles that wait for a second person
	PendingBy    ident.StaffID // who asked for them
	UsedAt       time.Time     // last use, to the hour; only ever read
}

// staff keeps who works here and their sessions.
type staff struct{ c *conn }

const staffColumns = `id, login, name, roles, password, totp_secret, disabled, lang, unit, pending, pending_by`

func scanStaff(s scanner) (st Staff, err error) {
	var roles, pending string
	var disabled int64
	err = s.Scan(&st.ID, &st.Login, &st.Name, &roles, &st.PasswordHash, &st.TOTPSecret, &disabled, &st.Lang, &st.Unit, &pending, &st.PendingBy, instant{&st.UsedAt})
	st.Roles, st.Disabled = strings.Fields(roles), disabled != 0
	if pending != "" {
		st.Pending = strings.Fields(pending)
	}
	return st, err
}

// PutStaff enters or changes a member of staff, whatever stands there. A login that somebody else
// has gives ErrConflict.
func (k staff) PutStaff(ctx context.Context, s Staff) error {
	_, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (struct{}, error) { return struct{}{}, t.putStaff(ctx, s) })
	return err
}

func (t txn) putStaff(ctx context.Context, s Staff) error {
	disabled := 0
	if s.Disabled {
		disabled = 1
	}
	_, err := t.exec(ctx, `INSERT INTO staff (`+staffColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET login = excluded.login, name = excluded.name, roles = excluded.roles,
		password = excluded.password, totp_secret = excluded.totp_secret, disabled = excluded.disabled, lang = excluded.lang,
		unit = excluded.unit, pending = excluded.pending, pending_by = excluded.pending_by, version = staff.version + 1`,
		s.ID, s.Login, s.Name, strings.Join(s.Roles, " "), s.PasswordHash, s.TOTPSecret, disabled, s.Lang,
		s.Unit, strings.Join(s.Pending, " "), s.PendingBy)
	if taken(err) {
		return ErrConflict
	}
	return err
}

// StaffByLogin finds a member of staff, or ErrNotFound.
func (k staff) StaffByLogin(ctx context.Context, login string) (Staff, error) {
	return one(ctx, k.c, scanStaff, `SELECT `+staffColumns+`, used_at FROM staff WHERE login = ?`, login)
}

// StaffByID finds a member of staff, or ErrNotFound.
func (k staff) StaffByID(ctx context.Context, id ident.StaffID) (Staff, error) {
	return one(ctx, k.c, scanStaff, `SELECT `+staffColumns+`, used_at FROM staff WHERE id = ?`, id)
}

// ListStaff returns all staff by login.
func (k staff) ListStaff(ctx context.Context) ([]Staff, error) {
	list, err := many(ctx, k.c, scanStaff, `SELECT `+staffColumns+`, used_at FROM staff ORDER BY login`)
	if err != nil {
		return nil, fmt.Errorf("list staff: %w", err)
	}
	return list, nil
}

// UseTOTP notes that a one-time password of a step was used; it reports false where that step or
// a later one was used before: a code is good once.
func (k staff) UseTOTP(ctx context.Context, id ident.StaffID, step int64) (bool, error) {
	return inTx(ctx, k.c, func(ctx context.Context, t txn) (bool, error) {
		rows, err := t.exec(ctx, `UPDATE staff SET totp_last = ? WHERE id = ? AND totp_last < ?`, step, id, step)
		return rows == 1, err
	})
}

// PutStaffSession keeps a new session under the hash of its token. One that is there stays as it
// is.
func (k staff) PutStaffSession(ctx context.Context, hash string, id ident.StaffID, expires time.Time) error {
	return k.c.exec(ctx, `INSERT INTO staff_sessions (hash, staff, expires) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING`, hash, id, expires)
}

// ProlongStaffSession moves the end of a session that is not over at now, and never to an earlier
// time; ErrNotFound where it was ended meanwhile: it stays ended.
func (k staff) ProlongStaffSession(ctx context.Context, hash string, now, until time.Time) error {
	_, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (struct{}, error) {
		rows, err := t.exec(ctx, `UPDATE staff_sessions SET expires = CASE WHEN expires > ? THEN expires ELSE ? END WHERE hash = ? AND expires > ?`,
			until, until, hash, now)
		if err == nil && rows == 0 {
			err = ErrNotFound
		}
		return struct{}{}, err
	})
	return err
}

// StaffSession returns whose session it is and until when, or ErrNotFound. It does not compare
// the time.
func (k staff) StaffSession(ctx context.Context, hash string) (Staff, time.Time, error) {
	var expires time.Time
	id, err := one(ctx, k.c, func(s scanner) (id ident.StaffID, err error) {
		err = s.Scan(&id, instant{&expires})
		return id, err
	}, `SELECT staff, expires FROM staff_sessions WHERE hash = ?`, hash)
	if err != nil {
		return Staff{}, time.Time{}, err
	}
	s, err := k.StaffByID(ctx, id)
	return s, expires, err
}

// DeleteStaffSession ends a session.
func (k staff) DeleteStaffSession(ctx context.Context, hash string) error {
	return k.c.exec(ctx, `DELETE FROM staff_sessions WHERE hash = ?`, hash)
}

// DeleteExpired removes sessions, tokens and codes that are past their time.
func (k staff) DeleteExpired(ctx context.Context, now time.Time) error {
	var errs []error
	for _, table := range []string{"staff_sessions", "caller_tokens", "codes", "staff_invitations"} {
		errs = append(errs, k.c.exec(ctx, `DELETE FROM `+table+` WHERE expires < ?`, now))
	}
	return errors.Join(errs...)
}
