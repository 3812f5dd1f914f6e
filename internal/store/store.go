// Package store is where every decision becomes durable before anybody hears of it: SQLite on one
// machine, PostgreSQL for many nodes, one code and one conformance suite for both. Times are kept
// as microseconds UTC; errors and logs carry no personal data.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrNotFound means that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrConflict means that another writer was first: nothing was changed, read again.
var ErrConflict = errors.New("another writer was first")

// ErrFenced means that the call belongs to another node or to a later epoch of this one: nothing
// was changed, stop.
var ErrFenced = errors.New("another owner holds the call")

//go:embed migrations/*.sql
var migrations embed.FS

// DB is the store. It is safe for concurrent use.
type DB struct {
	write *sql.DB // SQLite: one connection; PostgreSQL: the pool
	read  *sql.DB // SQLite: several connections; PostgreSQL: the same pool
	pg    bool
	log   *slog.Logger
	batch *batcher // SQLite only: concurrent writes share one fsync
}

// Limits of the pools.
const (
	readers     = 4
	pgConns     = 16
	busyTimeout = 5 * time.Second
)

// Open opens "sqlite:FILE" or "postgres://..." and brings its tables up to date.
func Open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	db := &DB{log: log}
	var err error
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		err = db.openSQLite(file)
	} else if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		db.pg = true
		err = db.openPostgres(url)
	} else {
		return nil, fmt.Errorf("store.url: neither sqlite: nor postgres://")
	}
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate: %w", err), db.Close())
	}
	if !db.pg {
		db.batch = newBatcher(db.write)
	}
	return db, nil
}

// openSQLite opens one writing connection and a few readers. WAL lets them work together;
// synchronous=FULL makes a commit durable when it returns.
func (db *DB) openSQLite(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	dsn := "file:" + file + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(" +
		strconv.FormatInt(busyTimeout.Milliseconds(), 10) + ")&_pragma=foreign_keys(1)"
	var err error
	if db.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	db.write.SetMaxOpenConns(1)
	if db.read, err = sql.Open("sqlite", dsn); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	db.read.SetMaxOpenConns(readers)
	return nil
}

func (db *DB) openPostgres(url string) error {
	pool, err := sql.Open("pgx", url)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	pool.SetMaxOpenConns(pgConns)
	pool.SetConnMaxIdleTime(time.Minute)
	db.write, db.read = pool, pool
	return nil
}

func (db *DB) migrate(ctx context.Context) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect := goose.DialectSQLite3
	if db.pg {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, db.write, sub)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close waits for writes under way and closes the store.
func (db *DB) Close() error {
	if db.batch != nil {
		db.batch.close()
	}
	var errs []error
	if db.read != nil && db.read != db.write {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	return errors.Join(errs...)
}

// Ping reports whether the store answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

// q writes the placeholders of the dialect: ? for SQLite, $1, $2, ... for PostgreSQL.
func (db *DB) q(query string) string {
	if !db.pg {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// tx runs fn in a transaction that is durable when tx returns nil. An error of fn itself changes
// nothing; any other error means unknown.
func (db *DB) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	if db.batch != nil {
		return db.batch.do(ctx, fn)
	}
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// exec writes one statement.
func (db *DB) exec(ctx context.Context, query string, args ...any) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, db.q(query), args...)
		return err
	})
}

// micros is how times are kept; 0 is the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// row translates sql.ErrNoRows.
func row(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
