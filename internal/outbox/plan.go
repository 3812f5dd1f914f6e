package outbox

import "time"

// Order is a step that is due for the message at Index of the box.
type Order struct {
	Index int
	Step  Step // Send or End
}

// Plan looks at a box of messages in the order in which they were made and returns what is due, at most
// limit orders, and when to look again (zero: only when something is told).
//
// The messages of a citizen keep their order: none is handed over before an older one of the same citizen
// was accepted or has ended. Only urgent ones go past those that are not.
func Plan(p Policy, box []Message, now time.Time, limit int) (due []Order, next time.Time) {
	blocked := map[lane]bool{}
	for i, m := range box {
		l := lane{m.Citizen, m.Urgent}
		step := Next(p, m, now)
		if end, ok := step.(End); ok {
			if len(due) == limit {
				return due, now
			}
			due = append(due, Order{i, end})
			continue
		}
		if _, ok := step.(Send); ok && blocked[l] {
			step = Wait{p.until(m)}
		}
		switch s := step.(type) {
		case Wait:
			next = soonest(next, s.Until)
		case Send:
			if len(due) == limit {
				return due, now
			}
			due = append(due, Order{i, s})
		}
		blocked[l] = blocked[l] || !m.handed()
	}
	return due, next
}

// lane is whose order is kept: the messages of a citizen, urgent ones apart.
type lane struct {
	citizen string
	urgent  bool
}

// handed tells whether a carrier has m, so that the citizen's next message may go.
func (m Message) handed() bool {
	if len(m.Attempts) == 0 {
		return false
	}
	a := m.Attempts[len(m.Attempts)-1]
	_, ok := a.Outcome.(Accepted)
	return ok && a.Report != Failed
}

func soonest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
