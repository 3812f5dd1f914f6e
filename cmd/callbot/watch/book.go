package watch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// span is a time during which a call rang at, or was in the hands of, one operator. A zero to
// means that it had not ended when the run did.
type span struct {
	operator string
	epoch    uint64
	from, to time.Time
	until    time.Time // an offer's own end
	asked    time.Time // the operator's press that began it
}

// call is what is known of one call.
type call struct {
	id, ref, number string
	tapped          time.Time
	created         bool
	offers, owners  []span
	arrived         []Arrived
	ended           bool
	phase           string
	said, read      map[string]bool
}

// Book collects events. It may be used by many goroutines.
type Book struct {
	mu         sync.Mutex // guards the rest
	calls      map[string]*call
	tapped     map[string]time.Time // by ref
	numbers    map[string]string    // number -> call
	times      map[string]samples
	legs       map[string]Legs
	violations []Violation
	errors     []string
}

// NewBook returns an empty book.
func NewBook() *Book {
	return &Book{calls: map[string]*call{}, tapped: map[string]time.Time{}, numbers: map[string]string{}, times: map[string]samples{}, legs: map[string]Legs{}}
}

// Names of times within the book.
const (
	tapCreated = "tapCreated"
	acceptOK   = "acceptOK"
	setUp      = "setUp " // + what
)

// See enters one event.
func (b *Book) See(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := e.(type) {
	case Tapped:
		b.tapped[e.Ref] = e.At
	case Created:
		b.created(e)
	case Viewed:
		c := b.known(e.Call, e.Number)
		c.phase = e.Phase
		c.ended = c.ended || e.Phase == "ended"
	case Forgotten:
		b.violate(LostCall, e.Call, "the gateway knows nothing of a call it had confirmed")
	case Offered, Withdrawn, Accepted, Refused, Left:
		b.ring(e)
	case Arrived:
		c := b.known(e.Call, "")
		c.arrived = append(c.arrived, e)
	case Said:
		b.known(e.Call, "").said[e.ID] = true
	case Read:
		b.known(e.Call, "").read[e.ID] = true
	case SetUp:
		b.time(setUp+e.What, e.Took)
	case Ended:
		b.legs[e.Role] = b.legs[e.Role].Plus(e.Legs)
		if e.Err != nil {
			b.errors = append(b.errors, fmt.Sprintf("%s: %v", e.Role, e.Err))
		}
	}
}

func (b *Book) time(name string, d time.Duration) { b.times[name] = append(b.times[name], d) }

// known returns the record of a call and holds its number against the one it has had.
func (b *Book) known(id, number string) *call {
	c := b.calls[id]
	if c == nil {
		c = &call{id: id, said: map[string]bool{}, read: map[string]bool{}}
		b.calls[id] = c
	}
	switch {
	case number == "":
	case c.number == "":
		c.number = number
		if other, taken := b.numbers[number]; taken && other != id {
			b.violate(NumberReused, id, fmt.Sprintf("number %s is also that of call %s", number, other))
		}
		b.numbers[number] = id
	case c.number != number:
		b.violate(NumberChanged, id, fmt.Sprintf("number %s became %s", c.number, number))
	}
	return c
}

func (b *Book) created(e Created) {
	c := b.known(e.Call, e.Number)
	if c.created && c.ref != e.Ref {
		b.violate(TwoTaps, e.Call, fmt.Sprintf("taps %s and %s got one call", c.ref, e.Ref))
	}
	for _, o := range b.calls {
		if o != c && o.created && o.ref == e.Ref {
			b.violate(TapTwice, e.Call, fmt.Sprintf("tap %s had already made call %s", e.Ref, o.id))
		}
	}
	if at, ok := b.tapped[e.Ref]; ok && !c.created {
		c.tapped = at
		b.time(tapCreated, e.At.Sub(at))
	}
	c.created, c.ref = true, e.Ref
}

// ring enters what happened between a call and an operator.
func (b *Book) ring(e Event) {
	switch e := e.(type) {
	case Offered:
		b.offered(e)
	case Withdrawn:
		closeSpan(b.known(e.Call, "").offers, e.Operator, e.Epoch, e.At)
	case Refused:
		closeSpan(b.known(e.Call, "").offers, e.Operator, e.Epoch, e.At)
	case Accepted:
		c := b.known(e.Call, "")
		closeSpan(c.offers, e.Operator, e.Epoch, e.At)
		c.owners = append(c.owners, span{operator: e.Operator, epoch: e.Epoch, from: e.At, asked: e.Asked})
		b.time(acceptOK, e.At.Sub(e.Asked))
	case Left:
		closeSpan(b.known(e.Call, "").owners, e.Operator, 0, e.At)
	}
}

func (b *Book) offered(e Offered) {
	c := b.known(e.Call, e.Number)
	for _, o := range c.offers {
		if o.operator == e.Operator && o.epoch == e.Epoch {
			return // told again after a reconnection
		}
	}
	c.offers = append(c.offers, span{operator: e.Operator, epoch: e.Epoch, from: e.At, until: e.Until})
}

// closeSpan ends the open span of an operator; epoch 0 is any.
func closeSpan(all []span, operator string, epoch uint64, at time.Time) {
	for i := range all {
		if all[i].operator == operator && all[i].to.IsZero() && (epoch == 0 || all[i].epoch == epoch) {
			all[i].to = at
		}
	}
}

// measure returns how long after its answer each first packet of c came.
func (c *call) measure(to map[string]samples) {
	for _, a := range c.arrived {
		var pressed time.Time
		for _, o := range c.owners {
			if !o.asked.After(a.At) && o.asked.After(pressed) {
				pressed = o.asked
			}
		}
		if pressed.IsZero() {
			continue
		}
		name := a.What
		if a.ToCaller {
			name += " caller"
		}
		to[name] = append(to[name], a.At.Sub(pressed))
	}
}

// Report closes the book: what is open now counts as lost, where final says that the run was
// meant to end every call.
func (b *Book) Report(final bool) Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := Report{Legs: maps.Clone(b.legs), Errors: slices.Clone(b.errors), Violations: slices.Clone(b.violations)}
	var ringing samples
	came := map[string]samples{}
	r.Calls.Tapped, r.Calls.Failed = len(b.tapped), len(b.errors)
	for _, c := range b.calls {
		r.Violations = append(r.Violations, c.judge(final)...)
		r.Calls.count(c)
		c.measure(came)
		if !c.tapped.IsZero() && len(c.offers) > 0 {
			ringing = append(ringing, c.offers[0].from.Sub(c.tapped))
		}
	}
	slices.SortFunc(r.Violations, func(x, y Violation) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Call, y.Call), cmp.Compare(x.Text, y.Text))
	})
	if r.Violations == nil {
		r.Violations = []Violation{}
	}
	f := func(name string) Figure { return b.times[name].figure() }
	r.Millis = Times{
		TapToCreated: f(tapCreated), TapToRinging: ringing.figure(), AcceptToOK: f(acceptOK),
		AcceptToAudio: came["audio"].figure(), AcceptToPicture: came["video"].figure(), AcceptToCallerAudio: came["audio caller"].figure(),
		SocketSetUp: f(setUp + "socket"), MediaSetUp: f(setUp + "media"),
	}
	return r
}

func (n *Counts) count(c *call) {
	one := func(to *int, is bool) {
		if is {
			*to++
		}
	}
	one(&n.Created, c.created)
	one(&n.Offered, len(c.offers) > 0)
	one(&n.Answered, len(c.owners) > 0)
	one(&n.Ended, c.ended)
	n.ChatSaid += len(c.said)
	n.ChatRead += len(c.read)
}

func (b *Book) violate(k Kind, call, text string) {
	b.violations = append(b.violations, Violation{k, call, text})
}
