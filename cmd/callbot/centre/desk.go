package centre

import (
	"context"
	"hash/fnv"
	"net/url"
	"slices"
	"time"

	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/rest"
	"jedel/internal/fault"
)

const (
	deskEvery = 1500 * time.Millisecond // how often the list of open cases is looked at
	pages     = 4                       // of 50 cases each
	likely    = 0.75                    // from this score on two reports are taken for one event
)

// clerk is a member of staff who works through the open cases.
type clerk struct {
	*play
	who     string
	c       rest.Client
	choices choices
}

// desk signs somebody in and lets them look at every open case again and again until ctx ends.
func (p *play) desk(ctx context.Context, login string, work func(*clerk, context.Context, caseRow) error) {
	token, err := rest.SignIn(ctx, p.URL, login, p.Password)
	k := &clerk{play: p, who: login, c: rest.Staff(p.URL, token)}
	if err == nil {
		err = k.c.Do(ctx, "GET", "/api/v1/cases/choices", nil, &k.choices)
	}
	if err != nil {
		if ctx.Err() == nil {
			p.fault(login, err)
		}
		return
	}
	p.tell(nil, login, "works through the open cases")
	for pause(ctx, deskEvery) && !p.home() {
		rows, err := k.open(ctx)
		if err != nil {
			continue // there is a next look
		}
		for _, row := range rows {
			if row.Into != "" || row.Status == "closed" {
				continue
			}
			if err := work(k, ctx, row); err != nil && ctx.Err() == nil && !late(err) {
				p.fault(login, err)
			}
		}
	}
}

// late reports a refusal that only says that somebody else was first.
func late(err error) bool {
	return exchange.Refused(err, fault.CaseClosed, fault.CaseMerged, fault.CaseTaken, fault.PatrolBusy, fault.WrongState, fault.RateLimited, fault.Unavailable)
}

// open returns the newest open cases, the oldest first.
func (k *clerk) open(ctx context.Context) ([]caseRow, error) {
	var out []caseRow
	cursor := ""
	for range pages {
		var page struct {
			Cases []caseRow `json:"cases"`
			Next  string    `json:"next"`
		}
		if err := k.c.Do(ctx, "GET", "/api/v1/cases?open=1&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return nil, err
		}
		for _, row := range page.Cases {
			out = append([]caseRow{row}, out...)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	return out, nil
}

func (k *clerk) act(ctx context.Context, id string, a act) error {
	return k.c.Do(ctx, "POST", "/api/v1/cases/"+id+"/acts", a, nil)
}

// due reports whether a case has stood for a time of its own between least and most.
func (k *clerk) due(row caseRow, least, most time.Duration) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(row.Case + row.Status))
	wait := least + time.Duration(h.Sum32()%1000)*(most-least)/1000
	return time.Since(time.UnixMilli(row.SinceMs)) > k.scaled(wait, 300*time.Millisecond)
}

// storyOf is what a case is about; of one that the centre did not make only what its row says.
func (k *clerk) storyOf(row caseRow) (story, bool) {
	s, ok := k.known(row.Case)
	return s, ok
}

// sort takes what is new, says what it is, folds reports of one event together, and closes what nobody
// must drive to.
func (k *clerk) sort(ctx context.Context, row caseRow) error {
	s, ours := k.storyOf(row)
	if row.Status == "registered" && row.Lane == "report" {
		if !k.due(row, 2*time.Second, 15*time.Second) {
			return nil
		}
		if merged, err := k.merge(ctx, row); merged || err != nil {
			return err
		}
		if err := k.act(ctx, row.Case, act{Act: "take"}); err != nil {
			return err
		}
		kind := row.Kind
		if kind == "" {
			kind = "other"
		}
		if err := k.act(ctx, row.Case, act{Act: "classify", Kind: kind, Priority: row.Priority}); err != nil {
			return err
		}
		k.tell(func(s *Summary) { s.Cases.Classified++ }, k.who, "takes %s: %s", row.Number, kind)
		return nil
	}
	if !ours || s.theme.Patrol || row.Lane != "report" || row.Status != "in_work" && row.Status != "reopened" || !k.due(row, 20*time.Second, 120*time.Second) {
		return nil
	}
	return k.close(ctx, row, s)
}

// merge puts a report into an older case about the same event.
func (k *clerk) merge(ctx context.Context, row caseRow) (bool, error) {
	var list struct {
		Cases []similarCase `json:"cases"`
	}
	if err := k.c.Do(ctx, "GET", "/api/v1/cases/"+row.Case+"/similar", nil, &list); err != nil {
		return false, err
	}
	for _, other := range list.Cases {
		if other.Score < likely || other.Status == "closed" || other.OpenedMs >= row.OpenedMs || other.Into != "" {
			continue
		}
		if err := k.act(ctx, row.Case, act{Act: "merge", Case: other.Case}); err != nil {
			return false, err
		}
		k.tell(func(s *Summary) { s.Cases.Merged++ }, k.who, "puts %s into %s", row.Number, other.Number)
		return true, nil
	}
	return false, nil
}

// close closes a case with the reply that goes with its outcome.
func (k *clerk) close(ctx context.Context, row caseRow, s story) error {
	outcome, lang := s.theme.Outcome, s.lang
	if outcome == "" {
		outcome = "measures"
	}
	for _, o := range k.choices.Outcomes {
		if o.Code != outcome {
			continue
		}
		if err := k.act(ctx, row.Case, act{Act: "close", Outcome: outcome, Text: o.Reply.in(lang)}); err != nil {
			return err
		}
		k.tell(func(s *Summary) { s.Cases.Closed++ }, k.who, "closes %s: %s", row.Number, outcome)
	}
	return nil
}

// dispatch sends the nearest free patrol where one is needed and closes what a patrol is clear of.
func (k *clerk) dispatch(ctx context.Context, row caseRow) error {
	s, ours := k.storyOf(row)
	needed := ours && s.theme.Patrol || !ours && row.Lane == "call"
	if !needed || row.Lane == "report" && row.Status == "registered" || row.Status == "patrol_sent" || row.Status == "on_scene" && !ours {
		return nil
	}
	var v caseView
	if err := k.c.Do(ctx, "GET", "/api/v1/cases/"+row.Case, nil, &v); err != nil {
		return err
	}
	if s.lang == "" {
		s.lang = v.Citizen.Lang
	}
	active, cleared := false, false
	declined := map[string]bool{}
	for _, x := range v.Sendings {
		declined[x.Name] = declined[x.Name] || x.Why == "declined"
		active = active || x.EndedMs == 0
		cleared = cleared || x.Why == "cleared" && x.AtMs >= row.OpenedMs
	}
	live := false
	for _, r := range v.Recordings {
		live = live || r.Live
	}
	switch {
	case active || live && cleared:
		return nil
	case cleared && (row.Status != "reopened" || k.due(row, 30*time.Second, 90*time.Second)):
		return k.close(ctx, row, s)
	case cleared || !k.due(row, 3*time.Second, 20*time.Second):
		return nil
	}
	return k.send(ctx, row, declined)
}

// send sends the nearest free patrol that has not declined.
func (k *clerk) send(ctx context.Context, row caseRow, declined map[string]bool) error {
	var list struct {
		Patrols []proposal `json:"patrols"`
	}
	if err := k.c.Do(ctx, "GET", "/api/v1/cases/"+row.Case+"/proposals", nil, &list); err != nil {
		return err
	}
	at := slices.IndexFunc(list.Patrols, func(p proposal) bool { return !declined[p.Name] })
	if at < 0 {
		return nil
	}
	first := list.Patrols[at]
	if err := k.act(ctx, row.Case, act{Act: "send", Patrol: first.Patrol, Reason: first.Words.RU}); err != nil {
		return err
	}
	k.tell(func(s *Summary) { s.Cases.Sent++ }, k.who, "sends %s to %s (%s)", first.Name, row.Number, first.Words.EN)
	return nil
}
