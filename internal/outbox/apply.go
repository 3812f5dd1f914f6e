package outbox

import (
	"errors"
	"slices"
	"time"
)

// Refusals of Apply; nothing has changed.
var (
	ErrNumber = errors.New("attempt is not the next one, or was never begun")
	ErrOpen   = errors.New("an attempt is still open")
	ErrEnded  = errors.New("attempt has ended already")
	ErrOrder  = errors.New("channel of an attempt is not one of the message")
)

// Fact is something that happened to a message: Begun, Ended or Reported. A caller keeps facts in their
// order; applied again they give the same message.
type Fact interface{ isFact() }

// Begun says that an attempt is about to be handed to its carrier. It is durable before that is done.
type Begun struct {
	Number  int
	Channel Channel
	At      time.Time
}

// Ended says how an attempt ended.
type Ended struct {
	Number  int
	Outcome Outcome
	At      time.Time
}

// Reported says what the carrier told later.
type Reported struct {
	Number int
	Report Report
}

func (Begun) isFact()    {}
func (Ended) isFact()    {}
func (Reported) isFact() {}

// Apply returns m with one more fact; m itself is not changed. An attempt is begun once and ends once: a
// second Begun with its number is refused, and so a message is never sent twice by one attempt.
func Apply(p Policy, m Message, f Fact) (Message, error) {
	switch f := f.(type) {
	case Begun:
		if f.Number != len(m.Attempts)+1 {
			return m, ErrNumber
		}
		if !slices.Contains(m.Channels, f.Channel) {
			return m, ErrOrder
		}
		if n := len(m.Attempts); n > 0 && m.Attempts[n-1].open(p, f.At) {
			return m, ErrOpen
		}
		m.Attempts = append(slices.Clone(m.Attempts), Attempt{Channel: f.Channel, Begun: f.At})
		return m, nil
	case Ended:
		if f.Number < 1 || f.Number > len(m.Attempts) {
			return m, ErrNumber
		}
		if m.Attempts[f.Number-1].Outcome != nil || f.Outcome == nil {
			return m, ErrEnded
		}
		m.Attempts = slices.Clone(m.Attempts)
		a := &m.Attempts[f.Number-1]
		a.Outcome, a.Ended = f.Outcome, f.At
		return m, nil
	case Reported:
		if f.Number < 1 || f.Number > len(m.Attempts) {
			return m, ErrNumber
		}
		if m.Attempts[f.Number-1].Report != NoReport {
			return m, nil // carriers repeat themselves
		}
		m.Attempts = slices.Clone(m.Attempts)
		m.Attempts[f.Number-1].Report = f.Report
		return m, nil
	}
	return m, ErrNumber
}

// open tells whether a's outcome may still come.
func (a Attempt) open(p Policy, now time.Time) bool {
	return a.Outcome == nil && a.Report == NoReport && now.Before(a.Begun.Add(p.AnswerTime+p.DoubtTime))
}
