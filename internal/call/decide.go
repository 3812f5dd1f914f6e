package call

import (
	"time"

	"jedel/internal/fault"
)

// Decide says what ev makes of s at now: the record to keep and the effects that follow once it
// is durable. It changes nothing. A Record without a Fact means that nothing new happened (a
// repeated request, a Tick too early): there is nothing to append, and the asker gets success. An
// error is a fault.Error and leaves everything as it was.
func Decide(s State, now time.Time, ev Event) (Record, []Effect, error) {
	if c, ok := ev.(Create); ok {
		return create(s, now, c)
	}
	if s.Version == 0 {
		return refuse(fault.NoSuchCall, "call")
	}
	if rec, effects, err, ok := guestEvent(s, now, ev); ok {
		return rec, effects, err
	}
	switch e := ev.(type) {
	case Propose:
		return propose(s, now, e)
	case Transfer:
		return transfer(s, now, e)
	case Accept:
		return accept(s, now, e)
	case Reject:
		return reject(s, now, e)
	case Connected:
		if s.Phase != Connecting {
			return nothing()
		}
		return record(now, Talked{Media: true})
	case SetHold:
		return hold(s, now, e)
	case CallerLeft:
		if !s.Open() || !s.CallerGone.IsZero() {
			return nothing()
		}
		return record(now, CallerLost{})
	case CallerCame:
		if !s.Open() || s.CallerGone.IsZero() {
			return nothing()
		}
		return record(now, CallerBack{}, Resume(Apply(s, Record{now, CallerBack{}}))...)
	case OperatorLeft:
		return operatorLeft(s, now, e)
	case OperatorCame:
		if !s.Live() || s.Operator != e.Operator || s.OperatorGone.IsZero() {
			return nothing()
		}
		return record(now, OperatorBack{Operator: e.Operator}, Route{Operator: Routed(s)})
	case SetContact:
		if !s.Open() || s.Person.Proven {
			return refuse(fault.WrongState, "contact.set")
		}
		if s.Person.Name == e.Name && s.Person.Phone == e.Phone {
			return nothing()
		}
		return record(now, ContactTold{Name: e.Name, Phone: e.Phone})
	case HangUp:
		return hangUp(s, now, e)
	case Classify:
		return classify(s, now, e)
	case CallBackMade:
		return callBackMade(s, now, e)
	case Adopt:
		return adopt(s, now, e)
	case Tick:
		return tick(s, now)
	}
	panic("bug: an event without a rule")
}

func record(now time.Time, f Fact, effects ...Effect) (Record, []Effect, error) {
	return Record{At: now, Fact: f}, effects, nil
}

func nothing() (Record, []Effect, error) { return Record{}, nil, nil }

func refuse(code fault.Code, op string) (Record, []Effect, error) {
	return Record{}, nil, fault.New(code, op, nil)
}

func create(s State, now time.Time, c Create) (Record, []Effect, error) {
	if s.Version != 0 {
		return nothing() // the same tap again
	}
	return record(now, Opened{
		ID: c.ID, Number: c.Number, Client: c.Client, Caller: c.Caller, Person: c.Person,
		CallKind: c.Kind, Lang: c.Lang, Priority: c.Priority, SOS: c.SOS,
	}, Archive{})
}

func propose(s State, now time.Time, e Propose) (Record, []Effect, error) {
	if s.Phase != Queued || s.Offer != nil {
		return refuse(fault.WrongState, "offer")
	}
	o := Offer{Epoch: s.Epoch + 1, Operator: e.Operator, Until: now.Add(RingTime)}
	return record(now, Proposed{Offer: o}, Ring{Offer: o})
}

func transfer(s State, now time.Time, e Transfer) (Record, []Effect, error) {
	switch {
	case !s.Live() || s.Operator != e.By:
		return refuse(fault.WrongState, "call.transfer")
	case e.To == e.By || e.To == "":
		return refuse(fault.NoSuchOperator, "call.transfer")
	case s.Offer != nil && s.Offer.Operator == e.To:
		return nothing()
	case s.Offer != nil || s.Phase == Connecting:
		return refuse(fault.WrongState, "call.transfer")
	}
	o := Offer{Epoch: s.Epoch + 1, Operator: e.To, Until: now.Add(RingTime), Transfer: true}
	return record(now, Proposed{Offer: o}, Ring{Offer: o})
}

func accept(s State, now time.Time, e Accept) (Record, []Effect, error) {
	if s.Offer == nil && s.Live() && s.Operator == e.Operator && s.Epoch == e.Epoch {
		return nothing() // the same answer again
	}
	o := s.Offer
	if o == nil || o.Epoch != e.Epoch || o.Operator != e.Operator || !now.Before(o.Until) {
		return refuse(fault.OfferExpired, "offer.accept")
	}
	f := Accepted{Epoch: e.Epoch, Operator: e.Operator}
	if o.Transfer {
		f.From = s.Operator
	}
	after := Apply(s, Record{now, f})
	return record(now, f, StopRing{Offer: *o, Why: "taken"}, Route{Operator: Routed(after)})
}

func reject(s State, now time.Time, e Reject) (Record, []Effect, error) {
	if s.Offer == nil || s.Offer.Epoch != e.Epoch || s.Offer.Operator != e.Operator {
		return refuse(fault.OfferExpired, "offer.reject")
	}
	return lapse(s, now, "rejected")
}

func lapse(s State, now time.Time, why string) (Record, []Effect, error) {
	o := *s.Offer
	return record(now, Lapsed{Epoch: o.Epoch, Operator: o.Operator, Why: why}, StopRing{Offer: o, Why: why})
}

func hold(s State, now time.Time, e SetHold) (Record, []Effect, error) {
	phase := s.Phase
	if phase == Reconnecting {
		phase = s.Resumes
	}
	if s.Operator != e.By || (phase != Talking && phase != Hold) {
		return refuse(fault.WrongState, "call.hold")
	}
	if (phase == Hold) == e.On {
		return nothing()
	}
	f := Held{On: e.On}
	return record(now, f, Route{Operator: Routed(Apply(s, Record{now, f}))})
}

func operatorLeft(s State, now time.Time, e OperatorLeft) (Record, []Effect, error) {
	if s.Offer != nil && s.Offer.Operator == e.Operator {
		return lapse(s, now, "link_lost")
	}
	if !s.Live() || s.Operator != e.Operator || !s.OperatorGone.IsZero() {
		return nothing()
	}
	return record(now, OperatorLost{Operator: e.Operator})
}

func hangUp(s State, now time.Time, e HangUp) (Record, []Effect, error) {
	if s.Phase == WrapUp || s.Phase == Ended {
		return nothing()
	}
	if e.By != "" && (!s.Live() || s.Operator != e.By) {
		return refuse(fault.WrongState, "call.end")
	}
	f := HungUp{Reason: "caller", By: e.By, WrapUp: s.Live()}
	switch {
	case e.By != "":
		f.Reason = "operator"
	case s.Waiting():
		f.Reason, f.CallBack = "abandoned", true
	}
	return record(now, f, ending(s, f.WrapUp)...)
}

// ending is what follows when the talk is over: nobody rings, nobody hears, and the record is
// sealed unless an operator still writes it up.
func ending(s State, wrap bool) []Effect {
	effects := []Effect{Route{}, CloseMedia{}}
	if s.Offer != nil {
		effects = append(effects, StopRing{Offer: *s.Offer, Why: "ended"})
	}
	if !wrap {
		effects = append(effects, Seal{})
	}
	return effects
}

func classify(s State, now time.Time, e Classify) (Record, []Effect, error) {
	same := s.Phase == Ended && s.Operator == e.By && s.Closing.Category == e.Category && s.Closing.Outcome == e.Outcome
	switch {
	case same:
		return nothing()
	case s.Phase != WrapUp || s.Operator != e.By:
		return refuse(fault.WrongState, "call.wrapup")
	}
	return record(now, Classified{By: e.By, Category: e.Category, Outcome: e.Outcome}, Seal{})
}

func callBackMade(s State, now time.Time, e CallBackMade) (Record, []Effect, error) {
	if s.Closing.CallBack != CallBackPending {
		return refuse(fault.WrongState, "callback.done")
	}
	return record(now, CalledBack{By: e.By, Outcome: e.Outcome})
}

func adopt(s State, now time.Time, e Adopt) (Record, []Effect, error) {
	f := Adopted{Node: e.Node, Epoch: e.Epoch}
	effects := Resume(Apply(s, Record{now, f}))
	if s.Offer != nil {
		effects = append(effects, StopRing{Offer: *s.Offer, Why: "restart"})
	}
	return record(now, f, effects...)
}

// tick carries out the first deadline that has come. The runtime ticks again while there is one.
func tick(s State, now time.Time) (Record, []Effect, error) {
	due := func(from time.Time, d time.Duration) bool { return !from.IsZero() && !now.Before(from.Add(d)) }
	switch {
	case s.Offer != nil && due(s.Offer.Until, 0):
		return lapse(s, now, "expired")
	case s.Phase == Connecting && due(s.Since, ConnectTime):
		return record(now, Talked{Media: false})
	case s.Open() && due(s.CallerGone, s.resumeWindow()):
		f := HungUp{Reason: "dropped", WrapUp: s.Live(), CallBack: true}
		return record(now, f, ending(s, f.WrapUp)...)
	case s.Live() && due(s.OperatorGone, s.Grace):
		effects := []Effect{Route{}}
		if s.Offer != nil {
			effects = append(effects, StopRing{Offer: *s.Offer, Why: "link_lost"})
		}
		return record(now, Requeued{From: s.Operator}, effects...)
	case len(s.Guests) > 0 && s.Open():
		if staff, late := lateGuest(s, now); late {
			return rerouted(s, now, GuestGone{Staff: staff, Why: "link_lost"})
		}
	case s.Phase == WrapUp && due(s.Since, WrapTime):
		return record(now, Classified{Category: "unclassified", Outcome: "unclassified"}, Seal{})
	}
	return nothing()
}

// Resume returns what must be true in s, whatever was done before: the effects that a reload
// repeats.
func Resume(s State) []Effect {
	var effects []Effect
	if s.Version > 0 && s.Phase != Ended {
		effects = append(effects, Archive{})
	}
	if s.Offer != nil {
		effects = append(effects, Ring{Offer: *s.Offer})
	}
	switch {
	case s.Live() || len(s.Guests) > 0:
		effects = append(effects, Route{Operator: Routed(s)})
	case s.Phase == WrapUp:
		effects = append(effects, Route{}, CloseMedia{})
	case s.Phase == Ended:
		effects = append(effects, Route{}, CloseMedia{}, Seal{})
	}
	return effects
}
