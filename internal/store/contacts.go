package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Contact is a call or a report with the case that it belongs to, as statistics need them.
type Contact struct {
	ID                    string // of the recording
	Case                  string // empty: it has none yet
	Lane                  string
	Kind, Unit, Outcome   string
	Into                  string // the case its case was merged into
	Opened, Sent, Arrived time.Time
	Closed, Replied       time.Time
	Created               time.Time // of the call, as the rest; zero where it is none
	Answered, Ended       time.Time
	Callback              string
}

// contacts reads calls and cases together.
type contacts struct{ c *conn }

// Every case is a contact by its first recording, and so is every call that is not the first of a
// case: one of several about the same, or one whose case is made in a moment. Photos of patrols and
// clips of cameras are none.
const (
	caseContacts = `SELECT k.id, k.id, k.lane, CASE WHEN k.kind = '' THEN COALESCE(c.category, '') ELSE k.kind END, k.unit, k.outcome, k.merged_into,
		k.opened_at, k.sent_at, k.arrived_at, k.closed_at, k.replied_at, COALESCE(c.created_at, 0), COALESCE(c.answered_at, 0),
		COALESCE(c.ended_at, 0), COALESCE(c.callback, '') FROM cases k LEFT JOIN calls c ON c.id = k.id WHERE `
	otherContacts = `SELECT c.id, COALESCE(r.case_id, ''), 'call', COALESCE(NULLIF(k.kind, ''), c.category), COALESCE(k.unit, ''), COALESCE(k.outcome, c.outcome),
		COALESCE(k.merged_into, ''), c.created_at, 0, 0, COALESCE(k.closed_at, c.ended_at), 0, c.created_at, c.answered_at, c.ended_at, c.callback
		FROM calls c LEFT JOIN case_recordings r ON r.recording = c.id LEFT JOIN cases k ON k.id = r.case_id
		WHERE c.kind NOT IN ('report', 'patrol', 'camera') AND NOT EXISTS (SELECT 1 FROM cases x WHERE x.id = c.id) AND `
)

func scanContact(s scanner) (c Contact, err error) {
	err = s.Scan(&c.ID, &c.Case, &c.Lane, &c.Kind, &c.Unit, &c.Outcome, &c.Into, instant{&c.Opened}, instant{&c.Sent}, instant{&c.Arrived},
		instant{&c.Closed}, instant{&c.Replied}, instant{&c.Created}, instant{&c.Answered}, instant{&c.Ended}, &c.Callback)
	return c, err
}

// ContactQuery asks for contacts in the order of their opening.
type ContactQuery struct {
	Others   bool      // calls that are not the first of a case; else the cases
	From, To time.Time // opened within [From, To); To zero: no end
	After    string    // and after the contact of this ID, where it was opened at From
	Limit    int
}

// Contacts returns a page of contacts.
func (k contacts) Contacts(ctx context.Context, q ContactQuery) ([]Contact, error) {
	base, at, id := caseContacts, "k.opened_at", "k.id"
	if q.Others {
		base, at, id = otherContacts, "c.created_at", "c.id"
	}
	cond, args := at+` >= ? AND (`+at+` > ? OR `+id+` > ?)`, []any{q.From, q.From, q.After}
	if !q.To.IsZero() {
		cond, args = cond+` AND `+at+` < ?`, append(args, q.To)
	}
	list, err := many(ctx, k.c, scanContact, base+cond+` ORDER BY `+at+`, `+id+` LIMIT ?`, append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("contacts: %w", err)
	}
	return list, nil
}

// CaseChange is a case and when it changed.
type CaseChange struct {
	At time.Time
	ID string
}

// ChangedCases returns the cases that changed at or after a moment, in that order, after one of them.
func (k contacts) ChangedCases(ctx context.Context, after CaseChange, limit int) ([]CaseChange, error) {
	list, err := many(ctx, k.c, func(s scanner) (c CaseChange, err error) {
		err = s.Scan(instant{&c.At}, &c.ID)
		return c, err
	}, `SELECT changed_at, id FROM cases WHERE changed_at >= ? AND (changed_at > ? OR id > ?) ORDER BY changed_at, id LIMIT ?`, after.At, after.At, after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("changed cases: %w", err)
	}
	return list, nil
}

// ContactsOf returns the contacts of cases and of calls by their ids, those of MaxPage of them at most.
func (k contacts) ContactsOf(ctx context.Context, ids []string) ([]Contact, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in := ` IN (?` + strings.Repeat(`, ?`, len(ids)-1) + `)`
	var args []any
	for _, id := range ids {
		args = append(args, id)
	}
	list, err := many(ctx, k.c, scanContact, caseContacts+`k.id`+in, args...)
	if err != nil {
		return nil, fmt.Errorf("contacts of cases: %w", err)
	}
	for _, column := range []string{`c.id`, `r.case_id`} {
		more, err := many(ctx, k.c, scanContact, otherContacts+column+in, args...)
		if err != nil {
			return nil, fmt.Errorf("contacts of calls: %w", err)
		}
		list = append(list, more...)
	}
	return list, nil
}

// LiveCalls returns the calls that have not ended or still owe a call-back, those that change, each with
// its version. It is worded as the index calls_open is.
func (k contacts) LiveCalls(ctx context.Context) (map[string]uint64, error) {
	type live struct {
		id      string
		version uint64
	}
	list, err := many(ctx, k.c, func(s scanner) (l live, err error) { err = s.Scan(&l.id, &l.version); return l, err }, `SELECT id, version`+openCalls)
	if err != nil {
		return nil, fmt.Errorf("live calls: %w", err)
	}
	out := make(map[string]uint64, len(list))
	for _, l := range list {
		out[l.id] = l.version
	}
	return out, nil
}

// PatrolCount is how many patrols are on duty, and how many of them belong to no case.
type PatrolCount struct{ OnDuty, Free int }

// CountPatrols counts the patrols on duty.
func (k contacts) CountPatrols(ctx context.Context) (PatrolCount, error) {
	n, err := one(ctx, k.c, func(s scanner) (n PatrolCount, err error) { err = s.Scan(&n.OnDuty, &n.Free); return n, err },
		`SELECT COUNT(*), COALESCE(SUM(CASE WHEN case_id = '' THEN 1 ELSE 0 END), 0) FROM patrols WHERE state <> 'off'`)
	if err != nil {
		return PatrolCount{}, fmt.Errorf("count patrols: %w", err)
	}
	return n, nil
}
