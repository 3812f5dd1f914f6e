package store

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"jedel/internal/ident"
)

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

// callers keeps who has registered, their credentials and the one-time codes sent to them.
type callers struct{ c *conn }

const callerColumns = `id, phone, name, iin, medical, lang, verified_at, created_at`

func scanCaller(s scanner) (c Caller, err error) {
	err = s.Scan(&c.ID, &c.Phone, &c.Name, &c.IIN, &c.Medical, &c.Lang, instant{&c.VerifiedAt}, instant{&c.CreatedAt})
	return c, err
}

// UpsertCaller enters a caller or changes the one with the same phone, and returns them as kept:
// the id and the first registration of a known phone stay.
func (k callers) UpsertCaller(ctx context.Context, c Caller) (Caller, error) {
	return inTx(ctx, k.c, func(ctx context.Context, t txn) (Caller, error) {
		return scanCaller(t.row(ctx, `INSERT INTO callers (`+callerColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (phone) DO UPDATE SET name = excluded.name, iin = excluded.iin, medical = excluded.medical,
			lang = excluded.lang, verified_at = excluded.verified_at RETURNING `+callerColumns,
			c.ID, c.Phone, c.Name, c.IIN, c.Medical, c.Lang, c.VerifiedAt, c.CreatedAt))
	})
}

// CallerByPhone finds a caller, or ErrNotFound.
func (k callers) CallerByPhone(ctx context.Context, phone string) (Caller, error) {
	return one(ctx, k.c, scanCaller, `SELECT `+callerColumns+` FROM callers WHERE phone = ?`, phone)
}

// CallerByID finds a caller, or ErrNotFound.
func (k callers) CallerByID(ctx context.Context, id ident.CallerID) (Caller, error) {
	return one(ctx, k.c, scanCaller, `SELECT `+callerColumns+` FROM callers WHERE id = ?`, id)
}

// DeleteCaller removes a registration, its credentials and codes; the calls and their records stay.
func (k callers) DeleteCaller(ctx context.Context, id ident.CallerID) error {
	_, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (struct{}, error) {
		for _, query := range []string{
			`DELETE FROM caller_tokens WHERE caller = ?`,
			`DELETE FROM codes WHERE phone IN (SELECT phone FROM callers WHERE id = ?)`,
			`DELETE FROM callers WHERE id = ?`,
		} {
			if _, err := t.exec(ctx, query, id); err != nil {
				return struct{}{}, err
			}
		}
		_, err := t.exec(ctx, `DELETE FROM push_subscriptions WHERE citizen = ?`, CallerCitizen(id))
		return struct{}{}, err
	})
	return err
}

// PutCallerToken keeps a caller's credential under its hash, or moves its end.
func (k callers) PutCallerToken(ctx context.Context, hash string, id ident.CallerID, expires time.Time) error {
	return k.c.exec(ctx, `INSERT INTO caller_tokens (hash, caller, expires) VALUES (?, ?, ?)
		ON CONFLICT (hash) DO UPDATE SET expires = excluded.expires`, hash, id, expires)
}

// CallerByToken returns whose credential it is, or ErrNotFound where it is unknown or expired.
func (k callers) CallerByToken(ctx context.Context, hash string, now time.Time) (Caller, error) {
	return one(ctx, k.c, scanCaller, `SELECT `+callerColumns+` FROM callers
		WHERE id = (SELECT caller FROM caller_tokens WHERE hash = ? AND expires > ?)`, hash, now)
}

// DeleteCallerToken ends a caller's credential.
func (k callers) DeleteCallerToken(ctx context.Context, hash string) error {
	return k.c.exec(ctx, `DELETE FROM caller_tokens WHERE hash = ?`, hash)
}

// MaxCodeTries is how often a one-time code may be tried. Six digits and five tries leave a
// guesser one chance in 200,000 per code.
const MaxCodeTries = 5

// PutCode keeps the hash of a phone's one-time code, in place of an earlier one.
func (k callers) PutCode(ctx context.Context, phone, hash string, expires time.Time) error {
	return k.c.exec(ctx, `INSERT INTO codes (phone, hash, expires, tries) VALUES (?, ?, ?, 0)
		ON CONFLICT (phone) DO UPDATE SET hash = excluded.hash, expires = excluded.expires, tries = 0`, phone, hash, expires)
}

// CheckCode tries a one-time code: it is good once, before it expires, and at most MaxCodeTries
// attempts count. The attempt is durable before the answer.
func (k callers) CheckCode(ctx context.Context, phone, hash string, now time.Time) (bool, error) {
	return inTx(ctx, k.c, func(ctx context.Context, t txn) (bool, error) {
		var kept string
		err := found(t.row(ctx, `UPDATE codes SET tries = tries + 1 WHERE phone = ? AND expires > ? AND tries < ? RETURNING hash`,
			phone, now, MaxCodeTries).Scan(&kept))
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		if err != nil || subtle.ConstantTimeCompare([]byte(kept), []byte(hash)) == 0 {
			return false, err
		}
		_, err = t.exec(ctx, `DELETE FROM codes WHERE phone = ?`, phone)
		return err == nil, err
	})
}
