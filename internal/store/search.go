package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"jedel/internal/ident"
)

// MaxPage bounds one page of a search.
const MaxPage = 200

// CallQuery asks for calls; zero fields do not restrict. Text fields match parts, whatever the
// case, in any script.
type CallQuery struct {
	From, To time.Time // created within [From, To)
	Number   string
	Phone    string
	Name     string
	Operator string // name
	Phase    string // exactly
	Category string // exactly
	Near     *Near
	Text     string // within number, phone, names, category, outcome or what was written
	Cursor   string // from the page before
	Limit    int    // 1..MaxPage; 50 where it is 0
}

// Near asks for calls with a position within a square around a place.
type Near struct {
	Lat, Lon float64 // degrees
	Metres   float64 // half a side of the square
}

// box is the square in degrees. At the poles and at the date line it ends.
func (n Near) box() (south, north, west, east float64) {
	const degree = 111_320 // metres of a degree of latitude
	dy := n.Metres / degree
	dx := dy / max(0.01, math.Cos(n.Lat*math.Pi/180))
	return n.Lat - dy, n.Lat + dy, n.Lon - dx, n.Lon + dx
}

// SearchCalls returns the calls that match, the newest first, and the cursor of the next page,
// empty at the end. A cursor that is none gives ErrCursor.
func (k calls) SearchCalls(ctx context.Context, q CallQuery) ([]CallSummary, string, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, MaxPage)
	where, args, err := q.where()
	if err != nil {
		return nil, "", err
	}
	sums, err := many(ctx, k.c, scanCall, `SELECT `+callColumns+` FROM calls`+where+` ORDER BY created_at DESC, id DESC LIMIT ?`,
		append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("search: %w", err)
	}
	if len(sums) <= limit {
		return sums, "", nil
	}
	last := sums[limit-1]
	return sums[:limit], base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", micros(last.CreatedAt), last.Call)), nil
}

func (q CallQuery) where() (string, []any, error) {
	var conds []string
	var args []any
	add := func(cond string, vs ...any) {
		conds = append(conds, cond)
		args = append(args, vs...)
	}
	if !q.From.IsZero() {
		add(`created_at >= ?`, q.From)
	}
	if !q.To.IsZero() {
		add(`created_at < ?`, q.To)
	}
	if q.Phase != "" {
		add(`phase = ?`, q.Phase)
	}
	if q.Category != "" {
		add(`category = ?`, q.Category)
	}
	if q.Near != nil {
		south, north, west, east := q.Near.box()
		add(`EXISTS (SELECT 1 FROM call_items p WHERE p.call = calls.id AND p.lat BETWEEN ? AND ? AND p.lon BETWEEN ? AND ?)`, south, north, west, east)
	}
	for _, f := range []struct{ column, part string }{
		{"number", q.Number}, {"phone", dialled(q.Phone)}, {"find_name", q.Name}, {"find_operator", q.Operator},
	} {
		if f.part != "" {
			add(f.column+` LIKE ? ESCAPE '\'`, like(f.part))
		}
	}
	if q.Text != "" {
		add(`(find_all LIKE ? ESCAPE '\' OR EXISTS (SELECT 1 FROM call_items i WHERE i.call = calls.id AND i.find LIKE ? ESCAPE '\'))`,
			like(q.Text), like(q.Text))
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

// fold brings text into the form in which searches compare it. Kazakh and Russian are written
// with capitals and without, and Russian with ё and without.
func fold(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "ё", "е")
}

// dialled writes a telephone number, or a part of one, as it is kept: without the marks between
// its digits, and with +7 where people here write 8.
func dialled(part string) string {
	digits := strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, part)
	switch {
	case digits == "":
		return part
	case len(digits) == 11 && digits[0] == '8':
		return "+7" + digits[1:]
	}
	return digits
}

// folded returns what a search by caller, by operator and by any text compares.
func (c CallSummary) folded() (caller, operator, all string) {
	return fold(c.Name), fold(c.OperatorName), fold(strings.Join([]string{c.Number, c.Phone, c.Name, c.OperatorName, c.Category, c.Outcome}, "\n"))
}

// like makes a pattern that matches part anywhere and takes its wildcards literally.
func like(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold(part)) + "%"
}

// ErrCursor reports a cursor that no search of ours gave.
var ErrCursor = errors.New("not a cursor")

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
func (k calls) CallsOfCaller(ctx context.Context, caller ident.CallerID, but ident.CallID) (n int, last time.Time, err error) {
	n, err = one(ctx, k.c, func(s scanner) (n int, err error) {
		err = s.Scan(&n, instant{&last})
		return n, err
	}, `SELECT COUNT(*), COALESCE(MAX(created_at), 0) FROM calls WHERE caller = ? AND id <> ?`, caller, but)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("calls of caller: %w", err)
	}
	return n, last, nil
}

// CallStats is how a span of time went.
type CallStats struct {
	Created, Answered, AnsweredInTime, Missed int
}

// CallStats counts the calls created within [from, to). In time means answered within target.
func (k calls) CallStats(ctx context.Context, from, to time.Time, target time.Duration) (CallStats, error) {
	st, err := one(ctx, k.c, func(s scanner) (st CallStats, err error) {
		err = s.Scan(&st.Created, &st.Answered, &st.AnsweredInTime, &st.Missed)
		return st, err
	}, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN answered_at > 0 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN answered_at > 0 AND answered_at - created_at <= ? THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN end_reason IN ('abandoned', 'dropped') THEN 1 ELSE 0 END), 0)
		FROM calls WHERE created_at >= ? AND created_at < ? AND kind NOT IN ('report', 'patrol', 'camera')`, target.Microseconds(), from, to)
	if err != nil {
		return CallStats{}, fmt.Errorf("call stats: %w", err)
	}
	return st, nil
}
