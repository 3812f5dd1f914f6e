package tips

import (
	"time"

	"jedel/internal/fault"
)

// Bounds are the limits of what is kept, in bytes.
type Bounds struct {
	Total   int64
	Mailbox int64
}

// wordsOnly is the part of the space after which only letters of the smallest class are taken:
// words get through when pictures no longer do.
const wordsOnly = 0.75

// Admit tells whether a letter may be kept beside total bytes in all, box of them of its mailbox.
func (b Bounds) Admit(total, box int64, c Class, size int) error {
	const op = "tips.put"
	switch n := int64(size); {
	case box+n > b.Mailbox:
		return fault.New(fault.TooMany, op, nil)
	case total+n > b.Total, c > 0 && float64(total+n) > wordsOnly*float64(b.Total):
		return fault.New(fault.NoSpace, op, nil)
	}
	return nil
}

// Bucket lets so much through in a time, from whomever it comes: whose it is is not known.
type Bucket struct {
	Every time.Duration // one more each
	Burst int
	full  time.Time // when it will be full; zero: it is
}

// Take returns the bucket after one was taken; ok is false, and nothing is taken, where it is empty.
func (b Bucket) Take(now time.Time) (after Bucket, ok bool) {
	if b.full.Before(now) {
		b.full = now
	}
	next := b.full.Add(b.Every)
	if next.Sub(now) > time.Duration(b.Burst)*b.Every {
		return b, false
	}
	b.full = next
	return b, true
}
