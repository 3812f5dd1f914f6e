package store

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestSQLiteIsOpenedDurable(t *testing.T) {
	db := open(t, newSQLite(t))
	for pool, c := range map[string]*conn{"writer": {read: db.write}, "reader": {read: db.read}} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000"} {
			if got, err := one(t.Context(), c, scanText, `PRAGMA `+pragma); err != nil || got != want {
				t.Errorf("%s: %s = %s, %v, want %s", pool, pragma, got, err, want)
			}
		}
	}
	if _, err := db.read.ExecContext(t.Context(), `DELETE FROM calls`); err == nil {
		t.Error("a reader wrote")
	}
}

func TestFilesAreTheOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "new", "a b?#%41.db") // a name that an address would take apart
	db := open(t, "sqlite:"+file)
	startNode(t, db, "n1")
	for _, f := range []string{file, file + "-wal"} {
		st, err := os.Stat(f)
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", st, err)
		}
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for _, url := range []string{"", "sqlite:", "mysql://x", "/a/b", "sqlite:/proc/none/x.db"} {
		if db, err := Open(t.Context(), url, quiet()); err == nil {
			t.Errorf("%q was opened", url)
			must(t, db.Close())
		}
	}
	for _, url := range []string{"postgres://u:s3cret@127.0.0.1:1/x?connect_timeout=1", "postgres://u:s3cret@127.0.0.1:bad/x", "postgres://u:s3cret@:1:2/%zz"} {
		_, err := Open(t.Context(), url, quiet())
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestManyMayOpenAFreshStoreAtOnce(t *testing.T) {
	fresh := map[string]func(testing.TB) string{"SQLite": newSQLite}
	if !testing.Short() {
		fresh["PostgreSQL"] = newPostgres
	}
	for name, make := range fresh {
		t.Run(name, func(t *testing.T) {
			url := make(t)
			var wg sync.WaitGroup
			epochs := [4]uint64{}
			for i := range epochs {
				wg.Go(func() {
					db, err := Open(context.Background(), url, quiet())
					if err != nil {
						t.Error(err)
						return
					}
					if epochs[i], err = db.StartNode(t.Context(), "same", "site"); err != nil {
						t.Error(err)
					}
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if sum := epochs[0] + epochs[1] + epochs[2] + epochs[3]; sum != 1+2+3+4 {
				t.Errorf("epochs %v", epochs)
			}
		})
	}
}

// A second process, such as the command that enters staff, may write beside a running gateway.
func TestTwoProcessesShareASQLiteFile(t *testing.T) {
	url := newSQLite(t)
	a, b := open(t, url), open(t, url)
	var wg sync.WaitGroup
	for _, db := range []*DB{a, b} {
		wg.Go(func() {
			for i := range 50 {
				if err := db.PutSetting(t.Context(), itoa(i), []byte("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	must(t, a.PutSetting(t.Context(), "seen", []byte("by the other")))
	if v, err := b.Setting(t.Context(), "seen"); err != nil || string(v) != "by the other" {
		t.Error(string(v), err)
	}
}

func TestVolatileDatabaseIsTold(t *testing.T) {
	if testing.Short() {
		t.Log("short: real servers are left to the full run")
		return
	}
	for url, want := range map[string]bool{newPostgres(t): false, newPostgres(t) + "&synchronous_commit=off": true} {
		var out bytes.Buffer
		db, err := Open(t.Context(), url, slog.New(slog.NewTextHandler(&out, nil)))
		must(t, err)
		must(t, db.Close())
		if told := strings.Contains(out.String(), "synchronous_commit"); told != want {
			t.Errorf("warned %v: %s", told, &out)
		}
	}
}

func TestTimesKeepMicroseconds(t *testing.T) {
	for _, want := range []time.Time{{}, t0, time.UnixMicro(1).UTC(), time.UnixMicro(-1).UTC(), time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)} {
		var got time.Time
		if err := (instant{&got}).Scan(micros(want)); err != nil || got != want {
			t.Errorf("%v became %v, %v", want, got, err)
		}
	}
	if err := (instant{new(time.Time)}).Scan("x"); err == nil {
		t.Error("text was taken for a time")
	}
}

func TestPlaceholdersOfTheDialect(t *testing.T) {
	for _, c := range []struct{ in, sqlite, postgres string }{
		{"SELECT 1", "SELECT 1", "SELECT 1"},
		{"a = ? AND b IN (?, ?)", "a = ? AND b IN (?, ?)", "a = $1 AND b IN ($2, $3)"},
		{strings.Repeat("?", 11), strings.Repeat("?", 11), "$1$2$3$4$5$6$7$8$9$10$11"},
	} {
		if got := dialect(false, c.in); got != c.sqlite {
			t.Errorf("%q", got)
		}
		if got := dialect(true, c.in); got != c.postgres {
			t.Errorf("%q", got)
		}
	}
}

// Errors may end in a log: what people entered must not be in them.
func TestErrorsCarryNoPersonalData(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		owner := startNode(t, db, "n1")
		c := newCall(t, db, owner)
		_, _, err := db.CreateCall(t.Context(), owner, "r", "other", func(number string) (CallSummary, CallRecord, error) {
			return CallSummary{Call: c.Call, Client: "other", Ref: "r", Number: number, Phone: "+77015550000", Name: "Secret Name"},
				CallRecord{Version: 1, Kind: "k", Body: []byte(`{"name":"Secret Name"}`)}, nil
		})
		if err == nil {
			t.Fatal("one id made two calls")
		}
		if s := err.Error(); strings.Contains(s, "Secret") || strings.Contains(s, "5550000") {
			t.Errorf("%s", s)
		}
		if err := db.PutStaff(t.Context(), Staff{ID: "a", Login: "secret-login"}); err != nil {
			t.Fatal(err)
		}
		if err := db.PutStaff(t.Context(), Staff{ID: "b", Login: "secret-login"}); err == nil || strings.Contains(err.Error(), "secret-login") {
			t.Errorf("%v", err)
		}
	})
}
