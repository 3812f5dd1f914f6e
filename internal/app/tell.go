package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"jedel/internal/cases"
	"jedel/internal/config"
	"jedel/internal/ident"
	"jedel/internal/notice"
	"jedel/internal/notify"
	"jedel/internal/store"
	"jedel/signaling"
)

// statusWords are what citizens read of a status, as the page says it.
func statusWords(s cases.Status) config.Text {
	return map[cases.Status]config.Text{
		cases.Registered: {KK: "тіркелді", RU: "зарегистрировано", EN: "registered"},
		cases.InWork:     {KK: "жұмысқа алынды", RU: "в работе", EN: "in work"},
		cases.PatrolSent: {KK: "патруль жолға шықты", RU: "патруль выехал", EN: "a patrol is on its way"},
		cases.OnScene:    {KK: "патруль орнында", RU: "патруль на месте", EN: "the patrol is there"},
		cases.Closed:     {KK: "аяқталды", RU: "завершено", EN: "closed"},
		cases.Reopened:   {KK: "қайта ашылды", RU: "открыто снова", EN: "opened again"},
	}[s]
}

// telling is what a case's citizen is to be told.
type telling struct {
	s cases.State
	e cases.Inform
}

// Inform implements casectl.Doer: the message is durable soon after, and one however often it is asked. If
// the process ends before that, the book of the next one asks again.
func (a *App) Inform(s cases.State, e cases.Inform) { a.tellings.put(telling{s, e}) }

// runTellings queues messages to citizens. One that cannot be queued now waits, and holds up only those of
// its own case.
func (a *App) runTellings(ctx context.Context) {
	var list []telling
	pause, later := openPause, time.NewTimer(time.Hour)
	defer later.Stop()
	for {
		list = append(list, a.tellings.takeOr(ctx, later.C)...)
		if ctx.Err() != nil {
			return
		}
		if list = a.tellAll(ctx, list); len(list) == 0 {
			pause = openPause
			continue
		}
		later.Reset(pause)
		pause = min(2*pause, openPauseMax)
	}
}

// tellAll queues messages and returns those that wait.
func (a *App) tellAll(ctx context.Context, list []telling) (left []telling) {
	behind := map[ident.CaseID]bool{}
	var last error
	for _, t := range list {
		if !behind[t.s.ID] {
			err := a.tell(ctx, t.s, t.e)
			if err == nil {
				continue
			}
			if errors.Is(err, notify.ErrMessage) {
				a.log.Error("a citizen is not told", "case", t.s.ID, "err", err)
				continue
			}
			last = err
		}
		behind[t.s.ID] = true
		left = append(left, t)
	}
	if last != nil && ctx.Err() == nil {
		a.log.Warn("citizens are told later", "cases", len(behind), "err", last)
	}
	return left
}

// tell queues one message. A step that others have followed is not told late: who left a phone since would
// hear of a patrol that has come and gone. A reply always is.
func (a *App) tell(ctx context.Context, s cases.State, e cases.Inform) error {
	if e.N < len(s.Replies)-1 && e.Status != cases.Closed {
		return nil
	}
	to, err := a.citizen(ctx, s)
	if err != nil {
		return err
	}
	if e.Status == cases.Registered && to.Caller == "" && to.Phone != "" && !a.mayReceipt(ctx, to.Phone) {
		to.Phone = ""
	}
	if m := message(s, e, to); m != nil {
		_, err = a.mail.Enqueue(ctx, *m)
	}
	return err
}

// How many reports are confirmed to a number that nobody has proven to be theirs: whoever reports may name
// anybody's. The receipt stands in the page, and what we find out is always told.
const (
	receiptsPerPhone = 5
	receiptsWindow   = 24 * time.Hour
)

func (a *App) mayReceipt(ctx context.Context, phone string) bool {
	sum := sha256.Sum256([]byte(phone)) // keys of hints hold nothing personal
	return a.hints.Take(ctx, "receipt:"+hex.EncodeToString(sum[:8]), receiptsPerPhone, receiptsWindow)
}

// citizen is how the citizen of a case is reached.
func (a *App) citizen(ctx context.Context, s cases.State) (notify.Citizen, error) {
	to := notify.Citizen{Caller: s.Citizen.Caller, Phone: s.Citizen.Phone}
	row, err := a.db.ReportByID(ctx, ident.CallID(s.ID))
	switch {
	case err == nil:
		to.Report = row.KeyHash
	case !errors.Is(err, store.ErrNotFound):
		return to, err
	case to.Caller == "":
		to.Page, err = a.noticedPage(ctx, ident.CallID(s.ID))
		return to, err
	}
	return to, nil
}

// message is what a citizen is told by message, nil for nothing: nobody left a way to be told but the page
// itself, or a caller hears it by voice. A person who could not speak is told nothing that another might read.
func message(s cases.State, e cases.Inform, to notify.Citizen) *notify.Message {
	if s.Lane == cases.CallLane && heard(s, e) || to == (notify.Citizen{}) {
		return nil
	}
	m := &notify.Message{
		Case: string(s.ID), Version: uint64(e.N) + 1, To: to, Lang: langOf(s.Citizen.Lang), Kind: notice.Changed, Urgent: s.Lane == cases.CallLane,
		Discreet: slices.ContainsFunc(s.Recordings, func(r cases.Recording) bool { return r.Kind == "silent" }),
		Args:     notice.Args{Number: s.Number, Status: inLang(statusWords(e.Status), s.Citizen.Lang), Text: e.Text},
	}
	switch e.Status {
	case cases.Registered:
		m.Kind = notice.Registered
	case cases.Closed:
		m.Kind = notice.Closed
	}
	return m
}

// heard reports whether a caller learns something in the call itself: that it was taken, not that the patrol
// of which they were told does not come.
func heard(s cases.State, e cases.Inform) bool {
	off := e.N > 0 && e.N <= len(s.Replies) && s.Replies[e.N-1].Status == cases.PatrolSent
	return e.Status == cases.Registered || e.Status == cases.InWork && !off
}

// told is what a case's citizen was told, and how it reached them.
func (a *App) told(ctx context.Context, s cases.State) ([]signaling.CaseTold, error) {
	to, err := a.citizen(ctx, s)
	if err != nil {
		return nil, err
	}
	list, err := a.mail.Case(ctx, string(s.ID))
	if err != nil {
		return nil, err
	}
	out := []signaling.CaseTold{}
	for n, r := range s.Replies {
		told := signaling.CaseTold{CaseReply: signaling.CaseReply{AtMs: millis(r.At), Status: string(r.Status), Text: r.Text}}
		if m := message(s, cases.Inform{Status: r.Status, Text: r.Text, N: n}, to); m != nil {
			id := m.MessageID()
			if i := slices.IndexFunc(list, func(x notify.Status) bool { return x.ID == id }); i >= 0 {
				told.Message = &signaling.CaseMessage{Stage: list[i].Stage, Channel: string(list[i].Channel), Reason: list[i].Reason, AtMs: millis(list[i].At)}
			}
		}
		out = append(out, told)
	}
	return out, nil
}

// noticedPage returns the page that made a call, where it asked for notices.
func (a *App) noticedPage(ctx context.Context, id ident.CallID) (ident.ClientID, error) {
	sum, _, err := a.db.LoadCall(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	subs, err := a.db.PushSubscriptions(ctx, notify.PageCitizen(sum.Client))
	if err != nil || len(subs) == 0 {
		return "", err
	}
	return sum.Client, nil
}

func langOf(lang string) string {
	if slices.Contains(notice.Langs(), lang) {
		return lang
	}
	return "kk"
}

// knownKey reports whether reports were made with the key of a hash.
func (a *App) knownKey(ctx context.Context, hash string) (bool, error) {
	rows, err := a.db.ReportsByKey(ctx, hash, 1)
	return len(rows) > 0, err
}
