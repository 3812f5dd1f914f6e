// Package admit bounds how often things may happen. It is pure: time comes in as an argument.
package admit

import "time"

// Rate allows Burst at once and one more every Every.
type Rate struct {
	Every time.Duration
	Burst int
}

// Bucket is a token bucket of one Rate. Its zero value is full.
type Bucket struct {
	empty time.Time // when the bucket would have been empty: full long after it
}

// Take takes one token at now; ok is false where there is none, and wait says for how long.
func (b *Bucket) Take(r Rate, now time.Time) (ok bool, wait time.Duration) {
	full := now.Add(-time.Duration(r.Burst) * r.Every)
	if b.empty.Before(full) {
		b.empty = full
	}
	next := b.empty.Add(r.Every)
	if next.After(now) {
		return false, next.Sub(now)
	}
	b.empty = next
	return true, 0
}

// Give returns a token that was taken for something that turned out to be welcome.
func (b *Bucket) Give(r Rate) { b.empty = b.empty.Add(-r.Every) }

// Table has one bucket per key. It holds at most Max keys: beyond that full buckets are forgotten
// first, and if none is full new keys are refused, so that a flood of keys costs no memory.
type Table struct {
	Rate Rate
	Max  int
	m    map[string]*Bucket
}

// Take takes one token of key at now.
func (t *Table) Take(key string, now time.Time) (ok bool, wait time.Duration) {
	if t.m == nil {
		t.m = map[string]*Bucket{}
	}
	b := t.m[key]
	if b == nil {
		if len(t.m) >= t.Max {
			t.sweep(now)
		}
		if len(t.m) >= t.Max {
			return false, t.Rate.Every
		}
		b = new(Bucket)
		t.m[key] = b
	}
	return b.Take(t.Rate, now)
}

// Give returns a token of key that was taken for something that turned out to be welcome.
func (t *Table) Give(key string) {
	if b := t.m[key]; b != nil {
		b.Give(t.Rate)
	}
}

// sweep forgets buckets that are full again.
func (t *Table) sweep(now time.Time) {
	for key, b := range t.m {
		if now.Sub(b.empty) >= time.Duration(t.Rate.Burst)*t.Rate.Every {
			delete(t.m, key)
		}
	}
}
