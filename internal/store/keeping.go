package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"jedel/internal/ident"
)

// Keeping is how the keeping of a call's archive stands: one row, made of its records.
type Keeping struct {
	Call    ident.CallID
	Version uint64 // of the record it was made of
	Stage   string
	Class   string
	Until   time.Time
	Held    bool
}

// KeptCall is a row of a list of keepings.
type KeptCall struct {
	Keeping
	Number    string
	CreatedAt time.Time
}

// KeepingQuery asks for keepings; zero fields do not restrict.
type KeepingQuery struct {
	Stages []string
	Held   bool      // only those under a hold
	By     time.Time // kept until a time before this
	Cursor string    // from the page before
	Limit  int       // 1..MaxPage; 50 where it is 0
}

// keepings keeps what was decided about the keeping of archives.
type keepings struct{ c *conn }

// AppendKeeping keeps one record of a call's keeping and the row it leads to; k.Version is the
// record's, and counts from 1. It is durable when AppendKeeping returns nil. ErrConflict changed
// nothing: another writer was first.
func (p keepings) AppendKeeping(ctx context.Context, k Keeping, body []byte) error {
	if k.Version == 0 {
		return errors.New("append keeping: version 0")
	}
	held := 0
	if k.Held {
		held = 1
	}
	_, err := inTx(ctx, p.c, func(ctx context.Context, t txn) (struct{}, error) {
		rows, err := t.exec(ctx, `INSERT INTO keeping_records (call, version, body) VALUES (?, ?, ?) ON CONFLICT (call, version) DO NOTHING`,
			k.Call, k.Version, body)
		switch {
		case err != nil || rows != 1:
		case k.Version == 1:
			rows, err = t.exec(ctx, `INSERT INTO keeping (call, version, stage, class, until, held) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (call) DO NOTHING`,
				k.Call, k.Version, k.Stage, k.Class, k.Until, held)
		default:
			rows, err = t.exec(ctx, `UPDATE keeping SET version = ?, stage = ?, class = ?, until = ?, held = ? WHERE call = ? AND version = ?`,
				k.Version, k.Stage, k.Class, k.Until, held, k.Call, k.Version-1)
		}
		if err == nil && rows != 1 {
			err = ErrConflict
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("append keeping: %w", err)
	}
	return nil
}

// LoadKeeping returns the records of a call's keeping in their order; none where it has not begun.
func (p keepings) LoadKeeping(ctx context.Context, call ident.CallID) ([][]byte, error) {
	list, err := many(ctx, p.c, func(s scanner) (body []byte, err error) { err = s.Scan(&body); return body, err },
		`SELECT body FROM keeping_records WHERE call = ? ORDER BY version`, call)
	if err != nil {
		return nil, fmt.Errorf("load keeping: %w", err)
	}
	return list, nil
}

// ListKeeping returns keepings, those that end first first, and the cursor of the next page, empty
// at the end. A cursor that is none gives ErrCursor.
func (p keepings) ListKeeping(ctx context.Context, q KeepingQuery) ([]KeptCall, string, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, MaxPage)
	where, args := []string{`c.id = k.call`}, []any{}
	add := func(cond string, vs ...any) {
		where = append(where, cond)
		args = append(args, vs...)
	}
	if len(q.Stages) > 0 {
		add(`k.stage IN (?` + strings.Repeat(`, ?`, len(q.Stages)-1) + `)`)
		for _, s := range q.Stages {
			args = append(args, s)
		}
	}
	if q.Held {
		add(`k.held <> 0`)
	}
	if !q.By.IsZero() {
		add(`k.until < ?`, q.By)
	}
	if q.Cursor != "" {
		us, id, err := cursor(q.Cursor)
		if err != nil {
			return nil, "", err
		}
		add(`(k.until > ? OR k.until = ? AND k.call > ?)`, us, us, id)
	}
	list, err := many(ctx, p.c, scanKept, `SELECT k.call, k.version, k.stage, k.class, k.until, k.held, c.number, c.created_at FROM keeping k, calls c
		WHERE `+strings.Join(where, ` AND `)+` ORDER BY k.until, k.call LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list keeping: %w", err)
	}
	if len(list) <= limit {
		return list, "", nil
	}
	last := list[limit-1]
	return list[:limit], base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", micros(last.Until), last.Call)), nil
}

func scanKept(s scanner) (k KeptCall, err error) {
	var held int64
	err = s.Scan(&k.Call, &k.Version, &k.Stage, &k.Class, instant{&k.Until}, &held, &k.Number, instant{&k.CreatedAt})
	k.Held = held != 0
	return k, err
}

// ListUnkept returns ended calls after one, by their names, whose keeping has not begun.
func (p keepings) ListUnkept(ctx context.Context, after ident.CallID, limit int) ([]CallSummary, error) {
	list, err := many(ctx, p.c, scanCall, `SELECT `+callColumns+` FROM calls
		WHERE phase = 'ended' AND id > ? AND NOT EXISTS (SELECT 1 FROM keeping WHERE keeping.call = calls.id) ORDER BY id LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list unkept: %w", err)
	}
	return list, nil
}

// ForgetCall removes what was written and sent within a call. Its row and its decisions stay: that
// there was a call is no secret.
func (p keepings) ForgetCall(ctx context.Context, call ident.CallID) error {
	if err := p.c.exec(ctx, `DELETE FROM call_items WHERE call = ?`, call); err != nil {
		return fmt.Errorf("forget call: %w", err)
	}
	return nil
}

// CallNode returns the node that holds a call, or ErrNotFound.
func (p keepings) CallNode(ctx context.Context, call ident.CallID) (ident.NodeID, error) {
	return one(ctx, p.c, func(s scanner) (id ident.NodeID, err error) { err = s.Scan(&id); return id, err }, `SELECT owner_node FROM calls WHERE id = ?`, call)
}
