package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// shifts keeps what was decided about who is on duty and who has which case.
type shifts struct{ c *conn }

// AppendShift keeps one record and the state it leads to; version is the record's, and counts from
// 1. It is durable when AppendShift returns nil. ErrConflict changed nothing: another writer was
// first.
func (k shifts) AppendShift(ctx context.Context, version uint64, at time.Time, record, state []byte) error {
	if version == 0 {
		return errors.New("append shift: version 0")
	}
	_, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (struct{}, error) {
		rows, err := t.exec(ctx, `INSERT INTO shift_records (version, at, body) VALUES (?, ?, ?) ON CONFLICT (version) DO NOTHING`, version, at, record)
		switch {
		case err != nil || rows != 1:
		case version == 1:
			rows, err = t.exec(ctx, `INSERT INTO shift_state (id, version, body) VALUES (1, 1, ?) ON CONFLICT (id) DO NOTHING`, state)
		default:
			rows, err = t.exec(ctx, `UPDATE shift_state SET version = ?, body = ? WHERE id = 1 AND version = ?`, version, state, version-1)
		}
		if err == nil && rows != 1 {
			err = ErrConflict
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("append shift: %w", err)
	}
	return nil
}

// ShiftState returns how it stands and the version of the last record; 0 and nothing before the
// first.
func (k shifts) ShiftState(ctx context.Context) (state []byte, version uint64, err error) {
	type row struct {
		body    []byte
		version uint64
	}
	r, err := one(ctx, k.c, func(s scanner) (r row, err error) { err = s.Scan(&r.version, &r.body); return r, err },
		`SELECT version, body FROM shift_state WHERE id = 1`)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	return r.body, r.version, err
}

// ListShiftRecords returns records after a version, in their order.
func (k shifts) ListShiftRecords(ctx context.Context, after uint64, limit int) ([][]byte, error) {
	return many(ctx, k.c, func(s scanner) (body []byte, err error) { err = s.Scan(&body); return body, err },
		`SELECT body FROM shift_records WHERE version > ? ORDER BY version LIMIT ?`, after, limit)
}
