package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// maxBatch bounds how many writes share one commit. Larger delays the first, smaller costs more
// fsyncs.
const maxBatch = 64

var errClosed = errors.New("the store is closed")

// batcher lets concurrent writes to SQLite share one transaction and so one fsync: what queues up
// while one commit is on its way goes into the next. Each write has its own savepoint: one that
// fails changes nothing for the others.
type batcher struct {
	// Set at creation.
	db   *sql.DB
	jobs chan write
	stop chan struct{} // closed by close
	done chan struct{} // closed by the loop
	once sync.Once     // guards stop

	commits atomic.Uint64 // how many transactions there were
}

// write is one caller's part of a transaction.
type write struct {
	ctx   func() error // the error of the caller's context
	fn    func(txn) error
	reply chan error // holds one
}

// panicked is a panic of a write on its way back to the caller whose write it is.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

func newBatcher(db *sql.DB) *batcher {
	b := &batcher{db: db, jobs: make(chan write), stop: make(chan struct{}), done: make(chan struct{})}
	b.startLoop()
	return b
}

func (b *batcher) startLoop() {
	go func() {
		defer close(b.done)
		for {
			select {
			case first := <-b.jobs:
				b.commit(b.gather(first))
			case <-b.stop:
				return
			}
		}
	}()
}

// gather takes what waits already, without waiting for more.
func (b *batcher) gather(first write) []write {
	batch := []write{first}
	for len(batch) < maxBatch {
		select {
		case w := <-b.jobs:
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
	defer tx.Rollback() // after a commit it does nothing
	for i, w := range batch {
		if errs[i] = w.ctx(); errs[i] != nil {
			continue // its caller has gone
		}
		if _, err := tx.Exec("SAVEPOINT w"); err != nil {
			return fmt.Errorf("savepoint: %w", err)
		}
		if errs[i] = safely(w.fn, txn{tx: tx}); errs[i] != nil {
			// Also ends the batch where SQLite itself gave up the transaction, as on a full disk:
			// the savepoint is gone then.
			if _, err := tx.Exec("ROLLBACK TO w"); err != nil {
				return fmt.Errorf("roll back: %w", err)
			}
		}
		if _, err := tx.Exec("RELEASE w"); err != nil {
			return fmt.Errorf("release: %w", err)
		}
	}
	b.commits.Add(1)
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func safely(fn func(txn) error, t txn) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v, debug.Stack()}
		}
	}()
	return fn(t)
}

// do hands fn over and waits. Once taken, fn runs to its end whatever becomes of ctx: a query cut
// short would cost everybody else in the batch their transaction. A caller whose ctx ends while
// waiting does not know the outcome. A panic of fn is the caller's own.
func (b *batcher) do(ctx context.Context, fn func(context.Context, txn) error) error {
	calm := context.WithoutCancel(ctx)
	w := write{ctx: ctx.Err, fn: func(t txn) error { return fn(calm, t) }, reply: make(chan error, 1)}
	select {
	case b.jobs <- w:
	case <-b.done:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.reply:
		var p *panicked
		if errors.As(err, &p) {
			panic(p) // bug: of the caller's, who decides what it costs
		}
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the disk: %w", ctx.Err())
	}
}

// close ends the loop after the batch under way.
func (b *batcher) close() {
	b.once.Do(func() { close(b.stop) })
	<-b.done
}
