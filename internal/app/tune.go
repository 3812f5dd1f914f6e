package app

import (
	"time"

	"jedel/internal/ident"
	"jedel/media"
	"jedel/recorder/evr"
	"jedel/signaling/wire"
)

// tuned is what follows a decision about a page's connection: the page is told, and the archive of
// its call keeps since when there was no picture, and why.
func (a *App) tuned(client ident.ClientID) {
	news := a.tune(client)
	if news == nil {
		return
	}
	now := time.Now()
	for id := range a.ledger.all() {
		s, ok := a.desk.State(id)
		if !ok || !a.takesPart(s, client) {
			continue
		}
		by := "caller"
		if s.Client != client {
			by = "staff"
		}
		a.keep(id, evr.Event, now, entry{Kind: news.WireType(), By: by, Body: news, AtMs: now.UnixMilli()})
	}
}

// tune tells a page how its connection is to be used, by both carriers: where packets are lost a
// socket may stand still for seconds. It returns what was said, nil for nothing.
func (a *App) tune(client ident.ClientID) *wire.MediaTune {
	t, ok := a.node.Tune(client)
	if !ok {
		return nil
	}
	news := tuneNews(t)
	a.edge.Hub().Send(client, news)
	raw, err := wire.Encode(wire.Message{Body: news})
	if err != nil {
		a.log.Error("encode news", "client", client, "err", err)
		return news
	}
	if err := a.node.Send(client, raw); err != nil {
		a.log.Debug("data channel news", "client", client, "err", err)
	}
	return news
}

func tuneNews(t media.Tune) *wire.MediaTune {
	return &wire.MediaTune{
		PC: t.PC, Rev: t.Rev, RED: t.RED, JitterMs: int(t.Jitter / time.Millisecond),
		Video: wire.VideoLevel(t.Video.String()), VideoKbps: t.VideoKbps, LeastKbps: t.LeastKbps, Shown: wire.VideoLevel(t.Shown.String()), Why: string(t.Why),
	}
}
