package store

import (
	"context"
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

// CallSummary is a call's newest state as lists and searches need it: one row of the table.
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
	Version      uint64 // of the record it was made of
}

// calls keeps the calls: for each its decisions, only ever added to, and a summary that is written in
// the same transaction.
type calls struct {
	c   *conn
	now func() time.Time // in the zone whose calendar numbers the calls
}

const callColumns = `id, number, ref, client, caller, phone, name, kind, lang, phase, priority, operator, operator_name,
	created_at, answered_at, ended_at, end_reason, category, outcome, callback, version`

func scanCall(s scanner) (c CallSummary, err error) {
	err = s.Scan(&c.Call, &c.Number, &c.Ref, &c.Client, &c.Caller, &c.Phone, &c.Name, &c.Kind, &c.Lang, &c.Phase, &c.Priority, &c.Operator,
		&c.OperatorName, instant{&c.CreatedAt}, instant{&c.AnsweredAt}, instant{&c.EndedAt}, &c.EndReason, &c.Category, &c.Outcome,
		&c.Callback, &c.Version)
	return c, found(err)
}

// StartNode enters a node and raises its epoch. From then on nothing that an earlier life of the
// node still sends is taken.
func (k calls) StartNode(ctx context.Context, id ident.NodeID, name string) (uint64, error) {
	epoch, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (epoch uint64, err error) {
		err = t.row(ctx, `INSERT INTO nodes (id, name, epoch) VALUES (?, ?, 1)
			ON CONFLICT (id) DO UPDATE SET epoch = nodes.epoch + 1, name = excluded.name RETURNING epoch`, id, name).Scan(&epoch)
		return epoch, err
	})
	if err != nil {
		return 0, fmt.Errorf("start node: %w", err)
	}
	return epoch, nil
}

// checkOwner refuses an owner whose node has started again since, or never.
func checkOwner(ctx context.Context, t txn, owner Owner) error {
	var epoch uint64
	err := found(t.row(ctx, `SELECT epoch FROM nodes WHERE id = ?`+t.share(), owner.Node).Scan(&epoch))
	if errors.Is(err, ErrNotFound) || err == nil && epoch != owner.Epoch {
		return ErrFenced
	}
	return err
}

// made is a call that CreateCall has made or found.
type made struct {
	sum     CallSummary
	existed bool
}

// CreateCall makes the call of a tap: it assigns the next number of the year ("26-000123") and
// keeps build's record and summary in the same transaction. The same (client, ref) again gives
// the call that is there, and existed, so that an unknown outcome is simply tried again. An owner
// of an earlier epoch gets ErrFenced. build may be called more than once.
func (k calls) CreateCall(ctx context.Context, owner Owner, ref string, client ident.ClientID,
	build func(number string) (CallSummary, CallRecord, error)) (CallSummary, bool, error) {
	var m made
	var err error
	for range tries {
		m, err = inTx(ctx, k.c, func(ctx context.Context, t txn) (made, error) {
			sum, err := scanCall(t.row(ctx, `SELECT `+callColumns+` FROM calls WHERE client = ? AND ref = ?`, client, ref))
			if !errors.Is(err, ErrNotFound) {
				return made{sum, true}, err
			}
			sum, err = k.create(ctx, t, owner, build)
			return made{sum, false}, err
		})
		if !errors.Is(err, ErrConflict) { // the same tap twice at the same moment: the other is there now
			break
		}
	}
	if err != nil {
		return CallSummary{}, false, fmt.Errorf("create call: %w", err)
	}
	return m.sum, m.existed, nil
}

func (k calls) create(ctx context.Context, t txn, owner Owner, build func(string) (CallSummary, CallRecord, error)) (CallSummary, error) {
	year := k.now().Year()
	var n int64
	if err := t.row(ctx, `INSERT INTO numbers (year, last) VALUES (?, 1)
		ON CONFLICT (year) DO UPDATE SET last = numbers.last + 1 RETURNING last`, year).Scan(&n); err != nil {
		return CallSummary{}, fmt.Errorf("number: %w", err)
	}
	return k.insert(ctx, t, owner, fmt.Sprintf("%02d-%06d", year%100, n), build)
}

// insert keeps the row and the first record of a call under a number.
func (k calls) insert(ctx context.Context, t txn, owner Owner, number string, build func(string) (CallSummary, CallRecord, error)) (CallSummary, error) {
	if err := checkOwner(ctx, t, owner); err != nil {
		return CallSummary{}, err
	}
	c, rec, err := build(number)
	if err != nil {
		return CallSummary{}, err
	}
	if rec.Version != 1 {
		return CallSummary{}, fmt.Errorf("the first record has version %d", rec.Version)
	}
	names, people, all := c.folded()
	rows, err := t.exec(ctx, `INSERT INTO calls (`+callColumns+`, owner_node, owner_epoch, fence, find_name, find_operator, find_all)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?) ON CONFLICT (client, ref) DO NOTHING`,
		c.Call, c.Number, c.Ref, c.Client, c.Caller, c.Phone, c.Name, c.Kind, c.Lang, c.Phase, c.Priority, c.Operator, c.OperatorName,
		c.CreatedAt, c.AnsweredAt, c.EndedAt, c.EndReason, c.Category, c.Outcome, c.Callback, rec.Version, owner.Node, owner.Epoch,
		names, people, all)
	if err != nil {
		return CallSummary{}, fmt.Errorf("insert: %w", err)
	}
	if rows != 1 {
		return CallSummary{}, ErrConflict
	}
	return c, insertRecord(ctx, t, owner, c.Call, rec)
}

func insertRecord(ctx context.Context, t txn, owner Owner, id ident.CallID, rec CallRecord) error {
	_, err := t.exec(ctx, `INSERT INTO call_records (call, version, at, kind, body, node, epoch) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		id, rec.Version, rec.At, rec.Kind, rec.Body, owner.Node, owner.Epoch)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// AppendCall keeps one decision and the summary it leads to. expected is the version of the call
// so far, rec's the next. It is durable when AppendCall returns nil. ErrConflict and ErrFenced
// changed nothing; any other error means unknown.
func (k calls) AppendCall(ctx context.Context, owner Owner, expected uint64, rec CallRecord, c CallSummary) error {
	if rec.Version != expected+1 {
		return fmt.Errorf("append: record %d after %d", rec.Version, expected)
	}
	names, people, all := c.folded()
	_, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (struct{}, error) {
		rows, err := t.exec(ctx, `UPDATE calls SET phone = ?, name = ?, phase = ?, priority = ?, operator = ?, operator_name = ?,
			answered_at = ?, ended_at = ?, end_reason = ?, category = ?, outcome = ?, callback = ?, version = ?,
			find_name = ?, find_operator = ?, find_all = ?
			WHERE id = ? AND version = ? AND owner_node = ? AND owner_epoch = ?
			AND EXISTS (SELECT 1 FROM nodes WHERE nodes.id = owner_node AND nodes.epoch = owner_epoch)`,
			c.Phone, c.Name, c.Phase, c.Priority, c.Operator, c.OperatorName, c.AnsweredAt, c.EndedAt, c.EndReason, c.Category, c.Outcome,
			c.Callback, rec.Version, names, people, all, c.Call, expected, owner.Node, owner.Epoch)
		switch {
		case err != nil:
			return struct{}{}, fmt.Errorf("append: %w", err)
		case rows == 0:
			return struct{}{}, whyNot(ctx, t, owner, c.Call)
		}
		return struct{}{}, insertRecord(ctx, t, owner, c.Call, rec)
	})
	return err
}

// whyNot tells why an append matched no row.
func whyNot(ctx context.Context, t txn, owner Owner, id ident.CallID) error {
	var is Owner
	err := found(t.row(ctx, `SELECT owner_node, owner_epoch FROM calls WHERE id = ?`, id).Scan(&is.Node, &is.Epoch))
	if err != nil {
		return err
	}
	if is != owner {
		return ErrFenced
	}
	if err := checkOwner(ctx, t, owner); err != nil {
		return err
	}
	return ErrConflict
}

// AdoptCall makes owner the only one who may append to a call: from then on the former owner is
// refused. An owner of an earlier epoch gets ErrFenced.
func (k calls) AdoptCall(ctx context.Context, id ident.CallID, owner Owner) error {
	_, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (struct{}, error) {
		if err := checkOwner(ctx, t, owner); err != nil {
			return struct{}{}, err
		}
		rows, err := t.exec(ctx, `UPDATE calls SET owner_node = ?, owner_epoch = ?, fence = fence + 1 WHERE id = ?`, owner.Node, owner.Epoch, id)
		if err != nil {
			return struct{}{}, fmt.Errorf("adopt: %w", err)
		}
		if rows == 0 {
			return struct{}{}, ErrNotFound
		}
		return struct{}{}, nil
	})
	return err
}

// LoadCall returns a call with all its decisions in order, both of the same moment.
func (k calls) LoadCall(ctx context.Context, id ident.CallID) (CallSummary, []CallRecord, error) {
	sum, err := one(ctx, k.c, scanCall, `SELECT `+callColumns+` FROM calls WHERE id = ?`, id)
	if err != nil {
		return CallSummary{}, nil, err
	}
	// What was appended since the summary was read is left out.
	records, err := many(ctx, k.c, func(s scanner) (r CallRecord, err error) {
		err = s.Scan(&r.Version, instant{&r.At}, &r.Kind, &r.Body)
		return r, err
	}, `SELECT version, at, kind, body FROM call_records WHERE call = ? AND version <= ? ORDER BY version`, id, sum.Version)
	if err != nil {
		return CallSummary{}, nil, fmt.Errorf("records: %w", err)
	}
	for i, r := range records {
		if r.Version != uint64(i)+1 {
			return CallSummary{}, nil, fmt.Errorf("records: %d stands where %d should", r.Version, i+1)
		}
	}
	if uint64(len(records)) != sum.Version {
		return CallSummary{}, nil, fmt.Errorf("records: %d of %d", len(records), sum.Version)
	}
	return sum, records, nil
}

// openCalls is worded as the index calls_open is: a start must not read the calls of years.
const openCalls = ` FROM calls WHERE phase <> 'ended' OR callback = 'pending' ORDER BY created_at, id`

// HasCalled reports whether a client has made a call.
func (k calls) HasCalled(ctx context.Context, id ident.ClientID) (bool, error) {
	list, err := many(ctx, k.c, func(s scanner) (one ident.CallID, err error) {
		err = s.Scan(&one)
		return one, err
	}, `SELECT id FROM calls WHERE client = ? LIMIT 1`, id)
	if err != nil {
		return false, fmt.Errorf("has called: %w", err)
	}
	return len(list) > 0, nil
}

// OpenCalls returns the calls that are not ended or still owe a call-back, the oldest first.
func (k calls) OpenCalls(ctx context.Context) ([]CallSummary, error) {
	sums, err := many(ctx, k.c, scanCall, `SELECT `+callColumns+openCalls)
	if err != nil {
		return nil, fmt.Errorf("open calls: %w", err)
	}
	return sums, nil
}
