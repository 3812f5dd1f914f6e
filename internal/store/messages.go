package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Message is the row of one message to a citizen, made of its records.
type Message struct {
	ID      string // follows from what it tells, so that it is kept once
	Case    string
	Citizen string // whose messages keep their order; never an address
	Phone   string // E.164; empty: none, or forgotten at the end
	Kind    string
	Body    []byte // JSON of the one who sends
	Made    time.Time
	Version uint64 // how many records there are
	MessageState
}

// MessageState is how a message stands.
type MessageState struct {
	Stage   string
	At      time.Time // since when
	Channel string    // of the newest attempt
	Reason  string
	Ended   bool
	Due     time.Time // when to look at it again
}

// OpenMessage is a message that has not ended, with its records in their order.
type OpenMessage struct {
	Message
	Records [][]byte
}

// Receipt is what a carrier calls one part of a message.
type Receipt struct {
	Channel string
	ID      string
	Message string // empty: not known here yet
	Attempt int
	Report  int // 0: nothing was told
}

// MaxOpenMessages bounds the messages of one citizen that have not ended. A case has a handful.
const MaxOpenMessages = 100

// ErrTooMany means that there is no room for more: nothing was changed.
var ErrTooMany = errors.New("too many")

// messages keeps messages to citizens.
type messages struct{ c *conn }

const messageColumns = `id, case_id, citizen, phone, kind, body, made, version, stage, at, channel, reason, ended, due`

func scanMessage(s scanner) (m Message, err error) {
	var ended int64
	err = s.Scan(&m.ID, &m.Case, &m.Citizen, &m.Phone, &m.Kind, &m.Body, instant{&m.Made}, &m.Version, &m.Stage, instant{&m.At}, &m.Channel, &m.Reason, &ended, instant{&m.Due})
	m.Ended = ended != 0
	return m, err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// AddMessage keeps a message that is to be sent; added is false where it is there already. It is durable when
// AddMessage returns nil. ErrTooMany changed nothing.
func (p messages) AddMessage(ctx context.Context, m Message) (added bool, err error) {
	added, err = inTx(ctx, p.c, func(ctx context.Context, t txn) (bool, error) {
		var open int
		if err := t.row(ctx, `SELECT COUNT(*) FROM messages WHERE citizen = ? AND ended = 0 AND id <> ?`, m.Citizen, m.ID).Scan(&open); err != nil {
			return false, err
		}
		rows, err := t.exec(ctx, `INSERT INTO messages (`+messageColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			m.ID, m.Case, m.Citizen, m.Phone, m.Kind, m.Body, m.Made, m.Stage, m.At, m.Channel, m.Reason, flag(m.Ended), m.Due)
		if err == nil && rows == 1 && open >= MaxOpenMessages {
			err = ErrTooMany
		}
		return rows == 1, err
	})
	if err != nil {
		return false, fmt.Errorf("add message: %w", err)
	}
	return added, nil
}

// AppendMessage keeps one record of a message, the row it leads to, and what the carrier calls its parts;
// m.Version is the record's, and counts from 1. It is durable when AppendMessage returns nil. ErrConflict
// changed nothing: another writer was first.
func (p messages) AppendMessage(ctx context.Context, m Message, record []byte, receipts []Receipt) error {
	if m.Version == 0 {
		return errors.New("append message: version 0")
	}
	_, err := inTx(ctx, p.c, func(ctx context.Context, t txn) (struct{}, error) {
		rows, err := t.exec(ctx, `UPDATE messages SET version = ?, phone = ?, body = ?, stage = ?, at = ?, channel = ?, reason = ?, ended = ?, due = ? WHERE id = ? AND version = ?`,
			m.Version, m.Phone, m.Body, m.Stage, m.At, m.Channel, m.Reason, flag(m.Ended), m.Due, m.ID, m.Version-1)
		if err == nil && rows != 1 {
			err = ErrConflict
		}
		if err == nil {
			_, err = t.exec(ctx, `INSERT INTO message_records (message, version, body) VALUES (?, ?, ?)`, m.ID, m.Version, record)
		}
		for _, r := range receipts {
			if err != nil {
				break
			}
			_, err = t.exec(ctx, `INSERT INTO message_receipts (channel, id, message, attempt, report, at) VALUES (?, ?, ?, ?, 0, ?)
				ON CONFLICT (channel, id) DO UPDATE SET message = excluded.message, attempt = excluded.attempt WHERE message_receipts.message = ''`,
				r.Channel, r.ID, m.ID, r.Attempt, m.At)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("append message: %w", err)
	}
	return nil
}

// PostponeMessages says when to look again at messages that nobody has changed since they were read.
func (p messages) PostponeMessages(ctx context.Context, list []Message, due time.Time) error {
	_, err := inTx(ctx, p.c, func(ctx context.Context, t txn) (struct{}, error) {
		for _, m := range list {
			if _, err := t.exec(ctx, `UPDATE messages SET due = ? WHERE id = ? AND version = ? AND ended = 0`, due, m.ID, m.Version); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	if err != nil {
		return fmt.Errorf("postpone messages: %w", err)
	}
	return nil
}

// DueCitizens returns the citizens with messages to be looked at by now, the longest due first, at most
// limit, and when the next one is due after now; zero: none.
func (p messages) DueCitizens(ctx context.Context, now time.Time, limit int) (list []string, next time.Time, err error) {
	list, err = many(ctx, p.c, func(s scanner) (c string, err error) { var first int64; err = s.Scan(&c, &first); return c, err },
		`SELECT citizen, MIN(due) FROM messages WHERE ended = 0 AND due <= ? GROUP BY citizen ORDER BY 2, 1 LIMIT ?`, now, limit)
	if err == nil {
		next, err = one(ctx, p.c, func(s scanner) (at time.Time, err error) { err = s.Scan(instant{&at}); return at, err },
			`SELECT COALESCE(MIN(due), 0) FROM messages WHERE ended = 0 AND due > ?`, now)
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("due citizens: %w", err)
	}
	return list, next, nil
}

// OpenMessages returns the messages of a citizen that have not ended, the oldest first.
func (p messages) OpenMessages(ctx context.Context, citizen string) ([]OpenMessage, error) {
	list, err := many(ctx, p.c, scanMessage, `SELECT `+messageColumns+` FROM messages WHERE citizen = ? AND ended = 0 ORDER BY made, id LIMIT ?`, citizen, MaxOpenMessages)
	if err != nil {
		return nil, fmt.Errorf("open messages: %w", err)
	}
	out := make([]OpenMessage, len(list))
	for i, m := range list {
		if out[i], err = p.records(ctx, m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LoadMessage returns a message with its records, or ErrNotFound.
func (p messages) LoadMessage(ctx context.Context, id string) (OpenMessage, error) {
	m, err := one(ctx, p.c, scanMessage, `SELECT `+messageColumns+` FROM messages WHERE id = ?`, id)
	if err != nil {
		return OpenMessage{}, fmt.Errorf("load message: %w", err)
	}
	return p.records(ctx, m)
}

// records adds the records of a row. They may already have grown beyond it: those are left out.
func (p messages) records(ctx context.Context, m Message) (OpenMessage, error) {
	list, err := many(ctx, p.c, func(s scanner) (body []byte, err error) { err = s.Scan(&body); return body, err },
		`SELECT body FROM message_records WHERE message = ? AND version <= ? ORDER BY version`, m.ID, m.Version)
	if err != nil {
		return OpenMessage{}, fmt.Errorf("records of a message: %w", err)
	}
	return OpenMessage{m, list}, nil
}

// CaseMessages returns the messages about a case, the oldest first, at most MaxPage.
func (p messages) CaseMessages(ctx context.Context, id string) ([]Message, error) {
	list, err := many(ctx, p.c, scanMessage, `SELECT `+messageColumns+` FROM messages WHERE case_id = ? ORDER BY made, id LIMIT ?`, id, MaxPage)
	if err != nil {
		return nil, fmt.Errorf("messages of a case: %w", err)
	}
	return list, nil
}

// WaitingMessages returns how many messages no carrier has taken yet, and when the oldest of them was made.
func (p messages) WaitingMessages(ctx context.Context) (n int, oldest time.Time, err error) {
	_, err = one(ctx, p.c, func(s scanner) (struct{}, error) { return struct{}{}, s.Scan(&n, instant{&oldest}) },
		`SELECT COUNT(*), COALESCE(MIN(made), 0) FROM messages WHERE ended = 0 AND stage <> 'sent'`)
	return n, oldest, err
}

// PutReport keeps what a carrier told of one part and returns the parts of its attempt, none where the part is
// not known here yet. What was told first stays.
func (p messages) PutReport(ctx context.Context, r Receipt, at time.Time) ([]Receipt, error) {
	list, err := inTx(ctx, p.c, func(ctx context.Context, t txn) (list []Receipt, err error) {
		if _, err := t.exec(ctx, `INSERT INTO message_receipts (channel, id, message, attempt, report, at) VALUES (?, ?, '', 0, ?, ?)
			ON CONFLICT (channel, id) DO UPDATE SET report = excluded.report WHERE message_receipts.report = 0`, r.Channel, r.ID, r.Report, at); err != nil {
			return nil, err
		}
		var message string
		var attempt int
		if err := t.row(ctx, `SELECT message, attempt FROM message_receipts WHERE channel = ? AND id = ?`, r.Channel, r.ID).Scan(&message, &attempt); err != nil || message == "" {
			return nil, err
		}
		return attemptParts(ctx, t, message, attempt)
	})
	if err != nil {
		return nil, fmt.Errorf("put report: %w", err)
	}
	return list, nil
}

// Parts returns what is known of the parts of one attempt.
func (p messages) Parts(ctx context.Context, message string, attempt int) ([]Receipt, error) {
	return inTx(ctx, p.c, func(ctx context.Context, t txn) ([]Receipt, error) { return attemptParts(ctx, t, message, attempt) })
}

func attemptParts(ctx context.Context, t txn, message string, attempt int) (list []Receipt, err error) {
	rows, err := t.tx.QueryContext(ctx, dialect(t.pg, `SELECT channel, id, message, attempt, report FROM message_receipts WHERE message = ? AND attempt = ? ORDER BY id`), message, attempt)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r Receipt
		if err := rows.Scan(&r.Channel, &r.ID, &r.Message, &r.Attempt, &r.Report); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// ForgetReceipts removes what carriers called messages before a time: no report is expected any more.
func (p messages) ForgetReceipts(ctx context.Context, before time.Time) error {
	return p.c.exec(ctx, `DELETE FROM message_receipts WHERE at < ?`, before)
}

// ForgetMessages removes everything that was said to citizens about a case, such as when its archive is destroyed.
func (p messages) ForgetMessages(ctx context.Context, id string) error {
	_, err := inTx(ctx, p.c, func(ctx context.Context, t txn) (struct{}, error) {
		for _, query := range []string{
			`DELETE FROM message_receipts WHERE message IN (SELECT id FROM messages WHERE case_id = ?)`,
			`DELETE FROM message_records WHERE message IN (SELECT id FROM messages WHERE case_id = ?)`,
			`DELETE FROM messages WHERE case_id = ?`,
		} {
			if _, err := t.exec(ctx, query, id); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	if err != nil {
		return fmt.Errorf("forget messages: %w", err)
	}
	return nil
}
