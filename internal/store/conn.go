package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// writeTime bounds every write. A disk that takes longer is broken; longer would only hide it.
const writeTime = 10 * time.Second

// tries is how often something that has changed nothing yet is repeated on a fresh connection
// when a database was restarted under us.
const tries = 3

// conn is the store's connections and the one place that knows both dialects.
type conn struct {
	write *sql.DB  // SQLite: one connection; PostgreSQL: the pool
	read  *sql.DB  // SQLite: several connections; PostgreSQL: the same pool
	batch *batcher // SQLite only: concurrent writes share one fsync
	pg    bool
}

func (c *conn) close() error {
	if c.batch != nil {
		c.batch.close()
	}
	if c.pg {
		return c.write.Close()
	}
	return errors.Join(c.read.Close(), c.write.Close())
}

// txn is a transaction in the store's dialect.
type txn struct {
	tx *sql.Tx
	pg bool
}

// exec writes and returns how many rows it touched.
func (t txn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(ctx, dialect(t.pg, query), clean(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row reads one row.
func (t txn) row(ctx context.Context, query string, args ...any) scanner {
	return t.tx.QueryRowContext(ctx, dialect(t.pg, query), clean(args)...)
}

// share ends a SELECT whose row must not change before the transaction is through. SQLite has one
// writer anyway.
func (t txn) share() string {
	if t.pg {
		return ` FOR SHARE`
	}
	return ""
}

// inTx carries fn out in a transaction that is durable when inTx returns nil. An error of fn
// itself changed nothing; any other means unknown. fn must do all its work through its arguments:
// whoever stops waiting does not see what it does afterwards.
func inTx[T any](ctx context.Context, c *conn, fn func(context.Context, txn) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	var zero T
	result := new(T) // read only after success: until then a late fn may write it
	step := func(ctx context.Context, t txn) (err error) {
		*result, err = fn(ctx, t)
		return err
	}
	do := c.once
	if c.batch != nil {
		do = c.batch.do
	}
	if err := do(ctx, step); err != nil {
		return zero, err
	}
	return *result, nil
}

// once is a transaction of its own.
func (c *conn) once(ctx context.Context, fn func(context.Context, txn) error) error {
	var tx *sql.Tx
	err := c.again(ctx, func() (err error) {
		tx, err = c.write.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit it does nothing; a transaction it fails to end dies with its connection
	if err := fn(ctx, txn{tx, c.pg}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// exec writes one statement in a transaction.
func (c *conn) exec(ctx context.Context, query string, args ...any) error {
	_, err := inTx(ctx, c, func(ctx context.Context, t txn) (int64, error) { return t.exec(ctx, query, args...) })
	return err
}

// again repeats what changes nothing while connections turn out to be dead.
func (c *conn) again(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := fn()
		if err == nil || try == tries || ctx.Err() != nil || !c.lost(err) {
			return err
		}
	}
}

// lost reports whether err tells of a connection rather than of a query.
func (c *conn) lost(err error) bool {
	if !c.pg || errors.Is(err, sql.ErrNoRows) {
		return false
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return strings.HasPrefix(pe.Code, "57P") // shut down, crashed, starting up
	}
	var ce *pgconn.ConnectError
	return !errors.As(err, &ce) // refused at once: asking again would not help
}

// taken reports whether err is a violated uniqueness.
func taken(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == "23505"
	}
	var se *sqlite.Error
	return errors.As(err, &se) && (se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// scanner is a row to read from.
type scanner interface{ Scan(...any) error }

// one reads one row, or ErrNotFound.
func one[T any](ctx context.Context, c *conn, scan func(scanner) (T, error), query string, args ...any) (v T, err error) {
	err = c.again(ctx, func() (err error) {
		v, err = scan(c.read.QueryRowContext(ctx, dialect(c.pg, query), clean(args)...))
		return err
	})
	return v, found(err)
}

// many reads all rows.
func many[T any](ctx context.Context, c *conn, scan func(scanner) (T, error), query string, args ...any) (out []T, err error) {
	err = c.again(ctx, func() error {
		out = nil
		rows, err := c.read.QueryContext(ctx, dialect(c.pg, query), clean(args)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			v, err := scan(rows)
			if err != nil {
				return fmt.Errorf("scan: %w", err)
			}
			out = append(out, v)
		}
		return rows.Err()
	})
	return out, err
}

// found translates sql.ErrNoRows.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// dialect writes the placeholders: ? for SQLite, $1, $2, ... for PostgreSQL. No query here has a
// question mark of its own.
func dialect(pg bool, query string) string {
	if !pg {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, more := strings.Cut(query, "?")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

// clean makes text such that both databases keep it: PostgreSQL refuses NUL and broken UTF-8,
// which would turn a hostile name into a call that cannot be written down.
func clean(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case string:
			args[i] = strings.ToValidUTF8(strings.ReplaceAll(v, "\x00", "\uFFFD"), "\uFFFD")
		case time.Time:
			args[i] = micros(v)
		case []byte:
			args[i] = strings.ToValidUTF8(strings.ReplaceAll(string(v), "\x00", "\uFFFD"), "\uFFFD")
		}
	}
	return args
}

// micros is how times are kept; 0 is the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant scans what micros kept.
type instant struct{ to *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(v any) error {
	us, ok := v.(int64)
	if !ok {
		return fmt.Errorf("time of kind %T", v)
	}
	*i.to = time.Time{}
	if us != 0 {
		*i.to = time.UnixMicro(us).UTC()
	}
	return nil
}
