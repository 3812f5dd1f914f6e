package store

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jedel/internal/ident"
)

func TestStaffIsKeptAndLoginsAreOnce(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		a := Staff{ID: ident.New[ident.StaffID](), Login: "bolat", Name: "Болат", Roles: []string{"operator", "supervisor"}, PasswordHash: "h", TOTPSecret: "s", Lang: "kk"}
		b := Staff{ID: ident.New[ident.StaffID](), Login: "asel", Name: "Әсел", Roles: []string{"investigator"}, Disabled: true}
		must(t, db.PutStaff(ctx, a))
		must(t, db.PutStaff(ctx, b))
		for _, want := range []Staff{a, b} {
			byLogin, err := db.StaffByLogin(ctx, want.Login)
			must(t, err)
			byID, err := db.StaffByID(ctx, want.ID)
			if err != nil || !reflect.DeepEqual(byLogin, want) || !reflect.DeepEqual(byID, want) {
				t.Errorf("%+v, %+v, %v, want %+v", byLogin, byID, err, want)
			}
		}
		if err := db.PutStaff(ctx, Staff{ID: "other", Login: "bolat"}); !errors.Is(err, ErrConflict) {
			t.Errorf("a second bolat: %v", err)
		}
		a.Name, a.Disabled = "Болат Б.", true
		must(t, db.PutStaff(ctx, a))
		list, err := db.ListStaff(ctx)
		if err != nil || len(list) != 2 || list[0].Login != "asel" || !reflect.DeepEqual(list[1], a) {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := db.StaffByLogin(ctx, "Bolat' OR 1=1 --"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		s := Staff{ID: ident.New[ident.StaffID](), Login: "l", Roles: []string{"operator"}}
		must(t, db.PutStaff(ctx, s))
		must(t, db.PutStaffSession(ctx, "h1", s.ID, t0))
		must(t, db.PutStaffSession(ctx, "h2", s.ID, t0.Add(time.Hour)))
		must(t, db.ProlongStaffSession(ctx, "h1", t0.Add(-time.Second), t0.Add(time.Minute)))
		must(t, db.ProlongStaffSession(ctx, "h1", t0, t0.Add(time.Second))) // somebody prolonged it further meanwhile
		got, expires, err := db.StaffSession(ctx, "h1")
		if err != nil || got.ID != s.ID || !expires.Equal(t0.Add(time.Minute)) {
			t.Errorf("%+v %s %v", got, expires, err)
		}
		must(t, db.DeleteExpired(ctx, t0.Add(2*time.Minute)))
		if _, _, err := db.StaffSession(ctx, "h1"); !errors.Is(err, ErrNotFound) {
			t.Errorf("expired: %v", err)
		}
		if _, _, err := db.StaffSession(ctx, "h2"); err != nil {
			t.Errorf("not expired: %v", err)
		}
		must(t, db.DeleteStaffSession(ctx, "h2"))
		must(t, db.DeleteStaffSession(ctx, "h2"))
		if _, _, err := db.StaffSession(ctx, "h2"); !errors.Is(err, ErrNotFound) {
			t.Errorf("deleted: %v", err)
		}
	})
}

func TestOneTimePasswordOfAStepIsGoodOnce(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		must(t, db.PutStaff(t.Context(), Staff{ID: "s", Login: "l"}))
		var good atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if ok, err := db.UseTOTP(t.Context(), "s", 100); err != nil {
					t.Error(err)
				} else if ok {
					good.Add(1)
				}
			})
		}
		wg.Wait()
		if good.Load() != 1 {
			t.Fatalf("taken %d times", good.Load())
		}
		for step, want := range map[int64]bool{99: false, 100: false} {
			if ok, err := db.UseTOTP(t.Context(), "s", step); err != nil || ok != want {
				t.Errorf("step %d: %v %v", step, ok, err)
			}
		}
		// Changing the person does not make old codes good again.
		must(t, db.PutStaff(t.Context(), Staff{ID: "s", Login: "l", Name: "n"}))
		if ok, err := db.UseTOTP(t.Context(), "s", 100); err != nil || ok {
			t.Errorf("after a change: %v %v", ok, err)
		}
	})
}

func TestCallerKeepsIdAcrossRegistrations(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		a, err := db.UpsertCaller(ctx, Caller{ID: "one", Phone: "+77010000001", Name: "Ә", IIN: "i", Medical: "m", Lang: "kk", VerifiedAt: t0, CreatedAt: t0})
		must(t, err)
		b, err := db.UpsertCaller(ctx, Caller{ID: "two", Phone: "+77010000001", Name: "Б", Lang: "ru", VerifiedAt: t0.Add(time.Hour), CreatedAt: t0.Add(time.Hour)})
		must(t, err)
		want := Caller{"one", "+77010000001", "Б", "", "", "ru", t0.Add(time.Hour), t0}
		if a.ID != "one" || b != want {
			t.Errorf("%+v, want %+v", b, want)
		}
		byPhone, err := db.CallerByPhone(ctx, want.Phone)
		must(t, err)
		if byID, err := db.CallerByID(ctx, "one"); err != nil || byID != want || byPhone != want {
			t.Errorf("%+v %+v %v", byPhone, byID, err)
		}
		must(t, db.PutCallerToken(ctx, "hash", "one", t0.Add(time.Hour)))
		if c, err := db.CallerByToken(ctx, "hash", t0); err != nil || c != want {
			t.Errorf("token: %+v %v", c, err)
		}
		if _, err := db.CallerByToken(ctx, "hash", t0.Add(time.Hour)); !errors.Is(err, ErrNotFound) {
			t.Errorf("expired token: %v", err)
		}
		must(t, db.PutCode(ctx, want.Phone, "code", t0.Add(time.Hour)))
		must(t, db.DeleteCaller(ctx, "one"))
		if _, err := db.CallerByToken(ctx, "hash", t0); !errors.Is(err, ErrNotFound) {
			t.Errorf("token of somebody forgotten: %v", err)
		}
		if ok, err := db.CheckCode(ctx, want.Phone, "code", t0); err != nil || ok {
			t.Errorf("code of somebody forgotten: %v %v", ok, err)
		}
		must(t, db.PutCallerToken(ctx, "h2", "gone", t0.Add(time.Hour)))
		must(t, db.DeleteCallerToken(ctx, "h2"))
	})
}

func TestCodeIsGoodOnceInTimeAndForFiveTries(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx, phone, end := t.Context(), "+77010000001", t0.Add(5*time.Minute)
		check := func(name, hash string, now time.Time, want bool) {
			t.Helper()
			if ok, err := db.CheckCode(ctx, phone, hash, now); err != nil || ok != want {
				t.Errorf("%s: %v %v", name, ok, err)
			}
		}
		check("none was sent", "right", t0, false)
		must(t, db.PutCode(ctx, phone, "right", end))
		check("expired", "right", end, false)
		check("wrong", "wrong", t0, false)
		check("right", "right", t0, true)
		check("right again", "right", t0, false)
		must(t, db.PutCode(ctx, phone, "right", end))
		for range MaxCodeTries {
			check("guess", "wrong", t0, false)
		}
		check("right after five guesses", "right", t0, false)
		must(t, db.PutCode(ctx, phone, "newer", end))
		check("the code before", "right", t0, false)
		check("a new code has new tries", "newer", t0, true)
	})
}

func TestManyGuessersShareFiveTries(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		const phone = "+77010000001"
		must(t, db.PutCode(t.Context(), phone, "right", t0.Add(time.Hour)))
		all := func(hash string) int32 {
			var good atomic.Int32
			var wg sync.WaitGroup
			for range 12 {
				wg.Go(func() {
					if ok, err := db.CheckCode(t.Context(), phone, hash, t0); err != nil {
						t.Error(err)
					} else if ok {
						good.Add(1)
					}
				})
			}
			wg.Wait()
			return good.Load()
		}
		if n := all("right"); n != 1 {
			t.Errorf("the right code was taken %d times", n)
		}
		must(t, db.PutCode(t.Context(), phone, "right", t0.Add(time.Hour)))
		if n := all("wrong"); n != 0 {
			t.Errorf("a wrong code was taken %d times", n)
		}
		if ok, err := db.CheckCode(t.Context(), phone, "right", t0); err != nil || ok {
			t.Errorf("right after 12 guesses at once: %v %v", ok, err)
		}
	})
}

func TestAuditIsKeptOnceAndReadByObject(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		for i, id := range []string{"a", "b", "c", "a"} {
			must(t, db.AppendAudit(ctx, Audit{id, t0.Add(time.Duration(i) * time.Second), "who", "read", "call" + id, "d", 0}))
		}
		all, err := db.ListAudit(ctx, "", 10)
		if err != nil || len(all) != 3 || all[0].ID != "c" || !all[2].At.Equal(t0) {
			t.Errorf("%+v %v", all, err)
		}
		if two, err := db.ListAudit(ctx, "", 2); err != nil || len(two) != 2 {
			t.Errorf("%d %v", len(two), err)
		}
		if by, err := db.ListAuditBy(ctx, "who", t0, t0.Add(2*time.Second), 10); err != nil || len(by) != 2 || by[0].ID != "b" {
			t.Errorf("%+v %v", by, err)
		}
		if by, err := db.ListAuditBy(ctx, "another", t0, t0.Add(time.Hour), 10); err != nil || len(by) != 0 {
			t.Errorf("%+v %v", by, err)
		}
		must(t, db.SetAuditLogged(ctx, "b", 0))
		if left, err := db.ListUnlogged(ctx, 10); err != nil || len(left) != len(all)-1 || left[0].At.After(left[1].At) {
			t.Fatalf("%+v %v", left, err)
		}
		if in, err := db.ListLogged(ctx, 0, 10); err != nil || len(in) != 1 || in[0].ID != "b" {
			t.Fatalf("%+v %v", in, err)
		}
		if in, err := db.ListLogged(ctx, 1, 10); err != nil || len(in) != 0 {
			t.Fatalf("%+v %v", in, err)
		}
		if one, err := db.ListAudit(ctx, "callb", 10); err != nil || one[0].Logged != 1 {
			t.Fatalf("%+v %v", one, err)
		}
		if one, err := db.ListAudit(ctx, "callb", 10); err != nil || len(one) != 1 || one[0].ID != "b" {
			t.Errorf("%+v %v", one, err)
		}
	})
}

func TestSettingIsMadeOnceByMany(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		var mu sync.Mutex
		seen := map[string]bool{}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				v, err := db.AddSetting(t.Context(), "secret", []byte(ident.New[ident.NodeID]()))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				seen[string(v)] = true
			})
		}
		wg.Wait()
		if len(seen) != 1 {
			t.Fatalf("%d secrets", len(seen))
		}
		must(t, db.PutSetting(t.Context(), "secret", []byte("x")))
		if v, err := db.Setting(t.Context(), "secret"); err != nil || string(v) != "x" {
			t.Errorf("%q %v", v, err)
		}
		if _, err := db.Setting(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	})
}

// TestEndedSessionsStayEnded holds that prolonging, which begins with a look at the session, does
// not bring back one that was ended meanwhile.
func TestEndedSessionsStayEnded(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		s := Staff{ID: ident.New[ident.StaffID](), Login: "l", Roles: []string{"operator"}}
		must(t, db.PutStaff(ctx, s))
		now := time.Now().UTC().Truncate(time.Microsecond)
		must(t, db.PutStaffSession(ctx, "signed-out", s.ID, now.Add(time.Hour)))
		must(t, db.DeleteStaffSession(ctx, "signed-out"))
		must(t, db.PutStaffSession(ctx, "over", s.ID, now.Add(-time.Second)))
		for _, hash := range []string{"signed-out", "over", "never"} {
			if err := db.ProlongStaffSession(ctx, hash, now, now.Add(time.Hour)); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", hash, err)
			}
			if _, expires, err := db.StaffSession(ctx, hash); !errors.Is(err, ErrNotFound) && expires.After(now) {
				t.Errorf("%s is back until %s: %v", hash, expires, err)
			}
		}
		must(t, db.PutStaffSession(ctx, "kept", s.ID, now.Add(time.Hour)))
		must(t, db.PutStaffSession(ctx, "kept", s.ID, now.Add(time.Minute))) // repeated after a lost connection
		if _, expires, err := db.StaffSession(ctx, "kept"); err != nil || !expires.Equal(now.Add(time.Hour)) {
			t.Error(expires, err)
		}
	})
}

// TestSigningOutWinsAgainstUse signs out while the session is used.
func TestSigningOutWinsAgainstUse(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		s := Staff{ID: ident.New[ident.StaffID](), Login: "l", Roles: []string{"operator"}}
		must(t, db.PutStaff(ctx, s))
		now := time.Now()
		for i := range 20 {
			hash := fmt.Sprint(i)
			must(t, db.PutStaffSession(ctx, hash, s.ID, now.Add(time.Hour)))
			var using sync.WaitGroup
			for range 4 {
				using.Go(func() {
					if err := db.ProlongStaffSession(ctx, hash, now, now.Add(2*time.Hour)); err != nil && !errors.Is(err, ErrNotFound) {
						t.Error(err)
					}
				})
			}
			must(t, db.DeleteStaffSession(ctx, hash))
			using.Wait()
			if _, _, err := db.StaffSession(ctx, hash); !errors.Is(err, ErrNotFound) {
				t.Fatal("a session that was ended is back", err)
			}
		}
	})
}
