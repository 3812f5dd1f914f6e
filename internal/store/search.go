package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"jedel/internal/ident"
)

// MaxPage bounds one page of a search.
const MaxPage = 200

// CallQuery asks for calls; zero fields do not restrict. Text fields match parts, without case
// for what is plain ASCII.
type CallQuery struct {
	From, To time.Time // created within [From, To)
	Number   string
	Phone    string
	Name     string
	Operator string // name
	Text     string // within number, phone, name, category or chat
	Cursor   string // from the page before
	Limit    int    // 1..MaxPage; 50 where it is 0
}

// SearchCalls returns the calls that match, the newest first, and the cursor of the next page,
// empty at the end.
func (db *DB) SearchCalls(ctx context.Context, q CallQuery) ([]CallSummary, string, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, MaxPage)
	where, args, err := q.where()
	if err != nil {
		return nil, "", err
	}
	rows, err := db.read.QueryContext(ctx, db.q(`SELECT `+callColumns+` FROM calls`+where+` ORDER BY created_at DESC, id DESC LIMIT `+
		strconv.Itoa(limit+1)), args...)
	if err != nil {
		return nil, "", fmt.Errorf("search: %w", err)
	}
	calls, err := collect(rows, scanCall)
	if err != nil || len(calls) <= limit {
		return calls, "", err
	}
	calls = calls[:limit]
	last := calls[limit-1]
	return calls, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", micros(last.CreatedAt), last.Call)), nil
}

func (q CallQuery) where() (string, []any, error) {
	var conds []string
	var args []any
	add := func(cond string, vs ...any) {
		conds = append(conds, cond)
		args = append(args, vs...)
	}
	if !q.From.IsZero() {
		add(`created_at >= ?`, micros(q.From))
	}
	if !q.To.IsZero() {
		add(`created_at < ?`, micros(q.To))
	}
	for _, f := range []struct{ column, part string }{
		{"number", q.Number}, {"phone", q.Phone}, {"name", q.Name}, {"operator_name", q.Operator},
	} {
		if f.part != "" {
			add(`LOWER(`+f.column+`) LIKE LOWER(?) ESCAPE '\'`, like(f.part))
		}
	}
	if q.Text != "" {
		p := like(q.Text)
		add(`(LOWER(number) LIKE LOWER(?) ESCAPE '\' OR LOWER(phone) LIKE LOWER(?) ESCAPE '\' OR LOWER(name) LIKE LOWER(?) ESCAPE '\'
			OR LOWER(category) LIKE LOWER(?) ESCAPE '\' OR EXISTS (SELECT 1 FROM call_items i WHERE i.call = calls.id AND i.kind = 'chat'
			AND LOWER(i.body) LIKE LOWER(?) ESCAPE '\'))`, p, p, p, p, p)
	}
	if q.Cursor != "" {
		at, id, err := cursor(q.Cursor)
		if err != nil {
			return "", nil, err
		}
		add(`(created_at < ? OR (created_at = ? AND id < ?))`, at, at, id)
	}
	if len(conds) == 0 {
		return "", nil, nil
	}
	return ` WHERE ` + strings.Join(conds, ` AND `), args, nil
}

// like makes a pattern that matches part anywhere and takes its wildcards literally.
func like(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}

// ErrCursor reports a cursor that no search of ours gave.
var ErrCursor = fmt.Errorf("not a cursor")

func cursor(s string) (int64, string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, "", ErrCursor
	}
	at, id, _ := strings.Cut(string(raw), " ")
	us, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return 0, "", ErrCursor
	}
	if _, err := ident.Parse[ident.CallID](id); err != nil {
		return 0, "", ErrCursor
	}
	return us, id, nil
}

// CallsOfCaller counts the calls of a registered caller but one, and tells when the last was.
func (db *DB) CallsOfCaller(ctx context.Context, caller ident.CallerID, but ident.CallID) (n int, last time.Time, err error) {
	var us int64
	err = db.read.QueryRowContext(ctx, db.q(`SELECT COUNT(*), COALESCE(MAX(created_at), 0) FROM calls WHERE caller = ? AND id <> ?`),
		caller, but).Scan(&n, &us)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("calls of caller: %w", err)
	}
	return n, fromMicros(us), nil
}

// CallStats is how a span of time went.
type CallStats struct {
	Created, Answered, AnsweredInTime, Missed int
}

// CallStats counts the calls created within [from, to). In time means answered within target.
func (db *DB) CallStats(ctx context.Context, from, to time.Time, target time.Duration) (CallStats, error) {
	var s CallStats
	err := db.read.QueryRowContext(ctx, db.q(`SELECT COUNT(*), COALESCE(SUM(CASE WHEN answered_at > 0 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN answered_at > 0 AND answered_at - created_at <= ? THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN end_reason IN ('abandoned', 'dropped') THEN 1 ELSE 0 END), 0)
		FROM calls WHERE created_at >= ? AND created_at < ?`), target.Microseconds(), micros(from), micros(to)).
		Scan(&s.Created, &s.Answered, &s.AnsweredInTime, &s.Missed)
	if err != nil {
		return CallStats{}, fmt.Errorf("call stats: %w", err)
	}
	return s, nil
}
