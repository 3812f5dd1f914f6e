package cases

import (
	"slices"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Decide says what ev makes of s at now: the entry to keep and the effects that follow once it is
// durable. It changes nothing. An Entry without a Fact means that nothing new happened. An error is a
// fault.Error and leaves everything as it was.
func Decide(s State, now time.Time, ev Event) (Entry, []Effect, error) {
	f, err := decide(s, now, ev)
	if err != nil || f == nil {
		return Entry{}, nil, err
	}
	e := Entry{At: now, Fact: f}
	return e, Effects(s, Apply(s, e), f), nil
}

// Effects follow from how f changed a case, whichever it was.
func Effects(before, s State, f Fact) []Effect {
	var out []Effect
	if r, ok := reply(before, s, f); ok {
		out = append(out, Inform{Status: r.Status, Text: r.Text, N: len(s.Replies) - 1})
	}
	return append(out, Resume(s)...)
}

// Resume returns what must be true in s; it is repeated after a reload.
func Resume(s State) []Effect {
	if len(s.Merged) == 0 || s.Version == 0 {
		return nil
	}
	follow := Follow{Into: s.ID, Status: s.Status}
	if s.Status == Closed {
		if !s.Closing.Settled {
			return nil
		}
		follow.Outcome, follow.Text = s.Closing.Outcome, s.Closing.Text
	}
	out := make([]Effect, 0, len(s.Merged))
	for _, id := range s.Merged {
		out = append(out, Lead{Case: id, Follow: follow})
	}
	return out
}

// Recover is Resume for a process that does not know what its predecessor still did: every reply again.
func Recover(s State) []Effect {
	out := Resume(s)
	for n, r := range s.Replies {
		out = append(out, Inform{Status: r.Status, Text: r.Text, N: n})
	}
	return out
}

func refuse(code fault.Code, op string) (Fact, error) { return nil, fault.New(code, op, nil) }

func decide(s State, now time.Time, ev Event) (Fact, error) {
	if o, ok := ev.(Open); ok {
		if s.Version != 0 {
			return nil, nil // the same call or report again
		}
		return Began{
			ID: o.ID, Number: o.Number, Lane: o.Lane, CaseKind: o.Kind, Priority: o.Priority, Unit: o.Unit, Citizen: o.Citizen,
			Recording: o.Recording, Card: o.Card,
		}, nil
	}
	if s.Version == 0 {
		return refuse(fault.NoSuchCase, "case")
	}
	switch e := ev.(type) {
	case Add:
		return add(s, e.Line)
	case Withdraw:
		return withdraw(s, e)
	case Record:
		return recorded(s, e.Recording)
	case Tell:
		if s.Citizen == e.Citizen {
			return nil, nil
		}
		return Told(e), nil
	case Follow:
		return follow(s, e)
	case Reopen:
		return reopen(s, now, e)
	case Unclose:
		return unclose(s, e)
	case Tick:
		return tick(s, now)
	case Say:
		return say(s, e)
	}
	return decideOpen(s, now, ev)
}

// decideOpen decides what concerns only a case that is open and stands by itself.
func decideOpen(s State, now time.Time, ev Event) (Fact, error) {
	if s.Into != "" {
		return refuse(fault.CaseMerged, "case")
	}
	if s.Status == Closed {
		if c, ok := ev.(Close); ok && c.Outcome == s.Closing.Outcome && c.By == s.Closing.By {
			return nil, nil // the same closing again
		}
		return refuse(fault.CaseClosed, "case")
	}
	switch e := ev.(type) {
	case Take:
		return take(s, e)
	case HandOver:
		return handOver(s, e)
	case AnswerHandOver:
		return answer(s, e)
	case Classify:
		return classify(s, e)
	case Send:
		return send(s, now, e)
	case Recall:
		if !slices.ContainsFunc(s.Active(), func(x Sending) bool { return x.Patrol == e.Patrol }) {
			return nil, nil
		}
		return Said{Patrol: e.Patrol, What: "recalled", By: e.By}, nil
	case Close:
		return shut(s, e)
	}
	panic("bug: an event without a rule")
}

func classify(s State, e Classify) (Fact, error) {
	if e.Priority == KeepPriority {
		e.Priority = s.Priority
	}
	switch {
	case s.Kind == e.Kind && s.Priority == e.Priority:
		return nil, nil
	case e.Kind == "" || e.Priority < 0 || e.Priority > 3:
		return refuse(fault.BadValue, "case.classify")
	case e.Base != 0 && s.Classified > e.Base:
		return refuse(fault.CaseStale, "case.classify")
	}
	return Classified{By: e.By, CaseKind: e.Kind, Priority: e.Priority}, nil
}

func shut(s State, e Close) (Fact, error) {
	const op = "case.close"
	if e.Outcome == "" || e.Text == "" || len(e.Text) > MaxText {
		return refuse(fault.ReplyNeeded, op)
	}
	if e.Patrol {
		there := slices.ContainsFunc(s.Active(), func(x Sending) bool { return x.Patrol == e.By && !x.OnScene.IsZero() })
		switch {
		case !there:
			return refuse(fault.WrongState, op)
		case len(s.Active()) > 1:
			return refuse(fault.PatrolThere, op) // closing would end the others' task
		}
	}
	if e.Base != 0 && s.Changed > e.Base {
		return refuse(fault.CaseStale, op)
	}
	return Shut{By: e.By, Outcome: e.Outcome, Text: e.Text}, nil
}

func add(s State, l Line) (Fact, error) {
	for _, have := range s.Card {
		if have.ID == l.ID {
			return nil, nil
		}
	}
	if len(s.Card) >= MaxLines {
		return refuse(fault.TooMany, "case.add")
	}
	if !l.valid() {
		return refuse(fault.BadValue, "case.add")
	}
	return Added{Line: l}, nil
}

// valid reports whether a line has what its kind needs and nothing beyond the limits.
func (l Line) valid() bool {
	if l.ID == "" || len(l.ID) > 32 || len(l.Text) > MaxText || len(l.Name) > 200 || len(l.Phone) > 32 || len(l.Role) > 32 {
		return false
	}
	switch l.What {
	case PlaceLine:
		return l.Place != nil && l.Place.valid()
	case PersonLine:
		return l.Place == nil && l.Name+l.Phone+l.Text != ""
	case VehicleLine:
		return l.Place == nil && l.Name+l.Text != ""
	case NoteLine:
		return l.Place == nil && l.Text != ""
	}
	return false
}

func (p Place) valid() bool {
	if !slices.Contains([]string{"device", "caller", "operator", "words", "patrol"}, p.Source) || len(p.Words) > MaxText {
		return false
	}
	if d := p.Derived; d != nil && (!p.HasFix || len(d.KK)+len(d.RU)+len(d.EN) > MaxText || len(d.Source) > 32) {
		return false
	}
	if !p.HasFix {
		return p.Words != "" && p.Lat == 0 && p.Lon == 0
	}
	return p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180 && p.AccuracyM >= 0 && p.AccuracyM <= 1e7
}

func withdraw(s State, e Withdraw) (Fact, error) {
	for _, l := range s.Card {
		if l.ID == e.ID {
			if l.Gone {
				return nil, nil
			}
			return Withdrawn(e), nil
		}
	}
	return refuse(fault.NotFound, "case.withdraw")
}

func recorded(s State, r Recording) (Fact, error) {
	for _, have := range s.Recordings {
		if have.ID == r.ID {
			return nil, nil
		}
	}
	if len(s.Recordings) >= MaxRecordings {
		return refuse(fault.TooMany, "case.record")
	}
	return Recorded{Recording: r}, nil
}

func take(s State, e Take) (Fact, error) {
	switch {
	case e.By == "":
		return refuse(fault.BadValue, "case.take")
	case s.Owner == e.By:
		return nil, nil
	case s.Owner != "" && !e.Force:
		return refuse(fault.CaseTaken, "case.take")
	}
	return Owned{Owner: e.By, From: s.Owner}, nil
}

func handOver(s State, e HandOver) (Fact, error) {
	switch {
	case s.Owner != e.By:
		return refuse(fault.CaseTaken, "case.hand_over")
	case e.To == e.By:
		return refuse(fault.NoSuchOperator, "case.hand_over")
	case s.Handing == e.To:
		return nil, nil
	}
	return Handing{To: e.To}, nil
}

func answer(s State, e AnswerHandOver) (Fact, error) {
	switch {
	case e.Accept && s.Owner == e.By:
		return nil, nil
	case s.Handing != e.By || e.By == "":
		return refuse(fault.WrongState, "case.hand_over")
	case e.Accept:
		return Owned{Owner: e.By, From: s.Owner}, nil
	}
	return Handing{}, nil
}

func send(s State, now time.Time, e Send) (Fact, error) {
	switch {
	case e.Patrol == "":
		return refuse(fault.NoSuchOperator, "case.send")
	case slices.ContainsFunc(s.Active(), func(x Sending) bool { return x.Patrol == e.Patrol }):
		return nil, nil
	case len(s.Sendings) >= maxSendings:
		return refuse(fault.TooMany, "case.send")
	}
	return Sent{Sending: Sending{Patrol: e.Patrol, Name: e.Name, By: e.By, At: now, Reason: e.Reason}}, nil
}

// steps is how far along a patrol's words are; a later one includes the earlier.
func steps() []string { return []string{"accepted", "en_route", "on_scene", "cleared"} }

func say(s State, e Say) (Fact, error) {
	for i := len(s.Sendings) - 1; i >= 0; i-- {
		x := s.Sendings[i]
		if x.Patrol != e.Patrol {
			continue
		}
		step := slices.Index(steps(), e.What)
		switch {
		case !x.Active() && x.Why == e.What:
			return nil, nil
		case !x.Active():
			return refuse(fault.TaskOver, "task")
		case e.What == "declined" && x.EnRoute.IsZero():
		case step < 0:
			return refuse(fault.BadValue, "task")
		case step < x.step():
			return refuse(fault.WrongState, "task")
		case step == x.step() && step >= 0:
			return nil, nil
		}
		return Said{Patrol: e.Patrol, What: e.What, Claimed: e.Claimed}, nil
	}
	return refuse(fault.TaskOver, "task")
}

// step is how far along the patrol is; -1 before it has answered.
func (s Sending) step() int {
	switch {
	case !s.OnScene.IsZero():
		return 2
	case !s.EnRoute.IsZero():
		return 1
	case !s.Accepted.IsZero():
		return 0
	}
	return -1
}

func unclose(s State, e Unclose) (Fact, error) {
	switch {
	case s.Status != Closed:
		return nil, nil
	case s.Into != "" || s.Closing.Settled || s.Closing.By != e.By:
		return refuse(fault.WrongState, "case.unclose")
	}
	return Unshut(e), nil
}

func reopen(s State, now time.Time, e Reopen) (Fact, error) {
	switch {
	case s.Status != Closed && s.Into == "":
		return nil, nil
	case len(e.Why) > MaxText:
		return refuse(fault.TooLarge, "case.reopen")
	case s.Into != "" && s.Status != Closed, s.Into == "" && !s.Closing.Settled:
		return refuse(fault.WrongState, "case.reopen")
	case e.By == "" && now.Sub(s.Closing.At) > ReopenTime:
		return refuse(fault.TooLate, "case.reopen")
	}
	return Opened(e), nil
}

// follow keeps what a merged case's citizen is told. What was said already is not said again.
func follow(s State, e Follow) (Fact, error) {
	if s.Into != e.Into || s.Status == Closed {
		return nil, nil
	}
	if e.Status == Closed {
		if e.Text == "" || e.Outcome == "" {
			return refuse(fault.ReplyNeeded, "case.follow")
		}
		return Followed(e), nil
	}
	told := Registered
	if n := len(s.Replies); n > 0 {
		told = s.Replies[n-1].Status
	}
	switch {
	case e.Status == InWork && told == PatrolSent: // the patrol they were told of does not come after all
	case e.Status != PatrolSent && e.Status != OnScene:
		return nil, nil // who owns it is no news for those whose reports were folded in
	case e.Status.rank() <= told.rank():
		return nil, nil
	}
	return Followed{Into: e.Into, Status: e.Status}, nil
}

func tick(s State, now time.Time) (Fact, error) {
	at := s.Deadline()
	if at.IsZero() || now.Before(at) {
		return nil, nil
	}
	if s.Status == Closed {
		return Settled{}, nil
	}
	for _, x := range s.Sendings {
		if x.Active() && x.Accepted.IsZero() && !x.Late && !now.Before(x.At.Add(HearTime)) {
			return Late{Patrol: x.Patrol}, nil
		}
	}
	return nil, nil
}

// UnitChange is what a record means for a patrol: assigned to the case, or free of it.
type UnitChange struct {
	Patrol ident.StaffID
	State  string // assigned, accepted, en_route, on_scene; empty: free
}

// Units returns what a change of s means for its patrols, to be made durable in the same transaction.
func Units(before, s State) []UnitChange {
	var out []UnitChange
	was := map[ident.StaffID]string{}
	for _, x := range before.Active() {
		was[x.Patrol] = x.unitState()
	}
	for _, x := range s.Active() {
		if now := x.unitState(); was[x.Patrol] != now {
			out = append(out, UnitChange{x.Patrol, now})
		}
		delete(was, x.Patrol)
	}
	for _, x := range before.Active() {
		if _, left := was[x.Patrol]; left {
			out = append(out, UnitChange{Patrol: x.Patrol})
		}
	}
	return out
}

func (s Sending) unitState() string {
	return []string{"assigned", "accepted", "en_route", "on_scene"}[s.step()+1]
}
