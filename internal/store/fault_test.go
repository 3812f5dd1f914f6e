package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/internal/simtest"
)

// victimFile tells a child of the test which database to write to.
const victimFile = "JEDEL_STORE_VICTIM"

// victim appends to a few calls at once until it is killed, and prints each append that was
// confirmed: "call version".
func victim(file string) int {
	ctx := context.Background()
	db, err := Open(ctx, "sqlite:"+file, quiet())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	epoch, err := db.StartNode(ctx, "victim", "site")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	owner := Owner{"victim", epoch}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			id, client := ident.New[ident.CallID](), ident.New[ident.ClientID]()
			c, _, err := db.CreateCall(ctx, owner, "r", client, first(id, client, "r", t0))
			for v := uint64(1); err == nil; v++ {
				fmt.Println(c.Call, v) // one write to the pipe: it arrives whole or not at all
				rec, sum := next(c, v)
				err = db.AppendCall(ctx, owner, v, rec, sum)
			}
			fmt.Fprintln(os.Stderr, err)
		})
	}
	wg.Wait()
	return 1
}

func TestKilledProcessKeepsWhatItConfirmed(t *testing.T) {
	rounds := 5
	if os.Getenv("JEDEL_TORTURE") != "" {
		rounds = 200
	}
	file := t.TempDir() + "/jedel.db"
	confirmed := map[ident.CallID]uint64{}
	for round := range rounds {
		killVictim(t, file, 20+round*7%60, confirmed)
		db, err := Open(t.Context(), "sqlite:"+file, quiet())
		must(t, err)
		for id, version := range confirmed {
			sum, records, err := db.LoadCall(t.Context(), id)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			// One more may have become durable without anybody having been told.
			if n := uint64(len(records)); n != sum.Version || n < version || n > version+1 {
				t.Fatalf("round %d: %d records, version %d, confirmed %d", round, n, sum.Version, version)
			}
		}
		if ok, err := one(t.Context(), db.conn, scanText, `PRAGMA integrity_check`); err != nil || ok != "ok" {
			t.Fatalf("round %d: %s, %v", round, ok, err)
		}
		must(t, db.Close())
	}
	t.Logf("%d calls over %d kills", len(confirmed), rounds)
}

// killVictim kills a child after some confirmations, in mid-append, and notes all that it printed.
func killVictim(t *testing.T, file string, after int, confirmed map[ident.CallID]uint64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victimFile+"="+file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	n := 0
	for lines.Scan() {
		id, v, _ := strings.Cut(lines.Text(), " ")
		version, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("%q", lines.Text())
		}
		confirmed[ident.CallID(id)] = version
		if n++; n == after {
			must(t, cmd.Process.Kill())
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 || n < after {
		t.Fatalf("the child ended by itself after %d: %v", n, err)
	}
}

// The database is taken away and given back under writers that do what the runtimes do: an
// unknown outcome is followed by a look and a repetition.
func TestPostgresRestartedUnderWriters(t *testing.T) {
	if testing.Short() {
		t.Log("short: real servers are left to the full run")
		return
	}
	pg := simtest.NewPostgres(t)
	db := open(t, pg.Database(t))
	owner := startNode(t, db, "n1")
	const writers = 6
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w := &writing{db: db, owner: owner, reached: map[ident.CallID]uint64{}}
	var wg sync.WaitGroup
	for range writers {
		c := newCall(t, db, owner)
		wg.Go(func() { w.run(ctx, t, c) })
	}
	for round, end := range []func() error{pg.Crash, pg.Stop} {
		before := w.total()
		simtest.Eventually(t, 20*time.Second, "appends before the restart", func() bool { return w.total() > before+50 })
		must(t, end())
		failed := w.errors()
		simtest.Eventually(t, 20*time.Second, "errors while the database is away", func() bool { return w.errors() > failed+3 })
		must(t, pg.Start(t.Context()))
		began := time.Now()
		back := w.total()
		simtest.Eventually(t, 20*time.Second, "appends after the restart", func() bool { return w.total() > back+50 })
		t.Logf("round %d: %d errors, 50 appends within %s of the return", round, w.errors()-failed, time.Since(began).Round(time.Millisecond))
	}
	stop()
	wg.Wait()
	for id, version := range w.reached {
		sum, records, err := db.LoadCall(t.Context(), id)
		must(t, err)
		if n := uint64(len(records)); n != sum.Version || n < version || n > version+1 {
			t.Errorf("%d records, version %d, told of %d", n, sum.Version, version)
		}
	}
	t.Logf("%d appends, %d errors surfaced, %d were durable all the same", w.total(), w.errors(), w.hidden)
}

// writing is a few writers and what they were told.
type writing struct {
	db    *DB
	owner Owner

	mu      sync.Mutex // guards the following
	reached map[ident.CallID]uint64
	appends int
	failed  int
	hidden  int // an error came back, the record was there
}

func (w *writing) total() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.appends
}

func (w *writing) errors() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

func (w *writing) note(id ident.CallID, version uint64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failed++
		return
	}
	w.reached[id] = version
	w.appends++
}

func (w *writing) run(ctx context.Context, t *testing.T, c CallSummary) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for v := uint64(1); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		rec, sum := next(c, v)
		err := w.db.AppendCall(ctx, w.owner, v, rec, sum)
		if ctx.Err() != nil {
			return // the test is over
		}
		if errors.Is(err, ErrFenced) || errors.Is(err, ErrConflict) {
			t.Errorf("nobody else writes: %v", err)
			return
		}
		w.note(c.Call, v+1, err)
		if err == nil {
			v++
			continue
		}
		for loaded := false; !loaded; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now, _, err := w.db.LoadCall(ctx, c.Call)
			if err != nil {
				w.note(c.Call, 0, err)
			}
			if loaded = err == nil; loaded && now.Version != v {
				if now.Version != v+1 {
					t.Errorf("version %d after an append to %d", now.Version, v)
				}
				w.mu.Lock()
				w.hidden++
				w.mu.Unlock()
				v = now.Version
			}
		}
	}
}

// A write that waits for somebody else's lock ends with its context, and has changed nothing.
func TestWaitingWriteEndsWithItsContext(t *testing.T) {
	if testing.Short() {
		t.Log("short: real servers are left to the full run")
		return
	}
	db := open(t, newPostgres(t))
	owner := startNode(t, db, "n1")
	c := newCall(t, db, owner)
	tx, err := db.write.BeginTx(t.Context(), nil)
	must(t, err)
	defer tx.Rollback()
	_, err = tx.ExecContext(t.Context(), `SELECT 1 FROM calls WHERE id = $1 FOR UPDATE`, c.Call)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	rec, sum := next(c, 1)
	began := time.Now()
	if err := db.AppendCall(ctx, owner, 1, rec, sum); err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrFenced) {
		t.Fatalf("%v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("ended after %s", took)
	}
	must(t, tx.Rollback())
	must(t, db.AppendCall(t.Context(), owner, 1, rec, sum))
}
