package store

import (
	"context"
	"fmt"
	"time"
)

// Audit is one line of who did what.
type Audit struct {
	ID     string
	At     time.Time
	Who    string
	Action string
	Object string
	Detail string
}

// AppendAudit keeps a line; it is durable when AppendAudit returns.
func (db *DB) AppendAudit(ctx context.Context, a Audit) error {
	return db.exec(ctx, `INSERT INTO audit (id, at, who, action, object, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		a.ID, micros(a.At), a.Who, a.Action, a.Object, a.Detail)
}

// ListAudit returns the newest lines about an object, of all objects where it is empty.
func (db *DB) ListAudit(ctx context.Context, object string, limit int) ([]Audit, error) {
	rows, err := db.read.QueryContext(ctx, db.q(`SELECT id, at, who, action, object, detail FROM audit WHERE object = ? OR ? = ''
		ORDER BY at DESC, id LIMIT ?`), object, object, limit)
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}
	return collect(rows, func(s scanner) (a Audit, err error) {
		var at int64
		err = s.Scan(&a.ID, &at, &a.Who, &a.Action, &a.Object, &a.Detail)
		a.At = fromMicros(at)
		return a, err
	})
}

// PutSetting keeps a small value under a name.
func (db *DB) PutSetting(ctx context.Context, name string, body []byte) error {
	return db.exec(ctx, `INSERT INTO settings (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body`, name, string(body))
}

// AddSetting keeps a value unless there is one, and returns the one that is there then.
func (db *DB) AddSetting(ctx context.Context, name string, body []byte) ([]byte, error) {
	err := db.exec(ctx, `INSERT INTO settings (name, body) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, string(body))
	if err != nil {
		return nil, err
	}
	return db.Setting(ctx, name)
}

// Setting returns the value under a name, or ErrNotFound.
func (db *DB) Setting(ctx context.Context, name string) ([]byte, error) {
	var body string
	err := db.read.QueryRowContext(ctx, db.q(`SELECT body FROM settings WHERE name = ?`), name).Scan(&body)
	if err != nil {
		return nil, row(err)
	}
	return []byte(body), nil
}
