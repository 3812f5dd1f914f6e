// Package store is where every decision becomes durable before anybody hears of it: SQLite on one
// machine, PostgreSQL for many nodes, one code and one conformance suite for both. Times are kept
// as microseconds UTC; errors and logs carry no personal data.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// ErrNotFound means that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrConflict means that another writer was first: nothing was changed, read again.
var ErrConflict = errors.New("another writer was first")

// ErrFenced means that the call belongs to another node or to a later epoch of this one: nothing
// was changed, stop.
var ErrFenced = errors.New("another owner holds the call")

// DB is the store. It is safe for concurrent use. A write is durable when it returns nil; where
// nothing else is said, an error other than ErrNotFound, ErrConflict and ErrFenced leaves open
// whether the write took place (unknown: read again, or repeat what is idempotent).
type DB struct {
	*conn
	calls
	items
	staff
	callers
	settings
	keepings
	caseBook
	patrols
	reports
	staffing
	shifts
	contacts
	messages
	pushes
}

// Open opens "sqlite:FILE" or "postgres://..." and brings its tables up to date.
func Open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	c, err := dial(url)
	if err != nil {
		return nil, err
	}
	if err := c.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate: %w", err), c.close())
	}
	if c.pg {
		warnVolatile(ctx, c, log)
	} else {
		c.batch = newBatcher(c.write)
	}
	return &DB{c, calls{c, time.Now}, items{c}, staff{c}, callers{c}, settings{c}, keepings{c}, caseBook{c}, patrols{c}, reports{c}, staffing{c}, shifts{c}, contacts{c}, messages{c}, pushes{c}}, nil
}

// Close waits for writes under way and closes the store. It may be called twice.
func (db *DB) Close() error { return db.conn.close() }

// Ping reports whether the store answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

// NumberZone sets the time zone whose calendar numbers the calls; UTC before it is set. It is to
// be called before the first call is created.
func (db *DB) NumberZone(zone *time.Location) {
	db.calls.now = func() time.Time { return time.Now().In(zone) }
}
