package statsctl

import (
	"context"
	"maps"
	"slices"
	"time"

	"jedel/internal/stats"
	"jedel/internal/store"
)

// Run keeps the table up to date until ctx ends.
func (b *Book) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			timer.Reset(b.step(ctx))
		case <-ctx.Done():
			return
		}
	}
}

// step does what is due and returns how long to wait for the next.
func (b *Book) step(ctx context.Context) time.Duration {
	begin := b.now()
	pause := lookEvery
	var err error
	switch {
	case !begin.Before(b.nextLook):
		if err = b.look(ctx, begin); err == nil {
			b.nextLook = begin.Add(lookEvery)
		}
	case !b.whole.Load():
		err = b.readPast(ctx)
	}
	if err != nil && ctx.Err() == nil {
		b.failed.Inc()
		if !b.troubled {
			b.cfg.Log.Warn("statistics are not up to date", "err", err)
		}
		b.troubled, b.nextLook = true, begin.Add(retryAfter)
		return retryAfter
	}
	b.troubled = false
	if !b.whole.Load() {
		pause = b.now().Sub(begin) // as long as it took: half of one processor
	}
	return max(time.Millisecond, min(pause, b.nextLook.Sub(b.now())))
}

// look takes in what changed, and shows it on the wall.
func (b *Book) look(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	first := b.seen.IsZero()
	if first || !now.Before(b.nextFull) {
		for _, others := range []bool{false, true} {
			if err := b.readFrom(ctx, store.ContactQuery{Others: others, From: now.Add(-recent)}); err != nil {
				return err
			}
		}
		b.nextFull = now.Add(againEvery)
	}
	if first {
		b.past = store.ContactQuery{To: now.Add(-recent)}
		b.seen = now // what changes from here on is looked for below
	}
	if err := b.readChanged(ctx, b.seen.Add(-overlap)); err != nil {
		return err
	}
	if err := b.readLive(ctx); err != nil {
		return err
	}
	patrols, err := b.cfg.Journal.CountPatrols(ctx)
	if err != nil {
		return err
	}
	b.seen = now
	b.show(now, patrols)
	return nil
}

// readFrom reads contacts from a moment on to the last.
func (b *Book) readFrom(ctx context.Context, q store.ContactQuery) error {
	for more := true; more; {
		var err error
		if q, more, err = b.readPage(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// readPage reads one page and returns the question for the next.
func (b *Book) readPage(ctx context.Context, q store.ContactQuery) (next store.ContactQuery, more bool, err error) {
	q.Limit = page
	list, err := b.cfg.Journal.Contacts(ctx, q)
	if err != nil {
		return q, false, err
	}
	b.put(list)
	if n := len(list); n > 0 {
		q.From, q.After = list[n-1].Opened, list[n-1].ID
	}
	return q, len(list) == page, nil
}

// readPast reads the next page of the years before: the cases first, then the other calls.
func (b *Book) readPast(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	next, more, err := b.readPage(ctx, b.past)
	switch {
	case err != nil:
		return err
	case more:
		b.past = next
	case b.past.Others:
		b.whole.Store(true)
		b.nextLook = time.Time{} // the wall shows them at once
	default:
		b.past = store.ContactQuery{Others: true, To: b.past.To}
	}
	return nil
}

// readChanged reads what came in or changed since a moment: cases by the time of their change, with
// the calls that belong to them, and calls without a case by their creation.
func (b *Book) readChanged(ctx context.Context, since time.Time) error {
	after := store.CaseChange{At: since}
	read := map[store.CaseChange]int{}
	for {
		changed, err := b.cfg.Journal.ChangedCases(ctx, after, store.MaxPage)
		if err != nil {
			return err
		}
		var ids []string
		for _, c := range changed {
			after = c
			c.At = c.At.UTC() // equal moments are equal keys
			if read[c] = b.read[c] + 1; read[c] <= enough {
				ids = append(ids, c.ID)
			}
		}
		if err := b.readIDs(ctx, ids); err != nil {
			return err
		}
		if len(changed) < store.MaxPage {
			b.read = read
			return b.readFrom(ctx, store.ContactQuery{Others: true, From: since})
		}
	}
}

// readLive reads the calls that have changed since the last look. A call says nothing when it changes,
// so those that may are remembered by their version; one that is not among them any more is read once
// more.
func (b *Book) readLive(ctx context.Context) error {
	live, err := b.cfg.Journal.LiveCalls(ctx)
	if err != nil {
		return err
	}
	moved := maps.Clone(b.live)
	for id, version := range live {
		if moved[id] == version {
			delete(moved, id)
		} else if moved == nil {
			moved = map[string]uint64{id: version}
		} else {
			moved[id] = version
		}
	}
	if err := b.readIDs(ctx, slices.Collect(maps.Keys(moved))); err != nil {
		return err
	}
	b.live = live
	return nil
}

func (b *Book) readIDs(ctx context.Context, ids []string) error {
	for part := range slices.Chunk(ids, store.MaxPage) {
		list, err := b.cfg.Journal.ContactsOf(ctx, part)
		if err != nil {
			return err
		}
		b.put(list)
	}
	return nil
}

func (b *Book) put(list []store.Contact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range list {
		b.table.Put(contact(c))
	}
	b.size.Set(float64(b.table.Len()))
}

// contact is what statistics see of a stored one.
func contact(c store.Contact) stats.Contact {
	out := stats.Contact{
		ID: c.ID, Opened: c.Opened, Report: c.Lane == stats.ReportLane, Kind: c.Kind, Unit: c.Unit, Outcome: c.Outcome,
		Marks: stats.Marks{
			Further: c.Case != "" && c.Case != c.ID, Merged: c.Into != "", Closed: !c.Closed.IsZero(), Owed: c.Callback != "", CalledBack: c.Callback == "done",
		},
	}
	for m := range out.Times {
		out.Times[m] = stats.None
	}
	took := func(m stats.Measure, from, to time.Time) {
		if !from.IsZero() && !to.IsZero() {
			out.Times[m] = max(0, to.Sub(from))
		}
	}
	if !out.Report {
		took(stats.Answer, c.Created, c.Answered)
		took(stats.Handling, c.Answered, c.Ended)
		out.Abandoned = c.Answered.IsZero() && !c.Ended.IsZero()
	}
	if !out.Further {
		took(stats.Dispatch, c.Opened, c.Sent)
		took(stats.Arrival, c.Opened, c.Arrived)
		took(stats.Reply, c.Opened, c.Replied)
	}
	return out
}

// show makes what the wallboard shows until the next look.
func (b *Book) show(now time.Time, patrols store.PatrolCount) {
	b.mu.Lock() // Standing remembers
	defer b.mu.Unlock()
	today := stats.DayOf(now.In(b.cfg.Zone))
	ask := func(first, last stats.Day, before time.Time) stats.Figures {
		return b.table.Ask(b.zone, stats.Query{First: first, Last: last, Before: before, By: stats.ByNothing, Goals: b.cfg.Goals}).Total
	}
	w := stats.Wall{
		At: now, Day: today, Today: ask(today, today, time.Time{}), WeekAgo: ask(today-7, today-7, now.AddDate(0, 0, -7)), Standing: b.table.Standing(),
		PatrolsFree: patrols.Free, PatrolsBusy: patrols.OnDuty - patrols.Free,
	}
	if !now.Before(b.sampled.Add(sampleEvery)) {
		b.ring = append(b.ring[max(0, len(b.ring)-samples):], b.cfg.Gauge())
		b.sampled, b.month = now, ask(today-29, today, time.Time{})
	}
	w.Month = b.month
	if w.HasEarlier = len(b.ring) > samples; w.HasEarlier {
		w.Earlier = b.ring[0]
	}
	b.wall.Store(&w)
}
