package store

import (
	"context"
	"fmt"
	"time"
)

// Audit is one line of who did what.
type Audit struct {
	ID     string // chosen by its maker; the same line twice is kept once
	At     time.Time
	Who    string
	Action string
	Object string
	Detail string
	// Logged is where the line stands in the site's log, plus one; 0: not there yet.
	Logged uint64
}

// settings keeps the audit and small values.
type settings struct{ c *conn }

// AppendAudit keeps a line; it is durable when AppendAudit returns nil.
func (k settings) AppendAudit(ctx context.Context, a Audit) error {
	return k.c.exec(ctx, `INSERT INTO audit (id, at, who, action, object, detail) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		a.ID, a.At, a.Who, a.Action, a.Object, a.Detail)
}

// ListAudit returns the newest lines about an object, of all objects where it is empty.
func (k settings) ListAudit(ctx context.Context, object string, limit int) ([]Audit, error) {
	where, args := ``, []any{limit}
	if object != "" {
		where, args = ` WHERE object = ?`, []any{object, limit}
	}
	list, err := many(ctx, k.c, scanAudit, `SELECT id, at, who, action, object, detail, logged FROM audit`+where+` ORDER BY at DESC, id LIMIT ?`, args...)
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}
	return list, nil
}

// ListAuditBy returns what somebody did from a time on and before another, newest first.
func (k settings) ListAuditBy(ctx context.Context, who string, from, to time.Time, limit int) ([]Audit, error) {
	list, err := many(ctx, k.c, scanAudit, `SELECT id, at, who, action, object, detail, logged FROM audit WHERE who = ? AND at >= ? AND at < ? ORDER BY at DESC, id LIMIT ?`, who, from, to, limit)
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}
	return list, nil
}

func scanAudit(s scanner) (a Audit, err error) {
	err = s.Scan(&a.ID, instant{&a.At}, &a.Who, &a.Action, &a.Object, &a.Detail, &a.Logged)
	return a, err
}

// SetAuditLogged keeps where a line stands in the site's log.
func (k settings) SetAuditLogged(ctx context.Context, id string, index uint64) error {
	return k.c.exec(ctx, `UPDATE audit SET logged = ? WHERE id = ?`, int64(index)+1, id)
}

// ListLogged returns lines that are in the site's log, by their place there, from one on.
func (k settings) ListLogged(ctx context.Context, from uint64, limit int) ([]Audit, error) {
	list, err := many(ctx, k.c, scanAudit, `SELECT id, at, who, action, object, detail, logged FROM audit WHERE logged > ? ORDER BY logged LIMIT ?`, int64(from), limit)
	if err != nil {
		return nil, fmt.Errorf("list logged audit: %w", err)
	}
	return list, nil
}

// ListUnlogged returns the oldest lines that are not in the site's log.
func (k settings) ListUnlogged(ctx context.Context, limit int) ([]Audit, error) {
	list, err := many(ctx, k.c, scanAudit, `SELECT id, at, who, action, object, detail, logged FROM audit WHERE logged = 0 ORDER BY at, id LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list unlogged audit: %w", err)
	}
	return list, nil
}

// PutSetting keeps a small value under a name.
func (k settings) PutSetting(ctx context.Context, name string, body []byte) error {
	return k.c.exec(ctx, `INSERT INTO settings (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body`, name, body)
}

// AddSetting keeps a value unless there is one, and returns the one that is there then.
func (k settings) AddSetting(ctx context.Context, name string, body []byte) ([]byte, error) {
	err := k.c.exec(ctx, `INSERT INTO settings (name, body) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, body)
	if err != nil {
		return nil, fmt.Errorf("add setting %s: %w", name, err)
	}
	return k.Setting(ctx, name)
}

// Setting returns the value under a name, or ErrNotFound.
func (k settings) Setting(ctx context.Context, name string) ([]byte, error) {
	return one(ctx, k.c, func(s scanner) (v []byte, err error) {
		err = s.Scan(&v)
		return v, err
	}, `SELECT body FROM settings WHERE name = ?`, name)
}
