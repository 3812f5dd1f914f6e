package app

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"jedel/internal/call"
	"jedel/internal/ident"
	"jedel/media"
	"jedel/recorder"
	"jedel/recorder/evr"
	"jedel/signaling/wire"
)

// entry is one line of the call's journal in the archive.
type entry struct {
	Kind string `json:"kind"`
	By   string `json:"by,omitempty"`
	Body any    `json:"body,omitempty"`
	AtMs int64  `json:"atMs"`
}

// archiveSlot holds a call's archive once it is open.
type archiveSlot struct {
	mu      sync.Mutex // guards the rest
	archive *recorder.Archive
	wanted  bool // opening has been asked for
}

func (s *archiveSlot) get() *recorder.Archive {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.archive
}

// want reports whether the archive must be opened now: the first time it is asked.
func (s *archiveSlot) want() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.wanted
	s.wanted = true
	return first
}

func (s *archiveSlot) set(a *recorder.Archive) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.archive = a
}

// Pauses between attempts to open an archive on a disk that refuses.
const (
	openPause    = 250 * time.Millisecond
	openPauseMax = 5 * time.Second
)

// openArchive queues the opening of the call's archive. Files and directories are durable before
// the first packet is taken.
func (a *App) openArchive(s call.State) {
	c := a.ledger.open(s.ID)
	if !c.slot.want() {
		return
	}
	c.scribe.put(func(ctx context.Context) {
		pause := openPause
		for {
			arch, err := a.rec.Start(ctx, recorder.Meta{
				Call: s.ID, Number: s.Number, Opened: s.QueuedAt, Zone: a.zone.String(), Node: a.nodeID,
			})
			if err == nil {
				c.slot.set(arch)
				break
			}
			a.log.Error("call is not recorded", "call", s.ID, "err", err)
			a.recording(s.ID, wire.Recording{State: "stopped", Reason: "open"})
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			if now, ok := a.desk.State(s.ID); ok && now.Phase == call.Ended {
				return
			}
			pause = min(2*pause, openPauseMax)
		}
		a.hands.put(job{state: s, effect: call.Route{}}) // taps want the archive
	})
}

// keep writes v into the call's archive, in order with everything else of the call. What comes
// before the effect that opens the archive opens it: the first position comes with the tap.
func (a *App) keep(id ident.CallID, kind evr.Kind, at time.Time, v any) {
	c := a.ledger.open(id)
	if s, ok := a.desk.State(id); ok && s.Phase != call.Ended {
		a.openArchive(s)
	}
	c.scribe.put(func(context.Context) {
		raw, err := json.Marshal(v)
		if err != nil {
			a.log.Error("archive entry", "call", id, "err", err)
			return
		}
		arch := c.slot.get()
		if arch == nil {
			a.log.Error("archive entry lost: no archive", "call", id)
			return
		}
		if err := arch.Append(kind, at, raw); err != nil && !errors.Is(err, recorder.ErrSealed) {
			a.log.Error("archive entry", "call", id, "err", err)
		}
	})
}

// seal ends the call's archive and forgets the call.
func (a *App) seal(s call.State) {
	c := a.ledger.get(s.ID)
	if c == nil {
		return
	}
	c.scribe.put(func(ctx context.Context) {
		arch := c.slot.get()
		if arch == nil {
			return
		}
		err := arch.Seal(ctx, recorder.SealInfo{
			Answered: s.AnsweredAt, Ended: s.Closing.At, Cause: s.Closing.Reason, Operator: a.people.name(s.Operator),
			Category: s.Closing.Category, Outcome: s.Closing.Outcome,
		})
		if err != nil {
			a.log.Error("seal", "call", s.ID, "err", err)
		}
		a.beginKeeping(ctx, s.ID)
	})
	a.ledger.close(s.ID)
}

// tap lets a peer's packets into the call's archive.
type tap struct {
	archive     *recorder.Archive
	participant string
	role        string
}

// OpenTrack implements media.Tap.
func (t tap) OpenTrack(info media.TrackInfo) media.TrackTap {
	return t.archive.OpenStream(recorder.StreamInfo{
		Participant: t.participant, Role: t.role, Mid: info.Mid, RID: info.RID, Kind: string(info.Kind), Codec: info.Codec,
		ClockRate: info.ClockRate, Channels: info.Channels, SSRC: info.SSRC, RTXSSRC: info.RTXSSRC,
		PayloadTypes: []uint16{uint16(info.PayloadType)}, Fmtp: info.Fmtp, Cname: info.Cname, Direction: "up",
	})
}

// Fact implements media.Tap.
func (t tap) Fact(kind string, body []byte) {
	k, ok := map[string]evr.Kind{"sdp": evr.SDP, "ice": evr.ICE, "dtls": evr.DTLS}[kind]
	if !ok {
		k = evr.Event
	}
	_ = t.archive.Append(k, time.Now(), body) // refused only by a sealed archive
}
