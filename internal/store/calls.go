package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"jedel/internal/ident"
)

// Owner is the node that may append to a call, and its epoch: how often it has started.
type Owner struct {
	Node  ident.NodeID
	Epoch uint64
}

// CallRecord is one decision of a call. Version counts from 1 without a gap.
type CallRecord struct {
	Version uint64
	At      time.Time
	Kind    string
	Body    []byte // JSON, opaque here
}

// CallSummary is a call's newest state as lists and searches need it.
type CallSummary struct {
	Call         ident.CallID
	Number       string
	Ref          string
	Client       ident.ClientID
	Caller       ident.CallerID
	Phone, Name  string
	Kind, Lang   string
	Phase        string
	Priority     int
	Operator     ident.StaffID
	OperatorName string
	CreatedAt    time.Time
	AnsweredAt   time.Time
	EndedAt      time.Time
	EndReason    string
	Category     string
	Outcome      string
	Callback     string // "", pending, done
	Version      uint64
}

const callColumns = `id, number, ref, client, caller, phone, name, kind, lang, phase, priority, operator, operator_name,
	created_at, answered_at, ended_at, end_reason, category, outcome, callback, version`

type scanner interface{ Scan(...any) error }

func scanCall(s scanner) (CallSummary, error) {
	var c CallSummary
	var created, answered, ended int64
	err := s.Scan(&c.Call, &c.Number, &c.Ref, &c.Client, &c.Caller, &c.Phone, &c.Name, &c.Kind, &c.Lang, &c.Phase, &c.Priority,
		&c.Operator, &c.OperatorName, &created, &answered, &ended, &c.EndReason, &c.Category, &c.Outcome, &c.Callback, &c.Version)
	c.CreatedAt, c.AnsweredAt, c.EndedAt = fromMicros(created), fromMicros(answered), fromMicros(ended)
	return c, row(err)
}

// StartNode enters a node and raises its epoch: what it wrote in an earlier life is fenced off
// call by call as the calls are adopted.
func (db *DB) StartNode(ctx context.Context, id ident.NodeID, name string) (uint64, error) {
	var epoch uint64
	err := db.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, db.q(`INSERT INTO nodes (id, name, epoch) VALUES (?, ?, 1)
			ON CONFLICT (id) DO UPDATE SET epoch = nodes.epoch + 1, name = excluded.name`), id, name)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, db.q(`SELECT epoch FROM nodes WHERE id = ?`), id).Scan(&epoch)
	})
	if err != nil {
		return 0, fmt.Errorf("start node: %w", err)
	}
	return epoch, nil
}

// CreateCall makes the call of a tap: it assigns the next number of the year in which build's
// record stands and keeps record and summary in one transaction. The same (client, ref) again
// gives the call that is there, and existed.
func (db *DB) CreateCall(ctx context.Context, owner Owner, ref string, client ident.ClientID,
	build func(number string) (CallSummary, CallRecord, error)) (sum CallSummary, existed bool, err error) {
	for try := 0; ; try++ {
		sum, existed, err = db.createOnce(ctx, owner, ref, client, build)
		if !errors.Is(err, ErrConflict) || try == 3 {
			return sum, existed, err
		}
	}
}

func (db *DB) createOnce(ctx context.Context, owner Owner, ref string, client ident.ClientID,
	build func(number string) (CallSummary, CallRecord, error)) (sum CallSummary, existed bool, err error) {
	err = db.tx(ctx, func(tx *sql.Tx) error {
		sum, err = scanCall(tx.QueryRowContext(ctx, db.q(`SELECT `+callColumns+` FROM calls WHERE client = ? AND ref = ?`), client, ref))
		if err == nil {
			existed = true
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		year := time.Now().UTC().Year()
		var n int64
		if err := tx.QueryRowContext(ctx, db.q(`INSERT INTO numbers (year, last) VALUES (?, 1)
			ON CONFLICT (year) DO UPDATE SET last = numbers.last + 1 RETURNING last`), year).Scan(&n); err != nil {
			return fmt.Errorf("number: %w", err)
		}
		var rec CallRecord
		if sum, rec, err = build(fmt.Sprintf("%02d-%06d", year%100, n)); err != nil {
			return err
		}
		return db.insertCall(ctx, tx, owner, sum, rec)
	})
	if err != nil {
		return CallSummary{}, false, fmt.Errorf("create call: %w", err)
	}
	return sum, existed, nil
}

func (db *DB) insertCall(ctx context.Context, tx *sql.Tx, owner Owner, c CallSummary, rec CallRecord) error {
	res, err := tx.ExecContext(ctx, db.q(`INSERT INTO calls (`+callColumns+`, owner_node, owner_epoch, fence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (client, ref) DO NOTHING`),
		c.Call, c.Number, c.Ref, c.Client, c.Caller, c.Phone, c.Name, c.Kind, c.Lang, c.Phase, c.Priority, c.Operator, c.OperatorName,
		micros(c.CreatedAt), micros(c.AnsweredAt), micros(c.EndedAt), c.EndReason, c.Category, c.Outcome, c.Callback, c.Version,
		owner.Node, owner.Epoch)
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrConflict, err) // the same tap at the same moment
	}
	return db.insertRecord(ctx, tx, owner, c.Call, rec)
}

func (db *DB) insertRecord(ctx context.Context, tx *sql.Tx, owner Owner, id ident.CallID, rec CallRecord) error {
	_, err := tx.ExecContext(ctx, db.q(`INSERT INTO call_records (call, version, at, kind, body, node, epoch) VALUES (?, ?, ?, ?, ?, ?, ?)`),
		id, rec.Version, micros(rec.At), rec.Kind, string(rec.Body), owner.Node, owner.Epoch)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// AppendCall keeps one decision and the summary it leads to. It is durable when AppendCall
// returns nil. ErrConflict and ErrFenced changed nothing; any other error means unknown.
func (db *DB) AppendCall(ctx context.Context, owner Owner, expected uint64, rec CallRecord, c CallSummary) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, db.q(`UPDATE calls SET phone = ?, name = ?, phase = ?, priority = ?, operator = ?,
			operator_name = ?, answered_at = ?, ended_at = ?, end_reason = ?, category = ?, outcome = ?, callback = ?, version = ?
			WHERE id = ? AND version = ? AND owner_node = ? AND owner_epoch = ?`),
			c.Phone, c.Name, c.Phase, c.Priority, c.Operator, c.OperatorName, micros(c.AnsweredAt), micros(c.EndedAt), c.EndReason,
			c.Category, c.Outcome, c.Callback, rec.Version, c.Call, expected, owner.Node, owner.Epoch)
		if err != nil {
			return fmt.Errorf("append: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			if err != nil {
				return fmt.Errorf("append: %w", err)
			}
			return db.insertRecord(ctx, tx, owner, c.Call, rec)
		}
		return db.whyNot(ctx, tx, owner, c.Call)
	})
}

// whyNot tells why an append matched no row.
func (db *DB) whyNot(ctx context.Context, tx *sql.Tx, owner Owner, id ident.CallID) error {
	var is Owner
	err := row(tx.QueryRowContext(ctx, db.q(`SELECT owner_node, owner_epoch FROM calls WHERE id = ?`), id).Scan(&is.Node, &is.Epoch))
	switch {
	case err != nil:
		return err
	case is != owner:
		return ErrFenced
	}
	return ErrConflict
}

// AdoptCall makes owner the only one who may append to a call. An owner whose epoch is older than
// the one that the node has now is refused with ErrFenced.
func (db *DB) AdoptCall(ctx context.Context, id ident.CallID, owner Owner) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		var epoch uint64
		err := row(tx.QueryRowContext(ctx, db.q(`SELECT epoch FROM nodes WHERE id = ?`), owner.Node).Scan(&epoch))
		if err != nil {
			return fmt.Errorf("node: %w", err)
		}
		if epoch != owner.Epoch {
			return ErrFenced
		}
		res, err := tx.ExecContext(ctx, db.q(`UPDATE calls SET owner_node = ?, owner_epoch = ?, fence = fence + 1 WHERE id = ?`),
			owner.Node, owner.Epoch, id)
		if err != nil {
			return fmt.Errorf("adopt: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNotFound, err)
		}
		return nil
	})
}

// LoadCall returns a call with all its decisions in order.
func (db *DB) LoadCall(ctx context.Context, id ident.CallID) (CallSummary, []CallRecord, error) {
	sum, err := scanCall(db.read.QueryRowContext(ctx, db.q(`SELECT `+callColumns+` FROM calls WHERE id = ?`), id))
	if err != nil {
		return CallSummary{}, nil, err
	}
	rows, err := db.read.QueryContext(ctx, db.q(`SELECT version, at, kind, body FROM call_records WHERE call = ? ORDER BY version`), id)
	if err != nil {
		return CallSummary{}, nil, fmt.Errorf("records: %w", err)
	}
	records, err := collect(rows, func(s scanner) (r CallRecord, err error) {
		var at int64
		var body string
		err = s.Scan(&r.Version, &at, &r.Kind, &body)
		r.At, r.Body = fromMicros(at), []byte(body)
		return r, err
	})
	return sum, records, err
}

// OpenCalls returns the calls that are not ended or still owe a call-back, the oldest first.
func (db *DB) OpenCalls(ctx context.Context) ([]CallSummary, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+callColumns+` FROM calls WHERE phase <> 'ended' OR callback = 'pending' ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("open calls: %w", err)
	}
	return collect(rows, scanCall)
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("scan: %w", err)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
