package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// maxBatch bounds how many writes share one commit. Larger delays the first, smaller costs more
// fsyncs.
const maxBatch = 64

// batcher lets concurrent writes to SQLite share one transaction and so one fsync: what queues up
// while one commit is on its way goes into the next. Each write has its own savepoint: one that
// fails changes nothing for the others.
type batcher struct {
	db   *sql.DB
	jobs chan write
	done chan struct{}

	mu     sync.RWMutex // guards closed; held for reading while a job is handed over
	closed bool
}

type write struct {
	fn    func(*sql.Tx) error
	reply chan error
}

var errClosed = errors.New("the store is closed")

func newBatcher(db *sql.DB) *batcher {
	b := &batcher{db: db, jobs: make(chan write), done: make(chan struct{})}
	b.startLoop()
	return b
}

func (b *batcher) startLoop() {
	go func() {
		defer close(b.done)
		for first := range b.jobs {
			b.commit(b.gather(first))
		}
	}()
}

// gather takes what waits already, without waiting for more.
func (b *batcher) gather(first write) []write {
	batch := []write{first}
	for len(batch) < maxBatch {
		select {
		case w, ok := <-b.jobs:
			if !ok {
				return batch
			}
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// commit carries a batch out and answers each write. A write is told nil only after the commit
// returned; if the commit fails every write is told so: it may be there.
func (b *batcher) commit(batch []write) {
	errs := make([]error, len(batch))
	err := b.run(batch, errs)
	for i, w := range batch {
		if errs[i] == nil {
			errs[i] = err
		}
		w.reply <- errs[i]
	}
}

func (b *batcher) run(batch []write, errs []error) error {
	tx, err := b.db.Begin()
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for i, w := range batch {
		if _, err := tx.Exec("SAVEPOINT w"); err != nil {
			return errors.Join(fmt.Errorf("savepoint: %w", err), ignoreDone(tx.Rollback()))
		}
		end := "RELEASE w"
		if errs[i] = w.fn(tx); errs[i] != nil {
			end = "ROLLBACK TO w"
		}
		if _, err := tx.Exec(end); err != nil {
			return errors.Join(fmt.Errorf("savepoint: %w", err), ignoreDone(tx.Rollback()))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// do hands fn over and waits. Once taken, fn runs whatever becomes of ctx.
func (b *batcher) do(ctx context.Context, fn func(*sql.Tx) error) error {
	w := write{fn: fn, reply: make(chan error, 1)}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return errClosed
	}
	select {
	case b.jobs <- w:
		return <-w.reply
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *batcher) close() {
	b.mu.Lock()
	first := !b.closed
	b.closed = true
	b.mu.Unlock()
	if first {
		close(b.jobs)
	}
	<-b.done
}
