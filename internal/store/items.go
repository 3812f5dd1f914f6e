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

// Item is something kept beside a call's decisions: a chat line, a position, a note.
type Item struct {
	Call ident.CallID
	Kind string
	ID   string // chosen by its maker; unique within call and kind
	Seq  uint64 // assigned, counts from 1 within the call
	At   time.Time
	Body []byte // JSON, opaque here
}

// PutItem keeps an item. The same (call, kind, id) again changes nothing and gives its seq and
// existed.
func (db *DB) PutItem(ctx context.Context, it Item) (seq uint64, existed bool, err error) {
	for try := 0; ; try++ {
		seq, existed, err = db.putOnce(ctx, it)
		if !errors.Is(err, ErrConflict) || try == 5 {
			return seq, existed, err
		}
	}
}

func (db *DB) putOnce(ctx context.Context, it Item) (seq uint64, existed bool, err error) {
	err = db.tx(ctx, func(tx *sql.Tx) error {
		err := row(tx.QueryRowContext(ctx, db.q(`SELECT seq FROM call_items WHERE call = ? AND kind = ? AND id = ?`),
			it.Call, it.Kind, it.ID).Scan(&seq))
		if err == nil {
			existed = true
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := tx.QueryRowContext(ctx, db.q(`SELECT COALESCE(MAX(seq), 0) + 1 FROM call_items WHERE call = ?`), it.Call).Scan(&seq); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, db.q(`INSERT INTO call_items (call, kind, id, seq, at, body) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`), it.Call, it.Kind, it.ID, seq, micros(it.At), string(it.Body))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrConflict, err)
		}
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("put item: %w", err)
	}
	return seq, existed, nil
}

// SetItem keeps the newest body under (call, kind, id), replacing the one before.
func (db *DB) SetItem(ctx context.Context, it Item) error {
	_, existed, err := db.PutItem(ctx, it)
	if err != nil || !existed {
		return err
	}
	return db.exec(ctx, `UPDATE call_items SET body = ?, at = ? WHERE call = ? AND kind = ? AND id = ?`,
		string(it.Body), micros(it.At), it.Call, it.Kind, it.ID)
}

// Items returns the items of a call after a seq, in order; of all kinds where none is named.
func (db *DB) Items(ctx context.Context, call ident.CallID, after uint64, kinds ...string) ([]Item, error) {
	query, args := `SELECT call, kind, id, seq, at, body FROM call_items WHERE call = ? AND seq > ?`, []any{call, after}
	if len(kinds) > 0 {
		query += ` AND kind IN (?` + strings.Repeat(`, ?`, len(kinds)-1) + `)`
		for _, k := range kinds {
			args = append(args, k)
		}
	}
	rows, err := db.read.QueryContext(ctx, db.q(query+` ORDER BY seq`), args...)
	if err != nil {
		return nil, fmt.Errorf("items: %w", err)
	}
	return collect(rows, func(s scanner) (it Item, err error) {
		var at int64
		var body string
		err = s.Scan(&it.Call, &it.Kind, &it.ID, &it.Seq, &at, &body)
		it.At, it.Body = fromMicros(at), []byte(body)
		return it, err
	})
}
