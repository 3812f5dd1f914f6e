package store

import (
	"context"
	"fmt"
	"time"

	"jedel/internal/ident"
)

// StaffChange is one thing that became different about an account.
type StaffChange struct {
	ID            string
	At            time.Time
	Who           ident.StaffID // empty: the identity provider or the command line
	Staff         ident.StaffID
	Field         string
	Before, After string
	Undone        bool
}

// StaffEdit is what a decision about accounts leads to, all of it or nothing.
type StaffEdit struct {
	After       Staff
	Lines       []StaffChange
	Audit       []Audit
	Undoes      string // the change that this takes back
	EndSessions bool   // of After
	Invitation  string // hash of a new link for After; replaces an older one
	Expires     time.Time
}

// staffing keeps how accounts change.
type staffing struct{ c *conn }

// ChangeStaff reads all accounts, lets decide say what becomes of one, and writes that. Nobody
// changes an account between the two: rules about all of them hold. decide must be pure; its error
// is returned and changed nothing. A login or undoing that somebody was faster with gives
// ErrConflict.
func (k staffing) ChangeStaff(ctx context.Context, decide func(all []Staff) (StaffEdit, error)) (Staff, error) {
	return inTx(ctx, k.c, func(ctx context.Context, t txn) (Staff, error) {
		all, err := t.allStaff(ctx)
		if err != nil {
			return Staff{}, fmt.Errorf("read staff: %w", err)
		}
		e, err := decide(all)
		if err != nil {
			return Staff{}, err
		}
		return e.After, t.editStaff(ctx, e)
	})
}

// allStaff reads all accounts and keeps others from changing them until the transaction is through.
func (t txn) allStaff(ctx context.Context) ([]Staff, error) {
	query := `SELECT ` + staffColumns + `, used_at FROM staff ORDER BY id`
	if t.pg {
		query += ` FOR UPDATE`
		// Rows that are entered meanwhile are locked by nobody: whoever decides waits their turn.
		if _, err := t.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(staffLock)); err != nil {
			return nil, err
		}
	}
	rows, err := t.tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Staff
	for rows.Next() {
		s, err := scanStaff(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// staffLock names the lock of those who decide about accounts.
const staffLock = 0x6a656465 // "jede"

func (t txn) editStaff(ctx context.Context, e StaffEdit) error {
	if err := t.putStaff(ctx, e.After); err != nil {
		return err
	}
	for _, c := range e.Lines {
		if _, err := t.exec(ctx, `INSERT INTO staff_changes (id, at, who, staff, field, before, after, undone) VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
			c.ID, c.At, c.Who, c.Staff, c.Field, c.Before, c.After); err != nil {
			return err
		}
	}
	for _, a := range e.Audit {
		if _, err := t.exec(ctx, `INSERT INTO audit (id, at, who, action, object, detail) VALUES (?, ?, ?, ?, ?, ?)`,
			a.ID, a.At, a.Who, a.Action, a.Object, a.Detail); err != nil {
			return err
		}
	}
	if e.Undoes != "" {
		rows, err := t.exec(ctx, `UPDATE staff_changes SET undone = 1 WHERE id = ? AND undone = 0`, e.Undoes)
		if err == nil && rows != 1 {
			err = ErrConflict
		}
		if err != nil {
			return err
		}
	}
	if e.EndSessions {
		if _, err := t.exec(ctx, `DELETE FROM staff_sessions WHERE staff = ?`, e.After.ID); err != nil {
			return err
		}
	}
	if e.EndSessions || e.Invitation != "" {
		if _, err := t.exec(ctx, `DELETE FROM staff_invitations WHERE staff = ?`, e.After.ID); err != nil {
			return err
		}
	}
	if e.Invitation == "" {
		return nil
	}
	_, err := t.exec(ctx, `INSERT INTO staff_invitations (staff, hash, expires) VALUES (?, ?, ?)`, e.After.ID, e.Invitation, e.Expires)
	return err
}

// Invited returns whose invitation it is, or ErrNotFound where it was used, replaced or is over.
func (k staffing) Invited(ctx context.Context, hash string, now time.Time) (Staff, error) {
	return one(ctx, k.c, scanStaff, `SELECT `+staffColumns+`, used_at FROM staff WHERE id = (SELECT staff FROM staff_invitations WHERE hash = ? AND expires > ?)`, hash, now)
}

// Accept sets the password of whoever an invitation is for, once, and ends their sessions;
// ErrNotFound where there is none any more or the account is disabled.
func (k staffing) Accept(ctx context.Context, hash, password string, now time.Time) (Staff, error) {
	return inTx(ctx, k.c, func(ctx context.Context, t txn) (Staff, error) {
		s, err := scanStaff(t.row(ctx, `SELECT `+staffColumns+`, used_at FROM staff WHERE disabled = 0 AND id =
			(SELECT staff FROM staff_invitations WHERE hash = ? AND expires > ?)`, hash, now))
		if err != nil {
			return s, found(err)
		}
		rows, err := t.exec(ctx, `DELETE FROM staff_invitations WHERE hash = ?`, hash)
		if err == nil && rows != 1 {
			err = ErrNotFound
		}
		if err == nil {
			_, err = t.exec(ctx, `UPDATE staff SET password = ?, version = version + 1 WHERE id = ?`, password, s.ID)
		}
		if err == nil {
			_, err = t.exec(ctx, `DELETE FROM staff_sessions WHERE staff = ?`, s.ID)
		}
		s.PasswordHash = password
		return s, err
	})
}

// ListStaffChanges returns the newest changes, of all accounts where staff is empty.
func (k staffing) ListStaffChanges(ctx context.Context, staff ident.StaffID, limit int) ([]StaffChange, error) {
	where, args := ``, []any{limit}
	if staff != "" {
		where, args = ` WHERE staff = ?`, []any{staff, limit}
	}
	return many(ctx, k.c, scanChange, `SELECT `+changeColumns+` FROM staff_changes`+where+` ORDER BY at DESC, id DESC LIMIT ?`, args...)
}

// StaffChangeByID returns one change, or ErrNotFound.
func (k staffing) StaffChangeByID(ctx context.Context, id string) (StaffChange, error) {
	return one(ctx, k.c, scanChange, `SELECT `+changeColumns+` FROM staff_changes WHERE id = ?`, id)
}

const changeColumns = `id, at, who, staff, field, before, after, undone`

func scanChange(s scanner) (c StaffChange, err error) {
	var undone int64
	err = s.Scan(&c.ID, instant{&c.At}, &c.Who, &c.Staff, &c.Field, &c.Before, &c.After, &undone)
	c.Undone = undone != 0
	return c, err
}

// StaffVersion grows with every change of an account: whoever sees it unchanged need not look.
func (k staffing) StaffVersion(ctx context.Context) (int64, error) {
	return one(ctx, k.c, func(s scanner) (v int64, err error) { err = s.Scan(&v); return v, err },
		`SELECT CAST(COALESCE(SUM(version), 0) + COUNT(*) AS BIGINT) FROM staff`)
}

// UsedStaff keeps when somebody last used their account.
func (k staffing) UsedStaff(ctx context.Context, id ident.StaffID, at time.Time) error {
	return k.c.exec(ctx, `UPDATE staff SET used_at = ? WHERE id = ? AND used_at < ?`, at, id, at)
}

// LinkIdentity keeps who somebody is at an identity provider. One that is somebody's already gives
// ErrConflict.
func (k staffing) LinkIdentity(ctx context.Context, issuer, subject string, id ident.StaffID, at time.Time) error {
	err := k.c.exec(ctx, `INSERT INTO staff_identities (issuer, subject, staff, at) VALUES (?, ?, ?, ?)`, issuer, subject, id, at)
	if taken(err) {
		return ErrConflict
	}
	return err
}

// StaffByIdentity returns who somebody at an identity provider is, or ErrNotFound.
func (k staffing) StaffByIdentity(ctx context.Context, issuer, subject string) (Staff, error) {
	return one(ctx, k.c, scanStaff, `SELECT `+staffColumns+`, used_at FROM staff WHERE id = (SELECT staff FROM staff_identities WHERE issuer = ? AND subject = ?)`, issuer, subject)
}

// LinkedStaff returns which accounts are linked to an identity provider.
func (k staffing) LinkedStaff(ctx context.Context) (map[ident.StaffID]bool, error) {
	ids, err := many(ctx, k.c, func(s scanner) (id ident.StaffID, err error) { err = s.Scan(&id); return id, err }, `SELECT DISTINCT staff FROM staff_identities`)
	linked := map[ident.StaffID]bool{}
	for _, id := range ids {
		linked[id] = true
	}
	return linked, err
}
