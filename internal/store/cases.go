package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"jedel/internal/ident"
)

// ErrBusy means that a patrol is not free: off duty, or at another case. Nothing was changed.
var ErrBusy = errors.New("the patrol is not free")

// CaseRecord is one decision of a case. Version counts from 1 without a gap.
type CaseRecord struct {
	Version uint64
	At      time.Time
	Kind    string
	Body    []byte // JSON, opaque here
}

// CaseSummary is a case's newest state as lists, searches and statistics need it: one row.
type CaseSummary struct {
	Case           ident.CaseID
	Number         string
	Version        uint64 // of the record it was made of
	Lane, Kind     string
	Priority       int
	Unit, Status   string
	Owner, Handing ident.StaffID
	Caller         ident.CallerID
	Phone          string
	Place          *Spot // nil: nowhere
	Outcome        string
	Into           ident.CaseID
	CaseTimes
}

// CaseTimes are the moments of a case, zero for never. Replied is when the citizen was first told more
// than the receipt, Due when the case wants to be looked at by itself.
type CaseTimes struct {
	OpenedAt, Since, SentAt, ArrivedAt, ClosedAt, RepliedAt, DueAt, ChangedAt time.Time
}

// Spot is a place in degrees.
type Spot struct{ Lat, Lon float64 }

// UnitChange is what a decision means for a patrol: its new state at the case, or free where State is
// empty.
type UnitChange struct {
	Staff ident.StaffID
	State string
}

// CaseAppend is one decision of a case to keep, with what follows from it in other tables. Version 1
// makes the case. Recording, where it is not empty, belongs to the case from then on. Find is any text
// by which a search finds the case.
type CaseAppend struct {
	Record    CaseRecord
	Row       CaseSummary
	Units     []UnitChange
	Recording ident.CallID
	Find      string
}

// caseBook keeps the cases.
type caseBook struct{ c *conn }

const caseColumns = `id, number, version, lane, kind, priority, unit, status, owner, handing, caller, phone, lat, lon, opened_at, since, sent_at,
	arrived_at, closed_at, replied_at, due_at, outcome, merged_into, changed_at`

func scanCase(s scanner) (c CaseSummary, err error) {
	var lat, lon *float64
	err = s.Scan(&c.Case, &c.Number, &c.Version, &c.Lane, &c.Kind, &c.Priority, &c.Unit, &c.Status, &c.Owner, &c.Handing, &c.Caller, &c.Phone,
		&lat, &lon, instant{&c.OpenedAt}, instant{&c.Since}, instant{&c.SentAt}, instant{&c.ArrivedAt}, instant{&c.ClosedAt}, instant{&c.RepliedAt},
		instant{&c.DueAt}, &c.Outcome, &c.Into, instant{&c.ChangedAt})
	if lat != nil && lon != nil {
		c.Place = &Spot{*lat, *lon}
	}
	return c, found(err)
}

func (s *Spot) columns() (lat, lon *float64) {
	if s == nil {
		return nil, nil
	}
	return &s.Lat, &s.Lon
}

// AppendCases keeps decisions of one or more cases, all or none. It is durable when AppendCases
// returns nil. ErrConflict and ErrBusy changed nothing; any other error means unknown.
func (k caseBook) AppendCases(ctx context.Context, list ...CaseAppend) error {
	_, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (struct{}, error) {
		for _, a := range list {
			if err := appendCase(ctx, t, a); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	if err != nil {
		return fmt.Errorf("append case: %w", err)
	}
	return nil
}

func appendCase(ctx context.Context, t txn, a CaseAppend) error {
	c, rec := a.Row, a.Record
	lat, lon := c.Place.columns()
	var rows int64
	var err error
	if rec.Version == 1 {
		rows, err = t.exec(ctx, `INSERT INTO cases (`+caseColumns+`, find_all)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			c.Case, c.Number, rec.Version, c.Lane, c.Kind, c.Priority, c.Unit, c.Status, c.Owner, c.Handing, c.Caller, c.Phone, lat, lon,
			c.OpenedAt, c.Since, c.SentAt, c.ArrivedAt, c.ClosedAt, c.RepliedAt, c.DueAt, c.Outcome, c.Into, rec.At, fold(a.Find))
	} else {
		rows, err = t.exec(ctx, `UPDATE cases SET version = ?, kind = ?, priority = ?, unit = ?, status = ?, owner = ?, handing = ?, caller = ?,
			phone = ?, lat = ?, lon = ?, since = ?, sent_at = ?, arrived_at = ?, closed_at = ?, replied_at = ?, due_at = ?, outcome = ?,
			merged_into = ?, changed_at = ?, find_all = ? WHERE id = ? AND version = ?`,
			rec.Version, c.Kind, c.Priority, c.Unit, c.Status, c.Owner, c.Handing, c.Caller, c.Phone, lat, lon, c.Since, c.SentAt, c.ArrivedAt,
			c.ClosedAt, c.RepliedAt, c.DueAt, c.Outcome, c.Into, rec.At, fold(a.Find), c.Case, rec.Version-1)
	}
	if err != nil {
		return err
	}
	if rows != 1 {
		return ErrConflict
	}
	if _, err := t.exec(ctx, `INSERT INTO case_records (case_id, version, at, kind, body) VALUES (?, ?, ?, ?, ?)`,
		c.Case, rec.Version, rec.At, rec.Kind, rec.Body); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if a.Recording != "" {
		if _, err := t.exec(ctx, `INSERT INTO case_recordings (recording, case_id) VALUES (?, ?) ON CONFLICT (recording) DO NOTHING`, a.Recording, c.Case); err != nil {
			return fmt.Errorf("recording: %w", err)
		}
	}
	return moveUnits(ctx, t, c.Case, rec.At, a.Units)
}

// moveUnits makes patrols what a decision says. A patrol is assigned only where it is free.
func moveUnits(ctx context.Context, t txn, id ident.CaseID, at time.Time, list []UnitChange) error {
	for _, u := range list {
		var rows int64
		var err error
		switch u.State {
		case "":
			_, err = t.exec(ctx, `UPDATE patrols SET state = 'available', case_id = '', since = ? WHERE staff = ? AND case_id = ?`, at, u.Staff, id)
			rows = 1
		case "assigned":
			rows, err = t.exec(ctx, `UPDATE patrols SET state = ?, case_id = ?, since = ? WHERE staff = ? AND state = 'available' AND case_id = ''`,
				u.State, id, at, u.Staff)
		default:
			rows, err = t.exec(ctx, `UPDATE patrols SET state = ?, since = ? WHERE staff = ? AND case_id = ?`, u.State, at, u.Staff, id)
		}
		if err != nil {
			return fmt.Errorf("patrol: %w", err)
		}
		if rows != 1 {
			return ErrBusy
		}
	}
	return nil
}

// LoadCase returns all decisions of a case in order, or ErrNotFound.
func (k caseBook) LoadCase(ctx context.Context, id ident.CaseID) ([]CaseRecord, error) {
	list, err := many(ctx, k.c, func(s scanner) (r CaseRecord, err error) {
		err = s.Scan(&r.Version, instant{&r.At}, &r.Kind, &r.Body)
		return r, err
	}, `SELECT version, at, kind, body FROM case_records WHERE case_id = ? ORDER BY version`, id)
	if err != nil {
		return nil, fmt.Errorf("load case: %w", err)
	}
	for i, r := range list {
		if r.Version != uint64(i)+1 {
			return nil, fmt.Errorf("load case: record %d stands where %d should", r.Version, i+1)
		}
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return list, nil
}

// CaseOf returns the case that a recording belongs to, or ErrNotFound.
func (k caseBook) CaseOf(ctx context.Context, rec ident.CallID) (ident.CaseID, error) {
	return one(ctx, k.c, func(s scanner) (id ident.CaseID, err error) { err = s.Scan(&id); return id, err },
		`SELECT case_id FROM case_recordings WHERE recording = ?`, rec)
}

// ListDue returns the cases whose deadline has come, the oldest first.
func (k caseBook) ListDue(ctx context.Context, now time.Time, limit int) ([]ident.CaseID, error) {
	return many(ctx, k.c, func(s scanner) (id ident.CaseID, err error) { err = s.Scan(&id); return id, err },
		`SELECT id FROM cases WHERE due_at <> 0 AND due_at <= ? ORDER BY due_at LIMIT ?`, now, limit)
}

// NextDue returns when the next deadline comes, zero for none.
func (k caseBook) NextDue(ctx context.Context) (at time.Time, err error) {
	_, err = one(ctx, k.c, func(s scanner) (struct{}, error) { return struct{}{}, s.Scan(instant{&at}) },
		`SELECT COALESCE(MIN(due_at), 0) FROM cases WHERE due_at <> 0`)
	return at, err
}

// ListUncased returns the calls from a time on that have no case yet: registered in a moment between
// two transactions.
func (k caseBook) ListUncased(ctx context.Context, from time.Time, limit int) ([]CallSummary, error) {
	list, err := many(ctx, k.c, scanCall, `SELECT `+callColumns+` FROM calls WHERE created_at >= ?
		AND NOT EXISTS (SELECT 1 FROM case_recordings WHERE recording = calls.id) ORDER BY created_at, id LIMIT ?`, from, limit)
	if err != nil {
		return nil, fmt.Errorf("list uncased: %w", err)
	}
	return list, nil
}

// CaseQuery asks for cases; zero fields do not restrict.
type CaseQuery struct {
	From, To time.Time // opened within [From, To)
	Open     bool      // neither closed nor merged
	Statuses []string
	Lane     string
	Kind     string
	Unit     string
	Within   string        // of this unit or of none; empty: of any
	Owner    ident.StaffID // owns it, or is asked to
	At       ident.StaffID // the patrol that is at it now
	Unowned  bool          // nobody's
	Unheard  bool          // its citizen was told no more than the receipt
	Caller   ident.CallerID
	Phone    string // exactly
	Near     *Near
	Text     string // each of its words within numbers, names, plates, notes, words of places; or it is a telephone or a plate
	Changed  time.Time
	Order    CaseOrder
	Cursor   string // from the page before
	Limit    int    // 1..MaxPage; 50 where it is 0
}

// CaseOrder is in which order cases are found.
type CaseOrder int

// Orders of cases.
const (
	NewestFirst CaseOrder = iota
	OldestFirst
	UrgentFirst // by priority, the oldest first within one
)

func (o CaseOrder) sql() string {
	return []string{"opened_at DESC, id DESC", "opened_at, id", "priority, opened_at, id"}[o]
}

// SearchCases returns the cases that match, in the order that was asked for, and the cursor of the next
// page, empty at the end. A cursor that is none gives ErrCursor.
func (k caseBook) SearchCases(ctx context.Context, q CaseQuery) ([]CaseSummary, string, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, MaxPage)
	where, args, err := q.where()
	if err != nil {
		return nil, "", err
	}
	list, err := many(ctx, k.c, scanCase, `SELECT `+caseColumns+` FROM cases`+where+` ORDER BY `+q.Order.sql()+` LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("search cases: %w", err)
	}
	if len(list) <= limit {
		return list, "", nil
	}
	last := list[limit-1]
	return list[:limit], base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", last.Priority, micros(last.OpenedAt), last.Case)), nil
}

func (q CaseQuery) where() (string, []any, error) {
	var conds []string
	var args []any
	add := func(cond string, vs ...any) {
		conds, args = append(conds, cond), append(args, vs...)
	}
	if !q.From.IsZero() {
		add(`opened_at >= ?`, q.From)
	}
	if !q.To.IsZero() {
		add(`opened_at < ?`, q.To)
	}
	if q.Open {
		add(`closed_at = 0 AND merged_into = ''`)
	}
	if len(q.Statuses) > 0 {
		add(`status IN (?` + strings.Repeat(`, ?`, len(q.Statuses)-1) + `)`)
		for _, s := range q.Statuses {
			args = append(args, s)
		}
	}
	for _, f := range []struct{ column, value string }{
		{"lane", q.Lane}, {"kind", q.Kind}, {"unit", q.Unit}, {"caller", string(q.Caller)}, {"phone", q.Phone},
	} {
		if f.value != "" {
			add(f.column+` = ?`, f.value)
		}
	}
	if q.Within != "" {
		add(`unit IN (?, '')`, q.Within)
	}
	if q.At != "" {
		add(`id IN (SELECT case_id FROM patrols WHERE staff = ?)`, q.At)
	}
	if q.Owner != "" {
		add(`(owner = ? OR handing = ?)`, q.Owner, q.Owner)
	}
	if q.Unowned {
		add(`owner = ''`)
	}
	if q.Unheard {
		add(`replied_at = 0`)
	}
	if q.Near != nil {
		south, north, west, east := q.Near.box()
		add(`lat BETWEEN ? AND ? AND lon BETWEEN ? AND ?`, south, north, west, east)
	}
	if q.Text != "" {
		cond, patterns := anyText(q.Text)
		add(cond, patterns...)
	}
	if !q.Changed.IsZero() {
		add(`changed_at > ?`, q.Changed)
	}
	if q.Cursor != "" {
		cond, after, err := q.after()
		if err != nil {
			return "", nil, err
		}
		add(cond, after...)
	}
	if len(conds) == 0 {
		return "", nil, nil
	}
	return ` WHERE ` + strings.Join(conds, ` AND `), args, nil
}

// after is what comes behind the cursor.
func (q CaseQuery) after() (string, []any, error) {
	raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	priority, rest, found := strings.Cut(string(raw), " ")
	p, err2 := strconv.Atoi(priority)
	if err != nil || err2 != nil || !found {
		return "", nil, ErrCursor
	}
	at, id, err := cursor(base64.RawURLEncoding.EncodeToString([]byte(rest)))
	if err != nil {
		return "", nil, err
	}
	switch q.Order {
	case OldestFirst:
		return `(opened_at > ? OR (opened_at = ? AND id > ?))`, []any{at, at, id}, nil
	case UrgentFirst:
		return `(priority > ? OR (priority = ? AND (opened_at > ? OR (opened_at = ? AND id > ?))))`, []any{p, p, at, at, id}, nil
	}
	return `(opened_at < ? OR (opened_at = ? AND id < ?))`, []any{at, at, id}, nil
}

// MaxWords bounds the words of a search; what is behind them is not looked for.
const MaxWords = 8

// anyText is the condition that a text is found: all its words in any order, or the text as a telephone or
// as a number plate.
func anyText(text string) (string, []any) {
	words := strings.Fields(text)
	words = words[:min(len(words), MaxWords)]
	var all []string
	var args []any
	for _, w := range words {
		all, args = append(all, `find_all LIKE ? ESCAPE '\'`), append(args, like(w))
	}
	cond := strings.Join(all, ` AND `)
	if len(words) == 0 {
		return `1 = 1`, nil
	}
	other := Plate(text)
	if strings.Trim(text, "+0123456789 ()-") == "" {
		other = dialled(text)
	}
	if len(other) >= 4 && strings.ContainsAny(other, "0123456789") {
		cond, args = cond+` OR find_all LIKE ? ESCAPE '\'`, append(args, like(other))
	}
	return `(` + cond + `)`, args
}

// Finds reports whether any word of a search stands in a value, or the search as a telephone or a plate.
func Finds(value, text string) bool {
	folded := fold(value)
	for _, w := range strings.Fields(text) {
		if strings.Contains(folded, fold(w)) {
			return true
		}
	}
	if strings.Trim(text, "+0123456789 ()-") == "" {
		return strings.Contains(folded, dialled(text))
	}
	plate := Plate(text)
	return len(plate) >= 4 && strings.ContainsAny(plate, "0123456789") && strings.Contains(Plate(value), plate)
}

// Plate writes a number plate as searches compare it: without spaces and marks, Cyrillic letters that
// look like Latin ones as Latin.
func Plate(s string) string {
	alike := strings.NewReplacer("А", "A", "В", "B", "Е", "E", "К", "K", "М", "M", "Н", "H", "О", "O", "Р", "P", "С", "C", "Т", "T", "У", "Y", "Х", "X", "І", "I")
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r > 0x7f {
			return r
		}
		return -1
	}, alike.Replace(strings.ToUpper(s)))
}
