package accounts

import (
	"sync"
	"time"

	"jedel/internal/admit"
)

// limitedKeys bounds each table. A key takes about 100 bytes.
const limitedKeys = 10000

// limits bound how often people may be asked for, and guessed at. They are this node's own: a
// restart forgets them.
type limits struct {
	mu      sync.Mutex // guards the rest
	byTel   admit.Table
	byDay   admit.Table // codes to one phone; each may cost the site money and its owner patience
	byAddr  admit.Table
	signers admit.Table         // failed sign-ins of an address, whoever it tries to be
	pairs   admit.Table         // failed sign-ins of an address as one person
	logins  admit.Table         // failed sign-ins as one person from everywhere
	seconds admit.Table         // wrong second factors of one person
	known   map[string]struct{} // pairs of person and address that have signed in here
}

func newLimits() limits {
	table := func(every time.Duration, burst int) admit.Table {
		return admit.Table{Rate: admit.Rate{Every: every, Burst: burst}, Max: limitedKeys}
	}
	return limits{
		byTel: table(CodeRetry, 3), byDay: table(time.Hour, 10), byAddr: table(5*time.Second, 30),
		signers: table(2*time.Second, 60), pairs: table(30*time.Second, 10), logins: table(10*time.Second, 50),
		seconds: table(2*time.Minute, 5), known: map[string]struct{}{},
	}
}

func pair(login, addr string) string { return addr + " " + login }

// code admits one one-time code.
func (l *limits) code(tel, addr string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return take(&l.byAddr, addr, now) && take(&l.byTel, tel, now) && take(&l.byDay, tel, now)
}

// register admits one attempt to register.
func (l *limits) register(addr string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return take(&l.byAddr, addr, now)
}

// signIn admits one attempt to sign in. Where this person has signed in from this address before,
// what others try elsewhere does not count: nobody can lock an operator out of their own desk.
func (l *limits) signIn(login, addr string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !take(&l.signers, addr, now) || !take(&l.pairs, pair(login, addr), now) {
		return false
	}
	_, known := l.known[pair(login, addr)]
	return take(&l.logins, login, now) || known
}

// forgive gives back what signIn took.
func (l *limits) forgive(login, addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.signers.Give(addr)
	l.pairs.Give(pair(login, addr))
	l.logins.Give(login)
}

// welcome gives back what signIn took and remembers where the person signed in.
func (l *limits) welcome(login, addr string) {
	l.forgive(login, addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) >= limitedKeys {
		clear(l.known)
	}
	l.known[pair(login, addr)] = struct{}{}
}

// totp admits one look at a second factor.
func (l *limits) totp(staff string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return take(&l.seconds, staff, now)
}

// totpDone gives back what totp took.
func (l *limits) totpDone(staff string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seconds.Give(staff)
}

func take(t *admit.Table, key string, now time.Time) bool {
	ok, _ := t.Take(key, now)
	return ok
}
