package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"jedel/internal/ident"
	"jedel/internal/sos"

	"golang.org/x/sync/errgroup"
)

// Run serves until ctx ends. Start order: recorder, media, calls, people, edge; it stops in the
// reverse order, so that what calls say last is still recorded.
func (a *App) Run(ctx context.Context) error {
	floor, stopFloor := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFloor()
	below, belowCtx := errgroup.WithContext(floor)
	below.Go(func() error { return a.rec.Run(belowCtx) })
	log, stopLog := context.WithCancel(context.WithoutCancel(ctx)) // the last: what all others say at their end is still said
	defer stopLog()
	logDone := make(chan error, 1)
	go func() { logDone <- a.site.Run(log) }()
	below.Go(func() error { return a.node.Run(belowCtx) })
	if a.relay != nil {
		below.Go(func() error { return a.relay.Run(belowCtx) })
	}

	middle, stopMiddle := context.WithCancel(belowCtx)
	defer stopMiddle()
	calls, callsCtx := errgroup.WithContext(middle)
	calls.Go(func() error { return a.desk.Run(callsCtx) })
	for _, loop := range []func(context.Context){
		a.runHands, a.runShows, a.runWork, a.runScribes, a.runPresence, a.runLamps, a.runMedia, a.runData, a.runHousekeeping, a.copies.Run, a.keeper.Run, a.runReplica,
		a.runCasework, a.runTellings, a.cases.Run, a.intake.run, a.watch.run, a.mail.Run, a.board.run, a.figures.run,
		a.runTips, a.geo.Run, a.runRelays, a.sos.run,
	} {
		calls.Go(func() error { loop(callsCtx); return nil })
	}

	edgeErr := a.edge.Run(joined(ctx, callsCtx))
	stopMiddle()
	callsErr := calls.Wait()
	stopFloor()
	err := errors.Join(wrap("edge", edgeErr), wrap("calls", callsErr), wrap("recorder and media", below.Wait()))
	stopLog()
	err = errors.Join(err, wrap("site log", <-logDone))
	return errors.Join(err, a.close())
}

func wrap(part string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", part, err)
}

// joined returns a context that ends with either.
func joined(a, b context.Context) context.Context {
	ctx, cancel := context.WithCancel(a)
	context.AfterFunc(b, cancel)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// runWork carries out posts that nobody waits for, each in its own goroutine: one call whose
// store is slow does not hold up the others.
func (a *App) runWork(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for jobs := a.work.take(ctx); jobs != nil; jobs = a.work.take(ctx) {
		for _, job := range jobs {
			wg.Go(func() { job(ctx) })
		}
	}
}

// runScribes runs one goroutine per open call for its slow work. When ctx ends each still writes
// what it holds.
func (a *App) runScribes(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for calls := a.calls.take(ctx); calls != nil; calls = a.calls.take(ctx) {
		for _, c := range calls {
			wg.Go(func() { a.runScribe(ctx, c) })
		}
	}
}

func (a *App) runScribe(ctx context.Context, c *openCall) {
	for {
		jobs := c.scribe.take(ctx)
		if jobs == nil {
			return
		}
		for _, job := range jobs {
			if job == nil {
				return
			}
			job(ctx)
		}
	}
}

// lanes is how many data channel messages are worked on at once; those of one client stay in
// order.
const lanes = 8

func (a *App) runData(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range a.data {
		wg.Go(func() {
			for msgs := a.data[i].take(ctx); msgs != nil; msgs = a.data[i].take(ctx) {
				for _, m := range msgs {
					a.handleData(ctx, m)
				}
			}
		})
	}
}

// dataMessage is one message from a client's data channel.
type dataMessage struct {
	client ident.ClientID
	raw    []byte
}

func (a *App) handleData(ctx context.Context, m dataMessage) {
	if sos.Is(m.raw) {
		a.handleSOS(ctx, m)
		return
	}
	reply := a.edge.Hub().Handle(ctx, m.client, m.raw)
	if reply == nil {
		return
	}
	if err := a.node.Send(m.client, reply); err != nil {
		a.log.Debug("data channel reply", "client", m.client, "err", err)
	}
}

// handleSOS answers a call of one datagram that came by the data channel, with a socket or without. The receipt is text, as
// all that goes there.
func (a *App) handleSOS(ctx context.Context, m dataMessage) {
	receipt := a.sos.Take(ctx, m.raw, "data "+string(m.client), true)
	if receipt == nil {
		return
	}
	raw, err := json.Marshal(map[string]any{"type": "sos.receipt", "receipt": receipt})
	if err == nil {
		err = a.node.Send(m.client, raw)
	}
	if err != nil {
		a.log.Debug("data channel receipt", "client", m.client, "err", err)
	}
}

// housekeepingEvery is how often what has expired is removed.
const housekeepingEvery = 10 * time.Minute

func (a *App) runHousekeeping(ctx context.Context) {
	tick := time.NewTicker(housekeepingEvery)
	defer tick.Stop()
	for {
		if err := a.db.DeleteExpired(ctx, time.Now()); err != nil && ctx.Err() == nil {
			a.log.Warn("expired sessions stay a little longer", "err", err)
		}
		if err := a.logUnlogged(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("lines of the audit wait for the site log", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
