package watch

import (
	"fmt"
	"time"
)

// Kind names a promise that was broken.
type Kind string

// Kinds of violation.
const (
	TwoOffers     Kind = "two_offers"     // one call rang at two operators at once
	TwoOwners     Kind = "two_owners"     // one call was in the hands of two operators at once
	EpochReused   Kind = "epoch_reused"   // two offers of a call had one epoch
	LostCall      Kind = "lost_call"      // a confirmed call vanished or never ended
	NumberChanged Kind = "number_changed" // a call's number is its name for people
	NumberReused  Kind = "number_reused"
	TapTwice      Kind = "tap_twice"   // one tap made two calls
	TwoTaps       Kind = "two_taps"    // two taps made one call
	LostChat      Kind = "lost_chat"   // a confirmed line never reached the operator
	NeverRang     Kind = "never_rang"  // a call that ended without ever being offered
	NotRunning    Kind = "not_running" // nothing could be tried
)

// Violation is one broken promise.
type Violation struct {
	Kind Kind   `json:"kind"`
	Call string `json:"call"`
	Text string `json:"text"`
}

// grace is how long two spans may overlap without blame: news of one decision reach two sockets
// at two moments, and a ringing may end by its own clock.
const grace = 500 * time.Millisecond

// judge returns what the whole story of a call breaks.
func (c *call) judge(final bool) []Violation {
	var out []Violation
	say := func(k Kind, format string, args ...any) {
		out = append(out, Violation{k, c.id, fmt.Sprintf(format, args...)})
	}
	for i, a := range c.offers {
		for _, b := range c.offers[i+1:] {
			if a.epoch == b.epoch && a.operator != b.operator {
				say(EpochReused, "epoch %d rang at %s and at %s", a.epoch, a.operator, b.operator)
			}
			if over := overlap(a, b); over > grace && a.operator != b.operator {
				say(TwoOffers, "rang at %s and at %s for %v", a.operator, b.operator, over.Round(time.Millisecond))
			}
		}
	}
	for i, a := range c.owners {
		for _, b := range c.owners[i+1:] {
			if over := overlap(a, b); over > grace && a.operator != b.operator {
				say(TwoOwners, "in the hands of %s and of %s for %v", a.operator, b.operator, over.Round(time.Millisecond))
			}
		}
	}
	if final && c.created && !c.ended {
		say(LostCall, "confirmed and never ended; last seen %s", c.phase)
	}
	if final && c.ended && len(c.offers) == 0 {
		say(NeverRang, "ended without a ring")
	}
	if len(c.owners) > 0 {
		for id := range c.said {
			if !c.read[id] {
				say(LostChat, "line %s was confirmed and not shown", id)
			}
		}
	}
	return out
}

// overlap returns how long both spans lasted at once. What has not ended lasts to its own end, or
// for ever.
func overlap(a, b span) time.Duration {
	from := a.from
	if b.from.After(from) {
		from = b.from
	}
	end := func(s span) time.Time {
		switch {
		case !s.to.IsZero():
			return s.to
		case !s.until.IsZero():
			return s.until
		}
		return from.Add(24 * time.Hour)
	}
	to := end(a)
	if e := end(b); e.Before(to) {
		to = e
	}
	return to.Sub(from)
}
