package store

import (
	"context"
	"database/sql"
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
	Roles        []string
	PasswordHash string
	TOTPSecret   string // empty: no second factor
	Disabled     bool
	Lang         string
}

const staffColumns = `id, login, name, roles, password, totp_secret, disabled, lang`

func scanStaff(s scanner) (Staff, error) {
	var st Staff
	var roles string
	var disabled int64
	err := s.Scan(&st.ID, &st.Login, &st.Name, &roles, &st.PasswordHash, &st.TOTPSecret, &disabled, &st.Lang)
	st.Roles, st.Disabled = strings.Fields(roles), disabled != 0
	return st, row(err)
}

// PutStaff enters or changes a member of staff.
func (db *DB) PutStaff(ctx context.Context, s Staff) error {
	disabled := 0
	if s.Disabled {
		disabled = 1
	}
	return db.exec(ctx, `INSERT INTO staff (`+staffColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET login = excluded.login, name = excluded.name, roles = excluded.roles,
		password = excluded.password, totp_secret = excluded.totp_secret, disabled = excluded.disabled, lang = excluded.lang`,
		s.ID, s.Login, s.Name, strings.Join(s.Roles, " "), s.PasswordHash, s.TOTPSecret, disabled, s.Lang)
}

// StaffByLogin finds a member of staff, or ErrNotFound.
func (db *DB) StaffByLogin(ctx context.Context, login string) (Staff, error) {
	return scanStaff(db.read.QueryRowContext(ctx, db.q(`SELECT `+staffColumns+` FROM staff WHERE login = ?`), login))
}

// StaffByID finds a member of staff, or ErrNotFound.
func (db *DB) StaffByID(ctx context.Context, id ident.StaffID) (Staff, error) {
	return scanStaff(db.read.QueryRowContext(ctx, db.q(`SELECT `+staffColumns+` FROM staff WHERE id = ?`), id))
}

// ListStaff returns all staff by login.
func (db *DB) ListStaff(ctx context.Context) ([]Staff, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+staffColumns+` FROM staff ORDER BY login`)
	if err != nil {
		return nil, fmt.Errorf("list staff: %w", err)
	}
	return collect(rows, scanStaff)
}

// UseTOTP notes that a one-time password of a step was used; it reports false where that step or
// a later one was used before: a code is good once.
func (db *DB) UseTOTP(ctx context.Context, id ident.StaffID, step int64) (bool, error) {
	var fresh bool
	err := db.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, db.q(`UPDATE staff SET totp_last = ? WHERE id = ? AND totp_last < ?`), step, id, step)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		fresh = n == 1
		return err
	})
	return fresh, err
}

// PutStaffSession keeps a session under the hash of its token.
func (db *DB) PutStaffSession(ctx context.Context, hash string, id ident.StaffID, expires time.Time) error {
	return db.exec(ctx, `INSERT INTO staff_sessions (hash, staff, expires) VALUES (?, ?, ?)
		ON CONFLICT (hash) DO UPDATE SET expires = excluded.expires`, hash, id, micros(expires))
}

// StaffSession returns whose session it is and until when, or ErrNotFound.
func (db *DB) StaffSession(ctx context.Context, hash string) (Staff, time.Time, error) {
	var id ident.StaffID
	var us int64
	err := db.read.QueryRowContext(ctx, db.q(`SELECT staff, expires FROM staff_sessions WHERE hash = ?`), hash).Scan(&id, &us)
	if err != nil {
		return Staff{}, time.Time{}, row(err)
	}
	s, err := db.StaffByID(ctx, id)
	return s, fromMicros(us), err
}

// DeleteStaffSession ends a session.
func (db *DB) DeleteStaffSession(ctx context.Context, hash string) error {
	return db.exec(ctx, `DELETE FROM staff_sessions WHERE hash = ?`, hash)
}

// DeleteExpired removes sessions, tokens and codes that are past their time.
func (db *DB) DeleteExpired(ctx context.Context, now time.Time) error {
	var errs []error
	for _, table := range []string{"staff_sessions", "caller_tokens", "codes"} {
		errs = append(errs, db.exec(ctx, `DELETE FROM `+table+` WHERE expires < ?`, micros(now)))
	}
	return errors.Join(errs...)
}

// Caller is a registered citizen.
type Caller struct {
	ID         ident.CallerID
	Phone      string // E.164
	Name       string
	IIN        string
	Medical    string
	Lang       string
	VerifiedAt time.Time
	CreatedAt  time.Time
}

const callerColumns = `id, phone, name, iin, medical, lang, verified_at, created_at`

func scanCaller(s scanner) (Caller, error) {
	var c Caller
	var verified, created int64
	err := s.Scan(&c.ID, &c.Phone, &c.Name, &c.IIN, &c.Medical, &c.Lang, &verified, &created)
	c.VerifiedAt, c.CreatedAt = fromMicros(verified), fromMicros(created)
	return c, row(err)
}

// UpsertCaller enters a caller or changes the one with the same phone, and returns them as kept:
// the id of a known phone stays.
func (db *DB) UpsertCaller(ctx context.Context, c Caller) (Caller, error) {
	err := db.tx(ctx, func(tx *sql.Tx) error {
		var err error
		c, err = scanCaller(tx.QueryRowContext(ctx, db.q(`INSERT INTO callers (`+callerColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (phone) DO UPDATE SET name = excluded.name, iin = excluded.iin, medical = excluded.medical,
			lang = excluded.lang, verified_at = excluded.verified_at RETURNING `+callerColumns),
			c.ID, c.Phone, c.Name, c.IIN, c.Medical, c.Lang, micros(c.VerifiedAt), micros(c.CreatedAt)))
		return err
	})
	return c, err
}

// CallerByPhone finds a caller, or ErrNotFound.
func (db *DB) CallerByPhone(ctx context.Context, phone string) (Caller, error) {
	return scanCaller(db.read.QueryRowContext(ctx, db.q(`SELECT `+callerColumns+` FROM callers WHERE phone = ?`), phone))
}

// CallerByID finds a caller, or ErrNotFound.
func (db *DB) CallerByID(ctx context.Context, id ident.CallerID) (Caller, error) {
	return scanCaller(db.read.QueryRowContext(ctx, db.q(`SELECT `+callerColumns+` FROM callers WHERE id = ?`), id))
}

// DeleteCaller removes a registration and its tokens; the calls and their records stay.
func (db *DB) DeleteCaller(ctx context.Context, id ident.CallerID) error {
	return errors.Join(db.exec(ctx, `DELETE FROM caller_tokens WHERE caller = ?`, id), db.exec(ctx, `DELETE FROM callers WHERE id = ?`, id))
}

// PutCallerToken keeps a caller's credential under its hash.
func (db *DB) PutCallerToken(ctx context.Context, hash string, id ident.CallerID, expires time.Time) error {
	return db.exec(ctx, `INSERT INTO caller_tokens (hash, caller, expires) VALUES (?, ?, ?)
		ON CONFLICT (hash) DO UPDATE SET expires = excluded.expires`, hash, id, micros(expires))
}

// CallerByToken returns whose credential it is, or ErrNotFound where it is unknown or expired.
func (db *DB) CallerByToken(ctx context.Context, hash string, now time.Time) (Caller, error) {
	var id ident.CallerID
	err := db.read.QueryRowContext(ctx, db.q(`SELECT caller FROM caller_tokens WHERE hash = ? AND expires > ?`), hash, micros(now)).Scan(&id)
	if err != nil {
		return Caller{}, row(err)
	}
	return db.CallerByID(ctx, id)
}

// DeleteCallerToken ends a caller's credential.
func (db *DB) DeleteCallerToken(ctx context.Context, hash string) error {
	return db.exec(ctx, `DELETE FROM caller_tokens WHERE hash = ?`, hash)
}

// MaxCodeTries is how often a one-time code may be tried.
const MaxCodeTries = 5

// PutCode keeps the hash of a phone's one-time code, in place of an earlier one.
func (db *DB) PutCode(ctx context.Context, phone, hash string, expires time.Time) error {
	return db.exec(ctx, `INSERT INTO codes (phone, hash, expires, tries) VALUES (?, ?, ?, 0)
		ON CONFLICT (phone) DO UPDATE SET hash = excluded.hash, expires = excluded.expires, tries = 0`, phone, hash, micros(expires))
}

// CheckCode tries a one-time code: it is good once, before it expires, and at most MaxCodeTries
// attempts count. The attempt is durable before the answer.
func (db *DB) CheckCode(ctx context.Context, phone, hash string, now time.Time) (ok bool, err error) {
	err = db.tx(ctx, func(tx *sql.Tx) error {
		var kept string
		err := tx.QueryRowContext(ctx, db.q(`UPDATE codes SET tries = tries + 1 WHERE phone = ? AND expires > ? AND tries < ? RETURNING hash`),
			phone, micros(now), MaxCodeTries).Scan(&kept)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if ok = kept == hash; !ok { // both are hashes: comparing them leaks nothing of use
			return nil
		}
		_, err = tx.ExecContext(ctx, db.q(`DELETE FROM codes WHERE phone = ?`), phone)
		return err
	})
	return ok && err == nil, err
}
