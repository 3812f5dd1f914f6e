package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"jedel/internal/fault"
	"jedel/internal/filekind"
	"jedel/internal/store"
	"jedel/recorder"
	"jedel/recorder/evr"
	"jedel/signaling"
)

// settleTime bounds the way of a whole file into its archive.
const settleTime = 10 * time.Minute

// settle takes a file that has come whole into the archive of its recording:
//
//  1. every byte is durable in the staging folder     killed here: the sender is not told; who looks next settles it
//  2. its hash is the declared one                    otherwise the staged file goes and may be sent again
//  3. its content is of a kind that is taken          otherwise that is written down, for all who look
//  4. the archive has it, durably                     killed here: it is written again; readers take the last whole one of its name
//  5. the store has its row                           killed here: step 6 is done by who looks next
//  6. the staged file goes
//  7. the sender is told
//
// It may be called at any time and by many: one at a time does it, and what is done is not done again.
func (u *uploads) settle(ctx context.Context, d declaredFile) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	done, err := u.begin(ctx, d.name())
	if err != nil {
		return fault.Newf(fault.Unavailable, "upload", "wait for another: %w", err)
	}
	defer done()
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	case <-ctx.Done():
		return fault.Newf(fault.Unavailable, "upload", "wait for a turn: %w", ctx.Err())
	}
	// Looked at before the archive is held: whoever settled it may have let the archive be sealed since.
	if here, err := u.here(ctx, d); err != nil || here {
		return errors.Join(err, u.staged.Drop(d.name()))
	}
	release, err := u.hold(ctx, d.kept.ID)
	if err != nil {
		return err
	}
	defer release()
	u.step(1)
	return u.keep(ctx, d)
}

func (u *uploads) step(n int) {
	if u.after != nil {
		u.after(n)
	}
}

// keep is steps 2 to 6.
func (u *uploads) keep(ctx context.Context, d declaredFile) error {
	const op = "upload"
	content, err := u.staged.Reader(d.name())
	if err != nil {
		return fault.New(fault.Unavailable, op, err)
	}
	defer content.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, content); err != nil {
		return fault.New(fault.Unavailable, op, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != lower(d.SHA256) || content.Size() != d.Bytes {
		u.ended.WithLabelValues("wrong_hash").Inc()
		return errors.Join(fault.New(fault.WrongHash, op, nil), u.staged.Drop(d.name()))
	}
	u.step(2)
	found, err := filekind.Look(content, content.Size())
	if err != nil {
		return u.refuse(ctx, d, fault.BadFile)
	}
	if limit := map[filekind.Class]int64{filekind.Video: u.limits.Video}[found.Class]; d.Bytes > max(limit, u.limits.Photo) {
		return u.refuse(ctx, d, fault.TooLarge)
	}
	u.step(3)
	arch, err := u.a.intake.archive(ctx, d.kept)
	if errors.Is(err, recorder.ErrSealed) {
		return fault.New(fault.TooLate, op, err)
	}
	if err != nil {
		return fault.Newf(fault.Unavailable, op, "open the archive: %w", err)
	}
	meta := recorder.BlobMeta{ID: d.File, Name: d.Name, Mime: found.Mime, Declared: declaredFacts(d), Found: foundFacts(found), Marks: filekind.Marks(declaredOf(d), found)}
	content.Rewind()
	if _, err := arch.Blob(ctx, meta, content); err != nil {
		return fault.Newf(fault.Unavailable, op, "write into the archive: %w", err)
	}
	u.step(4)
	if err := u.note(ctx, d, caseFileOf(d, found, meta.Marks)); err != nil {
		return err
	}
	u.step(5)
	u.ended.WithLabelValues("kept").Inc()
	err = u.staged.Drop(d.name())
	u.step(6)
	if err != nil {
		u.a.log.Warn("a file that is in its archive still lies in the staging folder", "report", d.kept.ID, "err", err)
	}
	return nil
}

// note writes down what became of a file.
func (u *uploads) note(ctx context.Context, d declaredFile, f signaling.CaseFile) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return fault.New(fault.Internal, "upload", err)
	}
	if err := u.a.db.PutReportFile(ctx, store.ReportFile{Report: d.kept.ID, ID: d.id(), KeptAt: time.Now().UTC(), Body: raw}); err != nil {
		return fault.New(fault.Unavailable, "upload", err)
	}
	return nil
}

// refuse writes down that a file is not taken, in its archive first, and lets the content go.
func (u *uploads) refuse(ctx context.Context, d declaredFile, code fault.Code) error {
	if err := u.say(ctx, d.kept, "file.refused", map[string]any{"file": d.File, "bytes": d.Bytes, "sha256": d.SHA256, "code": code}); err != nil {
		return err
	}
	f := announced(d.DeclaredFile)
	f.Refused = string(code)
	if err := u.note(ctx, d, f); err != nil {
		return err
	}
	u.ended.WithLabelValues("refused").Inc()
	return errors.Join(fault.New(code, "upload", nil), u.staged.Drop(d.name()))
}

// giveUp writes down, in the archive, which files were announced and never arrived. What came of them goes.
func (u *uploads) giveUp(ctx context.Context, k keptReport, missing []signaling.CaseFile) error {
	type absent struct {
		File   string `json:"file"`
		Name   string `json:"name"`
		Bytes  int64  `json:"bytes"`
		Came   int64  `json:"came"`
		SHA256 string `json:"sha256"`
	}
	list := []absent{}
	for _, f := range missing {
		n, err := u.staged.Size(stagedName(k.ID, f.File))
		if err != nil {
			return err
		}
		list = append(list, absent{f.File, f.Name, f.Bytes, n, f.SHA256})
	}
	if err := u.say(ctx, k, "files.missing", list); err != nil {
		return err
	}
	for _, f := range missing {
		u.ended.WithLabelValues("given_up").Inc()
		if err := u.staged.Drop(stagedName(k.ID, f.File)); err != nil {
			return err
		}
	}
	return nil
}

// say writes a line into the archive of a recording, durably.
func (u *uploads) say(ctx context.Context, k keptReport, kind string, body any) error {
	arch, err := u.a.intake.archive(ctx, k)
	if err != nil {
		return fault.New(fault.Unavailable, "report", err)
	}
	now := time.Now()
	raw, err := json.Marshal(entry{Kind: kind, Body: body, AtMs: millis(now)})
	if err == nil {
		err = arch.Append(evr.Event, now, raw)
	}
	if err == nil {
		err = arch.Flush(ctx)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "report", err)
	}
	return nil
}
