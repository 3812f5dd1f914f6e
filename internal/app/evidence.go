package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/recorder"
	"jedel/recorder/derive"
	"jedel/recorder/evr"
	"jedel/recorder/ladder"
	"jedel/recorder/verify"
	"jedel/signaling"
)

func maySearch(roles []string) bool { return access.May(roles, access.Search) }

// evidence answers the investigator's page from store and archives.
type evidence struct {
	app   *App
	cache *cache
}

// archivePath returns where a call's archive lies below the archive folder: its newest part, where
// an earlier one was damaged.
func (a *App) archivePath(ctx context.Context, id ident.CallID) (string, error) {
	sum, _, err := a.db.LoadCall(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return "", fault.New(fault.NoSuchCall, "evidence", nil)
	}
	if err != nil {
		return "", fault.New(fault.Unavailable, "evidence", err)
	}
	parts := recorder.Parts(os.DirFS(a.cfg.Recorder.Dir), id, sum.CreatedAt)
	if len(parts) == 0 {
		return "", fault.New(fault.NoSuchArchive, "evidence", nil)
	}
	return parts[len(parts)-1], nil
}

// folder is an archive's folder; at is its path below that of the archives.
type folder struct {
	fs.FS
	at string
}

func (a *App) archiveDir(ctx context.Context, id ident.CallID) (folder, error) {
	path, err := a.archivePath(ctx, id)
	if err != nil {
		return folder{}, err
	}
	full := filepath.Join(a.cfg.Recorder.Dir, filepath.FromSlash(path))
	if _, err := os.Stat(full); err != nil {
		return folder{}, fault.New(fault.NoSuchArchive, "evidence", err)
	}
	return folder{os.DirFS(full), path}, nil
}

// Calls implements signaling.Evidence.
func (e *evidence) Calls(ctx context.Context, q store.CallQuery) ([]signaling.CallRow, string, error) {
	sums, next, err := e.app.db.SearchCalls(ctx, q)
	if err != nil {
		return nil, "", err
	}
	rows := []signaling.CallRow{}
	for _, s := range sums {
		rows = append(rows, e.row(s))
	}
	return rows, next, nil
}

func (e *evidence) row(s store.CallSummary) signaling.CallRow {
	proof := "none"
	if s.Caller != "" {
		proof = "sms"
	}
	return signaling.CallRow{
		Call: string(s.Call), Number: s.Number, Kind: s.Kind, Phase: s.Phase, Name: s.Name, Phone: s.Phone, Proof: proof, Operator: s.OperatorName,
		CreatedMs: millis(s.CreatedAt), AnsweredMs: millis(s.AnsweredAt), EndedMs: millis(s.EndedAt), EndReason: s.EndReason,
		Category: s.Category, Outcome: s.Outcome, Callback: s.Callback, Recording: e.state(s),
	}
}

// state tells how a call's archive stands.
func (e *evidence) state(s store.CallSummary) string {
	root := os.DirFS(e.app.cfg.Recorder.Dir)
	parts := recorder.Parts(root, s.Call, s.CreatedAt)
	if len(parts) == 0 {
		return "none"
	}
	if _, err := fs.Stat(root, parts[len(parts)-1]+"/"+verify.DestroyedProof); err == nil {
		return "destroyed"
	}
	if _, err := fs.Stat(root, parts[len(parts)-1]+"/seal.note"); err == nil {
		return "sealed"
	}
	return "open"
}

// line is a timeline with the addresses of its media.
type line struct {
	derive.Timeline
	Media []mediaLine `json:"media"`
}

type mediaLine struct {
	derive.MediaLine
	URL string `json:"url"`
}

// Detail implements signaling.Evidence.
func (e *evidence) Detail(ctx context.Context, id ident.CallID) (signaling.CallDetail, error) {
	const op = "evidence.call"
	sum, _, err := e.app.db.LoadCall(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return signaling.CallDetail{}, fault.New(fault.NoSuchCall, op, nil)
	}
	if err != nil {
		return signaling.CallDetail{}, fault.New(fault.Unavailable, op, err)
	}
	d := signaling.CallDetail{Row: e.row(sum), Archive: signaling.ArchiveInfo{Damaged: []string{}}}
	d.Archive.State = d.Row.Recording
	if err := e.app.keeper.Gone(ctx, id); err != nil {
		return d, err
	}
	dir, err := e.app.archiveDir(ctx, id)
	if err != nil {
		return d, err
	}
	rec, err := e.app.vault.play(ctx, opening{id, "play", dir})
	if err != nil {
		return d, fault.New(fault.Unavailable, op, err)
	}
	l := line{Timeline: rec.Timeline(), Media: []mediaLine{}}
	for _, m := range l.Timeline.Media {
		l.Media = append(l.Media, mediaLine{m, "/api/v1/evidence/calls/" + string(id) + "/media/" + m.Participant})
	}
	d.Timeline = l
	d.Archive.DurationMs = l.DurationMs
	d.Case = histories{caseDesk{e.app}, e}.caseRef(ctx, id)
	parts := recorder.Parts(os.DirFS(e.app.cfg.Recorder.Dir), id, sum.CreatedAt)
	d.Archive.Dir, d.Archive.Damaged = parts[len(parts)-1], parts[:len(parts)-1]
	names, err := evr.SegmentNames(dir)
	if err != nil {
		return d, fault.New(fault.Unavailable, op, err)
	}
	d.Archive.Segments = len(names)
	e.sealed(dir, &d.Archive)
	return d, nil
}

// sealed adds what the seal says.
func (e *evidence) sealed(dir fs.FS, info *signaling.ArchiveInfo) {
	raw, err := fs.ReadFile(dir, "seal.note")
	if err != nil {
		return
	}
	_, rest, _ := strings.Cut(string(raw), "\n")
	manifest, _, _ := strings.Cut(rest, "\n")
	var m struct {
		Leaves uint64 `json:"leaves"`
		Root   string `json:"root"`
	}
	if json.Unmarshal([]byte(manifest), &m) == nil {
		info.Leaves, info.Root = m.Leaves, m.Root
	}
}

// freshFor is how long a file derived from a running call counts as new enough.
const freshFor = 5 * time.Second

// forever is how long one derived from a sealed call does.
const forever = 1 << 62

// Media implements signaling.Evidence: the playable file is made once and kept in the cache.
func (e *evidence) Media(ctx context.Context, id ident.CallID, participant string) (signaling.MediaFile, error) {
	const op = "evidence.media"
	if err := e.app.keeper.Gone(ctx, id); err != nil {
		return signaling.MediaFile{}, err
	}
	dir, err := e.app.archiveDir(ctx, id)
	if err != nil {
		return signaling.MediaFile{}, err
	}
	name, fresh := string(id)+"-"+participant, time.Duration(forever)
	if _, err := fs.Stat(dir, "seal.note"); err != nil {
		name, fresh = name+"-live", freshFor // what is derived from a running call is not what the sealed one gives
	}
	f, err := e.cache.open(name, fresh, func(w io.Writer) (string, error) {
		if e.app.rec.Rung() >= ladder.NoExtras { // the room that is left is for recordings
			return "", fault.New(fault.NoSpace, op, nil)
		}
		rec, err := e.app.vault.play(ctx, opening{id, "play", dir})
		if err != nil {
			return "", err
		}
		for _, m := range rec.Timeline().Media {
			if m.Participant == participant {
				_, err := rec.WriteMedia(w, participant)
				return m.Mime, err
			}
		}
		return "", fault.New(fault.NotFound, op, nil)
	})
	if err != nil {
		if fault.CodeOf(err) != fault.Internal {
			return signaling.MediaFile{}, err
		}
		return signaling.MediaFile{}, fault.New(fault.Unavailable, op, err)
	}
	ending := ".webm"
	if strings.Contains(f.mime, "mp4") {
		ending = ".mp4"
	}
	return signaling.MediaFile{Mime: f.mime, Name: string(id) + "-" + participant + ending, ModTime: f.made, Content: f}, nil
}

// Verify implements signaling.Evidence.
func (e *evidence) Verify(ctx context.Context, id ident.CallID) ([]byte, error) {
	dir, err := e.app.archiveDir(ctx, id)
	if err != nil {
		return nil, err
	}
	ring, err := e.app.vault.ring(ctx, opening{id, "verify", dir})
	if err != nil {
		return nil, fault.New(fault.Unavailable, "evidence.verify", err)
	}
	report, err := verify.Dir(dir, verify.Options{Keys: []string{e.app.rec.Key()}, Ring: ring, Log: e.app.verifyLog()})
	if err != nil {
		return nil, fault.New(fault.Unavailable, "evidence.verify", err)
	}
	raw, err := json.Marshal(report)
	if err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return raw, nil
}

// Archive implements signaling.Evidence.
func (e *evidence) Archive(ctx context.Context, id ident.CallID) (fs.FS, error) {
	return e.app.archiveDir(ctx, id)
}
