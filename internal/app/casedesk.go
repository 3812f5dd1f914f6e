package app

import (
	"context"
	"slices"
	"time"

	"jedel/internal/access"
	"jedel/internal/casectl"
	"jedel/internal/cases"
	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// caseDesk implements signaling.Cases.
type caseDesk struct{ a *App }

// row is a case in a list.
func (d caseDesk) row(c store.CaseSummary) signaling.CaseRow {
	r := signaling.CaseRow{
		Case: string(c.Case), Number: c.Number, Version: c.Version, Lane: c.Lane, Kind: c.Kind, Priority: c.Priority, Unit: c.Unit, Status: c.Status,
		Owner: string(c.Owner), OwnerName: d.a.people.name(c.Owner), Handing: string(c.Handing), HandingName: d.a.people.name(c.Handing),
		Outcome: c.Outcome, Into: string(c.Into), CaseTimes: signaling.CaseTimes{
			OpenedMs: millis(c.OpenedAt), SinceMs: millis(c.Since), SentMs: millis(c.SentAt), ArrivedMs: millis(c.ArrivedAt),
			ClosedMs: millis(c.ClosedAt), RepliedMs: millis(c.RepliedAt),
		},
	}
	if c.Place != nil {
		r.Lat, r.Lon = &c.Place.Lat, &c.Place.Lon
	}
	return r
}

// Case implements signaling.Cases.
func (d caseDesk) Case(ctx context.Context, who signaling.Who, id ident.CaseID) (signaling.CaseView, error) {
	s, err := d.a.readable(ctx, who, id)
	if err != nil {
		return signaling.CaseView{}, err
	}
	return d.view(ctx, who, s)
}

// view tells everything of a case.
func (d caseDesk) view(ctx context.Context, who signaling.Who, s cases.State) (signaling.CaseView, error) {
	v := signaling.CaseView{
		CaseRow: d.row(casectl.Summary(s)), Citizen: signaling.CaseCitizen{Name: s.Citizen.Name, Phone: s.Citizen.Phone, Lang: s.Citizen.Lang, Proven: s.Citizen.Caller != ""},
		Card: []signaling.CaseLine{}, Recordings: []signaling.CaseRecording{}, Sendings: []signaling.CaseSending{}, Replies: []signaling.CaseTold{},
		Reply: s.Closing.Text, Reopenings: s.Reopenings, May: mayDo(who, s),
	}
	if s.Status == cases.Closed && !s.Closing.Settled {
		v.UndoMs = millis(s.Deadline())
	}
	for _, l := range s.Card {
		v.Card = append(v.Card, d.line(l))
	}
	for _, x := range s.Sendings {
		v.Sendings = append(v.Sendings, signaling.CaseSending{
			Patrol: string(x.Patrol), Name: x.Name, By: d.a.people.name(x.By), Reason: x.Reason, AtMs: millis(x.At), AcceptedMs: millis(x.Accepted),
			EnRouteMs: millis(x.EnRoute), OnSceneMs: millis(x.OnScene), EndedMs: millis(x.Ended), Why: x.Why, Late: x.Late,
		})
	}
	var err error
	if v.Replies, err = d.a.told(ctx, s); err != nil {
		return v, fault.New(fault.Unavailable, "case", err)
	}
	for _, r := range s.Recordings {
		rec, err := d.a.intake.recording(ctx, r)
		if err != nil {
			return v, err
		}
		v.Recordings = append(v.Recordings, rec)
	}
	v.Links, v.Merged = d.refs(ctx, s.Links), d.refs(ctx, s.Merged)
	if s.Into != "" {
		if into := d.refs(ctx, []ident.CaseID{s.Into}); len(into) == 1 {
			v.IntoNumber, v.Status = into[0].Number, into[0].Status
		}
	}
	return v, nil
}

func repliesOf(s cases.State) []signaling.CaseReply {
	out := []signaling.CaseReply{}
	for _, r := range s.Replies {
		out = append(out, signaling.CaseReply{AtMs: millis(r.At), Status: string(r.Status), Text: r.Text})
	}
	return out
}

func (d caseDesk) line(l cases.Line) signaling.CaseLine {
	out := signaling.CaseLine{
		ID: l.ID, What: l.What, AtMs: millis(l.At), By: d.a.people.name(l.By), Name: l.Name, Role: l.Role, Phone: l.Phone, Text: l.Text, Gone: l.Gone, Merged: l.From != "",
	}
	if l.Place != nil {
		out.Place = &signaling.CasePlace{Source: l.Place.Source, AccuracyM: l.Place.AccuracyM, Words: l.Place.Words}
		if l.Place.HasFix {
			out.Place.Lat, out.Place.Lon = &l.Place.Lat, &l.Place.Lon
		}
		if x := l.Place.Derived; x != nil {
			out.Place.Derived = &signaling.DerivedPlace{Words: signaling.Words{KK: x.KK, RU: x.RU, EN: x.EN}, Source: x.Source, Confidence: x.Confidence}
		}
	}
	return out
}

// refs names other cases; one that cannot be read is left out.
func (d caseDesk) refs(ctx context.Context, ids []ident.CaseID) []signaling.CaseRef {
	out := []signaling.CaseRef{}
	for _, id := range ids {
		if s, err := d.a.cases.State(ctx, id); err == nil {
			out = append(out, signaling.CaseRef{Case: string(id), Number: s.Number, Status: string(s.Status)})
		}
	}
	return out
}

// Similar implements signaling.Cases.
func (d caseDesk) Similar(ctx context.Context, who signaling.Who, id ident.CaseID) ([]signaling.SimilarCase, error) {
	s, err := d.a.readable(ctx, who, id)
	if err != nil {
		return nil, err
	}
	out := []signaling.SimilarCase{}
	mine := brief(casectl.Summary(s))
	if !mine.Place.HasFix {
		return out, nil
	}
	if p, ok := s.Where(); ok {
		mine.Place = p
	}
	rows, _, err := d.a.db.SearchCases(ctx, store.CaseQuery{
		From: s.Opened.Add(-cases.SimilarTime), To: s.Opened.Add(cases.SimilarTime), Limit: store.MaxPage,
		Near: &store.Near{Lat: mine.Place.Lat, Lon: mine.Place.Lon, Metres: cases.SimilarM + 600},
	})
	if err != nil {
		return nil, fault.New(fault.Unavailable, "cases.similar", err)
	}
	var others []cases.Brief
	byID := map[ident.CaseID]store.CaseSummary{}
	for _, row := range rows {
		if row.Into != "" || slices.Contains(s.Merged, row.Case) || row.Case == s.Into {
			continue
		}
		if taskOnly(who) || !access.MayIn(who.Roles, who.Unit, access.ReadCases, row.Unit) {
			continue // who cannot read it is not told that it is there
		}
		others = append(others, brief(row))
		byID[row.Case] = row
	}
	for _, m := range cases.Similar(mine, others) {
		out = append(out, signaling.SimilarCase{CaseRow: d.row(byID[m.ID]), Score: m.Score, Metres: m.M, ApartS: int64(m.Apart / time.Second)})
	}
	return out, nil
}

func brief(c store.CaseSummary) cases.Brief {
	b := cases.Brief{ID: c.Case, Number: c.Number, Kind: c.Kind, At: c.OpenedAt}
	if c.Place != nil {
		b.Place = cases.Place{Source: "device", HasFix: true, Lat: c.Place.Lat, Lon: c.Place.Lon}
	}
	return b
}

// Choices implements signaling.Cases.
func (d caseDesk) Choices() signaling.CaseChoices {
	l := d.a.cfg.Reports
	c := signaling.CaseChoices{Kinds: []signaling.CaseKind{}, Outcomes: []signaling.CaseOutcome{}, Limits: signaling.FileLimits{PhotoBytes: l.PhotoBytes, VideoBytes: l.VideoBytes, Files: l.Files}}
	words := func(t config.Text) signaling.Words { return signaling.Words{KK: t.KK, RU: t.RU, EN: t.EN} }
	for _, k := range d.a.cfg.Cases.Kinds {
		c.Kinds = append(c.Kinds, signaling.CaseKind{Code: k.Key, Name: words(k.Words), Priority: k.Priority, Plate: k.Plate, Report: true})
	}
	for _, k := range d.a.cfg.Desk.Categories {
		if !slices.ContainsFunc(d.a.cfg.Cases.Kinds, func(have config.CaseKind) bool { return have.Key == k.Key }) {
			c.Kinds = append(c.Kinds, signaling.CaseKind{Code: k.Key, Name: words(k.Words), Priority: callClass - 1})
		}
	}
	for _, o := range d.a.cfg.Cases.Outcomes {
		c.Outcomes = append(c.Outcomes, signaling.CaseOutcome{Code: o.Key, Name: words(o.Words), Reply: words(o.Reply)})
	}
	return c
}

// Act implements signaling.Cases.
func (d caseDesk) Act(ctx context.Context, who signaling.Who, id ident.CaseID, act signaling.CaseAct) (signaling.CaseView, error) {
	s, err := d.a.readable(ctx, who, id)
	if err == nil {
		err = d.mayAct(who, s, act)
	}
	if err == nil {
		err = d.a.mayStill(ctx, who.Staff, s)
	}
	if err != nil {
		return signaling.CaseView{}, err
	}
	switch act.Act {
	case "merge", "split", "link", "unlink":
		err = d.pair(ctx, who, id, act)
	default:
		var ev cases.Event
		if ev, err = d.event(ctx, who, s, act); err == nil {
			_, err = d.a.cases.Post(ctx, id, ev)
		}
	}
	if err != nil {
		return signaling.CaseView{}, err
	}
	if s, err = d.a.cases.State(ctx, id); err != nil {
		return signaling.CaseView{}, err
	}
	return d.view(ctx, who, s)
}

// mayDo is what a page may offer somebody to do to a case.
func mayDo(who signaling.Who, s cases.State) []string {
	list := []string{}
	for _, x := range []struct {
		word string
		may  access.Action
	}{{"edit", access.EditCases}, {"send", access.Dispatch}, {"take_over", access.Listen}, {"play", access.Play}} {
		if access.MayIn(who.Roles, who.Unit, x.may, s.Unit) {
			list = append(list, x.word)
		}
	}
	return list
}

// mayAct refuses an act by role: sending takes a dispatcher, a note anybody who sees the case.
func (d caseDesk) mayAct(who signaling.Who, s cases.State, act signaling.CaseAct) error {
	switch act.Act {
	case "send", "recall":
		return mayCase(who, access.Dispatch, s)
	case "add":
		return nil
	case "close", "unclose":
		if closesTask(who) { // what it may close, the rules of cases say
			return nil
		}
	case "take_over":
		if access.May(who.Roles, access.Listen) { // a supervisor
			return nil
		}
		return fault.New(fault.Forbidden, act.Act, nil)
	}
	return mayCase(who, access.EditCases, s)
}

// closesTask reports whether somebody closes cases as a patrol does: its own task's, from the scene.
func closesTask(who signaling.Who) bool {
	return access.May(who.Roles, access.CloseTask) && !access.May(who.Roles, access.EditCases)
}

// event is what an act means.
func (d caseDesk) event(ctx context.Context, who signaling.Who, s cases.State, act signaling.CaseAct) (cases.Event, error) {
	by := who.Staff
	switch act.Act {
	case "take":
		return cases.Take{By: by}, nil
	case "take_over":
		return cases.Take{By: by, Force: true}, nil
	case "hand_over":
		return cases.HandOver{By: by, To: ident.StaffID(act.To)}, nil
	case "accept", "decline":
		return cases.AnswerHandOver{By: by, Accept: act.Act == "accept"}, nil
	case "classify":
		if act.Kind != s.Kind && !slices.ContainsFunc(d.Choices().Kinds, func(k signaling.CaseKind) bool { return k.Code == act.Kind }) {
			return nil, fault.Newf(fault.BadValue, "case.classify", "no kind %q", act.Kind)
		}
		return cases.Classify{By: by, Kind: act.Kind, Priority: act.Priority, Base: act.Version}, nil
	case "add":
		l, err := lineOf(who, act.Line)
		d.a.derive(ctx, l.Place)
		return cases.Add{Line: l}, err
	case "withdraw":
		return cases.Withdraw{By: by, ID: act.ID}, nil
	case "send":
		return d.send(ctx, who, act)
	case "recall":
		return cases.Recall{By: by, Patrol: ident.StaffID(act.Patrol)}, nil
	case "close":
		if !slices.ContainsFunc(d.a.cfg.Cases.Outcomes, func(o config.CaseOutcome) bool { return o.Key == act.Outcome }) {
			return nil, fault.New(fault.ReplyNeeded, "case.close", nil)
		}
		return cases.Close{By: by, Outcome: act.Outcome, Text: act.Text, Patrol: closesTask(who), Base: act.Version}, wire.Text("text", act.Text, cases.MaxText)
	case "unclose":
		return cases.Unclose{By: by}, nil
	case "reopen":
		return cases.Reopen{By: by, Why: act.Reason}, wire.Text("reason", act.Reason, cases.MaxText)
	}
	return nil, fault.Newf(fault.UnknownType, "case.act", "no act %q", act.Act)
}

func (d caseDesk) send(ctx context.Context, who signaling.Who, act signaling.CaseAct) (cases.Event, error) {
	p, err := d.a.db.PatrolByID(ctx, ident.StaffID(act.Patrol))
	if err != nil {
		return nil, fault.New(fault.NoSuchOperator, "case.send", err)
	}
	if !access.MayIn(who.Roles, who.Unit, access.Dispatch, p.Unit) {
		return nil, fault.Newf(fault.Forbidden, "case.send", "a patrol of another unit")
	}
	return cases.Send{By: who.Staff, Patrol: p.Staff, Name: p.Name, Reason: act.Reason}, wire.Line("reason", act.Reason, wire.MaxName)
}

// lineOf is a line of the card as a member of staff writes it.
func lineOf(who signaling.Who, l *signaling.NewLine) (cases.Line, error) {
	const op = "case.add"
	if l == nil {
		return cases.Line{}, fault.Newf(fault.BadValue, op, "line: missing")
	}
	for _, err := range []error{
		wire.Line("id", l.ID, 32), wire.Line("name", l.Name, wire.MaxName), wire.Line("role", l.Role, 32), wire.Line("phone", l.Phone, 32), wire.Text("text", l.Text, cases.MaxText),
	} {
		if err != nil {
			return cases.Line{}, fault.New(fault.BadValue, op, err)
		}
	}
	out := cases.Line{ID: l.ID, What: l.What, At: time.Now().UTC(), By: who.Staff, Name: l.Name, Role: l.Role, Phone: l.Phone, Text: l.Text}
	if p := l.Place; p != nil {
		source := "operator"
		if access.May(who.Roles, access.PatrolDuty) {
			source = "patrol"
		}
		out.Place = &cases.Place{Source: source, AccuracyM: p.AccuracyM, Words: p.Words}
		if p.Lat != nil && p.Lon != nil {
			out.Place.HasFix, out.Place.Lat, out.Place.Lon = true, *p.Lat, *p.Lon
		}
		if err := wire.Text("words", p.Words, cases.MaxText); err != nil {
			return cases.Line{}, fault.New(fault.BadValue, op, err)
		}
	}
	return out, nil
}

// pair carries out what concerns two cases; both must be the person's to change.
func (d caseDesk) pair(ctx context.Context, who signaling.Who, id ident.CaseID, act signaling.CaseAct) error {
	other, err := ident.Parse[ident.CaseID](act.Case)
	if err != nil {
		return fault.New(fault.NoSuchCase, "case."+act.Act, err)
	}
	o, err := d.a.readable(ctx, who, other)
	if err == nil {
		err = mayCase(who, access.EditCases, o)
	}
	if err == nil {
		err = d.a.mayStill(ctx, who.Staff, o)
	}
	if err != nil {
		return err
	}
	return d.a.cases.Both(ctx, id, other, func(x, y cases.State, now time.Time) (cases.Pair, error) {
		switch act.Act {
		case "merge":
			return cases.Merge(x, y, now, who.Staff)
		case "split":
			return cases.Split(x, y, now, who.Staff)
		}
		return cases.Link(x, y, now, who.Staff, act.Act == "unlink")
	})
}
