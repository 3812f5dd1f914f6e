package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"jedel/internal/cameras"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/recorder"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// itemClip is a clip of a camera that a recording has.
const itemClip = "clip"

// clips joins the cameras' clips with the recordings that keep them.
type clips struct {
	a    *App
	make *cameras.Clips
}

// maySee lets staff use the clips of a recording in which they have a part, or whose case they may read.
func (c clips) maySee(ctx context.Context, who signaling.Who, id ident.CallID) error {
	_, err := files{c.a}.MayUse(ctx, who, id)
	if fault.CodeOf(err) == fault.NoSuchCall {
		_, err = c.caseOf(ctx, who, id)
	}
	return err
}

// Make implements signaling.Clips. Who made which clip is in the audit before it begins.
func (c clips) Make(ctx context.Context, who signaling.Who, o signaling.ClipOrder) (signaling.ClipState, error) {
	if err := c.maySee(ctx, who, o.Recording); err != nil {
		return signaling.ClipState{}, err
	}
	if err := c.keeps(ctx, who, o.Recording); err != nil {
		return signaling.ClipState{}, err
	}
	if err := c.audit(ctx, who, "clip made", o.Recording, o.Camera+" "+string(o.ID)); err != nil {
		return signaling.ClipState{}, err
	}
	st, err := c.make.Make(cameras.Order{
		ID: o.ID, Camera: o.Camera, Recording: o.Recording, By: who.Staff,
		Back: time.Duration(o.BackS) * time.Second, Length: time.Duration(o.Seconds) * time.Second,
	})
	return clipState(st), err
}

func (c clips) audit(ctx context.Context, who signaling.Who, action string, id ident.CallID, detail string) error {
	if err := c.a.audit(ctx, store.Audit{Who: string(who.Staff), Action: action, Object: string(id), Detail: detail}); err != nil {
		return fault.New(fault.Unavailable, "audit", err)
	}
	return nil
}

// State implements signaling.Clips.
func (c clips) State(camera string, id ident.FileID) (signaling.ClipState, error) {
	st, err := c.make.State(camera, id)
	return clipState(st), err
}

// List implements signaling.Clips.
func (c clips) List(ctx context.Context, who signaling.Who, recording ident.CallID) ([]signaling.ClipState, error) {
	if err := c.maySee(ctx, who, recording); err != nil {
		return nil, err
	}
	var out []signaling.ClipState
	for _, st := range c.make.List(recording) {
		out = append(out, clipState(st))
	}
	return out, nil
}

// Drop implements signaling.Clips: whoever made it may take it back.
func (c clips) Drop(ctx context.Context, who signaling.Who, camera string, id ident.FileID) (signaling.ClipState, error) {
	st, err := c.make.State(camera, id)
	if err != nil {
		return signaling.ClipState{}, err
	}
	if st.By != who.Staff {
		return signaling.ClipState{}, fault.New(fault.Forbidden, "clip.drop", nil)
	}
	if err := c.audit(ctx, who, "clip taken back", st.Recording, camera+" "+string(id)); err != nil {
		return signaling.ClipState{}, err
	}
	st, err = c.make.Drop(camera, id)
	return clipState(st), err
}

// clipFacts is what an archive says of a clip, beside the file.
type clipFacts struct {
	Clip     string              `json:"clip"`
	Camera   string              `json:"camera"`
	Name     fault.Text          `json:"name"`
	By       string              `json:"by"`
	From     time.Time           `json:"from"` // what was asked for
	Until    time.Time           `json:"until"`
	Begins   time.Time           `json:"begins"` // what it shows, by the gateway's clock
	Ends     time.Time           `json:"ends"`
	Pictures int                 `json:"pictures"`
	Width    int                 `json:"width"`
	Height   int                 `json:"height"`
	SHA256   string              `json:"sha256"`
	Complete bool                `json:"complete"`
	Gaps     []signaling.ClipGap `json:"gaps"`
}

// KeepClip implements cameras.Keeper:
//
//  1. the file into the archive       killed here: it is there without a name
//  2. what is known of it beside it   the same
//  3. its place in the store          from here on it is found
func (c clips) KeepClip(ctx context.Context, clip cameras.Clip, file io.Reader) (ident.CallID, error) {
	const op = "clip.keep"
	s, ok := c.a.desk.State(clip.Recording)
	open := c.a.ledger.get(clip.Recording)
	if !ok || !s.Open() || open == nil {
		return c.keepWithCase(ctx, clip, file)
	}
	arch := open.slot.get()
	if arch == nil {
		return "", fault.Newf(fault.Unavailable, op, "the archive is not open")
	}
	facts, err := json.Marshal(factsOf(clip))
	if err != nil {
		return "", fault.New(fault.Internal, op, err)
	}
	name := clip.Camera + "-" + clip.Begins.UTC().Format("20060102T150405Z")
	ref := wire.FileRef{File: string(clip.ID), Mime: "video/mp4", Name: name + ".mp4", Bytes: clip.Size, Width: clip.Width, Height: clip.Height, SHA256: clip.SHA256}
	kept, err := arch.Blob(ctx, recorder.BlobMeta{ID: ref.File, Name: ref.Name, Mime: ref.Mime}, file)
	if err != nil {
		return "", fault.New(fault.Unavailable, op, err)
	}
	if kept.SHA256 != clip.SHA256 {
		return "", fault.Newf(fault.Internal, op, "%s was to be kept, %s was", clip.SHA256, kept.SHA256)
	}
	side := recorder.BlobMeta{ID: string(ident.New[ident.FileID]()), Name: name + ".json", Mime: "application/json"}
	if _, err := arch.Blob(ctx, side, bytes.NewReader(facts)); err != nil {
		return "", fault.New(fault.Unavailable, op, err)
	}
	_, _, err = c.a.ledger.put(ctx, clip.Recording, itemClip, ref.File, time.Now(), ref)
	return clip.Recording, err
}

func factsOf(c cameras.Clip) clipFacts {
	return clipFacts{
		Clip: string(c.ID), Camera: c.Camera, Name: c.Name, By: string(c.By), From: c.From, Until: c.Until, Begins: c.Begins, Ends: c.Ends,
		Pictures: c.Pictures, Width: c.Width, Height: c.Height, SHA256: c.SHA256, Complete: c.Complete(), Gaps: gapsOf(c.Gaps),
	}
}

func gapsOf(list []cameras.Gap) []signaling.ClipGap {
	out := []signaling.ClipGap{}
	for _, g := range list {
		words, _ := cameras.Words(string(g.Code))
		out = append(out, signaling.ClipGap{FromMs: g.From.UnixMilli(), UntilMs: g.Until.UnixMilli(), Code: string(g.Code), Words: signaling.Words(words)})
	}
	return out
}

func clipState(st cameras.ClipState) signaling.ClipState {
	words, _ := cameras.Words(string(st.Code))
	out := signaling.ClipState{
		Clip: string(st.ID), Camera: st.Camera, Name: signaling.Words(st.Name), Recording: string(st.Recording), By: string(st.By),
		State: string(st.Phase), Code: string(st.Code), Words: signaling.Words(words), Progress: st.Progress,
		FromMs: st.From.UnixMilli(), UntilMs: st.Until.UnixMilli(), Bytes: st.Size, Width: st.Width, Height: st.Height, SHA256: st.SHA256,
		Complete: st.Complete(), Gaps: gapsOf(st.Gaps), KeptIn: string(st.KeptIn),
	}
	if st.Pictures > 0 {
		out.BeginsMs, out.EndsMs = st.Begins.UnixMilli(), st.Ends.UnixMilli()
	}
	return out
}
