package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/simtest"
)

// held keeps the writer busy until release is called, so that what comes meanwhile waits together.
func held(t *testing.T, db *DB) (release func()) {
	t.Helper()
	in, out := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := inTx(context.Background(), db.conn, func(context.Context, txn) (int, error) {
			close(in)
			<-out
			return 0, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-in
	return sync.OnceFunc(func() { close(out); wg.Wait() })
}

func TestWritesThatWaitShareOneCommit(t *testing.T) {
	db := open(t, newSQLite(t))
	release := held(t, db)
	before := db.batch.commits.Load()
	const writers = 30
	failing := errors.New("mine")
	var wg sync.WaitGroup
	errs := make([]error, writers)
	ready := make(chan struct{}, writers)
	for i := range writers {
		wg.Go(func() {
			ready <- struct{}{}
			_, errs[i] = inTx(t.Context(), db.conn, func(ctx context.Context, x txn) (int64, error) {
				n, err := x.exec(ctx, `INSERT INTO settings (name, body) VALUES (?, 'x')`, string(rune('a'+i)))
				if err == nil && i%10 == 5 {
					err = failing // after it has written
				}
				return n, err
			})
		})
	}
	for range writers {
		<-ready
	}
	release()
	wg.Wait()
	kept, err := one(t.Context(), db.conn, func(s scanner) (n int, err error) { err = s.Scan(&n); return n, err }, `SELECT COUNT(*) FROM settings`)
	must(t, err)
	for i, err := range errs {
		if i%10 == 5 && !errors.Is(err, failing) || i%10 != 5 && err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if kept != writers-3 {
		t.Errorf("%d kept of %d, 3 of which failed", kept, writers)
	}
	// The one that was held, what had queued up by its end, and a few that came late.
	if n := db.batch.commits.Load() - before; n > writers/2 {
		t.Errorf("%d commits for %d writes", n, writers)
	}
}

// A caller who gives up neither blocks nor disturbs the others of a batch.
func TestCallerWhoGivesUpDisturbsNobody(t *testing.T) {
	db := open(t, newSQLite(t))
	release := held(t, db)
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := db.PutSetting(ctx, "a", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Fatalf("gave up after %s", took)
	}
	release()
	// One who gives up in the middle of the work: the work is done all the same.
	ctx, cancel = context.WithCancel(t.Context())
	entered := make(chan struct{})
	_, err := inTx(ctx, db.conn, func(inner context.Context, x txn) (int64, error) {
		cancel()
		close(entered)
		if inner.Err() != nil {
			t.Error("the work was interrupted")
		}
		return x.exec(inner, `INSERT INTO settings (name, body) VALUES ('b', 'x')`)
	})
	<-entered
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	simtest.Eventually(t, 5*time.Second, "the write of the caller who left", func() bool {
		_, err := db.Setting(t.Context(), "b")
		return err == nil
	})
}

func TestClosedStoreRefuses(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		startNode(t, db, "n1")
		must(t, db.Close())
		must(t, db.Close())
		if err := db.PutSetting(t.Context(), "a", nil); err == nil {
			t.Error("wrote to a closed store")
		}
		if _, err := db.Setting(t.Context(), "a"); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("read from a closed store: %v", err)
		}
		if err := db.Ping(t.Context()); err == nil {
			t.Error("a closed store answers")
		}
	})
}

// A full disk makes every write of the batch unknown, and the store works again afterwards.
func TestFullDiskIsSurvived(t *testing.T) {
	db := open(t, newSQLite(t))
	owner := startNode(t, db, "n1")
	c := newCall(t, db, owner)
	full := func(pages int) {
		t.Helper()
		if _, err := one(t.Context(), &conn{read: db.write}, scanText, `PRAGMA max_page_count = `+itoa(pages)); err != nil {
			t.Fatal(err)
		}
	}
	full(1) // SQLite takes the pages that there are
	rec, sum := next(c, 1)
	rec.Body = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
	if err := db.AppendCall(t.Context(), owner, 1, rec, sum); err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrFenced) {
		t.Fatalf("a full disk gave %v", err)
	}
	full(1 << 20)
	must(t, db.AppendCall(t.Context(), owner, 1, rec, sum))
	if _, records, err := db.LoadCall(t.Context(), c.Call); err != nil || len(records) != 2 {
		t.Fatal(len(records), err)
	}
}
