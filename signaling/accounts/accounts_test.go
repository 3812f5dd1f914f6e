package accounts

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"

	"github.com/pquerna/otp/totp"
)

// phones is where codes arrive.
type phones struct {
	mu   sync.Mutex
	code map[string]string
	fail error
}

func (p *phones) SendCode(_ context.Context, phone, code, _ string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.code[phone] = code
	return p.fail
}

func open(t *testing.T) (*Accounts, *store.DB, *phones) {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p := &phones{code: map[string]string{}}
	return New(db, p, []byte("secret")), db, p
}

func hire(t *testing.T, db *store.DB, login string) store.Staff {
	t.Helper()
	hash, err := HashPassword("password-" + login)
	if err != nil {
		t.Fatal(err)
	}
	s := store.Staff{ID: ident.New[ident.StaffID](), Login: login, Name: login, Roles: []string{"operator"}, PasswordHash: hash}
	if err := db.PutStaff(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s
}

func want(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("%q, want %q: %v", got, code, err)
	}
}

const tel = "+77015551212"

func TestPhoneIsTakenAsPeopleWriteIt(t *testing.T) {
	for _, s := range []string{tel, "8 701 555 12 12", "701 555 12 12", "+7 (701) 555-12-12"} {
		if got, err := Phone(s); err != nil || got != tel {
			t.Error(s, got, err)
		}
	}
	for _, s := range []string{"", "102", "abc", "+7", strings.Repeat("7", 1000), "<script>"} {
		_, err := Phone(s)
		want(t, err, fault.BadPhone)
	}
}

func TestRegistrationNeedsTheCodeThatWasSent(t *testing.T) {
	a, _, p := open(t)
	ctx := t.Context()
	if err := a.RequestCode(ctx, "8 701 555 12 12", "kk", "a"); err != nil || len(p.code[tel]) != 6 {
		t.Fatal(p.code, err)
	}
	_, _, err := a.Register(ctx, tel, "no", Profile{}, "a")
	want(t, err, fault.BadCode)
	_, _, err = a.Register(ctx, "+77015559999", p.code[tel], Profile{}, "a")
	want(t, err, fault.BadCode) // another phone's
	token, c, err := a.Register(ctx, tel, p.code[tel], Profile{Name: "Нұрлан", IIN: "990101300123"}, "a")
	if err != nil || c.Phone != tel {
		t.Fatal(c, err)
	}
	_, _, err = a.Register(ctx, tel, p.code[tel], Profile{}, "a")
	want(t, err, fault.BadCode) // used
	again, err := a.Caller(ctx, token)
	if err != nil || again.ID != c.ID || again.Name != "Нұрлан" {
		t.Fatal(again, err)
	}
	if err := a.Forget(ctx, again); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{token, "", "forged"} {
		_, err = a.Caller(ctx, gone)
		want(t, err, fault.NotSignedIn)
	}
}

func TestFiveWrongCodesEndACode(t *testing.T) {
	a, _, p := open(t)
	if err := a.RequestCode(t.Context(), tel, "kk", "a"); err != nil {
		t.Fatal(err)
	}
	for range store.MaxCodeTries {
		_, _, err := a.Register(t.Context(), tel, "000000x", Profile{}, "b")
		want(t, err, fault.BadCode)
	}
	_, _, err := a.Register(t.Context(), tel, p.code[tel], Profile{}, "b")
	want(t, err, fault.BadCode)
}

func TestExpiredTokenOpensNothing(t *testing.T) {
	a, db, _ := open(t)
	s, past := hire(t, db, "aigul"), time.Now().Add(-time.Second)
	if err := db.PutStaffSession(t.Context(), tokenHash("old"), s.ID, past); err != nil {
		t.Fatal(err)
	}
	_, err := a.Staff(t.Context(), "old")
	want(t, err, fault.NotSignedIn)
	c, err := db.UpsertCaller(t.Context(), store.Caller{ID: ident.New[ident.CallerID](), Phone: tel, VerifiedAt: past, CreatedAt: past})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PutCallerToken(t.Context(), tokenHash("old"), c.ID, past); err != nil {
		t.Fatal(err)
	}
	_, err = a.Caller(t.Context(), "old")
	want(t, err, fault.NotSignedIn)
}

func TestUseProlongsASessionAndPingsDoNot(t *testing.T) {
	a, db, _ := open(t)
	s := hire(t, db, "aigul")
	soon := time.Now().Add(time.Hour)
	if err := db.PutStaffSession(t.Context(), tokenHash("t"), s.ID, soon); err != nil {
		t.Fatal(err)
	}
	end := func() time.Time {
		_, e, err := db.StaffSession(t.Context(), tokenHash("t"))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if _, err := a.Still(t.Context(), SessionOf("t"), false); err != nil || end().After(soon.Add(time.Second)) {
		t.Fatal(end(), err)
	}
	if _, err := a.Staff(t.Context(), "t"); err != nil || end().Before(soon.Add(SessionTime/2)) {
		t.Fatal(end(), err)
	}
	s.Disabled = true
	if err := db.PutStaff(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	_, err := a.Staff(t.Context(), "t")
	want(t, err, fault.NotSignedIn)
}

func TestTokensAndPasswordsAreKeptAsHashesOnly(t *testing.T) {
	a, db, _ := open(t)
	hire(t, db, "aigul")
	token, s, err := a.SignIn(t.Context(), "aigul", "password-aigul", "", "a")
	if err != nil || len(token) < 43 || strings.Contains(s.PasswordHash, "password-aigul") {
		t.Fatal(token, s, err)
	}
	if _, _, err := db.StaffSession(t.Context(), token); !errors.Is(err, store.ErrNotFound) {
		t.Fatal("the token itself is kept", err)
	}
	one, _ := HashPassword("same-password")
	two, _ := HashPassword("same-password")
	if one == two {
		t.Fatal("no salt")
	}
	for _, p := range []string{"", "short", strings.Repeat("x", maxPassword+1)} {
		if _, err := HashPassword(p); err == nil {
			t.Error("taken:", len(p))
		}
	}
}

func TestSecondFactorIsGoodOnce(t *testing.T) {
	a, db, _ := open(t)
	s, ctx := hire(t, db, "aigul"), t.Context()
	secret, uri, qr, err := a.NewTOTP(s)
	if err != nil || !strings.HasPrefix(uri, "otpauth://totp/Jedel:aigul") {
		t.Fatal(uri, err)
	}
	if picture, err := png.Decode(bytes.NewReader(qr)); err != nil || picture.Bounds().Dx() != qrSide {
		t.Fatal(err)
	}
	want(t, a.SetTOTP(ctx, s, secret, "000000x", ""), fault.BadCode)
	code := func(step int) string {
		c, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(step)*totpStep*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := a.SetTOTP(ctx, s, secret, code(0), ""); err != nil {
		t.Fatal(err)
	}
	in := func(c string) error {
		_, _, err := a.SignIn(ctx, "aigul", "password-aigul", c, "a")
		return err
	}
	want(t, in(""), fault.TOTPNeeded)
	want(t, in("abcdef"), fault.BadSignIn)
	used := code(0)
	want(t, in(used), "")
	want(t, in(used), fault.BadSignIn)
	s, err = db.StaffByLogin(ctx, "aigul")
	if err != nil {
		t.Fatal(err)
	}
	want(t, a.SetTOTP(ctx, s, "", "", ""), fault.BadSignIn) // a stolen session cannot drop it
	want(t, a.SetTOTP(ctx, s, "", "", code(1)), "")
	want(t, in(""), "")
}

func TestSecondFactorCannotBeGuessed(t *testing.T) {
	a, db, _ := open(t)
	s := hire(t, db, "aigul")
	s.TOTPSecret = "JBSWY3DPEHPK3PXP"
	if err := db.PutStaff(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	looked := 0
	for range 8 {
		if _, _, err := a.SignIn(t.Context(), "aigul", "password-aigul", "abcdef", "a"); fault.CodeOf(err) == fault.BadSignIn {
			looked++
		}
	}
	if looked != 5 {
		t.Fatal(looked)
	}
}

func TestCodesAreLimitedByPhoneDayAndAddress(t *testing.T) {
	l, now := newLimits(), time.Now()
	count := func(n int, ask func(i int) bool) (ok int) {
		for i := range n {
			if ask(i) {
				ok++
			}
		}
		return ok
	}
	if n := count(3000, func(int) bool { return l.code(tel, "a", now) }); n != 3 {
		t.Error("at once to one phone:", n)
	}
	if n := count(1000, func(i int) bool { return l.code("+7", string(rune('Ā'+i)), now.Add(time.Duration(i)*CodeRetry)) }); n > 10+17 {
		t.Error("to one phone in 1000 minutes:", n)
	}
	if n := count(30_000, func(i int) bool { return l.register("b", now) }); n != 30 {
		t.Error("from one address:", n)
	}
}

func TestAShiftSignsInFromOneAddressAndGuessesAreLimited(t *testing.T) {
	l, now := newLimits(), time.Now()
	for range 1000 {
		if !l.signIn("aigul", "desk", now) {
			t.Fatal("what succeeds must cost nothing")
		}
		l.welcome("aigul", "desk")
	}
	guesses := 0
	for i := range 10_000 {
		if l.signIn("aigul", "bot"+string(rune('Ā'+i%1000)), now) {
			guesses++
		}
	}
	if guesses != 50 {
		t.Error("guesses from everywhere:", guesses)
	}
	if !l.signIn("aigul", "desk", now) {
		t.Error("an operator is locked out of their own desk")
	}
	one := 0
	for range 1000 {
		if l.signIn("saule", "bot", now) {
			one++
		}
	}
	if one != 10 {
		t.Error("guesses of one address:", one)
	}
}

func TestHugeLoginIsRefusedBeforeItIsKept(t *testing.T) {
	a, _, _ := open(t)
	for range 1000 { // more than any limit lets through: it is refused before limits remember it
		_, _, err := a.SignIn(t.Context(), strings.Repeat("x", maxLogin+1), "password", "", "a")
		want(t, err, fault.BadSignIn)
	}
}

func TestUnknownLoginCostsTheSameWork(t *testing.T) {
	a, db, _ := open(t)
	hire(t, db, "aigul")
	a.hash.slots <- struct{}{} // both slots are taken: whoever computes a hash has to wait for one
	a.hash.slots <- struct{}{}
	for _, login := range []string{"aigul", "nobody"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, _, err := a.SignIn(ctx, login, "wrong-password", "", "a")
		cancel()
		want(t, err, fault.RateLimited)
	}
}

func TestStoreOutOfReachIsSaidAndGuessesNothing(t *testing.T) {
	a, db, p := open(t)
	p.fail = errors.New("no network")
	want(t, a.RequestCode(t.Context(), tel, "kk", "a"), fault.Unavailable)
	_ = db.Close()
	want(t, a.RequestCode(t.Context(), tel, "kk", "a"), fault.Unavailable)
	_, _, err := a.SignIn(t.Context(), "aigul", "password-aigul", "", "a")
	want(t, err, fault.Unavailable)
	_, err = a.Staff(t.Context(), "x")
	want(t, err, fault.Unavailable)
	_, err = a.Caller(t.Context(), "x")
	want(t, err, fault.Unavailable)
}
