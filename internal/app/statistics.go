package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"jedel/internal/callctl"
	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/queue"
	"jedel/internal/stats"
	"jedel/internal/statsctl"
	"jedel/internal/store"
	"jedel/signaling"

	"github.com/prometheus/client_golang/prometheus"
)

// limitsKey is where the limits of the wallboard are stored.
const limitsKey = "wall.limits"

// figures implements signaling.Statistics over the book of contacts and the live desk.
type figures struct {
	a      *App
	book   *statsctl.Book
	limits atomic.Pointer[stats.Limits]
	turn   chan struct{} // holds one while somebody changes a limit
}

func (a *App) newFigures(ctx context.Context, reg *prometheus.Registry) (*figures, error) {
	f := &figures{a: a, turn: make(chan struct{}, 1)}
	f.book = statsctl.New(statsctl.Config{Journal: a.db, Gauge: f.gauge, Zone: a.zone, Goals: a.cfg.Stats.Edges(), Log: a.log, Reg: reg})
	raw, err := a.db.Setting(ctx, limitsKey)
	if errors.Is(err, store.ErrNotFound) {
		raw, err = []byte("{}"), nil
	}
	kept := stats.Limits{}
	if err == nil {
		kept, err = limitsOf(raw)
	}
	f.limits.Store(&kept)
	return f, err
}

// limitsOf reads stored limits.
func limitsOf(raw []byte) (l stats.Limits, err error) {
	if err := json.Unmarshal(raw, &l); err != nil {
		return l, fmt.Errorf("limits of the wallboard: %w", err)
	}
	return l, nil
}

// gauge is the desk as it is now.
func (f *figures) gauge() stats.Gauge {
	return gaugeOf(f.a.desk.Line().Snapshot(), time.Now())
}

func gaugeOf(snap *callctl.Snapshot, now time.Time) stats.Gauge {
	g := stats.Gauge{Waiting: len(snap.Waiting)}
	for _, c := range snap.Waiting {
		g.LongestWait = max(g.LongestWait, now.Sub(c.QueuedAt))
	}
	for _, o := range snap.Operators {
		switch o.State {
		case queue.Talking:
			g.Talking++
		case queue.Ready:
			g.Ready++
		}
	}
	return g
}

// Ask implements signaling.Statistics.
func (f *figures) Ask(ctx context.Context, q stats.Query) (stats.Result, error) {
	return f.book.Ask(ctx, q)
}

// Site implements signaling.Statistics.
func (f *figures) Site() signaling.StatsSite {
	s := signaling.StatsSite{Zone: f.book.Zone(), Today: f.book.Today(), Oldest: f.book.Oldest(), Edges: f.book.Goals(), Name: f.name, Targets: []signaling.StatsTarget{}}
	for _, t := range f.a.cfg.Stats.Answer {
		s.Targets = append(s.Targets, signaling.StatsTarget{Measure: "answer", Ms: t.Within.Milliseconds(), Share: t.Share})
	}
	for _, d := range f.a.cfg.Stats.Handling {
		s.Targets = append(s.Targets, signaling.StatsTarget{Measure: "handling", Ms: d.Milliseconds()})
	}
	return s
}

// name is what a group is called.
func (f *figures) name(by stats.Dimension, key string) signaling.Words {
	words := func(t config.Text) signaling.Words { return signaling.Words{KK: t.KK, RU: t.RU, EN: t.EN} }
	c := f.a.cfg
	var lists [][]config.Choice
	switch by {
	case stats.ByKind:
		for _, k := range c.Cases.Kinds {
			if k.Key == key {
				return words(k.Words)
			}
		}
		lists = [][]config.Choice{c.Desk.Categories}
	case stats.ByOutcome:
		for _, o := range c.Cases.Outcomes {
			if o.Key == key {
				return words(o.Words)
			}
		}
		lists = [][]config.Choice{c.Desk.Outcomes}
	case stats.ByLane:
		if key == stats.CallLane {
			return signaling.Words{KK: "Қоңырау", RU: "Звонки", EN: "Calls"}
		}
		return signaling.Words{KK: "Хабарлама", RU: "Сообщения", EN: "Reports"}
	}
	for _, list := range lists {
		for _, k := range list {
			if k.Key == key {
				return words(k.Words)
			}
		}
	}
	if key == "" {
		return signaling.Words{KK: "Көрсетілмеген", RU: "Не указано", EN: "Not given"}
	}
	return signaling.Words{KK: key, RU: key, EN: key}
}

// Wall implements signaling.Statistics.
func (f *figures) Wall(ctx context.Context) (signaling.Wall, error) {
	board, err := f.book.Wall()
	if err != nil {
		return signaling.Wall{}, err
	}
	seats, err := f.a.shifts.State(ctx)
	if err != nil {
		return signaling.Wall{}, err
	}
	now, limits := time.Now(), f.limits.Load()
	board.AnswerWithinGoal = max(0, slices.Index(f.book.Goals().Within[stats.Answer], f.a.cfg.Stats.Answer[0].Within))
	_, ahead := now.In(f.a.zone).Zone()
	out := signaling.Wall{
		NowMs: now.UnixMilli(), AtMs: board.At.UnixMilli(), Day: board.Day.String(), Zone: f.book.Zone().Name(), UTCMin: ahead / 60, Whole: f.book.Whole(),
		LimitsRev: limits.Rev, Tiles: []signaling.WallTile{}, Seats: []signaling.WallSeat{},
	}
	all := limits.All()
	for _, t := range board.Tiles(all) {
		out.Tiles = append(out.Tiles, signaling.WallTile{
			Key: t.Key, Unit: t.Unit, Value: t.Value, Before: t.Before, Against: t.Against, Level: string(t.Level), Warn: t.Limit.Warn, Bad: t.Limit.Bad, Below: t.Limit.Below,
		})
	}
	for id := range seats.On {
		if seats.OnDuty(id, now) {
			out.Rostered++
		}
	}
	for _, o := range f.a.desk.Line().Snapshot().Operators {
		row := f.seat(o, all, now)
		row.Seat = seats.Lines[seats.On[o.ID].Line].Seat
		out.Seats = append(out.Seats, row)
		if o.State != queue.Off {
			out.Staffed++
		}
		switch o.State {
		case queue.Ready, queue.Offered, queue.Talking:
			out.Available++
		}
	}
	return out, nil
}

// seat is one operator's, judged by how long they have been at it.
func (f *figures) seat(o callctl.Standing, limits map[string]stats.Limit, now time.Time) signaling.WallSeat {
	row := f.a.operatorRow(o)
	out := signaling.WallSeat{
		Staff: row.Staff, Name: row.Name, State: string(row.State), Reason: row.Reason, SinceMs: row.SinceMs, Call: row.Call, Number: row.Number,
	}
	if s, ok := f.a.desk.State(o.InHand); ok && o.InHand != "" {
		out.Priority = s.Priority
	}
	level := stats.NoLevel
	switch o.State {
	case queue.Talking:
		level = limits[stats.SeatTalking].Level(now.Sub(o.Since).Seconds())
	case queue.WrapUp:
		level = limits[stats.SeatWrapUp].Level(now.Sub(o.Since).Seconds())
	case queue.NotResponding, queue.LinkLost:
		level = stats.Bad
	}
	out.Level = string(level)
	return out
}

// Limits implements signaling.Statistics.
func (f *figures) Limits() stats.Limits { return *f.limits.Load() }

// SetLimit implements signaling.Statistics: who did it is in the audit before anybody sees it.
func (f *figures) SetLimit(ctx context.Context, who signaling.Who, rev int, c stats.Change) (stats.Limits, error) {
	const op = "wall.limit"
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return stats.Limits{}, fault.New(fault.Unavailable, op, ctx.Err())
	}
	next, err := f.limits.Load().Change(rev, c)
	switch {
	case errors.Is(err, stats.ErrStale):
		return next, fault.New(fault.LimitsChanged, op, err)
	case err != nil:
		return next, fault.New(fault.BadValue, op, err)
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return next, fmt.Errorf("encode limits: %w", err)
	}
	line := store.Audit{Who: string(who.Staff), Action: op, Object: c.Key, Detail: fmt.Sprintf("attention %v, bad %v", c.After.Warn, c.After.Bad)}
	if err = f.a.audit(ctx, line); err == nil {
		err = f.a.db.PutSetting(ctx, limitsKey, raw)
	}
	if err != nil {
		return next, fault.New(fault.Unavailable, op, err)
	}
	f.limits.Store(&next)
	return next, nil
}

// run keeps the book up to date.
func (f *figures) run(ctx context.Context) { f.book.Run(ctx) }
