package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/recorder"
	"jedel/recorder/evr"
	"jedel/signaling"
	"jedel/signaling/wire"
)

// recording tells of one recording of a case and its files.
func (n *intake) recording(ctx context.Context, r cases.Recording) (signaling.CaseRecording, error) {
	out := signaling.CaseRecording{Call: string(r.ID), Kind: r.Kind, AtMs: millis(r.At), Merged: r.From != "", Files: []signaling.CaseFile{}}
	if s, ok := n.a.desk.State(r.ID); ok && s.Open() {
		out.Live = true
	}
	row, err := n.a.db.ReportByID(ctx, r.ID)
	if errors.Is(err, store.ErrNotFound) {
		out.Files, err = n.callFiles(ctx, r.ID)
		return out, err
	}
	if err != nil {
		return out, fault.New(fault.Unavailable, "case", err)
	}
	k, err := readReport(row)
	if err == nil {
		out.Files, err = n.files(ctx, k)
	}
	return out, err
}

// callFiles lists what was sent within a call.
func (n *intake) callFiles(ctx context.Context, id ident.CallID) ([]signaling.CaseFile, error) {
	out := []signaling.CaseFile{}
	items, err := n.a.db.Items(ctx, id, 0, itemFile)
	if err != nil {
		return out, fault.New(fault.Unavailable, "case", err)
	}
	for _, it := range items {
		if err := into(it, func(r wire.FileRef) {
			out = append(out, signaling.CaseFile{File: r.File, Name: r.Name, Mime: r.Mime, Bytes: r.Bytes, SHA256: r.SHA256, KeptMs: millis(it.At), Marks: []string{}, Preview: true})
		}); err != nil {
			return out, fault.New(fault.Internal, "case", err)
		}
	}
	return out, nil
}

// file finds a file of a recording. What it returns opens the archive, which checks the whole of the file
// before a byte is given out.
func (n *intake) file(ctx context.Context, r cases.Recording, id ident.FileID) (signaling.CaseFile, func(io.Writer) error, error) {
	const op = "case.file"
	rec, err := n.recording(ctx, r)
	if err != nil {
		return signaling.CaseFile{}, nil, err
	}
	at := slices.IndexFunc(rec.Files, func(f signaling.CaseFile) bool { return f.File == string(id) && f.KeptMs > 0 })
	if at < 0 {
		return signaling.CaseFile{}, nil, fault.New(fault.NoSuchFile, op, nil)
	}
	if err := n.a.keeper.Gone(ctx, r.ID); err != nil {
		return signaling.CaseFile{}, nil, err
	}
	return rec.Files[at], func(w io.Writer) error { return n.copyFile(ctx, r.ID, id, w) }, nil
}

// copyFile writes a file of a recording from its archive.
func (n *intake) copyFile(ctx context.Context, call ident.CallID, id ident.FileID, w io.Writer) error {
	const op = "case.file"
	dir, err := n.a.archiveDir(ctx, call)
	if err != nil {
		return err
	}
	played, err := n.a.vault.play(ctx, opening{call, "photo", dir})
	if err != nil {
		return fault.New(fault.Unavailable, op, err)
	}
	if err := played.Blob(string(id), w); err != nil {
		return fault.New(fault.Unavailable, op, err)
	}
	return nil
}

func (n *intake) wake() {
	select {
	case n.nudge <- struct{}{}:
	default:
	}
}

// run writes and seals the archives of recordings until ctx ends.
func (n *intake) run(ctx context.Context) {
	tick := time.NewTicker(intakeEvery)
	defer tick.Stop()
	if err := n.a.uploads.sweep(ctx); err != nil && ctx.Err() == nil {
		n.a.log.Warn("the staging folder is swept at the next start", "err", err)
	}
	for {
		list, err := n.a.db.UnsealedReports(ctx)
		if err != nil && ctx.Err() == nil {
			n.a.log.Warn("reports wait to be sealed", "err", err)
		}
		for _, id := range list {
			if err := n.bring(ctx, id); err != nil && ctx.Err() == nil {
				n.a.log.Warn("a report waits for its archive", "report", id, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-n.nudge:
		}
	}
}

// mostOpen bounds the archives that are kept open for files which are still to come. Each is two files, and a
// signed head every ten seconds: whoever declares files and sends none must not take them from calls.
const mostOpen = 256

// mayOpen reports whether the archive of a recording is open, or to be opened before its files have come. Where
// it is not, what was told lies in the store meanwhile.
func mayOpen(n *intake, k keptReport) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open[k.ID] != nil || len(n.open) < n.most || !time.Now().Before(n.until(k))
}

// bring brings the archive of a recording on: begun, written, sealed once all its files are there.
func (n *intake) bring(ctx context.Context, id ident.CallID) error {
	row, err := n.a.db.ReportByID(ctx, id)
	if err != nil {
		return err
	}
	k, err := readReport(row)
	if err != nil {
		return err
	}
	if mayOpen(n, k) {
		if here, err := begun(ctx, n, k); !here {
			return err
		}
	}
	files, err := n.files(ctx, k)
	if err != nil {
		return err
	}
	missing, err := n.a.uploads.settled(ctx, k, files)
	if err != nil || len(missing) > 0 && time.Now().Before(n.until(k)) {
		return err
	}
	if here, err := begun(ctx, n, k); !here {
		return err
	}
	if len(missing) > 0 {
		if err := n.a.uploads.giveUp(ctx, k, missing); err != nil {
			return err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	arch := n.open[k.ID]
	if arch == nil || n.held[k.ID] > 0 {
		return nil
	}
	if err := arch.Seal(ctx, recorder.SealInfo{Ended: time.Now(), Cause: "report", Category: k.Request.Kind}); err != nil {
		return err
	}
	if err := n.ended(ctx, k); err != nil {
		return err
	}
	delete(n.open, k.ID)
	return nil
}

// begun opens the archive of a recording. It is not here where it has its seal already.
func begun(ctx context.Context, n *intake, k keptReport) (here bool, err error) {
	_, err = n.archive(ctx, k)
	if errors.Is(err, recorder.ErrSealed) { // killed before the store knew of it
		return false, n.ended(ctx, k)
	}
	return err == nil, err
}

// ended notes that the archive of a recording has its seal. Killed between the two, the next process finds
// the seal and comes here again.
func (n *intake) ended(ctx context.Context, k keptReport) error {
	if err := n.a.db.SealReport(ctx, k.ID); err != nil {
		return err
	}
	n.a.beginKeeping(ctx, k.ID)
	return nil
}

// settled settles what came whole before the process ended, and returns what is still to come.
func (u *uploads) settled(ctx context.Context, k keptReport, files []signaling.CaseFile) ([]signaling.CaseFile, error) {
	var missing []signaling.CaseFile
	for _, f := range files {
		if !coming(f) {
			continue
		}
		missing = append(missing, f)
		d, _ := k.declared(ident.FileID(f.File))
		size, err := u.staged.Size(stagedName(k.ID, f.File))
		if err != nil {
			return missing, err
		}
		if size < d.Bytes {
			continue
		}
		err = u.settle(ctx, declaredFile{k, d})
		switch fault.CodeOf(err) {
		case "":
			missing = missing[:len(missing)-1]
		case fault.WrongHash: // it is to be sent again
		case fault.BadFile, fault.TooLarge:
			missing = missing[:len(missing)-1]
		default:
			return missing, err
		}
	}
	return missing, nil
}

// archive returns the open archive of a recording, begun with what was told.
func (n *intake) archive(ctx context.Context, k keptReport) (*recorder.Archive, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if arch := n.open[k.ID]; arch != nil {
		return arch, nil
	}
	arch, err := n.a.rec.Start(ctx, recorder.Meta{Call: k.ID, Number: k.Number, Opened: k.At, Zone: n.a.zone.String(), Node: n.a.nodeID})
	if err != nil {
		return nil, err
	}
	said, err := json.Marshal(entry{Kind: "report", By: n.a.people.name(k.By), Body: map[string]any{"sha256": k.SHA256, "raw": k.Raw}, AtMs: millis(k.At)})
	if err != nil {
		return nil, err
	}
	lines := []struct {
		kind evr.Kind
		v    any
	}{{evr.Event, json.RawMessage(said)}}
	for _, f := range []*wire.Fix{k.Request.Fix, k.Request.Pin} {
		if f != nil {
			fix := *f
			fix.ServerMs = millis(k.At)
			lines = append(lines, struct {
				kind evr.Kind
				v    any
			}{evr.Location, fix})
		}
	}
	for _, l := range lines {
		raw, err := json.Marshal(l.v)
		if err == nil {
			err = arch.Append(l.kind, k.At, raw)
		}
		if err != nil && !errors.Is(err, recorder.ErrSealed) {
			return nil, err
		}
	}
	if err := arch.Flush(ctx); err != nil && !errors.Is(err, recorder.ErrSealed) {
		return nil, err
	}
	n.open[k.ID] = arch
	return arch, nil
}
