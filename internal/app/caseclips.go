package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"jedel/internal/cameras"
	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/recorder"
	"jedel/signaling"
)

// caseOf returns the case that a recording is of, as far as who may read it.
func (c clips) caseOf(ctx context.Context, who signaling.Who, rec ident.CallID) (cases.State, error) {
	id, err := c.a.db.CaseOf(ctx, rec)
	if errors.Is(err, store.ErrNotFound) {
		return cases.State{}, fault.New(fault.NoSuchCall, "clip", nil)
	}
	if err != nil {
		return cases.State{}, fault.New(fault.Unavailable, "clip", err)
	}
	return c.a.readable(ctx, who, id)
}

// keeps reports whether a clip for a recording has somewhere to go: into the open call, or with the open
// case.
func (c clips) keeps(ctx context.Context, who signaling.Who, rec ident.CallID) error {
	if s, ok := c.a.desk.State(rec); ok && s.Open() {
		return nil
	}
	s, err := c.caseOf(ctx, who, rec)
	if err != nil || s.Status == cases.Closed {
		return fault.New(fault.WrongState, "clip.make", err)
	}
	return nil
}

// keepWithCase keeps a clip whose call is over, or that was made for a report: as a recording of its own
// that belongs to the case.
//
//  1. the recording and what will be in it  killed here: the camera's maker asks again, it is the same one
//  2. the file into its archive             the same
//  3. its place in the store                from here on it is found, and the archive is sealed
func (c clips) keepWithCase(ctx context.Context, clip cameras.Clip, file io.Reader) (ident.CallID, error) {
	const op = "clip.keep"
	id, err := c.a.db.CaseOf(ctx, clip.Recording)
	if err != nil {
		return "", fault.New(fault.WrongState, op, err)
	}
	s, err := c.a.cases.State(ctx, id)
	if err != nil {
		return "", err
	}
	name := clip.Camera + "-" + clip.Begins.UTC().Format("20060102T150405Z")
	facts, err := json.Marshal(factsOf(clip))
	if err != nil {
		return "", fault.New(fault.Internal, op, err)
	}
	declared := signaling.DeclaredFile{
		File: string(clip.ID), Name: name + ".mp4", Mime: "video/mp4", Bytes: clip.Size, SHA256: clip.SHA256, CapturedMs: clip.Begins.UnixMilli(),
	}
	kept, err := c.a.intake.record(ctx, newRecording{
		client: "staff:" + string(clip.By), key: staffKey(clip.By), kind: "camera", of: &s, by: clip.By,
		request: signaling.ReportRequest{Ref: "clip-" + string(clip.ID), Text: string(facts), Files: []signaling.DeclaredFile{declared}, Lang: s.Citizen.Lang},
	})
	if err != nil {
		return "", err
	}
	arch, err := c.a.intake.archive(ctx, kept)
	if err != nil {
		return "", fault.New(fault.Unavailable, op, err)
	}
	blob, err := arch.Blob(ctx, recorder.BlobMeta{ID: declared.File, Name: declared.Name, Mime: declared.Mime}, file)
	if err != nil {
		return "", fault.New(fault.Unavailable, op, err)
	}
	if blob.SHA256 != clip.SHA256 {
		return "", fault.Newf(fault.Internal, op, "%s was to be kept, %s was", clip.SHA256, blob.SHA256)
	}
	side := recorder.BlobMeta{ID: string(ident.New[ident.FileID]()), Name: name + ".json", Mime: "application/json"}
	if _, err := arch.Blob(ctx, side, bytes.NewReader(facts)); err != nil {
		return "", fault.New(fault.Unavailable, op, err)
	}
	body, err := json.Marshal(signaling.CaseFile{
		File: declared.File, Name: declared.Name, Mime: declared.Mime, Bytes: declared.Bytes, SHA256: declared.SHA256, CapturedMs: declared.CapturedMs, Marks: []string{},
	})
	if err != nil {
		return "", fault.New(fault.Internal, op, err)
	}
	if err := c.a.db.PutReportFile(ctx, store.ReportFile{Report: kept.ID, ID: clip.ID, KeptAt: time.Now(), Body: body}); err != nil {
		return "", fault.New(fault.Unavailable, op, err)
	}
	c.a.intake.wake()
	return kept.ID, nil
}
