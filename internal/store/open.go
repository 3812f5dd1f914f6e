package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Limits of the connections.
const (
	readers = 4  // SQLite: more would only compete for the processor
	pgConns = 16 // per node; PostgreSQL's default lets 100 in
	// busyTimeout is how long SQLite waits for the writer of another process, such as a command
	// that enters staff beside a running gateway.
	busyTimeout = 5 * time.Second
	// walLimit is what a write-ahead log is cut down to after it has grown, in bytes.
	walLimit = 64 << 20
	pgDial   = 5 * time.Second
	// pgKeepAlive finds a database that vanished without a word within about 20 s.
	pgKeepAlive = 5 * time.Second
)

// dial opens the pools of a store's address.
func dial(address string) (*conn, error) {
	if file, ok := strings.CutPrefix(address, "sqlite:"); ok && file != "" {
		return openSQLite(file)
	}
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		return openPostgres(address)
	}
	return nil, errors.New("store.url: neither sqlite:FILE nor postgres://")
}

// openSQLite opens one writing connection and a few readers. WAL lets them work together;
// synchronous=FULL makes a commit durable when it returns. The file is for its owner only, and
// SQLite gives the same mode to the log beside it.
func openSQLite(file string) (*conn, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make file: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("make file: %w", err)
	}
	dsn := "file:" + (&url.URL{Path: file}).EscapedPath() + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
		"&_pragma=busy_timeout(" + strconv.FormatInt(busyTimeout.Milliseconds(), 10) + ")&_pragma=journal_size_limit(" + strconv.Itoa(walLimit) + ")"
	c := &conn{}
	if c.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	c.write.SetMaxOpenConns(1)
	if c.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(fmt.Errorf("open: %w", err), c.write.Close())
	}
	c.read.SetMaxOpenConns(readers)
	c.read.SetMaxIdleConns(readers)
	return c, nil
}

// openPostgres makes the pool. What the address does not set itself is set here: a commit waits
// for the disk, and nothing in the server outlives the node that asked for it.
func openPostgres(address string) (*conn, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("store.url: %w", err) // pgx takes the password out
	}
	for name, value := range map[string]string{
		"application_name": "jedel", "synchronous_commit": "on", "lock_timeout": "5s", "statement_timeout": "15s",
		"idle_in_transaction_session_timeout": "30s",
	} {
		if _, ok := cfg.RuntimeParams[name]; !ok {
			cfg.RuntimeParams[name] = value
		}
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = pgDial
	}
	cfg.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: pgKeepAlive, Interval: pgKeepAlive, Count: 3}}).DialContext
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(pgConns)
	pool.SetMaxIdleConns(pgConns)
	pool.SetConnMaxIdleTime(time.Minute)
	return &conn{write: pool, read: pool, pg: true}, nil
}

// migrate brings the tables up to date. Several processes may start at the same moment:
// PostgreSQL lets one of them go first; in SQLite the one that loses finds the work done.
func (c *conn) migrate(ctx context.Context) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{}
	if c.pg {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return err
		}
		dialect, opts = goose.DialectPostgres, append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, c.write, sub, opts...)
	if err != nil {
		return err
	}
	if _, err = p.Up(ctx); err != nil && !c.pg && ctx.Err() == nil {
		_, err = p.Up(ctx)
	}
	return err
}

// warnVolatile tells those who run the service that the database does not keep what it confirms.
func warnVolatile(ctx context.Context, c *conn, log *slog.Logger) {
	for setting, durable := range map[string]func(string) bool{
		"fsync":              func(v string) bool { return v == "on" },
		"full_page_writes":   func(v string) bool { return v == "on" },
		"synchronous_commit": func(v string) bool { return v != "off" },
	} {
		v, err := one(ctx, c, scanText, `SELECT current_setting(?)`, setting)
		if err != nil || !durable(v) {
			log.Warn("the database may lose what it has confirmed", "setting", setting, "value", v, "err", err)
		}
	}
}

func scanText(s scanner) (v string, err error) {
	err = s.Scan(&v)
	return v, err
}
