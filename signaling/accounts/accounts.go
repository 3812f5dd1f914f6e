// Package accounts knows who people are: staff by password and second factor, callers by a
// one-time code to their phone. Passwords are kept as argon2id hashes, tokens and codes as SHA-256.
package accounts

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image/png"
	"math/big"
	"strings"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"

	"github.com/nyaruka/phonenumbers"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

const (
	// SessionTime is how long a staff session lives after its last use: one shift.
	SessionTime = 13 * time.Hour
	// CallerTime is how long a caller's registration is kept on a phone.
	CallerTime = 2 * 365 * 24 * time.Hour
	// CodeTime is how long a one-time code is good.
	CodeTime = 5 * time.Minute
	// CodeRetry is how long to wait before asking for another code.
	CodeRetry = 60 * time.Second

	region     = "KZ" // numbers without a country code
	tokenBytes = 32
	totpStep   = 30  // seconds
	maxLogin   = 200 // bytes
)

// CodeSender brings a one-time code to a phone.
type CodeSender interface {
	SendCode(ctx context.Context, phone, code, lang string) error
}

// Accounts is safe for concurrent use.
type Accounts struct {
	db     *store.DB
	send   CodeSender
	secret []byte // keys the hashes of one-time codes
	hash   *hasher

	limits limits
}

// New returns accounts over db.
func New(db *store.DB, send CodeSender, secret []byte) *Accounts {
	return &Accounts{db: db, send: send, secret: secret, hash: newHasher(), limits: newLimits()}
}

// Phone returns a number in E.164, or bad_phone.
func Phone(s string) (string, error) {
	n, err := phonenumbers.Parse(s, region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", fault.New(fault.BadPhone, "phone", err)
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// RequestCode sends a one-time code.
func (a *Accounts) RequestCode(ctx context.Context, phone, lang, addr string) error {
	const op = "caller.code"
	tel, err := Phone(phone)
	if err != nil {
		return err
	}
	if !a.limits.code(tel, addr, time.Now()) {
		return fault.New(fault.RateLimited, op, nil)
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return fmt.Errorf("random: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	if err := a.db.PutCode(ctx, tel, a.codeHash(tel, code), time.Now().Add(CodeTime)); err != nil {
		return fault.New(fault.Unavailable, op, err)
	}
	if err := a.send.SendCode(ctx, tel, code, lang); fault.CodeOf(err) == fault.RateLimited {
		return err
	} else if err != nil {
		return fault.New(fault.Unavailable, op, err)
	}
	return nil
}

func (a *Accounts) codeHash(phone, code string) string {
	m := hmac.New(sha256.New, a.secret)
	m.Write([]byte("code\x00" + phone + "\x00" + code))
	return hex.EncodeToString(m.Sum(nil))
}

// Profile is what a caller tells of themselves.
type Profile struct {
	Name, IIN, Medical, Lang string
}

// Register proves the phone by its code and returns the caller with a token for their page.
func (a *Accounts) Register(ctx context.Context, phone, code string, p Profile, addr string) (string, store.Caller, error) {
	const op = "caller.register"
	tel, err := Phone(phone)
	if err != nil {
		return "", store.Caller{}, err
	}
	now := time.Now()
	if !a.limits.register(addr, now) {
		return "", store.Caller{}, fault.New(fault.RateLimited, op, nil)
	}
	ok, err := a.db.CheckCode(ctx, tel, a.codeHash(tel, strings.TrimSpace(code)), now)
	if err != nil {
		return "", store.Caller{}, fault.New(fault.Unavailable, op, err)
	}
	if !ok {
		return "", store.Caller{}, fault.New(fault.BadCode, op, nil)
	}
	c, err := a.db.UpsertCaller(ctx, store.Caller{
		ID: ident.New[ident.CallerID](), Phone: tel, Name: p.Name, IIN: p.IIN, Medical: p.Medical, Lang: p.Lang, VerifiedAt: now, CreatedAt: now,
	})
	if err != nil {
		return "", store.Caller{}, fault.New(fault.Unavailable, op, err)
	}
	token := newToken()
	if err := a.db.PutCallerToken(ctx, tokenHash(token), c.ID, now.Add(CallerTime)); err != nil {
		return "", store.Caller{}, fault.New(fault.Unavailable, op, err)
	}
	return token, c, nil
}

// Caller returns whose token it is, or not_signed_in.
func (a *Accounts) Caller(ctx context.Context, token string) (store.Caller, error) {
	c, err := a.db.CallerByToken(ctx, tokenHash(token), time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return c, fault.New(fault.NotSignedIn, "caller", nil)
	}
	if err != nil {
		return c, fault.New(fault.Unavailable, "caller", err)
	}
	return c, nil
}

// Change keeps a caller's new profile.
func (a *Accounts) Change(ctx context.Context, c store.Caller, p Profile) (store.Caller, error) {
	c.Name, c.IIN, c.Medical = p.Name, p.IIN, p.Medical
	c, err := a.db.UpsertCaller(ctx, c)
	if err != nil {
		return c, fault.New(fault.Unavailable, "caller.me", err)
	}
	return c, nil
}

// Forget removes a caller's registration.
func (a *Accounts) Forget(ctx context.Context, c store.Caller) error {
	if err := a.db.DeleteCaller(ctx, c.ID); err != nil {
		return fault.New(fault.Unavailable, "caller.me", err)
	}
	return nil
}

// SignIn checks login, password and second factor and returns a session token. An unknown login
// takes as long as a wrong password. What succeeds costs nothing: a whole shift may sign in from
// one address at once.
func (a *Accounts) SignIn(ctx context.Context, login, password, code, addr string) (string, store.Staff, error) {
	const op = "staff.session"
	if login == "" || len(login) > maxLogin {
		return "", store.Staff{}, fault.New(fault.BadSignIn, op, nil)
	}
	if !a.limits.signIn(login, addr, time.Now()) {
		return "", store.Staff{}, fault.New(fault.RateLimited, op, nil)
	}
	s, err := a.authenticate(ctx, login, password, code)
	if err != nil {
		if c := fault.CodeOf(err); c == fault.Unavailable || c == fault.TOTPNeeded {
			a.limits.forgive(login, addr) // nothing was guessed; the second factor has its own limit
		}
		return "", store.Staff{}, err
	}
	a.limits.welcome(login, addr)
	token, err := a.open(ctx, s.ID)
	return token, s, err
}

// open begins a session of somebody who has shown who they are.
func (a *Accounts) open(ctx context.Context, id ident.StaffID) (token string, err error) {
	token, now := newToken(), time.Now()
	if err = a.db.UsedStaff(ctx, id, now); err == nil {
		err = a.db.PutStaffSession(ctx, tokenHash(token), id, now.Add(SessionTime))
	}
	if err != nil {
		return "", fault.New(fault.Unavailable, "staff.session", err)
	}
	return token, nil
}

func (a *Accounts) authenticate(ctx context.Context, login, password, code string) (store.Staff, error) {
	const op = "staff.session"
	s, err := a.db.StaffByLogin(ctx, login)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return s, fault.New(fault.Unavailable, op, err)
	}
	known := err == nil && !s.Disabled
	ok, err := a.hash.check(ctx, password, s.PasswordHash)
	if err != nil {
		return s, fault.New(fault.RateLimited, op, err)
	}
	if !known || !ok {
		return s, fault.New(fault.BadSignIn, op, nil)
	}
	if s.TOTPSecret == "" {
		return s, nil
	}
	if code == "" {
		return s, fault.New(fault.TOTPNeeded, op, nil)
	}
	return s, a.checkTOTP(ctx, s, code)
}

// checkTOTP takes a code of this step or its neighbours (RFC 6238 section 5.2), once.
func (a *Accounts) checkTOTP(ctx context.Context, s store.Staff, code string) error {
	now := time.Now()
	if !a.limits.totp(string(s.ID), now) {
		return fault.New(fault.RateLimited, "staff.session", nil)
	}
	for _, shift := range []int64{0, -1, 1} {
		step := now.Unix()/totpStep + shift
		ok, err := totp.ValidateCustom(code, s.TOTPSecret, time.Unix(step*totpStep, 0), totp.ValidateOpts{
			Period: totpStep, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
		})
		if err != nil || !ok {
			continue
		}
		fresh, err := a.db.UseTOTP(ctx, s.ID, step)
		if err != nil {
			return fault.New(fault.Unavailable, "staff.session", err)
		}
		if fresh {
			a.limits.totpDone(string(s.ID))
			return nil
		}
	}
	return fault.New(fault.BadSignIn, "staff.session", nil)
}

// Session names a staff session without being able to open it: the hash of its token.
type Session string

// SessionOf returns the session that a token opens, whether or not there is one.
func SessionOf(token string) Session { return Session(tokenHash(token)) }

// Staff returns whose session it is, or not_signed_in; use prolongs it.
func (a *Accounts) Staff(ctx context.Context, token string) (store.Staff, error) {
	return a.Still(ctx, SessionOf(token), true)
}

// Still returns whose session it is, or not_signed_in. used tells that a person has used it, which
// prolongs it.
func (a *Accounts) Still(ctx context.Context, session Session, used bool) (store.Staff, error) {
	const op = "staff"
	now := time.Now()
	s, expires, err := a.db.StaffSession(ctx, string(session))
	if errors.Is(err, store.ErrNotFound) || err == nil && (!expires.After(now) || s.Disabled) {
		return store.Staff{}, fault.New(fault.NotSignedIn, op, nil)
	}
	if err != nil {
		return store.Staff{}, fault.New(fault.Unavailable, op, err)
	}
	if used && expires.Sub(now) < SessionTime-time.Hour {
		err := a.db.ProlongStaffSession(ctx, string(session), now, now.Add(SessionTime))
		if errors.Is(err, store.ErrNotFound) { // signed out since we looked
			return store.Staff{}, fault.New(fault.NotSignedIn, op, nil)
		}
		if err == nil {
			err = a.db.UsedStaff(ctx, s.ID, now)
		}
		if err != nil {
			return store.Staff{}, fault.New(fault.Unavailable, op, err)
		}
	}
	return s, nil
}

// Directory returns where accounts are administered.
func (a *Accounts) Directory() *Directory { return NewDirectory(a.db) }

// AdmitLink admits one attempt from an address to use an invitation, or refuses it: rate_limited.
func (a *Accounts) AdmitLink(addr string) error {
	if !a.limits.register(addr, time.Now()) {
		return fault.New(fault.RateLimited, "staff.invitation", nil)
	}
	return nil
}

// SignOut ends a session.
func (a *Accounts) SignOut(ctx context.Context, token string) error {
	if err := a.db.DeleteStaffSession(ctx, tokenHash(token)); err != nil {
		return fault.New(fault.Unavailable, "staff.session", err)
	}
	return nil
}

// qrSide is the width and height of a QR code in pixels.
const qrSide = 264

// NewTOTP returns a fresh second factor to be confirmed: its secret, the otpauth address and its QR
// code as PNG, without a quiet zone. Nothing changes yet.
func (a *Accounts) NewTOTP(s store.Staff) (secret, uri string, qr []byte, err error) {
	k, err := totp.Generate(totp.GenerateOpts{Issuer: "Jedel", AccountName: s.Login})
	if err != nil {
		return "", "", nil, fmt.Errorf("generate second factor: %w", err)
	}
	picture, err := k.Image(qrSide, qrSide)
	var b bytes.Buffer
	if err == nil {
		err = png.Encode(&b, picture)
	}
	if err != nil {
		return "", "", nil, fmt.Errorf("draw second factor: %w", err)
	}
	return k.Secret(), k.URL(), b.Bytes(), nil
}

// SetTOTP switches a second factor on once its owner shows with code that they can use it; an empty
// secret switches it off. Where one is on already, current is a code of it: a stolen session alone
// changes no factor.
func (a *Accounts) SetTOTP(ctx context.Context, s store.Staff, secret, code, current string) error {
	const op = "staff.totp"
	if s.TOTPSecret != "" {
		if err := a.checkTOTP(ctx, s, current); err != nil {
			return err
		}
	}
	if secret != "" && !totp.Validate(code, secret) {
		return fault.New(fault.BadCode, op, nil)
	}
	_, err := (&Directory{a.db}).do(ctx, op, act{s.ID, s.ID, func(_ []access.Account, e *store.StaffEdit) error {
		if e.After.Disabled || e.After.TOTPSecret != s.TOTPSecret { // since we looked
			return fault.New(fault.WrongState, op, nil)
		}
		e.After.TOTPSecret = secret
		return nil
	}})
	return err
}

func newToken() string {
	var raw [tokenBytes]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func tokenHash(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}
