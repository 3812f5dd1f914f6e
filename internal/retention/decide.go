package retention

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// firstYear is the first in which a call can have been made: a clock that tells an earlier one
// was never set.
const firstYear = 2020

// maxKeep is how far ahead the end of keeping may lie, in years.
const maxKeep = 100

// Decide says what ev makes of s at now under p: the record to keep and the effects that follow
// once it is durable. It changes nothing. A Record without a Fact means that nothing new happened
// (a repeated request). An error is a fault.Error and leaves everything as it was.
func Decide(p Policy, s State, now Clock, ev Event) (Record, []Effect, error) {
	if b, ok := ev.(Begin); ok {
		return begin(p, s, now, b)
	}
	if s.Stage == Unknown {
		return refuse(fault.NoSuchArchive, "retention")
	}
	at := now.stamp(s.At)
	switch e := ev.(type) {
	case Destroy:
		return destroy(p, s, now, e)
	case KeysDestroyed:
		return keysDestroyed(s, at, e)
	case ProposeDeletion:
		return proposeDeletion(s, now, e)
	case ApproveDeletion:
		return approveDeletion(p, s, now, e)
	}
	if s.Stage == Destroying || s.Stage == Gone {
		return refuse(fault.BeingDestroyed, "retention")
	}
	switch e := ev.(type) {
	case Categorise:
		return categorise(p, s, at, e)
	case Extend:
		return extend(s, at, e)
	case Shorten:
		return shorten(s, at, e)
	case ConfirmShortening:
		return confirmShortening(s, at, e)
	case WithdrawShortening:
		return withdrawShortening(s, at, e)
	case PlaceHold:
		return placeHold(s, at, e)
	case ReleaseHold:
		return releaseHold(s, at, e)
	case CancelDeletion:
		return cancelDeletion(s, at, e)
	}
	panic("bug: an event without a rule")
}

func record(at time.Time, f Fact, effects ...Effect) (Record, []Effect, error) {
	return Record{At: at, Fact: f}, effects, nil
}

func nothing() (Record, []Effect, error) { return Record{}, nil, nil }

func refuse(code fault.Code, op string) (Record, []Effect, error) {
	return Record{}, nil, fault.New(code, op, nil)
}

// person reports whether id is a member of staff: the scheduler is none, and one person has one
// spelling.
func person(id ident.StaffID) bool {
	_, err := ident.Parse[ident.StaffID](string(id))
	return err == nil
}

// said reports whether text says something that can be shown and kept.
func said(text string) bool {
	return len(text) <= MaxText && utf8.ValidString(text) && strings.TrimSpace(text) != "" &&
		strings.IndexFunc(text, unicode.IsControl) < 0
}

func begin(p Policy, s State, now Clock, e Begin) (Record, []Effect, error) {
	at := now.stamp(time.Time{})
	class := e.Class
	if class == "" {
		class = p.ClassOf(e.Category)
	}
	period, ok := p.Classes[class]
	switch {
	case s.Stage != Unknown:
		return nothing() // the same call again
	case e.Call == "" || !ok || len(e.Category) > MaxText:
		return refuse(fault.BadValue, "retention.begin")
	case at.Year() < firstYear:
		return refuse(fault.ClockUnsure, "retention.begin")
	}
	opened := e.Opened.UTC().Round(0)
	if opened.Year() < firstYear || opened.After(at.Add(24*time.Hour)) {
		opened = at // a wrong clock opened the call; counting from it could end keeping at once
	}
	until := period.After(opened)
	return record(at, Begun{Call: e.Call, Opened: opened, Category: e.Category, Class: class, Until: until}, LockReplica{until})
}

func categorise(p Policy, s State, at time.Time, e Categorise) (Record, []Effect, error) {
	const op = "retention.categorise"
	class := p.ClassOf(e.Category)
	period, ok := p.Classes[class]
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, op)
	case !ok || len(e.Category) > MaxText:
		return refuse(fault.BadValue, op)
	case class == s.Class && e.Category == s.Category:
		return nothing()
	}
	until := period.After(s.Opened)
	if class == s.Class || !until.Before(s.Until) || s.keepsNoShorter(p, period) {
		if until.Before(s.Until) || class == s.Class {
			until = s.Until // what was extended by hand stays
		}
		return record(at, Classed{By: e.By, Category: e.Category, Class: class, Until: until}, LockReplica{until})
	}
	wish := Shortening{By: e.By, Until: until, Class: class, Category: e.Category}
	if s.Shorter != nil && s.Shorter.same(wish) {
		return nothing()
	}
	return record(at, ShorteningProposed{wish})
}

// keepsNoShorter reports whether period is not shorter than that of the present class, so that
// only an extension by hand makes the present end later.
func (s State) keepsNoShorter(p Policy, period Period) bool {
	now, ok := p.Classes[s.Class]
	return ok && !period.After(s.Opened).Before(now.After(s.Opened))
}

func (w Shortening) same(o Shortening) bool {
	return w.By == o.By && w.Until.Equal(o.Until) && w.Reason == o.Reason && w.Class == o.Class && w.Category == o.Category
}

func extend(s State, at time.Time, e Extend) (Record, []Effect, error) {
	const op = "retention.extend"
	until := e.Until.UTC().Round(0)
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, op)
	case !said(e.Reason) || until.After(at.AddDate(maxKeep, 0, 0)):
		return refuse(fault.BadValue, op)
	case until.Equal(s.Until):
		return nothing()
	case until.Before(s.Until):
		return refuse(fault.WouldShorten, op)
	}
	return record(at, Extended{By: e.By, Until: until, Reason: e.Reason}, LockReplica{until})
}

func shorten(s State, at time.Time, e Shorten) (Record, []Effect, error) {
	const op = "retention.shorten"
	wish := Shortening{By: e.By, Until: e.Until.UTC().Round(0), Reason: e.Reason}
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, op)
	case !said(e.Reason) || wish.Until.Before(s.Opened) || !wish.Until.Before(s.Until):
		return refuse(fault.BadValue, op)
	case s.Shorter != nil && s.Shorter.same(wish):
		return nothing()
	}
	return record(at, ShorteningProposed{wish})
}

func confirmShortening(s State, at time.Time, e ConfirmShortening) (Record, []Effect, error) {
	const op = "retention.shorten.confirm"
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, op)
	case s.Shorter == nil || !s.Shorter.Until.Equal(e.Until):
		return refuse(fault.WrongState, op)
	case s.Shorter.By == e.By:
		return refuse(fault.SecondPerson, op)
	}
	w := *s.Shorter
	return record(at, Shortened{By: e.By, Proposed: w.By, Until: w.Until, Class: w.Class, Category: w.Category})
}

func withdrawShortening(s State, at time.Time, e WithdrawShortening) (Record, []Effect, error) {
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, "retention.shorten.withdraw")
	case s.Shorter == nil:
		return nothing()
	}
	return record(at, ShorteningWithdrawn{By: e.By})
}

func placeHold(s State, at time.Time, e PlaceHold) (Record, []Effect, error) {
	const op = "retention.hold"
	old, active := s.hold(e.ID)
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, op)
	case !said(string(e.ID)) || !said(e.Case) || !said(e.Reason):
		return refuse(fault.BadValue, op)
	case active && old.By == e.By && old.Case == e.Case && old.Reason == e.Reason:
		return nothing()
	case active:
		return refuse(fault.BadValue, op) // two holds, one name
	case slices.Contains(s.Released, e.ID):
		return refuse(fault.WrongState, op) // a late copy of the request must not look like a hold
	case len(s.Holds) >= MaxHolds:
		return refuse(fault.TooMany, op)
	}
	h := Hold{ID: e.ID, By: e.By, Case: e.Case, Reason: e.Reason, At: at}
	return record(at, HoldPlaced{h}, HoldReplica{true})
}

func releaseHold(s State, at time.Time, e ReleaseHold) (Record, []Effect, error) {
	const op = "retention.hold.release"
	_, active := s.hold(e.ID)
	switch {
	case !person(e.By):
		return refuse(fault.Forbidden, op)
	case !active && slices.Contains(s.Released, e.ID):
		return nothing()
	case !active:
		return refuse(fault.NoSuchHold, op)
	case !said(e.Reason):
		return refuse(fault.BadValue, op)
	}
	f := HoldReleased{ID: e.ID, By: e.By, Reason: e.Reason}
	if len(s.Holds) == 1 {
		return record(at, f, HoldReplica{false})
	}
	return record(at, f)
}
