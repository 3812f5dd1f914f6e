package store

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/internal/simtest"
)

// cluster is the PostgreSQL of this package's tests, started by the first that asks.
var cluster struct {
	once sync.Once
	pg   *simtest.Postgres
	err  error
}

func TestMain(m *testing.M) {
	if file := os.Getenv(victimFile); file != "" {
		os.Exit(victim(file))
	}
	code := m.Run()
	if cluster.pg != nil {
		if err := cluster.pg.Remove(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func newSQLite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "jedel.db") }

func newPostgres(t testing.TB) string {
	t.Helper()
	cluster.once.Do(func() { cluster.pg, cluster.err = simtest.StartPostgres(context.Background()) })
	if cluster.err != nil {
		t.Fatal(cluster.err)
	}
	return cluster.pg.Database(t)
}

func open(t testing.TB, url string) *DB {
	t.Helper()
	db, err := Open(context.Background(), url, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// forEachStore runs the same test on both databases. The short run, which every minute asks for,
// has SQLite only.
func forEachStore(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Run("SQLite", func(t *testing.T) { test(t, open(t, newSQLite(t))) })
	if testing.Short() {
		return
	}
	t.Run("PostgreSQL", func(t *testing.T) { test(t, open(t, newPostgres(t))) })
}

// T0 is a moment of the tests, on a whole microsecond.
var t0 = time.Date(2026, 11, 23, 10, 0, 0, 123456000, time.UTC)

func startNode(t testing.TB, db *DB, id ident.NodeID) Owner {
	t.Helper()
	epoch, err := db.StartNode(t.Context(), id, "site")
	if err != nil {
		t.Fatal(err)
	}
	return Owner{id, epoch}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// first builds the first record of a call.
func first(id ident.CallID, client ident.ClientID, ref string, at time.Time) func(string) (CallSummary, CallRecord, error) {
	return func(number string) (CallSummary, CallRecord, error) {
		return CallSummary{Call: id, Number: number, Ref: ref, Client: client, Phase: "queued", CreatedAt: at, Version: 1},
			CallRecord{Version: 1, At: at, Kind: "created", Body: []byte(`{"n":1}`)}, nil
	}
}

func newCall(t testing.TB, db *DB, owner Owner) CallSummary {
	t.Helper()
	id, client := ident.New[ident.CallID](), ident.New[ident.ClientID]()
	sum, existed, err := db.CreateCall(t.Context(), owner, "tap", client, first(id, client, "tap", t0))
	if err != nil || existed {
		t.Fatal(existed, err)
	}
	return sum
}

// next is the record after version n of a call, and the summary it leads to.
func next(c CallSummary, n uint64) (CallRecord, CallSummary) {
	c.Version = n + 1
	return CallRecord{Version: n + 1, At: t0.Add(time.Duration(n) * time.Second), Kind: "step", Body: fmt.Appendf(nil, `{"n":%d}`, n+1)}, c
}
