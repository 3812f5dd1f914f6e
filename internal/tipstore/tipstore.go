// Package tipstore keeps sealed letters in one SQLite file of its own. It has no connection with the
// main store. A row has what handing it out needs and no more: for whom it is, the hash of a
// mailbox's key, the day, and sealed bytes. Rows are keyed by the hash of those bytes, which is
// as good as random, and Shuffle rewrites the file in that order: from then on the file does not
// tell in what order letters came within a day.
package tipstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"jedel/internal/fault"
	"jedel/internal/tips"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Store is one file of sealed letters. It may be used by many goroutines; the database makes them wait.
type Store struct {
	db   *sql.DB
	file string
}

// Letter is one sealed letter as it is kept. Reply tells that it lies in a mailbox for a citizen;
// else it lies for the unit.
type Letter struct {
	Unit   string
	Box    tips.Mailbox
	Reply  bool
	Day    tips.Day
	Sealed []byte
}

// Entry is a line of a list of letters.
type Entry struct {
	ID    tips.ID
	Box   tips.Mailbox
	Day   tips.Day
	Bytes int
}

const schema = `CREATE TABLE IF NOT EXISTS letter (
	id BLOB NOT NULL PRIMARY KEY, unit TEXT NOT NULL, box BLOB NOT NULL, reply INTEGER NOT NULL, day INTEGER NOT NULL, bytes INTEGER NOT NULL, sealed BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letter_box ON letter (box, reply, bytes);`

// Open opens the file, making it where it is not there. What is deleted is overwritten with zeros
// (secure_delete), a commit is durable when it returns.
func Open(ctx context.Context, file string) (*Store, error) {
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
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+
		"?_pragma=journal_mode(TRUNCATE)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", file, err), db.Close())
	}
	s := &Store{db, file}
	return s, s.blur(0)
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Put keeps a letter once admit, which is told what is there in bytes in all and of the letter's
// mailbox, has nothing against it. It is durable when Put returns. fresh is false where the same
// sealed bytes are there already, whoever sent them.
func (s *Store) Put(ctx context.Context, l Letter, admit func(total, box int64) error) (fresh bool, err error) {
	id := tips.IDOf(l.Sealed)
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("put: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	var there int
	var total, box int64
	err = tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM letter WHERE id = ?), (SELECT coalesce(sum(bytes), 0) FROM letter), (SELECT coalesce(sum(bytes), 0) FROM letter WHERE box = ?)`,
		id[:], l.Box[:]).Scan(&there, &total, &box)
	if err != nil {
		return false, fmt.Errorf("put: %w", err)
	}
	if there > 0 {
		return false, nil
	}
	if err := admit(total, box); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO letter (id, unit, box, reply, day, bytes, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		id[:], l.Unit, l.Box[:], l.Reply, l.Day, len(l.Sealed), l.Sealed); err != nil {
		return false, fmt.Errorf("put: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return false, fmt.Errorf("put: %w", err)
	}
	return true, s.blur(l.Day)
}

// ForUnit lists the letters to a unit, by day and then in no order.
func (s *Store) ForUnit(ctx context.Context, unit string) ([]Entry, error) {
	return s.list(ctx, `SELECT id, box, day, bytes FROM letter WHERE unit = ? AND NOT reply ORDER BY day, id`, unit)
}

// Replies lists the letters in a mailbox and tells whose mailbox it is; the unit is empty where
// there is no such mailbox.
func (s *Store) Replies(ctx context.Context, box tips.Mailbox) (unit string, list []Entry, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT unit FROM letter WHERE box = ? LIMIT 1`, box[:]).Scan(&unit)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("replies: %w", err)
	}
	list, err = s.list(ctx, `SELECT id, box, day, bytes FROM letter WHERE box = ? AND reply ORDER BY day, id`, box[:])
	return unit, list, err
}

func (s *Store) list(ctx context.Context, query string, arg any) ([]Entry, error) {
	rows, err := s.db.QueryContext(ctx, query, arg)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var e Entry
		var id, box []byte
		if err := rows.Scan(&id, &box, &e.Day, &e.Bytes); err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		if len(id) != len(e.ID) || len(box) != len(e.Box) {
			return nil, errors.New("list: a row is damaged")
		}
		e.ID, e.Box = tips.ID(id), tips.Mailbox(box)
		out = append(out, e)
	}
	return out, rows.Err()
}

// Get returns a letter, or fault.NotFound.
func (s *Store) Get(ctx context.Context, id tips.ID) (Letter, error) {
	var l Letter
	var box []byte
	err := s.db.QueryRowContext(ctx, `SELECT unit, box, reply, day, sealed FROM letter WHERE id = ?`, id[:]).Scan(&l.Unit, &box, &l.Reply, &l.Day, &l.Sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return l, fault.New(fault.NotFound, "tips.get", nil)
	}
	if err != nil {
		return l, fmt.Errorf("get: %w", err)
	}
	if len(box) != len(l.Box) {
		return l, errors.New("get: a row is damaged")
	}
	l.Box = tips.Mailbox(box)
	return l, nil
}

// Delete removes a letter; its bytes in the file become zeros. Where it is not there nothing changes.
func (s *Store) Delete(ctx context.Context, id tips.ID, today tips.Day) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM letter WHERE id = ?`, id[:]); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return s.blur(today)
}

// Sweep removes every letter of a day before first and returns how many.
func (s *Store) Sweep(ctx context.Context, first, today tips.Day) (int64, error) {
	res, err := s.db.ExecContext(ctx, `DELETE FROM letter WHERE day < ?`, first)
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	n, err := res.RowsAffected()
	return n, errors.Join(err, s.blur(today))
}

// Shuffle writes the whole file anew in the order of the letters' hashes, so that neither rows nor
// pages tell in what order they came. It needs as much free space as the file has.
func (s *Store) Shuffle(ctx context.Context, today tips.Day) error {
	if _, err := s.db.ExecContext(ctx, `VACUUM`); err != nil {
		return fmt.Errorf("shuffle: %w", err)
	}
	return s.blur(today)
}

// Total returns how many bytes are kept.
func (s *Store) Total(ctx context.Context) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT coalesce(sum(bytes), 0) FROM letter`).Scan(&n)
	return n, err
}

// blur sets the times of the file, its journal and its folder to the beginning of a day: they say
// when something was written last. 0 is the beginning of the day that the file bears already.
func (s *Store) blur(day tips.Day) error {
	at := day.Time()
	if day == 0 {
		st, err := os.Stat(s.file)
		if err != nil {
			return err
		}
		at = st.ModTime().Truncate(24 * time.Hour)
	}
	for _, f := range []string{s.file, s.file + "-journal", filepath.Dir(s.file)} {
		if err := os.Chtimes(f, at, at); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("times: %w", err)
		}
	}
	return nil
}
