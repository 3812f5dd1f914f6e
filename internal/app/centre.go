package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"jedel/internal/access"
	"jedel/internal/call"
	"jedel/internal/casectl"
	"jedel/internal/cases"
	"jedel/internal/config"
	"jedel/internal/duty"
	"jedel/internal/fault"
	"jedel/internal/geocode"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/recorder/evr"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// centre is what the app holds of cases.
type centre struct {
	cases    *casectl.Book
	casework *mailbox[func(context.Context)] // what calls mean for cases, in order
	tellings *mailbox[telling]               // what citizens are to be told
	intake   *intake
	uploads  *uploads
	shifts   *duty.Desk
	alarms   *alarms
	board    *patrolBoard
	mail     *mail
	geo      *geocode.Geocoder
	figures  *figures
	owner    store.Owner // this process, as the store knows it
}

// runCasework carries out what calls mean for cases, one after another.
func (a *App) runCasework(ctx context.Context) {
	for !a.caseUncased(ctx) {
		select {
		case <-time.After(openPauseMax):
		case <-ctx.Done():
			return
		}
	}
	for jobs := a.casework.take(ctx); jobs != nil; jobs = a.casework.take(ctx) {
		for _, job := range jobs {
			job(ctx)
		}
	}
}

// CaseChanged implements casectl.Doer: whoever looks is told, and what is decided while a call of the
// case is recorded goes into its archive.
func (a *App) CaseChanged(s cases.State, e cases.Entry) {
	news := &wire.CaseNews{
		Case: string(s.ID), Number: s.Number, Version: s.Version, Lane: string(s.Lane), Status: string(s.Status), Priority: s.Priority,
		Owner: string(s.Owner), Unit: s.Unit,
	}
	for staff, st := range a.people.all() {
		// A patrol hears of the cases that it is or was sent to, and of no others.
		if st.console || slices.ContainsFunc(s.Sendings, func(x cases.Sending) bool { return x.Patrol == staff }) {
			a.edge.Hub().Send(st.client, news)
		}
	}
	if len(s.Sendings) > 0 {
		a.board.wake()
	}
	if e.Fact == nil {
		return
	}
	for _, r := range s.Recordings {
		if c := a.ledger.get(r.ID); c != nil {
			a.keep(r.ID, evr.Event, e.At, entry{Kind: "case." + e.Fact.Kind(), Body: e.Fact, AtMs: e.At.UnixMilli()})
		}
	}
}

// caseCall makes of a call's decision what it means for its case.
func (a *App) caseCall(s call.State, rec call.Record) {
	var events []cases.Event
	switch f := rec.Fact.(type) {
	case nil: // it is new, or this process is
		events = []cases.Event{openOf(s, s.QueuedAt)}
	case call.Accepted:
		events = []cases.Event{cases.Take{By: f.Operator, Force: true}}
	case call.ContactTold:
		events = []cases.Event{cases.Tell{Citizen: citizenOf(s)}}
	case call.Classified:
		events = a.classified(s.Operator, f.Category, f.Outcome, s.Lang, s.Priority)
	default:
		return
	}
	a.casework.put(func(ctx context.Context) { a.postCase(ctx, casectl.IDOf(s.ID), events) })
}

// postCase lets events happen to a case, repeating while the store does not answer.
func (a *App) postCase(ctx context.Context, id ident.CaseID, events []cases.Event) {
	for _, ev := range events {
		for pause := openPause; ; pause = min(2*pause, openPauseMax) {
			_, err := a.cases.Post(ctx, id, ev)
			if fault.CodeOf(err) != fault.Unavailable || ctx.Err() != nil {
				if err != nil && ctx.Err() == nil {
					a.log.Info("a call says what its case refuses", "case", id, "err", err)
				}
				break
			}
			a.log.Warn("a case waits for the store", "case", id, "err", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
		}
	}
}

func openOf(s call.State, at time.Time) cases.Open {
	return cases.Open{
		ID: casectl.IDOf(s.ID), Number: s.Number, Lane: cases.CallLane, Priority: min(max(s.Priority-1, 0), 3), Citizen: citizenOf(s),
		Recording: cases.Recording{ID: s.ID, Kind: s.Kind, At: at.UTC()},
	}
}

func citizenOf(s call.State) cases.Citizen {
	return cases.Citizen{Caller: s.Caller, Name: s.Person.Name, Phone: s.Person.Phone, Lang: s.Lang}
}

// classified is what the write-up of a call means: its category is the kind, and an outcome that cases
// have as well closes the case with its usual reply.
func (a *App) classified(by ident.StaffID, category, outcome, lang string, priority int) []cases.Event {
	var out []cases.Event
	if category != "" {
		out = append(out, cases.Classify{By: by, Kind: category, Priority: cases.KeepPriority})
	}
	if i := slices.IndexFunc(a.cfg.Cases.Outcomes, func(o config.CaseOutcome) bool { return o.Key == outcome }); i >= 0 {
		out = append(out, cases.Close{By: by, Outcome: outcome, Text: inLang(a.cfg.Cases.Outcomes[i].Reply, lang)})
	}
	return out
}

func inLang(t config.Text, lang string) string {
	switch lang {
	case "ru":
		return t.RU
	case "en":
		return t.EN
	}
	return t.KK
}

// caseUncased gives calls a case that a crash left without, and what was decided of them since. It
// is to be called again where it returns false.
func (a *App) caseUncased(ctx context.Context) bool {
	list, err := a.db.ListUncased(ctx, time.Now().Add(-uncasedTime), 1000)
	if err != nil {
		a.log.Warn("calls without a case are looked for later", "err", err)
		return false
	}
	for _, c := range list {
		if slices.Contains([]string{"report", "patrol", "camera"}, c.Kind) {
			continue // whoever sends it again gets its case
		}
		s := call.State{ID: c.Call, Number: c.Number, Kind: c.Kind, Lang: c.Lang, Caller: c.Caller, Priority: c.Priority, Person: call.Person{Name: c.Name, Phone: c.Phone}}
		events := []cases.Event{openOf(s, c.CreatedAt)}
		if c.Operator != "" {
			events = append(events, cases.Take{By: c.Operator, Force: true})
		}
		a.postCase(ctx, casectl.IDOf(c.Call), append(events, a.classified(c.Operator, c.Category, c.Outcome, c.Lang, c.Priority)...))
	}
	return true
}

// uncasedTime is how far back calls without a case are looked for.
const uncasedTime = 48 * time.Hour

// Positions of a call that go onto its card: the first, each one placed by hand, and a device's where it
// is much better than the last or far from it.
const (
	cardBetter = 3
	cardFar    = 200
	cardFixes  = 20
)

// cardFix puts a position of a call's caller onto the card of its case.
func (a *App) cardFix(id ident.CallID, key string, f wire.Fix, at time.Time) {
	line := cases.Line{ID: "fix-" + key, What: cases.PlaceLine, At: at.UTC(), Place: placeOf(f)}
	if len(line.ID) > 32 {
		line.ID = line.ID[:32]
	}
	a.casework.put(func(ctx context.Context) {
		if c, ok := a.desk.State(id); ok { // the first position may come before the news of its call
			a.postCase(ctx, casectl.IDOf(id), []cases.Event{openOf(c, c.QueuedAt)})
		}
		s, err := a.cases.State(ctx, casectl.IDOf(id))
		if err != nil || !worthIt(s, *line.Place) {
			return
		}
		a.derive(ctx, line.Place)
		a.postCase(ctx, s.ID, []cases.Event{cases.Add{Line: line}})
	})
}

// worthIt reports whether a position tells the card something new.
func worthIt(s cases.State, p cases.Place) bool {
	n := 0
	var last *cases.Place
	for _, l := range s.Card {
		if l.What == cases.PlaceLine && l.Place.Source == p.Source {
			last = l.Place
			n++
		}
	}
	switch {
	case last == nil || p.Source != "device":
		return n < 2*cardFixes
	case n >= cardFixes:
		return false
	}
	return p.AccuracyM > 0 && p.AccuracyM*cardBetter < last.AccuracyM || cases.Metres(p, *last) > cardFar+p.AccuracyM+last.AccuracyM
}

func placeOf(f wire.Fix) *cases.Place {
	switch f.Source {
	case "pin":
		return &cases.Place{Source: "caller", HasFix: true, Lat: f.Lat, Lon: f.Lon, Words: f.Text}
	case "text":
		return &cases.Place{Source: "words", Words: f.Text}
	}
	return &cases.Place{Source: "device", HasFix: true, Lat: f.Lat, Lon: f.Lon, AccuracyM: f.AccuracyM, Words: f.Text}
}

// mayCase refuses what somebody may not do to a case.
func mayCase(who signaling.Who, a access.Action, s cases.State) error {
	if access.MayIn(who.Roles, who.Unit, a, s.Unit) {
		return nil
	}
	return fault.New(fault.Forbidden, string(a), nil)
}

// readable returns a case that who may see. A patrol sees the case it is at.
func (a *App) readable(ctx context.Context, who signaling.Who, id ident.CaseID) (cases.State, error) {
	s, err := a.cases.State(ctx, id)
	if err != nil {
		return s, err
	}
	if taskOnly(who) {
		if !slices.ContainsFunc(s.Active(), func(x cases.Sending) bool { return x.Patrol == who.Staff }) {
			return s, fault.New(fault.NoSuchCase, "case", nil)
		}
		return s, nil
	}
	return s, mayCase(who, access.ReadCases, s)
}

// UnitOf implements signaling.Units.
func (a *App) UnitOf(ctx context.Context, rec ident.CallID) (string, error) {
	id, err := a.db.CaseOf(ctx, rec)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	s, err := a.cases.State(ctx, id)
	if fault.CodeOf(err) == fault.NoSuchCase {
		return "", nil
	}
	return s.Unit, err
}
