package outbox

import (
	"hash/fnv"
	"strconv"
	"time"
)

// way is what the attempts so far say of one channel.
type way struct {
	channel Channel
	tries   int
	closed  string    // why it is not tried any more; empty: it is
	refused bool      // closed by the carrier, for good
	ready   time.Time // not before
}

// Next returns what to do with m at now. now carries the location whose quiet hours count.
func Next(p Policy, m Message, now time.Time) Step {
	if end, ok := arrived(p, m, now); ok {
		return end
	}
	// 1. An open attempt, or one that may yet be reported on, is waited for: never two at once.
	if until, ok := pending(p, m, now); ok {
		return Wait{until}
	}
	doubts, last := doubts(m)
	if last && doubts > p.Repeats {
		return End{EndGivenUp, ReasonDoubt}
	}
	// 2. The first channel that is still open goes next.
	w, end := choose(p, m)
	if w == nil {
		return end
	}
	at := w.ready
	if !m.Urgent {
		at = p.Quiet.after(latest(at, now).In(now.Location()))
	}
	until := p.until(m)
	if !now.Before(until) || !at.Before(until) {
		return End{EndGivenUp, ReasonExpired}
	}
	if at.After(now) {
		return Wait{at}
	}
	return Send{len(m.Attempts) + 1, w.channel, doubts > 0}
}

// arrived tells whether any attempt has brought the message.
func arrived(p Policy, m Message, now time.Time) (End, bool) {
	taken := false
	for _, a := range m.Attempts {
		if a.Report == Delivered {
			return End{How: EndDelivered}, true
		}
		if _, ok := a.Outcome.(Accepted); ok && a.Report == NoReport {
			taken = taken || !now.Before(a.Ended.Add(p.Reports[a.Channel]))
		}
	}
	return End{How: EndAccepted}, taken
}

// pending returns until when the newest attempt may still be heard of.
func pending(p Policy, m Message, now time.Time) (time.Time, bool) {
	if len(m.Attempts) == 0 {
		return time.Time{}, false
	}
	a := m.Attempts[len(m.Attempts)-1]
	if a.Report == Failed {
		return time.Time{}, false
	}
	var until time.Time
	switch a.Outcome.(type) {
	case nil:
		until = a.Begun.Add(p.AnswerTime + p.DoubtTime)
	case Unknown:
		until = a.Ended.Add(p.DoubtTime)
	case Accepted:
		until = a.Ended.Add(p.Reports[a.Channel])
	}
	return until, until.After(now)
}

// doubts counts the attempts that may have arrived unseen, and says whether the last one is such.
func doubts(m Message) (n int, last bool) {
	for _, a := range m.Attempts {
		_, unknown := a.Outcome.(Unknown)
		last = (unknown || a.Outcome == nil) && a.Report != Failed
		if last {
			n++
		}
	}
	return n, last
}

// choose returns the first open channel, or the end if there is none.
func choose(p Policy, m Message) (*way, End) {
	end := End{EndRefused, ReasonNoChannel}
	for i, c := range m.Channels {
		if i == MaxChannels {
			break
		}
		w := look(p, m, c)
		if w.closed == "" {
			return &w, End{}
		}
		if !w.refused {
			end.How = EndGivenUp
		}
		end.Reason = w.closed
	}
	return nil, end
}

// look reads what the attempts say of one channel.
func look(p Policy, m Message, c Channel) way {
	w := way{channel: c}
	for i, a := range m.Attempts {
		if a.Channel != c {
			continue
		}
		w.tries++
		if a.Report == Failed {
			w.closed, w.refused = ReasonFailed, true
		}
		switch o := a.Outcome.(type) {
		case Refused:
			w.closed, w.refused = o.Reason, true
			if w.closed == "" {
				w.closed = "refused"
			}
		case Later:
			wait := p.backoff(m.ID, i+1, w.tries)
			w.ready = a.Ended.Add(wait)
			if longest := a.Ended.Add(p.Longest); o.At.After(longest) {
				w.ready = longest
			} else if o.At.After(w.ready) {
				w.ready = o.At
			}
		}
	}
	if w.closed == "" && w.tries >= max(p.Attempts, 1) {
		w.closed = ReasonAttempts
	}
	return w
}

// backoff is the wait after the try-th failure of a channel: doubled each time, a fifth shorter or longer by
// a chance that follows from the message and the attempt, so that a thousand messages do not wake together.
func (p Policy) backoff(id string, number, try int) time.Duration {
	wait := p.First
	for ; try > 1 && wait < p.Longest; try-- {
		wait *= 2
	}
	wait = min(wait, p.Longest)
	h := fnv.New32a()
	h.Write([]byte(id + "." + strconv.Itoa(number)))
	part := time.Duration(h.Sum32()%401) - 200 // thousandths
	return min(wait+wait/1000*part, p.Longest)
}

// until is when m becomes worthless.
func (p Policy) until(m Message) time.Time {
	end := m.Made.Add(p.Life)
	if !m.Until.IsZero() && m.Until.Before(end) {
		return m.Until
	}
	return end
}

// after returns at, or the end of the quiet hours that at falls into.
func (q Quiet) after(at time.Time) time.Time {
	if !q.covers(at) {
		return at
	}
	y, m, d := at.Date()
	end := time.Date(y, m, d, q.To/60, q.To%60, 0, 0, at.Location())
	if !end.After(at) {
		end = time.Date(y, m, d+1, q.To/60, q.To%60, 0, 0, at.Location())
	}
	if !end.After(at) { // a clock change at that very minute
		return at.Add(24 * time.Hour)
	}
	return end
}

// covers tells whether at is in the quiet hours of its location.
func (q Quiet) covers(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	if q.From <= q.To {
		return q.From <= minute && minute < q.To
	}
	return minute >= q.From || minute < q.To
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
